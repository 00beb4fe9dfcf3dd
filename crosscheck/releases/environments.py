"""The environments of releases: each has one release of a framework and what its adapters import."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from crosscheck.releases.versions import ReleasesError

FOLDER: Final = Path(".crosscheck") / "environments"
MADE: Final = ".made"  # the file that says that an environment is complete
# What the adapters of a framework import beside it; inductor imports setuptools.
BESIDE: Final = {"numpy": ("ml_dtypes",), "torch": ("ml_dtypes", "setuptools"), "jax": ("ml_dtypes",)}


@dataclass(frozen=True)
class ReleaseEnvironment:
    """The environment of one release.

    Attributes:
        framework: the name of the package.
        release: its version.
        base: the interpreter that it is made with.
    """

    framework: str
    release: str
    base: str

    @property
    def folder(self) -> Path:
        """Where it lies; its name is a part of the names of adapters."""
        return FOLDER / f"{self.framework}-{self.release}-{Path(self.base).resolve().name}"

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.folder / "bin" / "python")

    @property
    def is_made(self) -> bool:
        """Whether it is complete."""
        return (self.folder / MADE).is_file()

    @property
    def size(self) -> int:
        """How many bytes of disk it takes."""
        files = (Path(place) / name for place, _, names in os.walk(self.folder) for name in names)
        return sum(file.lstat().st_blocks * 512 for file in files)

    def make(self) -> None:
        """Make it, unless it is complete; with the installed release of NumPy, if this one takes that.

        Raises:
            ReleasesError: the release cannot be installed; the message ends with the reason.
        """
        if self.is_made:
            return
        why = ""
        for numpy in self._numpy():
            self.remove()
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            why = self._installed(numpy)
            if not why:
                (self.folder / MADE).touch()
                return
        self.remove()
        raise ReleasesError(f"{self.framework} {self.release} cannot be installed: {why}")

    def remove(self) -> None:
        """Remove it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _numpy(self) -> tuple[tuple[str, ...], ...]:
        return ((),) if self.framework == "numpy" else ((f"numpy=={version('numpy')}",), ("numpy",))

    def _installed(self, numpy: tuple[str, ...]) -> str:
        """Install everything; return the reason why it fails, or an empty text."""
        wanted = [f"{self.framework}=={self.release}", *numpy, *BESIDE[self.framework]]
        if self.framework == "jax":
            wanted.append(f"jaxlib=={self.release}")
        uv, folder = shutil.which("uv"), str(self.folder)
        if uv:
            commands = [
                [uv, "venv", "--quiet", "--python", self.base, folder],
                [uv, "pip", "install", "--quiet", "--python", self.python, *wanted],
            ]
        else:
            pip = [self.python, "-m", "pip", "--disable-pip-version-check"]
            commands = [[self.base, "-m", "venv", folder], [*pip, "install", "--quiet", *wanted]]
        for command in commands:
            ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603, ours
            if ran.returncode:
                said = [line.strip() for line in ran.stderr.splitlines() if line.strip()]
                return next((line for line in reversed(said) if "notice" not in line), "no reason is given")
        return ""
