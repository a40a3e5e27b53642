"""Differences between two runs, or between two scans of a live database, with their categories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from recce_meta.models.node import Json, LineageEdge, NodeResult
from recce_meta.models.rows import StringEnum, Tabular
from recce_meta.models.run import RunChoice, RunMetadata


class Status(StringEnum):
    """Status of a node or column. `unchanged` means that only formatting or environment differ."""

    ADDED = "added"
    REMOVED = "removed"
    MODIFIED = "modified"
    UNCHANGED = "unchanged"


class Category(StringEnum):
    """Impact of a change on downstream queries, least severe first.

    docs/concepts/change-categories.md has the rules.
    """

    NONE = "none"
    """Same meaning: formatting, comments, names of aliases and CTEs, order of independent CTEs."""
    NON_BREAKING = "non_breaking"
    """Only adds columns, or moves columns that are not read by position; the rest is unchanged."""
    PARTIAL_BREAKING = "partial_breaking"
    """Some existing columns have other values or names, or are removed; the rows are the same."""
    BREAKING = "breaking"
    """The rows may change: everything that cannot be proven to be less severe."""
    UNKNOWN = "unknown"
    """Not analysable: SQL that does not parse, a Python model."""


SEVERITY = {
    Category.NONE: 0,
    Category.NON_BREAKING: 1,
    Category.PARTIAL_BREAKING: 2,
    Category.UNKNOWN: 3,
    Category.BREAKING: 4,
}
"""Rank of each category. A proven break outranks an unknown effect."""
EXISTING = "existing rows"
"""Start of the phrases that say what a build does with rows that a table holds already."""
BUILD_FAILS = "the build fails"
"""Start of the phrases that say why dbt stops, so that the old content stays."""
DERIVED = "(derived from the query)"
"""End of the phrases that say the types of a column that no catalog has."""
UNCHANGED_HERE = "unchanged for the target of this run"
"""Start of the phrase that stands before the effects on other targets."""
BUILD_MAY_FAIL = "the build may fail"
"""Start of the phrases that say why dbt stops, unless it has a macro that is not known."""
AS_LONG_AS = "as long as"
"""Start of the phrase that names the facts on which a category rests."""


class FactKind(StringEnum):
    """Kind of a fact about the rows of a relation."""

    NOT_NULL = "not_null"
    """No value of the column is NULL."""
    UNIQUE = "unique"
    """No two rows have the same values in the columns, unless one of them is NULL."""
    REFERENCE = "reference"
    """Each value of the column, except NULL, is in a column of another node."""


class FactSource(StringEnum):
    """Origin of a fact."""

    CONTRACT = "contract"
    """Constraint of an enforced contract, which dbt creates and the warehouse enforces."""
    TEST = "test"
    """Test that passed after the relation was built."""


class DataFact(Struct, frozen=True, kw_only=True, order=True):
    """Fact about the rows of a relation, with its source."""

    name: str
    """Name of the test, or the constraint in words: `not null of orders.id`, `primary key of orders`."""
    unique_id: str
    """Unique id of the node that the fact is about."""
    kind: FactKind
    columns: tuple[str, ...]
    """Columns that it is about, together; sorted."""
    source: FactSource
    source_id: str | None = None
    """Unique id of the test, or of the node with the constraint."""
    run_id: str | None = None
    """Run in which the test passed; None for a constraint."""
    other_id: str | None = None
    """For a reference: unique id of the other node."""
    other_columns: tuple[str, ...] = ()
    """For a reference: column of the other node."""


class TableFacts(Struct, frozen=True, kw_only=True):
    """Knowledge about the rows of one relation."""

    unique_id: str = ""
    """Unique id of its node."""
    facts: tuple[DataFact, ...] = ()
    """Facts that hold for its rows."""
    is_typed: bool = False
    """True if the types of its columns are those of the warehouse, and not only documented."""


def condition_of(facts: Iterable[DataFact]) -> str:
    """Return the phrase that names *facts*, at least one, as the condition of a category.

    >>> fact = DataFact(name="unique_orders_id", unique_id="model.shop.orders", kind=FactKind.UNIQUE,
    ...     columns=("id",), source=FactSource.TEST)
    >>> condition_of([fact])
    'as long as unique_orders_id holds'
    """
    names = list(dict.fromkeys(fact.name for fact in facts))
    listed = ", ".join([*names[:-2], " and ".join(names[-2:])])
    return f"{AS_LONG_AS} {listed} {'holds' if len(names) == 1 else 'hold'}"


class ColumnChange(Struct, frozen=True, gc=False):
    """Change of one output column."""

    name: str
    status: Status
    """`added`, `removed`, or `modified` (other values). A rename is one removed and one added column."""
    renamed_to: str | None = None
    """For a removed column: the added column that has its values."""


class SqlChange(Struct, frozen=True, kw_only=True):
    """Semantic difference between two versions of a query."""

    category: Category
    columns: tuple[ColumnChange, ...] = ()
    """Changed columns in the order of the new query, removed columns last."""
    reasons: tuple[str, ...] = ()
    """Short phrases that explain the category: `filter changed`, `join added: orders`, …"""
    moved: bool = False
    """True if common columns have another order."""
    retyped: tuple[str, ...] = ()
    """Modified columns whose type is, or may be, another one."""
    lost_fields: tuple[str, ...] = ()
    """Fields that structs in modified columns may no longer have, as `address.city`."""
    facts: tuple[DataFact, ...] = ()
    """Facts on which the category and the columns rest; the last reason names them."""


class Reason(StringEnum):
    """Reason why a node differs; the last two alone leave its status `unchanged`."""

    BODY = "body"
    COMPILED = "compiled"
    CONFIG = "config"
    RELATION = "relation"
    COLUMNS = "columns"
    DESCRIPTIONS = "descriptions"
    MACROS = "macros"
    CONTRACT = "contract"
    PARENTS = "parents"
    DATA = "data"
    FORMATTING = "formatting"
    ENVIRONMENT = "environment"


COSMETIC = frozenset({Reason.FORMATTING, Reason.ENVIRONMENT})
"""Reasons that alone leave a node unchanged."""
OF_SQL = frozenset({Reason.BODY, Reason.COMPILED, Reason.MACROS, Reason.PARENTS})
"""Reasons that are already covered by a comparison of both sides' SQL."""


