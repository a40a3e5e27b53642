"""Recording of SQL files as a run, without dbt (`record --from sql`).

Macros without source files, dbt's own and those of packages that are not installed, are replaced by
stand-ins. Their SQL has the same column lineage as that of the real macro; it is analysed, never run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import TemplateSyntaxError, nodes
from msgspec import Struct
from msgspec.structs import replace

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.record import check_name
from recce_meta.diff.code import outside_names
from recce_meta.diff.relation_names import NAMERS, naming_call
from recce_meta.errors import ProfileError, TemplateError, UsageError, first_of
from recce_meta.extractors.commit_proof import clean_checkout
from recce_meta.extractors.git import GitState, detect_git
from recce_meta.extractors.jinja import blocks_of
from recce_meta.extractors.jinja.grammar import ENVIRONMENT
from recce_meta.extractors.project import project_above
from recce_meta.extractors.sql_project.dbt_project import (
    DbtFiles,
    absent_parents,
    read_dbt_files,
    read_inputs,
)
from recce_meta.extractors.sql_project.files import SourceFile, TargetSchema, read_files, relation_name
from recce_meta.extractors.sql_project.inputs import Inputs
from recce_meta.extractors.sql_project.plain_sql import read_plain
from recce_meta.graph import build_lineage_graph, is_ephemeral
from recce_meta.models import MacroMetadata, NodeMetadata, Project, RunMetadata
from recce_meta.models.adapters import is_builtin
from recce_meta.models.node import BUILD_FAILURE
from recce_meta.models.node_types import RENDERED
from recce_meta.profiles import load_profile
from recce_meta.profiles.discovery import PROJECT_FILE
from recce_meta.render import SimpleTemplateRenderer, TemplateContext
from recce_meta.render.build_failures import BuildFailures
from recce_meta.render.context import DBT_NAMES
from recce_meta.render.functions import FUNCTIONS
from recce_meta.render.macros import STAND_IN
from recce_meta.sql_lineage.project.names import dialect_of
from recce_meta.store.read import find_runs, load_nodes
from recce_meta.store.session import open_store
from recce_meta.warehouses.driver import parser_of
from recce_meta.warehouses.hooks import OPERATION

_DBT = """
{% macro type_string() %}varchar{% endmacro %}
{% macro type_int() %}integer{% endmacro %}
{% macro type_bigint() %}bigint{% endmacro %}
{% macro type_float() %}float{% endmacro %}
{% macro type_numeric() %}numeric(28, 6){% endmacro %}
{% macro type_boolean() %}boolean{% endmacro %}
{% macro type_timestamp() %}timestamp{% endmacro %}
{% macro current_timestamp() %}current_timestamp{% endmacro %}
{% macro current_timestamp_backcompat() %}current_timestamp{% endmacro %}
{% macro current_timestamp_in_utc() %}current_timestamp{% endmacro %}
{% macro current_timestamp_in_utc_backcompat() %}current_timestamp{% endmacro %}
{% macro concat(fields) %}concat({{ fields | join(', ') }}){% endmacro %}
{% macro hash(field) %}md5(cast({{ field }} as varchar)){% endmacro %}
{% macro dateadd(datepart, interval, from_date_or_timestamp) -%}
date_add_of('{{ datepart }}', {{ interval }}, {{ from_date_or_timestamp }})
{%- endmacro %}
{% macro datediff(first_date, second_date, datepart) -%}
date_diff_of('{{ datepart }}', {{ first_date }}, {{ second_date }})
{%- endmacro %}
{% macro date_trunc(datepart, date) %}date_trunc('{{ datepart }}', {{ date }}){% endmacro %}
{% macro last_day(date, datepart) %}last_day_of('{{ datepart }}', {{ date }}){% endmacro %}
{% macro date() %}current_date{% endmacro %}
{% macro safe_cast(field, type) %}cast({{ field }} as {{ type }}){% endmacro %}
{% macro cast(field, type) %}cast({{ field }} as {{ type }}){% endmacro %}
{% macro cast_bool_to_text(field) %}cast({{ field }} as varchar){% endmacro %}
{% macro string_literal(value) %}'{{ value }}'{% endmacro %}
{% macro escape_single_quotes(expression) %}{{ expression | replace("'", "''") }}{% endmacro %}
{% macro any_value(expression) %}any_value({{ expression }}){% endmacro %}
{% macro bool_or(expression) %}bool_or({{ expression }}){% endmacro %}
{% macro length(expression) %}length({{ expression }}){% endmacro %}
{% macro position(substring_text, string_text) %}strpos({{ string_text }}, {{ substring_text }}){% endmacro %}
{% macro right(string_text, length_expression) -%}
right({{ string_text }}, {{ length_expression }})
{%- endmacro %}
{% macro replace(field, old_chars, new_chars) -%}
replace({{ field }}, {{ old_chars }}, {{ new_chars }})
{%- endmacro %}
{% macro split_part(string_text, delimiter_text, part_number) -%}
split_part({{ string_text }}, {{ delimiter_text }}, {{ part_number }})
{%- endmacro %}
{% macro listagg(measure, delimiter_text="','", order_by_clause=none, limit_num=none) -%}
string_agg({{ measure }}, {{ delimiter_text }})
{%- endmacro %}
{% macro array_construct(inputs=[], data_type=none) %}array[{{ inputs | join(', ') }}]{% endmacro %}
{% macro array_append(array, new_element) %}array_append({{ array }}, {{ new_element }}){% endmacro %}
{% macro array_concat(array_1, array_2) %}array_cat({{ array_1 }}, {{ array_2 }}){% endmacro %}
{% macro except() %}except{% endmacro %}
{% macro intersect() %}intersect{% endmacro %}
{% macro equals(expr1, expr2) %}({{ expr1 }} is not distinct from {{ expr2 }}){% endmacro %}
{% macro set_sql_header(config) %}{% set header = caller() %}{% endmacro %}
{% macro date_spine(datepart, start_date, end_date) -%}
select cast(null as timestamp) as date_{{ datepart }}
{%- endmacro %}
"""
_UTILS = """
{% macro generate_surrogate_key(field_list) -%}
md5(concat({% for field in field_list %}cast({{ field }} as varchar){{ ', ' if not loop.last }}{% endfor %}))
{%- endmacro %}
{% macro surrogate_key() -%}
{% set fields = varargs[0] if varargs[0] is not string else varargs %}
md5(concat({% for field in fields %}cast({{ field }} as varchar){{ ', ' if not loop.last }}{% endfor %}))
{%- endmacro %}
{% macro star() %}{% set given = (varargs, kwargs) %}*{% endmacro %}
{% macro group_by(n) -%}
group by {% for i in range(1, n + 1) %}{{ i }}{{ ', ' if not loop.last }}{% endfor %}
{%- endmacro %}
{% macro safe_divide(numerator, denominator) %}({{ numerator }}) / nullif({{ denominator }}, 0){% endmacro %}
{% macro safe_add() -%}
{% set fields = varargs[0] if varargs[0] is not string else varargs %}
{% for field in fields %}coalesce({{ field }}, 0){{ ' + ' if not loop.last }}{% endfor %}
{%- endmacro %}
{% macro safe_subtract(fields) -%}
{% for field in fields %}coalesce({{ field }}, 0){{ ' - ' if not loop.last }}{% endfor %}
{%- endmacro %}
{% macro union_relations(relations, include=[]) -%}
{% set given, names = kwargs, include | join(', ') or '*' %}
({% for one in relations %}select {{ names }} from {{ one }}{{ ' union all ' if not loop.last }}{% endfor %})
{%- endmacro %}
{% macro deduplicate(relation, partition_by, order_by) -%}
select * from {{ relation }}
qualify row_number() over (partition by {{ partition_by }} order by {{ order_by }}) = 1
{%- endmacro %}
{% macro date_spine(datepart, start_date, end_date) -%}
select cast(null as timestamp) as date_{{ datepart }}
{%- endmacro %}
"""
# A call keeps its arguments, and with them the columns that it depends on.
_ANYTHING = (
    "{% macro NAME() %}NAME({{ (varargs | list + kwargs.values() | list) | join(', ') }}){% endmacro %}"
)
OWN_PACKAGE = "dbt"


def dbt_macros() -> Iterator[MacroMetadata]:
    """Return the stand-ins for dbt's own macros."""
    return _macros(_DBT, OWN_PACKAGE)


