"""The GitHub action: its steps, executed in order as a runner does, except what others' actions do."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from action_runner import ACTION, PYTHON, Ran, Runner, document
from ledgers import cell, summary
from pytest_runs import ROOT
from ruamel.yaml import YAML

from crosscheck.results.ledger import read, write

pytestmark = [pytest.mark.xdist_group("action"), pytest.mark.long, pytest.mark.untraced]

SMALL: Final = {"only": "numpy", "dtype": "float32", "arguments": "--problems=64", "baseline": "none"}
HOSTILE: Final = "$(touch pwned)`touch pwned`;touch pwned;'\"|touch pwned&\n::error::pwned\ntouch pwned"
EXAMPLES: Final = ("README.md", "docs/ci.md")
WORKFLOWS: Final = sorted((ROOT / ".github/workflows").glob("*.yml"))


@pytest.fixture
def action(tmp_path: Path) -> Runner:
    """The action, with the suite already installed."""
    return Runner(tmp_path)


@pytest.fixture
def installer(tmp_path: Path) -> Callable[..., Ran]:
    """The action with programs that do nothing; it takes what pip would list as installed."""
    python = tmp_path / "python"
    python.write_text(PYTHON.format(executable=sys.executable))
    python.chmod(0o755)

    def run(installed: str = "", **given: str) -> Ran:
        return Runner(tmp_path, python, INSTALLED=installed)(**given)

    return run


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A run without a baseline."""
    return Runner(tmp_path_factory.mktemp("first"))(**SMALL)


def against(action: Runner, content: bytes) -> Ran:
    """The same run as the first one, against a baseline with this content."""
    (action.workspace / "my baseline.jsonl").write_bytes(content)
    return action(**SMALL | {"baseline": "my baseline.jsonl"})


def ledger(ran: Ran) -> Path:
    return Path(ran.outputs["ledger"])


def compared(ran: Ran) -> list[str]:
    """The arguments of the comparison."""
    (found,) = [call[1:] for call in ran.calls if call[0] == "compare"]
    return found


# ------------------------------------------------------------------------------------------ verdicts


def test_a_run_without_a_baseline_is_green_where_all_agree(first: Ran) -> None:
    assert (first.status, first.outputs["verdict"]) == (0, "agreement"), first.printed
    assert {each.adapter for each in read(ledger(first)).cells} == {"numpy"}
    assert "<title>" in Path(first.outputs["report"]).read_text()
    assert {"ledger.jsonl", "report.html", "compare.txt"} <= first.uploaded


def test_the_summary_has_the_table_as_text(first: Ran) -> None:
    assert "## Gradient Crosscheck\n<pre>\n" in first.summary
    assert "Within bounds: numpy" in first.summary
    assert first.summary.endswith("**Verdict: agreement**\n")
    assert "outside" not in first.summary


def test_equal_numbers_pass_the_gate(action: Runner, first: Ran) -> None:
    ran = against(action, ledger(first).read_bytes())
    assert (ran.status, ran.outputs["verdict"]) == (0, "agreement"), ran.printed
    assert "Nothing changed." in ran.summary
    assert read(ledger(ran)).results == read(ledger(first)).results


def test_a_regression_ends_with_1_and_is_in_the_summary(action: Runner, first: Ran) -> None:
    old = read(ledger(first))
    more = action.temp / "more.jsonl"
    write(more, dataclasses.replace(old, cells={**old.cells, cell("numpy-new"): summary()}))
    ran = against(action, more.read_bytes())
    assert (ran.status, ran.failed, ran.outputs["verdict"]) == (1, "Verdict", "regression"), ran.printed
    assert "| regression | numpy-new | adapter |" in ran.summary
    assert {"ledger.jsonl", "report.html"} <= ran.uploaded


def test_a_cut_off_baseline_ends_with_2(action: Runner, first: Ran) -> None:
    ran = against(action, ledger(first).read_bytes()[:-1])
    assert (ran.status, ran.failed, ran.outputs["verdict"]) == (2, "Verdict", "unusable"), ran.printed
    assert "does not fit its checksum" in ran.printed
    assert {"ledger.jsonl", "report.html"} <= ran.uploaded


