"""The contract of an adapter: its members, and the names, types, shapes and dtypes of its results.

X is ``[*stack, m, n]``, W ``[*stack, n, p]``, y and ŷ ``[*stack, m, p]``, the loss ``[*stack]``, ∂L/∂W
``[*stack, n, p]`` and the loss of each row ``[*stack, m]``. No adapter needs to import this module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

import numpy as np

from adapters.errors import AdapterError, AdapterMisbehaved, one_line
from reference.arithmetic import KAPPA, Arithmetic, default_arithmetic
from reference.formats import FORMATS, Format
from reference.types import Array, Outputs, Problem

if TYPE_CHECKING:  # a child process needs NumPy, ml_dtypes and its framework only
    from jaxtyping import Float

    Inputs = Float[Array, "*stack m n"]
    Labels = Float[Array, "*stack m p"]
    Weights = Float[Array, "*stack n p"]

Result = TypeVar("Result")

ABSENT: Any = object()
TRACED = ("z", "dL_dyhat", "dyhat_dz", "delta")


class Adapter(Protocol):
    """The members that a user writes and every adapter has; `Description` lists the optional ones too.

    The suite wraps each adapter in a `crosscheck.judging.evaluation.CheckedAdapter`, which checks what it
    returns.

    Attributes:
        name: the name of this way of executing the framework, ``"torch-compile"``.
        framework: the package that is executed, ``"torch"``.
        version: the version of the framework, ``"2.13.0"``.
        dtypes: the names of the dtypes that it evaluates.
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
        """Return ŷ, L and ∂L/∂W of a stack of problems, as NumPy arrays in the dtype of the inputs.

        Returns:
            A tuple (y_hat, loss, grad) or (y_hat, loss, grad, row_loss), or a mapping with these names; an
            output that this mode does not have is absent or None.

        Raises:
            NotImplementedError: this mode cannot evaluate inputs like these, for the reason given.
        """


@dataclass(frozen=True)
class Description:
    """The members of an adapter except its methods, with defaults for the optional ones that it lacks.

    Attributes:
        name, framework, version, dtypes: as in `Adapter`.
        arithmetic: the adapter's claims by dtype; the default claims if it makes none.
        device: the device that it computes on.
        threads: how many threads it computes with; None if it does not say.
        max_stack: the greatest number of problems that one call takes; None for any number.
        max_callers: the greatest number of threads that may call it at once; None for any number.
        traces: whether it has ``trace(X, y, W)``, which maps any names of `TRACED` to ``[*stack, m, p]``.
    """

    name: str
    framework: str
    version: str
    dtypes: tuple[str, ...]
    arithmetic: Mapping[str, Arithmetic]
    device: str = "cpu"
    threads: int | None = None
    max_stack: int | None = None
    max_callers: int | None = None
    traces: bool = False

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild a description from the dictionary of `dataclasses.asdict`, after it went through JSON."""
        claims = {dtype: Arithmetic(**fields) for dtype, fields in plain["arithmetic"].items()}
        return cls(**{**plain, "dtypes": tuple(plain["dtypes"]), "arithmetic": claims})


def describe(adapter: Any) -> Description:
    """Read the adapter's members and return them as a description.

    Raises:
        AdapterError: a member is missing, raises, or does not meet the contract.
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
        max_callers=_positive(adapter, "max_callers"),
        traces=callable(_member(adapter, "trace")),
    )


def _display_name(adapter: Any) -> str:
    """Return the adapter's name if it is printable, otherwise a phrase with its type."""
    try:
        name = str(getattr(adapter, "name", ""))
    except Exception:  # noqa: BLE001, the boundary to foreign code; `describe` reports it
        name = ""
    return name if _is_printable(name) else f"an object of type {type(adapter).__name__}"


def _is_printable(text: str) -> bool:
    """Whether a text is printable, on one line and not blank."""
    return bool(text.strip()) and text.isprintable()


def _guarded(adapter: Any, what: str, question: Callable[[], Result]) -> Result:
    """Return what `question` returns, and turn any exception of the adapter into an `AdapterError`."""
    try:
        return question()
    except Exception as error:  # the boundary to foreign code
        raised = f"{what} raised {type(error).__name__}: {one_line(error)}"
        raise AdapterError(f"{_display_name(adapter)}: {raised}") from error


def _member(adapter: Any, member: str, absent: Any = None) -> Any:
    return _guarded(adapter, member, lambda: getattr(adapter, member, absent))


