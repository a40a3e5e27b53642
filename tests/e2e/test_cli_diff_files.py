"""`diff --files`: the working tree against a commit, without dbt, artifacts or a store."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from recce_meta.api.diff_files import GUESSED as GUESS
from recce_meta.api.diff_files import (
    NEITHER,
    NOTHING_ELSE,
    OF_FILES,
    OTHER_CONNECTION,
    OTHER_PACKAGES,
    OTHER_PROFILE,
    OTHER_VERSIONS,
)
from recce_meta.diff.run_by_dbt import CALLED_BY_DBT
from tests.e2e.conftest import ROOT, Cli
from tests.support.once import built_once

FILES = {
    "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: shop\n",
    "models/orders.sql": "select id, amount, {{ dbt_kit.cents('amount') }} as cents from raw.orders",
    "models/totals.sql": "select sum(amount) as total from {{ ref('orders') }}",
    "models/alone.sql": "select 1 as one",
    ".gitignore": "dbt_packages/\n",
    ".gitattributes": "*.sql filter=loud\n",
}
PACKAGE = {
    "dbt_project.yml": "name: dbt_kit\nversion: '1.0'\n",
    "macros/cents.sql": "{% macro cents(column) %}{{ column }} * 100{% endmacro %}",
}
TYPE_OF_DAY = "column day is TIMESTAMP, its contract says DATE"
MATERIALIZATIONS = ("own, default", "elsewhere, adapter='postgres'")


class Checkout:
    """A repository with a dbt project in the folder `shop`, on a branch that began at `main`."""

    def __init__(self, cli: Cli) -> None:
        self.root = cli.folder / "repository"
        self.project = self.root / "shop"
        self.cli = cli.within(self.project)

    def make(self) -> None:
        for name, text in FILES.items():
            self.write(name, text)
        for name, text in PACKAGE.items():
            self.write(f"dbt_packages/dbt_kit/{name}", text)
        (self.project / "models/link.sql").symlink_to("totals.sql")
        self.git("init", "-q", "-b", "main")
        self.commit()
        self.git("checkout", "-q", "-b", "feature")

    def write(self, name: str, text: str) -> None:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, errors="surrogateescape")

    def git(self, *arguments: str) -> str:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        ran = subprocess.run(
            ("git", *identity, *arguments), cwd=self.root, env=environ, capture_output=True, check=True
        )
        return ran.stdout.decode().strip()

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "-q", "-m", "change")

    def diff(self, *arguments: str) -> Any:
        ran = self.cli("diff", "--files", *arguments, "--format", "json")
        assert ran.code == 0, ran.err
        return json.loads(ran.out)


GUESSED = GUESS.format("standard SQL")


@pytest.fixture
def checkout(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    made = built_once(tmp_path_factory, "files", lambda folder: Checkout(Cli(folder)).make())
    shutil.copytree(
        made, cli.folder, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sample")
    )
    return Checkout(cli)


def test_uncommitted_files_are_compared_with_the_merge_base(checkout: Checkout) -> None:
    at_main = checkout.git("rev-parse", "main")
    checkout.write("models/alone.sql", "select 2 as one")
    checkout.commit()
    checkout.write(
        "models/orders.sql", FILES["models/orders.sql"].replace("amount,", "amount + 1 as amount,")
    )
    checkout.write("models/new.sql", "select * from {{ ref('alone') }}")

    found = checkout.diff()

    assert {one["unique_id"]: one["status"] for one in found["changes"] if one["status"] != "unchanged"} == {
        "model.shop.alone": "modified", "model.shop.new": "added", "model.shop.orders": "modified"
    }  # fmt: skip
    assert "model.shop.totals" in {one["unique_id"] for one in found["impacted"]}
    assert found["base"]["git_sha"] == at_main
    assert found["choice"]["base"]["reason"] == f"merge base {at_main[:7]} of main"
    assert found["notes"] == [OF_FILES, GUESSED]
    since = checkout.diff("HEAD~0")
    assert "model.shop.alone" not in {one["unique_id"] for one in since["changes"]}


def test_what_is_not_compared_is_said(checkout: Checkout) -> None:
    assert "No changes found; the comparison is incomplete" in checkout.cli("diff", "--files").out

    checkout.write("packages.yml", "packages: []\n")
    checkout.write("selectors.yml", "selectors: [{name: n, default: true, definition: 'tag:nightly'}]\n")
    settings = (checkout.project / "dbt_project.yml").read_text()
    checkout.write("dbt_project.yml", f"{settings}\nflags: {{fail_fast: true}}\n")
    checkout.write("dbt_packages/dbt_kit/macros/cents.sql", "{% macro cents(c) %}{{ c }}{% endmacro %}")

    (checkout.project / "dbt_packages/ours").symlink_to("../../ours")
    (checkout.project / "models/theirs").symlink_to("../../theirs")
    checkout.commit()

    assert checkout.diff("HEAD~1")["notes"] == [
        OF_FILES,
        GUESSED,
        OTHER_PACKAGES,
        "Changed, but not compared: flags of dbt_project.yml, selectors.yml",
        "Local packages are not compared: ours",
    ]
    links = "Links out of the project are not compared: models/theirs"
    assert checkout.diff("HEAD")["notes"] == [
        OF_FILES,
        GUESSED,
        "Local packages are not compared: ours",
        links,
    ]


def test_a_lock_that_git_ignores_is_no_change_of_packages(checkout: Checkout) -> None:
    checkout.write("packages.yml", "packages: []\n")
    checkout.commit()
    checkout.write("package-lock.yml", "packages: []\n")

    assert OTHER_PACKAGES not in checkout.diff("HEAD")["notes"]
    checkout.commit()
    checkout.write("package-lock.yml", "packages: [{package: a/b, version: 1.0.0}]\n")
    assert OTHER_PACKAGES in checkout.diff("HEAD")["notes"]


@pytest.mark.parametrize(
    ("settings", "packages", "dialect"),
    [
        ("models:\n  +snowflake_warehouse: big\n", "", "snowflake"),
        ("# duckdb\n", "packages:\n- package: get-select/dbt_snowflake_query_tags\n", "snowflake"),
        (
            "models:\n  +snowflake_warehouse: big\n",
            "packages:\n- package: x/bigquery_tools\n",
            "standard SQL",
        ),
    ],
)
def test_the_dialect_is_that_of_the_warehouse_that_the_project_names(
    checkout: Checkout, settings: str, packages: str, dialect: str
) -> None:
    checkout.write("dbt_project.yml", FILES["dbt_project.yml"] + settings)
    checkout.write("packages.yml", packages)
    checkout.write("models/alone.sql", "select o:a::int as one from {{ ref('orders') }} as o")
    checkout.commit()
    checkout.write("models/alone.sql", "select o:a::int as one, 1 as two from {{ ref('orders') }} as o")

    found = checkout.diff("HEAD")

    is_known = dialect == "snowflake"
    assert GUESS.format(dialect) in found["notes"]
    assert [one["category"] for one in found["changes"]] == ["non_breaking" if is_known else "unknown"]


def test_edits_of_macros_below_others_are_changes_even_if_nothing_is_rendered(checkout: Checkout) -> None:
    checkout.write("macros/inner.sql", "{% macro inner(c) %}{{ c }} + 1{% endmacro %}")
    checkout.write("macros/outer.sql", "{% macro outer(c) %}{{ inner(c) }}{% endmacro %}")
    checkout.write(
        "models/queried.sql", "select {{ run_query('select 1') }}, {{ outer('a') }} as b from raw.c"
    )
    checkout.commit()
    for name in ("inner", "outer"):
        checkout.git("checkout", "-q", "HEAD", ".")
        checkout.write(f"macros/{name}.sql", f"{{% macro {name}(c) %}}{{{{ c }}}} * 7{{% endmacro %}}")

        (change,) = checkout.diff("HEAD")["changes"]

        assert (change["name"], change["category"]) == ("queried", "unknown"), name


def test_edits_of_dispatched_macros_are_changes(checkout: Checkout) -> None:
    checkout.write("macros/low.sql", "{% macro default__low__er(c) %}{{ c }} + 1{% endmacro %}")
    checkout.write("macros/high.sql", "{% macro high(c) %}{{ adapter.dispatch('low__er')(c) }}{% endmacro %}")
    checkout.write(
        "models/queried.sql", "select {{ run_query('select 1') }}, {{ high('a') }} as b from raw.c"
    )
    checkout.commit()
    checkout.write("macros/low.sql", "{% macro default__low__er(c) %}{{ c }} + 2{% endmacro %}")

    assert [one["name"] for one in checkout.diff("HEAD")["changes"]] == ["queried"]


@pytest.mark.parametrize(
    ("body", "changed", "reason"),
    [
        ("return(builtins.ref(m, v=v).include(schema=false))", ["link", "totals"], "reads orders instead of"),
        ("return(builtins.ref(m, version=v))", [], ""),
        (
            "return(builtins.ref(m).include(schema=false) if target.name == 'prod' else builtins.ref(m))",
            ["ref"],
            "if target.name = 'prod': reads {{ ref('orders').include(schema=False) }} instead of orders",
        ),
    ],
)
def test_a_macro_in_place_of_ref_is_followed(
    checkout: Checkout, body: str, changed: list[str], reason: str
) -> None:
    checkout.write("macros/ref.sql", f"{{% macro ref(m, v=none) %}}{{% do {body} %}}{{% endmacro %}}")

    found = checkout.diff("HEAD")["changes"]

    assert [one["name"] for one in found] == changed
    assert all(any(reason in text for text in one["category_reasons"]) for one in found)


def test_the_column_by_which_dbt_filters_a_parent_of_batches_reaches_their_rows(checkout: Checkout) -> None:
    parent = "{{{{ config(materialized='table', event_time='at') }}}} select id, {} as at from raw.t"
    kept = "materialized='incremental', incremental_strategy='microbatch', event_time='day'"
    checkout.write("models/times.sql", parent.format("a"))
    checkout.write(
        "models/batches.sql",
        f"{{{{ config({kept}, begin='2026-01-01', batch_size='day') }}}} "
        "select d.id, d.day from raw.days d join {{ ref('times') }} t on t.id = d.id",
    )
    checkout.commit()
    checkout.write("models/times.sql", parent.format("b"))

    (found,) = checkout.diff("HEAD")["impacted"]

    assert (found["name"], found["reach"]) == ("batches", "rows")


def test_a_renamed_model_that_keeps_its_alias_removes_nothing(checkout: Checkout) -> None:
    code = "{{ config(alias='kept') }} select 1 as a"
    checkout.write("models/old_name.sql", code)
    checkout.write("models/reader.sql", "select a from {{ ref('old_name') }}")
    checkout.commit()
    checkout.git("mv", "shop/models/old_name.sql", "shop/models/new_name.sql")
    checkout.write("models/reader.sql", "select a from {{ ref('new_name') }}")

    verdict = checkout.diff("HEAD")["verdict"]

    assert (verdict["tone"], "removed" in " ".join(verdict["sentences"])) == ("info", False)


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("ref('dbt_kit', 'orders')", "reads dbt_kit.orders instead of shop.orders"),
        ("ref('only') if target.name == 'prod' else ref('orders')", "reads only instead of orders"),
    ],
)
def test_another_parent_has_a_name_of_its_own(checkout: Checkout, reference: str, reason: str) -> None:
    checkout.write("dbt_packages/dbt_kit/models/orders.sql", "{{ config(schema='kit') }} select 1 as amount")
    checkout.write("models/only.sql", "{{ config(enabled=target.name == 'prod') }} select 1 as amount")
    checkout.write("profiles.yml", "shop: {target: dev, outputs: {dev: {type: duckdb, path: a.duckdb}}}")
    checkout.commit()
    checkout.write("models/totals.sql", f"select sum(amount) as total from {{{{ {reference} }}}}")

    found = checkout.diff("HEAD")["changes"]

    assert len(found) == 2 and all(reason in " ".join(one["category_reasons"]) for one in found), found


@pytest.mark.parametrize("is_batched", [True, False])
def test_event_time_matters_to_readers_in_batches(checkout: Checkout, *, is_batched: bool) -> None:
    times = "{{{{ config(materialized='table'{}) }}}} select id, at from raw.t"
    kept = "materialized='incremental', incremental_strategy='microbatch', event_time='day'"
    config = f"{kept}, begin='2026-01-01', batch_size='day'" if is_batched else "materialized='table'"
    checkout.write("models/times.sql", times.format(""))
    checkout.write("models/reader.sql", f"{{{{ config({config}) }}}} select id from {{{{ ref('times') }}}}")
    checkout.commit()
    checkout.write("models/times.sql", times.format(", event_time='at'"))

    found = checkout.diff("HEAD")

    assert found["changes"][0]["category"] == ("breaking" if is_batched else "non_breaking")
    assert [one["reach"] for one in found["impacted"]] == (["rows"] if is_batched else [])


def test_names_of_files_are_no_commands_of_github(checkout: Checkout) -> None:
    checkout.write("models/a\n::error title=x::y.sql", "select {% for %}")

    ran = checkout.cli("diff", "--files", "--format", "github")

    (command,) = (line for line in (ran.out + ran.err).splitlines() if line.startswith("::error"))
    assert command.startswith("::error file=shop/models/a%0A%3A%3Aerror title=x%3A%3Ay.sql,line=1")


def test_the_hook_of_pre_commit_fails_if_a_model_loses_a_column_that_another_reads(
    checkout: Checkout,
) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    command = [*shlex.split(hook["entry"])[1:], *hook["args"]]
    checkout.write("models/alone.sql", "select 2 as one")
    harmless = checkout.cli(*command)
    checkout.write("models/orders.sql", "select id from raw.orders")

    failing = checkout.cli(*command)

    assert (harmless.code, failing.code) == (0, 1), failing.out
    assert "totals" in failing.out and "fails" in failing.err


def test_failing_nodes_come_first_and_name_the_column_that_is_gone(checkout: Checkout) -> None:
    checkout.write("models/edited.sql", "select amount from {{ ref('orders') }}")
    checkout.commit()
    checkout.write("models/orders.sql", "select id from raw.orders")
    checkout.write("models/edited.sql", "select amount + 1 as amount from {{ ref('orders') }}")

    ran = checkout.cli("diff", "--files", "HEAD", "--fail-on", "fails", "--dialect", "duckdb")
    impacted = checkout.diff("HEAD", "--dialect", "duckdb")["impacted"]

    why = "it references one of amount, cents, which orders no longer has"
    assert ran.err.startswith(
        "error: 3 nodes fail: edited, link, totals; --fail-on fails found 2 changes: edited, orders; "
        f"edited fails: {why}; link fails: {why}"
    )
    assert {one["name"]: one["failure"] for one in impacted} == {"link": why, "totals": why}


def test_no_program_of_the_repository_is_started(checkout: Checkout) -> None:
    started = checkout.root / "started"
    checkout.git("config", "filter.loud.smudge", f"touch {shlex.quote(str(started))}; cat")
    checkout.git("config", "filter.loud.clean", f"touch {shlex.quote(str(started))}; cat")
    checkout.write("models/alone.sql", "select 3 as one")

    assert [one["name"] for one in checkout.diff()["changes"]] == ["alone"]
    assert not started.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nope",), "Unknown commit: 'nope'"),
        (("main", "feature"), "--files compares the code of files only"),
        (("--data",), "--files compares the code of files only"),
    ],
)
def test_wrong_use_is_explained(checkout: Checkout, arguments: tuple[str, ...], said: str) -> None:
    ran = checkout.cli("diff", "--files", *arguments)

    assert ran.code == 2 and said in ran.err


def test_other_folders_are_no_projects(checkout: Checkout, tmp_path: Path) -> None:
    outside = checkout.cli.within(checkout.root)("diff", "--files")
    checkout.git("checkout", "-q", "--orphan", "elsewhere")
    checkout.git("branch", "-D", "main")
    without_base = checkout.cli("diff", "--files")

    assert outside.code == 2 and "dbt_project.yml" in outside.err
    assert without_base.code == 2 and "The project is in no git repository" in without_base.err


PYTHON = "def model(dbt, session):\n    "


@pytest.mark.cases(16)
@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("macros/money.sql", "", "money fails: it uses 'half', which no file defines (models/money.sql:1)"),
        (
            "models/totals.sql",
            "select * from {{ ref('ordrs') }}",
            "it references 'ordrs', which no file defines",
        ),
        (
            "models/alone.sql",
            "select {{ function('twice') }}(1) as one",
            "alone fails: it references function 'twice', which no file defines",
        ),
        (
            "models/alone.sql",
            "select * from {{ source('raw', 'x') }}",
            "references source 'raw.x', which no file",
        ),
        (
            "models/orders.sql",
            "{{ config(enabled=false) }} select 1 as id, 2 as amount",
            "totals fails: it references 'orders', which is disabled (models/totals.sql)",
        ),
        ("models/alone.sql", "select {{ ref('orders' }}", "alone fails: not valid Jinja: unexpected '}'"),
        ("models/alone.sql", "select {{ var('gone') }}", "variable 'gone' has neither a value nor a default"),
        (
            "models/alone.sql",
            "{{ config(post_hook='{{ var(1 ~ 2) }}') }} select 1",
            "alone fails: in its post-hook",
        ),
        ("models/alone.sql", "-- nothing", "alone fails: its SQL is empty (models/alone.sql)"),
        (
            "models/alone.yml",
            "models: [{name: alone, columns: [{name: one, tests: [unique, gone]}]}]",
            "gone_alone fails: it uses 'test_gone', which no file defines (models/alone.yml)",
        ),
        (
            "models/alone.yml",
            "sources: [{name: raw, tables: [{name: x, data_tests: [{gone: {y: 1}}]}]}]",
            "gone_x fails: it uses 'test_gone', which no file defines (models/alone.yml)",
        ),
        (
            "models/alone.yml",
            "models: [{name: alone, columns: [{name: one, tests: [not_null: {arguments: {foo: 1}}]}]}]",
            "not_null_alone_foo fails: it passes 'foo', which is no argument of test_not_null "
            "(models/alone.yml)",
        ),
        (
            "models/alone.yml",
            "models: [{name: alone, columns: [{name: one, data_tests: [accepted_values]}]}]",
            "accepted_values_alone fails: it passes no 'values', which test_accepted_values requires "
            "(models/alone.yml)",
        ),
        (
            "models/alone.yml",
            "models: [{name: alone, data_tests: [{test_name: big, limt: 1}]}]",
            "big_alone_limt fails: it passes 'limt', which is no argument of test_big (models/alone.yml)",
        ),
        (
            "models/alone.yml",
            "models: [{name: alone, columns: [{name: one, data_tests: [whole]}]}]",
            "it passes 'column_name', which is no argument of test_whole (models/alone.yml)",
        ),
        (
            "models/bad.yml",
            "models: [",
            "models/bad.yml fails: dbt reads nothing of the project",
        ),
        ("packages.yml", "packages: [{local: ../nope}]", "local package '../nope' has no dbt_project.yml"),
        ("packages.yml", "packages: [{package: a/kit}]", "packages.yml: package 'a/kit' has no version"),
        ("dependencies.yml", "packages: [", "dependencies.yml fails: dbt reads nothing of the project"),
        ("selectors.yml", "selectors: [", "selectors.yml fails: dbt reads nothing of the project"),
        ("dbt_project.yml", f"{FILES['dbt_project.yml']}vars: [x]", "dbt_project.yml: vars is not a mapping"),
        ("dbt_project.yml", f"{FILES['dbt_project.yml']}dispatch: {{a: b}}", "dispatch is not a list"),
        (
            "dbt_project.yml",
            f"{FILES['dbt_project.yml']}dispatch: [{{macro_namespace: a}}]",
            "dbt_project.yml: an entry of dispatch has no list search_order",
        ),
        (
            "dbt_project.yml",
            f"{FILES['dbt_project.yml']}dispatch: [{{search_order: []}}]",
            "dbt_project.yml: an entry of dispatch has no macro_namespace",
        ),
        (
            "dbt_project.yml",
            f"{FILES['dbt_project.yml']}require-dbt-version: '>=1.8.0,<1.5.0'",
            "no version of dbt before 3.0 is in require-dbt-version: >=1.8.0, <1.5.0",
        ),
        (
            "dbt_project.yml",
            f"{FILES['dbt_project.yml']}require-dbt-version: ['>=9.0.0']",
            "no version of dbt before 3.0 is in require-dbt-version: >=9.0.0",
        ),
        (
            "models/orders.sql",
            "select * from {{ ref('totals') }}",
            "references form a cycle: orders → totals → orders",
        ),
        (
            "models/totals.sql",
            "select * from {{ ref('totals') }}",
            "references form a cycle: totals → totals",
        ),
        (
            "models/exposures.yml",
            "exposures: [{name: board, depends_on: [ref('alone'), ref('off')]}]",
            "exposure board depends on 'off', which is disabled",
        ),
        (
            "models/totals.yml",
            "{groups: [{name: g, owner: {}}], models: [{name: orders, access: private, config: {group: g}}]}",
            "totals fails: it references orders, which is private to its group",
        ),
        (
            "models/x.yml",
            "{exposures: [{name: board, depends_on: [ref('orders')]}],"
            " models: [{name: orders, config: {access: private}}]}",
            "models/x.yml: exposure board depends on 'orders', which is private to its group",
        ),
        (
            "macros/more.sql",
            "{% macro half(x) %}{{ x }} / 3{% endmacro %}",
            "macros/more.sql: macro 'half' is already defined in macros/money.sql",
        ),
        (
            "models/alone.yml",
            "models: [{name: alone, description: \"{{ doc('gone') }}\"}]",
            "models/alone.yml: no file defines 'gone', the docs block of alone",
        ),
        (
            "macros/m.yml",
            "macros: [{name: half, arguments: [{name: x, description: \"{{ doc('gone') }}\"}]}]",
            "macros/m.yml: no file defines 'gone', the docs block of macro half",
        ),
        (
            "models/x.yml",
            "exposures: [{name: board, description: \"{{ doc('gone') }}\"}]",
            "models/x.yml: no file defines 'gone', the docs block of exposure board",
        ),
        (
            "models/x.yml",
            "sources: [{name: raw, description: \"{{ doc('outside') }}\", tables: [{name: t}]}]",
            "models/x.yml: no file defines 'outside', the docs block of t",
        ),
        (
            "seeds/more.md",
            "{% docs kept %}more{% enddocs %}",
            "seeds/more.md: docs block 'kept' is already defined in models/docs.md",
        ),
        ("models/docs.md", "", "models/off.yml: no file defines 'kept', the docs block of money"),
        (
            "macros/more.yml",
            "models: [{name: nothing}, {name: money}]",
            "money is described in models/off.yml and in macros/more.yml",
        ),
        (
            "models/alone.yml",
            "models: [{name: alone, config: {access: privat}}]",
            "models/alone.yml: access 'privat' of alone is not private, protected or public",
        ),
        (
            "models/alone.sql",
            "{{ config(group='nobody') }} select 1 as one",
            "models/alone.sql: group 'nobody' of alone is not defined",
        ),
        (
            "models/alone.yml",
            "models: [{name: alone, config: {contract: {enforced: true}}}]",
            "models/alone.yml: the enforced contract of alone lists no columns",
        ),
        (
            "models/alone.yml",
            "models: [{name: alone, columns: [{name: one, data_type: int}],"
            " config: {materialized: incremental, contract: {enforced: true}}}]",
            "alone has an enforced contract, so on_schema_change must be append_new_columns or fail",
        ),
        (
            "snapshots/s.yml",
            "snapshots: [{name: s, relation: ref('orders'), config: {strategy: check, unique_key: id}}]",
            "snapshots/s.yml: snapshot s lacks check_cols",
        ),
        (
            "snapshots/s.sql",
            "{% snapshot s %}{{ config(strategy='timestamp') }} select 1 as id{% endsnapshot %}",
            "snapshots/s.sql: snapshot s lacks unique_key and updated_at",
        ),
        (
            "seeds/s.yml",
            "seeds: [{name: codes, config: {materialized: view}}]",
            "seeds/s.yml: materialization 'view' of codes is not 'seed'",
        ),
        (
            "tests/t.sql",
            "{{ config(materialized='table') }} select 1",
            "tests/t.sql: materialization 'table' of t is not 'test'",
        ),
        ("models/p.py", "def mod(dbt, session): ...", "models/p.py has no function 'model'"),
        ("models/p.py", f"{PYTHON}return dbt.ref('gone')", "p fails: it references 'gone', which no file"),
        ("models/p.py", f"{PYTHON}return dbt.ref('off')", "p fails: it references 'off', which is disabled"),
        ("models/p.py", f"{PYTHON}return dbt.ref('p')", "references form a cycle: p → p"),
        ("models/p.py", f"{PYTHON}return 1\n{PYTHON}return 1", "models/p.py has 2 functions 'model'"),
        ("models/p.py", "def model(dbt): return 1", "whose arguments are not dbt and a session"),
        ("models/p.py", "def model(s, dbt): return 1", "whose arguments are not dbt and a session"),
        ("models/p.py", f"{PYTHON}x = 1", "a function 'model' that does not end with the return of one"),
        (
            "models/p.py",
            f"{PYTHON}return 1, 2",
            "a function 'model' that does not end with the return of one",
        ),
        (
            "models/p.py",
            f"x = 'orders'\n{PYTHON}return print([dbt.ref(x).limit(5)])",
            "models/p.py calls dbt.ref() in line 3 with a value that only running knows",
        ),
        ("models/p.py", "def model(dbt, session)", "models/p.py is not valid Python"),
        (
            "models/x.yml",
            "exposures: [{name: board, depends_on: [\"source('raw', 'gone')\"]}]",
            "exposure board depends on 'gone', which no file defines",
        ),
        (
            "models/x.yml",
            "semantic_models: [{name: sums, model: ref('gone')}]",
            "models/x.yml: semantic model sums depends on 'gone', which no file defines",
        ),
        (
            "models/x.yml",
            "unit_tests: [{name: t, model: gone}]",
            "unit test t depends on 'gone', which no file defines",
        ),
        (
            ".dbtignore",
            "models/orders.*",
            "totals fails: it references 'orders', which no file defines (models/totals.sql)",
        ),
        ("models/bad.yml", "- x", "models/bad.yml does not contain a mapping at its top level"),
        ("models/bad.sql", "select 1 -- \udcff", "models/bad.sql is not UTF-8"),
        (
            "models/again/alone.sql",
            "select 2 as one",
            "alone is already defined in models/alone.sql",
        ),
    ],
)
def test_what_certainly_cannot_be_built_fails(checkout: Checkout, name: str, text: str, said: str) -> None:
    checkout.write("macros/money.sql", "{% macro half(x) %}{{ x }} / 2{% endmacro %}")
    checkout.write("models/money.sql", "select {{ half(2) }} as one")
    checkout.write("models/off.sql", "{{ config(enabled=false) }} select 1 as one")
    described = "{name: money, description: \"{{ doc('kept') }} {{ doc('__overview__') }}\"}"
    checkout.write(
        "models/off.yml", f"models: [{described}, {{name: nothing, description: \"{{{{ doc('no') }}}}\"}}]"
    )
    checkout.write(
        "tests/generic/t.sql",
        "{% test big(model, limit=1) %}select 1{% endtest %}{% test whole(model) %}select 1{% endtest %}",
    )
    checkout.write("seeds/codes.csv", "id\n1\n")
    checkout.write("models/docs.md", "{% docs kept %}text{% enddocs %}")
    checkout.write("docs.md", "{% docs outside %}text{% enddocs %}{% docs kept %}text{% enddocs %}")
    checkout.commit()
    checkout.write(name, text)

    ran = checkout.cli("diff", "--files", "HEAD", "--fail-on", "fails")

    assert ran.code == 1 and said in ran.err, ran.err
    assert "__overview__" not in ran.out + ran.err  # a block of dbt


@pytest.mark.parametrize(
    ("entry", "said", "codes"),
    [
        (
            "columns: hello",
            "fails: dbt reads nothing of the project: {}: columns is a text, not a list",
            (1, 1),
        ),
        ("description: ", "may fail: dbt reads nothing of the project: {}: description is empty", (0, 1)),
    ],
)
def test_property_files_of_another_shape_fail_or_may_fail(
    checkout: Checkout, entry: str, said: str, codes: tuple[int, int]
) -> None:
    checkout.write("models/own.yml", f"models: [{{name: alone, {entry}}}]")
    checkout.write("models/alone.sql", "select 2 as one")

    ran = [checkout.cli("diff", "--files", "HEAD", "--fail-on", one) for one in ("fails", "fails,may_fail")]

    assert tuple(one.code for one in ran) == codes
    assert said.format("models/own.yml: model 'alone'") in ran[1].err
    # If dbt may read the file, everything else is compared as well.
    assert ("~ alone" in ran[1].out) is (codes[0] == 0)


@pytest.mark.cases(6)
@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            "materialized='tabel'",
            "alone fails: no file defines its materialization 'tabel' (models/alone.sql)",
        ),
        ("materialized='own'", ""),
        ("materialized='lake'", ""),  # a release of the adapter may have it
        ("materialized=''", "alone fails: no file defines its materialization ''"),
        ("materialized='dynamic_table'", "'dynamic_table' is defined for snowflake only, not for duckdb"),
        ("materialized='elsewhere'", "'elsewhere' is defined for postgres only, not for duckdb"),
        (
            "materialized='incremental', incremental_strategy='insert_all'",
            "alone fails: no file defines get_incremental_insert_all_sql, which dbt calls if",
        ),
        (
            "materialized='incremental', incremental_strategy='insert_overwrite'",
            "alone fails: dbt's adapter for duckdb lacks the strategy insert_overwrite (models/alone.sql)",
        ),
        ("materialized='incremental', incremental_strategy='own'", ""),
        ("materialized='incremental', incremental_strategy='delete+insert'", ""),
        ("alias='totals'", "models/alone.sql: totals and alone are both"),
        ("alias='totals', materialized='ephemeral'", "models/alone.sql: totals and alone are both"),
        ("alias='TOTALS'", "alone fails: its relation and that of totals differ only in case"),
        ("alias='TOTALS', materialized='ephemeral'", ""),
        ("alias='totals', schema='other'", ""),
        ("alias='totals', enabled=target.name == 'dev'", ""),
    ],
)
def test_names_that_dbt_does_not_accept_fail(checkout: Checkout, config: str, said: str) -> None:
    made = [f"{{% materialization {one} %}}{{% endmaterialization %}}" for one in MATERIALIZATIONS]
    checkout.write("macros/m.sql", "".join(made))
    checkout.write("macros/s.sql", "{% macro get_incremental_own_sql(x) %}{% endmacro %}")
    checkout.commit()
    checkout.write("models/alone.sql", f"{{{{ config({config}) }}}} select 1 as one")

    ran = checkout.cli("diff", "--files", "HEAD", "--fail-on", "fails", "--dialect", "duckdb")

    assert (ran.code, said in ran.err) == (bool(said), True), ran.err


def test_bigquery_distinguishes_names_that_differ_in_case(checkout: Checkout) -> None:
    checkout.write("models/alone.sql", "{{ config(alias='TOTALS') }} select 1 as one")

    ran = checkout.cli("diff", "--files", "HEAD", "--fail-on", "fails", "--dialect", "bigquery")

    assert ran.code == 0, ran.err


def test_a_schema_that_only_dbt_can_render_is_no_clash(checkout: Checkout) -> None:
    placed = "{name: alone, config: {schema: \"{{ env_var('PLACE', 'there') }}\"}}"
    checkout.write("models/own.yml", f"models: [{placed}]")
    checkout.write("models/alone.sql", "{{ config(alias='totals') }} select 1 as one")

    ran = checkout.cli("diff", "--files", "HEAD", "--fail-on", "fails", "--dialect", "duckdb")

    assert ran.code == 0, ran.err


@pytest.mark.cases(4)
@pytest.mark.parametrize(
    ("name", "text", "dialect", "failing"),
    [
        ("models/alone.sql", "select cod from {{ ref('codes') }}", "duckdb", {"alone"}),
        ("models/alone.sql", "select \"label\" from {{ ref('codes') }}", "duckdb", set()),
        ("seeds/codes.csv", "Code,label\n1,x\n", "postgres", {"codes"}),
        # The table keeps the column until a full refresh, except where dbt creates it anew.
        ("seeds/codes.csv", "label\nx\n", "postgres", set()),
        ("seeds/codes.csv", "label\nx\n", "duckdb", {"codes"}),
        ("seeds/codes.csv", "label\nx\n", "databricks", {"alone"}),
        ("seeds/codes.csv", "Code,label\n1,x\n", "duckdb", set()),
        ("seeds/codes.csv", "Code,label\n1,x\n", "snowflake", set()),
    ],
)
def test_seeds_have_the_columns_of_their_files(
    checkout: Checkout, name: str, text: str, dialect: str, failing: set[str]
) -> None:
    checkout.write("seeds/codes.csv", "code,label\n1,x\n")
    checkout.write("models/alone.sql", "select code from {{ ref('codes') }}")
    checkout.commit()
    checkout.write(name, text)

    found = checkout.diff("HEAD", "--dialect", dialect)

    fails = {one["name"] for one in found["impacted"] if one["fails"]}
    reasons = {one["name"]: str(one["category_reasons"]) for one in found["changes"]}
    assert fails | {one for one, why in reasons.items() if "the build fails" in why} == failing


@pytest.mark.cases(4)
@pytest.mark.parametrize(("dialect", "fails"), [("postgres", False), ("databricks", True)])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("models/alone.sql", "select code || '' as code from {{ ref('codes') }}"),
        ("models/another.sql", "select code from {{ ref('codes') }}"),
        ("models/another.sql", "select code from {{ ref('every') }}"),
        ("tests/another.sql", "select * from {{ ref('codes') }} where code < 'a'"),
    ],
)
def test_edited_and_new_readers_of_a_column_that_the_table_of_a_seed_keeps_may_fail(
    checkout: Checkout, name: str, text: str, dialect: str, fails: bool
) -> None:
    checkout.write("seeds/codes.csv", "code,label\n1,x\n")
    checkout.write("models/alone.sql", "select code from {{ ref('codes') }}")
    checkout.write("models/every.sql", "select * from {{ ref('codes') }}")
    checkout.commit()
    checkout.write("seeds/codes.csv", "label\nx\n")
    checkout.write(name, text)

    found = checkout.diff("HEAD", "--dialect", dialect)

    reader = next(one for one in found["changes"] if one["path"] == name)
    is_refused = "the build fails" in str(reader["category_reasons"])
    assert is_refused or reader["reached"]["fails"] or reader["reached"]["may_fail"], reader
    assert (is_refused or reader["reached"]["fails"]) is fails, reader


def test_a_package_in_a_folder_of_the_project_is_compared(checkout: Checkout) -> None:
    checkout.write("kit/dbt_project.yml", "name: kit")
    checkout.write("kit/macros/two.sql", "{% macro two() %}2{% endmacro %}")
    checkout.write("packages.yml", "packages: [{local: kit}]")
    checkout.write("models/alone.sql", "select {{ kit.two() }} as one")
    (checkout.project / "dbt_packages/kit").symlink_to("../kit")
    checkout.commit()
    unedited = checkout.diff("HEAD")
    checkout.write("kit/macros/two.sql", "{% macro three() %}3{% endmacro %}")

    ran = checkout.cli("diff", "--files", "HEAD", "--fail-on", "fails")

    assert (unedited["changes"], any("Local packages" in one for one in unedited["notes"])) == ([], False)
    assert ran.code == 1 and "alone fails: " in ran.err, ran.err


@pytest.mark.cases(10)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("models/b.yml", "models: [{name: unused}, {name: v}, {name: nowhere}, {name: dev}]"),
        ("models/b.yml", "models: [{name: alone, config: {group: '{{ var(1 ~ 2) }}', access: public}}]"),
        ("models/b.yml", "models: [{name: alone, config: {group: team, contract: {enforced: false}}}]"),
        ("models/unused.sql", "{{ config(enabled=false, group='nobody') }} select 1"),
        ("models/b.yml", "macros: [{name: gone, description: \"{{ doc('gone') }}\"}]"),
        ("models/b.yml", "models: [{name: alone, description: \"{# {{ doc('gone') }} #} x\"}]"),
        ("models/b.md", "{% docs bb %}{{ '{% docs kept %}' }}{% enddocs %}"),
        (
            "models/b.yml",
            "models: [{name: alone, columns: [{name: one, data_type: int}],"
            " config: {materialized: incremental, on_schema_change: fail, contract: {enforced: true}}}]",
        ),
        (
            "models/b.md",
            "{# {% docs kept %}old{% enddocs %} #}{% raw %}{% docs kept %}{% enddocs %}{% endraw %}",
        ),
        ("models/b.yml", "unit_tests: [{name: t, model: gone, expect: {}, config: {enabled: false}}]"),
        ("models/b.yml", "unit_tests: [{name: t, model: unused, given: [{input: ref('gone')}], expect: {}}]"),
        (
            "models/b.yml",
            "exposures: [{name: x, type: ml, owner: {name: x}, "
            "depends_on: [ref('alone'), ref('s'), metric('m')]}]",
        ),
        (
            "models/b.yml",
            "snapshots: [{name: t, relation: ref('s'), config: {strategy: own, unique_key: id}}]",
        ),
        (
            "snapshots/t.sql",
            "{% snapshot t %}{{ config(unique_key=var('x', 1)) }}{{ own() }}{% endsnapshot %}",
        ),
        ("snapshots/t.sql", "{% snapshot t %}{{ config(**{'enabled': var('x', 1)}) }}x{% endsnapshot %}"),
        ("selectors.yml", "# none"),
        ("models/p.py", "class A:\n    def model(dbt, session=1):\n        return 1"),
        ("models/p.py", f"{PYTHON}def model(): pass\n    return dbt.ref('s')"),
        ("models/p.py", f"{PYTHON}return print(lambda x: dbt.ref(x), 1 + dbt.ref('gone'))"),
        ("packages.yml", "packages: []"),
        ("dbt_project.yml", f"{FILES['dbt_project.yml']}config-version: 2\nvars:\ndispatch: []"),
        ("dbt_project.yml", f"{FILES['dbt_project.yml']}config-version: '{{{{ 2 }}}}'"),
        (
            "models/b.yml",
            "models: [{name: alone, columns: [{name: one, tests: [not_null: {name: x, where: y}, "
            "any: {arguments: {foo: 1}}, odd: {z: 1}, accepted_values: {values: [1], quote: false}]}]}]",
        ),
        (
            "models/b.yml",
            "{models: [{name: alone, access: public}],"
            " exposures: [{name: x, type: ml, owner: {email: a}, depends_on: [ref('alone')]}]}",
        ),
        ("seeds/s.yml", "seeds: [{name: s, config: {access: privat, contract: {enforced: true}}}]"),
    ],
)
def test_properties_that_dbt_accepts_or_ignores_do_not_fail(checkout: Checkout, name: str, text: str) -> None:
    checkout.write("models/unused.sql", "{{ config(enabled=false) }} select 1 as one")
    checkout.write("models/dev.sql", "{{ config(enabled=target.name == 'dev') }} select 1 as one")
    checkout.write("models/v_v1.sql", "select 1 as one")
    checkout.write(
        "macros/tests.sql",
        "{% test any(model) %}{{ kwargs }}{% endtest %}{% test odd(model, x=[1, '(z']) %}{% endtest %}",
    )
    checkout.write("seeds/s.csv", "id\n1\n")
    checkout.write("models/a.md", "{% docs kept %}text{% enddocs %}")
    described = "{name: unused}, {name: nowhere}, {name: dev}, {name: v, versions: [{v: 1}]}"
    checkout.write("models/a.yml", f"{{groups: [{{name: team, owner: {{name: x}}}}], models: [{described}]}}")
    checkout.commit()
    checkout.write(name, text)

    ran = checkout.cli("diff", "--files", "HEAD", "--fail-on", "fails")

    assert ran.code == 0, ran.err


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("dependencies.yml", "packages: []", "dependencies.yml: packages.yml lists packages, too"),
        ("packages.yml", "projects: []", "packages.yml: only dependencies.yml may list projects"),
        ("dbt_project.yml", f"{FILES['dbt_project.yml']}config-version: 3", "config-version is 3, not 2"),
        ("dbt_project.yml", f"{FILES['dbt_project.yml']}config-version: '2'", "config-version is '2', not 2"),
    ],
)
def test_what_only_the_engine_of_dbt_2_reads_may_fail(
    checkout: Checkout, name: str, text: str, said: str
) -> None:
    checkout.write("packages.yml", "packages: []")
    checkout.commit()
    checkout.write(name, text)

    ran = checkout.cli("diff", "--files", "HEAD", "--fail-on", "may_fail")

    assert ran.code == 1 and said in ran.err + ran.out, ran.err
    assert checkout.cli("diff", "--files", "HEAD", "--fail-on", "fails").code == 0


@pytest.mark.cases(5)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{% macro m() %}{% if %}{% endmacro %}", "the macro 'm' is not valid Jinja: Expected an expression"),
        ("{% test t(model) %}{{ model } {% endtest %}", "the test 't' has no end"),
        ("{% macro m() %}{% endmacr %}", "the macro 'm' has no end"),
        ("{{ 1 + }} {% macro m() %}{{ nope() | no_filter }}{% do [].append(1) %}{% endmacro %}", ""),
        ("{% raw %}{% macro m() %}{% endraw %}{# {% test t() %} #}", ""),
    ],
)
@pytest.mark.parametrize("folder", ["macros", "tests/generic"])
def test_files_of_macros_that_dbt_cannot_parse_fail(
    checkout: Checkout, folder: str, text: str, said: str
) -> None:
    checkout.write(f"{folder}/m.sql", text)
    if said:
        checkout.write("models/s.yml", "models: [{name: alone, tests: [t]}]")

    out = " ".join(checkout.cli("diff", "--files", "HEAD").out.split())

    assert ("dbt reads nothing of the project" in out) is bool(said)
    assert said in out
    assert "no file defines" not in out


@pytest.mark.cases(5)
@pytest.mark.parametrize(
    ("name", "text", "title"),
    [
        ("models/my model.sql", "select 1 as one", "my model"),
        ("models/my model.py", f"{PYTHON}return 1", "my model"),
        ("seeds/my seed.csv", "id\n1\n", "my seed"),
        ("tests/my test.sql", "select 1 as one where false", "my test"),
        ("analyses/my analysis.sql", "select 1 as one", "my analysis"),
        (
            "models/s.yml",
            "snapshots: [{name: my snap, relation: ref('alone'), config: {unique_key: one, strategy: check, "
            "check_cols: all}}]",
            "my snap",
        ),
        (
            "models/s.yml",
            "models: [{name: alone, columns: [{name: one, tests: [not_null: {name: my test}]}]}]",
            "my test",
        ),
        ("snapshots/my snap.sql", "", ""),
        ("models/my folder/inner.sql", "select 1 as one", ""),
        ("models/my model.sql", "{{ config(enabled=false) }} select 1 as one", ""),
        ("models/s.yml", "sources: [{name: my source, tables: [{name: my table, tests: [gone]}]}]", ""),
    ],
)
def test_names_with_spaces_may_fail(checkout: Checkout, name: str, text: str, title: str) -> None:
    checkout.write(name, text)

    ran = checkout.cli("diff", "--files", "HEAD")

    said = f"may fail: dbt reads nothing of the project: {name}: the name '{title}' contains a space, unless"
    assert (said in " ".join(ran.out.split())) is bool(title)
    flag = "flags: {require_resource_names_without_spaces: false}"
    checkout.write("dbt_project.yml", f"{FILES['dbt_project.yml']}{flag}")
    assert "contains a space" not in checkout.cli("diff", "--files", "HEAD").out


def test_an_ephemeral_model_that_references_itself_is_compared(checkout: Checkout) -> None:
    checkout.write("models/totals.sql", "{{ config(materialized='ephemeral') }} select {{ ref('totals') }}")

    assert "totals" in {one["name"] for one in checkout.diff("HEAD")["changes"]}


def test_an_undeclared_source_is_no_added_node(checkout: Checkout) -> None:
    checkout.write("models/totals.sql", "select * from {{ source('raw', 'gone') }}")

    added = checkout.diff("HEAD")
    checkout.commit()
    checkout.write("models/totals.sql", "select 1 as one")
    removed = checkout.diff("HEAD")

    for found in (added, removed):
        names = {one["name"] for one in found["changes"]}
        assert "totals" in names and "gone" not in names


@pytest.mark.parametrize("call", ["{{ cents() }}", "{{ adapter.dispatch('cents', 'shop')() }}"])
def test_a_macro_without_implementation_is_named(checkout: Checkout, call: str) -> None:
    checkout.write("macros/c.sql", "{% macro cents() %}{{ adapter.dispatch('cents')() }}{% endmacro %}")
    checkout.write("models/alone.sql", f"select {call}")

    ran = checkout.cli("diff", "--files", "HEAD", "--fail-on", "fails", "--dialect", "duckdb")

    said = "alone fails: no file defines what it dispatches to, such as default__cents"
    assert ran.code == 1 and said in ran.err, ran.err


def test_of_a_project_that_dbt_refuses_nothing_else_is_compared(checkout: Checkout) -> None:
    checkout.write("models/alone.yml", "models: [{name: alone, config: {materialized: table}}]")
    checkout.commit()
    checkout.write("models/alone.yml", "models: [")

    found = checkout.diff("HEAD")

    assert [one["name"] for one in found["changes"]] == ["models/alone.yml"]
    assert NOTHING_ELSE in found["notes"]


@pytest.mark.parametrize(("package", "is_removed"), [("kit", True), ("../kit", True), ("../kit", False)])
def test_only_a_local_package_that_the_change_removes_fails(
    checkout: Checkout, package: str, is_removed: bool
) -> None:
    if is_removed:
        checkout.write(f"{package}/dbt_project.yml", "name: kit")
    checkout.write("packages.yml", f"packages: [{{local: {package}}}]")
    checkout.commit()
    if is_removed:
        (checkout.project / package / "dbt_project.yml").unlink()

    found = checkout.diff("HEAD")

    why = f"packages.yml: local package '{package}' has no dbt_project.yml"
    assert [one["name"] for one in found["changes"]] == ["packages.yml"] * is_removed
    assert (NEITHER.format(why) in found["notes"]) is not is_removed


def test_a_file_in_utf_16_is_refused(checkout: Checkout) -> None:
    (checkout.project / "models/alone.sql").write_bytes("select 1 as one".encode("utf-16"))

    ran = checkout.cli("diff", "--files", "HEAD", "--fail-on", "fails")

    assert ran.code == 1 and "models/alone.sql is UTF-16, not UTF-8" in ran.err


def test_another_range_of_versions_of_dbt_is_said(checkout: Checkout) -> None:
    versions = "require-dbt-version: ['>=1.8.0', '<2.0.0']"
    checkout.write("dbt_project.yml", f"{FILES['dbt_project.yml']}{versions}")

    found = checkout.diff("HEAD")

    assert (found["changes"], OTHER_VERSIONS.format(">=1.8.0, <2.0.0") in found["notes"]) == ([], True)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("functions/twice.sql", "x + x"),
        ("functions/twice.yml", "functions: [{name: twice, returns: {data_type: bigint}}]"),
    ],
)
def test_an_edit_of_a_function_reaches_the_models_that_call_it(
    checkout: Checkout, name: str, text: str
) -> None:
    checkout.write("functions/twice.sql", "x * 2")
    checkout.write("functions/twice.yml", "functions: [{name: twice, returns: {data_type: int}}]")
    checkout.write("models/alone.sql", "select {{ function('twice') }}(1) as one")
    checkout.commit()
    checkout.write(name, text)

    found = checkout.diff("HEAD")

    assert [(one["unique_id"], one["category"]) for one in found["changes"]] == [
        ("function.shop.twice", "unknown")
    ]
    assert [one["unique_id"] for one in found["impacted"]] == ["model.shop.alone"]


@pytest.mark.parametrize(
    ("macro", "changed"),
    [
        ("materialization view, default", {"alone", "link", "orders", "totals"}),
        ("macro default__create_view_as(relation, sql)", {"alone", "link", "orders", "totals"}),
        ("materialization table, adapter='duckdb'", set()),
        ("macro duckdb__create_table_as(temporary, relation, sql)", set()),
        ("macro create_nothing()", set()),
    ],
)
def test_a_macro_that_replaces_one_of_dbt_changes_what_it_builds(
    checkout: Checkout, macro: str, changed: set[str]
) -> None:
    checkout.write("models/comments.yml", "# nothing")
    checkout.write("macros/own.sql", f"{{% {macro} %}}select 1{{% end{macro.split()[0]} %}}")

    found = {one["name"]: one["category"] for one in checkout.diff("HEAD")["changes"]}

    assert found == dict.fromkeys(changed, "unknown")


def test_a_generic_test_that_replaces_one_of_dbt_is_named(checkout: Checkout) -> None:
    checkout.write("macros/own.sql", "{% test not_null(model, column_name) %}select 1{% endtest %}")

    assert CALLED_BY_DBT.format("macro", "shop.test_not_null") in checkout.diff("HEAD")["notes"]


PROFILES = """
shop: {target: dev, outputs: {dev: {type: duckdb, path: a.db, schema: "{{ env_var('PLACE', 'a') }}"}}}
here: {target: dev, outputs: {dev: {type: duckdb, path: a.db, schema: there}}}
"""


@pytest.mark.parametrize(
    ("name", "old", "new", "moved", "note"),
    [
        ("profiles.yml", "'a') }}", "'b') }}", {"schema_name"}, OTHER_CONNECTION.format("profiles.yml")),
        ("profiles.yml", "path: a.db", "path: b.db", {"database_name"}, "Both sides connect in another way"),
        ("profiles.yml", "path: a.db", "path: x/a.db", set(), "Both sides connect in another way"),
        ("profiles.yml", "dev", "ci", set(), OF_FILES),
        ("dbt_project.yml", "profile: shop", "profile: here", {"schema_name"}, "Both sides connect"),
        (".env", "", "PLACE=c", set(), OF_FILES),
    ],
)
def test_another_target_in_committed_files_moves_all_nodes(
    checkout: Checkout, name: str, old: str, new: str, moved: set[str], note: str
) -> None:
    checkout.write("profiles.yml", PROFILES)
    checkout.commit()
    checkout.write(name, ({**FILES, "profiles.yml": PROFILES}.get(name, "")).replace(old, new) or new)

    found = checkout.diff("HEAD")

    effects = {(one["name"], one["category"]) for one in found["changes"]}
    assert effects == {(one, "breaking") for one in ("alone", "link", "orders", "totals") if moved}
    details = [detail for one in found["changes"] for detail in one["details"]]
    assert {(one["reason"], one["key"]) for one in details} == {("relation", one) for one in moved}
    assert found["notes"][-1].startswith(note), found["notes"]


@pytest.mark.parametrize("is_committed", [True, False])
def test_base_is_read_with_the_profile_of_the_files_if_its_own_is_not_used(
    checkout: Checkout, is_committed: bool
) -> None:
    if is_committed:
        checkout.write("profiles.yml", PROFILES.replace("dev", "ci"))
        checkout.commit()
    checkout.write("profiles.yml", PROFILES)

    found = checkout.diff("HEAD", "--target", "dev")

    said = OTHER_PROFILE.partition("{}")[0]
    assert (found["changes"], found["base"]["target_schema"]) == ([], "a")
    assert any(one.startswith(said) for one in found["notes"]) is is_committed


def test_no_node_moves_if_the_only_profile_is_removed(checkout: Checkout) -> None:
    checkout.write("profiles.yml", PROFILES)
    checkout.commit()
    (checkout.project / "profiles.yml").unlink()

    assert checkout.diff("HEAD", "--dialect", "duckdb")["changes"] == []


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("{{ config(enabled=(target.name == 'prod')) }} select 1 as one", ""),
        ("{{ config(enabled=var('marts', false)) }} select 1 as one", ""),
        ("select 1 as one", "{shop: {+enabled: \"{{ target.name == 'prod' }}\"}}"),
    ],
)
def test_an_edit_of_a_node_that_the_target_disables_is_of_unknown_effect(
    checkout: Checkout, text: str, settings: str
) -> None:
    outputs = "{dev: {type: duckdb, path: a.db}, prod: {type: duckdb, path: b.db}}"
    checkout.write("profiles.yml", f"shop: {{target: dev, outputs: {outputs}}}")
    checkout.write("models/alone.sql", text)
    if settings:
        for name in ("orders", "totals", "link"):
            (checkout.project / f"models/{name}.sql").unlink()
        checkout.write("dbt_project.yml", f"{FILES['dbt_project.yml']}models: {settings}\n")
    checkout.commit()
    checkout.write("models/alone.sql", text.replace("1 as one", "2 as one"))

    (found,) = checkout.diff("HEAD")["changes"]
    on_prod = checkout.diff("HEAD", "--target", "prod", "--vars", "marts: true")["changes"]

    assert (found["name"], found["category"]) == ("alone", "unknown")
    assert found["category_reasons"] == ["edited, disabled for this target"]
    assert [one["category"] for one in on_prod] == ["partial_breaking"]


def test_of_a_package_with_a_file_per_warehouse_each_is_compared_and_one_line_says_so(
    checkout: Checkout,
) -> None:
    name = "{{ config(enabled=(target.type == kind('%s'))) }} select %s as one"
    checkout.write("dbt_packages/tool/dbt_project.yml", "name: tool")
    for number, kind in enumerate(("duckdb", "postgres", "snowflake")):
        checkout.write(f"dbt_packages/tool/models/{kind}/usage.sql", name % (kind, number))
        checkout.write(f"models/{kind}/usage.sql", name % (kind, number))
    checkout.commit()
    checkout.write("models/snowflake/usage.sql", name % ("snowflake", 9))

    found = checkout.diff("HEAD")

    assert [(one["path"], one["category"]) for one in found["changes"]] == [
        ("models/snowflake/usage.sql", "unknown")
    ]
    lines = [one for one in found["notes"] if "other files define" in one and one.startswith("working")]
    assert [one.split(": ")[1] for one in lines] == [
        f"2 files of {one} define nodes that other files define, and may be enabled"
        for one in ("shop", "tool")
    ]


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ("update {{ this }} set one = 0", "fails: its post-hook runs UPDATE on a view"),
        ("create index i on {{ this }} (one)", "fails: its post-hook runs CREATE on a view"),
        ("alter table {{ this }} add column x int", "may fail: its post-hook runs ALTER on a view"),
        ("{% if x %}truncate {{ this }}{% endif %}", "may fail: its post-hook runs TRUNCATE on a view"),
        ("drop table if exists {{ this }}_old", ""),
        ("grant select on {{ this }} to x", ""),
    ],
)
def test_a_table_with_a_hook_that_needs_one_cannot_become_a_view(
    checkout: Checkout, hook: str, said: str
) -> None:
    code = '{{ config(materialized="%s", post_hook="' + hook + '") }} select 1 as one'
    checkout.write("profiles.yml", "shop: {target: dev, outputs: {dev: {type: duckdb, path: a.db}}}")
    checkout.write("models/alone.sql", code.replace("%s", "table"))
    checkout.commit()
    checkout.write("models/alone.sql", code.replace("%s", "view"))

    (found,) = checkout.diff("HEAD")["changes"]

    assert found["category_reasons"][1:] == ([f"the build {said}"] if said else [])
    assert found["category"] == ("breaking" if said else "non_breaking")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("+tags: a", "+post-hook: 'select 2'", "post-hook changed"),
        ("+post-hook: ['{{ cents(1) }}']", "+post-hook: ['{{ cents(2) }}']", "post-hook changed"),
        (
            "+alias: \"{{ env_var('A', 'a') }}\"",
            "+alias: \"{{ env_var('A', 'b') }}\"",
            "alias changed, which only dbt can render",
        ),
    ],
)
@pytest.mark.parametrize("is_in_project", [True, False])
def test_a_setting_that_dbt_renders_is_compared_as_text(
    checkout: Checkout, before: str, after: str, said: str, *, is_in_project: bool
) -> None:
    def write(setting: str) -> None:
        if is_in_project:
            checkout.write("dbt_project.yml", f"{FILES['dbt_project.yml']}models: {{shop: {{{setting}}}}}\n")
        else:
            text = f"models: [{{name: orders, config: {{{setting.removeprefix('+')}}}}}]"
            checkout.write("models/own.yml", text)

    write(before)
    checkout.write("models/orders.sql", "{{ config(post_hook='select 1') }} " + FILES["models/orders.sql"])
    checkout.commit()
    write(after)

    (found,) = (one for one in checkout.diff("HEAD")["changes"] if one["name"] == "orders")

    assert (found["category"], found["category_reasons"]) == ("unknown", [said])


def test_a_test_of_what_no_file_defines_is_left_out_by_dbt(checkout: Checkout) -> None:
    checkout.write("tests/none.sql", "select * from {{ ref('ordrs') }}")

    ran = checkout.cli("diff", "--files", "--fail-on", "may_fail")

    assert ran.code == 0 and "1 test added: none" in ran.out, ran.out


def test_a_macro_that_may_be_one_of_dbt_only_may_fail(checkout: Checkout) -> None:
    checkout.write("models/alone.sql", "select {{ hash('x') }} as one, {{ hash_arguments() }}")

    codes = [checkout.cli("diff", "--files", "--fail-on", on).code for on in ("fails", "may_fail")]

    assert codes == [0, 1]


@pytest.mark.cases(3)
@pytest.mark.parametrize(
    ("listed", "failing"),
    [
        ("packages:\n  - package: a/kit\n  - package: dbt-labs/dbt_utils\n", []),
        ("packages: [{local: exp}, {git: 'https://forge/kit', revision: main}]", []),
        ("packages:\n  -\n    tarball: https://forge/kit.tgz\n    name: kit\n  - local: exp", []),
        ("packages: [{local: broken}, {package: a/dat}]", []),
        ("packages: [{local: exp}, {package: a/dat}]", ["alone", "new", "orders"]),
        ("", ["alone", "new", "orders"]),
    ],
)
def test_values_of_packages_that_are_not_installed_prove_no_failure(
    checkout: Checkout, listed: str, failing: list[str]
) -> None:
    checkout.write("packages.yml", listed)
    for folder in ("exp", "dbt_packages/exp", "dbt_packages/dat"):  # `exp` needs `dat`
        checkout.write(f"{folder}/dbt_project.yml", f"name: {folder[-3:]}")
    checkout.write("broken/dbt_project.yml", "name: [")
    checkout.commit()
    rows = "{% set rows = dbt_utils.get_query_results_as_dict('q') %}select 1 as one"
    checkout.write("models/alone.sql", rows + "{% for k, v in rows.items() %}, {{ k }}{% endfor %}")
    checkout.write("models/orders.sql", rows + "{% do rows.append(1) %}")
    checkout.write("models/new.sql", "select {{ kit.one() }} as one")
    checkout.write("models/totals.sql", "{% for name in kit %}{{ name.x.y }}{% endfor %}{{ kit.all() }}")

    found = checkout.diff("HEAD", "--dialect", "duckdb")

    fails = [one["name"] for one in found["changes"] if "the build fails" in str(one["category_reasons"])]
    assert fails == failing
    assert any("not installed: dbt_utils, kit" in note for note in found["notes"]) == (not failing)


def test_packages_that_are_older_than_their_list_prove_no_failure(checkout: Checkout) -> None:
    checkout.write("packages.yml", "packages: [{package: a/kit, version: 1.0.0}]")
    checkout.write("dbt_packages/kit/dbt_project.yml", "name: kit")
    checkout.commit()
    checkout.write("models/alone.sql", "select {{ kit.newest() }} as one")

    check = ("diff", "--files", "--dialect", "duckdb", "--fail-on", "fails")

    assert checkout.cli(*check).code == 1
    checkout.write("packages.yml", "packages: [{package: a/kit, version: 1.1.0}]")
    os.utime(checkout.project / "dbt_packages", (0, 0))  # `dbt deps` has not run since the edit
    assert checkout.cli(*check).code == 0


@pytest.mark.parametrize("are_current", [True, False])
@pytest.mark.parametrize(
    ("path", "text", "what"),
    [
        (
            "models/a.yml",
            "models: [{name: alone, config: {group: fin}}]",
            "group 'fin' of alone is not defined",
        ),
        ("models/alone.sql", "select * from {{ source('kit', 'raw') }}", "references source 'kit.raw'"),
        ("models/alone.sql", "select * from {{ ref('gone') }}", "it references 'gone'"),
        (
            "models/a.yml",
            "exposures: [{name: board, type: dashboard, owner: {name: a}, depends_on: [ref('gone')]}]",
            "exposure board depends on 'gone'",
        ),
    ],
)
def test_what_an_older_package_may_define_may_fail(
    checkout: Checkout, path: str, text: str, what: str, are_current: bool
) -> None:
    checkout.write("packages.yml", "packages: [{package: a/kit, version: 1.0.0}]")
    checkout.write("dbt_packages/kit/dbt_project.yml", "name: kit")
    checkout.commit()
    if not are_current:
        os.utime(checkout.project / "dbt_packages", (0, 0))
    checkout.write(path, text)

    found = checkout.cli("diff", "--files", "--dialect", "duckdb", "--fail-on", "fails", "--details")

    assert found.code == are_current
    said = " ".join(found.out.split())
    assert what in said and ("that was not read defines it" in said) != are_current


def test_generic_tests_that_may_be_defined_are_no_failures(checkout: Checkout) -> None:
    checkout.write("tests/generic/own.sql", "{% test own(model) %}select 1{% endtest %}")
    related = "{relationships: {to: 1, field: one}}"
    tests = f"[own, {{unique: {{config: {{x: 1}}}}}}, absent.gone, {{gone: {{enabled: false}}}}, {related}]"
    checkout.write(
        "models/a.yml", f"models: [{{name: alone, tests: {tests}}}, {{name: nowhere, tests: [gone]}}]"
    )

    assert {one["name"] for one in checkout.diff("HEAD")["changes"]} <= {"alone"}


@pytest.mark.parametrize("name", ["generate_schema_name", "generate_alias_name", "generate_database_name"])
@pytest.mark.parametrize(
    ("body", "category"), [("{{ node.name }}_x", "breaking"), ("{{ run_query('select 1')[0] }}", "unknown")]
)
def test_a_macro_that_places_nodes_is_a_change_of_all_that_dbt_builds(
    checkout: Checkout, name: str, body: str, category: str
) -> None:
    checkout.write("macros/place.sql", f"{{% macro {name}(custom, node) %}}{body}{{% endmacro %}}")

    found = {one["name"]: one for one in checkout.diff("HEAD")["changes"]}

    assert {key: one["category"] for key, one in found.items()} == dict.fromkeys(
        ("alone", "link", "orders", "totals"), category
    )
    moved = ["moved"] if category == "breaking" else []
    assert found["orders"]["category_reasons"] == [f"macro {name} runs outside of the query", *moved]


def test_hooks_of_the_project_and_semicolons_after_macros_are_judged(checkout: Checkout) -> None:
    checkout.write("macros/own.sql", "{% macro own(c) %}{{ c }}{% endmacro %}")
    checkout.commit()
    settings = FILES["dbt_project.yml"]
    hooks = """on-run-start: '{{ own(1, 2) }}'
