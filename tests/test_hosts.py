"""Adapters share a process with those of their room only; who dies there is named, and the others go on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from levels import needs
from safetensors import deserialize
from test_isolated import assert_gone

from adapters import NAMED, AdapterDied, AdapterError, AdapterMisbehaved, JournalError, Spec, spec_of
from adapters.conditions import Conditions
from adapters.instructions import NATIVE
from adapters.modes import parse
from crosscheck.hosts import Hosts
from reference.types import Problem

HEALTHY, UNLUCKY = (Problem(*(np.full((1, 1), value) for _ in "XyW")) for value in (1.0, 13.0))
FATES = {
    "segfault": "killed by signal 11 (SIGSEGV)",
    "exits": "exited with status 0",
    "endless": "gave no answer within 1 s, nor within 2 s when tried once more alone (load ",
}


def planted(name: str, module: str = "processes") -> Spec:
    """An adapter of the room of all that are planted."""
    return Spec(name, f"tests.planted.{module}:{name}", "planted")


ONE, TWO = planted("one"), planted("two")
ERROR, EXIT = planted("any", "import_error"), planted("any", "import_exit")


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    with Hosts(Conditions(tmp_path, 1.0, compile_timeout=1.0)) as started:
        yield started


def process_of(hosts: Hosts, spec: Spec) -> int:
    """The number of the process in which the adapter runs."""
    shown = hosts.subject(spec).evaluate(*HEALTHY).row_loss
    assert shown is not None
    return int(shown.item())


def test_adapters_of_one_room_share_one_process_that_is_not_this_one(hosts: Hosts) -> None:
    assert process_of(hosts, ONE) == process_of(hosts, TWO) == process_of(hosts, ONE) != os.getpid()


@pytest.mark.long
@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(TWO, threads=2),
        replace(TWO, devices=2),
        pytest.param(replace(TWO, isa="sse42"), marks=needs("sse42")),
        replace(TWO, framework="other"),
        replace(TWO, framework=None),
    ],
    ids=["threads", "devices", "isa", "framework", "from-outside"],
)
def test_an_adapter_of_another_room_has_another_process(hosts: Hosts, elsewhere: Spec) -> None:
    assert process_of(hosts, elsewhere) != process_of(hosts, ONE)


def test_an_adapter_from_outside_has_a_process_to_itself(hosts: Hosts) -> None:
    first, second = (replace(spec, framework=None) for spec in (ONE, TWO))
    assert process_of(hosts, first) != process_of(hosts, second)


def test_the_modes_of_a_framework_are_one_room_for_each_number_of_threads_and_devices() -> None:
    rooms = {spec_of(parse(name)).room for name in NAMED}
    frameworks = ("numpy", "torch", "jax")
    hosts = {(name, threads, 1, None, NATIVE) for name in frameworks for threads in (1, 2)}
    assert rooms == {*hosts, ("jax", 1, 2, None, NATIVE)}


def test_nothing_is_started_before_it_is_needed(hosts: Hosts, tmp_path: Path) -> None:
    assert list(tmp_path.iterdir()) == []
    hosts.subject(ONE)
    assert [path.suffix for path in sorted(tmp_path.iterdir())] == [".log", ".safetensors"]


@pytest.mark.long
@pytest.mark.parametrize("fault", FATES)
def test_who_dies_is_named_with_its_input_and_the_others_go_on_in_a_new_process(
    fault: str, hosts: Hosts
) -> None:
    before = process_of(hosts, ONE)
    with pytest.raises(AdapterDied) as died:
        hosts.subject(planted(fault, "crash")).evaluate(*UNLUCKY)
    assert died.value.adapter == fault
    assert died.value.how.startswith(FATES[fault])
    assert died.value.journal is not None
    kept = dict(deserialize(died.value.journal.read_bytes()))  # type: ignore[no-untyped-call]  # it has no types
    assert {symbol: kept[symbol]["data"] for symbol in "XyW"} == {
        symbol: array.tobytes() for symbol, array in UNLUCKY._asdict().items()
    }
    assert_gone([before])
    assert process_of(hosts, ONE) == process_of(hosts, TWO) != before


def test_misbehaviour_is_the_one_adapters_and_costs_no_process(hosts: Hosts) -> None:
    before = process_of(hosts, ONE)
    with pytest.raises(AdapterMisbehaved, match="raises raised ValueError: the planted message"):
        hosts.subject(planted("raises", "crash")).evaluate(*UNLUCKY)
    assert process_of(hosts, ONE) == before


@pytest.mark.parametrize("order", [(ONE, ERROR), (ERROR, ONE)], ids=["later", "first"])
def test_what_cannot_be_loaded_says_why_and_the_others_go_on(hosts: Hosts, order: tuple[Spec, Spec]) -> None:
    for spec in order:
        hosts.subject(spec)
    before = process_of(hosts, ONE)
    for _ in range(2):
        with pytest.raises(AdapterError, match="ImportError: the planted framework is not here"):
            hosts.subject(ERROR).evaluate(*HEALTHY)
    assert process_of(hosts, TWO) == before


@pytest.mark.long
@pytest.mark.parametrize("order", [(ONE, EXIT), (EXIT, ONE)], ids=["later", "first"])
def test_who_dies_while_it_is_loaded_is_named_and_the_others_go_on(
    hosts: Hosts, order: tuple[Spec, Spec]
) -> None:
    for spec in order:
        hosts.subject(spec)
    process_of(hosts, ONE)
    with pytest.raises(AdapterDied) as died:
        hosts.subject(EXIT).evaluate(*HEALTHY)
    assert (died.value.adapter, died.value.how, died.value.journal) == ("any", "exited with status 0", None)
    assert process_of(hosts, ONE) == process_of(hosts, TWO)


def test_closing_ends_every_process_and_leaves_no_file(tmp_path: Path) -> None:
    with Hosts(Conditions(tmp_path, 1.0, compile_timeout=1.0)) as hosts:
        specs = ONE, replace(TWO, threads=2)
        processes = [process_of(hosts, spec) for spec in specs]
    assert_gone(processes)
    assert list(tmp_path.iterdir()) == []
    for spec in specs:
        with pytest.raises(AdapterError, match=f"^{spec.name} is closed$"):
            hosts.subject(spec).evaluate(*HEALTHY)


def test_closing_one_adapter_leaves_the_process_to_the_others(hosts: Hosts) -> None:
    before = process_of(hosts, ONE)
    process_of(hosts, TWO)
    hosts.subject(ONE).close()
    with pytest.raises(AdapterError, match=r"^one is closed$"):
        hosts.subject(ONE).evaluate(*HEALTHY)
    assert process_of(hosts, TWO) == before


def test_a_journal_that_cannot_be_kept_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        Hosts(Conditions(tmp_path / "file", 1.0)) as hosts,
        pytest.raises(JournalError, match=r"^cannot keep a journal in .*file: "),
    ):
        hosts.subject(ONE)