def utils_macros() -> Iterator[MacroMetadata]:
    """Return the stand-ins for macros of dbt_utils that are missing, or that query the database."""
    return _macros(_UTILS, "dbt_utils")


def missing_macros(
    texts: Iterable[str], known: Iterable[MacroMetadata], names_of_dbt: Iterable[str]
) -> list[MacroMetadata]:
    """Return a stand-in for each package macro that *texts* call but no package has: a SQL function call."""
    have = {(macro.package_name, macro.name) for macro in known}
    packages = {package for package, _ in have}
    plain = {*names_of_dbt}
    found: dict[tuple[str, str], MacroMetadata] = {}
    for text in texts:
        for package, name in _called(text):
            key = (package, name)
            is_namespace = package not in plain and (package in packages or package.isidentifier())
            if key not in have and is_namespace and name.isidentifier():
                found[key] = _macro(package, name, _ANYTHING.replace("NAME", name))
    return list(found.values())


def _called(text: str) -> Iterator[tuple[str, str]]:
    """Yield package and name of every call `package.name(…)`, unless *text* sets a variable `package`."""
    if "." not in text or "{" not in text:
        return
    try:
        tree = ENVIRONMENT.parse(text)
    except (TemplateSyntaxError, RecursionError):
        return
    own = {name.name for name in tree.find_all(nodes.Name) if name.ctx in ("store", "param")}
    for call in tree.find_all(nodes.Call):
        callee = call.node
        if not isinstance(callee, nodes.Getattr) or not isinstance(callee.node, nodes.Name):
            continue
        if callee.node.name not in own:
            yield callee.node.name, callee.attr


