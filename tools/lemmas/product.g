# z: |ẑ − z̃| ≤ e_z for X·W of three terms in every order, with or without FMA.
#
# t_i = |x_i·w_i|, and s_i is the sign of the product. The order (1, 2), 3 is every order, as names do not matter;
# a product that FMA does not round has d_i = 0 and n_i = 0, which is among the values allowed. With flush a product of
# a subnormal operand may vanish in part or whole, w_i = 1; then it counts in S.
# d, f: relative roundings of the implementation and of the reference; n, m: their underflows.
# b, k: relative roundings and underflows of the reference's T = |X|·|W|.

zh = ((t1*s1*(1-w1)*(1+d1)+n1 + t2*s2*(1-w2)*(1+d2)+n2)*(1+d4)+n4 + t3*s3*(1-w3)*(1+d3)+n3)*(1+d5)+n5;
z = ((t1*s1*(1+f1)+m1 + t2*s2*(1+f2)+m2)*(1+f4) + t3*s3*(1+f3)+m3)*(1+f5);
T = ((t1*(1+b1)+k1 + t2*(1+b2)+k2)*(1+b4) + t3*(1+b3)+k3)*(1+b5);
S = t1*w1 + t2*w2 + t3*w3;

e_z = nu_dot*T + (1+nu_dot)*S + 6*h*(1+nu_dot);

{ t1 in [0, largest] /\ t2 in [0, largest] /\ t3 in [0, largest]
/\ |s1| <= 1 /\ |s2| <= 1 /\ |s3| <= 1 /\ w1 in [0, flush] /\ w2 in [0, flush] /\ w3 in [0, flush]
/\ |d1| <= u /\ |d2| <= u /\ |d3| <= u /\ |d4| <= u /\ |d5| <= u
/\ |f1| <= U /\ |f2| <= U /\ |f3| <= U /\ |f4| <= U /\ |f5| <= U
/\ |b1| <= U /\ |b2| <= U /\ |b3| <= U /\ |b4| <= U /\ |b5| <= U
/\ |n1| <= n /\ |n2| <= n /\ |n3| <= n /\ |n4| <= n /\ |n5| <= n
/\ |m1| <= N /\ |m2| <= N /\ |m3| <= N /\ |k1| <= N /\ |k2| <= N /\ |k3| <= N /\ |g| <= 1
-> V*e_z - g*(zh - z) >= 0 }

V*e_z - g*(zh - z) ->
  t1*(V*nu_dot*((1+b1)*(1+b4)*(1+b5)) - g*s1*((1+d1)*(1+d4)*(1+d5) - (1+f1)*(1+f4)*(1+f5)) + w1*(V*(1+nu_dot) + g*s1*(1+d1)*(1+d4)*(1+d5)))
+ t2*(V*nu_dot*((1+b2)*(1+b4)*(1+b5)) - g*s2*((1+d2)*(1+d4)*(1+d5) - (1+f2)*(1+f4)*(1+f5)) + w2*(V*(1+nu_dot) + g*s2*(1+d2)*(1+d4)*(1+d5)))
+ t3*(V*nu_dot*((1+b3)*(1+b5)) - g*s3*((1+d3)*(1+d5) - (1+f3)*(1+f5)) + w3*(V*(1+nu_dot) + g*s3*(1+d3)*(1+d5)))
+ (V*6*h*(1+nu_dot) + V*nu_dot*(((k1+k2)*(1+b4)+k3)*(1+b5))
   - g*((((n1+n2)*(1+d4)+n4+n3)*(1+d5)+n5) - ((m1+m2)*(1+f4)+m3)*(1+f5)));
