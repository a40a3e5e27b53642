"""Failures of a build that are certain before it: dbt cannot render a node, or the warehouse cannot parse it.

A node that cannot be built has the property `build_failure`, which a diff reports. What is not certain, such
as a template that queries the database, leaves no property: such a node is unknown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.errors import TemplateError
from recce_meta.models import MacroMetadata, NodeMetadata
from recce_meta.models.adapters import (
    ADAPTER_PARENTS,
    MATERIALIZATION,
    adapters_of,
    base_name,
    is_builtin,
    macros_of_dbt,
    materializations_of_dbt,
)
from recce_meta.models.node import BUILD_FAILURE, UNLESS_VARS, UNREAD, missing_argument
from recce_meta.models.node_types import RENDERED
from recce_meta.render.renderer import SimpleTemplateRenderer
from recce_meta.warehouses import rules_of
from recce_meta.warehouses.hooks import HOOKS, hook_texts

_NESTED = frozenset(["table", "view", "incremental", "test", "snapshot"])
"""Materializations that put the query into parentheses."""
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/|[\s;]+", re.DOTALL)
_UNDEFINED = re.compile(r"(?:Unknown name|adapter\.dispatch: macro) '(.+?)'(?: not found)?")
_BUILDING = re.compile(r"materialization_|(?:^|__)(?:create_table_as|create_view_as|get_test_sql)$")
"""Names of macros that decide what is done with a query."""
_OF_DBT = frozenset(["macro.dbt.run_hooks", "macro.dbt.get_where_subquery"])
"""Macros that no manifest of dbt lacks, unless those of dbt were left out."""
_LISTED = frozenset(["bigquery", "databricks", "duckdb", "postgres", "redshift", "snowflake", "spark"])
"""Adapters with macros in `macros_of_dbt`."""
_PARSED = frozenset(["duckdb"])
"""Adapters whose driver has the parser of the warehouse."""
_PLAIN = ("select", "insert", "delete", "with")
"""First words of statements that no extension of a parser defines."""
_OF_MODELS = ("table", "view", "incremental", "ephemeral", "materialized_view")
"""Materializations of models on every adapter."""
_LINE = re.compile(r"\nLINE (\d+):")
_CLASS = re.compile(r"^[A-Z]\w+Error: ")


class BuildFailure(Struct, frozen=True, kw_only=True):
    """Reason for which a node cannot be built."""

    problem: str
    """Words after `fails:`."""
    line: int | None = None
    """Line in the code of the node."""
    unless: str | None = None
    """Macro that may be one of dbt or its adapter, whose macros are not known, or `UNLESS_VARS`."""


class BuildFailures:
    """Finder of failures in a project with *macros*; files, and some manifests, lack those of dbt.

    *syntax_error* returns why the warehouse cannot parse a statement. *absent* are parents that do not exist,
    with the problem of their readers, which is not certain without *has_all_files*. *given* are the variables
    of `--vars`, whose values are not known; None if not even their names are. *is_exact* returns False for
    code that is rendered with stand-ins of macros. Materializations are judged if *adapter* is known.
    """

    def __init__(
        self,
        macros: Iterable[MacroMetadata],
        syntax_error: Callable[[str], str | None],
        *,
        absent: Mapping[str, str] = MappingProxyType({}),
        has_all_files: bool = False,
        given: Collection[str] | None = (),
        is_exact: Callable[[str], bool] | None = None,
        adapter: str | None = None,
    ) -> None:
        self._adapter, self._is_of_files = adapter, is_exact is not None
        rules = rules_of(adapter)
        self._rules = rules
        self._refusal, self._absent, self._given, self._is_exact = syntax_error, absent, given, is_exact
        known = {macro.unique_id: macro for macro in macros}
        self._own = [macro.name for macro in known.values() if not is_builtin(macro.package_name)]
        self._materializations = [
            *materializations_of_dbt(),
            *(one.name for one in known.values() if one.name.startswith(MATERIALIZATION)),
        ]
        self._builds_otherwise = any(map(_BUILDING.search, self._own))
        self._reads: dict[str, list[str]] = {}
        self._has_all_macros = known.keys() >= _OF_DBT
        self._is_listed = adapter in _LISTED and self._is_of_files
        self._has_all_files = has_all_files
        self._has_all_materializations = adapter in _LISTED and (self._has_all_macros or has_all_files)

    def rendered(
        self, node: NodeMetadata, renderers: Sequence[SimpleTemplateRenderer]
    ) -> tuple[NodeMetadata, TemplateError | None]:
        """Return *node* with the SQL of the first of *renderers* that succeeds, and the error of the first.

        If dbt cannot build the node, it has the reason. SQL of other renderers proves no failure.
        """
        first, code = renderers[0], node.raw_code or ""
        sql: str | None = None
        error: TemplateError | None = None
        failure: BuildFailure | None = None
        for renderer in renderers:
            try:
                sql = renderer.render(code, node=node.unique_id)
                break
            except TemplateError as problem:
                if error is None:
                    error, failure = problem, self._unsure(first, self.of_template(node, problem))
                # A stand-in of the first renderer may be at fault.
                if failure is not None and self._is_exact is None:
                    break
        self._reads[node.unique_id] = [] if error else sorted(first.parents)
        # dbt warns of a test, and leaves it out.
        absent = None if error or node.resource_type == "test" else self._of_absent(first.parents)
        if absent is not None and absent.unless is None:
            failure = absent
        elif error is None and sql is not None and (self._is_exact is None or self._is_exact(code)):
            failure = self._unsure(first, self.of_sql(node, sql))
        elif sql is not None:
            failure = None
        failure = failure or self._of_settings(node, first) or absent
        return with_failure(replace(node, compiled_code=sql), failure), error

    def _of_absent(self, parents: Iterable[str]) -> BuildFailure | None:
        gone = sorted(self._absent.keys() & parents)
        unless = None if self._has_all_files else UNREAD
        return BuildFailure(problem=self._absent[gone[0]], unless=unless) if gone else None

    def compiled(self, node: NodeMetadata, renderer: SimpleTemplateRenderer) -> NodeMetadata:
        """Return *node*, which dbt has compiled, with the reason for which it cannot be built."""
        failure = self.of_sql(node, node.compiled_code or "") or self._of_settings(node, renderer)
        return with_failure(node, failure)

    def of_references(self, nodes: Mapping[str, NodeMetadata]) -> dict[str, NodeMetadata]:
        """Return those of *nodes*, which are rendered, whose references dbt refuses, with the reason."""
        found = {}
        # dbt reads the references of Python models without running them.
        models = [one for one in nodes.values() if one.resource_type == "model"]
        of_python = [one for one in models if one.language == "python"]
        reads = {**self._reads, **{one.unique_id: one.parents for one in of_python}}
        for node in of_python:
            if (absent := self._of_absent(node.parents)) is not None:
                found[node.unique_id] = with_failure(node, absent)
        for reader, parents in reads.items():
            node = nodes[reader]
            for parent in (nodes[one] for one in parents if one in nodes):
                is_hidden = parent.access == "private" and node.resource_type in ("model", "snapshot", "test")
                if is_hidden and (node.group_name is None or node.group_name != parent.group_name):
                    failure = BuildFailure(
                        problem=f"it references {parent.name}, which is private to its group"
                    )
                    found[reader] = with_failure(node, failure)
        return found

    def _unsure(self, renderer: SimpleTemplateRenderer, failure: BuildFailure | None) -> BuildFailure | None:
        """Return *failure*, unless `--vars` decides it."""
        read = renderer.variables_read
        if failure is None or not read or (self._given is not None and read.isdisjoint(self._given)):
            return failure
        return replace(failure, unless=UNLESS_VARS)

    def of_template(self, node: NodeMetadata, error: TemplateError) -> BuildFailure | None:
        """Return the failure if dbt fails at *error*, too, when it builds *node*."""
        # The readers of an ephemeral model fail.
        if not error.is_broken or node.is_ephemeral:
            return None
        # Else it is a line of an ephemeral model.
        line = error.line if error.node is None else None
        unknown = _UNDEFINED.fullmatch(error.problem)
        if unknown is None:
            problem = _CLASS.sub("", error.problem)
            problem = problem[:1].lower() + problem[1:]
            return BuildFailure(problem=_within(problem, error), line=line)
        is_own = re.search(rf"\bmacro\s+{re.escape(unknown[1])}\s*\(", node.raw_code or "")
        why = "which dbt does not find in the file that uses it" if is_own else "which no file defines"
        problem = f"it uses '{unknown[1]}', {why}"
        is_dispatched = not error.problem.startswith("Unknown")
        if is_dispatched:
            problem = f"no file defines what it dispatches to, such as default__{unknown[1]}"
        # The reader of files has found no generic test of this name.
        is_of_files = self._is_of_files and "test_metadata" in node.properties
        may_be_of_dbt = "__" in unknown[1] or is_builtin(unknown[1]) or unknown[1] in macros_of_dbt()
        # Packages may define what they dispatch to, which no other code finds without their name.
        is_listed = self._is_listed and (self._has_all_files or not is_dispatched)
        is_absent = is_listed and not may_be_of_dbt
        unless = None if self._has_all_macros or is_of_files or is_absent else unknown[1]
        return BuildFailure(problem=_within(problem, error), line=line, unless=unless)

    def of_sql(self, node: NodeMetadata, sql: str) -> BuildFailure | None:
        """Return the failure if *sql*, as dbt renders it, is empty, or the warehouse cannot parse it."""
        kind = node.resource_type if node.resource_type != "model" else node.materialized
        if kind == "operation":
            return self._of_statement(node.raw_code or "", sql)
        # dbt does not build an empty file.
        if kind not in _NESTED or self._builds_otherwise or not (node.raw_code or "").strip():
            return None
        if not _COMMENTS.sub("", sql):
            return BuildFailure(problem="its SQL is empty")
        message = self._refusal(f"create {'view' if kind == 'view' else 'table'} t as (\n{sql}\n)")
        if message is None:
            return None
        found = _LINE.search(message)
        is_aligned = found and len(sql.splitlines()) == len((node.raw_code or "").splitlines())
        return BuildFailure(
            problem=message.partition("\n")[0], line=int(found[1]) - 1 if found and is_aligned else None
        )

    def _of_statement(self, code: str, sql: str) -> BuildFailure | None:
        """Return the failure if the parser refuses *sql*, a hook rendered from *code*.

        The parser of a database with extensions may accept other statements.
        """
        statement = sql.strip().rstrip(";")
        words = statement.split(maxsplit=1)
        is_exact = self._is_exact is None or self._is_exact(code.rstrip("; \n"))
        is_plain = bool(words) and any(_is_misspelling(words[0], one) for one in _PLAIN)
        if self._adapter not in _PARSED or not is_exact or not is_plain or ";" in statement:
            return None
        message = self._refusal(statement)
        return BuildFailure(problem=message.partition("\n")[0]) if message else None

    def _of_settings(self, node: NodeMetadata, renderer: SimpleTemplateRenderer) -> BuildFailure | None:
        """Return the failure of *node* for what is configured beyond its SQL."""
        return self._of_materialization(node) or self._of_arguments(node) or self._of_hooks(node, renderer)

    def _of_arguments(self, node: NodeMetadata) -> BuildFailure | None:
        """Return the failure if *node* is one of dbt's own tests, without a required argument."""
        metadata = node.properties.get("test_metadata") or {}
        name, given = str(metadata.get("name")), metadata.get("kwargs")
        if not given or metadata.get("namespace") or f"test_{name}" in self._own:
            return None
        problem = missing_argument(name, given)
        return BuildFailure(problem=problem) if problem else None

    def _of_materialization(self, node: NodeMetadata) -> BuildFailure | None:
        """Return the failure if neither dbt nor a file defines how *node* is materialized."""
        name, strategy = node.config.get("materialized"), node.config.get("incremental_strategy")
        if node.resource_type != "model" or not self._has_all_materializations or not isinstance(name, str):
            return None
        if name != "ephemeral" and (failure := self._absent_materialization(name)):
            return failure
        is_kept = name == "incremental" and node.config.get("full_refresh") is not True
        if is_kept and self._rules is not None and self._rules.lacks_strategy(node.config):
            return BuildFailure(problem=f"dbt's adapter for {self._adapter} lacks the strategy {strategy}")
        macro = f"get_incremental_{strategy}_sql".replace("+", "_")
        is_known = (
            strategy is None
            or (self._rules is not None and strategy in self._rules.statements)
            or macro in macros_of_dbt()
        )
        if name != "incremental" or is_known or not self._is_of_files or macro in map(base_name, self._own):
            return None
        return BuildFailure(problem=f"no file defines {macro}, which dbt calls if its table exists")

    def _absent_materialization(self, name: str) -> BuildFailure | None:
        """Return the failure of models with the materialization *name* if their adapter has none."""
        adapters = adapters_of(name, self._materializations)
        adapter = str(self._adapter)
        if adapters.intersection(["default", adapter, *ADAPTER_PARENTS.get(adapter, ())]):
            return None
        if adapters:
            only = f"{', '.join(sorted(adapters))} only, not for {adapter}"
            return BuildFailure(problem=f"its materialization '{name}' is defined for {only}")
        # A release of the adapter may add a name, but hardly one with the letters of another one.
        is_known = self._has_all_macros or not name.isidentifier()
        is_certain = is_known or any(_is_misspelling(name, one) for one in _OF_MODELS)
        problem = f"no file defines its materialization '{name}'"
        return BuildFailure(problem=problem, unless=None if is_certain else f"materialization_{name}_default")

    def _of_hooks(self, node: NodeMetadata, renderer: SimpleTemplateRenderer) -> BuildFailure | None:
        """Return the first failure of the hooks of *node*."""
        for key in HOOKS:
            for text in hook_texts(node.config.get(key)):
                found = self._unsure(renderer, self._of_hook(node, text, renderer))
                if found is not None:
                    problem = f"in its {key.replace('_', '-')}, {found.problem}"
                    return replace(found, problem=problem, line=None)
        return None

    def _of_hook(
        self, node: NodeMetadata, text: str, renderer: SimpleTemplateRenderer
    ) -> BuildFailure | None:
        """Return the failure of *text*, a hook of *node*."""
        try:
            sql = renderer.render(text, node=node.unique_id)
        except TemplateError as error:
            return self.of_template(node, error)
        is_run = node.materialized in _NESTED and not self._builds_otherwise and "run_hooks" not in self._own
        return self._of_statement(text, sql) if is_run else None


