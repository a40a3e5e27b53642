"""Nodes that dbt compiles to the same SQL: what the SQL of a node follows from, apart from its environment.

dbt writes compiled SQL only for the nodes that an invocation selects. The SQL of another run can stand for
the missing one if everything that it follows from is equal: the node's code, configuration, contract and
parents, the macros that it reaches, its ephemeral ancestors, dbt's minor version and the adapter. Code may
also read its environment: `dependence` is then what else must be equal. Some of it cannot be proven equal:
dbt's artifacts hold neither the values of variables nor what a query found in the database.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from enum import IntEnum
from functools import cached_property

from recce_meta.diff.code import AT_RUN_TIME, STEADY, jinja_names, members_of, outside_names, reads_only
from recce_meta.diff.project_side import VARIABLES, VOLATILE, ProjectSide
from recce_meta.models import Json, NodeMetadata, RunMetadata
from recce_meta.models.adapters import base_name, is_builtin
from recce_meta.models.relation_tokens import token_ids

OF_TARGET = frozenset(["target", "this", "schema", "database", "identifier", "model"])
"""Names with a value that is equal in two runs with the same target."""
MEMBERS_OF_TARGET = frozenset("name type database dbname project catalog schema dataset".split())
"""Members of `target` that `target_of` compares, by all names that adapters give them."""
QUERYING = frozenset(["statement", "run_query", "load_result", "get_intervals_between", "is_incremental"])
"""Macros of dbt with a result that depends on the contents of the database."""
BRANCH = "is_incremental"
"""Macro of dbt by which code has another branch when its table is there already."""
_BRANCH_ID = f"macro.dbt.{BRANCH}"
UNPROVABLE = (
    VARIABLES
    | VOLATILE
    | AT_RUN_TIME
    | QUERYING
    | {"graph", "invocation_args_dict", "dbt_metadata_envs", "selected_resources", "results"}
)
"""Names with values that no artifact holds, or that differ between two runs."""
OF_STATE = VOLATILE | QUERYING | (AT_RUN_TIME - {"flags"})
"""Those of UNPROVABLE whose values follow from the database, the clock and dbt itself."""
PROVEN = (
    STEADY
    | OF_TARGET
    | frozenset(
        """adapter api namespace dict tojson fromjson toyaml fromyaml zip even odd string number mapping
        sequence iterable escape indent slice groupby varargs kwargs log print exceptions""".split()
    )
)
"""Names with a value that follows from the code, or from what UNPROVABLE and the methods of `adapter` are
checked for. Any other name that is not a macro makes a node unprovable."""
ARGUMENTS_OF_TEST = "_dbt_generic_test_kwargs"
"""Name by which dbt's code of a generic test reads its arguments."""

_ADAPTER = re.compile(r"\badapter\b(?:\s*\.\s*(\w+))?")
_OFFLINE = frozenset(["dispatch", "quote", "type"])
"""Methods of `adapter` that do not ask the database."""
_CONFIG_READ = re.compile(r"\bconfig\s*(?![\s(])")
"""Use of `config` other than a call."""
_LIMITED = ("_dbt_limit_subq", "_dbt_et_filter_subq")
"""Aliases of the subqueries into which `--empty`, `--sample` and batches turn relations."""


class Dependence(IntEnum):
    """What the SQL of a node depends on in addition to its code, the strongest last."""

    CODE = 0
    TARGET = 1
    """Name, type, database and schema of the target."""
    STATE = 2
    """The contents of the database, the clock or, in dbt's own macros, flags."""
    UNPROVABLE = 3
    """Variables, flags or the graph: what users change without an edit of the node."""