def _macros(text: str, package: str) -> Iterator[MacroMetadata]:
    return (_macro(package, block.name, block.text) for block in blocks_of(text))


def _macro(package: str, name: str, text: str) -> MacroMetadata:
    return MacroMetadata(
        unique_id=f"macro.{package}.{name}", name=name, package_name=package, macro_sql=text, path=STAND_IN
    )


SILVER, BRONZE = "dbt-sql", "sql"
"""Values of a run's `extractor`: a dbt project read as files, and plain SQL."""
_COMPILED = RENDERED | {"analysis"}
_NAMED = 5
_EXACT = frozenset(["ref", "source", "function", "config", "this", "is_incremental"])
"""Names that are rendered without a macro."""

Known = Callable[[str, str], Mapping[str, NodeMetadata]]
"""Nodes of the last run of a project, by unique id, if its files were read with the same fingerprint."""


class SqlOptions(Struct, frozen=True, kw_only=True):
    """Options of a run read from SQL files."""

    environment: str = "current"
    """Environment of the run."""
    run_id: str | None = None
    """Id of the run. Default: one made of the contents."""
    project: str | None = None
    """Name of the project, if there is no dbt_project.yml. Default: the name of the folder."""
    dialect: str | None = None
    """Type of the warehouse, as in profiles.yml. Default: the profile's type, else standard SQL."""
    variables: Mapping[str, Any] | None = None
    """Values of dbt's `--vars`."""
    target_name: str | None = None
    """Target of the run."""
    profiles_dir: str | Path | None = None
    """Folder of profiles.yml."""
    profile: str | None = None
    """Profile in profiles.yml. Default: that of dbt_project.yml."""
    git: GitState = GitState()
    """State that overrides that of the repository."""
    environ: Mapping[str, str] | None = None
    """Environment variables. Default: those of the process."""


