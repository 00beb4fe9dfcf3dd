"""An adapter that uses what its framework has deprecated."""

from __future__ import annotations

import warnings

from adapters.closed_form import closed_form
from reference.types import Array, Outputs


def planted_old_name() -> None:
    """A function that its framework will remove."""
    message = "planted_old_name is deprecated; use planted_name"
    warnings.warn(message, DeprecationWarning, stacklevel=2)


class Outdated:
    """Right, for as long as its framework keeps the old name."""

    name, framework, version, dtypes = "outdated", "numpy", "0", ("float32",)

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """The closed form's outputs."""
        planted_old_name()
        return closed_form.evaluate(X, y, W)
