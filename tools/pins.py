"""Write the versions that are installed here into a file of constraints: ``python tools/pins.py FILE``.

A line applies to the interpreters that its marker names, or to all if it has no marker. Only lines that apply
to this interpreter change: a line for a package that is not installed is removed, and an installed package
without a line gets one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

# The packages that are not pinned: pip itself, the suite, and packages that a torch with CUDA pins by itself.
LEFT_OUT = ("pip", "gradient-crosscheck", "triton")
OF_CUDA = ("cuda-", "nvidia-")


def installed() -> dict[str, str]:
    """Return the version of each package without its local part, since a pin covers builds for any device."""
    found = {each.name: Version(each.version).public for each in distributions()}
    return {name: version for name, version in found.items() if _is_pinned(canonicalize_name(name))}


def _is_pinned(name: str) -> bool:
    return name not in LEFT_OUT and not name.startswith(OF_CUDA)


def renewed(lines: Iterable[str], versions: Mapping[str, str]) -> list[str]:
    """Return the lines of the file, updated to these versions of this interpreter's packages."""
    lines = list(lines)
    missing = {canonicalize_name(name): (name, version) for name, version in versions.items()}
    pins = []
    for line in _pins(lines):
        pin = Requirement(line)
        if pin.marker is not None and not pin.marker.evaluate():
            pins.append(line)
        elif here := missing.pop(canonicalize_name(pin.name), None):
            marker = f" ; {pin.marker}" if pin.marker is not None else ""
            pins.append(f"{pin.name}=={here[1]}{marker}")
    pins += [f"{name}=={version}" for name, version in missing.values()]
    return [line for line in lines if line.startswith("#")] + sorted(pins, key=_order)


def _pins(lines: Iterable[str]) -> Iterator[str]:
    return (line for line in lines if line.strip() and not line.startswith("#"))


def _order(line: str) -> tuple[str, str]:
    return canonicalize_name(Requirement(line).name), line


def main(path: Path) -> None:
    """Update the file."""
    lines = renewed(path.read_text("utf-8").splitlines(), installed())
    path.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
