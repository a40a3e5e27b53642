"""What each dialect's rendering makes of the canonical SQL."""

from __future__ import annotations

import re

import pytest
import sqlglot
from sqlglot import ErrorLevel, exp

from recce_meta.store import sql_files
from scripts.render_sql import JSON_COLUMNS, NULLABLE_JSON_COLUMNS, SQL, files_of, rendering_of

ALL = ("bigquery", "databricks", "duckdb", "postgres", "redshift", "snowflake", "sqlite")
SAID = {
    "the lines of a text": (
        "SELECT 1 FROM runs WHERE run_id IN (SELECT w.x FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS w(x))",
        {
            "bigquery": "run_id IN UNNEST(SPLIT(:ids, CHR(10)))",
            "databricks": "run_id IN (SELECT EXPLODE(SPLIT(:ids, CHR(10))))",
            "redshift": "run_id IN (SELECT CAST(line AS VARCHAR(65535)) FROM (SELECT"
            " SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines) AS split, split.lines AS line)",
            "snowflake": "run_id IN (SELECT CAST(line.value AS VARCHAR) FROM"
            " TABLE(FLATTEN(INPUT => SPLIT(:ids, CHR(10)))) AS line)",
            "sqlite": "run_id IN (SELECT line.value FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids),"
            " '\\\\', '\\u005c'), '\\n', '\",\"') || ']') AS line)",
        },
    ),
    "a query that is to be computed once": (
        "WITH a AS MATERIALIZED (SELECT 1 AS x FROM runs) SELECT x FROM a",
        dict.fromkeys(("bigquery", "databricks", "redshift", "snowflake"), "WITH a AS (SELECT 1 AS x")
        | dict.fromkeys(("duckdb", "postgres"), "WITH a AS MATERIALIZED (SELECT 1 AS x"),
    ),
    "JSON as text": (
        "SELECT CAST(n.config AS TEXT) AS config FROM node_versions AS n",
        {
            "bigquery": "TO_JSON_STRING(n.config) AS config",
            "databricks": "SELECT n.config AS config",
            "redshift": "SELECT n.config AS config",
            "snowflake": "TO_JSON(n.config) AS config",
        },
    ),
    "JSON that may be NULL as text": (
        "SELECT 1 FROM node_versions WHERE CAST(contract AS TEXT) = CAST(config AS TEXT)",
        {
            "bigquery": "NULLIF(TO_JSON_STRING(contract), 'null') = TO_JSON_STRING(config)",
            "redshift": "NULLIF(JSON_SERIALIZE(contract), 'null') = JSON_SERIALIZE(config)",
            "snowflake": "TO_JSON(contract) = TO_JSON(config)",
        },
    ),
    "a column that is no JSON as text": (
        "SELECT CAST(:project AS TEXT), CAST(run_id AS TEXT) FROM runs",
        {
            "bigquery": "CAST(:project AS STRING), CAST(run_id AS STRING)",
            "redshift": "CAST(:project AS VARCHAR(65535)), CAST(run_id AS VARCHAR(65535))",
            "snowflake": "CAST(:project AS VARCHAR), CAST(run_id AS VARCHAR)",
        },
    ),
    "a member of JSON as text": (
        "SELECT n.properties ->> 'owner' AS owner FROM node_versions AS n",
        {
            "bigquery": "JSON_VALUE(n.properties, '$.owner') AS owner",
            "databricks": "GET_JSON_OBJECT(n.properties, '$.owner') AS owner",
            "redshift": "CAST(n.properties.owner AS VARCHAR(65535)) AS owner",
            "snowflake": "CAST(GET_PATH(n.properties, 'owner') AS VARCHAR) AS owner",
        },
    ),
    "whether a member of JSON is there, be it an object": (
        "SELECT 1 FROM node_versions AS n WHERE n.properties ->> 'test_metadata' IS NULL",
        {
            "bigquery": "JSON_QUERY(n.properties, '$.test_metadata') IS NULL",
            "redshift": "n.properties.test_metadata IS NULL",
            "snowflake": "GET_PATH(n.properties, 'test_metadata') IS NULL",
        },
    ),
    "whether two differ, NULLs included": (
        "SELECT a IS DISTINCT FROM b, a IS NOT DISTINCT FROM b FROM runs",
        {
            "bigquery": "a IS DISTINCT FROM b, a IS NOT DISTINCT FROM b",
            "redshift": "CASE WHEN a = b OR (a IS NULL AND b IS NULL) THEN FALSE ELSE TRUE END,"
            " CASE WHEN a = b OR (a IS NULL AND b IS NULL) THEN TRUE ELSE FALSE END",
        },
    ),
    "the beginning of a text, in which nothing is a wildcard": (
        "SELECT STARTS_WITH(a, 'unit_test.') FROM runs",
        {
            "redshift": "LEFT(a, LENGTH('unit_test.')) = 'unit_test.'",
            "bigquery": "STARTS_WITH(a, 'unit_test.')",
        },
    ),
    "texts joined in order": (
        "SELECT STRING_AGG(a, ', ' ORDER BY b) FROM runs",
        {
            "bigquery": "STRING_AGG(a, ', ' ORDER BY b)",
            "redshift": "LISTAGG(a, ', ') WITHIN GROUP (ORDER BY b)",
            "snowflake": "LISTAGG(a, ', ') WITHIN GROUP (ORDER BY b)",
        },
    ),
    "all rows of a table": (
        "UPDATE store SET written_at = CURRENT_TIMESTAMP",
        {
            "bigquery": "SET written_at = CURRENT_TIMESTAMP() WHERE TRUE",
            "redshift": "SET written_at = GETDATE()",
            "snowflake": "SET written_at = CURRENT_TIMESTAMP()",
        },
    ),
    "how many rows": (
        "SELECT run_id FROM runs LIMIT CAST(:most AS BIGINT)",
        {
            "bigquery": "LIMIT :most",
            "databricks": "LIMIT CAST(LEAST(:most, 2147483647) AS INT)",
            "redshift": "LIMIT :most",
            "snowflake": "LIMIT :most",
        },
    ),
    "a stretch of time": (
        "SELECT CURRENT_TIMESTAMP - INTERVAL '7 days' FROM runs",
        {
            "bigquery": "CURRENT_TIMESTAMP() - INTERVAL 7 DAY",
            "databricks": "CURRENT_TIMESTAMP() - INTERVAL '7' DAYS",
        },
    ),
    "a window by its name": (
        "SELECT LAG(a) OVER w FROM runs WINDOW w AS (PARTITION BY b ORDER BY c, d DESC)",
        {
            "bigquery": "LAG(a) OVER w FROM recce_metadata.runs"
            " WINDOW w AS (PARTITION BY b ORDER BY c, d DESC)",
            "redshift": "LAG(a) OVER (PARTITION BY b ORDER BY c, d DESC)",
            "snowflake": "LAG(a) OVER (PARTITION BY b ORDER BY c, d DESC)",
        },
    ),
    "recursion": (
        "WITH RECURSIVE r AS (SELECT 1 AS a UNION SELECT a + 1 FROM r) SELECT a FROM r UNION SELECT 2",
        {
            "bigquery": "WITH RECURSIVE r AS (SELECT CAST(1 AS INT64) AS a UNION ALL SELECT a + 1 FROM r)"
            " SELECT a FROM r UNION DISTINCT SELECT 2",
            "redshift": "WITH RECURSIVE r(a) AS (SELECT CAST(1 AS BIGINT) AS a UNION ALL SELECT a + 1 FROM r)"
            " SELECT a FROM r UNION SELECT 2",
        },
    ),
    "reserved words": (
        "SELECT node.language, version FROM node_versions AS node",
        {"redshift": 'node."language", version', "snowflake": "node.language, version"},
    ),
    "a table": (
        "CREATE TABLE t (a VARCHAR(64) NOT NULL, b TEXT, c JSON, d TIMESTAMPTZ, e BIGINT, f DOUBLE PRECISION,"
        " PRIMARY KEY (a, b))",
        {
            "bigquery": "( a STRING NOT NULL, b STRING, c JSON, d TIMESTAMP, e INT64, f FLOAT64,"
            " PRIMARY KEY (a, b) NOT ENFORCED ) CLUSTER BY a",
            "databricks": "( a STRING NOT NULL, b STRING, c STRING, d TIMESTAMP, e BIGINT, f DOUBLE )"
            " CLUSTER BY (a)",
            "redshift": "( a VARCHAR(64) NOT NULL, b VARCHAR(65535), c SUPER, d TIMESTAMP WITH TIME ZONE,"
            " e BIGINT, f DOUBLE PRECISION )",
            "snowflake": "( a VARCHAR(64) NOT NULL, b VARCHAR, c VARIANT, d TIMESTAMPTZ, e BIGINT, f DOUBLE,"
            " PRIMARY KEY (a, b) )",
        },
    ),
    "a key stated with its column": (
        "CREATE TABLE t (a VARCHAR(64) NOT NULL PRIMARY KEY, b TEXT)",
        {
            "bigquery": "( a STRING NOT NULL, b STRING, PRIMARY KEY (a) NOT ENFORCED )",
            "redshift": "( a VARCHAR(64) NOT NULL, b VARCHAR(65535) )",
            "snowflake": "( a VARCHAR(64) NOT NULL, b VARCHAR, PRIMARY KEY (a) )",
        },
    ),
}


