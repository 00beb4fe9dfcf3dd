"""Modes: the ways to execute the network, as combinations of a few factors; no framework is imported here.

A mode is named by its framework and by what differs from that framework's plainest way, in the order of
the factors: ``jax-jit-vmap``, ``torch-compile-row_loss-closed_W-columns-2threads``. The first value of a
factor is the plain one, and is not written.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from adapters.errors import AdapterError
from adapters.instructions import LEVELS, NATIVE
from adapters.rules import RULES

# X, y and W are arguments, or constants that the function closes over, in every combination.
CLOSED = ("", *(f"closed_{''.join(c)}" for k in (1, 2, 3) for c in itertools.combinations("XyW", k)))
# The logistic as the framework has it; as (10.2) prints it; by the hyperbolic tangent.
FORMS = ("sigmoid", "literal", "tanh")
# Samples are the rows of X, z = X·W; its columns, z = Wᵀ·X; or they lie in rows and are multiplied as
# columns.
CONVENTIONS = ("rows", "columns", "vectors")
OUTPUTS = ("all", "y_hat", "loss", "row_loss")

Factors = Mapping[str, tuple[str, ...]]

# What each factor is about:
#   execution   how the framework runs the function
#   batching    how the stack and its rows reach the function
#   derivative  how ∂L/∂W is asked for
#   form        how the logistic is written
#   outputs     everything together, or one of them computed alone
#   closed      which arrays are constants to the function
#   convention  how the samples lie in X, and how they are multiplied
#   matmul, logistic, algorithms    the switches for accuracy that the framework offers
#   device      where it runs
#   threads     how many the process computes with
#   isa         up to which instruction set of x86-64 it may go (`adapters.instructions`)
ISA = (NATIVE, *LEVELS)
FACTORS: Mapping[str, Factors] = {
    "numpy": {"threads": ("1thread", "2threads"), "isa": ISA},
    "torch": {
        "execution": ("eager", "compile", "nograd", "inference"),
        "derivative": ("grad", "backward", "module", "func", "jacfwd", "jvp", "checkpoint"),
        "form": FORMS,
        "outputs": OUTPUTS,
        "closed": CLOSED,
        "convention": CONVENTIONS,
        "matmul": ("matmul_default", "matmul_high", "matmul_medium"),
        "algorithms": ("any", "deterministic"),
        "device": ("cpu", "cuda"),
        "threads": ("1thread", "2threads"),
        "isa": ISA,
    },
    "jax": {
        "execution": ("eager", "jit", "donate"),
        "batching": ("stacked", "vmap", "rowvmap", "map", "scan", "shardmap"),
        "derivative": ("grad", "jacfwd", "jvp", "linearize", "checkpoint"),
        "form": FORMS,
        "outputs": OUTPUTS,
        "closed": CLOSED,
        "convention": CONVENTIONS,
        "matmul": ("matmul_default", "matmul_high", "matmul_highest"),
        "logistic": ("logistic_default", "logistic_highest"),
        "device": ("cpu", "gpu"),
        "threads": ("1thread", "2threads"),
        "isa": ISA,
    },
}
FORWARD_MODES = ("jacfwd", "jvp", "linearize")
DEVICES = 2  # of the host, where `shardmap` spreads the rows


@dataclass(frozen=True)
class Mode:
    """One way to execute the network in one framework.

    Attributes:
        framework: a key of `FACTORS`.
        values: the value of each factor of that framework, in their order.
    """

    framework: str
    values: tuple[str, ...]

    def __getitem__(self, factor: str) -> str:
        """The value of a factor; the plain one where the framework has no such factor."""
        return self.as_dict.get(factor, "")

    @property
    def as_dict(self) -> Mapping[str, str]:
        """The values by factor."""
        return MappingProxyType(dict(zip(FACTORS[self.framework], self.values, strict=True)))

    @property
    def name(self) -> str:
        """The framework, and the values that are not plain."""
        pairs = zip(FACTORS[self.framework].values(), self.values, strict=True)
        return "-".join([self.framework, *(value for known, value in pairs if value != known[0])])

    @property
    def closed(self) -> str:
        """The arrays that are constants: some of the letters X, y and W."""
        return self["closed"].removeprefix("closed_")

    @property
    def alone(self) -> str | None:
        """The one output that is computed; None: all that the mode has."""
        return None if self["outputs"] in ("all", "") else self["outputs"]

    @property
    def has_gradient(self) -> bool:
        """Whether ∂L/∂W is among its outputs."""
        return self.alone is None and self["execution"] not in ("nograd", "inference")

    @property
    def is_hazard(self) -> bool:
        """Whether it writes the logistic in a form that is expected to leave the admissible set."""
        return self["form"] in ("literal", "tanh")

    @property
    def compiles(self) -> bool:
        """Whether the whole function becomes a program, which arrays that are constants are a part of."""
        return self["execution"] in ("compile", "jit", "donate")

    @property
    def compiles_values(self) -> bool:
        """Whether its program holds values of the input, so that other values are another program."""
        return self.compiles and self.closed != ""

    @property
    def threads(self) -> int:
        """How many threads its process computes with."""
        return 2 if self["threads"] == "2threads" else 1

    @property
    def isa(self) -> str:
        """The instruction set that its process is held to; ``native``: to none."""
        return self["isa"]

    @property
    def devices(self) -> int:
        """How many devices of the host its process needs."""
        return DEVICES if self["batching"] == "shardmap" else 1


def plain(framework: str, **values: str) -> Mode:
    """The framework's plainest mode, but for the values given."""
    factors = FACTORS[framework]
    return Mode(framework, tuple(values.get(factor, known[0]) for factor, known in factors.items()))


def parse(name: str) -> Mode:
    """The mode of that name.

    Raises:
        AdapterError: there is no such mode; the message names the nearest or says why it cannot be.
    """
    framework, *tokens = name.split("-")
    if framework not in FACTORS:
        raise AdapterError(f"no framework is called {framework!r}; known: {', '.join(FACTORS)}")
    factors = FACTORS[framework]
    values = {factor: token for token in tokens for factor, known in factors.items() if token in known[1:]}
    mode = plain(framework, **values)
    known = [token for values in factors.values() for token in values[1:]]
    if unknown := [token for token in tokens if token not in known]:
        close = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise AdapterError(f"{name!r}: unknown {unknown[0]!r}; {hint}known: {', '.join(known)}")
    if reason := impossible(mode):
        raise AdapterError(f"{name!r} is no mode: {reason}")
    if mode.name != name:
        raise AdapterError(f"{name!r} is no name of a mode; did you mean {mode.name!r}?")
    return mode


def impossible(mode: Mode) -> str | None:
    """Why the combination means nothing; None if it means something."""
    return next((rule.reason for rule in RULES[mode.framework] if rule.excludes(mode.as_dict)), None)
