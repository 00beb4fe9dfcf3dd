"""How each command of the documentation is executed: as printed, with substitutions, or by a named test.

A command that is not here fails `tests/cli/test_documented.py`, and so does an entry that matches no command.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Swap = tuple[str, str]


@dataclass(frozen=True)
class Run:
    """Executed by bash in a copy of the checkout that has ledgers to work on.

    Attributes:
        swaps: the substitutions, such as smaller numbers or an address that exists.
        code: the expected exit code.
        before: shell commands that are executed first.
        is_long: whether only the profiles ci and nightly run it.
        says: a pattern that the output must contain.
        needs: a program that only the extra lint installs, which `make test` alone does not.
    """

    swaps: tuple[Swap, ...] = ()
    code: int = 0
    before: str = ""
    is_long: bool = False
    says: str = ""
    needs: str = ""


@dataclass(frozen=True)
class Elsewhere:
    """Executed by CI or a workflow as this command, or by a test: ``file.py::name``."""

    by: str


@dataclass(frozen=True)
class Named:
    """A name in a sentence, with no arguments to execute: the command and its options must exist."""


def long(*swaps: Swap, code: int = 0, before: str = "", says: str = "") -> Run:
    """A command that takes more than a second or two."""
    return Run(swaps, code, before, is_long=True, says=says)


def quick(*swaps: Swap, code: int = 0, before: str = "") -> Run:
    """A command that every run of the tests can afford."""
    return Run(swaps, code, before)


FEW: Final = "--dtype float32 --regime ordinary --problems 1"
ONE_FILE: Final = "--collect-only -q tests/inputs/test_literals.py"
SCRIPT: Final = (
    "tests/script/test_script_command.py::test_the_example_in_the_document_is_what_the_command_prints"
)
HISTORY: Final = (
    "tests/releases/test_releases_command.py"
    "::test_what_is_wrong_is_named_with_its_first_release_and_the_next_that_is_right"
)
BISECTION: Final = (
    "tests/releases/test_releases_command.py::test_a_bisection_finds_the_first_wrong_release_in_fewer_runs"
)
RECORDED: Final = "tests/cli/test_recording.py::test_the_gate_turns_a_green_run_red_and_says_why"
SWEPT: Final = "tests/sweep/test_sweep_command.py::test_a_sweep_of_an_adapter_leaves_a_ledger"
CLUSTER: Final = "tests/sweep/test_sweep_cluster.py::test_a_cluster_finds_the_same_and_leaves_nothing"
EXTRAS: Final = "tests/cli/test_documented.py::test_every_extra_that_is_to_be_installed_exists"
WHEEL: Final = "tests/cli/test_installed.py::test_an_installed_command_compares_among_other_peoples_packages"
UV: Final = "tests/cli/test_installed.py::test_uv_runs_the_command_from_a_checkout"
NOTEBOOK: Final = (
    "tests/repository/test_notebook.py::test_the_command_executes_the_notebook_and_writes_what_it_shows"
)
LEVELS: Final = (
    "tests/sweep/test_findings.py::test_the_section_on_instruction_sets_counts_other_bits_and_the_worst_error"
)
RELEASES: Final = "tests/sweep/test_findings.py::test_the_table_of_releases_says_which_elements_are_wrong"
AT_LEVELS: Final = (
    "tests/adapters/test_instructions.py"
    "::test_a_comparison_takes_levels_by_name_and_says_which_flags_are_not_heeded"
)
PROOF: Final = "tests/reference/test_proof.py::test_gappa_proves_every_lemma_under_all_claims"
JAX: Final = "ordinary:0:32769x3x3:contiguous:float64"
PART: Final = "--problems 1 --only numpy"
DASK: Final = "timeout 9 .venv/bin/python -m dask"  # neither ends by itself
UNLUCKY: Final = "tests.faulty_adapters.unlucky:unlucky"
PARTS: Final = (
    "mkdir -p parts; for i in 1 2; do .venv/bin/crosscheck sweep random --problems 1 --only numpy"
    " --shard $i/2 --workers 1 --store some-parts/$i --ledger parts/$i.jsonl --resume; done"
)


def dry(command: str, *, is_long: bool = False) -> dict[str, Run]:
    """A target that takes many minutes: make says what it would do."""
    return {command: Run((("make ", "make -n "),), is_long=is_long)}


def smaller(command: str, old: str, new: str) -> dict[str, Run]:
    """A command with a smaller number."""
    return {command: long((old, new))}


WAYS: Final[dict[str, Run | Elsewhere | Named]] = {
    # ------------------------------------------------------------------------------------------- make
    "make compare": long(("make compare", f"make compare ARGS='--only numpy {FEW}'")),
    "make compare ARGS='--only numpy,jax --dtype float32'": long(("--dtype float32", FEW)),
    "make compare ARGS='--only numpy,torch,jax-jit --dtype float32'": long(("--dtype float32", FEW)),
    "make test": Elsewhere("make test"),
    "make test lint": Elsewhere("make lint"),
    "make test ARGS='--cov --profile ci'": Elsewhere("make test ARGS='--cov --profile ci'"),
    "make setup": Elsewhere("make setup"),
    "make test ARGS='-k agree'": long(("agree'", f"decimal {ONE_FILE}' PARALLEL=")),
    "make test ARGS='-k bounds'": long(("bounds'", f"decimal {ONE_FILE}' PARALLEL=")),
    "make test ARGS='--profile nightly'": long(("nightly'", f"nightly {ONE_FILE}' PARALLEL=")),
    "make test ARGS='--profile ci'": long(("ci'", f"ci {ONE_FILE}' PARALLEL=")),
    "PIP_EXTRA_INDEX_URL=<that address> make test": quick(
        ("<that address>", "https://index.invalid"), ("make test", "make -n test")
    ),
    "make lint": Elsewhere("make lint"),
    "make format": Run(needs="ruff"),
    "make older-numpy": Elsewhere("make older-numpy"),
    "make soak": long(("make soak", "make soak ARGS='--only numpy --problems 1'")),
    "bash .ci/run": Elsewhere("bash .ci/run"),
    ".venv/bin/python tools/notebook.py docs/notebook.ipynb": Elsewhere(NOTEBOOK),
    "make proof": Elsewhere(PROOF),
    **dry("make mutation"),
    **dry(
        "make mutation ARGS='--sample 24 reference.arithmetic=60 reference.bounds=60"
        " reference.gradient=60 reference.stable=60'"
    ),
    **dry("make older-jax"),
    **dry("make pins"),
    **dry("make power"),
    **dry("make power ARGS=--fresh"),
    **dry("make power ARGS='--part knee'"),
    **dry("make power ARGS=--page"),
    **dry("make bench"),
    **dry("make bench ARGS=--quick"),
    **dry("make bench ARGS='--only split'"),
    **dry("make bench ARGS=--page"),
    **dry("make bench ARGS='--only \"suite or hypothesis or tool\"'"),
    **dry("make bench ARGS='--only \"size or adapters or workers\"'"),
    # ---------------------------------------------------------------------------------- check, compare
    ".venv/bin/crosscheck check 'float32:X=[[0x1p+0]]:y=[[0x1p-1]]:W=[[0x1p+1]]'"
    " --adapter tests.faulty_adapters.wrong:missing_one_minus": long(code=1, says="missing"),
    ".venv/bin/crosscheck check 'float32:X=[[0x1p+0]]:y=[[0x1p-1]]:W=[[0x1p+1]]'"
    " --only numpy --adapter tests.faulty_adapters.wrong:missing_one_minus": long(code=1, says="missing"),
    ".venv/bin/crosscheck check 'float32:X=[[0x1p-127]]:y=[[0x0p+0]]:W=[[0x1p+127]]'": long(),
    ".venv/bin/crosscheck check 'float32:X=[[1]]:y=[[0]]:W=[[20]]'": long(says="saturated_high"),
    ".venv/bin/crosscheck check structured:4148:64x2x64:contiguous:float64": long(
        says="structure: X all 1; y numbers of moderate size; W all ½"
    ),
    '.venv/bin/python -c "from crosscheck.inputs.structured import seed_of;'
    " print(seed_of(X='ones', W='halves'))\"": Run(says="4148"),
    ".venv/bin/crosscheck check 'float32:X=[[0x1p-127]]:y=[[0x0p+0]]:W=[[0x1p+127]]' --only numpy,jax": long(
        says="differ"
    ),
    # a level that the CPU lacks is refused with its reason, so that these hold on every machine
    ".venv/bin/crosscheck compare --only numpy,numpy-sse42,numpy-avx2 --problems 1000": Elsewhere(AT_LEVELS),
    ".venv/bin/crosscheck compare --only torch,torch-sse42,torch-avx2": Elsewhere(AT_LEVELS),
    f".venv/bin/crosscheck check {JAX} --only jax-jit-row_loss-closed_W-vectors": long(code=1),
    "crosscheck check structured:4100:64x2x64:contiguous:float64"
    " --only jax-jit-row_loss-closed_W --script": Elsewhere(SCRIPT),
    "crosscheck check CASE|FILE --only MODE --script [--output FILE]": Elsewhere(SCRIPT),
    ".venv/bin/crosscheck adapters": quick(),
    ".venv/bin/crosscheck behaviours": long(("behaviours", "behaviours --only numpy --dtype float32")),
    ".venv/bin/crosscheck compare --only 'jax-jit*'": long(("jit*'", f"jit-[mv]*' {FEW}")),
    ".venv/bin/crosscheck compare --only torch-compile-row_loss-closed_W,numpy": long(
        ("torch-compile", "torch"), (",numpy", f",numpy {FEW}")
    ),
    ".venv/bin/crosscheck compare --only numpy --dtype float32"
    " --adapter tests.faulty_adapters.hidden:refuses_many": long(
        says=r"\n  planted-refuses-many float32: too hard \(\d+ cases: axes \d+, rows \d+, stacks \d+"
    ),
    ".venv/bin/crosscheck compare --matrix --coverage": long(
        ("--coverage", "--coverage --only numpy --dtype float16")
    ),
    ".venv/bin/crosscheck compare --adapter my_autograd:adapter": long(
        ("my_autograd:adapter", f"{UNLUCKY} --only numpy --dtype float64 --problems 1")
    ),
    ".venv/bin/crosscheck compare --adapter my_autograd:adapter"
    " --adapter 'PRECISION=high my_autograd:adapter'": long(
        ("my_autograd:adapter -", f"{UNLUCKY} --only numpy --dtype float64 --problems 1 -"),
        ("my_autograd:adapter'", f"{UNLUCKY}'"),
        says=r"\[PRECISION=high\]",
    ),
    ".venv/bin/crosscheck compare --matrix --dtype float64 --only jax-jit-row_loss-closed_W-vectors"
    " --python old/bin/python --python .venv/bin/python": long(),
    # -------------------------------------------------------------------------------- ledgers, the gate
    ".venv/bin/crosscheck compare --ledger new.jsonl": quick(
        ("new.jsonl", f"small.jsonl --only numpy {FEW}")
    ),
    "OPENBLAS_CORETYPE=Haswell .venv/bin/crosscheck compare --ledger new.jsonl": long(
        ("new.jsonl", f"small.jsonl --only numpy {FEW}")
    ),
    ".venv/bin/crosscheck compare --ledger run.jsonl": long(("run.jsonl", f"small.jsonl --only numpy {FEW}")),
    "crosscheck compare --ledger new.jsonl": long(("new.jsonl", f"small.jsonl --only numpy {FEW}")),
    "crosscheck compare --only numpy,torch --ledger new.jsonl": long(("new.jsonl", f"small.jsonl {FEW}")),
    "crosscheck compare --matrix --ledger new.jsonl": long(
        ("new.jsonl", "small.jsonl --only numpy --dtype float16")
    ),
    ".venv/bin/crosscheck gate baselines/compare.jsonl new.jsonl": quick(),
    ".venv/bin/crosscheck gate older.jsonl volume.jsonl": long(),
    "crosscheck gate older.jsonl run.jsonl": quick(),
    '.venv/bin/crosscheck gate gradients.jsonl ledger.jsonl --accept "1.9, the last release"': quick(),
    ".venv/bin/crosscheck report new.jsonl": long(),
    ".venv/bin/crosscheck report run.jsonl": long(),
    ".venv/bin/crosscheck report run.jsonl older.jsonl": long(),
    ".venv/bin/crosscheck report run.jsonl --output page.html": long(),
    ".venv/bin/pytest --ledger new.jsonl --gate old.jsonl": Elsewhere(RECORDED),
    ".venv/bin/pytest -n 2 --dist loadgroup tests/conformance/test_matrix.py tests/conformance/test_survey.py"
    " --only numpy --ledger old.jsonl": Elsewhere(RECORDED),
    ".venv/bin/pytest -n 2 --dist loadgroup tests/conformance/test_matrix.py tests/conformance/test_survey.py"
    " --only numpy --ledger new.jsonl --gate old.jsonl": Elsewhere(RECORDED),
    ".venv/bin/pytest tests/reference/test_equations.py -k float64-10.1": quick(),
    ".venv/bin/pytest --adapter my_autograd:adapter": long(
        ("my_autograd:adapter", f"{UNLUCKY} {ONE_FILE}")
    ),
    ".venv/bin/crosscheck releases jax 0.8.0..latest": Elsewhere(HISTORY),
    ".venv/bin/crosscheck releases jax 0.10.1,0.10.2,0.11.0 --matrix --only 'jax-jit-row_loss*'"
    " --dtype float64": Elsewhere(HISTORY),
    ".venv/bin/crosscheck releases numpy 2.1.3..2.4.0 --remove": Elsewhere(HISTORY),
    ".venv/bin/crosscheck releases jax 0.9.2..0.10.2 --bisect ordinary:0:32769x3x3:contiguous:float64"
    " --only jax-jit-row_loss-closed_W-vectors": Elsewhere(BISECTION),
    # ---------------------------------------------------------------------------------------- sweeps
    ".venv/bin/crosscheck sweep random --help": quick(),
    **smaller(
        ".venv/bin/crosscheck sweep random --problems 1000000000 --ledger volume.jsonl",
        "1000000000 --ledger volume.jsonl",
        "1 --only numpy --ledger small.jsonl --store one",
    ),
    **smaller(
        ".venv/bin/crosscheck sweep regimes --problems 1000000 --ledger regimes.jsonl",
        "--problems 1000000",
        f"{PART} --dtype float32 --regime zeros",
    ),
    ".venv/bin/crosscheck sweep exhaustive --ledger every.jsonl": Elsewhere(SWEPT),
    ".venv/bin/crosscheck sweep exhaustive --only numpy,torch,jax-jit --ledger exhaustive.jsonl": long(
        ("numpy,torch,jax-jit", "numpy --dtype bfloat16 --store three")
    ),
    ".venv/bin/crosscheck sweep random --only numpy,torch,jax-jit --dtype float64 --problems 100712448"
    " --ledger sample.jsonl": long(
        ("100712448", "10000 --store four"), ("numpy,torch,jax-jit", "numpy"), ("sample", "small")
    ),
    ".venv/bin/python -m tools.findings exhaustive.jsonl sample.jsonl": long(
        ("findings exhaustive", "findings --help || exit; : exhaustive")
    ),
    ".venv/bin/crosscheck sweep random --ledger volume.jsonl": long(
        ("volume.jsonl", f"small.jsonl {PART} --store five")
    ),
    ".venv/bin/crosscheck sweep random --ledger volume.jsonl --resume": long(
        ("volume.jsonl", f"small.jsonl {PART} --store five")
    ),
    "#SBATCH --array=1-64": long(
        ("sweep random", f"sweep random {PART}"), ("/64", "/2"),
        before="export SLURM_SUBMIT_DIR=. SLURM_ARRAY_TASK_ID=1 SLURM_CPUS_PER_TASK=1",
    ),
    ".venv/bin/crosscheck merge parts/*.jsonl --ledger whole.jsonl": long(before=PARTS),
    "dask scheduler --host 10.0.0.1 --port 8786 --no-dashboard": long(
        ("dask", DASK), ("10.0.0.1 --port 8786", "127.0.0.1 --port 0"), code=124
    ),
    "dask worker tcp://10.0.0.1:8786 --nworkers 1 --nthreads 32 --memory-limit 0 --no-dashboard": long(
        ("dask", DASK), ("10.0.0.1:8786", "127.0.0.1:9"), code=124
    ),
    ".venv/bin/crosscheck sweep random --scheduler tcp://10.0.0.1:8786 --ledger volume.jsonl": Elsewhere(
        CLUSTER
    ),
    "crosscheck sweep random --dtype float64 --problems 100712448": Elsewhere(SWEPT),
    "crosscheck sweep random --dtype float32 --problems 100712448": Elsewhere(SWEPT),
    "crosscheck sweep random --dtype float32 --problems 1007124480": long(
        ("1007124480", "10000 --only numpy --store six")
    ),
    "crosscheck sweep exhaustive": Named(),
    "crosscheck releases": Named(),
    # ---------------------------------------------------------------------------------- Python and pip
    ".venv/bin/python -m pip install autograd": quick(
        ("install autograd", "install --help"), (".venv/bin/python", "python3")
    ),
    "pip install -e '.[jax]'": Elsewhere(EXTRAS),
    **dict.fromkeys(("pip install .", "pipx install ."), Elsewhere(WHEEL)),
    **dict.fromkeys(("uv run", "uv run crosscheck compare --only numpy"), Elsewhere(UV)),
    **dict.fromkeys(
        ("uvx --from . crosscheck", "uvx --from . crosscheck compare --matrix --only numpy"), Elsewhere(UV)
    ),
    "uv run --extra jax crosscheck compare --only numpy,jax": Elsewhere(EXTRAS),
    ".venv/bin/python -m tools.findings.instructions"
    " > tools/findings/instructions.md": Elsewhere(LEVELS),
    ".venv/bin/python -m tools.findings.releases PYTHON... > tools/findings/releases.md": Elsewhere(RELEASES),
    ".venv/bin/python -m tools.combinations": long(),
    ".venv/bin/python -m tools.case_digests > tests/data/case_digests.txt": long(),
    ".venv/bin/python benchmarks/wrong_rows.py": long(
        ("wrong_rows.py", "wrong_rows.py --rows 64 --dtype float32"), says="m = 64"
    ),
    ".venv/bin/python benchmarks/tightness.py": long(
        ("tightness.py", "tightness.py --sizes 1x3x1 --problems 64 --steps 1 --dtype float32"), says="1×3×1"
    ),
    ".venv/bin/python benchmarks/judging.py": long(("judging.py", "judging.py --help")),
    ".venv/bin/python benchmarks/attack.py": long(("attack.py", "attack.py --seconds 1 --dtype float32")),
    ".venv/bin/python benchmarks/kappa.py --dtype float16 bfloat16 float32": long(
        (" bfloat16 float32", ""), (".py", ".py --help")
    ),
    ".venv/bin/python benchmarks/kappa.py --dtype float64 --float64 16777216 --seed 1": long(
        ("16777216", "1024"), (".py", ".py --help")
    ),
    ".venv/bin/python benchmarks/memory.py --shards 1 10 50 120": long(
        ("1 10 50 120", "1 --cases 2 --only numpy")
    ),
    # ------------------------------------------------------------------------------- in somebody's CI
    "python -m pip wheel --no-deps --wheel-dir dist .": quick(
        ("python -m pip wheel --no-deps --wheel-dir dist .", "mkdir -p dist && touch dist/some.whl"),
        before="export GITHUB_OUTPUT=output",
    ),
    "# crosscheck.sh: judge a version of jax and gate it; run from the checkout of Gradient Crosscheck": long(
        ("python3.11 -m venv .venv", ":"), (".venv/bin/python -m pip", ": pip"), ("$1", "0.10.2"),
        ("--ledger new.jsonl", f"--ledger small.jsonl --only numpy {FEW}"),
        ('"$2" new.jsonl', "small.jsonl small.jsonl"), ("report new.jsonl", "report small.jsonl"),
    ),
    "bash crosscheck.sh 0.10.2 baselines/compare.jsonl": quick(("bash", "touch crosscheck.sh; bash -n")),
    'git clone --depth 1 --branch v0.1.0 "$CROSSCHECK_ADDRESS" gradient-crosscheck': quick(
        ("git clone --depth 1 --branch v0.1.0", "mkdir -p"),
        ("bash ../", "touch ../crosscheck.sh; bash -n ../"),
        before="export CROSSCHECK_ADDRESS=address JAX_VERSION=0.10.2",
    ),
    # ------------------------------------------------------------------------------------------ names
    **dict.fromkeys(
        (
            "crosscheck adapters", "crosscheck behaviours", "crosscheck check", "crosscheck check --script",
            "crosscheck compare", "crosscheck compare --ledger", "crosscheck compare --matrix",
            "crosscheck compare --matrix --coverage", "crosscheck gate", "crosscheck report",
            "crosscheck sweep", "crosscheck sweep random",
            "crosscheck sweep random --workers",
        ),
        Named(),
    ),
}  # fmt: skip
