"""JAX: its own logistic forward, its own autodiff backward, in every mode that it has.

``import jax`` is absolute and finds the framework, not this package, as long as nothing puts ``adapters/``
itself on the path.
"""

from adapters.jax.adapter import adapter

__all__ = ["adapter"]
