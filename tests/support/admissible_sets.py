"""Claims of every kind, small problems, and the admissible sets of one under the other."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from reference import bounds
from reference.admissible import AdmissibleSet
from reference.arithmetic import KAPPA, Arithmetic
from reference.formats import FORMATS
from reference.types import Problem

WIDE: Final[dict[str, Any]] = {"u_acc": 2.0**-24, "u_sum": 2.0**-24}
CLAIMS: Final[dict[str, dict[str, Any]]] = {
    "default": {},
    "exact-logistic": {"kappa": 1.0},
    "flush": {"flush": True},
    "wide": WIDE,
    "expanded": {"expanded": True},
    "forward": {"forward": True},
    "rescaled-mean": {"rescaled_mean": True, "expanded": True},
    "rescaled-mean-wide": {"rescaled_mean": True, **WIDE},
    "tf32": {"u_in": 2.0**-11},
}


def arithmetic(dtype: str, **claims: Any) -> Arithmetic:
    """Make claims about a dtype; its κ is the reference's unless another is claimed."""
    return Arithmetic(**{"kappa": KAPPA[dtype], **claims})


def problem(X: object, y: object, W: object, dtype: str = "float32") -> Problem:
    """Make a problem from nested lists or arrays of any dtype."""
    return Problem(*(np.array(array, FORMATS[dtype].dtype) for array in (X, y, W)))


def sets(given: Problem, **claims: Any) -> dict[str, AdmissibleSet]:
    """Compute the admissible sets of a problem in its own dtype, by quantity."""
    dtype = given.X.dtype.name
    return bounds.admissible(given, FORMATS[dtype], arithmetic(dtype, **claims))
