"""The adapters that a run of pytest chooses, and the parameters of the tests that are repeated for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import pytest
from hypothesis import settings

import adapters


def selected(config: pytest.Config, among: Sequence[str] = adapters.CORE) -> list[adapters.Spec]:
    """Return the adapters of this run; one that cannot be chosen is a usage error."""
    entries = [name.strip() for names in config.getoption("only") for name in names.split(",")]
    only = [name for name in entries if name]
    if entries and not only:
        raise pytest.UsageError("--only names no adapter")
    try:
        return adapters.select(only, config.getoption("adapter"), among)
    except adapters.AdapterError as error:
        raise pytest.UsageError(str(error)) from None


def parameter(
    spec: adapters.Spec, *values: Any, name: str, marks: Sequence[pytest.MarkDecorator] = ()
) -> Any:
    """Make a parameter for an adapter's test; adapters that share a process stay on one xdist worker."""
    group = pytest.mark.xdist_group("-".join(map(str, spec.process_key)))
    return pytest.param(*values, id=name, marks=[group, *marks])


def parameter_of_relations(spec: adapters.Spec) -> Any:
    """Make the parameter of a mode for metamorphic relations; a mode that is not cheap is marked ``long``."""
    from adapters.modes import parse
    from crosscheck.plans.items import is_cheap

    is_long = spec.name in adapters.NAMED and not is_cheap(parse(spec.name))
    marks = [pytest.mark.long] if is_long else []
    return parameter(spec, spec, name=spec.name, marks=marks)


def matrix_parameters(config: pytest.Config, fixture: str) -> list[Any]:
    """Make the parameters, adapter and item, of the tests of the plan."""
    from crosscheck.plans.combinations import all_combinations
    from crosscheck.plans.core import outside_items
    from crosscheck.plans.items import Item, combined_items, named_items, quick, quick_combinations
    from reference.formats import FORMATS

    profile = settings.get_current_profile_name()
    if fixture == "named_item":
        specs = {spec.name: spec for spec in selected(config, adapters.NAMED)}
        is_thorough = profile == "nightly"
        ours = [name for name in specs if name in adapters.NAMED]
        named = named_items(ours, thorough=is_thorough)
        outside = [name for name in specs if name not in ours]
        others = outside_items(outside, tuple(FORMATS), thorough=is_thorough)
        found: Iterable[Item] = chain(quick(named) if profile == "dev" else named, others)
    else:
        specs = {spec.name: spec for spec in selected(config, tuple(dict(all_combinations())))}
        found = combined_items(specs, thorough=profile == "nightly")
        found = quick_combinations(found) if profile == "dev" else found
    return [
        parameter(specs[item.mode], specs[item.mode], item, name=f"{item.mode}-{item.dtype}")
        for item in found
    ]
