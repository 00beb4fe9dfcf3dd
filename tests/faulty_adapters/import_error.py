"""A module that cannot be imported."""

raise ImportError("the planted framework is not here")
