"""Real environments of dbt, built by our own code and kept for all runs of the tests.

RECCE_META_DBT_ENVIRONMENTS names their folder. Without uv or a package index the tests that need them are
skipped.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from recce_meta.repositories.extraction.dbt.environments import (
    Environment,
    EnvironmentFailed,
    use_environment,
)
from tests.emulators.install import home
from tests.support.needs import missing


async def built_environment(cache: Path, minor: str, adapter: str, **options: Any) -> Environment:
    """Return the environment, built if it is missing."""
    async with use_environment(cache, minor, adapter, **options) as environment:
        return environment


def environments_folder() -> Path:
    """Return the folder of environments that all tests share; processes lock it."""
    return Path(os.environ.get("RECCE_META_DBT_ENVIRONMENTS") or home() / "dbt_environments")


def dbt_environment(minor: str, adapter: str) -> Environment:
    """Return the environment, built by the first test that needs it; skip the test if that fails."""
    try:
        return asyncio.run(built_environment(environments_folder(), minor, adapter, environ=os.environ))
    except EnvironmentFailed as error:
        missing("uv", f"no environment of dbt {minor}: {error.message}")