@pytest.mark.parametrize(
    ("canonical", "dialect", "wanted"),
    [
        pytest.param(canonical, dialect, wanted, id=f"{what}, on {dialect}")
        for what, (canonical, texts) in SAID.items()
        for dialect, wanted in texts.items()
    ],
)
def test_a_dialect_says_it_in_its_own_words(canonical: str, dialect: str, wanted: str) -> None:
    rendered = one_line(rendering_of(dialect).render(f"{canonical};"))
    assert one_line(wanted) in rendered, rendered


@pytest.mark.parametrize(
    ("canonical", "wanted"),
    [
        ("UPDATE store SET written_at = CURRENT_TIMESTAMP", "STRFTIME('%Y-%m-%d %H:%M:%f000+00:00', 'now')"),
        ("SELECT CURRENT_TIMESTAMP - INTERVAL '7 days' AS since", "'now', '-7 days') AS since"),
        ("CREATE TABLE t (a TIMESTAMPTZ, b BOOLEAN, c JSON)", "( a TIMESTAMPTZ, b BOOLEAN, c TEXT )"),
        ("SELECT CAST(:a AS TIMESTAMPTZ), CAST(:b AS BOOLEAN)", "CAST(:a AS TEXT), CAST(:b AS INTEGER)"),
        (
            "SELECT s.a FROM (VALUES (TRUE), (FALSE)) AS s(a)",
            "(SELECT TRUE AS a UNION ALL SELECT FALSE AS a) AS s",
        ),
        (
            "DELETE FROM a WHERE NOT EXISTS (SELECT 1 FROM b AS c WHERE c.id = a.id)",
            "NOT COALESCE(a.id IN (SELECT c.id FROM b AS c WHERE NOT c.id IS NULL), FALSE)",
        ),
        (
            "CREATE OR REPLACE VIEW a AS SELECT 1 AS x",
            "DROP VIEW IF EXISTS a; CREATE VIEW a AS SELECT 1 AS x",
        ),
    ],
)
def test_sqlite_has_its_own_times_types_and_deletions(canonical: str, wanted: str) -> None:
    rendered = one_line(rendering_of("sqlite").render(f"{canonical};"))
    assert one_line(wanted) in rendered, rendered


