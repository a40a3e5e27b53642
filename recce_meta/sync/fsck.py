"""Check of a whole store: what contradicts itself, and repair of what can be derived again or removed safely.

Objects and pieces are verified as if they arrived from outside (`sync.verify`), from the runs down to the
versions of nodes. In addition: keys that occur twice, derived data, deleted runs, relations, and rows that
nothing refers to. A problem is reported if a second look finds it again: in between, another process may
have deleted a run whose pieces were being read.

A repair never removes a run, an annotation or a piece that something refers to.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.waiting import retrying
from recce_meta.api.partial_run import Build, outdated_nodes
from recce_meta.api.record import compare_codes
from recce_meta.errors import ArtifactError, MissingRelation, plural
from recce_meta.models.run import FsckResult, ProblemKind, StoreProblem
from recce_meta.store.content import REPLACEMENT
from recce_meta.store.graphs import STEPS_AT_ONCE, ImpactReader, store_changes
from recce_meta.store.read import run_by_id
from recce_meta.store.session import (
    READ_VERSION,
    StoreSession,
    StoreVersions,
    no_store,
    open_store,
    own_versions,
    read_no_rows,
    refuse_newer,
    store_versions,
    write_views,
)
from recce_meta.store.sql_files import KEYS, ddl, relations, table_name
from recce_meta.sync.arriving import NO_PIECES, all_rows, contents_of
from recce_meta.sync.encoding import unpack
from recce_meta.sync.row_checks import value_problem
from recce_meta.sync.tables import (
    COLUMNS_REFERENCES,
    OBJECT_TABLES,
    PIECE_REFERENCES,
    PIECE_TABLES,
    RUN_REFERENCES,
    TABLES,
    column_position,
    fields_of,
    values_of,
)
from recce_meta.sync.types import Key, ObjectKind, Piece, Row
from recce_meta.sync.verify import Rows, checked_piece, object_problem

IDS_AT_ONCE = 1_000
"""Objects or pieces whose rows are in memory at the same time."""
RUNS_AT_ONCE = 50
"""Runs whose changes are computed in one query."""
ROUNDS = 4
"""Repairs in a row: versions, views, derived values, and changes that are derived from these."""

Fix = Callable[[StoreSession], None]


def fsck(adapter: UnifiedSqlAdapter, *, repair: bool = False) -> FsckResult:
    """Check the store of *adapter*, all of it. With *repair*, repair what can be repaired.

    Without *repair*, nothing is written, but an older store is migrated, as by every command. A repair waits
    for other writers, and is one transaction where the warehouse has them. Raises StoreNotFound without a
    store, StoreError for a newer store, and PermissionDenied if the role may not read the tables.
    """
    before = _look(adapter)
    if not repair:
        return before.result()
    found = before
    for _ in range(ROUNDS):
        if not any(fix is not None for _, fix in found.found):
            break
        _repair(adapter, found)
        found = _look(adapter)
    left = {_identity(problem) for problem, _ in found.found}
    repaired = tuple(one for one, _ in before.found if _identity(one) not in left)
    return found.result(repaired)


def _look(adapter: UnifiedSqlAdapter) -> _Scan:
    """Return a scan without problems that were there for a moment only."""
    versions = store_versions(adapter)
    if versions is None:
        raise no_store(adapter)
    if versions.is_current and versions.read != READ_VERSION:
        # No session opens before they are repaired.
        scan = _Scan(None)
        scan.add_versions(versions)
        return scan
    refuse_newer(adapter)
    with open_store(adapter) as store:
        scan = _Scan(store)
        scan.run()
        if scan.found:
            again = _Scan(store)
            again.run()
            seen = {_identity(problem) for problem, _ in scan.found}
            again.problems.found = [one for one in again.found if _identity(one[0]) in seen]
            scan = again
    if any(problem.kind is ProblemKind.RELATION for problem, _ in scan.found):
        with suppress(MissingRelation):
            read_no_rows(adapter)  # catalogs hide what the role may not read
    return scan


def _identity(problem: StoreProblem) -> tuple[object, ...]:
    # The number of rows that nothing refers to may grow.
    detail = None if problem.kind is ProblemKind.GARBAGE else problem.message
    return problem.kind, problem.table, problem.object_id, detail


def _repair(adapter: UnifiedSqlAdapter, found: _Scan) -> None:
    if any(problem.kind is ProblemKind.VERSIONS for problem, _ in found.found):
        return _repair_versions(adapter)
    wanted = {_identity(problem) for problem, _ in found.found}
    lacks_views = any(problem.kind is ProblemKind.RELATION for problem, _ in found.found)

    def work() -> None:
        with open_store(adapter, writes=True) as store:
            if lacks_views:
                # The next round looks at the rest.
                return _create_views(store)
            # Again, while other writers wait: what is repaired is what is there now.
            scan = _Scan(store)
            scan.run()
            fixes = (fix for problem, fix in scan.found if _identity(problem) in wanted)
            for fix in dict.fromkeys(fixes):
                if fix is not None:
                    fix(store)
            while store_changes(store, STEPS_AT_ONCE):
                pass
            return None

    retrying(adapter, work)
    compare_codes(adapter)


def _repair_versions(adapter: UnifiedSqlAdapter) -> None:
    def work() -> None:
        with adapter.session(atomic=True) as session:
            _set_versions(StoreSession(session, adapter.warehouse, adapter.schema))

    retrying(adapter, work)


def _set_versions(store: StoreSession) -> None:
    store.execute("begin_write")
    store.execute("set_version", **own_versions())


def _create_views(store: StoreSession) -> None:
    for file in ddl(store.dialect):
        if "VIEW" in file.text:
            store.run_file(file)
    write_views(store)


class _Problems:
    """Problems of a store, each with its repair."""

    def __init__(self) -> None:
        self.found: list[tuple[StoreProblem, Fix | None]] = []

    def add(
        self,
        kind: ProblemKind,
        table: str,
        object_id: str | None,
        message: str,
        *,
        runs: Iterable[str] = (),
        repair: str | None = None,
        fix: Fix | None = None,
    ) -> None:
        """Note a problem of *table*; it can be repaired if there is a *fix*."""
        problem = StoreProblem(
            kind=kind,
            table=table,
            object_id=object_id,
            message=message,
            run_ids=tuple(sorted(set(runs))),
            repair=repair if fix is not None else None,
        )
        self.found.append((problem, fix))

    def has(self, *kinds: ProblemKind) -> bool:
        """Return True if a problem of one of *kinds* was found."""
        return any(problem.kind in kinds for problem, _ in self.found)


class _Contents:
    """Contents of a store, compared with their ids: objects, and the pieces that they need."""

    def __init__(self, store: StoreSession, problems: _Problems) -> None:
        self._store, self._problems = store, problems
        self.objects = 0
        self.pieces = 0
        self._below: dict[Piece, dict[str, tuple[str, ...]]] = {piece: {} for piece in PIECE_TABLES}
        self._roots: dict[str, dict[Piece, set[str]]] = {}
        self._names: dict[str, str] = {}
        """Unique ids of nodes by version."""

    def check_objects(self, kind: ObjectKind, owners: Mapping[str, str | None]) -> None:
        """Check the objects of one kind; *owners* has their runs."""
        self.objects += len(owners)
        for ids in _portions(owners):
            rows = {table: self._rows(table, ids, owners) for table in OBJECT_TABLES[kind]}
            for object_id in ids:
                own = {table: found.get(object_id, []) for table, found in rows.items()}
                if not own[OBJECT_TABLES[kind][0]] and kind is not ObjectKind.STATISTICS:
                    continue  # it was deleted since the inventory was read
                if kind is ObjectKind.RUN:
                    self._note_references(object_id, own)
                problem = _problem_of_rows(own) or object_problem(Key(kind, object_id), own)
                if problem is not None:
                    run_id = owners[object_id]
                    self._add_contents(kind, object_id, own, problem, [] if run_id is None else [run_id])

    def _add_contents(
        self, kind: ObjectKind, object_id: str, rows: Rows, problem: str, runs: Collection[str]
    ) -> None:
        unsure = _has_replacement(rows)
        self._problems.add(
            ProblemKind.UNVERIFIED if unsure else ProblemKind.CONTENT,
            table_name(OBJECT_TABLES[kind][0]),
            object_id,
            f"{kind}: " + (f"not verified, because {_REPLACED}" if unsure else problem),
            runs=runs,
        )

    def _note_references(self, run_id: str, rows: Rows) -> None:
        self._roots[run_id] = {
            reference.piece: values_of(rows[reference.table], reference.table, reference.column)
            for reference in (*RUN_REFERENCES, *COLUMNS_REFERENCES)
        }

    def check_pieces(self) -> None:
        """Check the pieces that the checked runs need."""
        wanted: dict[Piece, dict[str, None]] = {piece: {} for piece in PIECE_TABLES}
        for roots in self._roots.values():
            for piece, needed in roots.items():
                wanted[piece].update(dict.fromkeys(sorted(needed)))
        problems: list[tuple[Piece, str, ProblemKind, str, str | None, Fix | None]] = []
        # Each piece comes after those that refer to it.
        for piece in PIECE_TABLES:
            deeper = PIECE_REFERENCES.get(piece)
            for ids in _portions(wanted[piece]):
                rows = {table: self._rows(table, ids, {}) for table in PIECE_TABLES[piece]}
                for piece_id in ids:
                    own = {table: by_id.get(piece_id, []) for table, by_id in rows.items()}
                    found = self._problems_of_piece(piece, piece_id, own)
                    problems += ((piece, piece_id, *one) for one in found)
                    if deeper is None:
                        continue
                    children = sorted(values_of(own[deeper.table], deeper.table, deeper.column))
                    self._below[piece][piece_id] = tuple(children)
                    wanted[deeper.piece].update(dict.fromkeys(children))
                    if piece is Piece.PART:
                        nodes = (fields_of(deeper.table, row) for row in own[deeper.table])
                        self._names.update((node["version_id"], node["unique_id"]) for node in nodes)
            self.pieces += len(wanted[piece])
        if problems:
            runs = self._runs_by_piece({(piece, piece_id) for piece, piece_id, *_ in problems})
            for piece, piece_id, kind, message, repair, fix in problems:
                of = runs.get((piece, piece_id), set())
                if kind is ProblemKind.CONTENT and of and all(map(self._is_of_version_1, of)):
                    kind, message = ProblemKind.UNVERIFIED, f"not verified, because {_VERSION_1}"
                name = f"{self._names[piece_id]}: " if piece_id in self._names else ""
                self._problems.add(
                    kind, table_name(piece.value), piece_id, name + message, runs=of, repair=repair, fix=fix
                )

    def _is_of_version_1(self, run_id: str) -> bool:
        """Return True if the run's graph was recorded by version 1 of the store, which had no parts."""
        graphs = self._roots[run_id][Piece.GRAPH]
        return any(one in self._below[Piece.GRAPH].get(one, ()) for one in graphs)

    def _problems_of_piece(
        self, piece: Piece, piece_id: str, rows: Rows
    ) -> Iterator[tuple[ProblemKind, str, str | None, Fix | None]]:
        if not rows[piece.value]:
            if piece_id != NO_PIECES:
                yield ProblemKind.MISSING, "it is referred to and missing", None, None
            return
        problem = _problem_of_rows(rows)
        checked = None if problem else checked_piece(piece, piece_id, rows)
        if checked is None and _has_replacement(rows):
            yield ProblemKind.UNVERIFIED, f"not verified, because {_REPLACED}", None, None
        elif checked is None:
            yield ProblemKind.CONTENT, problem or "its id does not match its contents", None, None
        else:
            yield from self._derived_problems(piece_id, rows, checked)

    def _derived_problems(
        self, piece_id: str, rows: Rows, checked: Rows
    ) -> Iterator[tuple[ProblemKind, str, str | None, Fix | None]]:
        for table, found in checked.items():
            if found is rows[table] or contents_of(table, found) == contents_of(table, rows[table]):
                continue
            what = "compiled_hash" if table == "node_versions" else "its foreign keys"

            def fix(store: StoreSession, table: str = table, found: list[Row] = found) -> None:
                store.remove(table, [piece_id])
                store.insert(table, TABLES[table].columns, found)

            yield (
                ProblemKind.DERIVED,
                f"{what} in {table_name(table)} differ from its contents"
                if table != "node_versions"
                else f"{what} differs from its contents",
                "derives it again",
                fix if self._store.has_transactions else None,
            )

    def _runs_by_piece(self, pieces: set[tuple[Piece, str]]) -> dict[tuple[Piece, str], set[str]]:
        """Return the runs that need each of *pieces*, also indirectly."""
        found: dict[tuple[Piece, str], set[str]] = {}
        reached: dict[tuple[Piece, str], frozenset[tuple[Piece, str]]] = {}

        def below(piece: Piece, piece_id: str) -> frozenset[tuple[Piece, str]]:
            known = reached.get((piece, piece_id))
            if known is None:
                own = {(piece, piece_id)} & pieces
                for child in self._below[piece].get(piece_id, ()):
                    own |= below(PIECE_REFERENCES[piece].piece, child)
                known = reached[piece, piece_id] = frozenset(own)
            return known

        for run_id, roots in self._roots.items():
            for piece, ids in roots.items():
                for one in (one for piece_id in ids for one in below(piece, piece_id)):
                    found.setdefault(one, set()).add(run_id)
        return found

    def _rows(self, table: str, ids: Sequence[str], runs: Mapping[str, str | None]) -> dict[str, list[Row]]:
        """Return the rows of *table* by id, one row of each key, and note repeated keys."""
        places = [column_position(table, name) for name in KEYS[table]]
        found: dict[str, dict[Row, list[Row]]] = {}
        for row in all_rows(self._store, table, ids):
            key = tuple(row[place] for place in places)
            found.setdefault(row[0], {}).setdefault(key, []).append(row)
        for object_id, by_key in found.items():
            if any(len(rows) > 1 for rows in by_key.values()):
                self._add_duplicates(table, object_id, by_key, runs.get(object_id))
        return {one: [rows[0] for rows in by_key.values()] for one, by_key in found.items()}

    def _add_duplicates(
        self, table: str, object_id: str, by_key: Mapping[Row, list[Row]], run_id: str | None
    ) -> None:
        repeated = [rows for rows in by_key.values() if len(rows) > 1]
        is_equal = all(len({contents_of(table, [row]) for row in rows}) == 1 for rows in repeated)
        kept = [rows[0] for rows in by_key.values()]

        def fix(store: StoreSession) -> None:
            store.remove(table, [object_id])
            store.insert(table, TABLES[table].columns, kept)

        keys = plural(len(repeated), "key")
        self._problems.add(
            ProblemKind.DUPLICATE,
            table_name(table),
            object_id,
            f"{keys} {'occur' if len(repeated) > 1 else 'occurs'} more than once, "
            + ("with equal rows" if is_equal else "with different rows"),
            runs=[] if run_id is None else [run_id],
            repair="keeps one of the equal rows",
            # Without transactions, a stop between both statements would lose the rows.
            fix=fix if is_equal and self._store.has_transactions else None,
        )


