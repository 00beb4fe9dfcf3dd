"""The command `crosscheck`, as pip, uv and pipx install it.

A wheel keeps the suite's packages beside this file, in a folder that is ours alone: others have packages that
are called `adapters`, too. Whoever is installed in the same environment keeps theirs; this command sees its
own.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Do what the command line says, with the packages that lie beside this file, and exit."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from crosscheck.cli import main as crosscheck

    crosscheck()
