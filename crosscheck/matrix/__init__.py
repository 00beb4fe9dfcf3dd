"""The matrix: every way to execute the network, at every shape, in every dtype, on every kind of input."""
