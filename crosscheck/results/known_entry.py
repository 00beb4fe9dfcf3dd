"""One known difference: the narrowest scope that its evidence supports, and one case that shows it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Annotated, Final, NamedTuple

import numpy as np
from msgspec import Meta, Struct, field
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from adapters.protocol import Description
from crosscheck.inputs import Case, Literal, parse
from crosscheck.inputs.literals import one_of
from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.judge import OUTPUTS
from crosscheck.text import format_hex
from reference.formats import FORMATS, Format

KINDS: Final = ("bug", "hazard")
# Faults that are recognised by the kind of value that they return, not by its bits; each with its outputs.
NATURES: Final = MappingProxyType(
    {"y_hat_of_another_row": ("row_loss",), "y_hat_of_the_first_input": ("row_loss", "loss")}
)

ARRAYS: Final = ("X", "y", "W")
SIZE_NAMES: Final = ("stack", "m", "n", "p", "y_hat")
COMPARISON: Final = re.compile(r"\s*(<|<=|>|>=|==|!=)\s*[0-9]{1,12}\s*")  # sizes have up to 12 digits
NUMBER: Final = re.compile(r"-?0x[0-9a-f](\.[0-9a-f]+)?p[+-]?[0-9]{1,4}|-?inf|nan")

Name = Annotated[str, Meta(pattern=r"^[a-z0-9_]+(-[a-z0-9_]+)*\Z")]
Text = Annotated[str, Meta(pattern=r"\S")]
Link = Annotated[str, Meta(pattern=r"^https://\S+\Z")]
Texts = Annotated[tuple[Text, ...], Meta(min_length=1)]  # an empty list would silently cover nothing


class Sighting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the pinned case once returned on some machine: for readers, never compared.

    Attributes:
        version: the version of the framework.
        cpu: the instruction set or the model of the CPU, in words.
        got: the returned number, a hexadecimal float, ``inf`` or ``nan``.
    """

    version: Text
    cpu: Text
    got: str


class Setting(NamedTuple):
    """The conditions under which an output was computed.

    Attributes:
        description: the description of the adapter.
        dtype: a key of `FORMATS`.
        output: one of `OUTPUTS`.
        shape: the shape of the case, ``(*stack, m, n, p)``.
        equal: the arrays, of X, y and W, of which all numbers have the same bits.
        machine: the architecture, as `platform.machine` returns it.
    """

    description: Description
    dtype: str
    output: str
    shape: tuple[int, ...]
    equal: frozenset[str]
    machine: str


