"""What each adapter answers to every probe, for the ledger; no answer is wrong but a broken contract."""

from __future__ import annotations

import pytest
from recording import Recording

from adapters.conditions import Conditions
from adapters.isolated import Isolated
from crosscheck.behaviours.asked import asked
from crosscheck.behaviours.probe import Observation
from crosscheck.behaviours.survey import MISBEHAVED
from crosscheck.panel import Panel
from reference.formats import FORMATS


def test_an_adapter_answers_every_probe(
    panel: Panel, conditions: Conditions, recording: Recording, adapter_name: str
) -> None:
    if recording.path is None:
        pytest.skip("nobody asked for a ledger, which the answers are for")
    subject = panel.subjects[adapter_name]
    assert isinstance(subject, Isolated)
    found: list[Observation] = []
    deaths = asked(subject, conditions, found, tuple(FORMATS))
    recording.observe(found)
    recording.describe({adapter_name: subject.description})
    assert deaths == []
    assert [each for each in found if each.value.startswith(MISBEHAVED)] == []
