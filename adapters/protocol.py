"""What an adapter is: one way of executing one framework, and what it says about itself.

X is ``[*stack, m, n]``, W ``[*stack, n, p]``, y and ŷ ``[*stack, m, p]``, the loss ``[*stack]``, ∂L/∂W
``[*stack, n, p]`` and the loss of each row ``[*stack, m]``. No adapter needs to import this module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from adapters.errors import AdapterError, one_line
from reference.arithmetic import KAPPA, Arithmetic, default_arithmetic
from reference.formats import FORMATS, Format
from reference.types import Array

if TYPE_CHECKING:  # a child process needs NumPy, ml_dtypes and its framework only
    from jaxtyping import Float

    Inputs = Float[Array, "*stack m n"]
    Labels = Float[Array, "*stack m p"]
    Weights = Float[Array, "*stack n p"]

Answer = TypeVar("Answer")

ABSENT: Any = object()
TRACED = ("z", "dL_dyhat", "dyhat_dz", "delta")


class Adapter(Protocol):
    """What users write: the members that every adapter has; `Description` lists the optional ones too.

    The suite calls a `crosscheck.evaluation.CheckedAdapter`, which has one of these and checks its results.

    Attributes:
        name: of this way of executing the framework, ``"torch-compile"``.
        framework: the package that is executed, ``"torch"``.
        version: of the framework, ``"2.13.0"``.
        dtypes: names of the dtypes that it evaluates.
    """

    # Properties, so that constants and frozen classes fit; the class docstring says what they are.
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def framework(self) -> str: ...  # noqa: D102
    @property
    def version(self) -> str: ...  # noqa: D102
    @property
    def dtypes(self) -> tuple[str, ...]: ...  # noqa: D102

    def evaluate(self, X: Inputs, y: Labels, W: Weights) -> Any:
        """ŷ, L and ∂L/∂W of a stack of problems, as NumPy arrays in the dtype that came in.

        Returns:
            A tuple (y_hat, loss, grad), a fourth being row_loss, or a mapping with these names; an output
            that this mode does not have is absent or None.

        Raises:
            NotImplementedError: this mode cannot do the cell, for the reason given.
        """


@dataclass(frozen=True)
class Description:
    """What an adapter says about itself, its optional members filled in.

    Attributes:
        name, framework, version, dtypes: as in `Adapter`.
        arithmetic: its claims by dtype; the default ones where it makes none.
        device: where it runs.
        threads: how many threads it computes with; None: it does not say.
        max_stack: the most problems that one call takes; None: any number.
        traces: it has ``trace(X, y, W)``, a mapping of any of `TRACED` to arrays ``[*stack, m, p]``.
    """

    name: str
    framework: str
    version: str
    dtypes: tuple[str, ...]
    arithmetic: Mapping[str, Arithmetic]
    device: str = "cpu"
    threads: int | None = None
    max_stack: int | None = None
    traces: bool = False

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The description that `dataclasses.asdict` wrote down, and JSON carried."""
        claims = {dtype: Arithmetic(**fields) for dtype, fields in plain["arithmetic"].items()}
        return cls(**{**plain, "dtypes": tuple(plain["dtypes"]), "arithmetic": claims})


def describe(adapter: Any) -> Description:
    """What the adapter says about itself.

    Raises:
        AdapterError: a member is missing, raises, or is not what the contract says.
    """
    wanted = ("name", "framework", "version", "dtypes", "evaluate")
    missing = [member for member in wanted if _member(adapter, member, ABSENT) is ABSENT]
    if missing:
        raise AdapterError(f"{_display_name(adapter)} is no adapter: it has no {', '.join(missing)}")
    dtypes = _dtypes(adapter)
    return Description(
        name=_text(adapter, "name"),
        framework=_text(adapter, "framework"),
        version=_text(adapter, "version"),
        dtypes=dtypes,
        arithmetic={dtype: _claims(adapter, FORMATS[dtype]) for dtype in dtypes},
        device=_text(adapter, "device", "cpu"),
        threads=_positive(adapter, "threads"),
        max_stack=_positive(adapter, "max_stack"),
        traces=callable(_member(adapter, "trace")),
    )


def _display_name(adapter: Any) -> str:
    """Its name, if that is fit to be shown."""
    try:
        name = str(getattr(adapter, "name", ""))
    except Exception:  # noqa: BLE001, the boundary to foreign code; `describe` asks again, and tells
        name = ""
    return name if _is_printable(name) else f"an object of type {type(adapter).__name__}"


def _is_printable(text: str) -> bool:
    """Whether a text is printable, on one line and not blank."""
    return bool(text.strip()) and text.isprintable()


def _guarded(adapter: Any, what: str, question: Callable[[], Answer]) -> Answer:
    """The adapter's own answer; what it raises is an `AdapterError`."""
    try:
        return question()
    except Exception as error:  # the boundary to foreign code
        raised = f"{what} raised {type(error).__name__}: {one_line(error)}"
        raise AdapterError(f"{_display_name(adapter)}: {raised}") from error


def _member(adapter: Any, member: str, absent: Any = None) -> Any:
    return _guarded(adapter, member, lambda: getattr(adapter, member, absent))


def _text(adapter: Any, member: str, absent: str = "") -> str:
    """The member as text that can stand in a line."""
    text = _guarded(adapter, member, lambda: str(getattr(adapter, member, absent)))
    if not _is_printable(text):
        raise AdapterError(f"{_display_name(adapter)}: {member} is {text!r}, want printable text on one line")
    return text


def _dtypes(adapter: Any) -> tuple[str, ...]:
    """The names of the formats that it evaluates, at least one."""
    dtypes = _guarded(adapter, "dtypes", lambda: tuple(adapter.dtypes))
    unknown = [dtype for dtype in dtypes if not isinstance(dtype, str) or dtype not in FORMATS]
    if unknown or not dtypes:
        stated = ", ".join(map(repr, unknown)) or "none"
        raise AdapterError(
            f"{_display_name(adapter)} states dtypes: {stated}; the suite has {', '.join(FORMATS)}"
        )
    return dtypes


def _positive(adapter: Any, member: str) -> int | None:
    """The optional member, None or a number of at least 1."""
    value = _member(adapter, member)
    if value is not None and (not isinstance(value, int) or value < 1):
        raise AdapterError(f"{_display_name(adapter)}: {member} is {value!r}, want None or an integer from 1")
    return value


def _claims(adapter: Any, format: Format) -> Arithmetic:
    """The adapter's claims for one format: an `Arithmetic`, a mapping of its fields, or nothing."""
    ask, what = _member(adapter, "arithmetic"), f"arithmetic({format.name!r})"
    stated = None if ask is None else _guarded(adapter, what, lambda: ask(format.name))
    if stated is None:
        return default_arithmetic(format)
    if isinstance(stated, Arithmetic):
        return stated
    try:
        return Arithmetic(**{"kappa": KAPPA[format.name], **stated})
    except (TypeError, ValueError) as error:
        raise AdapterError(f"{_display_name(adapter)}: {what} is not understood: {error}") from None
