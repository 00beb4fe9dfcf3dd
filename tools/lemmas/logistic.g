# ŷ: |ŷ − p| ≤ e_p. With −z in place of z the same formulas hold for 1 − ŷ = σ(−z), which is one way to get it.
#
# sz = σ(z̃) and sh = σ(ẑ) differ by s·move at most: the lemma on s. The implementation returns ph, the reference p; c and f
# are the shares that they use of their κu and φ. m = min(1, p+s) is at least at_sh and at_sz: least.g.

sh = sz + s*move*k;
ph = sh*(1+kappa*c1) + phi_own*c2;
p = sz*(1+kappa_reference*f1) + phi_reference*f2;
at_sh = sh*(1-5*U) - phi_reference;
at_sz = sz*(1-5*U) - phi_reference;

e_p = s + kappa_u*m + phi;

{ sz in [0,1] /\ sh in [0,1] /\ s in [0,1] /\ |k| <= 1 /\ |c1| <= 1 /\ |c2| <= 1 /\ |f1| <= 1 /\ |f2| <= 1 /\ |g| <= 1
/\ m - at_sh in [0,2] /\ m - at_sz in [0,2]
-> V*e_p - g*(ph - p) >= 0 }

V*e_p - g*(ph - p) ->
  s*(V - g*move*k)
+ sh*(V*(kappa_u - kappa_reference)*(1-5*U) - g*kappa*c1) + sz*kappa_reference*(V*(1-5*U) + g*f1)
+ V*(kappa_u - kappa_reference)*(m - at_sh) + V*kappa_reference*(m - at_sz)
+ (V*phi - V*kappa_u*phi_reference - g*(phi_own*c2 - phi_reference*f2));