class _Scan:
    """One look at all rows of a store."""

    def __init__(self, store: StoreSession | None) -> None:
        self._store = store
        self.problems = _Problems()
        self._objects = 0
        self._pieces = 0

    @property
    def found(self) -> list[tuple[StoreProblem, Fix | None]]:
        """Return the problems that were found, each with its repair."""
        return self.problems.found

    def result(self, repaired: tuple[StoreProblem, ...] = ()) -> FsckResult:
        """Return what was found."""
        problems = tuple(problem for problem, _ in self.found)
        return FsckResult(problems=problems, repaired=repaired, objects=self._objects, pieces=self._pieces)

    @property
    def store(self) -> StoreSession:
        """The session; not for a store that does not open."""
        assert self._store is not None
        return self._store

    def run(self) -> None:
        """Check everything; if a table is missing, nothing else."""
        if not self._check_relations():
            return
        inventory = self.store.query("exchange_inventory")
        by_kind: dict[ObjectKind, dict[str, str | None]] = {}
        for kind, object_id, _, run_id, *_ in inventory:
            owner = None if run_id is None else str(run_id)
            by_kind.setdefault(ObjectKind(str(kind)), {})[str(object_id)] = owner
        contents = _Contents(self.store, self.problems)
        for kind, owners in by_kind.items():
            # Column lineage has no rows of its own: the run refers to it.
            if kind is not ObjectKind.COLUMNS:
                contents.check_objects(kind, owners)
        contents.check_pieces()
        self._objects, self._pieces = contents.objects, contents.pieces
        self._check_deletions(by_kind)
        self._check_conflicts()
        # The views of changes read other views.
        if not self.problems.has(ProblemKind.RELATION):
            if self.store.stores_changes:
                self._check_changes()
            self._check_codes()
        self._check_garbage()

    def add_versions(self, versions: StoreVersions) -> None:
        """Note *versions* that contradict each other."""
        self.problems.add(
            ProblemKind.VERSIONS,
            "store",
            None,
            f"read version {versions.read} does not belong to version {versions.write}",
            repair=f"sets read version {READ_VERSION}",
            fix=_set_versions,
        )

    def _check_relations(self) -> bool:
        there = self.store.tables()
        expected = relations(self.store.dialect)
        missing = [name for name in expected if name not in there]
        views = [name for name in missing if name not in _TABLES]
        # A catalog may list no views at all.
        if len(views) == len({*expected} - _TABLES) and self._has_views():
            missing = [name for name in missing if name in _TABLES]
            views = []
        has_tables = len(views) == len(missing)
        for name in missing:
            message = f"the {'view' if name in views else 'table'} is missing"
            fix = _create_views if has_tables else None
            self.problems.add(
                ProblemKind.RELATION, name, None, message, repair="creates the views again", fix=fix
            )
        return has_tables

    def _has_views(self) -> bool:
        try:
            self.store.query("steps_to_store")
        except MissingRelation:
            return False
        return True

    def _check_deletions(self, by_kind: Mapping[ObjectKind, Mapping[str, str | None]]) -> None:
        runs, deleted = by_kind.get(ObjectKind.RUN, {}), by_kind.get(ObjectKind.DELETION, {})
        for run_id in sorted({*runs} & {*deleted}):
            message = "the run was deleted and is stored; other stores do not receive it"
            self.problems.add(ProblemKind.DELETED, table_name("tombstones"), run_id, message, runs=[run_id])

    def _check_conflicts(self) -> None:
        broken = {str(one) for one, _ in self.store.query("broken_conflicts")}
        for conflict_id, _, _, _, run_id, *_ in self.store.query("sync_conflicts", id_prefix=None):
            problem = "pieces of the kept object are missing or occur twice"
            if conflict_id not in broken:
                pieces = self.store.query("sync_conflict_pieces", conflict_id=conflict_id)
                if _opens("".join(str(text) for (text,) in pieces)):
                    continue
                problem = "the kept object is damaged"
            runs = [] if run_id is None else [str(run_id)]
            self.problems.add(
                ProblemKind.CONTENT, table_name("sync_conflicts"), str(conflict_id), problem, runs=runs
            )

    def _check_changes(self) -> None:
        """Compare the stored changes and impacts of pairs of graphs with those computed from the graphs."""
        steps = {
            str(run_id): (str(previous), str(graph), bool(same_dbt), impacts_id)
            for run_id, previous, graph, same_dbt, impacts_id in self.store.query("stored_steps")
        }
        wrong: dict[tuple[str, str, str], str | None] = {
            ("changes", str(previous), str(graph)): None
            for previous, graph in self.store.query("stored_steps", 1)
        }
        reader = ImpactReader(self.store)
        for some in _portions(steps, RUNS_AT_ONCE):
            fresh: dict[str, Counter[Row]] = {}
            for run_id, _, _, _, _, *change in self.store.changes_without_stored(some):
                fresh.setdefault(str(run_id), Counter())[_plain(change)] += 1
            for run_id in some:
                previous, graph, same_dbt, impacts_id = steps[run_id]
                pair = {"previous_graph_id": previous, "graph_id": graph, "same_dbt": same_dbt}
                stored = Counter(map(_plain, self.store.query("whole_stored_changes", **pair)))
                changes = fresh.get(run_id, Counter())
                if stored != changes:
                    wrong["changes", previous, graph] = run_id
                # Without an id, the view computes them.
                if impacts_id:
                    statuses = {str(unique_id): str(status) for unique_id, _, _, status, *_ in changes}
                    found = reader.impacts(previous, graph, statuses) or []
                    kept = self.store.query("stored_impacts", impacts_id=impacts_id)
                    if Counter(map(tuple, kept)) != Counter(found):
                        wrong["impacts", previous, graph] = run_id
        for (what, previous, graph), run in wrong.items():

            def fix(store: StoreSession, previous: str = previous, graph: str = graph) -> None:
                store.execute("delete_changes", previous_graph_id=previous, graph_id=graph)

            self.problems.add(
                ProblemKind.DERIVED,
                table_name(f"graph_{what}"),
                graph,
                f"the stored {what} since graph {previous} differ from the graphs",
                runs=[] if run is None else [run],
                repair="derives them again",
                fix=fix,
            )

    def _check_codes(self) -> None:
        """Compare the stored changes of pairs of codes with those that follow from the graphs and macros."""
        changed: dict[str, dict[str, bool]] = defaultdict(dict)
        for step_id, unique_id, is_certain in self.store.query("stored_code_steps", 1):
            changed[str(step_id)][str(unique_id)] = bool(is_certain)
        steps: dict[str, dict[Build, str]] = defaultdict(dict)
        for run_id, graph_id, macro_set_id, step_id in self.store.query("stored_code_steps"):
            steps[str(run_id)][Build(str(graph_id), str(macro_set_id), _EPOCH, "")] = str(step_id)
        for run_id, builds in steps.items():
            run = run_by_id(self.store, run_id)
            assert run is not None
            for build, fresh in outdated_nodes(self.store, run, builds):
                step_id = builds[build]
                if fresh == changed[step_id]:
                    continue

                def fix(store: StoreSession, step_id: str = step_id) -> None:
                    store.execute("delete_code_step", step_id=step_id)

                self.problems.add(
                    ProblemKind.DERIVED,
                    table_name("code_changes"),
                    step_id,
                    f"the stored changes of code since graph {build.graph_id} differ from the graphs",
                    runs=[run_id],
                    repair="derives them again",
                    fix=fix,
                )

    def _check_garbage(self) -> None:
        # What belongs to a damaged piece must stay until the piece is restored.
        is_whole = not self.problems.has(ProblemKind.MISSING, ProblemKind.CONTENT)
        for table, count in self.store.count_deletable("delete_garbage").items():
            if count:
                fix = (lambda store: store.execute("delete_garbage")) if is_whole else None
                message = f"nothing refers to {plural(count, 'row')}"
                message += "" if is_whole else "; not removed while contents are damaged"
                self.problems.add(ProblemKind.GARBAGE, table, None, message, repair="removes them", fix=fix)


