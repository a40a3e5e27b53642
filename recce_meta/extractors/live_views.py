"""What the views of a live database read: their SQL, parsed, and the names in it looked up in the catalog.

sqlglot parses; it is loaded only when there is a view.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from msgspec import Struct

from recce_meta.extractors.sql_project.plain import respelt
from recce_meta.extractors.sql_project.statements import Unreadable, read_statements

Key = tuple[str, str]
"""Schema and name."""


class ViewSql(Struct, frozen=True):
    """The SQL of a view, and what it reads."""

    code: str
    """With every relation that is known spelt in full."""
    parents: tuple[Key, ...]


class ViewReader:
    """Finds what each view reads, among *relations*: their full names by schema and name."""

    def __init__(self, relations: Mapping[Key, str], dialect: str, default_schema: str | None) -> None:
        self._relations, self._dialect, self._default = relations, dialect, default_schema
        self._folded: dict[Key, list[Key]] = defaultdict(list)
        for key in relations:
            self._folded[_fold(key)].append(key)
        self.warnings: list[str] = []

    def read(self, view: Key, definition: str) -> ViewSql:
        """The SQL *definition* of *view*; what cannot be parsed has no parents, and one warning."""
        found = next(iter(read_statements(definition, self._dialect)), None)
        if found is None or isinstance(found, Unreadable):
            reason = found.reason if found else "it is no query"
            self.warnings.append(f"What view {'.'.join(view)} reads is not known: {reason}")
            return ViewSql(definition, ())
        owners = {parts: owner for parts in found.reads if (owner := self._owner(parts, view)) is not None}
        spellings = {
            tuple(part.lower() for part in parts): self._relations[owner] for parts, owner in owners.items()
        }
        code = respelt(found.text, spellings, self._dialect) if spellings else found.text
        return ViewSql(code, tuple(sorted(set(owners.values()) - {view})))

    def _owner(self, parts: tuple[str, ...], view: Key) -> Key | None:
        """The relation that *parts* name in the SQL of *view*."""
        if len(parts) > 1:
            return self._one((parts[-2], parts[-1]))
        schemas = [view[0], *([self._default] if self._default else ())]
        return next((found for schema in schemas if (found := self._one((schema, parts[0])))), None)

    def _one(self, key: Key) -> Key | None:
        if key in self._relations:
            return key
        fitting = self._folded.get(_fold(key), [])
        return fitting[0] if len(fitting) == 1 else None


def _fold(key: Key) -> Key:
    return key[0].casefold(), key[1].casefold()