def test_a_disagreement_ends_with_1_and_its_adapter_comes_from_the_workspace(action: Runner) -> None:
    (action.workspace / "mine.py").write_text("from tests.faulty_adapters.wrong import sign as adapter\n")
    ran = action(**SMALL, adapter="mine:adapter")
    assert (ran.status, ran.failed, ran.outputs["verdict"]) == (1, "Verdict", "disagreement"), ran.printed
    assert "planted-sign is wrong: grad[0, 0] in float32" in ran.summary
    assert "replay        .venv/bin/crosscheck check" in ran.summary
    assert {"ledger.jsonl", "report.html", "compare.txt"} <= ran.uploaded


def test_a_run_that_cannot_start_is_not_green(action: Runner) -> None:
    ran = action(**SMALL | {"only": "nmpy"})
    assert (ran.status, ran.failed, ran.outputs["verdict"]) == (2, "Verdict", "unusable")
    assert "no adapter is called 'nmpy'" in ran.summary


# -------------------------------------------------------------------------------------------- inputs


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"only": "numpy"}, "the pinned baseline is of a run without only"),
        ({"matrix": "true"}, "the pinned baseline is of a run without only"),
        ({"matrix": "yes"}, "matrix is true or false, not yes"),
        ({"torch": "2.13.0 --pre"}, "is neither a version, nor nightly"),
        ({"jax": "nightly"}, "a nightly needs index"),
        ({"torch": "missing.whl"}, "nor a wheel in the workspace"),
        ({"baseline": "missing.jsonl"}, "no such file in the workspace: missing.jsonl"),
    ],
    ids=["subset", "matrix", "boolean", "version", "nightly", "wheel", "baseline"],
)
def test_an_input_that_cannot_be_meant_ends_with_2_before_anything_is_installed(
    given: dict[str, str], why: str, installer: Callable[..., Ran]
) -> None:
    ran = installer(**given)
    assert (ran.status, ran.outputs["verdict"], ran.calls) == (2, "unusable", [])
    assert "::error title=Gradient Crosscheck::" in ran.printed
    assert why in ran.printed


@pytest.mark.parametrize("name", [*ACTION["inputs"]])
def test_what_a_shell_would_execute_stays_text(
    name: str, tmp_path: Path, installer: Callable[..., Ran]
) -> None:
    ran = installer(**SMALL | {name: HOSTILE})
    assert ran.status == (2 if name in ("torch", "jax", "numpy", "matrix", "baseline") else 0)
    assert [*tmp_path.rglob("pwned"), *ROOT.glob("pwned")] == []
    assert not re.search("^::error::", ran.printed, re.MULTILINE)
    if name in ("adapter", "only", "dtype"):
        assert f"--{name}={HOSTILE}" in compared(ran)
    if name == "arguments":
        assert compared(ran)[:3] == HOSTILE.split("\n")


def test_the_action_says_last_where_the_ledger_goes(installer: Callable[..., Ran]) -> None:
    ran = installer(**SMALL | {"arguments": "--ledger=other.jsonl\n\n--seed\n7\n"}, matrix="true")
    told = ["--ledger=other.jsonl", "--seed", "7", "--only=numpy", "--dtype=float32", "--matrix"]
    assert compared(ran) == [*told, f"--ledger={ledger(ran)}", f"--journal={ran.folder}/journal"]


# -------------------------------------------------------------------------------------- installation


def pins(ran: Ran) -> set[str]:
    """The names that are pinned."""
    lines = (ran.folder / "constraints.txt").read_text().splitlines()
    return {line.partition("==")[0] for line in lines if "==" in line}


def words(ran: Ran) -> list[str]:
    """The arguments of pip where the suite is installed."""
    found = [call for call in ran.calls if "-e" in call][-1]
    return found[found.index("-e") + 1 : found.index("-r")]


