"""The plan of a comparison as data: which adapters evaluate which cases, and the reasons for its gaps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from adapters import Spec
from crosscheck.inputs import Case

# The names of the specs of the adapters that evaluate a case; None for all adapters of the run.
Names = tuple[str, ...] | None


class PlannedCase(NamedTuple):
    """A case, and the adapters that evaluate it.

    Attributes:
        case: the input; all adapters share its judge.
        names: the names of the adapters' specs.
    """

    case: Case
    names: tuple[str, ...]


class Gap(NamedTuple):
    """A place in the coverage where nothing was judged.

    Attributes:
        name: the name of the adapter's spec.
        dtype: a key of `FORMATS`.
        shapes: a class of shapes.
        regime: a key of `REGIMES`.
    """

    name: str
    dtype: str
    shapes: str
    regime: str


Reason = Callable[[Gap], str | None]


@dataclass(frozen=True)
class Plan:
    """The cases of a comparison, and the reasons for its gaps.

    Attributes:
        title: one line on what is compared.
        seed: the seed of the first cases.
        dtypes: the dtypes of the cases.
        cases: the cases in order, each with the adapters that evaluate it.
        contract: the cases of contract checks, each with the adapters that are checked.
        classes: the classes of shapes that have separate rows of the coverage.
        reason_not_planned: why the plan has no case for a gap; None if it has one or should have one.
        reason_not_hit: why the planned cases may have no element there; None if they should have some.
        is_whole: whether the plan contains everything that a plan of its kind can contain.
        is_exhaustive: whether the plan has every mode and shape there is, so that a known difference without
            a match is outdated.
        measured: the cases whose errors in ulp are measured, which takes most of the time; the others are
            judged only. None for all.
        unsupported: what the plan cannot contain, with the reasons.
        labels: by the name of an adapter, the label of the row that it shares with others in tables.
        pythons: the interpreters under which every case is evaluated; empty for the running one alone.
    """

    title: str
    seed: int
    dtypes: tuple[str, ...]
    cases: Mapping[Case, Names]
    contract: Mapping[Case, Names]
    classes: tuple[str, ...]
    reason_not_planned: Reason
    reason_not_hit: Reason
    is_whole: bool
    is_exhaustive: bool = False
    measured: Collection[Case] | None = None
    unsupported: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    pythons: tuple[str, ...] = ()

    def label(self, name: str) -> str:
        """Return the label of an adapter's row in tables: its name, unless it shares a row."""
        return self.labels.get(name, name)


def cases_of(cases: Mapping[Case, Names], started: Collection[str]) -> Iterator[PlannedCase]:
    """Yield the cases of a plan in order, each with those of its adapters that started."""
    for case, names in cases.items():
        every = started if names is None else names
        yield PlannedCase(case, tuple(name for name in every if name in started))


def per_interpreter(plan: Plan, specs: Sequence[Spec]) -> Plan:
    """Return the plan with every case evaluated under each of several interpreters.

    A known difference may concern the version in one interpreter only, so the plan is never exhaustive.

    Args:
        plan: the plan for one interpreter.
        specs: the specifications of its adapters under all interpreters, as `Spec.under` returns them.
    """
    pythons = tuple(dict.fromkeys(str(spec.python) for spec in specs))
    suffixes = {spec.suffix for spec in specs}

    def under_each(cases: Mapping[Case, Names]) -> dict[Case, Names]:
        return {
            case: names and tuple(spec.name for spec in specs if without_interpreter(spec.name) in names)
            for case, names in cases.items()
        }

    def for_any(reason: Reason) -> Reason:
        return lambda gap: reason(gap._replace(name=without_interpreter(gap.name)))

    return replace(
        plan,
        title=f"{plan.title}; under {len(pythons)} interpreters",
        cases=under_each(plan.cases),
        contract=under_each(plan.contract),
        reason_not_planned=for_any(plan.reason_not_planned),
        reason_not_hit=for_any(plan.reason_not_hit),
        is_exhaustive=False,
        labels={f"{name}{at}": f"{label}{at}" for at in suffixes for name, label in plan.labels.items()},
        pythons=pythons,
    )


def without_interpreter(name: str) -> str:
    """Return the name of an adapter or spec without the interpreter that it runs under."""
    return name.partition("@")[0]
