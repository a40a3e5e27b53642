"""Effects of dbt's build statements on existing rows of a table, and columns that a configuration names.

Read from the macros of dbt-adapters 1.24, dbt-duckdb 1.11, dbt-postgres 1.11, dbt-snowflake 1.12,
dbt-bigquery 1.12, dbt-redshift 1.11 and dbt-databricks 1.12, and executed on DuckDB and PostgreSQL. An
outcome describes the next run without `--full-refresh`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from recce_meta.models import Json, MacroMetadata, NodeMetadata
from recce_meta.models.change import BUILD_FAILS, EXISTING, Category


class Statement(Enum):
    """Which existing rows the statement of an incremental strategy replaces."""

    APPEND = auto()
    """None."""
    KEYED = auto()
    """Rows with the unique key of a selected row: `merge`, `delete+insert`."""
    WINDOW = auto()
    """All rows of the batches that are built, by `event_time`."""
    PARTITIONS = auto()
    """All rows of the partitions that the query returns."""
    WHOLE = auto()
    """All rows."""


class SeedLoad(Enum):
    """How `dbt seed` loads a file whose table exists."""

    BY_NAME = auto()
    """The table is kept; values are inserted into the columns of the header."""
    BY_POSITION = auto()
    """The table is kept; the header is not read."""
    REBUILT = auto()
    """The table is created anew."""
    UNKNOWN = auto()


class Edit(Enum):
    """Edit of a query, as its table sees it."""

    ADDED = auto()
    """A column was added."""
    REMOVED = auto()
    """A column was removed; a renamed column is removed and added."""
    RETYPED = auto()
    """A column has another type."""
    MOVED = auto()
    """Columns have another order."""
    VALUE = auto()
    """A column has other values."""
    KEY = auto()
    """A column of the unique key has other values."""
    EVENT_TIME = auto()
    """The column that assigns rows to batches has other values."""
    ROWS = auto()
    """The query returns other rows."""


class Outcome(NamedTuple):
    """Effect of an edit on a table that exists."""

    category: Category
    existing: str = ""
    """What happens to existing rows, or why the build fails; empty if they are as if newly built."""
    fails: bool = False
    """True if dbt stops, so that the old content stays."""
    columns: tuple[str, ...] = ()
    """The only columns that are affected, if they are not the edited column."""

    @property
    def reason(self) -> str:
        """Return the phrase that reports show."""
        if self.fails:
            return f"{BUILD_FAILS}: {self.existing}"
        return f"{EXISTING} {self.existing}" if self.existing else ""


def failing(why: str) -> Outcome:
    """Return the outcome of an edit that stops dbt."""
    return Outcome(Category.BREAKING, why, fails=True)


NOT_ADDED = Outcome(Category.NON_BREAKING, "do not get the new column, nor do new ones, until a full refresh")
KEEPS_TYPE = Outcome(Category.BREAKING, "keep their type; the build fails on values that do not fit")
REMOVED_STAYS = Outcome(
    Category.PARTIAL_BREAKING, "keep the removed column; rows written now have NULL in it"
)
CHECKED_STAYS = Outcome(
    Category.BREAKING, "keep the removed column, and get no new version if they differ only in it"
)
"""A snapshot with `check_cols='all'` checks the columns that both its query and its table have."""
KEY_STAYS = Outcome(
    Category.BREAKING, "are deleted if a row is selected: unique_key names a column that only the table has"
)
"""`delete … where key in (select key from new_rows)` finds the key in the table."""
APPEND, KEYED = Statement.APPEND, Statement.KEYED


@dataclass(frozen=True, slots=True)
class BuildRules:
    """How an adapter of dbt builds incremental models and replaces relations."""

    statements: Mapping[str, Statement]
    """Statement of each `incremental_strategy`; other names are strategies of the project."""
    default: str = "merge"
    """Strategy of a model that has a unique key and names none."""
    keyless_default: str = "merge"
    """Strategy of a model that has no unique key and names none."""
    exceptions: Mapping[tuple[str, Edit], Outcome] = field(default_factory=dict)
    """Outcomes under `on_schema_change: ignore` that differ from the table, by strategy."""
    config: Mapping[str, Outcome] = field(default_factory=dict)
    """Outcomes of configuration keys of incremental models that differ from the table."""
    replacements: Mapping[tuple[str, str], Outcome] = field(default_factory=dict)
    """Outcomes of a change of the materialization that differ from the table, by both of its values."""
    seed_load: SeedLoad = SeedLoad.BY_NAME
    writes_views: bool = False
    """True if a statement may change rows of a table through a view."""
    applies_queries: bool = False
    """True if an edited query of a materialized view takes effect without a full refresh."""

    def strategy_of(self, config: Mapping[str, Json]) -> str:
        """Return the incremental strategy that *config* names, or the adapter's default."""
        named = config.get("incremental_strategy")
        if named and named != "default":
            return str(named)
        return self.default if config.get("unique_key") else self.keyless_default

    def lacks_strategy(self, config: Mapping[str, Json]) -> bool:
        """Return True if *config* names a strategy of dbt that the adapter refuses, whatever macros exist."""
        named = config.get("incremental_strategy")
        return named in DBT_STRATEGIES and named not in self.statements

    def statement_of(self, config: Mapping[str, Json]) -> Statement | None:
        """Return the statement of an incremental model, None for a strategy of the project."""
        statement = self.statements.get(self.strategy_of(config))
        # Without a key, a merge matches no row.
        return APPEND if statement is KEYED and not config.get("unique_key") else statement