class ChangeDetail(Struct, frozen=True):
    """One difference: *key* changed from *base* to *current* (None if absent on that side)."""

    reason: Reason
    key: str
    """A configuration key, a column, a macro's or parent's unique id, `raw_code`, `schema_name`, …"""
    base: Json = None
    current: Json = None


class Reach(StringEnum):
    """Part of a node that an upstream change affects."""

    COLUMNS = "columns"
    """Values of some columns; the rows stay the same."""
    ROWS = "rows"
    """The set of rows, and so every column."""
    UNKNOWN = "unknown"
    """Unknown: this node or a node in between was not analysed, or the kind of change is unknown."""


CERTAIN = 0.75
"""Confidence from which lineage counts as certain."""
BY_GUESS = "its lineage is not certain"
"""Reason for which a node may fail: its SQL probably names the column."""


class ReachedBy(Struct, frozen=True, kw_only=True):
    """Impact of upstream changes on a node that is itself modified."""

    origins: tuple[str, ...]
    """Unique ids of the nearest changed upstream nodes, one per path, sorted."""
    reach: Reach
    columns: tuple[str, ...] = ()
    """Affected columns if reach is `columns`, sorted."""
    confidence: float = 1.0
    """Confidence that the change has this impact: that of the weakest edge of the surest path."""
    fails: bool = False
    """True if the node certainly fails when it is built, such as by a reference to a removed column."""
    may_fail: str = ""
    """Why the node may fail; empty if it certainly does, or does not."""
    failure: str = ""
    """Why the node certainly fails, if known; empty if it does not fail."""