def extract_sql_project(
    folder: str | Path, options: SqlOptions = SqlOptions(), *, known: Known | None = None
) -> Project:
    """Return the dbt project or the plain SQL files in *folder* as one run with *options*, read without dbt.

    If dbt_project.yml is in *folder* or above it, or files contain Jinja, files are read as dbt models
    (`extractor` is `dbt-sql`). Otherwise every statement that builds a relation is a node (`sql`). *known*
    returns the nodes of an earlier run, so that unchanged files are not read again.

    Raises UsageError if there are no SQL files, or a name is invalid; ConfigurationError if dbt_project.yml
    is invalid.
    """
    check_name("an environment", options.environment)
    if options.run_id:
        check_name("a run", options.run_id)
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(f"Folder not found: {folder}", hint="name a folder with .sql files")
    root = project_above(folder) or _project_below(folder)
    if root is not None:
        return _dbt_project(root, options, known)
    warnings: list[str] = []
    files = read_files(folder, ["."], (".sql",), warnings)
    if not files:
        raise UsageError(
            f"No .sql files in {folder}", hint="name the folder of a dbt project, or a folder with .sql files"
        )
    # Jinja shows that these are models, even without a project file.
    if any("{{" in file.text or "{%" in file.text for file in files):
        return _dbt_project(folder, options, known)
    return _plain_project(folder, files, warnings, options)


def _project_below(folder: Path) -> Path | None:
    """Return the dbt project in a direct subfolder of *folder*; None if there is none."""
    found = sorted(path.parent for path in folder.glob(f"*/{PROJECT_FILE}"))
    if len(found) > 1:
        names = [path.name for path in found]
        raise UsageError(f"{len(found)} dbt projects in {folder}", hint=f"name one: {first_of(names, 5)}")
    return found[0] if found else None


def last_nodes(adapter: UnifiedSqlAdapter) -> Known:
    """Return a function that loads the nodes of the last run read from files from the store."""

    def known(project: str, fingerprint: str) -> Mapping[str, NodeMetadata]:
        with open_store(adapter) as store:
            runs = find_runs(store, project=project)
        for run in runs:
            if run.extractor == SILVER and run.invocation_id == fingerprint:
                return {node.unique_id: node for node in load_nodes(adapter, run)}
        return {}

    return known


def _dbt_project(root: Path, options: SqlOptions, known: Known | None) -> Project:
    place, dialect, target = _place(root, options)
    inputs = read_inputs(
        root,
        name=options.project,
        dialect=dialect,
        place=place,
        variables=options.variables,
        target=target,
    )
    package = inputs.root
    if not (package.models or package.snapshots or package.seeds or package.analyses):
        folders = ", ".join(package.settings.paths["models"])
        raise UsageError(f"No models in {root} ({folders})", hint="check model-paths in dbt_project.yml")
    before = known(package.name, inputs.fingerprint()) if known is not None else {}
    read = read_dbt_files(inputs, before)
    nodes = compiled(read, before, options)
    run = _run(
        nodes,
        root,
        options,
        project=package.name,
        extractor=SILVER,
        dialect=dialect,
        fingerprint=read.fingerprint,
    )
    run = replace(
        run,
        target_name=target,
        target_database=inputs.place.database,
        target_schema=inputs.place.schema,
    )
    return Project(
        run=run,
        nodes=tuple(nodes),
        macros=inputs.macros,
        groups=tuple(read.disabled),
        warnings=tuple(dict.fromkeys(map(str, inputs.warnings))),
    )


def _plain_project(
    folder: Path, files: Sequence[SourceFile], warnings: Sequence[str], options: SqlOptions
) -> Project:
    name = options.project or folder.resolve().name or "project"
    dialect = options.dialect or ""
    plain = read_plain(name, files, dialect_of(dialect) or dialect)
    nodes = plain.nodes()
    if not nodes:
        raise UsageError(
            f"No query, table or view found in the {len(files)} SQL files in {folder}",
            hint=(plain.warnings or ["set the SQL dialect with --dialect"])[0],
        )
    run = _run(
        nodes, folder, options, project=name, extractor=BRONZE, dialect=options.dialect, fingerprint=None
    )
    return Project(run=run, nodes=tuple(nodes), warnings=(*warnings, *dict.fromkeys(plain.warnings)))


