# ∂L/∂w: |x·Δ̂ − x·Δ̃| ≤ e_G for one sample, where a subnormal x may vanish with flush, w = 1, and then counts in S.
#
# |x| = b with its sign t, Δ̃ = D·s with its sign.

G = b*t*D*s*(1+f) + m;
size = D + e_Delta;
S = b*w*size;
Gh = b*t*(1-w)*(D*s + V*e_Delta*k)*(1+d) + n2;

e_G = b*(e_Delta + nu_gradient*size) + (1+nu_gradient)*S + 3*h*(1+nu_gradient);

{ b in [0, largest] /\ D in [0, largest] /\ e_Delta in [0, largest] /\ |s| <= 1 /\ |t| <= 1 /\ |k| <= 1 /\ |g| <= 1
/\ w in [0, flush] /\ |d| <= u /\ |f| <= U /\ |n2| <= n /\ |m| <= N
-> V*e_G - g*(Gh - G) >= 0 }

V*e_G - g*(Gh - G) ->
  b*D*(V*nu_gradient - g*t*s*(d - f) + w*(V*(1+nu_gradient) + g*t*s*(1+d)))
+ b*e_Delta*(V*(1 + nu_gradient) - V*g*t*k*(1+d) + w*(V*(1+nu_gradient) + V*g*t*k*(1+d)))
+ (3*V*h*(1+nu_gradient) - g*(n2 - m));