_TABLES = frozenset(("store", *map(table_name, KEYS), "store_long_texts"))
"""Relations of a store that are tables."""
_EPOCH = datetime.fromtimestamp(0, timezone.utc)
_REPLACED = "U+FFFD in it may stand for another character of the original"
_VERSION_1 = "version 1 of the store had other ids"


def _opens(text: str) -> bool:
    """Return True if *text* is an object of a conflict in base64."""
    try:
        unpack(b64decode(text, validate=True))
    except (binascii.Error, ArtifactError):
        return False
    return True


def _problem_of_rows(rows: Rows) -> str | None:
    found = (value_problem(table, row) for table, some in rows.items() for row in some)
    return next((problem for problem in found if problem is not None), None)


def _has_replacement(rows: Rows) -> bool:
    texts = (value for some in rows.values() for row in some for value in row if isinstance(value, str))
    return any(REPLACEMENT in text or "\\ufffd" in text for text in texts)


def _plain(row: Iterable[object]) -> Row:
    """Return *row* with the values of flags as every warehouse has them: SQLite has numbers."""
    return tuple(bool(value) if isinstance(value, int) else value for value in row)


def _portions(ids: Iterable[str], most: int = IDS_AT_ONCE) -> Iterator[Sequence[str]]:
    listed = list(ids)
    for start in range(0, len(listed), most):
        yield listed[start : start + most]
