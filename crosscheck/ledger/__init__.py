"""The ledger: the results of a run in one file, which shows whether it is complete."""

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
