"""Indexing of the edited project into the cached store: real projects, artifacts, repositories and stores."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest

from recce_meta import demo_data
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.record import record_run
from recce_meta.api.run_reader import StoredRunReader
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.lsp.project.artifact_times import ArtifactTimes, times_of
from recce_meta.lsp.project.cache import CACHE_DIR, CachedStore, find_store
from recce_meta.lsp.project.index import ProjectIndex
from recce_meta.lsp.project.index_process import EDITOR, Indexed, IndexOptions, index_command
from recce_meta.lsp.project.indexing import index_project
from recce_meta.models import NodeMetadata, Project
from recce_meta.store.read import find_runs, run_by_id
from recce_meta.store.select import load_run
from recce_meta.store.session import open_store

pytestmark = pytest.mark.extensive

DEMO = Path(demo_data.__file__).parent
ARTIFACTS = Path(__file__).parents[2] / "data" / "artifacts" / "generated"
ORDERS = "models/marts/orders.sql"
NEW = "select customer_id, 1 as visits from {{ ref('stg_customers') }}\n"
BEFORE_MANIFEST = 1_000_000_000
"""Time of property files, in seconds: before that of every manifest."""


class Editor:
    """A project in a folder, its cached store, and the variables of an editor's process."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self.root, self.environ = root, dict(environ)

    @property
    def store(self) -> CachedStore:
        return find_store(self.root, self.environ)

    def index(self, options: IndexOptions | None = None, **variables: str) -> Indexed:
        return index_project(self.root, self.store, options, environ={**self.environ, **variables})

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def replace(self, path: str, old: str, new: str) -> None:
        file = self.root / path
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    def add_manifest(self, run: str = "base") -> Path:
        """Add the artifacts of the demo, which dbt wrote later than all property files."""
        target = self.root / "target"
        target.mkdir(exist_ok=True)
        for path in (DEMO / run).glob("*.json.gz"):
            (target / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
        for path in self.root.rglob("*.yml"):
            os.utime(path, (BEFORE_MANIFEST, BEFORE_MANIFEST))
        return target / "manifest.json"

    def project(self, found: Indexed) -> Project:
        assert found.run_id is not None
        return self.run(found.run_id)

    def run(self, run_id: str) -> Project:
        with UnifiedSqlAdapter.from_url(self.store.url) as adapter:
            return load_run(adapter, run_id)

    def node(self, found: Indexed, unique_id: str) -> NodeMetadata:
        return next(node for node in self.project(found).nodes if node.unique_id == unique_id)

    def columns(self, found: Indexed, name: str) -> dict[str, str | None]:
        """Return the types of a model's columns by name."""
        with UnifiedSqlAdapter.from_url(self.store.url) as adapter:
            with open_store(adapter) as session:
                run = run_by_id(session, found.run_id or "")
            index = ProjectIndex(StoredRunReader(adapter, run), self.root)
            known = index.columns(f"model.jaffle_shop.{name}")
        assert known.are_all
        return dict(known.types)

    def ids(self, found: Indexed) -> set[str]:
        return {node.unique_id for node in self.project(found).nodes}

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.store.path)) as connection:
            return connection.execute(sql).fetchall()

    def start(self, options: IndexOptions | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            index_command(self.root, self.store.url, options),
            cwd=self.root,
            env={**os.environ, **self.environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def git(self, *arguments: str) -> str:
        who = {
            f"GIT_{role}_{part}": "a@example.com"
            for role in ("AUTHOR", "COMMITTER")
            for part in ("NAME", "EMAIL")
        }
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env={**self.environ, **who},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def commit(self, branch: str | None = None) -> str:
        """Commit all files; *branch* is the name of a new repository's branch."""
        if branch is not None:
            self.git("init", "--quiet", "--initial-branch", branch)
            self.write(".gitignore", "target/\n")
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", "change")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    home.mkdir()
    return {"PATH": os.environ["PATH"], "HOME": str(home), CACHE_DIR: str(tmp_path / "cache")}


@pytest.fixture
def shop(tmp_path: Path, environ: dict[str, str]) -> Editor:
    """The demo's project without artifacts."""
    root = tmp_path / "shop"
    shutil.copytree(DEMO / "project" / "base", root)
    return Editor(root, environ)


@pytest.fixture
def small(tmp_path: Path, environ: dict[str, str]) -> Callable[[Mapping[str, str]], Editor]:
    """Function that writes a project of the given files."""

    def write(files: Mapping[str, str]) -> Editor:
        editor = Editor(tmp_path / "small", environ)
        for path, text in {"dbt_project.yml": "name: small\n", **files}.items():
            editor.write(path, text)
        return editor

    return write


# Files without a manifest


def test_a_project_without_artifacts_is_read_from_its_files_with_column_lineage(shop: Editor) -> None:
    found = shop.index()
    assert (found.problem, found.source, found.models, found.is_new) == (None, "files", 10, True)
    assert found.project_name == "jaffle_shop"
    edges = shop.rows(
        "select parent_id, parent_column from column_lineage "
        "where node_id = 'model.jaffle_shop.stg_orders' and column_name = 'order_id'"
    )
    assert edges == [("seed.jaffle_shop.raw_orders", "id")]


def test_the_same_files_are_not_recorded_again(shop: Editor) -> None:
    first = shop.index()
    again = shop.index()
    assert (again.run_id, again.is_new) == (first.run_id, False)


def test_a_state_that_comes_back_is_the_latest_run(shop: Editor) -> None:
    text = (shop.root / ORDERS).read_text()
    first = shop.index()
    shop.write(ORDERS, f"{text}-- edited\n")
    edited = shop.index()
    shop.write(ORDERS, text)
    back = shop.index()
    assert len({first.run_id, edited.run_id, back.run_id}) == 3
    with UnifiedSqlAdapter.from_url(shop.store.url) as adapter, open_store(adapter) as store:
        assert find_runs(store, environment=EDITOR)[0].run_id == back.run_id
    assert shop.node(back, "model.jaffle_shop.orders").raw_code == text


def test_old_runs_are_removed_without_a_trace(shop: Editor) -> None:
    for number in range(4):
        shop.write("models/marts/more.sql", f"select {number} as n\n")
        found = shop.index()
    runs = shop.rows("select run_id from runs order by run_at")
    assert len(runs) == 2
    assert runs[-1] == (found.run_id,)
    assert shop.rows("select count(*) from store_tombstones") == [(0,)]


def test_a_file_that_is_not_text_is_left_out_with_a_note(shop: Editor) -> None:
    (shop.root / "models/marts/latin.sql").write_bytes("select 'é' as x".encode("latin-1") + b"\xff\xfe\x00")
    found = shop.index()
    assert found.problem is None
    assert "model.jaffle_shop.orders" in shop.ids(found)
    assert any("models/marts/latin.sql" in note for note in found.notes)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_file_with_a_name_that_is_not_text_is_left_out_with_a_note(shop: Editor) -> None:
    Path(os.fsdecode(os.fsencode(shop.root) + b"/models/marts/caf\xe9.sql")).write_text("select 1 as x\n")
    shop.write("models/marts/größe 1.sql", "select 1 as x\n")
    shop.commit("main")
    found = shop.index()
    assert (found.problem, found.models) == (None, 11)
    assert found.base_id is not None
    assert any("not UTF-8" in note for note in found.notes)


def test_links_between_folders_are_followed_without_end(shop: Editor) -> None:
    (shop.root / "models" / "loop").symlink_to(shop.root / "models")
    outside = shop.root.parent / "outside"
    outside.mkdir()
    (outside / "linked.sql").write_text("select 1 as one\n")
    (shop.root / "models" / "linked").symlink_to(outside)
    found = shop.index()
    assert found.models == 11
    assert "model.jaffle_shop.linked" in shop.ids(found)


def test_projects_in_packages_and_virtual_environments_are_not_the_users(
    small: Callable[[Mapping[str, str]], Editor],
) -> None:
    inner = {"dbt_project.yml": "name: inner\n", "models/theirs.sql": "select 1 as one\n"}
    places = ("venv/lib/dbt", ".venv/lib/dbt", "target/compiled")
    editor = small(
        {
            "dbt_project.yml": "name: small\nmodel-paths: ['.']\n",
            "mine.sql": "select * from {{ ref('theirs') }}\n",
            "dbt_packages/inner/dbt_project.yml": inner["dbt_project.yml"],
            "dbt_packages/inner/models/theirs.sql": inner["models/theirs.sql"],
            **{f"{place}/{path}": text for place in places for path, text in inner.items()},
        }
    )
    found = editor.index()
    assert editor.ids(found) == {"model.small.mine", "model.inner.theirs"}
    assert found.project_name == "small"


def test_a_broken_project_file_is_a_clear_problem_and_the_previous_index_stays(shop: Editor) -> None:
    first = shop.index()
    shop.write("dbt_project.yml", "name: [\n")
    found = shop.index()
    assert found.problem is not None
    assert "dbt_project.yml" in found.problem
    assert (found.run_id, found.is_new) == (first.run_id, False)
    assert shop.project(found).run.project_name == "jaffle_shop"


# Manifest


def test_the_nodes_of_the_manifest_are_used_for_unchanged_files(shop: Editor) -> None:
    shop.add_manifest()
    found = shop.index()
    assert (found.problem, found.source, found.models) == (None, "manifest", 10)
    assert any(name.startswith("exposure.") for name in shop.ids(found))
    assert any(name.startswith("test.") for name in shop.ids(found))


def test_line_ends_and_blanks_at_the_end_are_not_a_change(shop: Editor) -> None:
    shop.add_manifest()
    file = shop.root / ORDERS
    file.write_bytes(file.read_bytes().rstrip().replace(b"\n", b"\r\n") + b"\r\n\r\n")
    assert shop.index().source == "manifest"


def test_new_edited_and_deleted_files_are_merged_into_the_manifest(shop: Editor) -> None:
    shop.add_manifest()
    before = shop.index()
    shop.write("models/marts/visits.sql", NEW)
    shop.write(ORDERS, "select order_id, 7 as lucky from {{ ref('stg_orders') }}\n")
    (shop.root / "models/marts/daily_revenue.sql").unlink()
    found = shop.index()
    assert found.source == "both"
    old, new = shop.ids(before), shop.ids(found)
    # An exposure reads the deleted model, which dbt refuses.
    refused = "operation.jaffle_shop.models/marts/marts.yml"
    assert new - old == {"model.jaffle_shop.visits", refused}
    assert "model.jaffle_shop.daily_revenue" in old - new
    # Tests of the deleted model are gone, exposures and tests of others stay.
    assert {name.partition(".")[0] for name in old - new} <= {"model", "test"}
    edited = shop.node(found, "model.jaffle_shop.orders")
    assert edited.parents == ("model.jaffle_shop.stg_orders",)
    assert edited.relation_name == shop.node(before, "model.jaffle_shop.orders").relation_name
    relation = shop.node(before, "model.jaffle_shop.stg_customers").relation_name
    assert relation is not None
    assert relation in (shop.node(found, "model.jaffle_shop.visits").compiled_code or "")
    untouched = shop.node(found, "model.jaffle_shop.customers")
    assert untouched.compiled_code == shop.node(before, "model.jaffle_shop.customers").compiled_code


def test_the_run_has_the_times_of_the_artifacts_that_it_was_read_from(shop: Editor) -> None:
    assert times_of(shop.index().run_id or "") == ArtifactTimes()
    manifest = shop.add_manifest()
    headers = [
        json.loads(path.read_bytes())["metadata"] for path in (manifest, manifest.parent / "catalog.json")
    ]
    expected = [header["generated_at"][:19] for header in headers]
    for source in ("manifest", "both"):
        found = shop.index()
        times = times_of(found.run_id or "")
        assert [f"{time:%Y-%m-%dT%H:%M:%S}" for time in times if time is not None] == expected
        assert found.source == source
        shop.replace(ORDERS, "order_id", "order_id  ")


def test_an_edited_project_is_recorded_once(shop: Editor) -> None:
    shop.add_manifest()
    shop.replace(ORDERS, "order_id", "order_id  ")
    first = shop.index()
    assert shop.index().run_id == first.run_id


def test_readers_of_a_changed_macro_are_rendered_again(shop: Editor) -> None:
    shop.add_manifest()
    before = shop.index()
    shop.replace("macros/cents_to_dollars.sql", "100", "1000")
    found = shop.index()
    changed = {
        node.unique_id
        for node in shop.project(found).nodes
        if node.compiled_code != shop.node(before, node.unique_id).compiled_code
    }
    assert changed
    for name in changed:
        node = shop.node(found, name)
        assert "cents_to_dollars" in (node.raw_code or "")
        assert "1000" in (node.compiled_code or "")


def test_the_catalog_does_not_list_the_columns_of_models_below_a_changed_macro(shop: Editor) -> None:
    path, staged, mix = shop.add_manifest(), "models/staging/stg_payments.sql", "models/marts/payment_mix.sql"
    manifest = json.loads(path.read_bytes())
    catalog = json.loads((path.parent / "catalog.json").read_bytes())
    for file, raw, compiled in (
        (staged, "select id, {{ cents_to_dollars('1') }} from {{ ref('raw_payments') }}", "id, 1 as old"),
        (mix, "select * from {{ ref('stg_payments') }}", "*"),
    ):
        shop.write(file, raw)
        name = f"model.jaffle_shop.{Path(file).stem}"
        table = "stg_payments" if file == mix else "raw_payments"
        code = f'select {compiled} from "jaffle_shop"."prod"."{table}"'
        manifest["nodes"][name] |= {"raw_code": raw, "compiled_code": code}
        catalog["nodes"][name]["columns"] = {
            column: {"name": column, "type": "INTEGER", "index": number}
            for number, column in enumerate(("id", "old"))
        }
    path.write_text(json.dumps(manifest))
    (path.parent / "catalog.json").write_text(json.dumps(catalog))
    for name in ("stg_payments", "payment_mix"):
        assert shop.columns(shop.index(), name) == {"id": "INTEGER", "old": "INTEGER"}
    shop.replace("macros/cents_to_dollars.sql", "decimal(16, 2))", "decimal(16, 2)) as new")
    found = shop.index()
    for name in ("stg_payments", "payment_mix"):
        assert shop.columns(found, name) == {"id": "INTEGER", "new": None}
    assert shop.columns(found, "stg_orders")["order_id"] == "INTEGER"
    assert found.source == "both"


def test_a_source_keeps_the_columns_of_the_catalog_if_its_property_file_changes(shop: Editor) -> None:
    path = shop.add_manifest()
    manifest = json.loads(path.read_bytes())
    catalog = json.loads((path.parent / "catalog.json").read_bytes())
    shop.write("models/crm.yml", "sources: [{name: crm, tables: [{name: people, description: All.}]}]\n")
    people = "source.jaffle_shop.crm.people"
    manifest["sources"][people] = {
        **{"unique_id": people, "resource_type": "source", "name": "people", "source_name": "crm"},
        **{"package_name": "jaffle_shop", "original_file_path": "models/crm.yml", "path": "models/crm.yml"},
        **{"database": "jaffle_shop", "schema": "crm", "identifier": "people", "columns": {}},
    }
    catalog["sources"][people] = {"columns": {"id": {"name": "id", "type": "INTEGER", "index": 1}}}
    path.write_text(json.dumps(manifest))
    (path.parent / "catalog.json").write_text(json.dumps(catalog))
    found = shop.node(shop.index(), people)
    assert (found.description, found.columns_from) == ("All.", "catalog")
    assert [(column.name, column.type) for column in found.columns] == [("id", "INTEGER")]


def test_readers_of_a_model_with_a_new_name_are_rendered_again_until_it_is_back(shop: Editor) -> None:
    shop.add_manifest()
    reader = "model.jaffle_shop.customers"
    before = shop.node(shop.index(), reader)
    text = (shop.root / ORDERS).read_text()
    shop.write(ORDERS, "{{ config(alias='renamed') }}\n" + text)
    for _ in range(2):
        found = shop.index()
        assert '"renamed"' in (shop.node(found, reader).compiled_code or "")
    shop.write(ORDERS, text)
    assert shop.node(shop.index(), reader).compiled_code == before.compiled_code


def test_a_new_source_in_a_property_file_is_read(shop: Editor) -> None:
    shop.add_manifest()
    shop.write(
        "models/more.yml",
        "sources:\n  - name: crm\n    tables:\n      - name: people\n        columns: [{name: id}]\n",
    )
    shop.write("models/marts/people.sql", "select id from {{ source('crm', 'people') }}\n")
    found = shop.index()
    assert shop.node(found, "model.jaffle_shop.people").parents == ("source.jaffle_shop.crm.people",)
    assert [column.name for column in shop.node(found, "source.jaffle_shop.crm.people").columns] == ["id"]


def test_a_changed_description_is_read_and_types_of_the_catalog_stay(shop: Editor) -> None:
    shop.add_manifest()
    before = shop.node(shop.index(), "model.jaffle_shop.orders")
    file = "models/marts/marts.yml"
    shop.replace(file, before.description, "What people bought.")
    found = shop.index()
    now = shop.node(found, "model.jaffle_shop.orders")
    assert (found.source, now.description) == ("both", "What people bought.")
    assert [(column.name, column.type) for column in now.columns] == [
        (column.name, column.type) for column in before.columns
    ]
    assert now.compiled_code == before.compiled_code
    assert shop.index().run_id == found.run_id


def test_a_touched_property_file_is_not_a_change(shop: Editor) -> None:
    shop.add_manifest()
    os.utime(shop.root / "models/marts/marts.yml")
    assert shop.index().source == "manifest"


def test_models_that_dbt_did_not_compile_are_rendered(shop: Editor) -> None:
    path = shop.add_manifest()
    manifest = json.loads(path.read_bytes())
    for node in manifest["nodes"].values():
        node.pop("compiled_code", None)
        node["compiled"] = False
    path.write_text(json.dumps(manifest))
    found = shop.index()
    assert found.source == "manifest"
    assert "from" in (shop.node(found, "model.jaffle_shop.orders").compiled_code or "")
    assert shop.index().run_id == found.run_id


def test_a_manifest_that_is_being_written_leaves_the_previous_index(shop: Editor) -> None:
    path = shop.add_manifest()
    first = shop.index()
    path.write_bytes(path.read_bytes()[:5000])
    found = shop.index()
    assert (found.run_id, found.problem) == (first.run_id, None)
    assert any("has not finished" in note for note in found.notes)


def test_a_project_is_read_from_its_files_while_its_first_manifest_is_being_written(shop: Editor) -> None:
    manifest = shop.add_manifest()
    manifest.write_bytes(manifest.read_bytes()[:1000])

    found = shop.index()

    assert (found.problem, found.source, found.models) == (None, "files", 10)
    assert any("only the files were read" in note for note in found.notes)


def test_a_manifest_that_stays_incomplete_is_not_used(shop: Editor) -> None:
    path = shop.add_manifest()
    path.write_bytes(path.read_bytes()[:5000])
    os.utime(path, (time.time() - 3600,) * 2)
    found = shop.index()
    assert (found.problem, found.source) == (None, "files")
    assert any("manifest" in note for note in found.notes)


def test_a_damaged_catalog_does_not_hide_the_manifest(shop: Editor) -> None:
    path = shop.add_manifest()
    path.with_name("catalog.json").write_text("{")
    found = shop.index()
    assert (found.problem, found.source) == (None, "manifest")
    assert any("catalog" in note for note in found.notes)


def test_the_manifest_of_another_project_is_not_used(shop: Editor) -> None:
    shop.add_manifest()
    shop.replace("dbt_project.yml", "name: jaffle_shop", "name: other_shop")
    found = shop.index()
    assert (found.source, found.project_name) == ("files", "other_shop")
    assert any("jaffle_shop" in note for note in found.notes)


@pytest.mark.parametrize(
    "folder", sorted(path.name for path in (ARTIFACTS / "jaffle_ext_multi").glob("dbt_*"))
)
def test_artifacts_of_every_version_of_dbt_are_read_without_files(
    folder: str, small: Callable[[Mapping[str, str]], Editor]
) -> None:
    source = ARTIFACTS / "jaffle_ext_multi" / folder
    project = extract_project(source, git=GitState(), environ={})
    editor = small({"dbt_project.yml": f"name: {project.run.project_name}\n"})
    shutil.copytree(source, editor.root / "target")
    found = editor.index()
    assert (found.problem, found.source) == (None, "manifest")
    assert editor.ids(found) == {node.unique_id for node in project.nodes}
    assert editor.index().run_id == found.run_id


# Base


def test_base_is_the_merge_base_without_a_checkout(shop: Editor) -> None:
    sha = shop.commit("main")
    shop.git("switch", "--quiet", "--create", "feature")
    shop.write("models/marts/visits.sql", NEW)
    shop.commit()
    shop.write(ORDERS, "select 1 as order_id\n")
    status = shop.git("status", "--porcelain")
    found = shop.index()
    assert found.base == f"git merge base {sha[:7]} with main"
    assert found.base_id is not None
    base = shop.run(found.base_id)
    assert (base.run.environment, base.run.git_sha) == ("base", sha)
    nodes = {node.unique_id: node for node in base.nodes}
    assert "model.jaffle_shop.visits" not in nodes
    assert nodes["model.jaffle_shop.orders"].raw_code == shop.git("show", f"main:{ORDERS}") + "\n"
    assert shop.git("status", "--porcelain") == status


def test_a_commit_is_read_once(shop: Editor) -> None:
    shop.commit("main")
    first = shop.index()
    read = shop.rows("select recorded_at from runs where environment = 'base'")
    shop.write("models/marts/visits.sql", NEW)
    again = shop.index()
    assert again.base_id == first.base_id
    assert shop.rows("select recorded_at from runs where environment = 'base'") == read


def test_a_project_in_a_subfolder_of_the_repository_is_compared(shop: Editor) -> None:
    outer = Editor(shop.root.parent / "outer", shop.environ)
    outer.write("README.md", "shop")
    shutil.copytree(shop.root, outer.root / "dbt" / "shop")
    outer.commit("main")
    inner = Editor(outer.root / "dbt" / "shop", shop.environ)
    found = inner.index()
    assert found.base_id is not None
    assert inner.run(found.base_id).run.project_name == "jaffle_shop"


def test_a_hostile_repository_runs_no_program_and_reads_no_file_outside(shop: Editor) -> None:
    secret = shop.root.parent / "secret.sql"
    secret.write_text("select 'secret' as secret\n")
    (shop.root / "models" / "leak.sql").symlink_to(secret)
    shop.write(".gitattributes", "*.sql filter=evil diff=evil\n")
    shop.commit("main")
    program = shop.root.parent / "evil.sh"
    left = shop.root.parent / "ran"
    program.write_text(f"#!/bin/sh\n: > '{left}'\ncat\n")
    program.chmod(0o755)
    for name in (
        "filter.evil.smudge",
        "filter.evil.clean",
        "diff.evil.textconv",
        "core.fsmonitor",
        "core.pager",
    ):
        shop.git("config", name, str(program))
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        (shop.root / ".git" / "hooks" / hook).symlink_to(program)
    left.unlink(missing_ok=True)  # git config itself may have run a hook
    found = shop.index()
    assert found.base_id is not None
    assert not left.exists()
    assert all("secret" not in (node.raw_code or "") for node in shop.run(found.base_id).nodes)


def test_outside_of_a_repository_there_is_no_base(shop: Editor) -> None:
    found = shop.index()
    assert (found.base, found.base_id, found.notes) == (None, None, ())


def test_a_repository_without_a_base_branch_gets_a_note(shop: Editor) -> None:
    shop.commit("trunk")
    found = shop.index()
    assert found.base is None
    assert any("base branch" in note for note in found.notes)


@contextmanager
def opened_elsewhere(url: str, *, read_only: bool) -> Iterator[None]:
    """Keep the DuckDB file of *url* open in another process."""
    file = url.removeprefix("duckdb:///")
    code = (
        f"import duckdb, sys; c = duckdb.connect({file!r}, read_only={read_only}); "
        "print('ready', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
        process.communicate("")


@pytest.fixture
def production(tmp_path: Path) -> str:
    """URL of a DuckDB store with the demo's runs of `base` and `production`."""
    url = f"duckdb:///{tmp_path / 'production.duckdb'}"
    with UnifiedSqlAdapter.from_url(url) as adapter:
        for environment, folder in (("base", "base"), ("production", "current")):
            project = extract_project(DEMO / folder, environment=environment, git=GitState(), environ={})
            record_run(adapter, project)
    return url


def test_the_run_of_base_is_copied_from_the_configured_store(shop: Editor, production: str) -> None:
    shop.write("recce_meta.yml", f"store: {production}\n")
    found = shop.index()
    assert found.base == "latest run of base, 2026-11-20 08:43 UTC"
    assert found.base_id is not None
    base = shop.run(found.base_id)
    assert (base.run.environment, base.run.column_graph_id is not None) == ("base", True)


def test_the_file_of_the_configured_store_is_neither_opened_for_writing_nor_changed(
    shop: Editor, production: str
) -> None:
    file = Path(production.removeprefix("duckdb:///"))
    before = file.read_bytes()
    # A process that reads keeps writers away, but not others that read.
    with opened_elsewhere(production, read_only=True):
        found = shop.index(IndexOptions(url=production))
    assert (found.base, found.notes) == ("latest run of base, 2026-11-20 08:43 UTC", ())
    assert file.read_bytes() == before


def test_options_and_variables_name_another_store_and_run(shop: Editor, production: str) -> None:
    options = IndexOptions(url=production, base="production")
    assert shop.index(options).base == "production, run of 2026-11-20 08:43 UTC"
    found = shop.index(RECCE_META_URL=production)
    assert found.base == "latest run of base, 2026-11-20 08:43 UTC"


def test_a_store_that_another_process_writes_neither_fails_nor_delays_indexing(
    shop: Editor, production: str
) -> None:
    options = IndexOptions(url=production, is_fresh=True)
    first = shop.index(options)
    with opened_elsewhere(production, read_only=False):
        found = shop.index(options)
    assert (found.problem, found.base_id, found.base) == (None, first.base_id, first.base)
    assert any("base is still" in note for note in found.notes)


def test_a_store_that_cannot_be_read_is_replaced_by_the_merge_base(shop: Editor) -> None:
    shop.commit("main")
    missing = shop.root.parent / "missing.duckdb"
    found = shop.index(IndexOptions(url=f"duckdb:///{missing}"))
    assert (found.base or "").startswith("git merge base")
    assert any("missing.duckdb" in note for note in found.notes)
    assert not missing.exists()


def test_a_profile_of_dbt_alone_is_not_a_store(shop: Editor) -> None:
    file = shop.root.parent / "warehouse.duckdb"
    shop.write(
        "profiles.yml",
        f"jaffle_shop:\n  target: dev\n  outputs:\n    dev: {{type: duckdb, path: '{file}', schema: main}}\n",
    )
    found = shop.index()
    assert (found.base, found.notes) == (None, ())
    assert not file.exists()


def test_an_older_store_is_not_migrated(shop: Editor, tmp_path: Path) -> None:
    file = tmp_path / "older.db"
    with UnifiedSqlAdapter.from_url(f"sqlite:///{file}") as adapter:
        record_run(adapter, extract_project(DEMO / "base", environment="base", git=GitState(), environ={}))
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("update store set schema_version = schema_version - 1")
        connection.commit()
        versions = connection.execute("select schema_version from store").fetchall()
    found = shop.index(IndexOptions(url=f"sqlite:///{file}"))
    assert any("needs version" in note for note in found.notes)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("select schema_version from store").fetchall() == versions


def test_a_broken_configuration_is_a_note(shop: Editor) -> None:
    shop.write("recce_meta.yml", "stroe: x\n")
    found = shop.index()
    assert found.problem is None
    assert any("recce_meta.yml" in note for note in found.notes)


# Processes and damaged stores


def test_the_process_prints_the_result_as_its_last_line(shop: Editor) -> None:
    process = shop.start(IndexOptions(base="-nothing-"))
    output, messages = process.communicate()
    assert process.returncode == 0, messages
    found = msgspec.json.decode(output.splitlines()[-1], type=Indexed)
    assert (found.models, found.source, found.problem) == (10, "files", None)


def test_a_problem_is_printed_as_well(shop: Editor) -> None:
    shop.write("dbt_project.yml", "name: [\n")
    process = shop.start()
    output, _ = process.communicate()
    assert process.returncode == 3
    assert "dbt_project.yml" in (msgspec.json.decode(output, type=Indexed).problem or "")


def test_modules_in_the_folder_of_the_project_are_not_imported(shop: Editor) -> None:
    for name in ("msgspec", "sqlglot", "argparse"):
        shop.write(f"{name}.py", "raise SystemExit('imported a file of the project')\n")
    process = shop.start()
    _, messages = process.communicate()
    assert process.returncode == 0, messages


@pytest.mark.extensive
def test_two_processes_index_one_project_one_after_the_other(shop: Editor) -> None:
    processes = [shop.start() for _ in range(2)]
    found = [
        msgspec.json.decode(process.communicate()[0].splitlines()[-1], type=Indexed) for process in processes
    ]
    assert {one.problem for one in found} == {None}
    assert sorted(one.is_new for one in found) == [False, True]
    assert len({one.run_id for one in found}) == 1


@pytest.mark.extensive
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_process_leaves_the_previous_index(shop: Editor) -> None:
    first = shop.index()
    # Killed at another point each time: at its start, while it reads, traces and records.
    for number, messages in enumerate((0, 1, 1, 2, 2)):
        shop.write("models/marts/more.sql", f"select {number} as n from {{{{ ref('orders') }}}}\n")
        process = shop.start()
        assert process.stderr is not None
        for _ in range(messages):
            process.stderr.readline()
        time.sleep(0.01 * number)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert shop.rows("pragma integrity_check") == [("ok",)]
        assert shop.project(first).run.run_id == first.run_id
    found = shop.index()
    assert found.problem is None
    assert "select 4 as n" in (shop.node(found, "model.jaffle_shop.more").raw_code or "")


@pytest.mark.parametrize("damage", [b"not a database" * 1000, b"SQLite format 3\x00" + b"\xff" * 20000])
def test_a_damaged_store_is_built_again(shop: Editor, damage: bytes) -> None:
    shop.store.path.write_bytes(damage)
    found = shop.index()
    assert (found.problem, found.models) == (None, 10)
    assert any("built again" in note for note in found.notes)


def test_a_store_of_a_newer_recce_meta_is_built_again(shop: Editor) -> None:
    shop.index()
    with closing(sqlite3.connect(shop.store.path)) as connection:
        connection.execute("update store set schema_version = 999, read_version = 999")
        connection.commit()
    found = shop.index()
    assert (found.problem, found.models, found.is_new) == (None, 10, True)
    assert any("built again" in note for note in found.notes)


def test_a_read_only_home_is_a_note(shop: Editor, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    editor = Editor(shop.root, {**shop.environ, CACHE_DIR: str(tmp_path / "file")})
    found = editor.index()
    assert found.problem is None
    assert any("temporary folder" in note for note in found.notes)
    for path in editor.store.path.parent.glob(f"{editor.store.path.stem}*"):
        path.unlink()
