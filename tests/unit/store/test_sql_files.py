"""The SQL files: rendered, complete, and in whichever schema is asked for."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from recce_meta.errors import RecceMetaError, UnknownNameError
from recce_meta.store import sql_files
from recce_meta.store.session import schema_text
from recce_meta.store.sql_files import SqlFile, split_statements
from recce_meta.warehouses import warehouse_named
from scripts import render_sql
from scripts.render_sql import SQL

DIALECTS = ("bigquery", "databricks", "duckdb", "postgres", "redshift", "snowflake", "sqlite")


@pytest.mark.extensive
def test_rendering_gives_the_same_bytes_again(tmp_path):
    assert render_sql.write(folder=tmp_path)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (sql_files.RENDERED / path.name).read_bytes(), path.name
    assert not render_sql.write(folder=tmp_path)


def test_files_of_one_dialect_say_that_they_are_written_by_hand():
    for path in (SQL / "dialects").glob("*/*/*.sql"):
        assert path.read_text(encoding="utf-8").startswith("-- hand-written"), path


def test_there_are_files_for_every_warehouse():
    assert sql_files.dialects() == DIALECTS
    with pytest.raises(UnknownNameError, match="duckdb"):
        sql_files.ddl("duckbd")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_canonical_file_has_a_rendered_one(dialect):
    kinds = [kind for kind in sql_files.KINDS if kind != "migrations"]
    canonical = {(kind, path.stem) for kind in kinds for path in (SQL / kind).glob("*.sql")}
    assert canonical - sql_files.files(dialect).keys() == set()


@pytest.mark.parametrize("kind", sql_files.KINDS)
def test_canonical_files_name_no_schema(kind):
    named = [path.name for path in (SQL / kind).glob("*.sql") if sql_files.DEFAULT_SCHEMA in path.read_text()]
    assert named == (["create_schema.sql"] if kind == "queries" else [])


@pytest.mark.extensive
@pytest.mark.parametrize("dialect", DIALECTS)
def test_exactly_the_table_references_change_with_the_schema(dialect):
    """Read with sqlglot, a file in another schema differs in the schemas of its tables alone."""
    import sqlglot
    from sqlglot import exp

    quoted = exp.to_identifier('other "schema"', quoted=True).sql(dialect)
    for file in sql_files.files(dialect).values():
        before = sqlglot.parse(file.text, read=dialect)
        after = sqlglot.parse(file.in_schema(quoted), read=dialect)
        own = ctes = 0
        for number, statement in enumerate(after):
            if isinstance(statement, (exp.Command, exp.Describe)):  # taken as they come
                own += statement.sql(dialect).count(quoted)
                after[number] = sqlglot.parse_one(
                    statement.sql(dialect).replace(quoted, sql_files.DEFAULT_SCHEMA), read=dialect
                )
                continue
            if isinstance(statement, exp.Comment) and statement.args["kind"] == "COLUMN":
                statement.this.set("db", exp.to_identifier(sql_files.DEFAULT_SCHEMA))
                own += 1
            for table in statement.find_all(exp.Table) if statement else ():
                if table.db in ('other "schema"', 'other \\"schema\\"'):
                    table.set("db", exp.to_identifier(sql_files.DEFAULT_SCHEMA))
                    own += 1
                elif not table.db:
                    ctes += 1
        assert [s and s.sql(dialect) for s in after] == [s and s.sql(dialect) for s in before], file.name
        assert own == len(re.findall(r"(?<!-- )\brecce_metadata[.;]", _code(file.text))), file.name


STATEMENTS = (r"COMMENT ON VIEW \S+ IS '[^']+'", r"COMMENT ON COLUMN \S+\.\"?(\w+)\"? IS '[^']+'")
COMMENTS = {
    "duckdb": STATEMENTS,
    "postgres": STATEMENTS,
    "redshift": STATEMENTS,
    "snowflake": (r"(?m)^COMMENT = '[^']+'", r"(?m)^  (\w+) COMMENT '[^']+'"),
    "databricks": (r"(?m)^COMMENT '[^']+'", r"(?m)^  (\w+) COMMENT '[^']+'"),
    "bigquery": (
        r"(?m)^OPTIONS \(description = '[^']+'\)",
        r"(?m)^  (\w+) OPTIONS \(description = '[^']+'\)",
    ),
}


def test_sqlite_has_no_comments():
    assert sql_files.comments("sqlite") == ()


@pytest.mark.parametrize("dialect", COMMENTS)
def test_every_public_view_and_each_of_its_columns_has_a_comment(dialect):
    public = sql_files.public_relations(dialect)
    columns = {view: render_sql.columns_of((SQL / "views" / f"{view}.sql").read_text()) for view in public}
    scripts = {file.name: file.text for file in (*sql_files.views(dialect), *sql_files.comments(dialect))}

    assert public and set(scripts) >= set(public)
    for view in public:
        text = scripts[view]
        on_view, on_column = COMMENTS[dialect]
        assert len(re.findall(on_view, text)) == 1, view
        assert re.findall(on_column, text) == columns[view], view


"""How each warehouse comments on a view, and on a column of it."""


def _code(text):
    return re.sub(r"--[^\n]*|/\*.*?\*/|'[^']*'", "", text, flags=re.DOTALL)


def test_literals_comments_and_longer_names_keep_the_default_schema():
    text = """-- recce_metadata.a
