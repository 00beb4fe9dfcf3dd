# L: |L̂ − L̃| ≤ e_L for one term, as ½·fl(r̂²) or as fl(½r̂)·r̂, with a third rounding, and with those of a
# rescaled mean, d4, where one is claimed.
#
# r̃ = a·s with its sign s. n: the square, its half, L̂ or an operand underflows; where ½r̂ does, |r̂| ≤ 2λ, and its error
# times r̂ is far below n. m: the same in the reference.

rh = a*s + V*e_r*k;
A = a + e_r;
Lh = half*rh*rh*(1+d1)*(1+d2)*(1+d3)*(1+d4) + ((n1*(1+d2) + n2)*(1+d3)*(1+d4) + n3 + n4);
L = half*a*s*a*s*(1+f1)*(1+f2) + m;

e_L = a*e_r + half*e_r*e_r + half*nu_loss*A*A + 8*h*(1+nu_loss);

{ a in [0, largest] /\ e_r in [h, largest] /\ |s| <= 1 /\ |k| <= 1 /\ |g| <= 1
/\ rh/A in [-1, 1] /\ a/A in [0, 1]
/\ |d1| <= u /\ |d2| <= u /\ |d3| <= u /\ |d4| <= mean_loss /\ |f1| <= U /\ |f2| <= U
/\ |n1| <= n /\ |n2| <= n /\ |n3| <= n /\ |n4| <= n /\ |m| <= M
-> V*e_L - g*(Lh - L) >= 0 }

V*e_L - g*(Lh - L) ->
  a*e_r*(V - V*g*k*s) + half*e_r*e_r*(V - V*V*g*k*k)
+ half*A*A*(V*nu_loss - g*((rh/A)*(rh/A)*((1+d1)*(1+d2)*(1+d3)*(1+d4)-1) - (a/A)*(a/A)*s*s*((1+f1)*(1+f2)-1)))
+ (V*8*h*(1+nu_loss) - g*((n1*(1+d2) + n2)*(1+d3)*(1+d4) + n3 + n4 - m)) { A <> 0 };
