"""The matrix: the ways to execute the network, combined with shapes, dtypes and kinds of input."""
