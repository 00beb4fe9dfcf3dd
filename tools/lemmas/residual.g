# r: |r̂ − r̃| ≤ e_r for r̂ = fl(ŷ − y), also as ½·2·(y − ŷ)·(−1); and |r̂| ≤ A = |r̃| + e_r.
#
# p − y = a·s with its sign s. n: operands and a result that are flushed, or ½r̂, which is subnormal, doubled.

rh = (a*s + V*e_p*k)*(1+d) + n;
r = a*s*(1+f);
size = a*(1+f);

e_r = e_p + wide_u*(size + e_p) + 3*h;

{ a in [0, largest] /\ |s| <= 1 /\ e_p in [0, 2] /\ |k| <= 1 /\ |d| <= u /\ |f| <= U /\ |n| <= n_of_r /\ |g| <= 1
-> V*e_r - g*(rh - r) >= 0 }

V*e_r - g*(rh - r) -> a*(V*wide_u*(1+f) - g*s*(d-f)) + V*e_p*(1 + wide_u - g*k*(1+d)) + (3*V*h - g*n);
