"""A dbt project is read from its files as dbt would: names, settings, places, edges, and SQL."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from recce_meta.diff.changes import compare
from recce_meta.diff.project_side import ProjectSide
from recce_meta.errors import ConfigurationError, UsageError
from recce_meta.extractors.sql_project.files import find_files
from recce_meta.models import EdgeOrigin, NodeMetadata
from recce_meta.models.change import Status

PROJECT = """
name: shop
model-paths: [models]
vars: {statuses: [paid, open], shop: {origin: web}}
models:
  shop:
    +tags: all
    staging: {+materialized: view, +schema: staging}
    marts: {materialized: table, +tags: [mart]}
"""
FILES = {
    "dbt_project.yml": PROJECT,
    "models/staging/stg_orders.sql": (
        "select id, amount, {{ cents('amount') }} as euros from {{ source('raw', 'orders') }}"
    ),
    "models/marts/orders.sql": (
        "{{ config(alias='all_orders', tags='big') }}\nselect id, euros from {{ ref('stg_orders') }} where "
        "{% for s in var('statuses') %}status = '{{ s }}' {{ 'or ' if not loop.last }}{% endfor %}"
        "{% if is_incremental() %} and id > (select max(id) from {{ this }}){% endif %}"
    ),
    "models/marts/marts.yml": (
        "models:\n- name: orders\n  description: Every order.\n  columns: [{name: id, description: Key}]\n"
        "  config: {meta: {owner: finance}}\n"
    ),
    "models/sources.yml": (
        "sources:\n- name: raw\n  schema: \"{{ var('nothing', 'landing') }}\"\n"
        "  tables:\n  - {name: orders, identifier: orders_v2, columns: [{name: id}]}\n"
    ),
    "macros/cents.sql": "{% macro cents(column) %}{{ column }} / 100.0{% endmacro %}",
    "seeds/countries.csv": "code,name\nde,Germany\n",
}


def test_functions_are_read_as_in_manifests(read: Callable[..., Any]) -> None:
    shop = read(
        {
            "dbt_project.yml": "name: shop\nfunction-paths: [udf]\nfunctions: {+volatility: stable}\n",
            "udf/text/twice.sql": "x * {{ function('two') }}()",
            "udf/two.sql": "2",
            "udf/all.yml": (
                "functions:\n- name: twice\n  description: Double\n  returns: {data_type: int}\n"
                "  arguments: [{name: x, data_type: int}]\n"
            ),
            "models/orders.sql": "select {{ function('shop', 'twice') }}(1) as id",
        }
    )

    twice = shop["twice"]
    assert (twice.resource_type, twice.materialized) == ("function", "function")
    assert (twice.fqn, twice.relation_name) == (("shop", "text", "twice"), None)
    assert (twice.config["volatility"], twice.description) == ("stable", "Double")
    assert twice.properties["arguments"] == [{"name": "x", "data_type": "int"}]
    assert twice.properties["returns"] == {"data_type": "int"}
    assert twice.parents == ("function.shop.two",)
    assert shop["orders"].parents == ("function.shop.twice",)
    assert shop["orders"].compiled_code == 'select "shop"."twice"(1) as id'


def test_of_duplicate_keys_the_last_counts_as_in_dbt_with_a_warning(read: Callable[..., Any]) -> None:
    shop = read(
        {
            "dbt_project.yml": "name: shop\nmodels:\n  +tags: a\nmodels:\n  +tags: b\n",
            "models/orders.sql": "select 1 as id",
            "models/schema.yml": "models:\n  - name: orders\n    description: one\n    description: two\n",
        }
    )

    assert shop["orders"].description == "two"
    assert shop["orders"].config["tags"] == ["b"]
    told = "\n".join(shop.project.warnings)
    assert "dbt_project.yml:4: duplicate key 'models', first given in line 2; the last one counts" in told
    assert "models/schema.yml:4: duplicate key 'description', first given in line 3" in told


def test_a_project_is_read_with_its_names_places_and_edges(read: Callable[..., Any]) -> None:
    shop = read(FILES, dialect="duckdb")
    orders, staged, source = shop["orders"], shop["stg_orders"], shop["raw.orders"]

    assert sorted(shop.nodes) == [
        "model.shop.orders",
        "model.shop.stg_orders",
        "seed.shop.countries",
        "source.shop.raw.orders",
    ]
    assert orders.parents == ("model.shop.stg_orders",)
    assert staged.parents == ("source.shop.raw.orders",)
    assert orders.edge_origins == {"model.shop.stg_orders": EdgeOrigin("ref", 0.9)}
    assert staged.edge_origins == {"source.shop.raw.orders": EdgeOrigin("source", 0.9)}
    assert (orders.materialized, orders.identifier, orders.tags) == (
        "table",
        "all_orders",
        ("all", "mart", "big"),
    )
    assert (staged.materialized, staged.schema_name) == ("view", "staging")
    assert orders.fqn == ("shop", "marts", "orders")
    assert orders.description == "Every order." and orders.meta == {"owner": "finance"}
    assert [column.name for column in orders.columns] == ["id"]
    assert (source.schema_name, source.identifier) == ("landing", "orders_v2")
    assert [column.name for column in shop["countries"].columns] == ["code", "name"]
    assert staged.macros == ("macro.shop.cents",)
    assert shop.project.warnings == ()


def test_its_sql_is_rendered_with_its_own_macros_and_variables(read: Callable[..., Any]) -> None:
    shop = read(FILES, dialect="duckdb")

    assert shop["stg_orders"].compiled_code == (
        'select id, amount, amount / 100.0 as euros from "landing"."orders_v2"'
    )
    assert shop["orders"].compiled_code == (
        "\nselect id, euros from \"staging\".\"stg_orders\" where status = 'paid' or status = 'open' "
    )


def test_its_run_says_what_it_is_and_the_same_files_are_the_same_run(read: Callable[..., Any]) -> None:
    first, again = read(FILES, dialect="duckdb"), read(FILES, dialect="duckdb", folder="models/marts")
    edited = read({"models/marts/orders.sql": "select 1 as id"}, dialect="duckdb")
    run = first.project.run

    assert (run.extractor, run.project_name, run.adapter_type) == ("dbt-sql", "shop", "duckdb")
    assert (run.node_count, run.edge_count) == (4, 2)
    assert run.run_id == again.project.run.run_id != edited.project.run.run_id


def test_versions_snapshots_packages_python_and_disabled_models_are_known(read: Callable[..., Any]) -> None:
    shop = read(
        {
            "dbt_project.yml": "name: shop\nmodels: {utils: {+enabled: \"{{ var('utils', true) }}\"}}\n",
            "models/people_v1.sql": "select 1 as id",
            "models/people_v2.sql": "select 1 as id",
            "models/people.yml": "models: [{name: people, latest_version: 1, versions: [{v: 1}, {v: 2}]}]",
            "models/reads.sql": (
                "select * from {{ ref('people') }}, {{ ref('people', v=2) }}, {{ ref('helper') }}"
            ),
            "models/off.sql": "{{ config(enabled=false) }} select 1",
            "models/snake.py": (
                "def model(dbt, s):\n    dbt.config(materialized='table')\n    return dbt.ref('reads')"
            ),
            "snapshots/s.sql": (
                "{% snapshot kept %}{{ config(strategy='check', target_schema='history') }}"
                "select * from {{ ref('reads') }}{% endsnapshot %}"
            ),
            "dbt_packages/utils/dbt_project.yml": "name: utils",
            "dbt_packages/utils/models/helper.sql": "select {{ shout('x') }} as loud",
            "dbt_packages/utils/macros/m.sql": "{% macro shout(t) %}upper('{{ t }}'){% endmacro %}",
            "tests/no_nulls.sql": "select * from {{ ref('reads') }} where id is null",
        }
    )

    assert shop["reads"].parents == ("model.shop.people.v1", "model.shop.people.v2", "model.utils.helper")
    assert shop["people.v2"].identifier == "people_v2" and shop["people.v2"].version == "2"
    assert (shop["snake"].language, shop["snake"].materialized) == ("python", "table")
    assert shop["snake"].parents == ("model.shop.reads",)
    assert shop["kept"].relation_name == '"history"."kept"'
    assert shop["kept"].parents == ("model.shop.reads",)
    assert shop["helper"].compiled_code == "select upper('x') as loud"
    assert shop["no_nulls"].resource_type == "test"
    assert "model.shop.off" not in shop.nodes


def test_ephemeral_models_are_put_into_their_readers(read: Callable[..., Any]) -> None:
    shop = read(
        {
            "dbt_project.yml": "name: shop",
            "models/e.sql": "{{ config(materialized='ephemeral') }}select 1 as id",
            "models/r.sql": "select * from {{ ref('e') }}",
        }
    )

    assert shop["e"].relation_name is None
    assert "__dbt__cte__e as (" in shop["r"].compiled_code


def test_macros_that_are_not_at_hand_have_stand_ins(read: Callable[..., Any]) -> None:
    shop = read(
        {
            "dbt_project.yml": "name: shop",
            "packages.yml": "packages:\n  - package: dbt-labs/dbt_utils\n",
            "models/a.sql": (
                "select {{ dbt_utils.generate_surrogate_key(['x', 'y']) }} as k, "
                "{{ elsewhere.shout('z') }} as l, {{ dbt.safe_cast('x', dbt.type_string()) }} as s "
                "from {{ source('raw', 't') }}"
            ),
            "models/u.sql": "{{ dbt_utils.union_relations([ref('a')], include=['k', 'l'], where='k > 1') }}",
        }
    )

    assert " ".join(shop["u"].compiled_code.split()).startswith("(select k, l from ")
    assert shop["a"].compiled_code == (
        "select md5(concat(cast(x as varchar), cast(y as varchar))) as k, shout(z) as l, "
        'cast(x as varchar) as s from "raw"."t"'
    )
    assert any("not installed: dbt_utils, elsewhere" in text for text in shop.project.warnings)


def test_what_cannot_be_read_costs_itself_and_is_told_with_its_place(read: Callable[..., Any]) -> None:
    shop = read(
        {
            "dbt_project.yml": "name: shop",
            "models/good.sql": "select * from {{ ref('nowhere') }}",
            "models/open.sql": "select 1\nfrom {{ ref('good') ",
            "models/guess.sql": "select * from {{ ref(run_query('q')) }}",
            "models/binary.sql": b"\x00\x01\xff",
            "models/latin.sql": "select 'é' as x".encode("latin-1"),
            "models/other/good.sql": "select 2 as id",
            "models/bad.yml": "models: [unclosed",
            "models/undeclared.sql": "select * from {{ source('s', 't') }}",
        }
    )
    told = "\n".join(shop.project.warnings)

    assert shop["good"].parents == ("model.shop.nowhere",)
    assert shop["good"].compiled_code == 'select * from "shop"."nowhere"'
    assert shop["guess"].properties["dynamic"] == ["line 1: ref() of a name that only rendering knows"]
    assert shop["latin"].raw_code == "select 'é' as x"
    assert shop["undeclared"].parents == ("source.shop.s.t",)
    assert shop["good"].edge_origins == {"model.shop.nowhere": EdgeOrigin("ref", 0.5)}
    assert shop["undeclared"].edge_origins == {"source.shop.s.t": EdgeOrigin("source", 0.5)}
    for text in (
        "models/good.sql: referenced node nowhere does not exist",
        "models/open.sql: line 2",
        "models/guess.sql",
        "models/binary.sql is not text",
        "models/latin.sql is not UTF-8",
        "models/other/good.sql was skipped: model.shop.good is already defined in models/good.sql",
        "models/bad.yml:",
        "source s.t is not declared",
    ):
        assert text in told


def test_a_link_that_leads_back_ends(read: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "shop" / "models").mkdir(parents=True)
    (tmp_path / "shop" / "models" / "again").symlink_to(tmp_path / "shop" / "models")

    shop = read({"dbt_project.yml": "name: shop", "models/a.sql": "select 1 as id"})

    assert list(shop.nodes) == ["model.shop.a"]


@pytest.mark.parametrize(
    ("ignored", "names"),
    [
        ("# a.sql\n\n", "a b c d"),
        ("a.sql", "b c d"),
        ("models/a.sql", "b c d"),
        ("/a.sql\nb.*", "a c d"),
        ("old/", "a b c"),
        ("models/**/old\n!models/x/old/d.sql", "a b c d"),
        ("**/?.sql\n!c.sql  ", "c"),
        ("models/*.sql", "d"),
        ("models/**/a.sql\nmodels/**/d.sql", "b c"),
        ("models/**", ""),
    ],
)
def test_files_that_dbt_ignores_are_left_out(tmp_path: Path, ignored: str, names: str) -> None:
    for place in ("a.sql", "b.sql", "c.sql", "x/old/d.sql"):
        path = tmp_path / "models" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / ".dbtignore").write_text(ignored)

    found = {path.stem for path in find_files(tmp_path, ["models"], (".sql",))}

    assert found == set(names.split())


@pytest.mark.parametrize(
    ("folder", "names"), [("models", ["a", "d", "e"]), ("./models", ["a", "d", "e"]), (".", ["a"])]
)
def test_hidden_folders_are_read_and_hidden_files_are_not(
    tmp_path: Path, folder: str, names: list[str]
) -> None:
    # dbt 1.11 reads `[!.#~]*.sql` in any folder.
    for place in (
        "models/a.sql", "models/.b.sql", "models/#c.sql", "models/~c.sql", "models/.d/d.sql",
        "models/.d/.e/e.sql", ".git/f.sql",
    ):  # fmt: skip
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    assert sorted(path.stem for path in find_files(tmp_path, [folder], (".sql",))) == names


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_files_with_names_that_are_not_utf8_are_named_and_skipped(
    read: Callable[..., Any], tmp_path: Path
) -> None:
    models = tmp_path / "shop" / "models"
    models.mkdir(parents=True)
    for name in (b"caf\xe9.sql", b"caf\xe9.yml"):
        Path(os.fsdecode(bytes(models) + b"/" + name)).touch()

    shop = read({"dbt_project.yml": "name: shop", "models/a.sql": "select 1 as id"})

    assert list(shop.nodes) == ["model.shop.a"]
    skipped = [one for one in shop.project.warnings if "UTF-8" in one]
    assert skipped == [
        f"models/caf\ufffd.{kind} was skipped: its name is not UTF-8" for kind in ("sql", "yml")
    ]


def test_pipes_and_devices_are_never_read(read: Callable[..., Any], tmp_path: Path) -> None:
    models = tmp_path / "shop" / "models"
    models.mkdir(parents=True)
    os.mkfifo(models / "pipe.sql")
    os.mkfifo(models / "pipe.yml")
    (models / "endless.sql").symlink_to("/dev/zero")

    shop = read({"dbt_project.yml": "name: shop", "models/a.sql": "select 1 as id"})

    assert list(shop.nodes) == ["model.shop.a"]


@pytest.mark.parametrize(
    ("files", "error", "message"),
    [
        ({"readme.md": "x"}, UsageError, "No .sql files in"),
        ({"dbt_project.yml": "name: shop"}, UsageError, "No models in"),
        ({"dbt_project.yml": "name: [", "models/a.sql": "select 1"}, ConfigurationError, "is not valid YAML"),
        ({"dbt_project.yml": "version: 2", "models/a.sql": "x"}, ConfigurationError, "No 'name:'"),
        ({"a/dbt_project.yml": "name: a", "b/dbt_project.yml": "name: b"}, UsageError, "2 dbt projects"),
    ],
)
def test_a_folder_without_a_project_says_so(
    read: Callable[..., Any], files: dict[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        read(files)


def test_files_with_jinja_and_no_project_file_are_models(read: Callable[..., Any]) -> None:
    shop = read(
        {
            "a.sql": "select * from {{ ref('b') }}",
            "deep/b.sql": "select {{ m() }} as x",
            "macros.sql": "{% macro m() %}1{% endmacro %}",
        }
    )

    assert sorted(shop.nodes) == ["model.shop.a", "model.shop.b"]
    assert shop["a"].parents == ("model.shop.b",)
    assert shop["b"].compiled_code == "select 1 as x"


def test_a_profile_tells_dialect_and_place(read: Callable[..., Any]) -> None:
    shop = read(
        {
            **FILES,
            "dbt_project.yml": PROJECT + "profile: shop\n",
            "profiles.yml": "shop: {target: dev, outputs: {dev: {type: postgres, host: h, user: u, "
            "password: p, port: 1, dbname: wh, schema: dbt_me}}}",
        }
    )
    run = shop.project.run

    assert (run.adapter_type, run.target_name, run.target_database) == ("postgres", "dev", "wh")
    assert shop["stg_orders"].relation_name == '"wh"."dbt_me_staging"."stg_orders"'
    # As dbt does, a source without a database is in that of the target.
    assert shop["raw.orders"].relation_name == '"wh"."landing"."orders_v2"'


class Before:
    """What a store would know."""

    def __init__(self, written: Any) -> None:
        self.written = written
        self.asked: list[str] = []

    def __call__(self, project: str, fingerprint: str) -> Mapping[str, NodeMetadata]:
        self.asked.append(project)
        is_same = fingerprint == self.written.project.run.invocation_id
        return self.written.nodes if is_same else {}


def test_files_that_did_not_change_are_not_parsed_again(
    read: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from recce_meta.extractors.sql_project import nodes

    first = read(FILES, dialect="duckdb")
    parsed: list[str] = []
    original = nodes.read_template

    def noting(text: str, **options: Any) -> Any:
        parsed.append(text)
        return original(text, **options)

    monkeypatch.setattr(nodes, "read_template", noting)
    before = Before(first)

    same = read(FILES, dialect="duckdb", known=before)
    assert (parsed, before.asked) == ([], ["shop"])
    assert same.project.nodes == first.project.nodes

    text = "select id, 1 as euros from {{ ref('stg_orders') }}"
    edited = read({"models/marts/orders.sql": text}, dialect="duckdb", known=before)
    assert parsed == [text]
    assert edited["orders"].compiled_code == 'select id, 1 as euros from "staging"."stg_orders"'

    parsed.clear()
    read({"macros/cents.sql": "{% macro cents(column) %}{{ column }}{% endmacro %}"}, known=before)
    assert len(parsed) == 2


def test_a_relation_that_moved_is_written_anew_in_files_that_did_not_change(
    read: Callable[..., Any],
) -> None:
    first = read(FILES, dialect="duckdb")
    moved = {"models/staging/stg_orders.sql": "{{ config(alias='o') }}select 1 as id, 2 as euros"}

    again = read(moved, dialect="duckdb", known=Before(first))

    assert 'from "staging"."o" where' in (again["orders"].compiled_code or "")


@pytest.mark.parametrize(
    ("config", "status"), [("meta={'a': 'b' + 1}", Status.MODIFIED), ("tags=['a', 'b' ]", Status.UNCHANGED)]
)
def test_a_config_that_may_not_render_is_more_than_formatting(
    read: Callable[..., Any], config: str, status: Status
) -> None:
    base, current = (
        ProjectSide.of(
            read(
                {"dbt_project.yml": "name: shop", "models/a.sql": f"{{{{ config({one}) }}}} select 1"}
            ).project
        )
        for one in ("tags=['a', 'b']", "tags=['a', 'b'], " * config.startswith("meta") + config)
    )

    assert [change.status for change in compare(base, current).values()] == [status]