def test_what_is_not_on_trial_is_installed_with_its_pins(installer: Callable[..., Ran]) -> None:
    ran = installer()
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert pins(ran) == {line.partition("==")[0] for line in lines if "==" in line}
    assert words(ran)[0].endswith("/suite[report,torch,jax]")


def test_a_release_on_trial_leaves_the_pins_with_what_comes_with_it(installer: Callable[..., Ran]) -> None:
    everything, ran = installer(), installer(jax="0.10.1", numpy="2.3.5")
    assert pins(everything) - pins(ran) == {"jax", "jaxlib", "opt_einsum", "scipy", "numpy"}
    assert {"jax==0.10.1", "numpy==2.3.5"} <= set(words(ran))


def test_a_wheel_from_the_workspace_can_be_on_trial(tmp_path: Path, installer: Callable[..., Ran]) -> None:
    wheel = tmp_path / "work space" / "my torch.whl"
    wheel.parent.mkdir()
    wheel.touch()
    ran = installer(torch="my torch.whl")
    assert str(wheel) in words(ran)
    assert "torch" not in pins(ran)


def test_only_what_is_asked_for_is_installed(installer: Callable[..., Ran]) -> None:
    ran = installer(**SMALL, packages="autograd==1.8.0\n./my library")
    (said,) = words(ran)
    assert said.endswith("/suite[report]")
    assert (ran.folder / "requirements.txt").read_text() == "autograd==1.8.0\n./my library\n"


def test_a_nightly_is_looked_for_where_nightlies_are(installer: Callable[..., Ran]) -> None:
    ran = installer(
        "torch==2.14.0.dev20261101+cpu", torch="nightly", index="https://a.example/\nhttps://b.example/\n"
    )
    said = words(ran)
    assert "torch>=0.dev0" in said
    looked = [said[at + 1] for at, word in enumerate(said) if word == "--extra-index-url"]
    assert looked == ["https://a.example/", "https://b.example/"]
    assert not {"torch", "sympy"} & pins(ran)
    assert ran.status == 0


@pytest.mark.parametrize("installed", ["jax==0.10.3.dev20261101\njaxlib==0.10.2", "jax==0.10.2"])
def test_a_release_in_the_place_of_a_nightly_is_not_green(
    installed: str, installer: Callable[..., Ran]
) -> None:
    ran = installer(installed, jax="nightly", index="https://a.example/")
    assert (ran.status, ran.outputs["verdict"]) == (2, "unusable")
    assert re.search("no nightly of jax(lib)? could be had", ran.printed)


# ----------------------------------------------------------------------------------- what others run


def steps() -> Iterator[tuple[str, Any]]:
    """Every step of the action, of the workflows and of the examples in the documentation."""
    documents = [("action.yml", ACTION), *((path.name, document(path)) for path in WORKFLOWS)]
    for name in EXAMPLES:
        blocks = re.findall(r"^```yaml\n(.*?)^```", (ROOT / name).read_text(), re.DOTALL | re.MULTILINE)
        documents += [(name, YAML(typ="safe", pure=True).load(block)) for block in blocks]
    for name, content in documents:
        if isinstance(content, list):
            jobs = [{"steps": content}]
        else:
            jobs = [content["runs"]] if "runs" in content else content.get("jobs", {}).values()
        yield from ((name, step) for job in jobs for step in job["steps"])


def test_whoever_uses_the_action_gives_it_inputs_that_it_has() -> None:
    ours = [step for _, step in steps() if re.match(r"\./$|OWNER/gradient-crosscheck@", step.get("uses", ""))]
    assert len(ours) > len(WORKFLOWS)
    assert {name for step in ours for name in step.get("with", {})} <= set(ACTION["inputs"])


def test_the_documentation_has_every_input_and_output() -> None:
    text = (ROOT / "docs/ci.md").read_text()
    assert [name for name in (*ACTION["inputs"], *ACTION["outputs"]) if f"| `{name}` |" not in text] == []
