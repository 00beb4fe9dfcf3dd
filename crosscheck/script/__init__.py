"""A disagreement as a standalone script for the framework's own issue tracker."""

from crosscheck.script.finding import Finding, NoScriptError, find
from crosscheck.script.text import script

__all__ = ["Finding", "NoScriptError", "find", "script"]