def test_what_sqlite_cannot_say_is_refused() -> None:
    for canonical in (
        "SELECT STRING_AGG(a, ',' ORDER BY b) FROM t",
        "DELETE FROM a WHERE NOT EXISTS (SELECT 1 FROM b AS c WHERE c.id > a.id)",
    ):
        with pytest.raises(ValueError):
            rendering_of("sqlite").render(canonical)


def one_line(text: str) -> str:
    """*text* with the spaces that laying out puts in or leaves out made alike."""
    return re.sub(r"\( | \)", lambda found: found[0].strip(), " ".join(text.split()))


def test_a_key_of_json_that_is_not_known_beforehand_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON path must be one literal key"):
        rendering_of("snowflake").render("SELECT a ->> b FROM node_versions")


COMMANDS = ("LOCK", "SHOW")
"""Statements that sqlglot takes as they come."""


@pytest.mark.extensive
@pytest.mark.parametrize("dialect", ALL)
def test_every_statement_is_read_and_written_in_its_dialect_at_the_strictest(dialect: str) -> None:
    statements = 0
    for file in sql_files.files(dialect).values():
        for tree in sqlglot.parse(file.text, read=dialect, error_level=ErrorLevel.RAISE):
            if tree is None:
                continue
            statements += 1
            assert not isinstance(tree, exp.Command) or tree.name in COMMANDS, (
                f"{file.name} is not understood"
            )
            tree.sql(dialect, unsupported_level=ErrorLevel.RAISE)
    assert statements > 100


