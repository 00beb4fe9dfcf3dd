"""Rules: values of a mode's factors that exclude each other, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from adapters.instructions import NATIVE


class Rule(NamedTuple):
    """A rule that excludes some combinations of the values of some factors.

    Attributes:
        factors: the names of the factors.
        clash: a function of their values, in this order, that returns whether they exclude each other.
        reason: the reason, as users read it.
    """

    factors: tuple[str, ...]
    clash: Callable[..., bool]
    reason: str

    def excludes(self, values: Mapping[str, str]) -> bool:
        """Return whether the rule excludes these values, given by the name of their factor."""
        return self.clash(*(values[factor] for factor in self.factors))


ALONE = Rule(
    ("outputs", "derivative"),
    lambda outputs, derivative: outputs != "all" and derivative != "grad",
    "an output alone has no derivative",
)
ON_DEVICE = Rule(
    ("device", "isa"),
    lambda device, isa: device != "cpu" and isa != NATIVE,
    "what computes on another device is no instruction of the CPU",
)
RULES: Mapping[str, tuple[Rule, ...]] = {
    "numpy": (),
    "torch": (
        ALONE,
        ON_DEVICE,
        Rule(
            ("execution", "derivative"),
            lambda execution, derivative: execution in ("nograd", "inference") and derivative != "grad",
            "without autograd there is no derivative",
        ),
        Rule(
            ("execution", "derivative"),
            lambda execution, derivative: execution == "compile" and derivative == "jacfwd",
            "torch.compile does not trace vmap over jacfwd (2.13.0)",
        ),
        Rule(
            ("execution", "derivative"),
            lambda execution, derivative: execution == "compile" and derivative == "jvp",
            "torch.compile would unroll the loop over the weights",
        ),
        Rule(
            ("derivative", "convention"),
            lambda derivative, convention: derivative == "module" and convention != "rows",
            "torch.nn.Linear takes samples as rows",
        ),
        Rule(
            ("derivative", "closed"),
            lambda derivative, closed: derivative == "module" and closed != "",
            "torch.nn.Linear holds its weights and takes the rest as arguments",
        ),
        Rule(
            ("derivative", "form"),
            lambda derivative, form: derivative == "module" and form != "sigmoid",
            "torch.nn.Sigmoid is the framework's own",
        ),
    ),
    "jax": (
        ALONE,
        ON_DEVICE,
        Rule(
            ("execution", "batching"),
            lambda execution, batching: execution == "eager" and batching != "stacked",
            "maps and loops that are not jitted compile every operation of theirs, some again at each call",
        ),
        Rule(
            ("execution", "derivative"),
            lambda execution, derivative: execution == "eager" and derivative == "jvp",
            "its loop over the weights would be compiled again at every call",
        ),
        Rule(
            ("execution", "closed"),
            lambda execution, closed: execution == "donate" and closed == "closed_XyW",
            "no argument is left to be donated",
        ),
        Rule(
            ("batching", "device"),
            lambda batching, device: batching == "shardmap" and device != "cpu",
            "the devices that rows are spread over are the host's",
        ),
        Rule(
            ("batching", "derivative"),
            lambda batching, derivative: derivative == "jacfwd" and batching in ("stacked", "shardmap"),
            "a Jacobian of a stack crosses its networks; use vmap",
        ),
    ),
}
