"""The clock of the benchmarks: its parts are the sweep's own, add up, and leave everything as it was."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from adapters import load
from crosscheck.judging.evaluation import InProcessAdapter
from crosscheck.sweep import random
from crosscheck.sweep.random import Random


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, whose time is the number of times that it was asked for."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    import clock

    ticks = itertools.count()
    monkeypatch.setattr(clock, "perf_counter", lambda: float(next(ticks)))
    return clock


@pytest.fixture
def adapters(monkeypatch: pytest.MonkeyPatch) -> dict[str, InProcessAdapter]:
    """Of a sweep with little work, in which all agree."""
    monkeypatch.setattr(random, "NUMBERS", 1)
    monkeypatch.setattr(random, "CASES", 2)
    monkeypatch.setattr(random, "MIXED", 64)
    return {"numpy": InProcessAdapter(load("numpy"))}


def swept(adapters: dict[str, InProcessAdapter]) -> Any:
    """What a shard of the real sweep finds."""
    return Random(Random(1).problems_per_shard, ("float32",)).run(0, adapters)


def test_the_parts_are_those_of_the_real_sweep_and_add_up(
    clocks: Any, adapters: dict[str, InProcessAdapter]
) -> None:
    clock = clocks.Clock()
    begin = clocks.perf_counter()
    with clock.running(adapters), clock.part(clocks.REST):
        found = swept(adapters)
    assert clock.whole == clocks.perf_counter() - begin - 2  # from its own first to its own last look
    parts = {timed.part for timed in clocks.TIMED} | set(adapters) | {clocks.REST}
    assert set(clock.spent) == parts - {"disagreements"}
    assert all(seconds > 0 for seconds in clock.spent.values())
    assert found == swept(adapters)


def test_every_part_belongs_to_one_group(clocks: Any) -> None:
    grouped = [part for parts in clocks.GROUPS.values() for part in parts]
    assert sorted(grouped) == sorted({*(timed.part for timed in clocks.TIMED), clocks.REST})


def test_the_clock_leaves_everything_as_it_was(clocks: Any, adapters: dict[str, InProcessAdapter]) -> None:
    before = [vars(owner)[name] for owner, name, *_ in clocks.TIMED]

    def stopped() -> None:
        with clocks.Clock().running(adapters):
            assert all(
                vars(owner)[name] is not old
                for (owner, name, *_), old in zip(clocks.TIMED, before, strict=True)
            )
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert [vars(owner)[name] for owner, name, *_ in clocks.TIMED] == before
    assert not any("evaluate" in vars(adapter.wrapped) for adapter in adapters.values())


def test_what_is_inside_a_part_taken_whole_belongs_to_it(clocks: Any) -> None:
    clock = clocks.Clock()
    inner = clock.around(lambda: None, "inner")
    clock.around(inner, "whole", whole=True)()
    clock.around(inner, "outer")()
    assert dict(clock.spent) == {"whole": 1.0, "outer": 2.0, "inner": 1.0}
