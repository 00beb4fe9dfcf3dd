"""The network's forward pass as source, the same in both frameworks but for their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.modes import Mode

NAMES = ("z", "y_hat", "terms", "loss", "row_loss")


@dataclass(frozen=True)
class Sketch:
    """What a script computes.

    Attributes:
        mode: how.
        output: the output that is wrong.
        depth: how many stack axes there are.
        shape: ``(*stack, m, n, p)``.
        lean: nothing else is computed than what the output needs.
    """

    mode: Mode
    output: str
    shape: tuple[int, ...]
    lean: bool = False

    @property
    def depth(self) -> int:
        """How many stack axes there are."""
        return len(self.shape) - 3

    @property
    def has_gradient(self) -> bool:
        """Whether the script differentiates."""
        return self.mode.has_gradient and not (self.lean and self.output != "grad")

    @property
    def alone(self) -> str | None:
        """The one output that is computed, if it is one without a derivative."""
        return self.output if self.lean and self.output != "grad" else self.mode.alone

    @property
    def used(self) -> str:
        """The arrays that are used: ŷ alone needs no labels, unless rows are mapped with theirs."""
        return "XW" if self.alone == "y_hat" and not self.by_rows else "XyW"

    @property
    def by_rows(self) -> bool:
        """Whether the network is given in parts, which always have all outputs."""
        return self.mode["batching"] not in ("", "stacked", "vmap")

    @property
    def arguments(self) -> str:
        """Those that are arguments, as they stand in a call."""
        return ", ".join(name for name in self.used if name not in self.mode.closed)

    @property
    def constants(self) -> str:
        """A comment on those that are constants; empty without any."""
        names = [name for name in self.used if name in self.mode.closed]
        words = " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""
        return f"  # {words} {'is a constant' if len(names) == 1 else 'are constants'}" if names else ""


def forward(mode: Mode, logistic: str, parts: Sequence[str]) -> list[str]:
    """The body of a function of X, y and W that returns these parts, some of `NAMES`.

    Args:
        mode: whose convention it follows.
        logistic: of z, by that name or with ``{}`` for it.
        parts: what it returns, in this order.
    """
    turned = mode["convention"] == "vectors"
    z = "X @ W" if mode["convention"] == "rows" else f"W.mT @ X{'.mT' * turned}"
    back, samples = ".mT" * turned, -1 if mode["convention"] == "rows" else -2
    lines = logistic_of(z, logistic, named="z" in parts)
    if set(parts) & {"terms", "loss", "row_loss"}:
        lines.append(f"terms = 0.5 * (y{back} - y_hat) ** 2")
    returned = {
        "z": f"z{back}",
        "y_hat": f"y_hat{back}",
        "terms": f"terms{back}",
        "loss": "terms.sum((-2, -1))",
        "row_loss": f"terms.sum({samples})",
    }
    return [*lines, f"return {', '.join(returned[part] for part in parts)}"]


def logistic_of(z: str, logistic: str, *, named: bool = False) -> list[str]:
    """The lines that make ŷ of z, which gets a line of its own where it is needed by name."""
    if named or "{}" not in logistic:
        return [f"z = {z}", f"y_hat = {logistic.format('z')}"]
    return [f"y_hat = {logistic.format(z)}"]


def function(name: str, arguments: str, body: Sequence[str], *, comment: str = "") -> list[str]:
    """The lines of a function."""
    return [f"def {name}({arguments}):{comment}", *(f"    {line}" for line in body), ""]
