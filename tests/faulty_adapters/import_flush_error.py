"""A module that leaves the process flushing subnormal numbers, and cannot be imported."""

from __future__ import annotations

from .flush import set_flush

set_flush()
raise ImportError("the planted framework is not here")
