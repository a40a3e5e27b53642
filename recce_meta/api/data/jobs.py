"""Jobs of data diffs, for the commands, the checks and `diff --data`.

Subjects are nodes of two runs, by name or selection, or pairs of relations. Rows are compared by key, as
whole rows, or as results of queries.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter.read_only import require_query
from recce_meta.adapter.statements import refuse_statement, single_statement
from recce_meta.api.data.execution import Job, Relation, RelationResolver, absence
from recce_meta.api.data.node_settings import (
    EXACT,
    NOT_EXPLAINED,
    UNSET,
    ResolvedSettings,
    resolve_settings,
    value_options,
)
from recce_meta.api.run_reader import RunReader
from recce_meta.api.runs import RunPair
from recce_meta.config.nodes import NO_SETTINGS, EffectiveSettings, NodeGlobs
from recce_meta.data_diff.detail import LIMIT, query_diff, query_rows, value_diff_detail
from recce_meta.data_diff.options import DeclaredKey, Explaining, NoKey, ValueOptions, declared_keys
from recce_meta.data_diff.plan import Plan
from recce_meta.data_diff.row_count import Countable, row_counts
from recce_meta.data_diff.row_sample import RowSample
from recce_meta.data_diff.rows import rows_diff
from recce_meta.data_diff.sample import row_sample
from recce_meta.data_diff.schema import schema_diff, stored_schema_diff
from recce_meta.data_diff.source import Pair, are_same
from recce_meta.data_diff.value import value_diff
from recce_meta.errors import UsageError
from recce_meta.graph import LineageGraph, build_lineage_graph, is_ephemeral
from recce_meta.lazy import LazyModule
from recce_meta.models import NodeMetadata, RunDiff
from recce_meta.models.data_diff import (
    AnyDataDiff,
    DataSide,
    NotCompared,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    Subject,
    ValueDetail,
    ValueDiff,
)
from recce_meta.models.node_types import WITH_ROWS
from recce_meta.models.relation_tokens import resolve, token_ids
from recce_meta.quality.privacy import Privacy
from recce_meta.tables.gaps import SAME_RELATION
from recce_meta.warehouses import warehouse_named

if TYPE_CHECKING:
    from recce_meta.api import diff as comparing
    from recce_meta.api.render import Templates
else:
    comparing = LazyModule("recce_meta.api.diff")


class NodePair(Struct, frozen=True):
    """One subject on both sides."""

    base: Relation
    current: Relation
    name: str | None = None
    """Displayed name; None for the name of the node or relation."""
    reason: str | None = None
    """Why it is on neither side, if known."""
    base_stale: str | None = None
    """Why base lacks the data of its run; None if it does not."""
    current_stale: str | None = None
    resolved: ResolvedSettings = UNSET
    """Settings of the node for data diffs."""

    @property
    def node(self) -> NodeMetadata | None:
        """Return the node, current's if both sides have one; None for relations given by name."""
        return next((side for side in (self.current, self.base) if isinstance(side, NodeMetadata)), None)

    def pair(self, resolver: RelationResolver) -> Pair:
        """Return the two sides as a Pair for plans."""
        pair = resolver.pair(self.base, self.current, name=self.name)
        if not (self.base_stale or self.current_stale):
            return pair
        # A side without a relation has no data that could be stale.
        base = pair.base and replace(pair.base, stale=self.base_stale)
        current = pair.current and replace(pair.current, stale=self.current_stale)
        subject = replace(
            pair.subject, base_stale=base and base.stale, current_stale=current and current.stale
        )
        return replace(pair, subject=subject, base=base, current=current)

    def countable(self, resolver: RelationResolver) -> Countable:
        """Return the two sides for counting, with the reason for each side that cannot be counted."""
        pair, skip = self.pair(resolver), self._skip_reason("row_count_diff")
        same = SAME_RELATION if pair.is_same else None
        # One relation is counted once, and its count is no count of base.
        counted = replace(pair, base=None) if same else pair
        return Countable(
            # Without sides, no query is planned, but the node keeps its row in the result.
            pair=counted if skip is None else replace(pair, base=None, current=None),
            base_reason=self.reason or absence(self.base, "current") or skip or same,
            current_reason=self.reason or absence(self.current, "base") or skip,
            where=self.resolved.settings.where,
        )

    def plan(self, diff: str, pair: Pair, plan: SettledPlan, *, is_live: bool = True) -> Plan[AnyDataDiff]:
        """Run *plan*, of the type *diff*, on *pair* with the settings of the node.

        The result is NotCompared if the settings skip the node, or if both sides are one relation and
        *is_live* says that the plan reads both now. Raises InvalidNodeSettings if its meta is malformed.
        """
        if self.resolved.problem is not None:
            raise self.resolved.problem
        reason = self.resolved.skip_reason(diff)
        if reason is not None and pair.sides:
            return NotCompared(subject=pair.subject, diff=diff, reason=reason)
        if is_live and (yield from are_same([pair]))[0]:
            return NotCompared(subject=pair.subject, diff=diff, reason=SAME_RELATION)
        return (yield from plan(pair, self.resolved.settings))

    def _skip_reason(self, diff: str) -> str | None:
        problem = self.resolved.problem
        return self.resolved.skip_reason(diff) if problem is None else problem.message

    def of_current(self) -> NodePair:
        """Return the current side alone, under the same name."""
        name = self.name if self.node is None else self.node.label
        return NodePair(
            None, self.current, name, self.reason, current_stale=self.current_stale, resolved=self.resolved
        )


