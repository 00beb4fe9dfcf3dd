# ŷ and 1 − ŷ where the implementation returns ŷ = 0, since σ(ẑ)·(1 − κu) is at most `lost_below`: |0 − p| ≤ e_p and
# |1 − q| ≤ e_q. That is 1/Ω, or with flush λ but for four least subnormal numbers of float64.
#
# Names as in complement.g.

sh = sz + s*move*k;
p = sz*(1+kappa_reference*f1) + phi_reference*f2;
q = (1-sz)*(1+kappa_reference*f1) + phi_reference*f2;
at_sh = sh*(1-5*U) - phi_reference;
at_sz = sz*(1-5*U) - phi_reference;
q_at_sz = (1-sz)*(1-5*U) - phi_reference;

e_p = s + kappa_u*m_p + phi;
e_q = e_p + kappa_u*m_q + phi;

{ sz in [0,1] /\ sh in [0,1] /\ s in [0,1] /\ |k| <= 1 /\ |f1| <= 1 /\ |f2| <= 1
/\ m_p - at_sh in [0,2] /\ m_p - at_sz in [0,2] /\ lost_below - sh*(1-kappa) in [0, 1]
-> V*e_p - p >= 0 }

V*e_p - p ->
  s*(V + move*k) + (lost_below - sh*(1-kappa)) + sh*(V*(kappa_u - kappa_reference)*(1-5*U) - kappa)
+ sz*kappa_reference*(V*(1-5*U) - f1) + V*(kappa_u - kappa_reference)*(m_p - at_sh) + V*kappa_reference*(m_p - at_sz)
+ (V*phi - lost_below - V*kappa_u*phi_reference - phi_reference*f2);

{ sz in [0,1] /\ sh in [0,1] /\ s in [0,1] /\ |k| <= 1 /\ |f1| <= 1 /\ |f2| <= 1
/\ m_p - at_sh in [0,2] /\ m_q - q_at_sz in [0,2] /\ lost_below - sh*(1-kappa) in [0, 1]
-> V*e_q - (1 - q) >= 0 }

V*e_q - (1 - q) ->
  s*(V + move*k) + (lost_below - sh*(1-kappa)) + sh*(V*kappa_u*(1-5*U) - kappa) + V*kappa_u*(m_p - at_sh)
+ V*kappa_u*(m_q - q_at_sz) + (1-sz)*(V*kappa_u*(1-5*U) + kappa_reference*f1)
+ (2*V*phi - lost_below - 2*V*kappa_u*phi_reference + phi_reference*f2);