class SqlInputs:
    """What the SQL of each node of one side follows from. The side has the ephemeral ancestors of a node."""

    def __init__(self, side: ProjectSide) -> None:
        self._side = side
        self._reached_from: dict[tuple[str, ...], tuple[str, ...]] = {}

    def of(self, node: NodeMetadata) -> tuple[object, ...] | None:
        """Return what the SQL of *node* follows from; None if its code is unknown. Compare for equality."""
        return self._inputs(node, ())

    def dependence(self, node: NodeMetadata) -> Dependence:
        """Return what the SQL of *node* and of its ephemeral ancestors depends on in addition to code."""
        return max(self._dependence(one) for one in (node, *self._ephemeral(node, {node.unique_id: None})))

    def has_branches(self, node: NodeMetadata) -> bool:
        """Return True if the code of *node* may call dbt's own `is_incremental()`."""
        return not self._side.macro_named(BRANCH) and _BRANCH_ID in self.macros(node)

    def varies_by_branch_alone(self, node: NodeMetadata, equal: Collection[str] = ()) -> bool:
        """Return True if the SQL of *node* follows from its code, its target and `is_incremental()`.

        *equal* are calls of variables with values that are known to be equal.
        """
        return (
            self.has_branches(node)
            and self._dependence(node, but_branch=True, equal=equal) <= Dependence.TARGET
        )

    def reads_more(self, node: NodeMetadata, than: Dependence = Dependence.STATE) -> bool:
        """Return True if the SQL of *node* depends on more than *than*."""
        if node.language == "python":
            return False
        return self.dependence(node) > than and not self.is_plain_test(node)

    def macros(self, node: NodeMetadata) -> tuple[str, ...]:
        """Return the macros that the code of *node* may call, directly or indirectly, in any branch."""
        return self._reached(self._named(node.raw_code))

    def behind(self, macro: str) -> tuple[str, ...]:
        """Return *macro* and all macros that it may call."""
        return self._reached((macro,))

    def may_stand(self, code: str, node: NodeMetadata) -> bool:
        """Return True if *code*, in its stored form, reads all of each parent of *node* where it is built.

        With `--defer`, dbt reads some parents in another target, whose relations have no token; with
        `--empty` and `--sample`, it reads a part of their rows.
        """
        if any(alias in code for alias in _LIMITED):
            return False
        return self._related(node) <= token_ids(code)

    def is_plain(self, node: NodeMetadata) -> bool:
        """Return True if the SQL of *node* follows from artifacts alone, without a macro of dbt.

        Its code, that of its ephemeral ancestors, and the macros that they call then consist of Jinja's own
        words, `ref`, `source` and calls of `config`. A renderer needs nothing else to write the SQL.
        """
        for one in (node, *self._ephemeral(node, {node.unique_id: None})):
            if one.raw_code is None or self._dependence(one) is not Dependence.CODE:
                return False
            reached = [self._side.macros[unique_id] for unique_id in self._reached(self._named(one.raw_code))]
            if any(is_builtin(macro.package_name) for macro in reached):
                return False
            if not all(map(self._is_plain_text, (one.raw_code, *(macro.macro_sql for macro in reached)))):
                return False
        return True

    def is_plain_test(self, node: NodeMetadata) -> bool:
        """Return True if *node* is a generic test whose SQL follows from its arguments and macros.

        `--store-failures`, which dbt's macros read, selects other columns of the same failures.
        """
        if "test_metadata" not in node.properties:
            return False
        # Arguments and `where` are templates as well, and may call macros.
        code = "\n".join((node.raw_code or "", str(_arguments(node)), str(node.config.get("where"))))
        reached = [self._side.macros.get(one) for one in self._reached(self._named(code))]
        if None in reached:
            return False
        own = (one.macro_sql for one in reached if one is not None and not is_builtin(one.package_name))
        texts = [code, *own]
        unknown = frozenset[str]().union(*map(outside_names, texts)) - self._macro_names - {ARGUMENTS_OF_TEST}
        names = frozenset[str]().union(*map(jinja_names, texts))
        return not (
            names & UNPROVABLE
            or unknown - (PROVEN - (OF_TARGET - {"model"}))
            or any(map(_asks_database, texts))
        )

    def _is_plain_text(self, code: str) -> bool:
        if jinja_names(code) & self._overridden or _CONFIG_READ.search(code):
            return False
        return not outside_names(code) - STEADY - self._macro_names

    @cached_property
    def _overridden(self) -> frozenset[str]:
        """Return the names of STEADY that macros of the project or of packages replace, such as `ref`."""
        macros = self._side.macros.values()
        return STEADY & {macro.name for macro in macros if not is_builtin(macro.package_name)}

    def _related(self, node: NodeMetadata) -> set[str]:
        """Return the parents of *node* with a relation."""
        nodes = self._side.nodes
        return {parent for parent in node.parents if parent in nodes and nodes[parent].relation_name}

    def _inputs(self, node: NodeMetadata, path: tuple[str, ...]) -> tuple[object, ...] | None:
        if node.raw_code is None and node.code_hash is None:
            return None
        run = self._side.run
        inlined = []
        for parent in sorted(node.parents):
            other = self._side.nodes.get(parent)
            if other is not None and other.is_ephemeral and parent not in path:
                inlined.append(self._inputs(other, (*path, node.unique_id)))
        return (
            run and run.adapter_type,
            self._side.dbt_version and ".".join(self._side.dbt_version.split(".")[:2]),
            node.unique_id,
            node.resource_type,
            node.language,
            node.code_hash if node.raw_code is None else node.raw_code,
            node.config,
            node.contract,
            node.parents,
            node.version,
            _arguments(node),
            tuple(
                (unique_id, macro and macro.macro_sql)
                for unique_id in self._reached(self._named(node.raw_code))
                for macro in (self._side.macros.get(unique_id),)
            ),
            tuple(inlined),
        )

    def _named(self, code: str | None) -> tuple[str, ...]:
        """Return the macros that *code* of a node may name. What dbt lists differs between invocations."""
        names = jinja_names(code or "") - (STEADY - self._overridden)
        return tuple(sorted(one for name in names for one in self._by_name.get(name, ()))) if names else ()

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for macro in self._side.macros.values():
            found.setdefault(macro.name, []).append(macro.unique_id)
        return found

    def _reached(self, called: tuple[str, ...], without: str = "") -> tuple[str, ...]:
        """Return *called*, the macros behind them, and those that dbt may run in their place, sorted.

        Calls of the macro *without* do not count.
        """
        key = (without, *called)
        if key not in self._reached_from:
            found: set[str] = set()
            waiting = [one for one in called if one != without]
            while waiting:
                new = self._side.closure(waiting, without) - found
                found |= new
                # A project overrides a macro by its name, which dbt's list of calls need not show.
                names = {base_name(unique_id.rpartition(".")[2]) for unique_id in new}
                waiting = [
                    one for name in names for one in self._by_base_name.get(name, ()) if one not in found
                ]
            self._reached_from[key] = tuple(sorted(found))
        return self._reached_from[key]

    @cached_property
    def _by_base_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for macro in self._side.macros.values():
            if not is_builtin(macro.package_name):
                found.setdefault(base_name(macro.name), []).append(macro.unique_id)
        return found

    def _ephemeral(self, node: NodeMetadata, seen: dict[str, None]) -> Iterator[NodeMetadata]:
        for parent in node.parents:
            other = self._side.nodes.get(parent)
            if other is not None and other.is_ephemeral and parent not in seen:
                seen[parent] = None
                yield other
                yield from self._ephemeral(other, seen)

    def _dependence(
        self, node: NodeMetadata, *, but_branch: bool = False, equal: Collection[str] = ()
    ) -> Dependence:
        """Return what *node* depends on, but for `is_incremental()` and for variables that are *equal*."""
        names, texts = set(jinja_names(node.raw_code or "")), [node.raw_code or ""]
        unknown, reads_flags, own = _outside(node.raw_code or ""), False, [*texts]
        left_out = _BRANCH_ID if but_branch else ""
        reached = self._reached(self._named(node.raw_code), left_out)
        if not set(node.macros).issubset({left_out, *reached}):
            return Dependence.UNPROVABLE
        for unique_id in reached:
            macro = self._side.macros.get(unique_id)
            if macro is None:
                return Dependence.UNPROVABLE
            names |= {macro.name} & QUERYING
            found = jinja_names(macro.macro_sql)
            texts.append(macro.macro_sql)
            # dbt's own macros read nothing else that differs between two runs. Their flags say how to build.
            if is_builtin(macro.package_name):
                names |= found - {"flags"}
                reads_flags |= "flags" in found
            else:
                names |= found
                unknown |= _outside(macro.macro_sql)
                own.append(macro.macro_sql)
        if but_branch:
            names -= {BRANCH}
            unknown -= {BRANCH}
            # Paths, documentation and names of relations may differ although the code is equal.
            if names & (OF_TARGET - {"this"}):
                return Dependence.UNPROVABLE
        if equal and all(reads_only(equal, text) for text in own):
            names -= VARIABLES
            unknown -= VARIABLES
        if names & (UNPROVABLE - OF_STATE) or unknown - PROVEN - self._macro_names - OF_STATE:
            return Dependence.UNPROVABLE
        if reads_flags or names & OF_STATE or ("adapter" in names and any(map(_asks_database, texts))):
            return Dependence.STATE
        return Dependence.TARGET if names & OF_TARGET else Dependence.CODE

    @cached_property
    def _macro_names(self) -> frozenset[str]:
        """Return the names by which code calls macros, with those of their packages."""
        macros = self._side.macros.values()
        return frozenset(name for macro in macros for name in (macro.name, macro.package_name))


