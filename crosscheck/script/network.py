"""The source of the network's forward pass, which is the same for both frameworks except for names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.modes import Mode

NAMES = ("z", "y_hat", "terms", "loss", "row_loss")


@dataclass(frozen=True)
class Sketch:
    """A description of the computation in a script.

    Attributes:
        mode: the mode, which says how the network is executed.
        output: the output that is wrong.
        depth: the number of stack axes.
        shape: ``(*stack, m, n, p)``.
        lean: whether the script computes only what the output needs.
    """

    mode: Mode
    output: str
    shape: tuple[int, ...]
    lean: bool = False

    @property
    def depth(self) -> int:
        """The number of stack axes."""
        return len(self.shape) - 3

    @property
    def has_gradient(self) -> bool:
        """Whether the script computes a derivative."""
        return self.mode.has_gradient and not (self.lean and self.output != "grad")

    @property
    def alone(self) -> str | None:
        """The name of the only output that is computed, if there is only one and it is not the gradient."""
        return self.output if self.lean and self.output != "grad" else self.mode.alone

    @property
    def used(self) -> str:
        """The names of the used arrays; ŷ alone needs no labels, unless rows are mapped with their labels."""
        return "XW" if self.alone == "y_hat" and not self.by_rows else "XyW"

    @property
    def by_rows(self) -> bool:
        """Whether the mode evaluates parts of the network's rows, which always return all outputs."""
        return self.mode["batching"] not in ("", "stacked", "vmap")

    @property
    def arguments(self) -> str:
        """The names of the used arrays that are arguments, separated by commas."""
        return ", ".join(name for name in self.used if name not in self.mode.closed)

    @property
    def constants(self) -> str:
        """A comment that names the used arrays that are constants; empty if there are none."""
        names = [name for name in self.used if name in self.mode.closed]
        words = " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""
        return f"  # {words} {'is a constant' if len(names) == 1 else 'are constants'}" if names else ""


def forward(mode: Mode, logistic: str, parts: Sequence[str]) -> list[str]:
    """Write the body of a function of X, y and W that returns these parts, some of `NAMES`.

    Args:
        mode: the mode whose convention the function follows.
        logistic: the expression of the logistic, which contains the name z or ``{}`` in its place.
        parts: the names of the returned values, in this order.
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
    """Write the lines that compute ŷ from z; z has a line of its own if its name is needed."""
    if named or "{}" not in logistic:
        return [f"z = {z}", f"y_hat = {logistic.format('z')}"]
    return [f"y_hat = {logistic.format(z)}"]


def function(name: str, arguments: str, body: Sequence[str], *, comment: str = "") -> list[str]:
    """Write the lines of a function."""
    return [f"def {name}({arguments}):{comment}", *(f"    {line}" for line in body), ""]
