# ∂L/∂w in forward mode, which forms x·ŷ·(1−ŷ) first: its underflow n1 is multiplied by r̂ = R, at most A in size, and for
# everything else the order of factors does not matter. Names as in gradient.g.

G = b*t*D*s*(1+f) + m;
size = D + e_Delta;
S = b*w*size;
Gh = b*t*(1-w)*(D*s + V*e_Delta*k)*(1+d) + n2 + (n1*R + n3)*(1+d2);

e_G = b*(e_Delta + nu_gradient*size) + (1+nu_gradient)*S + 3*h*(1+nu_gradient) + 6*h*(1+nu_gradient)*(1+A);

{ b in [0, largest] /\ D in [0, largest] /\ e_Delta in [0, largest] /\ |s| <= 1 /\ |t| <= 1 /\ |k| <= 1 /\ |g| <= 1
/\ w in [0, flush] /\ |d| <= u /\ |d2| <= u /\ |f| <= U /\ |n1| <= n /\ |n2| <= n /\ |n3| <= n /\ |m| <= N
/\ A in [h, largest] /\ R/A in [-1, 1]
-> V*e_G - g*(Gh - G) >= 0 }

V*e_G - g*(Gh - G) ->
  b*D*(V*nu_gradient - g*t*s*(d - f) + w*(V*(1+nu_gradient) + g*t*s*(1+d)))
+ b*e_Delta*(V*(1 + nu_gradient) - V*g*t*k*(1+d) + w*(V*(1+nu_gradient) + V*g*t*k*(1+d)))
+ A*(6*V*h*(1+nu_gradient) - g*n1*(R/A)*(1+d2)) + (9*V*h*(1+nu_gradient) - g*(n2 + n3*(1+d2) - m)) { A <> 0 };