def _is_misspelling(word: str, known: str) -> bool:
    """Return True if *word* has the letters of *known*, in any order and case, up to one of each."""
    letters, others = Counter(word.lower()), Counter(known)
    return (letters - others).total() <= 1 and (others - letters).total() <= 1


def _within(problem: str, error: TemplateError) -> str:
    place = f", in macro {error.macros[-1]}" if error.macros else ""
    return f"{problem}{place}" + (f", in {error.node.split('.', 2)[2]}" if error.node else "")


def with_failure(node: NodeMetadata, failure: BuildFailure | None) -> NodeMetadata:
    """Return *node* with *failure* as its property, or without one."""
    others = {key: value for key, value in node.properties.items() if key != BUILD_FAILURE}
    if failure is None or node.resource_type not in RENDERED:
        return node if others == node.properties else replace(node, properties=others)
    # The block of a snapshot is a part of its file, and a generic test is in YAML.
    has_lines = node.resource_type == "model" or (
        node.resource_type == "test" and "test_metadata" not in node.properties
    )
    place = f"{node.path}:{failure.line}" if failure.line and has_lines else node.path
    value = {
        "problem": failure.problem,
        "place": place,
        **({"unless": failure.unless} if failure.unless else {}),
    }
    return replace(node, properties={**others, BUILD_FAILURE: value})
