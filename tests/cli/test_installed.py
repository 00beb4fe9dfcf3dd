"""The suite from a wheel, in an environment of its own: with all files, among other people's packages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from command_line import ROOT, python
from pytest_runs import OURS

pytestmark = [pytest.mark.xdist_group("installed"), pytest.mark.long, pytest.mark.untraced]

PACKAGES = ("adapters", "crosscheck", "reference")
HOME = "gradient_crosscheck"
THEIRS = 'raise ImportError("somebody else\'s package")\n'
SMALL = ("compare", "--only", "numpy", "--dtype", "float32", "--problems", "50")
MATRIX = ("compare", "--matrix", "--only", "numpy", "--dtype", "float16", "--ledger", "run.jsonl")
CLEAN = {name: value for name, value in os.environ.items() if name not in (*OURS, "PYTHONPATH")}


def files_of(folder: Path) -> set[str]:
    """The files of our packages there, by their paths."""
    found = (path for package in PACKAGES for path in (folder / package).rglob("*"))
    return {
        str(path.relative_to(folder)) for path in found if path.is_file() and "__pycache__" not in path.parts
    }


def strays(names: Iterable[str]) -> list[str]:
    """What an installation would leave outside of the folder that is ours alone."""
    return [name for name in names if not name.startswith((f"{HOME}/", f"{HOME}-"))]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, as pip and uv have it built."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture
def site(wheel: Path, tmp_path: Path) -> Path:
    """The site-packages of an environment with the wheel, and with other people's packages of our names.

    What the suite requires it sees where it is; not the checkout, which is installed beside that.
    """
    venv.create(tmp_path / "environment", with_pip=False)
    place = {"base": str(tmp_path / "environment"), "platbase": str(tmp_path / "environment")}
    site = Path(sysconfig.get_path("purelib", "venv", place))
    plant(site)
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    above = [path for path in sys.path if path.endswith("-packages")]
    (site / "above.pth").write_text("\n".join(above))
    return site


def plant(folder: Path) -> None:
    """Somebody else's packages of our names, which nobody of ours may import."""
    for name in PACKAGES:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(THEIRS)


def in_python(site: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Python of the environment, in a directory with other people's packages of our names."""
    here = site.parents[3] / "here"
    if not here.exists():
        plant(here)
    return subprocess.run(
        [site.parents[2] / "bin" / "python", *arguments],
        cwd=here, env={**CLEAN, **environment}, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def installed(site: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command of the environment, started in the same directory."""
    start = f"import sys; from {HOME} import main; sys.path.insert(0, ''); sys.argv[0] = 'crosscheck'; main()"
    return in_python(site, "-P", "-c", start, *arguments, **environment)


def test_a_wheel_has_every_file_of_the_packages_in_a_folder_that_is_ours_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert strays(names) == []
    packed = {name.removeprefix(f"{HOME}/") for name in names if name.startswith(f"{HOME}/")}
    assert packed == files_of(ROOT) | {"__init__.py"}


def test_a_package_of_a_common_name_at_the_top_would_be_seen() -> None:
    assert strays(["adapters/__init__.py", f"{HOME}/adapters/__init__.py"]) == ["adapters/__init__.py"]


def test_an_installed_command_compares_among_other_peoples_packages(site: Path, tmp_path: Path) -> None:
    plant(tmp_path / "elsewhere")
    ran = installed(site, *SMALL, PYTHONPATH=str(tmp_path / "elsewhere"))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Within bounds: numpy" in ran.stdout
    assert [(site / name / "__init__.py").read_text() for name in PACKAGES] == [THEIRS] * len(PACKAGES)


def test_an_installed_command_has_its_data(site: Path) -> None:
    ran = installed(site, *MATRIX)
    assert (ran.returncode, ran.stderr) == (0, "")
    ran = installed(site, "report", "run.jsonl")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "<title>" in (site.parents[3] / "here" / "run.html").read_text()


JUDGE = """
from gradient_crosscheck import compare_adapters, judge_outputs
judged = judge_outputs([[1]], [["0.5"]], [[2]], grad=[["0.3354049"]], dtype="float32", arithmetic="numpy")
compared = compare_adapters("numpy", dtypes=["float32"], regimes=["ordinary"], problems=1)
print(judged.verdict.value, compared.within_bounds)
"""


def test_installed_functions_judge_and_compare_and_name_the_packages_that_they_hide(site: Path) -> None:
    ran = in_python(site, "-c", JUDGE)
    assert (ran.returncode, ran.stdout) == (0, "outside True\n"), ran.stderr
    hidden = re.findall(
        r"UserWarning: '(\w+)' is gradient_crosscheck's in this process; \S+/here/", ran.stderr
    )
    assert sorted(hidden) == sorted(PACKAGES)


@pytest.mark.parametrize("name", PACKAGES)
def test_installed_functions_never_take_the_place_of_a_package_that_is_there(name: str, site: Path) -> None:
    theirs = f"import sys, types; sys.modules[{name!r}] = types.ModuleType({name!r})"
    ran = in_python(site, "-c", f"{theirs}{JUDGE}")
    assert ran.returncode == 1
    last = ran.stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: the package {name!r} of somebody else is imported already")


def test_the_command_of_the_checkout_finds_its_own_packages(tmp_path: Path) -> None:
    plant(tmp_path)
    start = f"from {HOME} import main; main()"
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    journal = ("--journal", str(tmp_path / "journal"))
    ran = python("-c", start, *SMALL, *journal, cwd=tmp_path, PYTHONPATH=path)
    assert (ran.returncode, ran.stderr) == (0, "")


UV = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")


@pytest.mark.skipif(UV is None, reason="uv is not installed; the extra lint has it")
@pytest.mark.parametrize(
    "line",
    [
        ("run", "crosscheck", *SMALL),
        ("tool", "run", "--from", ".", "crosscheck", *MATRIX),
    ],
    ids=["uv-run", "uvx"],
)
def test_uv_runs_the_command_from_a_checkout(line: tuple[str, ...], tmp_path: Path) -> None:
    assert UV is not None
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.egg-info"))
    ran = subprocess.run(
        [UV, *line], cwd=checkout, env=CLEAN, capture_output=True, text=True, check=False, timeout=600
    )
    assert ran.returncode == 0, ran.stderr
    assert "Within bounds: numpy" in ran.stdout, ran.stdout
