"""Macros in the place of dbt's own: which nodes they build, and which of them only a note can name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from msgspec.structs import replace

from recce_meta.diff.causes import Causes
from recce_meta.diff.changes import detect_changes
from recce_meta.diff.graph_reads import graph_edits
from recce_meta.diff.project_side import ProjectSide
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import Change, MacroMetadata, NodeMetadata, Project, Reason, Status
from recce_meta.models.run import Extraction, ExtractionTier, IsolationKind, Trigger

BUILT = {"incremental", "table", "view", "snapshot", "seed"}
NOTE = "Changed macro that dbt itself may call, with unknown effects on nodes: "


DATA = Path(__file__).parents[2] / "data" / "artifacts" / "generated" / "jaffle_ext_full"


@cache
def built_by(version: str) -> Project:
    return extract_project(DATA / f"dbt_{version}", git=GitState(), hash_seed_files=False)


@pytest.fixture(params=[pytest.param("1.6", marks=pytest.mark.extensive), "1.10", "2.0"])
def project(request: pytest.FixtureRequest) -> Project:
    return built_by(request.param)


def macro(name: str, answer: str, *calls: str) -> MacroMetadata:
    return MacroMetadata(
        unique_id=f"macro.jaffle_ext.{name}",
        name=name,
        package_name="jaffle_ext",
        macro_sql=f"{{% macro {name}() %}}{answer}{{% endmacro %}}",
        macros=calls,
    )


def with_macros(project: Project, *macros: MacroMetadata) -> Project:
    return replace(project, macros=(*project.macros, *macros))


def changed(base: Project, current: Project) -> set[str]:
    """Return the materializations of all nodes that changed because of a macro alone."""
    nodes = {node.unique_id: node for node in current.nodes}
    changes = detect_changes(base, current)
    assert all(change.reasons == (Reason.MACROS,) for change in changes.values())
    return {str(nodes[unique_id].materialized) for unique_id in changes}


def notes(base: Project, current: Project) -> list[str]:
    causes = Causes(ProjectSide.of(base), ProjectSide.of(current))
    return causes.macros.unattributed([*base.nodes, *current.nodes])


@pytest.mark.parametrize(
    ("code", "commands", "status"),
    [
        ("flags.WHICH == 'build'", ("build --empty", "compile"), Status.UNCHANGED),
        ("flags.WHICH == 'build'", ("build", "build"), Status.MODIFIED),
        ("flags.WHICH == 'build'", (None, "compile"), Status.MODIFIED),
        ("flags.WHICH == var('x', 'build')", ("build", "compile"), Status.MODIFIED),
        ("execute", ("build", "compile"), Status.MODIFIED),
    ],
)
def test_sql_that_follows_from_the_command_is_not_edited(
    code: str, commands: tuple[str | None, str], status: Status
) -> None:
    project = built_by("1.10")
    model = next(node for node in project.nodes if node.resource_type == "model" and not node.macros)
    raw = f"select 1 as a {{% if {code} %}} where true {{% endif %}}"
    base, current = (
        replace(
            project,
            run=replace(project.run, command=command),
            nodes=[replace(model, raw_code=raw, compiled_code=compiled)],
        )
        for command, compiled in zip(commands, ("select 1 as a where true", "select 1 as a"), strict=True)
    )

    assert detect_changes(base, current)[model.unique_id].status is status


@pytest.mark.cases(8)
@pytest.mark.parametrize(
    ("name", "materialized"),
    [
        ("get_incremental_default_sql", {"incremental"}),
        ("duckdb__get_incremental_default_sql", {"incremental"}),
        ("default__rename_relation", {"incremental", "table", "view"}),
        ("run_hooks", BUILT),
        ("load_csv_rows", {"seed"}),
        ("snapshot_merge_sql", {"snapshot"}),
        ("snapshot_check_strategy", {"snapshot"}),
        ("get_where_subquery", {"test"}),
    ],
)
def test_a_macro_in_the_place_of_dbts_changes_the_nodes_that_it_builds(
    name: str, materialized: set[str], project: Project
) -> None:
    before, after = (with_macros(project, macro(name, answer)) for answer in "12")

    assert changed(before, after) == materialized
    assert changed(project, after) == materialized
    assert changed(after, project) == materialized
    assert notes(before, after) == []


def test_what_such_a_macro_calls_counts_too(project: Project) -> None:
    caller = macro("create_table_as", "{{ helper() }}", "macro.jaffle_ext.helper")
    before, after = (with_macros(project, caller, macro("helper", answer)) for answer in "12")

    assert {"table", "incremental", "snapshot"} <= changed(before, after)


@pytest.mark.parametrize("name", ["get_catalog", "default__list_schemas"])
def test_a_macro_of_which_no_reach_is_known_is_named_in_a_note(name: str, project: Project) -> None:
    before, after = (with_macros(project, macro(name, answer)) for answer in "12")

    assert changed(before, after) == set()
    assert notes(before, after) == notes(project, after) == [f"{NOTE}jaffle_ext.{name}"]


def test_so_is_a_macro_that_only_such_a_macro_calls(project: Project) -> None:
    caller = macro("get_catalog", "{{ helper() }}", "macro.jaffle_ext.helper")
    before, after = (with_macros(project, caller, macro("helper", answer)) for answer in "12")

    assert notes(before, after) == [f"{NOTE}jaffle_ext.helper"]


@pytest.mark.parametrize("name", ["own_macro", "get_incremental_merge_sql"])
def test_a_macro_that_nothing_calls_changes_nothing(name: str, project: Project) -> None:
    before, after = (with_macros(project, macro(name, answer)) for answer in "12")

    assert changed(before, after) == set() and notes(before, after) == []


@pytest.mark.parametrize("kind", ["hook", "branch", "macro"])
def test_a_macro_in_the_place_of_dbts_changes_the_nodes_with_hooks_or_branches_that_call_it(
    kind: str, project: Project
) -> None:
    call = "{{ dbt.length('name') }}"
    hook = {"hook": f"delete from {{{{ this }}}} where {call} > 3", "macro": "{{ cleaned() }}"}.get(kind)
    branch = f" {{% if is_incremental() %}} where {call} > 3 {{% endif %}}" if kind == "branch" else ""
    (node,) = (one for one in project.nodes if one.unique_id == "model.jaffle_ext.customers")
    calling = replace(
        node,
        raw_code=f"{node.raw_code}{branch}",
        config={**node.config, **({"post-hook": [{"sql": hook}]} if hook else {})},
    )
    nodes = tuple(calling if one is node else one for one in project.nodes)
    before, after = (
        with_macros(
            replace(project, nodes=nodes),
            macro("duckdb__length", answer),
            macro("cleaned", call, "macro.dbt.length"),
        )
        for answer in "12"
    )
    other = (
        with_macros(project, macro("duckdb__length", "1")),
        with_macros(project, macro("duckdb__length", "2")),
    )

    assert set(detect_changes(before, after)) == {node.unique_id}
    assert detect_changes(*other) == {}


FULL = "select a from t"
LATER = "{% if is_incremental() %} where a > {} {% endif %}"
IN_BRANCH = FULL + LATER


def first_and_later(
    project: Project,
    code: str,
    *macros: MacroMetadata,
    variables: tuple[dict[str, str] | None, ...] = ({}, {}),
) -> list[Change]:
    """Return the changes of one incremental model between its first build and a later one."""
    node = next(one for one in project.nodes if one.materialized == "incremental")
    calls = tuple(one.unique_id for one in (*project.macros, *macros) if f"{one.name}(" in code)
    sides = [
        replace(
            with_macros(project, *macros),
            run=replace(project.run, variables=given),
            nodes=(replace(node, raw_code=code, compiled_code=sql, macros=calls),),
        )
        for sql, given in zip((FULL, FULL + " where a > 1"), variables, strict=True)
    ]
    return list(detect_changes(*sides).values())


@pytest.mark.parametrize(
    ("code", "variables"),
    [
        (IN_BRANCH, ({}, {})),
        (FULL + "{{ newer() }}", (None, None)),
        (IN_BRANCH.replace("{}", "{{ var('day', 2) }}"), ({"day": "1"}, {"day": "1", "other": "2"})),
        (IN_BRANCH.replace("{}", "(select max(a) from {{ this }})"), ({}, None)),
        (IN_BRANCH.replace("{}", "{{ env_var('day') }}"), ({"day": "1"}, {"day": "1"})),
        (IN_BRANCH.replace("{}", "{{ var('day') }}"), ({}, {})),
        (IN_BRANCH.replace("{}", "{{ var('day', 1) }}"), (None, {"day": "1"})),
    ],
)
def test_a_later_build_of_the_same_code_is_no_change(
    code: str, variables: tuple[dict[str, str] | None, ...], project: Project
) -> None:
    newer = macro("newer", LATER, "macro.dbt.is_incremental")

    (change,) = first_and_later(project, code, newer, variables=variables)

    assert (change.status, change.reasons) == (Status.UNCHANGED, (Reason.ENVIRONMENT,))


@pytest.mark.parametrize(
    ("code", "variables"),
    [
        ("{% set found = run_query('select 1') %}" + IN_BRANCH, ({}, {})),
        ("{% set found = adapter.get_columns_in_relation(this) %}" + IN_BRANCH, ({}, {})),
        (IN_BRANCH.replace("{}", "{{ graph.nodes | length }}"), ({}, {})),
        (IN_BRANCH.replace("{}", "{{ flags.FULL_REFRESH }}"), ({}, {})),
        ("{{ model.path }}" + IN_BRANCH, ({}, {})),
        ("{{ ref('orders').identifier }}" + IN_BRANCH, ({}, {})),
        ("{{ this.schema }}" + IN_BRANCH, ({}, {})),
        ("{{ context['model'].path }}" + IN_BRANCH, ({}, {})),
        ("{% set one = model %}{{ one | string | length }}" + IN_BRANCH, ({}, {})),
        ("{{ documented() }}" + IN_BRANCH, ({}, {})),
        (IN_BRANCH.replace("{}", "{{ var('d' ~ 'ay') }}{{ var('day') }}"), ({"day": "1"}, {"day": "1"})),
        (FULL, ({}, {})),
    ],
)
def test_what_else_a_template_reads_may_explain_other_sql(
    code: str, variables: tuple[dict[str, str] | None, ...], project: Project
) -> None:
    documented = macro("documented", "{{ model['descr' ~ 'iption'] }}")

    (change,) = first_and_later(project, code, documented, variables=variables)

    assert (change.status, Reason.COMPILED in change.reasons) == (Status.MODIFIED, True)


def test_a_macro_in_the_place_of_is_incremental_may_explain_other_sql(project: Project) -> None:
    (change,) = first_and_later(project, IN_BRANCH, macro("is_incremental", "{{ var('day') }}"))

    assert Reason.COMPILED in change.reasons


@pytest.mark.parametrize(
    ("variables", "values"),
    [
        (({"day": "1"}, {"day": "2"}), ("given with --vars", "given otherwise")),
        (({"day": "1"}, {}), ("given with --vars", "not given")),
        (({}, {"day": "2"}), ("not given", "given with --vars")),
    ],
)
def test_a_diff_says_what_is_known_of_the_values_of_a_variable(
    variables: tuple[dict[str, str] | None, ...], values: tuple[str, str], project: Project
) -> None:
    (change,) = first_and_later(project, IN_BRANCH.replace("{}", "{{ var('day') }}"), variables=variables)

    assert [(one.base, one.current) for one in change.details if one.key == "var('day')"] == [values]


@pytest.mark.parametrize("schema", ["dev", "ci"])
def test_another_identifier_of_a_source_is_an_edit_on_every_target(schema: str, project: Project) -> None:
    source = NodeMetadata(
        unique_id="source.shop.raw.t", name="t", resource_type="source", package_name="shop",
        database_name="db", schema_name="raw", identifier="t_a", relation_name='"db"."raw"."t_a"',
    )  # fmt: skip
    other = replace(source, identifier="t_b", relation_name='"db"."raw"."t_b"')
    runs = [replace(project.run, target_name=one, target_schema=one) for one in ("dev", schema)]

    found = detect_changes(
        replace(project, run=runs[0], nodes=(source,)), replace(project, run=runs[1], nodes=(other,))
    )

    assert [(one.status, one.reasons) for one in found.values()] == [(Status.MODIFIED, (Reason.RELATION,))]


def moved(project: Project, extraction: Extraction | None, **place: str) -> Project:
    """Return *project* with all models at another place, as by a macro that names places."""

    def at_place(node: NodeMetadata) -> NodeMetadata:
        if node.resource_type != "model" or not node.relation_name:
            return node
        found = replace(node, **place)
        old, new = ((one.database_name, one.schema_name, one.identifier) for one in (node, found))
        relation = node.relation_name
        for before, after in zip(old, new, strict=True):
            relation = relation.replace(f'"{before}"', f'"{after}"')
        return replace(found, relation_name=relation)

    run = replace(project.run, extraction=extraction, target_schema=place["schema_name"])
    return replace(project, nodes=tuple(map(at_place, project.nodes)), run=run)


@pytest.mark.parametrize("isolation", [IsolationKind.BUBBLEWRAP, None])
def test_what_moves_in_the_profile_of_one_connection_was_moved_by_an_edit(
    isolation: IsolationKind | None, project: Project
) -> None:
    """Two uploads of one connection, which have no isolation, may be of two targets."""
    by_worker = Extraction(
        connection="shop",
        job="1",
        trigger=Trigger.POLL,
        requested_by="ada",
        tier=ExtractionTier.GOLD,
        isolation=isolation,
    )
    base = replace(project, run=replace(project.run, extraction=by_worker))
    current = moved(project, by_worker, schema_name="evil")
    models = [node for node in project.nodes if node.resource_type == "model" and node.relation_name]

    found = [change for change in detect_changes(base, current).values() if Reason.RELATION in change.reasons]
    assert len(found) == (len(models) if isolation else 0)


@pytest.mark.parametrize(("edited", "is_edit"), [(False, False), (True, True)])
def test_names_by_an_unedited_macro_differ_between_targets(
    edited: bool, is_edit: bool, project: Project
) -> None:
    namers = [macro("generate_alias_name", "{{ prefix() }}", "macro.jaffle_ext.prefix")]
    base = with_macros(project, *namers, macro("prefix", "1"))
    current = with_macros(project, *namers, macro("prefix", "2" if edited else "1"))
    current = moved(current, None, schema_name="dev", identifier="stage")

    found = detect_changes(base, current).values()
    assert any(Reason.RELATION in change.reasons for change in found) == is_edit


def test_what_graph_has_otherwise_is_named_in_one_order(project: Project) -> None:
    causes = Causes(ProjectSide.of(project), ProjectSide.of(project))
    added = [Change(unique_id=f"model.jaffle_ext.{one}", name=one, resource_type="model", status=Status.ADDED)
             for one in ("b", "a", "c")]  # fmt: skip

    orders = [graph_edits({one.unique_id: one for one in each}, causes) for each in (added, added[::-1])]

    assert orders[0] == orders[1] and [len(each) for each in orders[0].values()] == [3]
