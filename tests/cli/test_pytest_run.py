"""The suite's own pytest run, as a user starts it: what is wrong makes it fail, and what it says about it.

All runs start with the first test that asks for one, two at a time.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pytest_runs import CONTRACT, MISSION, Ran, adapter, assert_says, only, process

from crosscheck.inputs.regimes import REGIMES
from crosscheck.pool import CRASHED, LATE
from tests.faulty_adapters import deaths, wrong

# With one xdist worker: its fixture takes seconds.
pytestmark = [pytest.mark.xdist_group("run"), pytest.mark.long]

REGIME = "tests/conformance/test_stacks.py::test_every_regime_agrees_at_the_documents_shape"
FATES = ("segfault", "exits", "endless", "killed")
WRONG = {
    "sign": "wrong: grad",
    "missing_half": "wrong: loss",
    "missing_one_minus": "wrong: grad",
    "transposed": "wrong: grad",
    "commented_19": "commented-out variant of (19)",
    "float32_inside_float64": "wrong: y_hat",
    "mutates_input": "changed its input W in place",
    "stale_result": "returns y_hat, loss, grad as if X and y and W were of an earlier call",
    "nan": "got nan",
    "relative_error_float64": "Δ is 1.00000000000003 × exact",
    "relative_error_float32": "Δ is 1.00000596",
}
ONE_SEED = ("--only", "numpy", "--hypothesis-seed", "1")
RUNS = {
    "planted": only(
        f"{REGIME}[float64-ordinary]",
        f"{REGIME}[float32-ordinary]",
        f"{CONTRACT}[tests.faulty_adapters.wrong:stale_result-float64-1x1x3x1]",
        *adapter(*(f"wrong:{name}" for name in WRONG)),
    ),
    "deaths": only(
        f"{MISSION}[float64]",
        *("--timeout-per-call", "1", "--compile-timeout", "2"),
        *adapter(*(f"deaths:{name}" for name in FATES), "import_exit:any"),
    ),
    "mission": only(f"{MISSION}[float64]", *adapter("wrong:relative_error_float64")),
    "moody": only(f"{MISSION}[float64]", *adapter("wrong:late_result", "wrong:healthy")),
    "deaths in the contract": only(
        f"{CONTRACT}[tests.faulty_adapters.deaths:always-float64-1x1x3x1]",
        f"{CONTRACT}[tests.faulty_adapters.deaths:always-float64-1x1x1x1]",
        *adapter("deaths:always"),
    ),
    "healthy": (f"{MISSION}[float64]", *adapter("wrong:healthy"), *ONE_SEED),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Ran]]:
    """What came of a run, by its name."""
    common = ("-p", "no:cacheprovider", "--journal", str(tmp_path_factory.mktemp("journal")))
    with ThreadPoolExecutor(max_workers=2) as pool:
        each = {name: pool.submit(process, "-m", "pytest", *common, *run) for name, run in RUNS.items()}
        yield lambda name: each[name].result()


def block_of(printed: str, name: str) -> str:
    """What is said about one adapter, up to the next one."""
    found = re.findall(rf"^{name} (?:is wrong|failed|return).*?(?=^\S|\Z)", printed, re.DOTALL | re.MULTILINE)
    return " ".join(" ".join(found).split())


@pytest.mark.parametrize("name", WRONG)
def test_a_planted_adapter_is_named_with_what_is_wrong_and_a_replay_line(
    name: str, runs: Callable[[str], Ran]
) -> None:
    """Output, equation and evidence are those of `crosscheck check`: see tests/judging/test_planted.py."""
    block = block_of(assert_says(runs("planted"), 1, "3 failed"), getattr(wrong, name).name)
    assert WRONG[name] in block
    assert re.search(f"bin/crosscheck check [^\n]* --adapter tests.faulty_adapters.wrong:{name}", block)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("mission", ["planted-relative-error-float64 is outside on grad", "bound used"]),
        ("moody", ["planted-late-result is outside on", "call 3 with the input of call 2 changes"]),
    ],
)
def test_random_problems_find_it_too_and_the_message_is_all_that_is_shown(
    run: str, words: list[str], runs: Callable[[str], Ran]
) -> None:
    printed = assert_says(runs(run), 1, "1 failed", "bin/crosscheck check", *words)
    assert "Traceback" not in printed
    assert "another exception" not in printed
    assert "healthy is wrong" not in printed


@pytest.mark.parametrize("name", FATES)
def test_a_crash_fails_the_run_and_is_named_with_its_journal(name: str, runs: Callable[[str], Ran]) -> None:
    printed = assert_says(runs("deaths"), 1, "1 failed", CRASHED, LATE)
    line = (
        rf"^planted-{name} (?:killed|exited|gave no answer).*; its input: (\S+\.safetensors); what it printed"
    )
    (journal,) = set(re.findall(line, printed, re.MULTILINE))
    assert Path(journal).is_file()
    assert f"bin/crosscheck check {journal} --adapter tests.faulty_adapters.deaths:{name}" in printed
    what = "no verdict" if name == "endless" else "crashed"
    assert f"\n{what}: tests.faulty_adapters.deaths:{name}: planted-{name} " in printed


def test_a_crash_while_loading_fails_the_run_and_the_others_are_judged(
    runs: Callable[[str], Ran],
) -> None:
    first = (
        "tests.faulty_adapters.import_exit:any exited with status 0; before its first call; what it printed"
    )
    printed = assert_says(runs("deaths"), 1, first)
    (problems,) = re.findall(r"^problems: numpy (\d+), ", printed, re.MULTILINE)
    assert int(problems) > 100  # all examples; those that crashed had two or so


def test_the_journal_of_a_crash_replays_it(runs: Callable[[str], Ran]) -> None:
    printed = assert_says(runs("deaths"), 1)
    (line,) = [
        each for each in printed.splitlines() if each.endswith("--adapter tests.faulty_adapters.deaths:exits")
    ]
    command = ["-m", "crosscheck.cli", *shlex.split(line)[2:], "--only", "numpy"]
    assert_says(process(*command), 1, "planted-exits exited with status 0")


def test_an_adapter_that_crashes_in_a_contract_check_is_out_after_one_crash(
    runs: Callable[[str], Ran],
) -> None:
    printed = assert_says(runs("deaths in the contract"), 1, "planted-always exited with status 0")
    assert_says(runs("deaths in the contract"), 1, "1 failed, 1 skipped")
    assert "Traceback" not in printed


def test_a_healthy_adapter_from_outside_is_judged_as_often_as_ours(runs: Callable[[str], Ran]) -> None:
    printed = assert_says(runs("healthy"), 0, "1 passed")
    assert re.search(r"^problems: numpy (\d\d+), planted-healthy \1$", printed, re.MULTILINE)


def test_a_run_tells_how_many_elements_of_random_problems_fell_into_each_regime(
    runs: Callable[[str], Ran],
) -> None:
    printed = assert_says(runs("healthy"), 0, "1 passed")
    (line,) = re.findall(r"^judged elements of ŷ by regime: (.*)$", printed, re.MULTILINE)
    told = re.findall(r"(\w+) ([\d,]+)", line)
    counts = [int(count.replace(",", "")) for _, count in told]
    assert [name for name, _ in told] == list(REGIMES)
    assert all(count % 2 == 0 for count in counts), line  # each for two adapters
    assert sum(counts) >= 200, line  # a hundred examples, of an element or more


def test_every_planted_adapter_of_the_list_is_run() -> None:
    assert set(WRONG) <= {name for name, found in vars(wrong).items() if isinstance(found, wrong.Planted)}
    assert {*FATES, "always"} == {
        name for name, found in vars(deaths).items() if isinstance(found, wrong.Planted)
    }