SELECT 'recce_metadata.b', "recce_metadata.c", x.recce_metadata.d, my_recce_metadata.e /* recce_metadata.f */
FROM recce_metadata.g WHERE h = 'it''s recce_metadata.i';"""
    file = SqlFile("x", "queries", text)

    assert file.in_schema("[new]") == text.replace("FROM recce_metadata.g", "FROM [new].g")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("recce_metadata", "recce_metadata"),
        ("Meta", '"Meta"'),
        ('a"; DROP SCHEMA b; --', '"a""; DROP SCHEMA b; --"'),
        ("ünï", '"ünï"'),
    ],
)
def test_schemas_are_quoted(name, text):
    assert schema_text(warehouse_named("duckdb"), name) == text


@pytest.mark.parametrize("name", ["", "a\nb", "a\0b", "\x7f"])
def test_schemas_with_control_characters_are_refused(name):
    with pytest.raises(RecceMetaError, match="identifier"):
        schema_text(warehouse_named("postgres"), name)


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("", []),
        ("-- only; a comment\n/* and; another */;", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1;\n\nSELECT 2;\n-- end", ["SELECT 1", "SELECT 2"]),
        (
            "SELECT ';', \";\", 'it''s;' -- ;\nFROM a; SELECT /* ; */ 2",
            ["SELECT ';', \";\", 'it''s;' -- ;\nFROM a", "SELECT /* ; */ 2"],
        ),
        ("-- about\nSELECT '--;';", ["-- about\nSELECT '--;'"]),
    ],
)
def test_statements_end_where_the_database_says(text, statements):
    assert list(split_statements(text)) == statements


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT * FROM runs", ["recce_metadata.runs"]),
        ("WITH a AS (SELECT * FROM runs) SELECT * FROM a", ["recce_metadata.runs", "a"]),
        ("WITH runs AS (SELECT * FROM runs) SELECT * FROM runs", ["recce_metadata.runs", "runs"]),
        (
            "WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT * FROM a) SELECT * FROM a, b",
            ["a", "a", "recce_metadata.b"],
        ),
        ("SELECT * FROM x WHERE y IN (WITH x AS (SELECT 1) SELECT * FROM x)", ["recce_metadata.x", "x"]),
        ("SELECT * FROM information_schema.tables", ["information_schema.tables"]),
        ("DELETE FROM a WHERE NOT EXISTS (SELECT 1 FROM b)", ["recce_metadata.a", "recce_metadata.b"]),
        ("ALTER TABLE a RENAME TO b", ["recce_metadata.a", "b"]),
    ],
)
def test_rendering_puts_the_schema_on_tables_and_not_on_ctes(sql, tables):
    import sqlglot
    from sqlglot import exp

    found = sqlglot.parse_one(render_sql.render(sql, "postgres")).find_all(exp.Table)
    assert sorted(f"{t.db}.{t.name}" if t.db else t.name for t in found) == sorted(tables)


def test_binds_and_the_opening_comment_survive_rendering():
    text = "-- What it is; who asks.\nSELECT a::TEXT FROM b WHERE c = :name;\n"
    for dialect in DIALECTS:
        rendered = render_sql.render(text, dialect)
        assert rendered.startswith("-- What it is; who asks.\nSELECT")
        assert "c = :name" in rendered and "CAST(a AS " in rendered


def test_views_come_after_those_that_they_read():
    for dialect in DIALECTS:
        names = [file.name for file in sql_files.views(dialect)]
        for place, file in enumerate(sql_files.views(dialect)):
            later = [name for name in names[place + 1 :] if f"recce_metadata.{name}" in _code(file.text)]
            assert later == [], f"{file.name} reads {later}"


def test_using_the_files_does_not_load_sqlglot():
    code = (
        "import sys; from recce_meta.store import session, sql_files; "
        "sql_files.ddl('duckdb'); assert 'sqlglot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


def test_a_checkout_without_built_sql_says_how_to_build_it(tmp_path, monkeypatch):
    monkeypatch.setattr(sql_files, "RENDERED", tmp_path)

    with pytest.raises(RecceMetaError, match="The SQL of the store is not built") as caught:
        schema_text(warehouse_named("duckdb"), "recce_metadata")
    assert "pip install -e ." in caught.value.hint


def test_built_sql_that_is_older_than_its_sources_is_refused(tmp_path, monkeypatch):
    """Statements of another version may answer with other columns: a diff would find no changes."""
    monkeypatch.setattr(sql_files, "SOURCES", tmp_path)
    (tmp_path / "queries").mkdir()
    (tmp_path / "dialects" / "duckdb" / "ddl").mkdir(parents=True)

    for kind in ("queries", "ddl"):
        with pytest.raises(RecceMetaError, match="older than its sources"):
            sql_files._by_name.__wrapped__(kind, "duckdb")
    assert sql_files._by_name.__wrapped__("views", "duckdb")


def test_a_question_of_an_earlier_version_says_how_to_build_the_sql(monkeypatch):
    monkeypatch.setattr(sql_files, "cookbook", lambda _: (SqlFile("old", "cookbook", "-- Old?\nSELECT 1;"),))

    with pytest.raises(RecceMetaError, match="The SQL of the store is not built"):
        sql_files.cookbook_topics()