on-run-end:
  - select 1
  - "{{ nope() }}"
  - "{{ duckdb__any() }}"
  - selectt 1
"""
    checkout.write("dbt_project.yml", settings + hooks)
    line = settings.count("\n") + 1
    checkout.write("models/orders.sql", FILES["models/orders.sql"] + ";\n")
    checkout.write("models/new.sql", "{{ config(post_hook='selct 1') }} select 1 as one")
    checkout.write("tests/none.sql", "select * from {{ ref('alone') }} where two = 1")

    found = checkout.diff("HEAD", "--dialect", "duckdb")["changes"]

    said = {one["name"]: " ".join(one["category_reasons"]) for one in found if one["status"] != "unchanged"}
    assert (
        f"macro 'own' takes not more than 1 argument(s) (dbt_project.yml:{line})"
        in said["shop-on-run-start-0"]
    )
    assert 'syntax error at or near ";" (models/orders.sql:1)' in said["orders"]
    assert said["shop-on-run-end-0"] == ""
    nope = f"it uses 'nope', which no file defines (dbt_project.yml:{line + 3})"
    assert said["shop-on-run-end-1"] == f"the build fails: {nope}"
    assert said["shop-on-run-end-2"].startswith("the build may fail: it uses 'duckdb__any'")
    assert f'syntax error at or near "selectt" (dbt_project.yml:{line + 5})' in said["shop-on-run-end-3"]
    assert "in its post-hook, DuckDB" in said["new"]
    assert said["none"].startswith('the build fails: Referenced column "two" not found')


@pytest.mark.parametrize(
    ("dialect", "project", "quoting", "is_moved"),
    [
        ("postgres", "", "{identifier: false}", True),
        ("postgres", "", "{identifier: true}", False),
        ("postgres", "quoting: {schema: false}\n", "{schema: false}", False),
        ("snowflake", "", "{identifier: false}", False),
        ("snowflake", "", "{database: true, schema: true, identifier: true}", True),
    ],
)
@pytest.mark.parametrize("of_table", [True, False])
def test_other_quoting_of_a_source_is_another_relation(
    checkout: Checkout, dialect: str, project: str, quoting: str, *, is_moved: bool, of_table: bool
) -> None:
    def write(block: str, table: str) -> None:
        source = f"sources: [{{name: ext{block}, tables: [{{name: Events{table}}}]}}]"
        checkout.write("models/sources.yml", source)

    checkout.write("dbt_project.yml", FILES["dbt_project.yml"] + project)
    checkout.write("models/alone.sql", "select * from {{ source('ext', 'Events') }}")
    write("", "")
    checkout.commit()
    setting = f", quoting: {quoting}"
    write("" if of_table else setting, setting if of_table else "")

    found = checkout.diff("HEAD", "--dialect", dialect)["changes"]

    said = {one["name"]: one["reasons"] for one in found}
    assert said == ({"alone": ["compiled"], "Events": ["relation"]} if is_moved else {})


def test_the_end_of_a_model_and_of_each_version_is_compared(checkout: Checkout) -> None:
    def write(end: str, end_of_version: str) -> None:
        versions = f"versions: [{{v: 1{end_of_version}}}, {{v: 2}}]"
        checkout.write(
            "models/own.yml",
            f"models: [{{name: alone{end}}}, {{name: kpi, {versions}, {end[2:] or 'config: {}'}}}]",
        )

    checkout.write("models/kpi_v1.sql", "select 1 as one")
    checkout.write("models/kpi_v2.sql", "select 1 as one")
    write("", "")
    checkout.commit()
    write(", deprecation_date: 2030-01-01", ", deprecation_date: 2031-01-01")

    found = {one["unique_id"]: one for one in checkout.diff("HEAD")["changes"]}

    dates = {name: [one["current"] for one in each["details"]] for name, each in found.items()}
    assert dates == {"model.shop.alone": ["2030-01-01"], "model.shop.kpi.v1": ["2031-01-01"]}
    assert {one["category"] for one in found.values()} == {"none"}


@pytest.mark.parametrize(
    "code",
    [
        "{{ config(post_hook=\"update {{ this }} set one = {{ var('k') }}\") }} select 1 as one",
        "{{ config(post_hook='{{ later() }}') }} select 1 as one",
        "{% set found = run_query('select 1') %} select {{ found }}, {{ var('k') }} as one",
    ],
)
def test_a_variable_that_only_a_hook_or_unrendered_code_reads_changes_the_node(
    checkout: Checkout, code: str
) -> None:
    checkout.write(
        "macros/later.sql", "{% macro later() %}delete from x where n > {{ var('k') }}{% endmacro %}"
    )
    checkout.write("models/alone.sql", code)
    checkout.write("dbt_project.yml", f"{FILES['dbt_project.yml']}vars: {{k: 3, other: 1}}\n")
    checkout.commit()
    checkout.write("dbt_project.yml", f"{FILES['dbt_project.yml']}vars: {{k: 4, other: 1}}\n")

    diff = checkout.diff("HEAD", "--dialect", "duckdb", "--vars", "{token: s3cret}")

    (found,) = diff["changes"]
    details = [(one["key"], one["base"], one["current"]) for one in found["details"]]
    assert (found["name"], found["category"], details) == ("alone", "unknown", [("var('k')", "3", "4")])
    # Values of --vars may be secret, and the runs have hashes elsewhere.
    assert "s3cret" not in json.dumps(diff)
    assert [diff[side]["variables"] for side in ("base", "current")] == [None, None]
    assert checkout.diff("HEAD", "--dialect", "duckdb", "--vars", "{k: 5}")["changes"] == []


@pytest.mark.parametrize("variables", ["{shop: {k: 4}}", "{dbt_kit: {k: 4}, k: 3}"])
def test_a_disabled_model_is_removed_by_the_variable_of_a_file(checkout: Checkout, variables: str) -> None:
    checkout.write("models/alone.sql", "{{ config(enabled=var('k') == 3) }} select 1 as one")
    checkout.write("dbt_project.yml", f"{FILES['dbt_project.yml']}vars: {{k: 3}}\n")
    checkout.commit()
    checkout.write("dbt_project.yml", f"{FILES['dbt_project.yml']}vars: {variables}\n")

    found = {one["name"]: one["status"] for one in checkout.diff("HEAD")["changes"]}

    assert found == ({"alone": "removed"} if "shop" in variables else {})


@pytest.mark.parametrize(
    ("before", "after", "declared", "said", "is_certain"),
    [
        ("day", "cast(day as timestamp) as day", "date", TYPE_OF_DAY, False),
        ("cast(day as date) as day", "cast(day as timestamp) as day", "date", TYPE_OF_DAY, True),
        ("cast(day as int) as day", "cast(day as timestamp) as day", "date", "", False),
        ("day", "cast(day as date) as day", "date", "", False),
        # The type of what `floor` returns depends on that of the seed, which no file has.
        ("cast(day as decimal(9, 0)) as day", "floor(day) as day", "decimal(9, 0)", "", False),
    ],
)
def test_a_type_from_above_that_an_enforced_contract_refuses_is_found(
    checkout: Checkout, before: str, after: str, declared: str, said: str, *, is_certain: bool
) -> None:
    columns = f"columns: [{{name: day, data_type: '{declared}'}}]"
    contract = "config: {materialized: table, contract: {enforced: true}}"
    checkout.write("seeds/days.csv", "day\n2025-01-01\n")
    checkout.write("models/strict.sql", "select day from {{ ref('alone') }}")
    checkout.write("models/strict.yml", f"models: [{{name: strict, {contract}, {columns}}}]")
    checkout.write("models/alone.sql", f"select {before} from {{{{ ref('days') }}}}")
    checkout.commit()
    checkout.write("models/alone.sql", f"select {after} from {{{{ ref('days') }}}}")

    (found,) = checkout.diff("HEAD", "--dialect", "duckdb")["impacted"]

    assert (found["name"], found["fails"]) == ("strict", is_certain)
    assert (found["failure"] if is_certain else found["may_fail"]).partition(" (")[0] == said


def test_a_reference_to_another_package_in_a_branch_has_an_effect(checkout: Checkout) -> None:
    def write(package: str) -> None:
        reference = f"ref('{package}', 'orders') if target.name == 'prod' else ref('alone')"
        checkout.write("models/totals.sql", f"select amount from {{{{ {reference} }}}}")

    checkout.write("dbt_packages/dbt_kit/models/orders.sql", "{{ config(schema='kit') }} select 1 as amount")
    checkout.write("profiles.yml", "shop: {target: dev, outputs: {dev: {type: duckdb, path: a.duckdb}}}")
    write("dbt_kit")
    checkout.commit()
    write("shop")

    found = {one["name"]: one for one in checkout.diff("HEAD")["changes"]}

    reason = "if target.name = 'prod': reads shop.orders instead of dbt_kit.orders"
    assert found["totals"]["category"] == "breaking"
    assert reason in found["totals"]["category_reasons"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("description: a", "description: b", ["(model)"]),
        ("", "access: private", ["access"]),
        ("", "columns: [{include: all, exclude: [two]}]", ["two"]),
        ("", "columns: [{name: one, description: c}]", ["one"]),
        ("columns: [{include: [one]}]", "columns: [{name: two, tags: [a]}]", ["columns.two.tags", "two"]),
        ("", "columns: [{include: '*'}]", []),
    ],
)
def test_what_a_property_file_says_of_a_version_is_compared(
    checkout: Checkout, before: str, after: str, expected: list[str]
) -> None:
    def write(own: str) -> None:
        columns = "columns: [{name: one, description: a}, {name: two, description: b}]"
        version = f"{{v: 1{', ' if own else ''}{own}}}"
        checkout.write(
            "models/own.yml", f"models: [{{name: kpi, {columns}, versions: [{version}, {{v: 2}}]}}]"
        )

    checkout.write("models/kpi_v1.sql", "select 1 as one, 2 as two")
    checkout.write("models/kpi_v2.sql", "select 1 as one, 2 as two")
    write(before)
    checkout.commit()
    write(after)

    found = checkout.diff("HEAD")["changes"]

    keys = {one["name"]: [detail["key"] for detail in one["details"]] for one in found}
    assert keys == ({"kpi.v1": expected} if expected else {})
