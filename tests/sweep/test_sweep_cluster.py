"""The same shards on a Dask cluster: the same digest, whatever crashes; other versions are refused."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from msgspec.structs import replace
from sweeps import PATH, UNLUCKY, counted, files, process_options, specs, sweep

from tests.adapters.test_process_adapter import assert_gone
from tests.faulty_adapters.toy import Toy
from tests.faulty_adapters.unlucky import SHARD
from tests.sweep.test_sweep_workers import workers_of

pytest.importorskip("distributed")

import dask
from distributed import Client, LocalCluster

from crosscheck.results.lines import INTERRUPTED
from crosscheck.sweep import cluster as module
from crosscheck.sweep.job import Job, Refused, SweepError, WorkerInfo, read_job
from crosscheck.sweep.pool import Pool

pytestmark = pytest.mark.long


@contextmanager
def started(workers: int, patience: int = 3) -> Iterator[LocalCluster]:
    """A cluster of worker processes on loopback; Dask gives a task up after so many crashes and one more."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": patience}),
        patch.dict(os.environ, PATH),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
        ) as found,
    ):
        yield found


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Two workers for all tests that do not end them."""
    with started(2) as found:
        yield found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest without a cluster."""
    return sweep(tmp_path_factory.mktemp("whole"), Toy(shards=20), workers=2)[1].results


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def processes(cluster: LocalCluster) -> list[int]:
    """The numbers of the Dask workers."""
    with Client(cluster, set_as_default=False) as client:
        return list(client.run(os.getpid).values())


def test_a_cluster_finds_the_same_and_leaves_nothing(
    cluster: LocalCluster, whole: str, tmp_path: Path
) -> None:
    code, there = sweep(tmp_path, Toy(shards=20), scheduler=cluster.scheduler_address)
    assert (code, there.results) == (0, whole)
    left = [each for number in processes(cluster) for each in workers_of(number)]
    assert not left


@pytest.mark.parametrize("fate", ["killed once", "raises once"])
def test_what_goes_wrong_once_changes_no_result(fate: str, cluster: LocalCluster, tmp_path: Path) -> None:
    _, want = sweep(tmp_path / "here", adapters=specs(UNLUCKY))
    given = process_options(tmp_path, fate)
    scheduler = cluster.scheduler_address
    code, got = sweep(tmp_path / "there", adapters=specs(UNLUCKY), given=given, scheduler=scheduler)
    assert (tmp_path / "mark").exists()
    assert (code, got.results, got.faults) == (0, want.results, ())


def test_what_fails_twice_is_named_and_costs_no_dask_worker(cluster: LocalCluster, tmp_path: Path) -> None:
    before = processes(cluster)
    given = process_options(tmp_path, "segfault")
    code, ledger = sweep(tmp_path, adapters=specs(UNLUCKY), given=given, scheduler=cluster.scheduler_address)
    (fault,) = ledger.faults
    assert code == 1
    assert fault.what.startswith("unlucky killed by signal 11 (SIGSEGV)")
    assert Toy().case(SHARD, "float64").text in fault.what
    assert processes(cluster) == before


@pytest.mark.parametrize("patience", [0, 3], ids=["at_once", "later"])
def test_a_dask_worker_that_is_killed_costs_no_shard_whenever_dask_gives_up_on_it(
    patience: int, whole: str, tmp_path: Path
) -> None:
    diary = tmp_path / "diary"
    diary.mkdir()
    kind = Toy(shards=20, seconds=0.2, diary=str(diary))

    def kill_one(cluster: LocalCluster) -> list[int]:
        wait_for(lambda: len(counted(diary)) >= 4)
        victim = processes(cluster)[0]
        children = workers_of(victim)
        os.kill(victim, signal.SIGKILL)
        return children

    with started(2, patience) as ours, ThreadPoolExecutor(1) as thread:
        killed = thread.submit(kill_one, ours)
        code, ledger = sweep(tmp_path, kind, scheduler=ours.scheduler_address)
    assert killed.result()
    assert_gone(killed.result())
    assert (code, ledger.results, ledger.faults) == (0, whole, ())


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_the_processes_of_the_cluster(cluster: LocalCluster, tmp_path: Path) -> None:
    def interrupt() -> None:
        wait_for(lambda: len(files(tmp_path / "store")) >= 2)
        os.kill(os.getpid(), signal.SIGINT)

    numbers = processes(cluster)
    with ThreadPoolExecutor(1) as thread:
        interrupted = thread.submit(interrupt)
        kind = Toy(shards=200, seconds=0.3)
        code, ledger = sweep(tmp_path, kind, scheduler=cluster.scheduler_address)
        interrupted.result()
    assert (code, ledger.ending) == (130, INTERRUPTED)
    assert not [each for number in numbers for each in workers_of(number)]


