"""JAX: its own logistic forward, its own autodiff backward, in every mode that it has.

``import jax`` is absolute and finds the framework, not this package, as long as the path does not contain the
folder ``adapters/`` itself.
"""

from adapters.jax.adapter import adapter

__all__ = ["adapter"]
