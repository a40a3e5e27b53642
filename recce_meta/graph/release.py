"""Which release of dbt wrote something, where its rules depend on that."""

from __future__ import annotations

import re

Release = tuple[int, int]

NEWEST: Release = (999, 0)
"""Later than any release of dbt Core: what dbt Cloud (`2025.11.4+d8fa9da`) and unknown versions count as."""


def release(dbt_version: str | None) -> Release:
    """`(1, 10)` of `1.10.20`, in an order in which rules can be chosen."""
    match = re.match(r"([01])\.(\d+)\.", dbt_version or "")
    return (int(match[1]), int(match[2])) if match else NEWEST