def _place(root: Path, options: SqlOptions) -> tuple[TargetSchema | None, str | None, str | None]:
    """Return place, dialect and target from the profile and *options*; None for each that is unknown."""
    try:
        if not (root / PROJECT_FILE).is_file():
            return None, options.dialect, options.target_name
        profile = load_profile(
            options.profiles_dir,
            options.profile,
            target=options.target_name,
            project_dir=root,
            environment=options.environ,
            directory=root,
        )
    # Files can be read without a profile; only the names of relations are then unknown.
    except ProfileError:
        return None, options.dialect, options.target_name
    fields = profile.fields
    schema = fields.get("schema") or fields.get("dataset")
    database = (
        fields.get("database") or fields.get("dbname") or fields.get("catalog") or fields.get("project")
    )
    if profile.type == "duckdb":
        schema = schema or "main"
        # DuckDB names a database after its file.
        database = Path(str(fields.get("path") or "memory")).stem.strip(":") or "memory"
    place = TargetSchema(schema=str(schema), database=str(database) if database else None, is_target=True)
    return place if schema else None, options.dialect or profile.type, profile.target


def _run(
    nodes: Sequence[NodeMetadata],
    root: Path,
    options: SqlOptions,
    *,
    project: str,
    extractor: str,
    dialect: str | None,
    fingerprint: str | None,
) -> RunMetadata:
    environ = os.environ if options.environ is None else options.environ
    found = detect_git(root, environ)
    git = options.git
    sha = git.sha or found.sha
    # The id follows from the content, so that recording the same files again is a no-op.
    digest = sha256(f"{project}\0{options.environment}\0{sha}\0{dialect}\0{fingerprint}".encode())
    for node in nodes:
        content = f"\0{node.unique_id}\0{node.path}\0{node.raw_code}\0{node.code_hash}"
        digest.update(content.encode("utf-8", "surrogatepass"))
    return RunMetadata(
        run_id=options.run_id or digest.hexdigest()[:32],
        run_at=datetime.now(timezone.utc),
        project_name=project,
        environment=options.environment,
        invocation_id=fingerprint,
        extractor=extractor,
        adapter_type=dialect,
        git_sha=sha,
        branch=git.branch or found.branch,
        git_dirty=found.dirty if git.dirty is None else git.dirty,
        git_proven=None if sha is None else sha == clean_checkout(root, environ).sha,  # files read just now
        pull_request=git.pull_request or found.pull_request,
        node_count=len(nodes),
        edge_count=sum(len(node.parents) for node in nodes),
        recorder_version=__version__,
    )


def compiled(read: DbtFiles, before: Mapping[str, NodeMetadata], options: SqlOptions) -> list[NodeMetadata]:
    """Return the nodes of *read* with rendered SQL, if rendering needs no database.

    A node keeps its SQL if it and the relations that it reads are unchanged since *before*.
    """
    nodes = {node.unique_id: node for node in read.nodes}
    kept = _unchanged(nodes, before, read.reused)
    waiting = [
        node
        for node in read.nodes
        if node.unique_id not in kept and node.resource_type in _COMPILED and node.language == "sql"
    ]
    if not waiting and all(node.language != "python" for node in read.nodes):
        return read.nodes
    renderers = _renderers(read.inputs, nodes, options)
    if _name_relations(nodes, read.inputs, renderers[0]):
        renderers = _renderers(read.inputs, nodes, options)
    # A macro of the project may be in place of dbt's `ref`.
    exact = _EXACT.difference(macro.name for macro in read.inputs.macros if macro.path != STAND_IN)
    failures = BuildFailures(
        read.inputs.macros,
        parser_of(read.inputs.dialect),
        absent=absent_parents(read),
        has_all_files=read.inputs.has_all_files,
        is_exact=lambda code: outside_names(code) <= exact or _ends_statement(code),
        adapter=read.inputs.dialect,
    )
    failed: list[str] = []
    for node in (nodes[one.unique_id] for one in waiting):
        nodes[node.unique_id], error = failures.rendered(node, renderers)
        if node.resource_type == OPERATION:
            nodes[node.unique_id] = _placed(replace(nodes[node.unique_id], compiled_code=None), read.inputs)
        elif error is not None and nodes[node.unique_id].compiled_code is None:
            place = f"{node.path}:{error.line}" if error.line else node.path
            failed.append(f"{place}: {error.problem}")
    nodes |= failures.of_references(nodes)
    _tell(failed, read.inputs.warnings)
    return [nodes[unique_id] for unique_id in sorted(nodes)]