def target_of(run: RunMetadata | None) -> tuple[object, ...] | None:
    """Return the name, type, database and schema of the target of *run*; None without a run."""
    if run is None:
        return None
    return run.target_name, run.adapter_type, run.target_database, run.target_schema


def _outside(code: str) -> set[str]:
    """Return names from outside of *code*, and the members of `target` that no artifact holds."""
    names = outside_names(code)
    if "target" not in names:
        return set(names)
    return {*names, *(f"target.{one}" for one in members_of("target", code) - MEMBERS_OF_TARGET)}


def given_variables(
    base: RunMetadata | None, current: RunMetadata | None
) -> tuple[frozenset[str], frozenset[str]]:
    """Return calls of the variables that `--vars` gave the same value in both runs, and those of others.

    Others have another value, or `--vars` gave it in one run only. Both are empty if a run does not say.
    """
    given = [run.variables if run is not None else None for run in (base, current)]
    if given[0] is None or given[1] is None:
        return frozenset(), frozenset()
    same, other = given[0].items() & given[1].items(), given[0].items() ^ given[1].items()
    return frozenset(f"var('{name}')" for name, _ in same), frozenset(f"var('{name}')" for name, _ in other)


def _asks_database(code: str) -> bool:
    return any(method not in _OFFLINE for method in _ADAPTER.findall(code))


def _arguments(node: NodeMetadata) -> Json:
    """Return the arguments of a generic test, which are no part of its code."""
    return {name: node.properties.get(name) for name in ("test_metadata", "column_name", "attached_node")}