DBT_STRATEGIES = frozenset({"append", "delete+insert", "merge", "insert_overwrite", "microbatch"})
"""Strategies of dbt, `builtin_incremental_strategies`: an adapter refuses those that it lacks."""
KEYED_STRATEGIES: Mapping[str, Statement] = {"append": APPEND, "delete+insert": KEYED, "merge": KEYED}
DEFAULT_BY_KEY = ("delete+insert", "append")
"""dbt's own `get_incremental_default_sql`: with and without a unique key."""

SELECTION = "is_incremental()"
"""Role of a column that an incremental run may select rows by."""


def deciding_columns(
    node: NodeMetadata, rules: BuildRules | None, words: Iterable[str] = ()
) -> dict[str, frozenset[str]]:
    """Return the columns whose values decide which existing rows a run replaces, by the key that names them.

    They are in lower case, among other words. *words* are those of `incremental_words`. The check_cols `all`
    of a snapshot is not expanded. Without *rules*, each key may be read.
    """
    config = node.config
    if node.materialized == "snapshot":
        keys = ["unique_key", "updated_at", *(["check_cols"] if config.get("strategy") == "check" else ())]
        return {key: names_in(config.get(key)) for key in keys}
    if node.materialized != "incremental":
        return {}
    statement = rules.statement_of(config) if rules is not None else None
    if statement is Statement.WHOLE:
        return {}
    keys = ["incremental_predicates", "predicates", "partition_by", "partitions", "unique_key"]
    if statement is not None:
        keys = ["incremental_predicates", "predicates"] if statement is not APPEND else []
        keys += ["partition_by", "partitions"] if statement is Statement.PARTITIONS else []
        keys += ["unique_key"] if statement is KEYED else []
    found = {key: names_in(config.get(key)) for key in keys}
    return {**found, SELECTION: frozenset(words)}


def names_in(value: Json) -> frozenset[str]:
    """Return the lower-case names in a column, an expression, or a list of them: words and quoted names.

    >>> sorted(names_in(["Id", 'lower("Zip code")']))
    ['code', 'id', 'lower', 'lower("zip code")', 'zip', 'zip code']
    """
    if isinstance(value, dict):  # partition_by of BigQuery
        value = value.get("field") or list(value.values())
    listed = value if isinstance(value, (list, tuple)) else [value] if value else []
    texts = [str(each).lower() for each in listed]
    return frozenset(
        name
        for text in texts
        for name in (text.strip().strip('"`[]'), *re.findall(r"[\w$]+", text), *_QUOTED.findall(text))
        if name
    )


