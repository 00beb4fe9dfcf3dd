# A multiple of the grid G below 2^t·G in size has at most t digits, here with G = 1, since the number of digits does
# not depend on the unit. If G is at least the least subnormal, it is a number of the format, and does not round.
#
# v is a product, a partial sum in any order, or what FMA rounds; all of them are at most T < 2^t·G in size.

@rnd = float<format, ne>;

{ @FIX(v, 0) /\ |v| <= grids -> @FLT(v, precision) }

{ @FIX(v, exponent) /\ @FLT(v, precision) -> rnd(v) - v in [0, 0] }
