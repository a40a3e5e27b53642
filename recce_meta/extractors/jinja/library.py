"""The macros of a project and its packages, as templates of it find them.

https://docs.getdbt.com/reference/dbt-jinja-functions/dispatch
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from jinja2 import TemplateSyntaxError, nodes

from recce_meta.extractors.jinja.grammar import ENVIRONMENT
from recce_meta.extractors.jinja.values import REFERRING, Closure, Scope
from recce_meta.models import MacroMetadata

ADAPTERS_BEFORE: Mapping[str, tuple[str, ...]] = {
    "redshift": ("postgres",),
    "databricks": ("spark",),
    "sqlserver": ("fabric",),
}
"""Adapters whose macros an adapter falls back to."""
_UNKNOWN_ANSWER = frozenset(["is_incremental", "should_full_refresh", "statement", "run_query"])
"""Macros of dbt's whose answer only a database knows, even where a project has them."""


class ProjectMacros:
    """Macros by package and name; those that dbt itself brings are left out, for they refer to nothing."""

    def __init__(
        self,
        macros: Iterable[MacroMetadata],
        *,
        root: str,
        adapter_type: str | None = None,
        search_orders: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._root = root
        self._prefixes = None if not adapter_type else (adapter_type, *ADAPTERS_BEFORE.get(adapter_type, ()))
        self._search_orders = search_orders or {}
        self._packages: dict[str, dict[str, MacroMetadata]] = defaultdict(dict)
        for macro in macros:
            if macro.package_name != "dbt" and macro.package_name not in _OF_ADAPTERS:
                self._packages[macro.package_name][macro.name] = macro
        self._named: dict[str, list[MacroMetadata]] = defaultdict(list)
        for macro in (macro for found in self._packages.values() for macro in found.values()):
            self._named[macro.name].append(macro)
            if "__" in macro.name:
                self._named[macro.name.split("__", 1)[1]].append(macro)
        self._parsed: dict[str, Closure | None] = {}
        self._words: dict[str, frozenset[str]] = {}
        self._quiet: dict[str, bool] = {}

    def find(self, name: str, package: str | None) -> Closure | None:
        """The macro that *name* means in a template of *package*."""
        for place in (package, self._root):
            found = self.of_package(place, name) if place is not None else None
            if found is not None:
                return found
        return None

    def has_package(self, name: str) -> bool:
        """Whether *name* is a package with macros."""
        return name in self._packages

    def of_package(self, package: str, name: str) -> Closure | None:
        """The macro *name* of *package*."""
        macro = self._packages.get(package, {}).get(name)
        if macro is None or name in _UNKNOWN_ANSWER:
            return None
        return self._closure(macro)

    def _closure(self, macro: MacroMetadata) -> Closure | None:
        if macro.unique_id not in self._parsed:
            self._parsed[macro.unique_id] = _parsed(macro)
        return self._parsed[macro.unique_id]

    def dispatched(self, name: str, namespace: str | None, package: str | None) -> Sequence[Closure]:
        """The macro that `adapter.dispatch` finds; every one where the adapter is not known."""
        places: Sequence[str | None] = self._search_orders.get(namespace or "") or (
            self._root,
            namespace or package,
        )
        found = []
        for place in dict.fromkeys(place for place in places if place is not None):
            if self._prefixes is None:
                ending = f"__{name}"
                names = [one for one in self._packages.get(place, {}) if one.endswith(ending)]
                found += [macro for one in names if (macro := self.of_package(place, one))]
                continue
            for prefix in (*self._prefixes, "default"):
                macro = self.of_package(place, f"{prefix}__{name}")
                if macro is not None:
                    return [macro]
        return found

    def is_quiet(self, macro: Closure) -> bool:
        """Whether *macro*, and whatever it calls, refers to nothing and configures nothing."""
        if macro.title is None:
            return False
        if macro.title not in self._quiet:
            self._quiet[macro.title] = self._hears_nothing(macro)
        return self._quiet[macro.title]

    def _hears_nothing(self, macro: Closure) -> bool:
        """Follow every word that may be a macro's name, in whichever package."""
        seen, pending = {macro.title}, [macro]
        while pending:
            words = self._words_of(pending.pop())
            if words & _LOUD:
                return False
            for found in (found for word in words for found in self._named.get(word, ())):
                if found.unique_id not in seen:
                    seen.add(found.unique_id)
                    closure = self._closure(found)
                    if closure is not None:
                        pending.append(closure)
        return True

    def _words_of(self, macro: Closure) -> frozenset[str]:
        title = macro.title or ""
        if title not in self._words:
            node = macro.node
            self._words[title] = frozenset(
                {
                    *(name.name for name in node.find_all(nodes.Name)),
                    *(part.attr for part in node.find_all(nodes.Getattr)),
                    *(str(const.value) for const in node.find_all(nodes.Const)),
                }
            )
        return self._words[title]


_LOUD = REFERRING | {"config"}
"""Names without which a macro has no say in what is read and how it is built."""
_OF_ADAPTERS = frozenset(
    "dbt_postgres dbt_redshift dbt_snowflake dbt_bigquery dbt_duckdb dbt_spark dbt_databricks dbt_sqlite "
    "dbt_mysql dbt_trino dbt_athena dbt_fabric dbt_sqlserver dbt_clickhouse dbt_oracle".split()
)


def _parsed(macro: MacroMetadata) -> Closure | None:
    """*macro*, parsed; None where its text defines none of that name."""
    try:
        tree = ENVIRONMENT.parse(macro.macro_sql)
    except (TemplateSyntaxError, RecursionError):
        return None
    for node in tree.find_all(nodes.Macro):
        if node.name == macro.name:
            return Closure(node, Scope(None), package=macro.package_name, title=macro.unique_id)
    return None
