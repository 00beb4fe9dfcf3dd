"""What the benchmarks share as a pytest plugin: options, how they are measured, where they run."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

import pytest

from adapters.instructions import CPUINFO
from crosscheck.sweep import random

PACKAGES: Final = ("numpy", "torch", "jax", "hypothesis", "pytest-benchmark")
ROUNDS: Final = 5
LOAD: Final = os.getloadavg()[0]  # before anything is measured
# One round of some work: how many problems it had, and whatever else there is to say of it.
Work = Callable[[], Mapping[str, Any]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for a run that shows only that all of it works."""
    parser.addoption("--quick", action="store_true", help="run quickly; the figures mean nothing")


@dataclass
class Measure:
    """Measures five rounds of a piece of work with pytest-benchmark, which keeps what is said of them.

    Attributes:
        benchmark: its fixture.
        quick: whether the figures need not mean anything.
    """

    benchmark: Any
    quick: bool

    def __call__(self, work: Work, facts: Mapping[str, Any], rounds: int = ROUNDS) -> None:
        """Do the work, which must be warm, and keep the facts."""
        told: list[Mapping[str, Any]] = []
        self.benchmark.pedantic(lambda: told.append(work()), rounds=1 if self.quick else rounds)
        self.benchmark.extra_info.update({**facts, "rounds": told})


@pytest.fixture
def measure(benchmark: Any, request: pytest.FixtureRequest) -> Measure:
    """How a benchmark measures."""
    return Measure(benchmark, request.config.getoption("--quick"))


@pytest.fixture(autouse=True)
def little(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of few cases, where they are to be quick."""
    if request.config.getoption("--quick"):
        monkeypatch.setattr(random, "NUMBERS", 1)
        monkeypatch.setattr(random, "CASES", 2)


@pytest.hookimpl(tryfirst=True)
def pytest_benchmark_generate_machine_info() -> dict[str, Any]:
    """Where this runs, for the page of benchmarks."""
    return machine(PACKAGES)


def machine(packages: Iterable[str]) -> dict[str, Any]:
    """Where this runs, as far as times depend on it; no name of a machine."""
    told = CPUINFO.read_text("utf-8", "replace").splitlines() if CPUINFO.is_file() else []
    names = [line.partition(":")[2].strip() for line in told if line.startswith("model name")]
    return {
        "processor": next(iter(names), platform.machine()),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": LOAD,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
    }