@pytest.mark.parametrize("dialect", ALL)
def test_every_dialect_has_the_same_views_questions_and_queries(dialect: str) -> None:
    for kind in ("views", "cookbook", "queries"):
        here, there = (
            {file.name for file in sql_files.files(one).values() if file.kind == kind}
            for one in (dialect, "postgres")
        )
        assert here == there, kind
    tables = {path.stem for path in (SQL / "ddl").glob("*.sql")}
    assert tables <= {file.name for file in sql_files.ddl(dialect)}


@pytest.mark.parametrize("dialect", ALL)
def test_a_statement_takes_the_same_parameters_in_every_dialect(dialect: str) -> None:
    for file in sql_files.queries(dialect):
        here, there = (
            set(re.findall(r"(?<!:):(\w+)", code(sql_files.query(file.name, one).text)))
            for one in (dialect, "postgres")
        )
        assert here <= there, file.name
        says_nothing = code(file.text).strip("; \n") in ("", "SELECT 1")
        names_it = sql_files.DEFAULT_SCHEMA in code(file.text) or dialect == "sqlite"
        names_it = there - here == {"schema"} and names_it
        assert here == there or says_nothing or names_it, file.name


def code(text: str) -> str:
    """*text* without comments and literals."""
    return re.sub(r"--[^\n]*|/\*.*?\*/|'[^']*'", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("dialect", ALL)
def test_migrations_are_those_to_versions_after_the_first_one_of_the_dialect(dialect: str) -> None:
    first = rendering_of(dialect).first_version
    canonical = {path.stem for path in (SQL / "migrations").glob("*.sql")}
    wanted = {name for name in canonical if int(name.split("_")[0]) > first}
    assert {file.name for _, file in sql_files.migrations(dialect)} == wanted


def test_what_is_written_by_hand_takes_the_place_of_the_rendering(tmp_path) -> None:
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "a.sql").write_text("-- About.\nSELECT run_id FROM runs;\n")
    (tmp_path / "queries" / "b.sql").write_text("SELECT 1;\n")
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "0002_old.sql").write_text("DROP TABLE a;\n")
    own = tmp_path / "dialects" / "snowflake" / "queries"
    own.mkdir(parents=True)
    (own / "b.sql").write_text("-- hand-written: so\nSELECT 2;\n")
    assert list(files_of(tmp_path, "snowflake")) == [
        ("queries", "a", "-- About.\nSELECT\n  run_id\nFROM recce_metadata.runs;\n"),
        ("queries", "b", "-- hand-written: so\nSELECT 2;\n"),
    ]


