"""`crosscheck check --script` reduces a disagreement, and prints a script that was seen to reproduce it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from adapters import Spec, is_ours
from adapters.errors import AdapterCrashed, one_line
from adapters.modes import parse
from adapters.process_adapter import WorkerProcesses
from adapters.process_options import ProcessOptions
from adapters.threads import COUNTED
from crosscheck.inputs import Case, CaseError, Literal
from crosscheck.inputs.files import read_case
from crosscheck.judging.evaluation import Outcome, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.script.reproduction import NoScriptError, Reproduction, minimal_reproduction
from crosscheck.script.text import script

MADE, NONE = 0, 2
SCRIPT_TIMEOUT = 300.0  # the seconds that a script may take; most of them are for imports from a cold disk


def script_and_show(
    source: str, specs: Sequence[Spec], options: ProcessOptions, output: Path | None = None
) -> int:
    """Print the script or write it to a file; return the exit code, 0, or 2 with the reason if there is none.

    Raises:
        AdapterError: an adapter cannot be loaded.
        CaseError: the source is neither a case nor a usable file.
        JournalError: the journal cannot be written.
    """
    case = read_case(source)
    if isinstance(case, Literal) and case.taken:
        click.echo(case.taken, err=True)
    try:
        text = make_script(case, specs, options)
        if output is None:
            click.echo(text, nl=False)
        else:
            _write(text, output)
    except (NoScriptError, AdapterCrashed) as reason:
        click.echo(f"crosscheck: no script: {one_line(reason)}", err=True)
        return NONE
    return MADE


def make_script(source: Case | Literal, specs: Sequence[Spec], options: ProcessOptions) -> str:
    """Make the text of the script for the one adapter that disagrees on the case.

    Raises:
        NoScriptError: no adapter or more than one disagrees, the adapter cannot be written as a script, or no
            script reproduces the disagreement.
    """
    if outside := [spec.name for spec in specs if not is_ours(spec.name)]:
        raise NoScriptError(f"scripts are made for the suite's own modes; {outside[0]} is from outside")
    judge = Judge(source.problem())
    with WorkerProcesses(options) as processes:
        outcomes = {spec.name: evaluate_and_judge(processes.adapter(spec), judge) for spec in specs}
        mode = parse(_only_one(outcomes))
        if mode.framework == "numpy":
            raise NoScriptError(f"{mode.name} is the suite's own arithmetic, and no framework's")
        reproduction = minimal_reproduction(mode, source, outcomes[mode.name], judge, processes.adapter)
    return make_working_script(reproduction)


def _only_one(outcomes: Mapping[str, Outcome]) -> str:
    """Return the name of the one adapter that disagrees."""
    off = [name for name, outcome in outcomes.items() if outcome.disagreeing]
    if len(off) > 1:
        raise NoScriptError(f"several adapters are outside: {', '.join(off)}; choose one with --only")
    if off:
        return off[0]
    failed = [f"{name}: {one_line(o.failure)}" for name, o in outcomes.items() if o.failure is not None]
    if failed:
        raise NoScriptError(f"a script shows a wrong number, not an adapter that failed: {'; '.join(failed)}")
    names = ", ".join(outcomes)
    raise NoScriptError(
        f"nothing is outside on this input, so that there is nothing to send; evaluated: {names}"
    )


def make_working_script(reproduction: Reproduction) -> str:
    """Return the shorter of two scripts that reproduces the number when it is run with this interpreter.

    Raises:
        NoScriptError: neither script reproduces the number.
    """
    said = ""
    for lean in (True, False):
        text = script(reproduction, lean=lean)
        code, said = run_script(text)
        if code == 1 and f"got    {reproduction.got.hex()} " in said:
            return text
    last = said.strip().rpartition("\n")[2]
    name = reproduction.mode.name
    raise NoScriptError(f"{name} is outside; the script made of it does not show that: {last}")


def run_script(text: str, python: str = sys.executable, timeout: float = SCRIPT_TIMEOUT) -> tuple[int, str]:
    """Run a script that cannot import this project; return its exit code and its output."""
    environment = {k: v for k, v in os.environ.items() if k not in (*COUNTED, "XLA_FLAGS")}
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "script.py"
        file.write_text(text, encoding="utf-8")
        try:
            found = subprocess.run(  # noqa: S603, the suite's own text
                [python, "-I", str(file)],
                cwd=directory,
                env=environment,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return NONE, f"it took more than {timeout:g} s"
    return found.returncode, found.stdout or found.stderr


def _write(text: str, output: Path) -> None:
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CaseError(f"{output}: cannot be written: {error.strerror or error}") from None
    click.echo(f"Written to {output}.")
