"""Instruction sets: a level holds every library; what a CPU lacks is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from command_line import ROOT, crosscheck
from machine_modes import OLDEST, levels, needs

from adapters import AdapterError, Spec, instructions, spec_of, threads
from adapters.instructions import LEVELS, NUMPY_FEATURES, NUMPY_GROUPS, Cpu, numpy_variable, unavailable
from adapters.modes import parse
from adapters.process_adapter import ProcessAdapter
from adapters.process_options import ProcessOptions
from adapters.start import environment_of
from crosscheck.inputs import Case
from crosscheck.plans.combinations import all_combinations
from crosscheck.script.text import restrict_instructions

AVX2 = frozenset.union(*(LEVELS[name].needs for name in ("sse42", "avx2")))
# What each level is seen as from inside: NumPy's groups and OpenBLAS's kernels; torch's capability, the width
# of the vectors in what it compiles, and its compiler's architecture.
OF_NUMPY = {
    "sse42": (set(), "Nehalem"),
    "avx2": ({"X86_V3"}, "Haswell"),
    "avx512": ({"X86_V3", "X86_V4"}, "SkylakeX"),
}
OF_TORCH = {
    "sse42": ["DEFAULT", "0", "x86-64-v2"],
    "avx2": ["AVX2", "256", "x86-64-v3"],
    "avx512": ["AVX512", "512", "x86-64-v4"],
}


def inside(level: str, *questions: str) -> dict[str, Any]:
    """What the libraries of a process of that level say."""
    command = [sys.executable, "-m", "adapters.start", "tests.faulty_adapters.libraries", *questions]
    environment = environment_of(1, {}, isa=level)
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    found: dict[str, Any] = json.loads(told.stdout)
    return found


@pytest.mark.parametrize("level", levels(all_quick=True))
def test_a_level_holds_numpy_and_its_openblas(level: str) -> None:
    features, kernels = OF_NUMPY[level]
    found = inside(level, "openblas")
    assert set(found["numpy"]) == features
    assert found["openblas"] in (kernels, None)


@pytest.mark.long
@pytest.mark.untraced
@pytest.mark.parametrize("level", levels())
def test_a_level_holds_torch_and_what_it_compiles(level: str, frameworks: frozenset[str]) -> None:
    if "torch" not in frameworks:
        pytest.skip("torch is not in this run")
    assert inside(level, "torch")["torch"] == OF_TORCH[level]


@pytest.mark.long
@pytest.mark.untraced
@pytest.mark.parametrize("level", levels())
def test_a_level_holds_xla_and_a_users_own_flag_is_heeded_beside_it(
    level: str, frameworks: frozenset[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "jax" not in frameworks:
        pytest.skip("jax is not in this run")
    monkeypatch.setenv("XLA_FLAGS", f"--xla_dump_to={tmp_path}/dump")
    with ProcessAdapter.start(
        spec_of(parse(f"jax-jit-{level}")), ProcessOptions(tmp_path / "journal")
    ) as adapter:
        adapter.evaluate(*Case("ordinary", 3, (1024, 1, 4, 1), dtype="float32").problem())
    (options, *_) = [path.read_text() for path in (tmp_path / "dump").glob("*debug_options*")]
    assert f'xla_cpu_max_isa: "{LEVELS[level].xla}"' in options
    code = "".join(path.read_text() for path in (tmp_path / "dump").glob("*ir-with-opt.ll"))
    if code:  # jaxlib 0.12 dumps none
        (most, _), *_ = Counter(re.findall(r"<(\d+) x float>", code)).most_common(1)
        assert (int(most) == 4) == (level == OLDEST)  # registers of 128 bits, or wider ones


CPUS = {
    "older": (
        Cpu("x86_64", "an old one", LEVELS["sse42"].needs),
        "this CPU has no avx2: it lacks abm, avx, ",
    ),
    "arm": (
        Cpu("aarch64", "another one", frozenset({"asimd"})),
        "avx2 is a level of x86-64, and this CPU ",
    ),
    "silent": (Cpu("x86_64", "x86_64", frozenset()), "the system does not say whether this CPU has avx2"),
}


@pytest.mark.parametrize("which", CPUS)
def test_a_level_that_the_cpu_does_not_have_is_refused_with_the_reason(
    which: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cpu, reason = CPUS[which]
    monkeypatch.setattr(instructions, "cpu", lambda: cpu)
    with pytest.raises(AdapterError, match=reason):
        ProcessAdapter.start(Spec("numpy-avx2", "numpy-avx2", "numpy", isa="avx2"), ProcessOptions(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_cpu_has_a_level_with_all_below_it_and_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instructions, "cpu", lambda: Cpu("x86_64", "with AVX2", AVX2))
    assert [unavailable(level) is None for level in LEVELS] == [True, True, False]
    monkeypatch.setattr(instructions, "cpu", lambda: Cpu("x86_64", "odd", AVX2 - {"pni"}))
    assert [unavailable(level) is None for level in LEVELS] == [False, False, False]


@pytest.mark.parametrize(
    ("level", "version", "disabled"),
    [
        ("sse42", "2.4.0", NUMPY_GROUPS),
        ("avx2", "2.4.0rc1", NUMPY_GROUPS[1:]),
        ("avx512", "2.10.0", NUMPY_GROUPS[2:]),
        ("sse42", "2.3.5", NUMPY_FEATURES),
        ("avx2", "2.1.0", NUMPY_FEATURES[4:]),
        ("avx512", "2.3.0", ("AVX512_CLX", "AVX512_CNL", "AVX512_ICL", "AVX512_SPR")),
    ],
)
def test_numpy_is_told_the_names_of_its_version(level: str, version: str, disabled: tuple[str, ...]) -> None:
    assert numpy_variable(level, version) == {"NPY_DISABLE_CPU_FEATURES": " ".join(disabled)}


def test_where_no_level_is_asked_for_the_users_own_choice_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_max_isa=AVX")
    found = environment_of(1, {})
    assert found["OPENBLAS_CORETYPE"] == "Prescott"
    assert found["XLA_FLAGS"] == "--xla_cpu_max_isa=AVX --xla_cpu_multi_thread_eigen=false"


@needs(OLDEST)
def test_a_level_goes_before_the_users_own_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_max_isa=AVX --xla_dump_to=there")
    found = environment_of(2, {}, devices=2, isa=OLDEST)
    assert found["OPENBLAS_CORETYPE"] == "Nehalem"
    ours = (
        "--xla_cpu_multi_thread_eigen=true --xla_force_host_platform_device_count=2 --xla_cpu_max_isa=SSE4_2"
    )
    assert found["XLA_FLAGS"] == f"--xla_dump_to=there {ours}"


@pytest.mark.parametrize(
    ("theirs", "kept"),
    [
        ("--xla_dump_to=x --xla_cpu_multi_thread_eigen=true", "--xla_dump_to=x"),
        ("--xla_force_host_platform_device_count=8", ""),
        ("--xla_dump_to='a b'  --xla_dump_hlo_as_text", "--xla_dump_to='a b' --xla_dump_hlo_as_text"),
        ("no/such/file", ""),
        ("", ""),
    ],
)
def test_a_users_flags_are_kept_but_for_those_that_a_name_decides(
    theirs: str, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XLA_FLAGS", theirs)
    ours = {"xla_cpu_multi_thread_eigen": "false"}
    assert threads.merged(ours)["XLA_FLAGS"].strip() == f"{kept} --xla_cpu_multi_thread_eigen=false".strip()


def test_flags_in_a_file_are_read_as_xla_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "flags").write_text("--xla_dump_to=x\n--xla_dump_hlo_as_text\n")
    monkeypatch.setenv("XLA_FLAGS", str(tmp_path / "flags"))
    assert threads.theirs() == ["--xla_dump_to=x", "--xla_dump_hlo_as_text"]


@pytest.mark.long
@needs(OLDEST)
def test_a_comparison_takes_levels_by_name_and_says_which_flags_are_not_heeded(tmp_path: Path) -> None:
    cases = ["--problems", "7", "--dtype", "float32", "--regime", "ordinary", "--journal", str(tmp_path)]
    flag = "--xla_force_host_platform_device_count=8"
    found = crosscheck("compare", "--only", f"numpy,numpy-{OLDEST}", *cases, XLA_FLAGS=flag)
    assert found.returncode == 0
    assert f"Within bounds: numpy, numpy-{OLDEST}" in found.stdout
    assert found.stderr == f"crosscheck: XLA_FLAGS: {flag} is ignored: an adapter's name decides it\n"


def test_no_combination_that_is_written_down_has_a_level() -> None:
    assert {parse(name).isa for name, _ in all_combinations()} == {instructions.NATIVE}


@needs(OLDEST)
def test_a_script_holds_its_libraries_to_the_level() -> None:
    lines = "\n".join(restrict_instructions(OLDEST))
    assert 'os.environ["ATEN_CPU_CAPABILITY"] = "default"' in lines
    assert 'os.environ["NPY_DISABLE_CPU_FEATURES"] = "' in lines
    assert "CROSSCHECK" not in lines
    assert list(restrict_instructions(instructions.NATIVE)) == []
