# 1 − ŷ by subtraction: |fl(1 − ŷ) − q| ≤ e_q, with the reference's q = σ(−z̃).
#
# Names as in logistic.g; m_p and m_q are min(1, p+s) and min(1, q+s). `rounded` is the error of the subtraction: none for
# ŷ ≥ ½, and at most ½u below it (model.g).

sh = sz + s*move*k;
ph = sh*(1+kappa*c1) + phi_own*c2;
qh = 1 - ph + rounded;
q = (1-sz)*(1+kappa_reference*f1) + phi_reference*f2;
p_at_sh = sh*(1-5*U) - phi_reference;
q_at_sh = (1-sh)*(1-5*U) - phi_reference;
q_at_sz = (1-sz)*(1-5*U) - phi_reference;

e_p = s + kappa_u*m_p + phi;
e_q = e_p + kappa_u*m_q + phi;

# ŷ ≥ ½
{ sz in [0,1] /\ sh in [0,1] /\ s in [0,1] /\ |k| <= 1 /\ |c1| <= 1 /\ |c2| <= 1 /\ |f1| <= 1 /\ |f2| <= 1 /\ |g| <= 1
/\ m_p - p_at_sh in [0,2] /\ m_q - q_at_sh in [0,2] /\ m_q - q_at_sz in [0,2]
/\ ph in [0.5, 1] /\ rounded in [0, 0]
-> V*e_q - g*(qh - q) >= 0 }

V*e_q - g*(qh - q) ->
  s*(V + g*move*k)
+ sh*(V*kappa_u*(1-5*U) + g*kappa*c1) + V*kappa_u*(m_p - p_at_sh)
+ (1-sh)*V*(kappa_u - kappa_reference)*(1-5*U) - g*rounded + (1-sz)*kappa_reference*(V*(1-5*U) + g*f1)
+ V*(kappa_u - kappa_reference)*(m_q - q_at_sh) + V*kappa_reference*(m_q - q_at_sz)
+ (2*V*phi - 2*V*kappa_u*phi_reference + g*(phi_own*c2 + phi_reference*f2));

# ŷ < ½
{ sz in [0,1] /\ sh in [0,1] /\ s in [0,1] /\ |k| <= 1 /\ |c1| <= 1 /\ |c2| <= 1 /\ |f1| <= 1 /\ |f2| <= 1 /\ |g| <= 1
/\ m_p - p_at_sh in [0,2] /\ m_q - q_at_sh in [0,2] /\ m_q - q_at_sz in [0,2]
/\ ph in [0, 0.5] /\ |rounded| <= half_u
-> V*e_q - g*(qh - q) >= 0 }

sh -> (ph - phi_own*c2)/(1+kappa*c1) { 1+kappa*c1 <> 0 };

V*e_q - g*(qh - q) ->
  s*(V + g*move*k)
+ sh*(V*kappa_u*(1-5*U) + g*kappa*c1) + V*kappa_u*(m_p - p_at_sh)
+ (1-sh)*V*(kappa_u - kappa_reference)*(1-5*U) - g*rounded + (1-sz)*kappa_reference*(V*(1-5*U) + g*f1)
+ V*(kappa_u - kappa_reference)*(m_q - q_at_sh) + V*kappa_reference*(m_q - q_at_sz)
+ (2*V*phi - 2*V*kappa_u*phi_reference + g*(phi_own*c2 + phi_reference*f2));
