"""The ledger: what a run found, in one file that says whether it is whole."""

from crosscheck.ledger.file import LedgerError, begin, read, write
from crosscheck.ledger.ledger import Ledger
from crosscheck.ledger.records import (
    Acceptance,
    Adapter,
    Behaviour,
    CellRecord,
    Environment,
    Fault,
    Footer,
    Header,
    Known,
    Sweep,
)

__all__ = [
    "Acceptance",
    "Adapter",
    "Behaviour",
    "CellRecord",
    "Environment",
    "Fault",
    "Footer",
    "Header",
    "Known",
    "Ledger",
    "LedgerError",
    "Sweep",
    "begin",
    "read",
    "write",
]
