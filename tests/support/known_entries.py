"""One entry of the record of known differences, true of an adapter planted for it, and its variations."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import pytest

from crosscheck.inputs import parse
from crosscheck.judging.evaluation import CheckedAdapter, InProcessAdapter, Outcome, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.results.known import KnownDifferences, KnownError, KnownMatch
from crosscheck.results.known_entry import Difference, Setting
from tests.faulty_adapters import wrong

LAST_DAY = date(2030, 12, 31)
# ŷ = ½ exactly, so that whoever computes it gets the same bits: ∂L/∂W = ½·½·½, planted with its sign turned.
HALF = "float32:X=[[0x1p+0]]:y=[[0x0p+0]]:W=[[0x0p+0]]"
# The same, and a second problem that is ordinary.
TWO = "float32:X=[[[0x1p+0]],[[0x1p+0]]]:y=[[[0x0p+0]],[[0x0p+0]]]:W=[[[0x0p+0]],[[0x1p+0]]]"
ENTRY: dict[str, Any] = {
    "name": "turned-sign",
    "framework": "planted",
    "versions": ">=1.0,<1.1",
    "modes": ["planted-*"],
    "dtypes": ["float32"],
    "outputs": ["grad"],
    "case": HALF,
    "mode": "planted-sign",
    "output": "grad",
    "index": [0, 0],
    "exact": "0x1p-3",
    "at_least": 1e3,
    "sightings": [{"version": "1.0", "cpu": "any", "got": "-0x1p-3"}],
    "reason": "The sign is turned.",
    "expires": LAST_DAY,
}
LATER: dict[str, Any] = {"versions": ">=2", "sightings": [{**ENTRY["sightings"][0], "version": "2.0"}]}
TURNED = InProcessAdapter(wrong.sign)


def toml(fields: Mapping[str, Any]) -> str:
    """Write one TOML table; a field that is None is left out."""
    lines = [f"{key} = {_value(value)}" for key, value in fields.items() if value is not None]
    return "\n".join(["[[difference]]", *lines, ""])


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_value(each)}' for key, each in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, float):
        return repr(value)  # TOML has inf and nan, JSON has not
    return value.isoformat() if isinstance(value, date) else json.dumps(value)


def file_of(folder: Path, text: str) -> Path:
    (folder / "known.toml").write_text(text, "utf-8")
    return folder / "known.toml"


def entry(**changes: Any) -> Difference:
    """The entry of this module with some fields changed; None leaves one out."""
    fields = {key: value for key, value in {**ENTRY, **changes}.items() if value is not None}
    return msgspec.convert(fields, Difference, builtin_types=(date,))


def here(entry: Difference) -> None:
    """Skip the test where the installed release, or this machine, is none of the entry's."""
    there = version(entry.framework)
    if not entry.concerns_release(entry.framework, there, platform.machine()):
        pytest.skip(
            f"{entry.name} is of {entry.framework} {entry.versions} on {entry.platform or 'any'}: {there}"
        )


def record(*entries: Difference, today: date = LAST_DAY) -> KnownDifferences:
    return KnownDifferences(entries, today)


def setting(adapter: CheckedAdapter = TURNED, **changes: Any) -> Setting:
    equal = frozenset({"X", "W"})
    return Setting(adapter.description, "float32", "grad", (1, 1, 1), equal, "x86_64")._replace(**changes)


def heard(adapter: CheckedAdapter, text: str, known: KnownDifferences) -> tuple[Judge, Outcome, KnownMatch]:
    """Evaluate and judge an adapter on one case, and match the result with known differences."""
    case = parse(text)
    judge = Judge(case.problem())
    outcome = evaluate_and_judge(adapter, judge)
    return judge, outcome, known.match(judge, outcome, case.shape)


def match_of(adapter: CheckedAdapter, text: str, *entries: Difference) -> KnownMatch:
    return heard(adapter, text, record(*entries))[2]


def assert_refused(path: Path, *words: str) -> None:
    """Check that reading the file raises a `KnownError` of one line with the file's name and the words."""
    with pytest.raises(KnownError) as found:
        KnownDifferences.read(path)
    assert str(found.value).startswith(f"{path}: ")
    assert "\n" not in str(found.value)
    assert all(each in str(found.value) for each in words), str(found.value)