class PairedNode(NodeMetadata, frozen=True, kw_only=True):
    """Node of one side, with what a comparison of both sides needs of their runs."""

    sides: NodePair
    candidates: tuple[DeclaredKey, ...] = ()
    """Keys that the project declares for the node, in tests as well."""
    notes: tuple[str, ...] = ()
    """Notes on the runs."""


def paired(
    runs: RunPair, sides: NodePair, notes: tuple[str, ...]
) -> tuple[PairedNode | None, PairedNode | None]:
    """Return both nodes of *sides* with the keys and settings of the node, and *notes*."""
    candidates = _keys_of(runs, sides)

    def one(node: Relation) -> PairedNode | None:
        if not isinstance(node, NodeMetadata):
            return None
        fields = {name: getattr(node, name) for name in node.__struct_fields__}
        return PairedNode(**fields, sides=sides, candidates=candidates, notes=notes)

    return one(sides.base), one(sides.current)


def node_pairs(
    runs: RunPair,
    ids: Iterable[str],
    globs: NodeGlobs = (),
    *,
    named: Collection[str] = (),
    whole: bool = True,
) -> list[NodePair]:
    """Return the two sides of each of *ids*, with its settings, and the reason for each side that is stale.

    *globs* are the settings of the configuration, *named* the nodes that the user names. Without *whole*,
    nodes may have only their names and relations.
    """
    wanted = list(ids)
    # Whole nodes have code and configuration, which takes seconds for thousands of them.
    found = runs.sides(wanted) if whole else runs.placed(wanted)
    defined = {} if whole else runs.defined(wanted)
    return [
        NodePair(
            base,
            current,
            base_stale=runs.base.stale.get(unique_id),
            current_stale=runs.current.stale.get(unique_id),
            resolved=resolve_settings(
                defined.get(unique_id, current or base), globs, is_named=unique_id in named
            ),
        )
        for unique_id, (base, current) in zip(wanted, found, strict=True)
    ]


def subjects(
    runs: RunPair | None,
    tables: Sequence[tuple[str, str]],
    names: Sequence[str],
    selection: Sequence[str] = (),
    exclude: Sequence[str] = (),
    *,
    globs: NodeGlobs = (),
    whole: bool = True,
) -> list[NodePair]:
    """Return the subjects that the user names: relations, or nodes of *runs* by name or selection.

    *globs* are the settings of the configuration. Without *whole*, nodes may have only their names and
    relations, which is faster. Raises UsageError if nothing is named, SelectorError if a name does not match
    exactly one node, InvalidNodeSettings if the meta of a named node is invalid.
    """
    if runs is None:
        if names or selection or exclude:
            raise UsageError("--tables cannot be combined with NODES, --select or --exclude")
        return [NodePair(base, current) for base, current in tables]
    if not names and not selection:
        raise UsageError(
            "Missing argument: NODES", hint="name one or more nodes, or use --select or --tables BASE CURRENT"
        )
    named = runs.named(names)
    found = [*named, *(runs.selected(selection, exclude) if selection else ())]
    # A node that is named and selected is compared once.
    pairs = node_pairs(runs, dict.fromkeys(found), globs, named=named, whole=whole)
    for sides in pairs:
        if sides.resolved.problem is not None and sides.resolved.is_named:
            raise sides.resolved.problem
    return pairs