def _text(adapter: Any, member: str, absent: str = "") -> str:
    """Return the member as printable text on one line."""
    text = _guarded(adapter, member, lambda: str(getattr(adapter, member, absent)))
    if not _is_printable(text):
        raise AdapterError(f"{_display_name(adapter)}: {member} is {text!r}, want printable text on one line")
    return text


def _dtypes(adapter: Any) -> tuple[str, ...]:
    """Return the names of the dtypes that the adapter evaluates: at least one, each known to the suite."""
    dtypes = _guarded(adapter, "dtypes", lambda: tuple(adapter.dtypes))
    unknown = [dtype for dtype in dtypes if not isinstance(dtype, str) or dtype not in FORMATS]
    if unknown or not dtypes:
        stated = ", ".join(map(repr, unknown)) or "none"
        raise AdapterError(
            f"{_display_name(adapter)} states dtypes: {stated}; the suite has {', '.join(FORMATS)}"
        )
    return dtypes


def _positive(adapter: Any, member: str) -> int | None:
    """Return the optional member: None or an integer of at least 1."""
    value = _member(adapter, member)
    if value is not None and (not isinstance(value, int) or value < 1):
        raise AdapterError(f"{_display_name(adapter)}: {member} is {value!r}, want None or an integer from 1")
    return value


def _claims(adapter: Any, format: Format) -> Arithmetic:
    """Return the adapter's claims for one format, which it states as an `Arithmetic`, its fields, or None."""
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


def shapes(problem: Problem) -> dict[str, tuple[int, ...]]:
    """Return the shape that each output of the problem must have."""
    stack, (m, n), p = problem.X.shape[:-2], problem.X.shape[-2:], problem.W.shape[-1]
    return {"y_hat": (*stack, m, p), "loss": stack, "grad": (*stack, n, p), "row_loss": (*stack, m)}


def outputs_of(adapter: str, result: Any, problem: Problem) -> Outputs:
    """Return the result of `evaluate` as `Outputs`: NumPy arrays, each checked for its shape and dtype.

    Raises:
        AdapterMisbehaved: the result breaks the contract; the message names the output and what it is.
    """
    if isinstance(result, tuple) and len(result) in (3, 4):
        result = dict(zip(Outputs._fields, result, strict=False))
    if not isinstance(result, Mapping):
        raise AdapterMisbehaved(adapter, f"returned {_kind(result)}, want (y_hat, loss, grad) or a mapping")
    unknown = [str(name) for name in result if name not in Outputs._fields]
    if unknown:
        want = ", ".join(Outputs._fields)
        raise AdapterMisbehaved(adapter, f"returned an output called {unknown[0]!r}, want any of {want}")
    checked = {
        name: _checked(adapter, name, value, shape, problem.X.dtype)
        for name, shape in shapes(problem).items()
        if (value := result.get(name)) is not None
    }
    if not checked:
        raise AdapterMisbehaved(adapter, "returned no output at all")
    return Outputs(**checked)


def present(outputs: Outputs) -> dict[str, Array]:
    """Return the outputs that there are, by name."""
    return {name: value for name, value in outputs._asdict().items() if value is not None}


def traced_of(adapter: str, result: Any, problem: Problem) -> dict[str, Array]:
    """Return the result of `trace`, with each quantity checked as the outputs are.

    Raises:
        AdapterMisbehaved: as in `outputs_of`.
    """
    if not isinstance(result, Mapping) or any(name not in TRACED for name in result):
        got = ", ".join(map(str, result)) if isinstance(result, Mapping) else _kind(result)
        raise AdapterMisbehaved(adapter, f"traced {got}, want a mapping of any of {', '.join(TRACED)}")
    want = shapes(problem)["y_hat"]
    return {name: _checked(adapter, name, value, want, problem.X.dtype) for name, value in result.items()}


def _kind(value: Any) -> str:
    named = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    return f"{named} of {len(value)}" if isinstance(value, (tuple, list)) else named


def _checked(adapter: str, name: str, value: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return one output after its checks; a NumPy scalar becomes an array without axes."""
    if not isinstance(value, (np.ndarray, np.generic)):
        raise AdapterMisbehaved(adapter, f"returned {name} as {_kind(value)}, want numpy.ndarray")
    if value.dtype != dtype:
        raise AdapterMisbehaved(adapter, f"returned {name} in {value.dtype}, want {dtype}")
    if value.shape != shape:
        raise AdapterMisbehaved(adapter, f"returned {name} of shape {value.shape}, want {shape}")
    return np.asarray(value)