class Change(Tabular, frozen=True, kw_only=True):
    """Difference of one node between base and current."""

    unique_id: str
    """Unique id of the node in the project (`model.shop.orders`)."""
    name: str
    """Name of the node; in the current run if it exists there."""
    resource_type: str
    """Type of the node: `model`, `seed`, `test` …"""
    path: str = ""
    """Path of the file that defines the node, relative to the project, with forward slashes."""
    status: Status
    """Whether the node was added, removed or modified."""
    reasons: tuple[Reason, ...] = ()
    """In the order of `Reason`; empty for added and removed nodes."""
    details: tuple[ChangeDetail, ...] = ()
    """Values before and after, for reasons that have such values."""
    category: Category | None = None
    """Impact of the change; None if such nodes have no readers, or if it was not determined."""
    category_reasons: tuple[str, ...] = ()
    """Short phrases that explain the category."""
    columns: tuple[ColumnChange, ...] = ()
    """Changed output columns in their order, removed columns last."""
    columns_moved: bool = False
    """True if common columns have another order."""
    facts: tuple[DataFact, ...] = ()
    """Facts about the rows of other nodes on which the category rests; empty if it holds for all rows."""
    reached: ReachedBy | None = None
    """Impact of upstream changes on a modified node; None if there is none."""

    @property
    def about_existing(self) -> tuple[str, ...]:
        """What the next build does with rows that the table holds already, as phrases."""
        return tuple(reason for reason in self.category_reasons if reason.startswith(EXISTING))

    @property
    def build_failure(self) -> str:
        """Why the next run without a full refresh certainly fails to build the node; empty if it may not."""
        return self._reason(BUILD_FAILS)

    @property
    def build_doubt(self) -> str:
        """Why the next run may fail to build the node, by its own change; empty if no reason is known."""
        return self._reason(BUILD_MAY_FAIL)

    def _reason(self, start: str) -> str:
        found = (one.partition(": ") for one in self.category_reasons)
        return next((why for words, _, why in found if words == start), "")

    @property
    def fails(self) -> bool:
        """True if the node certainly fails, by its own change or by that of another node."""
        return bool(self.build_failure) or (self.reached is not None and self.reached.fails)

    @property
    def may_fail(self) -> str:
        """Why the node may fail; empty if it certainly does, or does not."""
        if self.fails:
            return ""
        return self.build_doubt or (self.reached.may_fail if self.reached else "")

    @property
    def conditions(self) -> tuple[str, ...]:
        """The phrases that name the facts on which the category rests."""
        return tuple(reason for reason in self.category_reasons if reason.startswith(AS_LONG_AS))

    @property
    def remarks(self) -> tuple[str, ...]:
        """The conditions, what happens to existing rows, new types, and on which targets columns change."""
        types = (reason for reason in self.category_reasons if reason.endswith(DERIVED))
        found = (*self.conditions, *self.about_existing, *types)
        is_elsewhere = any(reason.startswith(UNCHANGED_HERE) for reason in self.category_reasons)
        if not is_elsewhere or self.category in (Category.BREAKING, Category.UNKNOWN):
            return found
        return (*(reason for reason in self.category_reasons if reason not in found), *found)

    @property
    def is_rewritten(self) -> bool:
        """True if only the SQL text changed, with the same meaning for all rows."""
        return (
            self.status is Status.MODIFIED
            and not self.facts
            and self.category is Category.NONE
            and OF_SQL.union(COSMETIC).issuperset(self.reasons)
        )


class Impact(Tabular, frozen=True, kw_only=True):
    """Downstream node affected by a change."""

    unique_id: str
    name: str
    resource_type: str
    distance: int
    """Edges to the nearest changed node that affects it."""
    origin: str
    """Unique id of the nearest changed node (the first by id if several are equally near)."""
    reach: Reach | None = None
    """None if it was not determined; it is then only known that the node is downstream."""
    columns: tuple[str, ...] = ()
    """Affected columns if reach is `columns`, sorted."""
    confidence: float = 1.0
    """Confidence that the change has this impact: that of the weakest edge of the surest path."""
    fails: bool = False
    """True if the node certainly fails when it is built, such as by a reference to a removed column."""
    may_fail: str = ""
    """Why the node may fail; empty if it certainly does, or does not."""
    failure: str = ""
    """Why the node certainly fails, if known; empty if it does not fail."""


