"""What a rendering leaves besides its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recce_meta.render.evidence import Finding


class Notes:
    """Where the variables of one rendering came from, as far as nobody was asked to say."""

    __slots__ = ("assumed", "inferred", "of_project", "read")

    def __init__(self) -> None:
        self.assumed: set[str] = set()
        """Variables that took the default that `var()` names."""
        self.inferred: dict[str, Finding] = {}
        """Variables whose value other nodes told."""
        self.of_project: set[str] = set()
        """Variables that dbt_project.yml sets."""
        self.read: set[tuple[str | None, str]] = set()
        """Variables, by package, of which nobody says what they are."""
