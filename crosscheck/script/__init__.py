"""A disagreement as a standalone script for the framework's own issue tracker."""

from crosscheck.script.reproduction import NoScriptError, Reproduction, minimal_reproduction
from crosscheck.script.text import script

__all__ = ["NoScriptError", "Reproduction", "minimal_reproduction", "script"]