def test_a_worker_with_other_versions_is_refused_before_the_first_shard(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_worker_info = Pool.worker_info

    def worker_info(pool: Pool) -> WorkerInfo:
        info = true_worker_info(pool)
        there = info.environment
        return replace(info, environment=replace(there, packages={**there.packages, "numpy": "1.0"}))

    monkeypatch.setattr(Pool, "worker_info", worker_info)
    diary = tmp_path / "diary"
    diary.mkdir()
    with pytest.raises(SweepError, match=r"the worker tcp://127\.0\.0\.1.*: package numpy: 1\.0 -> "):
        sweep(tmp_path, Toy(diary=str(diary)), scheduler=cluster.scheduler_address)
    assert not counted(diary)


def test_a_worker_that_joins_later_checks_itself_first(cluster: LocalCluster, tmp_path: Path) -> None:
    job = Job.of(Toy(), specs(), process_options(tmp_path), 60.0)
    info: dict[str, Any] = {"suite": "0.0.1", "known": "", "descriptions": {}}
    environment = {"python": "3", "platform": "", "cpu": "", "blas": "", "packages": {}, "variables": {}}
    wanted = msgspec.json.encode({**info, "environment": environment})
    with Client(cluster, set_as_default=False) as client:
        encoded = msgspec.json.encode(job)
        answer = client.submit(module.attempt, encoded, wanted, 0, False).result()
        client.run(module.end, encoded)
    assert "suite: 0.0.1 -> " in msgspec.json.decode(answer, type=Refused).message


def test_a_message_of_another_suite_is_refused_before_the_rest_is_read() -> None:
    with pytest.raises(SweepError, match=r"suite: 0\.0\.1 -> "):
        read_job(b'{"suite":"0.0.1","something":"else"}')


def test_processes_that_nobody_asks_any_more_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE", 0.2)
    job = Job.of(Toy(), specs(), process_options(tmp_path), 60.0)
    before = set(workers_of(os.getpid()))
    with patch.dict(os.environ, PATH), closing(Pool(job)) as pool:
        wanted = msgspec.json.encode(pool.worker_info())
        assert module.ready(msgspec.json.encode(job), wanted) == b""
    assert_gone([each for each in workers_of(os.getpid()) if each not in before])


def test_no_scheduler_and_no_worker_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_TIMEOUT", 1.0)
    with pytest.raises(SweepError, match=r"no scheduler answers at tcp://127\.0\.0\.1:9"):
        sweep(tmp_path / "a", scheduler="tcp://127.0.0.1:9")
    with started(0) as empty, pytest.raises(SweepError, match=r"has no worker: dask worker tcp"):
        sweep(tmp_path / "b", scheduler=empty.scheduler_address)


def test_a_scheduler_that_goes_away_is_said_and_what_was_stored_stays(
    whole: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONNECT_TIMEOUT", 3.0)
    kind = Toy(shards=20, seconds=0.2)

    def close(cluster: LocalCluster) -> None:
        wait_for(lambda: len(files(tmp_path / "store")) >= 4)
        cluster.close()

    with started(1) as ours, ThreadPoolExecutor(1) as thread:
        closed = thread.submit(close, ours)
        with pytest.raises(SweepError, match="lost the cluster"):
            sweep(tmp_path, kind, scheduler=ours.scheduler_address)
        closed.result()
    assert sweep(tmp_path, kind, resume=True)[1].results == whole


def test_without_dask_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SweepError, match=r"pip install -e '\.\[sweep,dask\]'"):
        importlib.reload(module)
