"""`make` sets up what a command needs, once, and begins again after it was interrupted."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pytest_runs import ROOT

# A Python, in its environment another and a crosscheck: they write down what they are told, and do nothing.
PYTHON = """#!/bin/sh
echo "$@" >> calls
case "$*" in
  *venv*)
    mkdir -p .venv/bin .venv/lib/python3/site-packages
    cp python .venv/bin/python
    cp python .venv/bin/crosscheck ;;
  *'-m pip --disable'*'-e'*)
    echo '  Downloading torch-2.13.0.whl (720.3 MB)'
    echo 'Installing collected packages: numpy, torch'
    [ ! -e killed ] || kill -9 $PPID
    [ ! -e interrupted ] || { trap '' INT; kill -INT 0; exit 1; }
    [ ! -e broken ] ;;
esac
"""


class Checkout:
    """A directory with the Makefile and what it reads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, folder)
        (folder / "python").write_text(PYTHON)
        (folder / "python").chmod(0o755)

    def make(self, target: str) -> tuple[list[str], str]:
        """Make the target; the calls that it made, but for questions, and what it printed."""
        calls = self._folder / "calls"
        calls.write_text("")
        environment = {"PATH": os.environ["PATH"]}  # nothing of a make that runs the tests
        command = ("make", target, "PYTHON=./python")
        ran = subprocess.run(
            command,
            cwd=self._folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,  # what interrupts it interrupts no more
        )
        told = [
            line
            for line in calls.read_text().splitlines()
            if "-c import" not in line and "--version" not in line
        ]
        return told, ran.stdout

    @contextmanager
    def once(self, what: str) -> Iterator[None]:
        """Have pip fail (broken), or the set-up be killed or interrupted while it is at work."""
        (self._folder / what).touch()
        yield
        (self._folder / what).unlink()

    def installs_something(self) -> None:
        """As uv or a user's pip does."""
        site = self._folder / ".venv/lib/python3/site-packages"
        (site / "new").touch()
        os.utime(site, (2**31, 2**31))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def extras(calls: list[str]) -> list[str]:
    """The extras of each installation of the suite."""
    return [call.rpartition("[")[2].rstrip("]") for call in calls if " -e " in call]


@pytest.mark.parametrize(
    ("target", "wanted", "unwanted"),
    [
        ("compare", {"torch", "jax"}, {"test", "lint", "all"}),
        ("test", {"torch", "jax", "test"}, {"lint", "all"}),
    ],
)
def test_a_command_installs_what_it_needs_and_no_more(
    target: str, wanted: set[str], unwanted: set[str], checkout: Checkout
) -> None:
    (found,) = extras(checkout.make(target)[0])
    assert wanted <= set(found.split(","))
    assert unwanted.isdisjoint(found.split(","))


def test_the_set_up_says_what_it_does_and_when_it_is_done(checkout: Checkout) -> None:
    printed = [line.strip() for line in checkout.make("setup")[1].splitlines()]
    assert printed[0].startswith("Setting up .venv with all: ")
    assert [line.partition(" s  ")[2] for line in printed[1:]] == [
        "Downloading torch-2.13.0.whl (720.3 MB)",
        "Installing 2 packages: no more lines until it is done",
        "Done",
    ]


def test_what_is_set_up_is_not_set_up_again_for_less(checkout: Checkout) -> None:
    assert extras(checkout.make("setup")[0]) == ["all"]
    assert checkout.make("compare")[0] == ["compare"]
    assert extras(checkout.make("setup")[0]) == []


def test_what_others_install_is_followed_by_another_look(checkout: Checkout) -> None:
    checkout.make("compare")
    checkout.installs_something()
    assert len(extras(checkout.make("compare")[0])) == 1


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    ("what", "again"),
    [("killed", ["-m venv --clear .venv"]), ("interrupted", ["-m venv --clear .venv"]), ("broken", [])],
)
def test_a_set_up_that_was_ended_begins_afresh_and_one_that_failed_goes_on(
    what: str, again: list[str], checkout: Checkout
) -> None:
    with checkout.once(what):
        calls, printed = checkout.make("compare")
    assert calls[-1].startswith("-m pip")
    assert "Done" not in printed
    calls, printed = checkout.make("compare")
    assert [call for call in calls if "venv" in call] == again
    assert calls[-1] == "compare"
    assert "Done" in printed
