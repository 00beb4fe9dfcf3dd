"""The figures of a run, read from the JSON that pytest-benchmark stored."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from clock import GROUPS


@dataclass(frozen=True)
class Figure:
    """One benchmark.

    Attributes:
        facts: what the benchmark said of itself: its kind and what it was of.
        seconds: of every round.
        rounds: what every round said of itself.
    """

    facts: Mapping[str, Any]
    seconds: Sequence[float]
    rounds: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """From the entry of a benchmark."""
        facts = dict(told["extra_info"])
        rounds = facts.pop("rounds")
        seconds = [r.get("seconds", s) for r, s in zip(rounds, told["stats"]["data"], strict=True)]
        return cls(facts, seconds, rounds)

    def of_each(self, number: Callable[[float, Mapping[str, Any]], float]) -> list[float]:
        """A number of every round, from its seconds and what it said."""
        return [number(seconds, told) for seconds, told in zip(self.seconds, self.rounds, strict=True)]

    @property
    def rates(self) -> list[float]:
        """Problems a second of every round."""
        return self.of_each(lambda seconds, told: told["problems"] / seconds)

    @property
    def rate(self) -> float:
        """Their median."""
        return statistics.median(self.rates)

    @property
    def spread(self) -> float:
        """Between the fastest round and the slowest, as a share of the median."""
        return (max(self.rates) - min(self.rates)) / self.rate

    def part(self, *names: str) -> float:
        """Nanoseconds a problem that some parts took together, the median."""

        def nanoseconds(_: float, told: Mapping[str, Any]) -> float:
            return sum(told["spent"].get(name, 0.0) for name in names) / told["problems"] * 1e9

        return statistics.median(self.of_each(nanoseconds))

    @property
    def adapters(self) -> Sequence[str]:
        """What took part."""
        names: list[str] = self.facts["adapters"]
        return names

    @property
    def is_clocked(self) -> bool:
        """Whether it is known where the time went."""
        return "spent" in self.rounds[0]

    @property
    def ratios(self) -> list[float]:
        """Of every round the time outside the frameworks' own evaluation ÷ the time inside."""

        def ratio(_: float, told: Mapping[str, Any]) -> float:
            inside = sum(told["spent"][name] for name in self.adapters)
            return sum(told["spent"].values()) / inside - 1

        return self.of_each(ratio)

    @property
    def ratio(self) -> float:
        """Their median."""
        return statistics.median(self.ratios)

    @property
    def covered(self) -> float:
        """The parts together as a share of the time that pytest-benchmark measured, the median."""
        return statistics.median(self.of_each(lambda seconds, told: sum(told["spent"].values()) / seconds))

    @property
    def groups(self) -> dict[str, float]:
        """Nanoseconds a problem: the frameworks, and each group of parts."""
        return {
            "frameworks": self.part(*self.adapters),
            **{group: self.part(*parts) for group, parts in GROUPS.items()},
        }


@dataclass(frozen=True)
class Run:
    """All of a run.

    Attributes:
        where: the machine and the versions.
        when: the day.
        figures: in the order of the benchmarks.
    """

    where: Mapping[str, Any]
    when: str
    figures: Sequence[Figure]

    @classmethod
    def read(cls, file: Path) -> Self:
        """From the JSON of a run."""
        told = json.loads(file.read_text("utf-8"))
        figures = [Figure.of(each) for each in told["benchmarks"]]
        return cls(told["machine_info"], told["datetime"][:10], figures)

    def kind(self, kind: str, **facts: Any) -> list[Figure]:
        """Those of a kind with these facts."""
        wanted = {"kind": kind, **facts}
        return [f for f in self.figures if all(f.facts.get(name) == fact for name, fact in wanted.items())]

    def rate(self, who: str, dtype: str, size: str) -> Figure | None:
        """Who's rate, if it was measured."""
        return next(iter(self.kind("rates", who=who, dtype=dtype, size=size)), None)