class Difference(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault of a released framework, or a literal form that leaves the admissible set.

    Attributes:
        name: the name of the entry, one word with dashes.
        kind: ``bug``, which must expire, or ``hazard``, a form that fails by its nature and never expires.
        framework: the framework, as the adapter states it.
        versions: a PEP 440 specifier of its versions; a development version counts as its release.
        platform: values of `platform.machine`; None for any.
        modes: patterns of adapters' names.
        dtypes, outputs: the dtypes and outputs in which the difference shows.
        shape: comparisons by axis, of stack, m, n and p, and of y_hat, the number of elements of ŷ, which is
            the product of stack, m and p; an axis that is absent may have any size.
        equal: the arrays, of X, y and W, of which all numbers are the same; None for any numbers.
        regimes: the regimes, of which a ŷ that the wrong element depends on has one; None for any, bugs only.
        case: the text of a case that shows the difference.
        mode: the name of the adapter that shows it.
        output, index: the element of that case.
        exact: the number nearest to the exact value, a hexadecimal float, ``inf`` or ``nan``.
        at_least: the least |got − center| / radius of the element on any machine, as `AdmissibleSet.share`
            defines it. ``inf`` means that the returned value is no finite number.
        nature: a key of `NATURES` that holds for every wrong element of that output and case, or None.
        sightings: the values returned there, by release and CPU; at least one.
        reason: what is wrong.
        upstream: the address of the report to the framework's authors.
        expires: the last day on which a bug is accepted.

    Raises:
        ValueError: a field cannot be read, or the entry does not cover its own evidence.
    """

    name: Name
    kind: str = "bug"
    framework: Text
    versions: str
    platform: Texts | None = None
    modes: Texts
    dtypes: Texts
    outputs: Texts
    shape: dict[str, str] = field(default_factory=dict)
    equal: Texts | None = None
    regimes: Texts | None = None
    case: str
    mode: str
    output: str
    index: tuple[int, ...]
    exact: str
    at_least: Annotated[float, Meta(ge=1)]  # 1: the border of the set
    nature: str | None = None
    sightings: Annotated[tuple[Sighting, ...], Meta(min_length=1)]
    reason: Text
    upstream: Link | None = None
    expires: date | None = None

    def __post_init__(self) -> None:
        _check_kind(self)
        _check_predicate(self)
        _check_evidence(self)

    @property
    def source(self) -> Case | Literal:
        """The pinned case, which the text `case` describes."""
        return parse(self.case)

    def concerns(self, description: Description, machine: str) -> bool:
        """Whether the entry can cover anything that this adapter computes on such a machine."""
        return (
            self.concerns_release(description.framework, description.version, machine)
            and any(fnmatchcase(description.name.partition("@")[0], mode) for mode in self.modes)
            and not set(self.dtypes).isdisjoint(description.dtypes)
        )

    def concerns_release(self, framework: str, version: str, machine: str) -> bool:
        """Whether the entry can cover anything that this release computes on such a machine."""
        return (
            framework == self.framework
            and is_among(version, self.versions)
            and (self.platform is None or machine in self.platform)
        )

    def is_sighted(self, version: str) -> bool:
        """Whether the fault was seen in this release, so that it must occur there."""
        return any(is_same(version, sighting.version) for sighting in self.sightings)

    def applies(self, setting: Setting) -> bool:
        """Whether the entry covers outputs computed in this setting; its regimes are not checked here."""
        return (
            self.concerns(setting.description, setting.machine)
            and setting.dtype in self.dtypes
            and setting.output in self.outputs
            and fits(setting.shape, self.shape)
            and setting.equal.issuperset(self.equal or ())
        )


def _check_kind(entry: Difference) -> None:
    one_of(entry.kind, KINDS, "kind")
    if entry.kind == "bug" and entry.expires is None:
        raise ValueError("a bug expires; write expires = 2030-12-31, the last day on which it is accepted")
    if entry.kind == "hazard" and entry.expires is not None:
        raise ValueError("a hazard never expires; leave expires out, or make it a bug")
    if entry.kind == "hazard" and entry.regimes is None:  # it would cover every input for ever
        raise ValueError(f"a hazard lies in known regimes; name them, of {', '.join(REGIMES)}")


def _check_predicate(entry: Difference) -> None:
    specifiers(entry.versions)
    for dtype in entry.dtypes:
        one_of(dtype, tuple(FORMATS), "dtype")
    for output in (*entry.outputs, entry.output):
        one_of(output, OUTPUTS, "output")
    for regime in entry.regimes or ():
        one_of(regime, tuple(REGIMES), "regime")
    if entry.nature is not None:
        of = NATURES[one_of(entry.nature, tuple(NATURES), "nature")]
        if entry.output not in of:
            own = f"the entry's output is {entry.output}"
            raise ValueError(f"nature {entry.nature} is one of {', '.join(of)}; {own}")
    for array in entry.equal or ():
        one_of(array, ARRAYS, "array")
    for axis, text in entry.shape.items():
        comparisons(one_of(axis, SIZE_NAMES, "axis of shape"), text)


def _check_evidence(entry: Difference) -> None:
    """Check that the entry covers its own case, mode, element and sightings.

    Whether the element lies in the entry's regimes, and which arrays hold equal numbers, is checked by a
    test, since that takes the numbers of the case.
    """
    case = entry.source
    for what, value, own in (("dtype", case.dtype, entry.dtypes), ("output", entry.output, entry.outputs)):
        if value not in own:
            raise ValueError(f"the case has {what} {value}, which the entry does not cover: {', '.join(own)}")
    if not any(fnmatchcase(entry.mode, mode) for mode in entry.modes):
        raise ValueError(f"mode {entry.mode!r} matches none of the entry's modes: {', '.join(entry.modes)}")
    if not fits(case.shape, entry.shape):
        wanted = ", ".join(f"{axis} {text}" for axis, text in entry.shape.items())
        raise ValueError(f"the case has shape {'x'.join(map(str, case.shape))}; the entry covers {wanted}")
    sizes = _sizes(case.shape)[entry.output]
    inside = len(entry.index) == len(sizes)
    if not (inside and all(0 <= i < size for i, size in zip(entry.index, sizes, strict=True))):
        raise ValueError(f"index {list(entry.index)} is no element of {entry.output}, whose shape is {sizes}")
    number("exact", entry.exact, case.format)
    for sighting in entry.sightings:
        number("got", sighting.got, case.format)
        if not is_among(sighting.version, entry.versions):
            raise ValueError(f"a sighting in version {sighting.version} is none of {entry.versions}")


def _sizes(shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Return the shape of each output of a case ``(*stack, m, n, p)``."""
    *stack, m, n, p = shape
    return {"y_hat": (*stack, m, p), "loss": tuple(stack), "grad": (*stack, n, p), "row_loss": (*stack, m)}


# ------------------------------------------------------------------- the texts of an entry's fields


def released(version: str) -> str:
    """Return the release that a version counts as: for a development version, the release that it leads to.

    Otherwise 2.13.0a0+git would not match ``>=2.13``, although it contains what 2.13 will contain.

    Raises:
        InvalidVersion: the text is no version as PEP 440 defines it.
    """
    read = Version(version)
    return read.base_version if read.is_prerelease else str(read)


def is_among(version: str, versions: str) -> bool:
    """Whether a framework's version matches a specifier; one that PEP 440 does not allow never does."""
    try:
        return specifiers(versions).contains(released(version))
    except InvalidVersion:
        return False


def is_same(version: str, other: str) -> bool:
    """Whether two versions are builds of one release; a version that PEP 440 does not allow never is."""
    try:
        return Version(released(version)).public == Version(released(other)).public
    except InvalidVersion:
        return False


def specifiers(text: str) -> SpecifierSet:
    """Read a specifier of versions.

    Raises:
        ValueError: the text is no specifier, or it is empty, which would silently match every version.
    """
    try:
        read = SpecifierSet(text)
        read.contains("0")  # some invalid numbers are detected only here
    except ValueError:
        read = SpecifierSet()
    if not len(read):
        raise ValueError(f"versions {text!r} is no specifier as PEP 440 has them; write '>=0.10.2,<0.10.3'")
    return read


def comparisons(axis: str, text: str) -> SpecifierSet:
    """Read the comparisons of the size of one axis.

    Raises:
        ValueError: the text contains no such comparisons.
    """
    if not all(COMPARISON.fullmatch(part) for part in text.split(",")):
        allowed = "compare with whole numbers by <, <=, >, >=, == or !=, as in '>=16385,<65536'"
        raise ValueError(f"shape: {axis} {text!r} is no comparison; {allowed}")
    return SpecifierSet(text)


def fits(shape: tuple[int, ...], wanted: Mapping[str, str]) -> bool:
    """Whether ``(*stack, m, n, p)`` has the wanted sizes; stack is the product of its axes, or 1."""
    *stack, m, n, p = shape
    networks = math.prod(stack)
    sizes = dict(zip(SIZE_NAMES, (networks, m, n, p, networks * m * p), strict=True))
    return all(comparisons(axis, text).contains(str(sizes[axis])) for axis, text in wanted.items())


def number(field: str, text: str, format: Format) -> float:
    """Read a recorded number.

    Raises:
        ValueError: the text is no hexadecimal float, or no number of the format.
    """
    try:
        value = float.fromhex(text) if NUMBER.fullmatch(text) else None
    except OverflowError:
        value = None
    if value is None:
        raise ValueError(
            f"{field} {text!r} is no number; write a hexadecimal float such as 0x1.8p-3, inf, -inf or nan"
        )
    with np.errstate(over="ignore", under="ignore"):
        nearest = float(np.float64(value).astype(format.dtype))
    if value != nearest and not math.isnan(value):
        raise ValueError(f"{field} {text} is no {format.name}; the nearest is {format_hex(nearest)}")
    return value
