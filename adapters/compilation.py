"""Where children may keep what they compiled, so that the next run need not compile it again.

Frameworks key their caches by their versions and the CPU. A gate compiles afresh all the same.
"""

from __future__ import annotations

import os
from pathlib import Path

# JAX keeps nothing unless it is told to; inductor keeps programs below the temporary directory unless told
# not to.
FRESH = {"TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}
COMPILED = Path(".crosscheck/compiled")  # below the current directory


def cache(directory: Path = COMPILED) -> dict[str, str]:
    """The environment in which a child keeps every compiled program under the directory, however small."""
    return {
        "JAX_COMPILATION_CACHE_DIR": str(directory.resolve() / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "TORCHINDUCTOR_CACHE_DIR": str(directory.resolve() / "torch"),
    }


def kept(directory: Path = COMPILED) -> dict[str, str]:
    """The same for a person; where ``CI`` is set a child keeps nothing."""
    return FRESH if os.environ.get("CI") else cache(directory)
