"""Sweeps that are ended early leave no process behind, and what they had found."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from sweeps import COMMAND, ROOT, files

from crosscheck.results.ledger import read
from crosscheck.results.lines import INTERRUPTED
from tests.adapters.test_isolated import assert_gone


def workers_of(client: int) -> list[int]:
    """The numbers of its workers, and of their children."""
    told = [file.read_text() for file in Path(f"/proc/{client}/task").glob("*/children")]
    found = [int(number) for text in told for number in text.split()]
    return found + [each for child in found for each in workers_of(child)]


def begun(stack: ExitStack, tmp_path: Path, *options: str) -> subprocess.Popen[str]:
    """A sweep of two workers, which have stored something and are at work."""
    command = [*COMMAND, "--store", str(tmp_path / "store"), "--journal", str(tmp_path / "journal"), *options]
    client = stack.enter_context(
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    )
    stack.callback(client.kill)  # of one that did not hear
    while len(files(tmp_path / "store")) < 2:
        assert client.poll() is None
        time.sleep(0.05)
    return client


SLOWLY = ("--seconds", "0.5", "--shards", "200", "--workers", "2")


@pytest.mark.long
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_the_workers_at_once_and_keeps_what_is_there(tmp_path: Path) -> None:
    with ExitStack() as stack:
        client = begun(stack, tmp_path, *SLOWLY, "--ledger", str(tmp_path / "ledger.jsonl"))
        workers = workers_of(client.pid)
        begin = time.monotonic()
        client.send_signal(signal.SIGINT)
        said, complaints = client.communicate(timeout=60)
    assert time.monotonic() - begin < 2
    assert len(workers) == 2
    assert_gone(workers)
    assert client.returncode == 130
    assert "the same with --resume goes on from here" in said
    assert "Traceback" not in complaints
    ledger = read(tmp_path / "ledger.jsonl")
    assert ledger.ending == INTERRUPTED
    assert ledger.header.sweep is not None
    assert ledger.problems == 4 * 2 * len(files(tmp_path / "store"))
    assert list((tmp_path / "journal").iterdir()) == []


@pytest.mark.long
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_before_the_first_shard_says_that_nothing_is_judged_yet(tmp_path: Path) -> None:
    places = ["--store", str(tmp_path / "store"), "--journal", str(tmp_path / "journal")]
    with subprocess.Popen(
        [*COMMAND, *places, "--seconds", "60"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as client:  # fmt: skip
        assert client.stderr is not None
        while "4 shards with 8 problems to do" not in client.stderr.readline():
            assert client.poll() is None
        client.send_signal(signal.SIGINT)
        said, complaints = client.communicate(timeout=60)
    assert client.returncode == 130
    assert "No shard is finished, so nothing is judged yet." in said
    assert "Not all within bounds" not in said
    assert "Traceback" not in complaints


@pytest.mark.long
def test_no_worker_outlives_a_client_that_is_killed(tmp_path: Path) -> None:
    with ExitStack() as stack:
        client = begun(stack, tmp_path, *SLOWLY)
        workers = workers_of(client.pid)
        client.kill()
        client.wait()
        assert len(workers) == 2
        assert_gone(workers)
        client.communicate()


@pytest.mark.long
def test_a_worker_that_somebody_kills_costs_no_shard(tmp_path: Path) -> None:
    with ExitStack() as stack:
        client = begun(stack, tmp_path, "--seconds", "0.2", "--shards", "20", "--workers", "2")
        os.kill(workers_of(client.pid)[0], signal.SIGKILL)
        said, complaints = client.communicate(timeout=60)
    assert client.returncode == 0
    assert "killed by signal 9 (SIGKILL)" in complaints
    assert "the second attempt is good" in complaints
    assert "Within bounds: numpy: " in said
