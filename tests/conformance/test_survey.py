"""What each adapter answers to every probe, for the ledger; no answer is wrong but a broken contract."""

from __future__ import annotations

import pytest

from adapters.process_adapter import ProcessAdapter
from adapters.process_options import ProcessOptions
from crosscheck.behaviours.survey import probe_adapter
from crosscheck.pool import AdapterPool
from crosscheck.pytest_plugin.recording import Recording
from crosscheck.results.lines import MISBEHAVED, Observation
from reference.formats import FORMATS


def test_an_adapter_answers_every_probe(
    pool: AdapterPool, process_options: ProcessOptions, recording: Recording, adapter_name: str
) -> None:
    if recording.path is None:
        pytest.skip("nobody asked for a ledger, which the answers are for")
    adapter = pool.adapters[adapter_name]
    assert isinstance(adapter, ProcessAdapter)
    found: list[Observation] = []
    crashes = probe_adapter(adapter, process_options, found, tuple(FORMATS))
    recording.observe(found)
    recording.describe({adapter_name: adapter.description})
    assert crashes == []
    assert [each for each in found if each.value.startswith(MISBEHAVED)] == []