def _placed(node: NodeMetadata, inputs: Inputs) -> NodeMetadata:
    """Return *node*, a hook of dbt_project.yml, with the line of the hook in the place of its failure."""
    text = next(one.settings.text for one in inputs.packages if one.name == node.package_name)
    before, code, _ = text.partition((node.raw_code or "").partition("\n")[0])
    if not code or (failure := node.properties.get(BUILD_FAILURE)) is None:
        return node
    place = f"{node.path}:{before.count(chr(10)) + 1}"
    return replace(node, properties={**node.properties, BUILD_FAILURE: {**failure, "place": place}})


def _name_relations(nodes: dict[str, NodeMetadata], inputs: Inputs, renderer: SimpleTemplateRenderer) -> bool:
    """Give *nodes* the names that macros of the project choose. Return False if it has no such macro.

    A macro that needs a database leaves the names of dbt's own one.
    """
    own = {macro.name for macro in inputs.macros if macro.package_name == inputs.root.name}
    calls = {key: naming_call(key) for key, (macro, _) in NAMERS.items() if macro in own}
    for unique_id, node in nodes.items() if calls else ():
        if node.schema_name is None or node.resource_type == "source":
            continue
        names = {}
        for key, call in calls.items():
            # dbt takes this schema of a snapshot as it is.
            if key == "identifier" or not node.config.get(f"target_{key.removesuffix('_name')}"):
                with suppress(TemplateError):
                    names[key] = renderer.render(call, node=unique_id).strip()
        node = replace(node, **names)
        parts = node.database_name, node.schema_name, node.identifier or node.name
        name = relation_name(*parts, inputs.dialect)
        nodes[unique_id] = replace(node, relation_name=node.relation_name and name)
    return bool(calls)


def _ends_statement(code: str) -> bool:
    """Return True if a semicolon is last in *code*, whatever its macros write."""
    last = code.rstrip().rpartition("\n")[2]
    return last.endswith(";") and "--" not in last


def _unchanged(
    nodes: Mapping[str, NodeMetadata], before: Mapping[str, NodeMetadata], reused: Iterable[str]
) -> set[str]:
    """Return the nodes of *reused* with unchanged SQL: no relation, and no inlined model, has changed."""
    reusable = {unique_id for unique_id in reused if unique_id in nodes and nodes[unique_id].compiled_code}
    changed = {unique_id for unique_id in nodes if unique_id not in reusable}
    moved = {
        unique_id
        for unique_id in changed
        if (was := before.get(unique_id)) is None or was.relation_name != nodes[unique_id].relation_name
    }
    changed |= {unique_id for unique_id in reusable if not moved.isdisjoint(nodes[unique_id].parents)}
    is_inlined = partial(is_ephemeral, nodes=nodes)
    inlining = build_lineage_graph(nodes.values()).downstream(filter(is_inlined, changed), through=is_inlined)
    return reusable - changed - inlining