def changed_pairs(runs: RunPair, globs: NodeGlobs = ()) -> list[NodePair]:
    """Return the nodes with data that changed between *runs*, then affected nodes, nearest first.

    *globs* are the settings of the configuration.
    """
    diff = comparing.diff_of_pair(runs.base, runs.current, comparing.NOTHING_MORE)
    return pairs_changed_by(diff, runs, globs)


def pairs_changed_by(diff: RunDiff, runs: RunPair, globs: NodeGlobs = ()) -> list[NodePair]:
    """Return the nodes with data that changed in *diff*, those that it affects downstream, then those whose
    SQL was not compared.

    *globs* are the settings of the configuration.
    """
    return node_pairs(runs, _touched_ids(diff, runs), globs)


def selected_pairs(
    diff: RunDiff, runs: RunPair, question: comparing.DiffQuestion, globs: NodeGlobs = ()
) -> list[NodePair]:
    """Return the nodes that *diff* changes or affects, then other selected nodes that both sides have.

    *globs* are the settings of the configuration.
    Changes that are not selected may affect a selected node, so each selected node is compared. With
    `exclude` alone, only nodes changed or affected by any change of *runs* are compared.
    """
    ids = _touched_ids(diff, runs)
    if question.selection or question.exclude:
        more = runs.selected(question.selection, question.exclude)
        if not question.selection:
            # The diff itself is limited to the selection, so that it cannot show what other changes affect.
            asked = comparing.DiffQuestion(like_dbt=question.like_dbt)
            touched = set(_touched_ids(comparing.diff_of_pair(runs.base, runs.current, asked), runs))
            more = [unique_id for unique_id in more if unique_id in touched]
        known = set(ids)
        ids += [
            unique_id
            for unique_id in more
            if unique_id not in known and unique_id in runs.base.names and unique_id in runs.current.names
        ]
    return node_pairs(runs, ids, globs)


def _touched_ids(diff: RunDiff, runs: RunPair) -> list[str]:
    changed = [change.unique_id for change in diff.changed]
    ids = dict.fromkeys([*changed, *(impact.unique_id for impact in diff.impacted), *diff.uncompared])
    nodes, sides = runs.names, (runs.base.names, runs.current.names)
    return [
        unique_id
        for unique_id in ids
        if unique_id in nodes
        and nodes[unique_id].resource_type in WITH_ROWS
        # An ephemeral model has no rows: its readers have them.
        and not all(names[unique_id].is_ephemeral for names in sides if unique_id in names)
    ]


SettledPlan = Callable[[Pair, EffectiveSettings], Plan[AnyDataDiff]]
"""Plan for the two sides of a node with its settings."""


def row_count_job(resolver: RelationResolver, chosen: Sequence[NodePair]) -> Job:
    """Return one job that counts the rows of all of *chosen*."""
    counted = [sides.countable(resolver) for sides in chosen]
    return Job("row_count_diff", Subject(name="row counts"), partial(counts_of_two, counted))


def counts_of_two(counted: Sequence[Countable]) -> Plan[RowCountDiff]:
    """Count the rows of *counted*; a relation that both sides have under two names is counted once."""
    same = yield from are_same([one.pair for one in counted])
    return (
        yield from row_counts(
            [
                replace(one, pair=replace(one.pair, base=None), base_reason=SAME_RELATION) if is_same else one
                for one, is_same in zip(counted, same, strict=True)
            ]
        )
    )


def each(
    diff: str,
    resolver: RelationResolver,
    chosen: Sequence[NodePair],
    plan: SettledPlan,
    *,
    is_live: bool = True,
) -> list[Job]:
    """Return one job of type *diff* for each of *chosen*, which runs *plan* on its two sides and settings.

    A node that its settings skip has a job whose result is NotCompared. So has a node whose sides are one
    relation, unless *is_live* is False because *plan* uses stored results.
    """
    pairs = [(sides, sides.pair(resolver)) for sides in chosen]
    return [
        Job(diff, pair.subject, partial(sides.plan, diff, pair, plan, is_live=is_live))
        for sides, pair in pairs
    ]


