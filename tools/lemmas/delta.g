# Δ: |Δ̂ − Δ̃| ≤ e_Δ for the product of r̂, ŷ and 1 − ŷ in every order, with two more roundings, and
# with those of a rescaled mean, d5, where one is claimed.
#
# r̃ = a·s with its sign s; R, P, Q are what the implementation multiplies, within their radii of r̃, p, q, and at most
# A, p_1, q_1 in size. w: a subnormal operand that may vanish; n: underflow. m: underflow in the reference.

R = a*s + V*e_r*k3;
P = p + V*e_p*k1;
Q = q + V*e_q*k2;
A = a + e_r;
E = (1+d2)*(1+d3)*(1+d4)*(1+d5);
y_hat_last = (((R+w3)*(Q+w2)*(1+d1) + n1)*(P+w1)*(1+d2) + n2)*(1+d3)*(1+d4)*(1+d5) + n3;
q_last = (((R+w3)*(P+w1)*(1+d1) + n1)*(Q+w2)*(1+d2) + n2)*(1+d3)*(1+d4)*(1+d5) + n3;
r_last = (((P+w1)*(Q+w2)*(1+d1) + n1)*(R+w3)*(1+d2) + n2)*(1+d3)*(1+d4)*(1+d5) + n3;
D = a*s*(p*q*(1+f1) + m1)*(1+f2) + m2;

e_Delta = e_r*p_1*q_1 + a*(e_p*q_1 + p*e_q) + gamma*A*p_1*q_1 + 6*h*(1+A);

# r_last
{ a in [0, largest] /\ e_r in [h, largest] /\ e_p in [0, 2] /\ e_q in [0, 4] /\ |s| <= 1
/\ |k1| <= 1 /\ |k2| <= 1 /\ |k3| <= 1 /\ |g| <= 1
/\ p in [0, 1] /\ q in [0, 1] /\ p_1 in [h, 1] /\ q_1 in [h, 1]
/\ P/p_1 in [0, 1] /\ p/p_1 in [0, 1] /\ Q/q_1 in [0, 1] /\ q/q_1 in [0, 1] /\ R/A in [-1, 1] /\ a/A in [0, 1]
/\ |w1| <= lost /\ |w2| <= lost /\ |w3| <= lost
/\ |d1| <= u /\ |d2| <= u /\ |d3| <= u /\ |d4| <= u /\ |d5| <= mean_delta /\ |f1| <= U /\ |f2| <= U
/\ |n1| <= n /\ |n2| <= n /\ |n3| <= n /\ |m1| <= N /\ |m2| <= N
-> V*e_Delta - g*(r_last - D) >= 0 }

V*e_Delta - g*(r_last - D) ->
  p_1*q_1*e_r*V*(1 - g*k3*(P/p_1)*(Q/q_1)) + a*e_p*q_1*V*(1 - g*s*k1*(Q/q_1)) + a*p*e_q*V*(1 - g*s*k2)
+ A*p_1*q_1*(V*gamma - g*((R/A)*(P/p_1)*(Q/q_1)*((1+d1)*E - 1) - (a/A)*s*(p/p_1)*(q/q_1)*((1+f1)*(1+f2) - 1)))
+ A*(V*6*h - g*((R/A)*((w1*(q_1*(Q/q_1)) + w2*(p_1*(P/p_1)) + w1*w2)*(1+d1)+n1)*E - (a/A)*s*m1*(1+f2)))
+ (V*6*h - g*((((p_1*(P/p_1))+w1)*((q_1*(Q/q_1))+w2)*(1+d1)*w3 + n1*w3)*E + n2*(1+d3)*(1+d4)*(1+d5) + n3 - m2)) { A <> 0, p_1 <> 0, q_1 <> 0 };

