# Where Δ is formed from ŷ − ŷ² = ŷ·(1 − ŷ·(1+d)): the second factor is within e_q of q.
#
# Names as in complement.g; p_1 is at least ŷ.

sh = sz + s*move*k;
ph = sh*(1+kappa*c1) + phi_own*c2;
qh = 1 - ph*(1+d);
q = (1-sz)*(1+kappa_reference*f1) + phi_reference*f2;
p_at_sh = sh*(1-5*U) - phi_reference;
q_at_sh = (1-sh)*(1-5*U) - phi_reference;
q_at_sz = (1-sz)*(1-5*U) - phi_reference;

e_p = s + kappa_u*m_p + phi;
e_q = e_p + kappa_u*m_q + phi + wide_u*p_1;

{ sz in [0,1] /\ sh in [0,1] /\ s in [0,1] /\ |k| <= 1 /\ |c1| <= 1 /\ |c2| <= 1 /\ |f1| <= 1 /\ |f2| <= 1 /\ |g| <= 1
/\ m_p - p_at_sh in [0,2] /\ m_q - q_at_sh in [0,2] /\ m_q - q_at_sz in [0,2]
/\ ph in [0, 1] /\ |d| <= u /\ p_1 - ph in [0, 1]
-> V*e_q - g*(qh - q) >= 0 }

V*e_q - g*(qh - q) ->
  s*(V + g*move*k)
+ sh*(V*kappa_u*(1-5*U) + g*kappa*c1) + V*kappa_u*(m_p - p_at_sh)
+ (1-sh)*V*(kappa_u - kappa_reference)*(1-5*U) + (1-sz)*kappa_reference*(V*(1-5*U) + g*f1)
+ V*(kappa_u - kappa_reference)*(m_q - q_at_sh) + V*kappa_reference*(m_q - q_at_sz)
+ V*wide_u*(p_1 - ph) + ph*(V*wide_u + g*d)
+ (2*V*phi - 2*V*kappa_u*phi_reference + g*(phi_own*c2 + phi_reference*f2));