class RunDiff(Tabular, Struct, frozen=True, kw_only=True):
    """Changes from the run `base` to the run `current`, as `recce-meta diff` shows them."""

    base: RunMetadata
    current: RunMetadata
    changes: tuple[Change, ...]
    """Changes sorted by unique id, including those with status `unchanged`."""
    impacted: tuple[Impact, ...] = ()
    """Affected nodes that did not change themselves, nearest first."""
    unreached: int = 0
    """Number of further downstream nodes that did not change and are not affected."""
    reshaped: tuple[str, ...] = ()
    """Downstream nodes that may get other columns, or another order of them, without an edit; sorted."""
    edges: tuple[LineageEdge, ...] = ()
    """Edges of changed nodes and of all nodes downstream of them to their children, for drawing."""
    added_edges: tuple[LineageEdge, ...] = ()
    """Those of `edges` that only current has."""
    removed_edges: tuple[LineageEdge, ...] = ()
    """Those of `edges` that only base has."""
    names: dict[str, str] = {}
    """Names of the nodes at the ends of `children`."""
    notes: tuple[str, ...] = ()
    """One sentence for each thing that could not be compared."""
    uncompared: tuple[str, ...] = ()
    """Nodes without a known change whose SQL was not compared, because only current compiled it."""
    failed_results: tuple[NodeResult, ...] = ()
    """Results of current with an error or a failed test, by unique id."""
    choice: RunChoice | None = None
    """How the two runs were chosen; None if the caller named them."""
    selected: frozenset[str] | None = None
    """Selected nodes, with those that are equal; None without a selection."""
    has_empty_selection: bool = False
    """True if the selection matches no node of either run, and is not about states."""

    @property
    def changed(self) -> tuple[Change, ...]:
        """Added, removed and modified nodes."""
        return tuple(change for change in self.changes if change.status is not Status.UNCHANGED)

    @property
    def subjects(self) -> frozenset[str]:
        """Ids of the nodes that changed, are affected or were selected."""
        changed = frozenset(change.unique_id for change in self.changed)
        return changed.union((one.unique_id for one in self.impacted), self.selected or ())

    @property
    def children(self) -> tuple[LineageEdge, ...]:
        """Edges from changed nodes to their direct children."""
        changed = {change.unique_id for change in self.changed}
        return tuple(edge for edge in self.edges if edge.parent_id in changed)


class ScanCounts(Struct, frozen=True, kw_only=True):
    """Numbers of scanned objects."""

    schemas: int = 0
    tables: int = 0
    """Tables, including external tables."""
    views: int = 0
    """Views, including materialized views."""
    columns: int = 0
    constraints: int = 0
    """Constraints, including foreign keys but not NOT NULL."""
    foreign_keys: int = 0
    indexes: int = 0
    """Indexes that do not belong to a constraint."""
    edges: int = 0
    """Edges from views to the relations that they read."""


class Tally(Struct, frozen=True, kw_only=True):
    """Numbers of added, removed, modified and unchanged objects of one kind."""

    added: int = 0
    removed: int = 0
    modified: int = 0
    unchanged: int = 0


class ScanReport(Tabular, frozen=True, kw_only=True):
    """Result of `recce-meta scan`."""

    run: RunMetadata
    """Run of the scan."""
    is_new: bool
    """True if the run was stored; False if a run with this id existed already."""
    counts: ScanCounts
    """Numbers of scanned objects."""
    previous: RunMetadata | None
    """Previous scan of this project and environment, of the same scope if possible; None for the first."""
    tallies: Mapping[str, Tally] = {}
    """Changes of schemas, tables, views and columns since the previous scan; empty for the first."""
    diff: RunDiff | None = None
    """Changes since the previous scan; None for the first."""
    warnings: tuple[str, ...] = ()
    """One sentence for each thing that could not be read."""
