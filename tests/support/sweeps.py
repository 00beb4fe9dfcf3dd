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
from adapters.process_options import ProcessOptions
from crosscheck.judging.evaluation import InProcessAdapter
from crosscheck.results.ledger import Ledger, read
from crosscheck.results.summary import Summary, merged
from crosscheck.sweep.job import ShardResult
from crosscheck.sweep.session import SweepOptions, sweep_and_show
from tests.faulty_adapters.toy import Toy
from tests.faulty_adapters.unlucky import FATE, MARK

ROOT = Path(__file__).parents[2]
# The shape of crossed cases, with the smallest stack that can be crossed.
SHAPE = (4096, 1, 3, 1)
# The import path with which workers find the kind of sweep and the adapter, as this process does.
PATH = {"PYTHONPATH": str(ROOT)}
COMMAND = (sys.executable, "-m", "tests.faulty_adapters.toy_sweeps", "sweep", "toy", "--only", "numpy")
UNLUCKY = "tests.faulty_adapters.unlucky:unlucky"


def specs(*outside: str) -> list[Spec]:
    """Return the specs of NumPy's adapter and of adapters from outside the suite."""
    return select(["numpy"], outside)


def process_options(folder: Path, fate: str = "none", timeout: float = 60.0) -> ProcessOptions:
    """Return options of the adapters' processes, with the journal in the folder."""
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
    """Run a sweep with its store in the folder; return the exit code and the ledger."""
    chosen = SweepOptions(
        **{"workers": 1, "store": folder / "store", "ledger": folder / "ledger.jsonl", **sweep_options}
    )
    with patch.dict(os.environ, PATH):
        kind, adapters = kind or Toy(), adapters or specs()
        code = sweep_and_show(kind, adapters, given or process_options(folder), chosen)
    assert chosen.ledger is not None
    return code, read(chosen.ledger)


def counted(diary: Path) -> Counter[int]:
    """Count how often each shard was computed, from the files that the sweep wrote to the diary folder."""
    return Counter(int(file.name.partition(".")[0]) for file in diary.iterdir())


def files(store: Path) -> dict[str, bytes]:
    """Return the contents of the shard files of a store, by name."""
    return {file.name: file.read_bytes() for file in sorted(store.glob("shard-*"))}


def digest(said: str) -> str:
    """Return the digest at the end of the report."""
    found = re.search(r"results\s+([0-9a-f]{64})", said)
    assert found is not None, said
    return found[1]


def in_process(*adapters: Any) -> dict[str, InProcessAdapter]:
    """Return the adapters, run in this process, by their names."""
    return {adapter.name: InProcessAdapter(adapter) for adapter in adapters}


def by_output(found: ShardResult, adapter: str, regime: str | None = None) -> dict[str, Summary]:
    """Merge the summaries of an adapter by output."""
    there = {c: s for c, s in found.cells.items() if c.adapter == adapter and regime in (None, c.regime)}
    outputs = dict.fromkeys(cell.output for cell in there)
    return {output: merged(s for c, s in there.items() if c.output == output) for output in outputs}