def of_schema(pair: Pair, _settings: EffectiveSettings) -> Plan[SchemaDiff]:
    """Compare the columns of *pair*: settings limit rows and values, but neither names nor types."""
    return (yield from schema_diff(pair))


Known = TypeVar("Known", bound=AnyDataDiff)


def stored_schema_jobs(resolver: RelationResolver, chosen: Sequence[NodePair]) -> list[Job]:
    """Return jobs that compare the columns recorded with both runs, without querying the warehouse."""
    jobs = []
    for sides in chosen:
        subject = sides.pair(resolver).subject
        base, current = (
            side.columns if isinstance(side, NodeMetadata) else None for side in (sides.base, sides.current)
        )
        documented = [
            name
            for name, side in (("base", sides.base), ("current", sides.current))
            if isinstance(side, NodeMetadata) and side.columns_from == "manifest"
        ]
        result = stored_schema_diff(subject, base, current, resolver.current, documented=documented)
        jobs += each("schema_diff", resolver, [sides], partial(_known_of, result), is_live=False)
    return jobs


def known(result: Known) -> Plan[Known]:
    """Return a plan without queries, with the given result."""
    yield from ()
    return result


def _known_of(result: SchemaDiff, _pair: Pair, _settings: EffectiveSettings) -> Plan[SchemaDiff]:
    return (yield from known(result))


Result = TypeVar("Result", ValueDiff, ValueDetail)
KeyedPlan = Callable[[Pair, ValueOptions], Plan[Result]]


def value_jobs(
    resolver: RelationResolver,
    runs: RunPair | None,
    chosen: Sequence[NodePair],
    options: ValueOptions,
    *,
    detail: bool = False,
) -> list[Job]:
    """Return jobs that compare values of *chosen* by the key of *options*, its settings or the project.

    Whole rows are compared without a key.
    """
    settled = Explanations.settle(options, runs, chosen, resolver)
    if detail:
        diff = "value_diff_detail"
        return [
            _value_job(diff, value_diff_detail, resolver, runs, sides, settled(sides)) for sides in chosen
        ]
    return [_value_job("value_diff", value_diff, resolver, runs, sides, settled(sides)) for sides in chosen]


def limited_value_job(
    resolver: RelationResolver, runs: RunPair, sides: NodePair, options: ValueOptions, too_large: str | None
) -> Job:
    """Return a job that compares values of *sides* by a key of its settings or the project, else whole rows.

    *too_large* is the reason why whole rows are not compared, if there is one.
    """
    return _value_job("value_diff", value_diff, resolver, runs, sides, options, too_large)


def _value_job(
    diff: str,
    keyed: KeyedPlan[Result],
    resolver: RelationResolver,
    runs: RunPair | None,
    sides: NodePair,
    options: ValueOptions,
    too_large: str | None = None,
) -> Job:
    asked = replace(options, candidates=_keys_of(runs, sides))

    def plan(pair: Pair, settings: EffectiveSettings) -> Plan[Result | RowsDiff | NotCompared]:
        return (yield from _keyed_or_whole(keyed, pair, asked, settings, too_large))

    (job,) = each(diff, resolver, [sides], plan)
    return job


def explaining(privacy: Privacy | None) -> Explaining:
    """Return what explains the rows that differ, without values that *privacy* withholds."""
    return Explaining() if privacy is None else Explaining(is_private=privacy.withholds, shows_parents=False)


