"""The command as ``python -m crosscheck.cli``."""

from crosscheck.cli import main

main()
