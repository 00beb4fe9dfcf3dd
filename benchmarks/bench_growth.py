"""How a sweep's rate changes with size, stack and the numbers of adapters and workers; its memory."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from volume import THREE, Volume, every_mode
from wiring import Measure

from crosscheck.sweep import random

ROOT: Final = Path(__file__).parents[1]
# Fewer rounds than elsewhere, and fewer cases of a shard than a sweep has: enough to draw a line.
ROUNDS: Final = 3
CASES: Final = 16
SIZES_BY_AXIS: Final[Mapping[str, Sequence[int]]] = {
    "n": (1, 3, 8, 64, 256),
    "m": (1, 4, 16, 64),
    "p": (1, 4, 16, 64),
    "stack": tuple(2**e for e in range(12, 20, 2)),
}
SIZE: Final = {"m": 1, "n": 3, "p": 1}
NUMBERS: Final = 7  # of such a problem
MODES: Final = every_mode(hazards=True)
COUNTED: Final = re.compile(r"([\d,]+) problems in ([\d.]+) s")


@pytest.fixture
def few_cases(measure: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of fewer cases than those of a sweep."""
    if not measure.quick:
        monkeypatch.setattr(random, "CASES", CASES)


def grown(measure: Measure, axis: str, value: int, volume: Volume) -> None:
    """Measure one step of an axis in float64."""
    facts = {"kind": "growth", "axis": axis, "value": value, "dtype": "float64"}
    measure(volume.time_shard, {**facts, "adapters": list(volume.adapters)}, ROUNDS)


@pytest.mark.usefixtures("few_cases")
@pytest.mark.parametrize(
    ("axis", "value"), [(axis, value) for axis in SIZES_BY_AXIS for value in SIZES_BY_AXIS[axis]]
)
def test_size(measure: Measure, axis: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of n, m, p and the stack grows."""
    if axis == "stack" and not measure.quick:
        monkeypatch.setattr(random, "NUMBERS", NUMBERS * value)
    m, n, p = ({**SIZE, axis: value}[name] for name in SIZE)
    grown(measure, axis, value, Volume(THREE, "float64", (m, n, p)))


@pytest.mark.usefixtures("few_cases")
@pytest.mark.parametrize("count", [1, 2, 3, 6, 12, len(every_mode()), len(MODES)])
def test_adapters(measure: Measure, count: int) -> None:
    """More adapters."""
    grown(measure, "adapters", count, Volume(MODES[:count], "float64"))


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_workers(measure: Measure, workers: int, dtype: str, tmp_path: Path) -> None:
    """The command with worker processes; the seconds are those that it says, from its first shard on."""
    problems = random.Random(1).problems_per_shard * (1 if measure.quick else 6)
    command = [
        *(sys.executable, "-m", "crosscheck.cli", "sweep", "random", "--only", ",".join(THREE)),
        *("--problems", str(problems), "--dtype", dtype, "--workers", str(workers)),
    ]
    stores = (str(tmp_path / str(number)) for number in range(99))

    def work() -> Mapping[str, Any]:
        counted = COUNTED.search(said_by([*command, "--store", next(stores)]))
        if counted is None:
            raise AssertionError("a sweep says its rate")
        return {"problems": int(counted[1].replace(",", "")), "seconds": float(counted[2])}

    measure(work, {"kind": "growth", "axis": "workers", "value": workers, "dtype": dtype}, ROUNDS)


def test_memory(measure: Measure) -> None:
    """What a process of its own holds after so many shards, and at most."""
    shards = ("1", "2") if measure.quick else ("1", "2", "5", "10", "20", "50")
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "memory.py"),
        "--cases",
        str(CASES),
        "--shards",
        *shards,
    ]

    def work() -> Mapping[str, Any]:
        return {"held": [json.loads(line) for line in said_by(command).splitlines()]}

    measure(work, {"kind": "memory", "dtype": "float64"}, 1)


def said_by(command: Sequence[str]) -> str:
    """What a process prints that ends well."""
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603, our own
    if ended.returncode:
        raise AssertionError(f"{command} ended with {ended.returncode}: {ended.stderr[-2000:]}")
    return ended.stdout