def _renderers(
    inputs: Inputs, nodes: Mapping[str, NodeMetadata], options: SqlOptions
) -> list[SimpleTemplateRenderer]:
    """Return renderers to try in order: stand-ins for missing macros, then also for macros with queries."""
    texts = [*(macro.macro_sql for macro in (*dbt_macros(), *inputs.macros)), *_codes(nodes.values())]
    known = inputs.packages if inputs.has_all_packages else inputs.packages[:1]
    whole = [one.name for one in known if inputs.is_whole]
    sets = with_stand_ins(inputs.macros, texts, whole, inputs.has_all_files)
    _tell_packages(sets.stand_ins, inputs, texts)
    given: dict[str, Any] = {
        "run": RunMetadata(
            run_id="files",
            # A fixed time, because the rendered SQL of unchanged files must not change.
            run_at=datetime.fromtimestamp(0, timezone.utc),
            project_name=inputs.root.name,
            adapter_type=inputs.dialect,
        ),
        "context": TemplateContext(
            variables=dict(inputs.overrides),
            settings=inputs.variables,
            environ=os.environ if options.environ is None else options.environ,
            target={
                "schema": inputs.place.schema,
                "database": inputs.place.database,
                "name": inputs.target.get("name", "default"),
            },
        ),
        "infer_variables": False,
    }
    parents = {parent for node in nodes.values() for parent in node.parents}
    everything = {**nodes, **missing_models(parents - nodes.keys(), inputs.place.schema, inputs.dialect)}
    return [
        SimpleTemplateRenderer(None, everything, macros=macros, **given)
        for macros in (sets.first, sets.second)
    ]


def _codes(nodes: Iterable[NodeMetadata]) -> list[str]:
    return [node.raw_code or "" for node in nodes]


class MacroSets(NamedTuple):
    """Macros to render templates with, without a database; the sets are tried in order."""

    first: list[MacroMetadata]
    """Real macros, and stand-ins for missing ones."""
    second: list[MacroMetadata]
    """The same with stand-ins for macros that query the database."""
    stand_ins: list[MacroMetadata]
    """Stand-ins in `first` for macros of packages."""


def with_stand_ins(
    macros: Iterable[MacroMetadata],
    texts: Iterable[str],
    whole: Collection[str] = (),
    is_complete: bool = False,
) -> MacroSets:
    """Return *macros*, completed by stand-ins for all macros that *texts* call and that are missing.

    Of the packages *whole* all macros are known, so those that are missing do not exist. If *is_complete*,
    neither do other packages, except those of dbt.
    """
    own = [*dbt_macros(), *macros]
    have = {macro.unique_id for macro in own}
    utils = [macro for macro in utils_macros() if not is_complete or macro.package_name in whole]
    first = [*own, *(macro for macro in utils if macro.unique_id not in have)]
    absent = [
        macro
        for macro in missing_macros(texts, first, (*DBT_NAMES, *FUNCTIONS, *whole))
        if not is_complete or is_builtin(macro.package_name)
    ]
    stand_ins = [*absent, *first[len(own) :]]
    first += absent
    replaced = {macro.unique_id: macro for macro in (*first, *utils)}
    return MacroSets(first, list(replaced.values()), stand_ins)


def _tell_packages(stand_ins: Iterable[Any], inputs: Inputs, texts: Sequence[str]) -> None:
    """Add a warning about packages that templates use but that are not installed."""
    installed = {package.name for package in inputs.packages}
    names = sorted(
        {macro.package_name for macro in stand_ins if any(f"{macro.package_name}." in text for text in texts)}
        - installed
        - {"dbt"}
    )
    if names:
        inputs.warnings.append(
            f"Packages not installed: {', '.join(names)}; their macros were replaced by stand-ins "
            "(run dbt deps to install the packages)"
        )


def missing_models(
    parents: Iterable[str], schema: str | None, dialect: str | None
) -> dict[str, NodeMetadata]:
    """Return a placeholder for each model and function of *parents*, so that its readers can be rendered."""
    found = {}
    for unique_id in parents:
        kind, package, name, *version = unique_id.split(".", 3)
        if kind in ("model", "function"):
            found[unique_id] = NodeMetadata(
                unique_id=unique_id,
                name=name,
                resource_type=kind,
                package_name=package,
                identifier=name,
                version=version[0].removeprefix("v") if version else None,
                relation_name=relation_name(None, schema, name, dialect),
            )
    return found


def _tell(failed: Sequence[str], warnings: list[str]) -> None:
    """Add warnings about files that could not be rendered; only the first `_NAMED` are listed."""
    warnings += [f"{text}; its SQL was not rendered" for text in failed[:_NAMED]]
    if len(failed) > _NAMED:
        warnings.append(f"{len(failed) - _NAMED} more files were not rendered")
