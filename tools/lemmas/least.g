# min(1, p+s), which the radii have in place of σ(ẑ), is at least σ(ẑ) and σ(z̃) but for 5U of them and φ_reference.
#
# Names as in logistic.g. With −z it says the same of min(1, q+s).

sh = sz + s*move*k;
p = sz*(1+kappa_reference*f1) + phi_reference*f2;
at_sh = sh*(1-5*U) - phi_reference;
at_sz = sz*(1-5*U) - phi_reference;

{ sz in [0,1] /\ sh in [0,1] /\ s in [0,1] /\ |k| <= 1 /\ |f1| <= 1 /\ |f2| <= 1
-> 1 - at_sh >= 0 /\ 1 - at_sz >= 0 /\ (p + s) - at_sh >= 0 /\ (p + s) - at_sz >= 0 }

(p + s) - at_sh -> sz*(kappa_reference*f1 + 5*U) + s*(1 - move*k*(1-5*U)) + phi_reference*(1+f2);
(p + s) - at_sz -> sz*(kappa_reference*f1 + 5*U) + s + phi_reference*(1+f2);
