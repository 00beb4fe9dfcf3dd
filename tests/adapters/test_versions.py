"""A framework that is too old is told in one line, under any interpreter, before it is imported."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from command_line import ROOT, assert_one_clear_line, crosscheck
from packaging.requirements import Requirement

import adapters
from adapters import LEAST, MODULES, AdapterError, check_version

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CASE = "float32:X=[[0x1p+0]]:y=[[0x1p-1]]:W=[[0x1p+1]]"
TOO_OLD = {"numpy": "2.1.2", "torch": "2.9.1", "jax": "0.7.2"}


def test_the_least_versions_are_those_of_the_package() -> None:
    lines = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["torch"]]
    asked = [Requirement(line) for line in [*lines, *PROJECT["optional-dependencies"]["jax"]]]
    ranges = {each.name: each.specifier for each in asked}
    assert set(LEAST) == set(MODULES)
    for framework, least in LEAST.items():
        assert f">={least}" in map(str, ranges[framework])
        assert TOO_OLD[framework] not in ranges[framework]


@pytest.mark.long
@pytest.mark.parametrize("framework", TOO_OLD)
def test_a_framework_that_is_too_old_is_one_clear_line_and_exit_code_2(
    framework: str, tmp_path: Path
) -> None:
    release = TOO_OLD[framework]
    planted = tmp_path / "older" / f"{framework}-{release}.dist-info"
    planted.mkdir(parents=True)
    (planted / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {framework}\nVersion: {release}\n")
    path = f"{ROOT}:{planted.parent}"
    ran = crosscheck("check", CASE, "--only", framework, "--journal", str(tmp_path), PYTHONPATH=path)
    assert ran.returncode == 2, ran.stdout
    needed = f"{framework} {release} is too old, {LEAST[framework]} or newer is needed: "
    assert_one_clear_line(ran.stderr, needed, f"-m pip install '{framework}>={LEAST[framework]}'")


@pytest.mark.parametrize("release", ["0.8", "0.8.0", "0.8.0.dev20251010", "0.10.2", "1.0a0+git1234"])
def test_what_is_new_enough_is_used(release: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "version", lambda _: release)
    check_version("jax")


@pytest.mark.parametrize("release", ["0.7.2", "0.7", "0.7.99.dev1"])
def test_what_is_older_is_refused(release: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "version", lambda _: release)
    with pytest.raises(AdapterError, match=rf"^jax {release} is too old, 0\.8 or newer is needed: "):
        check_version("jax")