_QUOTED = re.compile(r'(?<=["`\[])[^"`\[\]]+(?=["`\]])')
_TAG = re.compile(r"\{%-?\s*(?:(if)\b|(endif)\b)?.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
_CONFIG_CALL = re.compile(
    r"""\{\{-?\s*config\s*\((?:[^'"()]|'[^']*'|"[^"]*"|\((?:[^'"()]|'[^']*'|"[^"]*")*\))*\)\s*-?\}\}"""
)
"""A call that sets configuration: its hooks may name the table."""
_OF_TABLE = re.compile(r"\b(?:is_incremental|this|should_full_refresh|load_relation|get_relation)\b")


def incremental_words(node: NodeMetadata, macros: Mapping[str, MacroMetadata]) -> frozenset[str]:
    """Return the lower-case words of *node* by which a run may select rows because the table has rows.

    They are those of conditional blocks that read the table or ask for it. If the code asks elsewhere,
    directly or in a macro, each of its words is one.
    """
    if node.materialized != "incremental":
        return frozenset()
    code = _CONFIG_CALL.sub("", node.raw_code or "")
    found = _words(code)
    waiting, known = list(node.macros), set(node.macros)
    while waiting:
        macro = macros.get(waiting.pop())
        if macro is None or macro.unique_id.startswith("macro.dbt."):
            continue
        if any(map(_asks, _TAG.finditer(macro.macro_sql))):
            found |= names_in([code, macro.macro_sql])
        new = set(macro.macros) - known
        known |= new
        waiting += new
    return found


def _words(code: str) -> frozenset[str]:
    """Return the words of the outermost blocks of *code* with a condition on the table."""
    open_blocks: list[re.Match[str]] = []
    words: frozenset[str] = frozenset()
    for tag in _TAG.finditer(code):
        is_inside = any(map(_asks, open_blocks))
        if tag[1]:
            open_blocks.append(tag)
        elif tag[2] and open_blocks:
            start = open_blocks.pop()
            if _asks(start) and not any(map(_asks, open_blocks)):
                words |= names_in(code[start.end() : tag.start()])
        elif _asks(tag) and not is_inside:
            return names_in(code)
    return words


def _asks(tag: re.Match[str]) -> bool:
    return not tag[0].startswith("{#") and _OF_TABLE.search(tag[0]) is not None


def texts_in(value: Json) -> list[str]:
    """Return the strings in a configuration value: columns, expressions, hooks, indexes."""
    if isinstance(value, dict):
        chosen = next(
            (value[key] for key in ("field", "columns", "sql") if value.get(key)), [*value.values()]
        )
        return texts_in(chosen)
    if isinstance(value, (list, tuple)):
        return [text for each in value for text in texts_in(each)]
    return [value] if isinstance(value, str) else []


LAYOUT: Mapping[str, tuple[str, ...]] = {
    "athena": ("partitioned_by", "bucketed_by"),
    "bigquery": ("partition_by", "cluster_by"),
    "clickhouse": ("order_by", "partition_by", "primary_key"),
    "databricks": ("partition_by", "liquid_clustered_by", "clustered_by"),
    "duckdb": ("indexes",),
    "materialize": ("indexes",),
    "postgres": ("indexes",),
    "redshift": ("sort", "dist"),
    "snowflake": ("cluster_by",),
    "spark": ("partition_by", "clustered_by"),
}
"""Configuration keys with columns of the table that a statement which creates it names, by adapter."""
NAMING = (
    "incremental_predicates",
    "predicates",
    "merge_update_columns",
    "merge_exclude_columns",
    "event_time",
)
"""Configuration keys with SQL that may name columns of the node's own table."""


def configured_names(node: NodeMetadata, adapter: str | None, hooks: Iterable[str]) -> dict[str, bool]:
    """Return the lower-case words in the configuration of *node* that may name columns of its own table.

    *hooks* are its `hook_words`. The value is True if the statement that creates the table names the column.
    """
    found: dict[str, bool] = dict.fromkeys(hooks, False)
    layout = LAYOUT.get(adapter or "", ()) if node.materialized != "view" else ()
    for key in (*NAMING, *layout):
        texts = [text.lower() for text in texts_in(node.config.get(key))]
        found |= {name: False for name in names_in(texts) if name not in found}
        # An incremental model has the layout of its first run.
        if key in layout and node.materialized == "table":
            found |= {text.strip().strip('"`[]'): True for text in texts}
    return found


_KEYS = frozenset(["primary_key", "unique", "foreign_key"])
"""Constraints of a table that dbt creates from a list of columns."""
_COLUMN = re.compile(r'\s*"?([^\W\d]\w*)"?\s*')
"""A name; an index of an expression has other text."""


def created_columns(
    node: NodeMetadata, adapter: str | None, enforced: Collection[str]
) -> dict[str, list[str]]:
    """Return the columns that dbt names when it creates the indexes and constraints of the table of *node*.

    *enforced* are the kinds of constraints that the warehouse enforces. An incremental table has the indexes
    of its first run.
    """
    if node.materialized != "table":
        return {}
    has_indexes = "indexes" in LAYOUT.get(adapter or "", ())
    constraints = node.properties.get("constraints") if node.contract else ()
    kinds = _KEYS & {*enforced}
    keys = [one for one in constraints or () if isinstance(one, dict) and one.get("type") in kinds]
    texts = {
        "indexes": texts_in(node.config.get("indexes")) if has_indexes else [],
        "constraints": [text for one in keys for text in texts_in(one.get("columns"))],
    }
    return {
        place: names
        for place, all_of in texts.items()
        if (names := [found[1] for one in all_of if (found := _COLUMN.fullmatch(one)) is not None])
    }


_REFERENCE = re.compile(
    r"""^\s*(?:references\s+)?((?:[\w$.]|"[^"]*"|`[^`]*`|\[[^]]*\])+)\s*\(([^()]*)\)""", re.I
)
"""Expression of a foreign key: a relation and its columns."""


def foreign_keys(node: NodeMetadata, nodes: Mapping[str, NodeMetadata]) -> list[tuple[str, str]]:
    """Return the columns that foreign keys of *node* name, with the parents that have them.

    Without an enforced contract, dbt creates no constraint. A key that is given as an expression names a
    relation; it counts if the query or a hook reads the node with this relation.
    """
    if not node.contract:
        return []
    listed = [node.properties.get("constraints"), *(column.constraints for column in node.columns)]
    constraints = [one for each in listed for one in each or () if isinstance(one, dict)]
    parents = [nodes[parent] for parent in node.parents if parent in nodes]
    return [
        (parent.unique_id, column)
        for one in constraints
        if one.get("type") == "foreign_key"
        for relation, columns in (_target(one),)
        for parent in parents
        if _is_relation(parent, relation)
        for column in columns
    ]


def _target(constraint: Mapping[str, Json]) -> tuple[str, list[str]]:
    """Return the relation and the columns that a foreign key refers to; empty if they are not known."""
    relation = constraint.get("to")
    if isinstance(relation, str):
        return relation, [one for one in constraint.get("to_columns") or () if isinstance(one, str)]
    found = _REFERENCE.match(str(constraint.get("expression") or ""))
    return (found[1], [one.strip() for one in found[2].split(",")]) if found else ("", [])


def _is_relation(parent: NodeMetadata, text: str) -> bool:
    if text == parent.relation_name or re.search(rf"\(.*['\"]{re.escape(parent.name)}['\"]", text):
        return True
    own, named = (_parts(one) for one in (parent.relation_name or "", text))
    return bool(named) and own[-len(named) :] == named


def _parts(relation: str) -> list[str]:
    return [part.lower() for part in re.findall(r"[^\s.\"`\[\]]+", relation)]
