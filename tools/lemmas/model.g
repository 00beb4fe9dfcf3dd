# Each operation of the format is one of the model: to nearest, ties to even, with a relative error of at most u, or
# where the result is subnormal an absolute one of at most `underflow`.
#
# t is any real number: a product, a fused x·w + a, a quotient.

@rnd = float<format, ne>;

{ |t| in [second_binade, largest] -> (rnd(t) - t)/t in [-u, u] }

# In the first binade of normal numbers `underflow` is u·|t| at most.
{ |t| <= second_binade -> |rnd(t) - t| <= underflow }

# A sum of two numbers of the format has no absolute error.
{ @FLT(a, precision) /\ @FIX(a, exponent) /\ @FLT(b, precision) /\ @FIX(b, exponent)
/\ |a| <= largest /\ |b| <= largest
-> rnd(a + b) -/ (a + b) in [-u, u] }

# 1 − ŷ is exact for ŷ in [½, 1], and off by at most ½u below ½.
{ @FLT(y_hat, precision) /\ @FIX(y_hat, exponent) /\ y_hat in [0.5, 1]
-> rnd(1 - y_hat) - (1 - y_hat) in [0, 0] }

{ y_hat in [0, 0.5] -> |rnd(1 - y_hat) - (1 - y_hat)| <= half_u }
