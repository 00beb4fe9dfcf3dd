"""A planted fault as data: the adapter, what is wrong with it, and what a checker should say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Evaluate = Callable[[Array, Array, Array], Any]

EVERY: Final = ("float64", "float32", "float16", "bfloat16")
WIDE: Final = ("float64", "float32")
# What a message may name: the beginning of an equation, as the document numbers it, or a broken contract.
Z: Final = "(10.3)"
SIGMA: Final = "(10.2)"
Y_HAT: Final = "(10.1"
LOSS: Final = "L = ½"
RESIDUAL: Final = "(13)"
SLOPE: Final = "(14–16)"
DELTA: Final = "(17, 20)"
GRAD: Final = "(18–19)"
LAYOUT: Final = "layout of memory"
CONTRACT: Final = "contract"
FORWARD: Final = (Z, SIGMA, Y_HAT)
BACKWARD: Final = (RESIDUAL, SLOPE, DELTA, GRAD)
ANY: Final = (*FORWARD, LOSS, *BACKWARD)
# Checks that may catch a fault.
BOUNDS: Final = "output outside its set"
REPEAT: Final = "contract: repeatability"
STATE: Final = "contract: state"
THREADS: Final = "contract: several threads"
INPUTS: Final = "contract: inputs unchanged"
LAYOUTS: Final = "contract: layouts"
EMPTY: Final = "contract: axes of length 0"
FORM: Final = "contract: dtype, shape and type"
REFUSAL: Final = "refusals are no pass"
SWEEP: Final = "exhaustive sweep"
# Where a fault shows, unless it says another case; a case is text, with {} for the dtype.
COMMON: Final = ("ordinary:0:64x7x3x2:contiguous:{}",)


@dataclass(frozen=True)
class Fault:
    """A faulty adapter; `healthy.py` has healthy ones in the same form.

    Attributes:
        name: an identifier, ``tests.planted_faults:name`` to ``--adapter``.
        what: a sentence on what it does.
        make: makes the function ``(X, y, W) -> outputs``, with a state of its own.
        names: the equations and contracts that a message may name.
        check: the check that is meant to catch it.
        dtypes: the dtypes that it evaluates.
        witness: cases that one adapter evaluates in order; the last one shows the fault.
        reference: a public report of such a fault in a real program.
        undetectable: why no checker of results can detect it; empty if one can.
        claims: what the adapter claims about its arithmetic, in every dtype.
        members: other members of the adapter.
        family: the family, which is the name of its module.
    """

    name: str
    what: str
    make: Callable[[], Evaluate]
    names: tuple[str, ...] = ()
    check: str = BOUNDS
    dtypes: tuple[str, ...] = WIDE
    witness: tuple[str, ...] = COMMON
    reference: str | None = None
    undetectable: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict)
    members: Mapping[str, Any] = field(default_factory=dict)
    family: str = ""

    def cases(self) -> list[str]:
        """The cases of the witness, in the first dtype."""
        return [text.format(self.dtypes[0]) for text in self.witness]

    def adapter(self) -> Planted:
        """A new adapter."""
        return Planted(self)


class Planted:
    """The adapter of a fault."""

    framework = "planted"
    version = "1.0"

    def __init__(self, fault: Fault) -> None:
        self.name, self.dtypes, self._claims = f"planted-{fault.name}", fault.dtypes, fault.claims
        self._evaluate = fault.make()
        for name, value in fault.members.items():
            setattr(self, name, value)

    def arithmetic(self, dtype: str) -> dict[str, Any]:
        """What it claims about its arithmetic."""
        del dtype
        return dict(self._claims)

    def evaluate(self, X: Array, y: Array, W: Array) -> Any:
        """Its outputs, or whatever it takes for them."""
        with np.errstate(all="ignore"):
            return self._evaluate(X, y, W)