# q_last
{ a in [0, largest] /\ e_r in [h, largest] /\ e_p in [0, 2] /\ e_q in [0, 4] /\ |s| <= 1
/\ |k1| <= 1 /\ |k2| <= 1 /\ |k3| <= 1 /\ |g| <= 1
/\ p in [0, 1] /\ q in [0, 1] /\ p_1 in [h, 1] /\ q_1 in [h, 1]
/\ P/p_1 in [0, 1] /\ p/p_1 in [0, 1] /\ Q/q_1 in [0, 1] /\ q/q_1 in [0, 1] /\ R/A in [-1, 1] /\ a/A in [0, 1]
/\ |w1| <= lost /\ |w2| <= lost /\ |w3| <= lost
/\ |d1| <= u /\ |d2| <= u /\ |d3| <= u /\ |d4| <= u /\ |d5| <= mean_delta /\ |f1| <= U /\ |f2| <= U
/\ |n1| <= n /\ |n2| <= n /\ |n3| <= n /\ |m1| <= N /\ |m2| <= N
-> V*e_Delta - g*(q_last - D) >= 0 }

V*e_Delta - g*(q_last - D) ->
  p_1*q_1*e_r*V*(1 - g*k3*(P/p_1)*(Q/q_1)) + a*e_p*q_1*V*(1 - g*s*k1*(Q/q_1)) + a*p*e_q*V*(1 - g*s*k2)
+ A*p_1*q_1*(V*gamma - g*((R/A)*(P/p_1)*(Q/q_1)*((1+d1)*E - 1) - (a/A)*s*(p/p_1)*(q/q_1)*((1+f1)*(1+f2) - 1)))
+ A*(V*6*h - g*((R/A)*(1+d1)*((p_1*(P/p_1))*w2 + w1*(q_1*(Q/q_1)) + w2*w1)*E - (a/A)*s*m1*(1+f2)))
+ (V*6*h - g*(((w3*((p_1*(P/p_1))+w1)*(1+d1) + n1)*((q_1*(Q/q_1))+w2))*E + n2*(1+d3)*(1+d4)*(1+d5) + n3 - m2)) { A <> 0, p_1 <> 0, q_1 <> 0 };

# y_hat_last
{ a in [0, largest] /\ e_r in [h, largest] /\ e_p in [0, 2] /\ e_q in [0, 4] /\ |s| <= 1
/\ |k1| <= 1 /\ |k2| <= 1 /\ |k3| <= 1 /\ |g| <= 1
/\ p in [0, 1] /\ q in [0, 1] /\ p_1 in [h, 1] /\ q_1 in [h, 1]
/\ P/p_1 in [0, 1] /\ p/p_1 in [0, 1] /\ Q/q_1 in [0, 1] /\ q/q_1 in [0, 1] /\ R/A in [-1, 1] /\ a/A in [0, 1]
/\ |w1| <= lost /\ |w2| <= lost /\ |w3| <= lost
/\ |d1| <= u /\ |d2| <= u /\ |d3| <= u /\ |d4| <= u /\ |d5| <= mean_delta /\ |f1| <= U /\ |f2| <= U
/\ |n1| <= n /\ |n2| <= n /\ |n3| <= n /\ |m1| <= N /\ |m2| <= N
-> V*e_Delta - g*(y_hat_last - D) >= 0 }

V*e_Delta - g*(y_hat_last - D) ->
  p_1*q_1*e_r*V*(1 - g*k3*(P/p_1)*(Q/q_1)) + a*e_p*q_1*V*(1 - g*s*k1*(Q/q_1)) + a*p*e_q*V*(1 - g*s*k2)
+ A*p_1*q_1*(V*gamma - g*((R/A)*(P/p_1)*(Q/q_1)*((1+d1)*E - 1) - (a/A)*s*(p/p_1)*(q/q_1)*((1+f1)*(1+f2) - 1)))
+ A*(V*6*h - g*((R/A)*(1+d1)*((q_1*(Q/q_1))*w1 + w2*(p_1*(P/p_1)) + w1*w2)*E - (a/A)*s*m1*(1+f2)))
+ (V*6*h - g*(((w3*((q_1*(Q/q_1))+w2)*(1+d1) + n1)*((p_1*(P/p_1))+w1))*E + n2*(1+d3)*(1+d4)*(1+d5) + n3 - m2)) { A <> 0, p_1 <> 0, q_1 <> 0 };
