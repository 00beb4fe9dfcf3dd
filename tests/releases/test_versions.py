"""Which releases a text names, and what the package index is asked."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from command_line import assert_one_line
from packaging.version import Version

from crosscheck.releases import versions
from crosscheck.releases.versions import ReleasesError, chosen, released

IN_INDEX = ("0.8.0", "0.8.1", "0.9.2", "0.10.0", "0.12.0.1")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The frameworks that the index, which has some releases, was asked for."""
    names: list[str] = []

    def some(framework: str, python: str) -> list[Version]:
        names.append(f"{framework} {python}")
        return [Version(each) for each in IN_INDEX]

    monkeypatch.setattr(versions, "released", some)
    return names


@pytest.mark.parametrize(
    ("text", "want", "asks"),
    [
        ("0.10.0, 0.8.1,0.10.0", ["0.8.1", "0.10.0"], 0),
        ("0.7.0", ["0.7.0"], 0),
        ("0.9.2,latest", ["0.9.2", "0.12.0.1"], 1),
        ("0.8.1..0.10", ["0.8.1", "0.9.2", "0.10.0"], 1),
        ("0.9..latest", ["0.9.2", "0.10.0", "0.12.0.1"], 1),
    ],
)
def test_a_text_names_releases_from_the_oldest_to_the_newest(
    asked: list[str], text: str, want: list[str], asks: int
) -> None:
    assert chosen("jax", text, "old/bin/python") == want
    assert asked == ["jax old/bin/python"] * asks


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("new", ("'new'", "0.8.0..latest")),
        ("0.8.0,", ("''",)),
        ("..0.9.0", ("''",)),
        ("0.8.0..new", ("'new'",)),
        ("0.8.0...0.9.0", ("'.0.9.0'",)),
        ("0.13..latest", ("no release in 0.13..latest", "0.8.0 to 0.12.0.1")),
        ("0.10.0..0.9.2", ("no release in 0.10.0..0.9.2",)),
    ],
)
@pytest.mark.usefixtures("asked")
def test_a_text_that_names_none_is_one_clear_line(text: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(ReleasesError) as error:
        chosen("jax", text, "python")
    assert_one_line(error.value, *parts)


def answering(monkeypatch: pytest.MonkeyPatch, stdout: str = "", stderr: str = "") -> None:
    def run(*_: object, **__: object) -> Any:
        return subprocess.CompletedProcess((), bool(stderr), stdout, stderr)

    monkeypatch.setattr(subprocess, "run", run)


def test_the_index_lists_releases_and_pre_releases_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(
        monkeypatch, "jax (0.10.2)\nAvailable versions: 0.10.2, 0.10.0rc1, 0.9.2\n  INSTALLED: 0.10.2\n"
    )
    assert list(map(str, released("jax"))) == ["0.9.2", "0.10.2"]


@pytest.mark.parametrize("stderr", ["", "WARNING: one\nERROR: No matching distribution found for jax\n"])
def test_an_index_without_an_answer_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, stderr: str) -> None:
    answering(monkeypatch, "", stderr)
    with pytest.raises(ReleasesError) as error:
        released("jax")
    assert_one_line(error.value, "the package index does not list jax", stderr.strip().rpartition("\n")[2])


def test_an_index_that_does_not_answer_in_time_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: object, **__: object) -> Any:
        raise subprocess.TimeoutExpired("pip", 1)

    monkeypatch.setattr(subprocess, "run", late)
    with pytest.raises(ReleasesError, match="no answer within 120 s"):
        released("jax")
