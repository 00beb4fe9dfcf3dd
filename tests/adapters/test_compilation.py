"""Compiled programs are kept by version, interpreter and CPU, and damage among them is nobody's fault."""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from numpy.random import mtrand as library  # a shared library that is there wherever the suite is

from adapters import AdapterMisbehaved, Spec, compilation, spec_of
from adapters.compilation import (
    DAMAGED,
    WITHOUT_HEADERS,
    cache,
    mark_damaged,
    settings,
    shows_damage,
    unmark_damaged,
)
from adapters.instructions import Cpu, cpu
from adapters.modes import parse
from adapters.process_adapter import ProcessAdapter
from adapters.process_options import ProcessOptions
from crosscheck.inputs import Case

CASE = Case("ordinary", 3, (4, 1, 3, 1), dtype="float32")
TORCH = "TORCHINDUCTOR_CACHE_DIR"


@pytest.fixture(autouse=True)
def versions(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The versions of the frameworks, which need not be installed and may be changed."""
    found = {"jax": "0.10.2", "jaxlib": "0.10.2", "torch": "2.13.0"}
    monkeypatch.setattr(compilation, "version", found.__getitem__)
    return found


def folder(base: Path, variable: str = TORCH, **environment: str) -> Path:
    """Where a process keeps a framework's programs."""
    return Path(settings({**cache(base), **environment})[variable])


def test_nothing_is_kept_unless_the_parent_says_where() -> None:
    assert settings({}) == {}


def test_a_folder_says_what_it_is_for(tmp_path: Path) -> None:
    name = f"torch-2.13.0-{sys.implementation.cache_tag}-"
    assert folder(tmp_path).parent.name.startswith(name)
    assert folder(tmp_path).parent.parent == tmp_path


@pytest.mark.parametrize("what", ["version", "cpu", "features", "interpreter", "level", "vectors"])
def test_programs_are_kept_apart_by_what_they_hang_on(
    what: str, tmp_path: Path, versions: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, environment = folder(tmp_path), {}
    here = cpu()
    match what:
        case "version":
            versions["torch"] = "2.14.0"
        case "cpu":
            monkeypatch.setattr(compilation, "cpu", lambda: here._replace(model="another"))
        case "features":
            monkeypatch.setattr(compilation, "cpu", lambda: Cpu(here.machine, here.model, frozenset({"x"})))
        case "interpreter":
            monkeypatch.setattr(sys, "version", "another")
        case "level":
            environment = {"CROSSCHECK_INSTRUCTIONS": "avx2"}
        case "vectors":
            environment = {"ATEN_CPU_CAPABILITY": "default"}
    after = folder(tmp_path, **environment)
    assert after != before
    assert after.name == before.name


def test_a_version_of_one_framework_keeps_other_programs(tmp_path: Path, versions: dict[str, str]) -> None:
    before = folder(tmp_path, "JAX_COMPILATION_CACHE_DIR")
    versions["torch"] = "2.14.0"
    assert folder(tmp_path, "JAX_COMPILATION_CACHE_DIR") == before


def test_a_damaged_folder_is_emptied_and_used_no_more_until_it_is_taken_back(tmp_path: Path) -> None:
    first = folder(tmp_path)
    (first / "aa").mkdir()
    mark_damaged([str(first)])
    release()
    second = settings(cache(tmp_path))
    assert Path(second[TORCH]) == first.with_name("1")
    assert second.items() >= WITHOUT_HEADERS.items()
    assert [path.name for path in first.iterdir()] == [DAMAGED]
    unmark_damaged([str(first)])
    assert folder(tmp_path) == first


def release() -> None:
    """Give up the locks of this process, as its end does."""
    for descriptor in Path("/proc/self/fd").iterdir():
        target = Path(os.path.realpath(descriptor))
        if target.parent.name.startswith(("torch-", "jax-")):
            os.close(int(descriptor.name))


def test_a_folder_that_is_in_use_is_left_as_it_is(tmp_path: Path) -> None:
    first = folder(tmp_path)  # and this process uses it from now on
    (first / "aa").mkdir()
    (first / "aa" / "cut.so").write_bytes(b"\x7fELF")
    mark_damaged([str(first)])
    folder(tmp_path)
    assert (first / "aa" / "cut.so").exists()


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.99])
def test_a_library_that_is_cut_off_is_removed_before_anybody_uses_it(share: float, tmp_path: Path) -> None:
    whole = Path(library.__file__)
    first = folder(tmp_path)
    release()
    (first / "aa").mkdir()
    data = whole.read_bytes()
    (first / "aa" / "whole.so").write_bytes(data)
    (first / "aa" / "cut.so").write_bytes(data[: int(share * len(data))])
    assert folder(tmp_path) == first
    assert [path.name for path in (first / "aa").iterdir()] == ["whole.so"]