class Explanations:
    """What explains the differing rows of nodes: their parents, and their SQL. Each run is read once."""

    def __init__(
        self, why: Explaining, runs: RunPair, chosen: Sequence[NodePair], resolver: RelationResolver
    ) -> None:
        self._why, self._runs, self._resolver = why, runs, resolver
        readers = (runs.base, runs.current)
        models = [sides.node.unique_id for sides in chosen if sides.node is not None]
        self._graphs = [build_lineage_graph([], run.edges) for run in readers]
        self._codes = [run.tokenised(models) for run in readers]
        nodes = runs.base.names.items()
        self._names = {one: node.relation_name for one, node in nodes if node.relation_name}

    @classmethod
    def settle(
        cls,
        options: ValueOptions,
        runs: RunPair | None,
        chosen: Sequence[NodePair],
        resolver: RelationResolver,
    ) -> Callable[[NodePair], ValueOptions]:
        """Return what gives the options for a node of *chosen*: *options*, with what explains its rows."""
        if options.why is None or runs is None:
            return lambda _: options
        found = cls(options.why, runs, chosen, resolver)
        return lambda sides: replace(options, why=found.of(sides))

    def of(self, sides: NodePair) -> Explaining:
        """Return the parents of the node of *sides*, and its SQL over base if an edit of it can be tried."""
        if sides.node is None:
            return self._why
        readers = zip((self._runs.base, self._runs.current), self._graphs, strict=True)
        read = [_read_by(sides.node.unique_id, *one) for one in readers]
        known = (one for one in read[0] & read[1] if self._runs.names[one].resource_type in WITH_ROWS)
        parents = tuple(self._resolver.pair(*both) for both in self._runs.placed(sorted(known)))
        return self._with_queries(replace(self._why, parents=parents), sides)

    def _with_queries(self, why: Explaining, sides: NodePair) -> Explaining:
        nodes = [one for one in (sides.base, sides.current) if isinstance(one, NodeMetadata)]
        if len(nodes) < 2 or any(one.resource_type != "model" or one.language != "sql" for one in nodes):
            return why
        unique_id = nodes[0].unique_id
        codes = [code.get(unique_id) for code in self._codes]
        if codes[0] == codes[1]:
            return why
        if None in codes:
            return replace(why, untried="not tried: the compiled SQL of a side is not known")
        read = token_ids(f"{codes[0]} {codes[1]}")
        if unique_id in read:
            return replace(why, untried="not tried: the SQL reads its own table")
        if absent := sorted(read - self._names.keys()):
            return replace(why, untried=f"not tried: base does not have {absent[0]}")
        warehouse = warehouse_named(self._resolver.base.name)
        try:
            old, new = (
                require_query(resolve(str(one), self._names), warehouse, is_guarded=True) for one in codes
            )
        except UsageError as error:
            return replace(why, untried=f"not tried: {error.message}")
        return replace(why, queries=(old, new))


def _read_by(unique_id: str, run: RunReader, graph: LineageGraph) -> set[str]:
    """Return the parents of a node, and those of its ephemeral parents instead of these."""
    inlined = partial(is_ephemeral, nodes=run.names)
    found = graph.upstream([unique_id], through=inlined) - {unique_id}
    return {one for one in found if one in run.names and not inlined(one)}


def _keys_of(runs: RunPair | None, sides: NodePair) -> tuple[DeclaredKey, ...]:
    """Return every key that the project declares for a node, in current or else in base."""
    if runs is None or sides.node is None:
        return ()
    run = runs.current if sides.node is sides.current else runs.base
    return declared_keys(sides.node, run.tests_of([sides.node.unique_id]))


def sample_plan(
    resolver: RelationResolver, runs: RunPair, sides: NodePair, options: ValueOptions
) -> Callable[[], Plan[RowSample | NotCompared]]:
    """Return the plan of sample rows of *sides*, by the key of *options*, its settings or the project.

    Raises InvalidNodeSettings if the meta of the node is malformed.
    """
    if sides.resolved.problem is not None:
        raise sides.resolved.problem
    # The keys are read now: when the plan runs, another thread may use the connection to the store.
    asked = replace(options, candidates=_keys_of(runs, sides))
    pair = sides.pair(resolver)
    if pair.is_same:
        return partial(known, NotCompared(subject=pair.subject, diff="sample", reason=SAME_RELATION))
    return partial(row_sample, pair, value_options(asked, sides.resolved.settings))


def values(
    pair: Pair, options: ValueOptions, settings: EffectiveSettings = NO_SETTINGS
) -> Plan[ValueDiff | RowsDiff]:
    """Compare values by key, or whole rows without a key."""
    found = yield from _keyed_or_whole(value_diff, pair, options, settings, None)
    assert not isinstance(found, NotCompared), "without a limit, rows are compared"
    return found


def details(
    pair: Pair, options: ValueOptions, settings: EffectiveSettings = NO_SETTINGS
) -> Plan[ValueDetail | RowsDiff]:
    """Return the rows that differ, by key, or as whole rows without a key."""
    found = yield from _keyed_or_whole(value_diff_detail, pair, options, settings, None)
    assert not isinstance(found, NotCompared), "without a limit, rows are compared"
    return found