RESERVED = {
    # https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#reserved_keywords
    "bigquery": """
        ALL AND ANY ARRAY AS ASC ASSERT_ROWS_MODIFIED AT BETWEEN BY CASE CAST COLLATE CONTAINS CREATE CROSS
        CUBE CURRENT DEFAULT DEFINE DESC DISTINCT ELSE END ENUM ESCAPE EXCEPT EXCLUDE EXISTS EXTRACT FALSE
        FETCH FOLLOWING FOR FROM FULL GROUP GROUPING GROUPS HASH HAVING IF IGNORE IN INNER INTERSECT
        INTERVAL INTO IS JOIN LATERAL LEFT LIKE LIMIT LOOKUP MERGE NATURAL NEW NO NOT NULL NULLS OF ON OR
        ORDER OUTER OVER PARTITION PRECEDING PROTO QUALIFY RANGE RECURSIVE RESPECT RIGHT ROLLUP ROWS SELECT
        SET SOME STRUCT TABLESAMPLE THEN TO TREAT TRUE UNBOUNDED UNION UNNEST USING WHEN WHERE WINDOW WITH
        WITHIN
    """,
    # https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-reserved-words
    "databricks": """
        ANTI CROSS EXCEPT FULL INNER INTERSECT JOIN LATERAL LEFT MINUS NATURAL ON RIGHT SEMI UNION USING
        NULL DEFAULT TRUE FALSE
    """,
    # https://docs.aws.amazon.com/redshift/latest/dg/r_pg_keywords.html
    "redshift": """
        AES128 AES256 ALL ALLOWOVERWRITE ANALYSE ANALYZE AND ANY ARRAY AS ASC AUTHORIZATION AZ64 BACKUP
        BETWEEN BINARY BLANKSASNULL BOTH BYTEDICT BZIP2 CASE CAST CHECK COLLATE COLUMN CONNECT CONSTRAINT
        CREATE CREDENTIALS CROSS CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURRENT_USER_ID
        DEFAULT DEFERRABLE DEFLATE DEFRAG DELTA DELTA32K DESC DISABLE DISTINCT DO ELSE EMPTYASNULL ENABLE
        ENCODE ENCRYPT ENCRYPTION END EXCEPT EXPLICIT FALSE FOR FOREIGN FREEZE FROM FULL GLOBALDICT256
        GLOBALDICT64K GRANT GROUP GZIP HAVING IDENTITY IGNORE ILIKE IN INITIALLY INNER INTERSECT INTERVAL
        INTO IS ISNULL JOIN LANGUAGE LEADING LEFT LIKE LIMIT LOCALTIME LOCALTIMESTAMP LUN LUNS LZO LZOP
        MINUS MOSTLY16 MOSTLY32 MOSTLY8 NATURAL NEW NOT NOTNULL NULL NULLS OFF OFFLINE OFFSET OID OLD ON
        ONLY OPEN OR ORDER OUTER OVERLAPS PARALLEL PARTITION PERCENT PERMISSIONS PIVOT PLACING PRIMARY RAW
        READRATIO RECOVER REFERENCES REJECTLOG RESORT RESPECT RESTORE RIGHT SELECT SESSION_USER SIMILAR
        SNAPSHOT SOME SYSDATE SYSTEM TABLE TAG TDES TEXT255 TEXT32K THEN TIMESTAMP TO TOP TRAILING TRUE
        TRUNCATECOLUMNS UNION UNIQUE UNNEST UNPIVOT USER USING VERBOSE WALLET WHEN WHERE WITH WITHOUT
    """,
    # https://docs.snowflake.com/en/sql-reference/reserved-keywords
    "snowflake": """
        ACCOUNT ALL ALTER AND ANY AS BETWEEN BY CASE CAST CHECK COLUMN CONNECT CONNECTION CONSTRAINT CREATE
        CROSS CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DATABASE DELETE DISTINCT DROP
        ELSE EXISTS FALSE FOLLOWING FOR FROM FULL GRANT GROUP GSCLUSTER HAVING ILIKE IN INCREMENT INNER
        INSERT INTERSECT INTO IS ISSUE JOIN LATERAL LEFT LIKE LOCALTIME LOCALTIMESTAMP MINUS NATURAL NOT
        NULL OF ON OR ORDER ORGANIZATION QUALIFY REGEXP REVOKE RIGHT RLIKE ROW ROWS SAMPLE SCHEMA SELECT SET
        SOME START TABLE TABLESAMPLE THEN TO TRIGGER TRUE TRY_CAST UNION UNIQUE UPDATE USING VALUES VIEW
        WHEN WHENEVER WHERE WITH
    """,
}
"""The words that each vendor lets nobody use as a name without quotes."""


@pytest.mark.cases(2)
@pytest.mark.parametrize("dialect", RESERVED)
def test_no_name_is_a_reserved_word_without_its_quotes(dialect: str) -> None:
    reserved = set(RESERVED[dialect].split())
    for file in sql_files.files(dialect).values():
        for tree in sqlglot.parse(file.text, read=dialect):
            names = tree.find_all(exp.Identifier) if tree else ()
            found = {name.name for name in names if not name.quoted and name.name.upper() in reserved}
            assert not found, file.name


def test_every_column_of_type_json_is_known_as_such() -> None:
    ddl = "".join(path.read_text(encoding="utf-8") for path in sorted((SQL / "ddl").glob("*.sql")))
    assert set(re.findall(r"^  (\w+) JSON\b", ddl, re.MULTILINE)) == JSON_COLUMNS
    nullable = set(re.findall(r"^  (\w+) JSON(?! NOT NULL)", ddl, re.MULTILINE))
    assert nullable == NULLABLE_JSON_COLUMNS
