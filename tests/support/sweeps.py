"""Sweeps of little work, for the tests of their machinery."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from adapters import Spec, select
from adapters.conditions import ProcessOptions
from crosscheck.evaluation import InProcessAdapter
from crosscheck.ledger import Ledger, read
from crosscheck.summary import Summary, merged
from crosscheck.sweep.kind import ShardResult
from crosscheck.sweep.session import SweepOptions, sweep_and_show
from tests.faulty_adapters.toy import Toy
from tests.faulty_adapters.unlucky import FATE, MARK

ROOT = Path(__file__).parents[2]
# Of crossed cases: the smallest stack that can be crossed.
SHAPE = (4096, 1, 3, 1)
# The path on which workers find the kind of sweep and the adapter, as this process does.
PATH = {"PYTHONPATH": str(ROOT)}
COMMAND = (sys.executable, "-m", "tests.faulty_adapters.toy_sweeps", "sweep", "toy", "--only", "numpy")
UNLUCKY = "tests.faulty_adapters.unlucky:unlucky"


def specs(*outside: str) -> list[Spec]:
    """NumPy, and adapters from outside."""
    return select(["numpy"], outside)


def process_options(folder: Path, fate: str = "none", timeout: float = 60.0) -> ProcessOptions:
    """The journal is in the folder."""
    fates = {FATE: fate, MARK: str(folder / "mark")}
    return ProcessOptions(folder / "journal", timeout, fates, compile_timeout=timeout)


def sweep(
    folder: Path,
    kind: Any = None,
    *,
    adapters: Sequence[Spec] | None = None,
    given: ProcessOptions | None = None,
    **sweep_options: Any,
) -> tuple[int, Ledger]:
    """The exit code, and the ledger, of a sweep whose store is in the folder."""
    chosen = SweepOptions(
        **{"workers": 1, "store": folder / "store", "ledger": folder / "ledger.jsonl", **sweep_options}
    )
    with patch.dict(os.environ, PATH):
        kind, adapters = kind or Toy(), adapters or specs()
        code = sweep_and_show(kind, adapters, given or process_options(folder), chosen)
    assert chosen.ledger is not None
    return code, read(chosen.ledger)


def counted(diary: Path) -> Counter[int]:
    """How often each shard was computed, of a sweep that keeps a diary there."""
    return Counter(int(file.name.partition(".")[0]) for file in diary.iterdir())


def files(store: Path) -> dict[str, bytes]:
    """The shards of a store."""
    return {file.name: file.read_bytes() for file in sorted(store.glob("shard-*"))}


def digest(said: str) -> str:
    """The digest that the report ends with."""
    found = re.search(r"results\s+([0-9a-f]{64})", said)
    assert found is not None, said
    return found[1]


def in_process(*adapters: Any) -> dict[str, InProcessAdapter]:
    """The adapters in this process, by their names."""
    return {adapter.name: InProcessAdapter(adapter) for adapter in adapters}


def by_output(found: ShardResult, adapter: str, regime: str | None = None) -> dict[str, Summary]:
    """The summaries of an adapter's outputs."""
    there = {c: s for c, s in found.cells.items() if c.adapter == adapter and regime in (None, c.regime)}
    outputs = dict.fromkeys(cell.output for cell in there)
    return {output: merged(s for c, s in there.items() if c.output == output) for output in outputs}