def _keyed_or_whole(
    keyed: KeyedPlan[Result],
    pair: Pair,
    asked: ValueOptions,
    settings: EffectiveSettings,
    too_large: str | None,
) -> Plan[Result | RowsDiff | NotCompared]:
    """Compare by key, or whole rows without a key, as the options *asked* and *settings* say."""
    options = value_options(asked, settings)
    notes: list[str] = []
    if asked.key is None and settings.compare == "rows":
        options = replace(options, key=None, candidates=())
    if options.key or options.candidates:
        try:
            # If no key fits both sides, whole rows are compared below.
            return (yield from keyed(pair, options))
        except NoKey as error:
            notes.append(error.message)
    if too_large is not None:
        return NotCompared(subject=pair.subject, diff="value_diff", reason=too_large)
    # A tolerance of the settings is dropped with a note; one of the command line is an error.
    if options.has_tolerance and not asked.has_tolerance:
        notes.append(EXACT)
        options = replace(options, tolerance=None, relative_tolerance=None)
    rows: RowsDiff = yield from rows_diff(pair, options)
    if options.why is not None and rows.is_equal is False:
        notes.append(NOT_EXPLAINED)
    return replace(rows, notes=(*rows.notes, *notes))


def query_job(
    resolver: RelationResolver,
    templates: Templates,
    base_sql: str,
    current_sql: str,
    options: ValueOptions,
    *,
    finds_key: bool = False,
) -> Job:
    """Return a job that compares the results of two templates, each rendered for its side.

    With *finds_key*, rows are matched by the columns that both group by.
    """
    base_text, base_stale = templates.base_query(base_sql)
    current_text, current_stale = templates.current_query(current_sql)
    base = single_statement(base_text, resolver.base.name)
    current = single_statement(current_text, resolver.current.name)
    refuse_statement(base, resolver.base.name)
    refuse_statement(current, resolver.current.name)
    pair = resolver.queries(base, current)
    subject = replace(pair.subject, base_stale=base_stale, current_stale=current_stale)
    pair = replace(pair, subject=subject)
    plan: Callable[[], Plan[AnyDataDiff]]
    if pair.is_same:
        plan = partial(known, NotCompared(subject=subject, diff="query_diff", reason=SAME_RELATION))
    else:
        plan = partial(query_diff, pair, options, base_sql=base, current_sql=current, finds_key=finds_key)
    return Job("query_diff", pair.subject, plan, (base, current))


def model_query_job(
    resolver: RelationResolver, templates: Templates, model: NodePair, sql: str, options: ValueOptions
) -> Job:
    """Return a job that compares the rows of *model* in current with those of a template on current.

    Raises UsageError if base is in another target, or the model has no relation.
    """
    pair = model.pair(resolver)
    if pair.current is None:
        raise UsageError(f"{pair.subject.name} has no relation in current: nothing to compare")
    if not resolver.is_joined:
        raise UsageError(
            "A model cannot be compared with a query across two targets", hint="remove --base-target"
        )
    rendered, stale = templates.current_query(sql)
    text = single_statement(rendered, resolver.current.name)
    queries = resolver.queries(text, text)
    of_model = f"{pair.subject.name}: {model.current_stale}" if model.current_stale else None
    stale_note = "; ".join(dict.fromkeys(filter(None, (of_model, stale))))
    subject = replace(queries.subject, current_stale=stale_note or None)
    # Both sides are data of current: the relation takes the place of base.
    pair = replace(queries, subject=subject, base=replace(pair.current, side=DataSide.BASE))
    shown = resolver.current.render(pair.sides[0].select("*"))
    return Job(
        "query_diff", pair.subject, partial(query_diff, pair, options, base_sql=shown, current_sql=text)
    )


def query_rows_job(
    resolver: RelationResolver, templates: Templates, sql: str, side: DataSide, *, limit: int = LIMIT
) -> Job:
    """Return a job that fetches the first *limit* rows of a template on one side."""
    is_base = side is DataSide.BASE
    dialect = resolver.base if is_base else resolver.current
    rendered, stale = templates.base_query(sql) if is_base else templates.current_query(sql)
    text = single_statement(rendered, dialect.name)
    pair = resolver.queries(text, text)
    source = pair.base if is_base else pair.current
    assert source is not None, "a pair of queries has both sides"
    sides = {"base_stale": stale} if is_base else {"current_stale": stale}
    subject = replace(pair.subject, **sides)
    return Job("query_diff", subject, partial(query_rows, source, subject, text, limit=limit))
