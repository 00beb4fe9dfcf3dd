"""Runs of pytest that end before the first test, with one clear line; and how a run's profile is chosen.

One process does them all and pays for the imports once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from pytest_runs import AGREEMENT, CONTRACT, MISSION, Ran, adapter, assert_says, only, process

# With one xdist worker: its fixture takes seconds.
pytestmark = [pytest.mark.xdist_group("usage"), pytest.mark.long]

# Runs pytest once for every [arguments, variables, hidden frameworks], and prints what came of it.
SHORT = """
import contextlib, importlib.util, io, json, os, pytest, sys
find, environment = importlib.util.find_spec, dict(os.environ)

def ran(arguments, variables, hidden):
    os.environ.clear()
    os.environ.update(environment, **variables)
    importlib.util.find_spec = lambda name, *package: None if name in hidden else find(name, *package)
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        status = pytest.main(arguments)
    return [int(status), out.getvalue(), err.getvalue()]

print(json.dumps({name: ran(*run) for name, run in json.load(sys.stdin).items()}))
"""


@dataclass(frozen=True)
class Run:
    """Arguments, variables on top of an environment without any of ours, and frameworks to be hidden."""

    arguments: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()


def header(*arguments: str, **variables: str) -> Run:
    """The header only."""
    return Run((AGREEMENT, "--collect-only", *arguments), variables)


ENDS = {
    "typo in only": Run((AGREEMENT, "--only", "numpi")),
    "empty only": Run((AGREEMENT, "--only", ",")),
    "typo in the module": Run(only(AGREEMENT, *adapter("worng:sign"))),
    "journal": Run(only(AGREEMENT, "--journal", "/dev/null/journal")),
    "timeout": Run(only(AGREEMENT, "--timeout-per-call", "0")),
    "missing": Run((AGREEMENT,), hidden=("torch", "jax")),
    "missing and wanted": Run((AGREEMENT, "--only", "numpy,jax"), hidden=("torch", "jax")),
    "missing and narrowed": Run(only(f"{MISSION}[bfloat16]"), hidden=("torch", "jax")),
    "same name": Run(only(AGREEMENT, "--adapter", "adapters.closed_form:closed_form")),
    "refusing": Run(only(f"{MISSION}[bfloat16]", *adapter("wrong:refuses"))),
    "refusing unasked": Run(only(f"{CONTRACT}[numpy-float64-1x1x3x1]", *adapter("wrong:refuses"))),
    "seed in ci": Run((AGREEMENT, "--profile", "ci", "--hypothesis-seed", "1")),
    "bad profile": header(CROSSCHECK_PROFILE="fast"),
    "hypothesis profile": header("--hypothesis-profile", "nightly"),
    "default": header(),
    "CI": header(CI="true"),
    "variable": header(CI="true", CROSSCHECK_PROFILE="nightly"),
    "option": header("--profile", "nightly", CI="true", CROSSCHECK_PROFILE="dev"),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """What came of each run, by its name."""
    common = ("-p", "no:cacheprovider", "--journal", str(tmp_path_factory.mktemp("journal")))
    wanted = {name: [(*common, *run.arguments), run.variables, run.hidden] for name, run in ENDS.items()}
    found = process("-c", SHORT, text=json.dumps(wanted))
    assert found.returncode == 0, found.stderr
    return {name: Ran(ENDS[name].arguments, *ran) for name, ran in json.loads(found.stdout).items()}


@pytest.mark.parametrize(
    ("run", "line"),
    [
        ("typo in only", "no adapter is called 'numpi'; did you mean 'numpy'? known: numpy, torch, jax"),
        ("empty only", "--only names no adapter"),
        (
            "typo in the module",
            "cannot load tests.faulty_adapters.worng:sign: ModuleNotFoundError: No module",
        ),
        ("journal", "cannot keep a journal in /dev/null/journal: Not a directory"),
        ("timeout", "--timeout-per-call needs a positive number of seconds"),
        ("missing", "not installed: jax, torch; install it, or narrow with --only numpy"),
        ("missing and wanted", "not installed: jax; install it, or narrow with --only numpy"),
        ("same name", "two adapters are called 'numpy'; rename yours, or narrow with --only"),
        ("seed in ci", "profile ci is derandomised, so --hypothesis-seed would do nothing"),
        ("bad profile", "CROSSCHECK_PROFILE is 'fast'; use one of dev, ci, nightly"),
        ("hypothesis profile", "the suite's own profiles are chosen by --profile, not --hypothesis-profile"),
    ],
)
def test_a_run_that_cannot_be_is_a_usage_error_of_one_line(run: str, line: str, runs: dict[str, Ran]) -> None:
    ran = runs[run]
    assert_says(ran, pytest.ExitCode.USAGE_ERROR, f"ERROR: {line}")
    assert len(ran.stderr.splitlines()) <= 2  # the line, and pytest's empty one
    assert "Error\n" not in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("run", "profile"), [("default", "dev"), ("CI", "ci"), ("variable", "nightly"), ("option", "nightly")]
)
def test_the_profile_is_chosen_by_option_then_by_variable_then_by_ci(
    run: str, profile: str, runs: dict[str, Ran]
) -> None:
    assert_says(runs[run], 0, f"adapters numpy, torch, jax, jax-jit; profile {profile}; ")


def test_without_the_other_frameworks_a_narrowed_run_passes(runs: dict[str, Ran]) -> None:
    assert_says(runs["missing and narrowed"], 0, "1 passed", "problems: numpy 10")


def test_a_run_without_a_verdict_on_an_adapter_that_was_asked_fails(runs: dict[str, Ran]) -> None:
    told = "without a verdict: planted-refuses: nothing that it was asked could be judged"
    assert_says(runs["refusing"], 1, "1 passed", told)


def test_a_run_that_asks_the_adapters_nothing_passes(runs: dict[str, Ran]) -> None:
    printed = assert_says(runs["refusing unasked"], 0, "1 passed", "problems: numpy 0, planted-refuses 0")
    assert "without a verdict" not in printed
