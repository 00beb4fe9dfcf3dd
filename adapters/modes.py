"""Modes: the ways to execute the network; no framework is imported here.

A *factor* is one choice, such as how the derivative is computed, and a mode has a value for each factor.

A mode is named by its framework and by what differs from that framework's plainest way, in the order of
the factors: ``jax-jit-vmap``, ``torch-compile-row_loss-closed_W-columns-2threads``. The first value of a
factor is the plain one, and is not written.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final, NamedTuple

from adapters.errors import AdapterError
from adapters.instructions import LEVELS, NATIVE

# X, y and W are arguments of the function, or constants that it closes over, in every combination.
CLOSED = ("", *(f"closed_{''.join(c)}" for k in (1, 2, 3) for c in itertools.combinations("XyW", k)))
# How the logistic is written: the framework's own; as (10.2) prints it; by the hyperbolic tangent.
FORMS = ("sigmoid", "literal", "tanh")
# The samples are the rows of X, z = X·W; or its columns, z = Wᵀ·X; or the rows of X, which the function
# transposes and multiplies as columns.
CONVENTIONS = ("rows", "columns", "vectors")
OUTPUTS = ("all", "y_hat", "loss", "row_loss")
# Results are new arrays; or they are written into memory that is given, in other orders.
RESULTS = ("returned", "out")

FactorValues = Mapping[str, tuple[str, ...]]

# The meaning of each factor:
#   execution   how the framework runs the function
#   batching    how the stack and its rows are passed to the function
#   derivative  the function of the framework that computes ∂L/∂W
#   form        how the logistic is written
#   outputs     all outputs together, or one of them computed alone
#   closed      which arrays are constants of the function
#   convention  whether samples are rows or columns of X, and how they are multiplied
#   product     how z is multiplied: by the operator, or by addmm, which beta = 0 has ignore its bias of NaN
#   results     whether results are new arrays, or are written into given memory
#   matmul, logistic, algorithms    the switches for accuracy that the framework offers
#   device      the device that computes
#   threads     how many threads the process computes with
#   isa         the x86-64 instruction set that the process is limited to (`adapters.instructions`)
ISA = (NATIVE, *LEVELS)
FACTORS: Mapping[str, FactorValues] = {
    "numpy": {"results": RESULTS, "threads": ("1thread", "2threads"), "isa": ISA},
    "torch": {
        "execution": ("eager", "compile", "nograd", "inference"),
        "derivative": ("grad", "backward", "module", "func", "jacfwd", "jvp", "checkpoint"),
        "form": FORMS,
        "outputs": OUTPUTS,
        "closed": CLOSED,
        "convention": CONVENTIONS,
        "product": ("operator", "addmm"),
        "results": RESULTS,
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
DEVICES = 2  # devices of the host over which `shardmap` spreads the rows


# The plain value of each factor, which is the same in every framework that has the factor.
PLAIN: Final = {factor: known[0] for factors in FACTORS.values() for factor, known in factors.items()}
OTHER: Final = ("any value but the plain one",)  # in a rule


class Rule(NamedTuple):
    """A rule that excludes some combinations of the values of some factors.

    Attributes:
        reason: the reason, as users read it.
        clash: the values that exclude each other, by name of the factor; `OTHER`: all but the plain one.
    """

    reason: str
    clash: Mapping[str, tuple[str, ...]]

    def excludes(self, values: Mapping[str, str]) -> bool:
        """Return whether the rule excludes these values, given by the name of their factor."""
        return all(
            values[factor] != PLAIN[factor] if clashing is OTHER else values[factor] in clashing
            for factor, clashing in self.clash.items()
        )


ALONE: Final = Rule("an output alone has no derivative", {"outputs": OTHER, "derivative": OTHER})
ON_DEVICE: Final = Rule(
    "what computes on another device is no instruction of the CPU", {"device": OTHER, "isa": OTHER}
)
RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "numpy": (),
    "torch": (
        ALONE,
        ON_DEVICE,
        Rule(
            "without autograd there is no derivative",
            {"execution": ("nograd", "inference"), "derivative": OTHER},
        ),
        Rule(
            "torch.compile does not trace vmap over jacfwd (2.13.0)",
            {"execution": ("compile",), "derivative": ("jacfwd",)},
        ),
        Rule(
            "torch.compile would unroll the loop over the weights",
            {"execution": ("compile",), "derivative": ("jvp",)},
        ),
        Rule(
            "torch.nn.Linear takes samples as rows",
            {"derivative": ("module",), "convention": OTHER},
        ),
        Rule(
            "torch.nn.Linear holds its weights and takes the rest as arguments",
            {"derivative": ("module",), "closed": OTHER},
        ),
        Rule(
            "torch.nn.Sigmoid is the framework's own",
            {"derivative": ("module",), "form": OTHER},
        ),
        Rule(
            "torch.nn.Linear chooses its own product",
            {"derivative": ("module",), "product": OTHER},
        ),
        Rule(
            "out= has no autograd: it takes nograd or inference",
            {"execution": ("eager", "compile"), "results": OTHER},
        ),
        Rule(
            "a logistic written by hand makes new arrays as it goes",
            {"form": OTHER, "results": OTHER},
        ),
    ),
    "jax": (
        ALONE,
        ON_DEVICE,
        Rule(
            "maps and loops that are not jitted compile every operation of theirs, some again at each call",
            {"execution": ("eager",), "batching": OTHER},
        ),
        Rule(
            "its loop over the weights would be compiled again at every call",
            {"execution": ("eager",), "derivative": ("jvp",)},
        ),
        Rule(
            "no argument is left to be donated",
            {"execution": ("donate",), "closed": ("closed_XyW",)},
        ),
        Rule(
            "the devices that rows are spread over are the host's",
            {"batching": ("shardmap",), "device": OTHER},
        ),
        Rule(
            "a Jacobian of a stack crosses its networks; use vmap",
            {"batching": ("shardmap",), "derivative": ("jacfwd",)},
        ),
        Rule(
            "without vmap it takes one network after another, and constants would need a program for each",
            {"batching": ("stacked",), "derivative": ("jacfwd",), "closed": OTHER},
        ),
    ),
}


@dataclass(frozen=True)
class Mode:
    """One way to execute the network in one framework.

    Attributes:
        framework: a key of `FACTORS`.
        values: the value of each factor of that framework, in the order of its factors.
    """

    framework: str
    values: tuple[str, ...]

    def __getitem__(self, factor: str) -> str:
        """Return the value of a factor; an empty text if the framework has no such factor."""
        return self.as_dict.get(factor, "")

    @property
    def as_dict(self) -> Mapping[str, str]:
        """The values, by the name of their factor."""
        return MappingProxyType(dict(zip(FACTORS[self.framework], self.values, strict=True)))

    @property
    def name(self) -> str:
        """The framework and the values that are not plain, joined by hyphens."""
        pairs = zip(FACTORS[self.framework].values(), self.values, strict=True)
        return "-".join([self.framework, *(value for known, value in pairs if value != known[0])])

    @property
    def closed(self) -> str:
        """The names of the arrays that are constants: some of the letters X, y and W."""
        return self["closed"].removeprefix("closed_")

    @property
    def alone(self) -> str | None:
        """The only output that the mode computes; None if it computes all its outputs."""
        return None if self["outputs"] in ("all", "") else self["outputs"]

    @property
    def has_gradient(self) -> bool:
        """Whether the mode returns ∂L/∂W."""
        return self.alone is None and self["execution"] not in ("nograd", "inference")

    @property
    def is_hazard(self) -> bool:
        """Whether the mode writes the logistic in a form that is expected to leave the admissible set."""
        return self["form"] in ("literal", "tanh")

    @property
    def by_network(self) -> bool:
        """Whether the networks of a stack are evaluated one after another, each without a stack axis."""
        jacobian = self["batching"] == "stacked" and self["derivative"] == "jacfwd"
        return jacobian or self["derivative"] == "module"

    @property
    def compiles(self) -> bool:
        """Whether the whole function is compiled to a program, with its constants as a part of it."""
        return self["execution"] in ("compile", "jit", "donate")

    @property
    def compiles_values(self) -> bool:
        """Whether the program contains values of the input, so that other values need another program."""
        return self.compiles and self.closed != ""

    @property
    def threads(self) -> int:
        """How many threads the process of the mode computes with."""
        return 2 if self["threads"] == "2threads" else 1

    @property
    def isa(self) -> str:
        """The instruction set that the process of the mode is limited to; ``native`` means no limit."""
        return self["isa"]

    @property
    def devices(self) -> int:
        """How many devices of the host the process of the mode needs."""
        return DEVICES if self["batching"] == "shardmap" else 1


def plain(framework: str, **values: str) -> Mode:
    """Return the framework's plain mode, with the given values of some factors in place of the plain ones."""
    factors = FACTORS[framework]
    return Mode(framework, tuple(values.get(factor, known[0]) for factor, known in factors.items()))


@cache
def parse(name: str) -> Mode:
    """Return the mode with that name.

    Raises:
        AdapterError: there is no such mode; the message suggests a name or says what excludes the mode.
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
    """Return the reason why the mode's values exclude each other; None if they do not."""
    return next((rule.reason for rule in RULES[mode.framework] if rule.excludes(mode.as_dict)), None)