@pytest.mark.parametrize(
    ("text", "damage"),
    [
        ("torch raised InductorError: ImportError: /a/b.so: file too short", True),
        ("torch raised BackendCompilerFailed: CppCompileError: cannot read PCH file", True),
        ("jax raised error: Error -5 while decompressing data: incomplete or truncated stream", True),
        ("torch killed by signal 7 (SIGBUS); its input: there", True),
        ("torch killed by signal 11 (SIGSEGV); its input: there", False),
        ("torch raised ValueError: the planted message", False),
        ("jax returned y_hat in object, want float64", False),
    ],
)
def test_what_damage_looks_like_is_told_from_faults(text: str, damage: bool) -> None:
    assert shows_damage(text) is damage


def planted(fault: str, tmp_path: Path) -> tuple[ProcessAdapter, ProcessOptions]:
    target = f"tests.faulty_adapters.damage:{fault}"
    given = ProcessOptions(tmp_path / "journal", 60.0, cache(tmp_path / "compiled"))
    return ProcessAdapter.start(Spec(target, target), given), given


def test_what_fails_by_a_damaged_program_is_tried_once_more_without_it(tmp_path: Path) -> None:
    adapter, given = planted("in_the_first_folder", tmp_path)
    with adapter:
        assert adapter.evaluate(*CASE.problem()).y_hat is not None
    (note,) = given.turns.notes
    assert note.startswith("planted-damaged: what was compiled before seems damaged")
    assert list((tmp_path / "journal").iterdir()) == []


def test_what_fails_in_the_same_way_without_it_is_a_fault_and_all_programs_stay(tmp_path: Path) -> None:
    adapter, given = planted("everywhere", tmp_path)
    with adapter, pytest.raises(AdapterMisbehaved, match="file too short"):
        adapter.evaluate(*CASE.problem())
    assert given.turns.notes == []
    assert list((tmp_path / "compiled").rglob(DAMAGED)) == []


def kept(name: str, base: Path) -> tuple[Any, list[str]]:
    """What a mode returns where programs are kept, and the notes."""
    given = ProcessOptions(base / "journal", 60.0, cache(base / "compiled"))
    with ProcessAdapter.start(spec_of(parse(name)), given) as adapter:
        return adapter.evaluate(*CASE.problem()), given.turns.notes


@pytest.mark.long
@pytest.mark.untraced
@pytest.mark.parametrize(
    ("name", "programs", "share"),
    [("jax-jit", "*-cache", 0), ("jax-jit", "*-cache", 0.5), ("torch-compile", "*.so", 0.5)],
)
def test_programs_that_are_cut_off_change_no_result(
    name: str, programs: str, share: float, tmp_path: Path, frameworks: frozenset[str]
) -> None:
    if parse(name).framework not in frameworks:
        pytest.skip(f"{name} is not in this run")
    want, _ = kept(name, tmp_path)
    cut = list((tmp_path / "compiled").rglob(programs))
    for path in cut:
        os.truncate(path, int(share * path.stat().st_size))
    got, _ = kept(name, tmp_path)
    assert cut
    assert [output.tobytes() for output in got if output is not None] == [
        output.tobytes() for output in want if output is not None
    ]


def test_a_process_holds_its_folder_until_it_ends(tmp_path: Path) -> None:
    first = folder(tmp_path)
    descriptor = os.open(first, os.O_RDONLY)
    with pytest.raises(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)
