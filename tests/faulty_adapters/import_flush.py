"""An adapter whose import leaves the process flushing subnormal numbers."""

from __future__ import annotations

from .flush import leaks, set_flush

set_flush()
__all__ = ["leaks"]
