"""Statements that PostgreSQL would run and Redshift rejects, detected by their words.

https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html, and the pages named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.emulators.redshift.statement import Refused, Statement

# https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-functions.html, and later
# functions
MISSING_FUNCTIONS = frozenset(
    "ARRAY_AGG ARRAY_TO_JSON BIT_XOR CONCAT_WS CURRVAL DIV ENCODE EVERY FORMAT GENERATE_SERIES HASHTEXT"
    " HASHTEXTEXTENDED HASH_RECORD_EXTENDED JSON_AGG JSON_ARRAY_ELEMENTS JSON_BUILD_ARRAY JSON_BUILD_OBJECT"
    " JSON_EACH JSON_EACH_TEXT JSON_OBJECT_AGG JSON_OBJECT_KEYS JSONB_AGG JSONB_ARRAY_ELEMENTS"
    " JSONB_BUILD_ARRAY JSONB_BUILD_OBJECT JSONB_EACH JSONB_EACH_TEXT JSONB_OBJECT_AGG JSONB_OBJECT_KEYS"
    " JSONB_TYPEOF MODE NUM_NULLS"
    " PG_ADVISORY_LOCK PG_ADVISORY_XACT_LOCK REGEXP_MATCH REGEXP_MATCHES REGEXP_SPLIT_TO_ARRAY"
    " REGEXP_SPLIT_TO_TABLE ROW_TO_JSON SCALE STARTS_WITH STRING_AGG STRING_TO_ARRAY STRING_TO_TABLE TO_JSON"
    " TO_JSONB TO_TIMESTAMPTZ TRIM_SCALE TXID_CURRENT UNNEST WIDTH_BUCKET".split()
)
# https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions_leader_node_only.html
LEADER_ONLY = frozenset(
    "CURRENT_SCHEMA CURRENT_SCHEMAS HAS_DATABASE_PRIVILEGE HAS_SCHEMA_PRIVILEGE HAS_TABLE_PRIVILEGE SUBSTR"
    " AGE CURRENT_TIME CURRENT_TIMESTAMP LOCALTIME LOCALTIMESTAMP NOW".split()
)
# https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions_compute_node_only.html
COMPUTE_ONLY = ("LISTAGG", "MEDIAN", "PERCENTILE_CONT", "PERCENTILE_DISC")
MISSING_TYPES = ("JSON", "JSONB", "UUID", "BYTEA", "SERIAL", "BIGSERIAL", "XML", "INET", "MONEY", "HSTORE")
AGGREGATES = ("AVG", "COUNT", "MAX", "MIN", "SUM", "STDDEV", "VARIANCE", "STDDEV_SAMP", "VAR_SAMP", "MEDIAN")
OPERATORS = ("->", "->>", "#>", "#>>", "@>", "<@", "?|", "?&")
CATALOGS = ("INFORMATION_SCHEMA", "PG_CATALOG")

Rule = Callable[[Statement], Iterator[tuple[str, int]]]


def refuse(statement: Statement) -> None:
    """Raise Refused if Redshift would not run *statement*."""
    for rule in RULES:
        for message, place in rule(statement):
            raise Refused(message, statement.at(place))


def phrases(statement: Statement) -> Iterator[tuple[str, int]]:
    """Yield clauses that Redshift lacks."""
    known = (
        ("FILTER", "("),
        ("LATERAL",),
        ("DISTINCT", "ON"),
        ("DISTINCT", "FROM"),
        ("ON", "CONFLICT"),
        ("RETURNING",),
        ("EXCEPT", "ALL"),
        ("INTERSECT", "ALL"),
        ("CREATE", "INDEX"),
        ("CREATE", "UNIQUE", "INDEX"),
        ("FOR", "UPDATE"),
        ("FOR UPDATE",),
        ("TABLESAMPLE",),
        ("MATERIALIZED", "("),
        ("ADVISORY",),
        ("WITH", "ORDINALITY"),
        ("WINDOW",),
        ("COLLATE", ""),
        ("ARRAY", "["),
        ("GROUPS", "BETWEEN"),
        ("RANGE", "BETWEEN"),
    )
    for words in known:
        for place in statement.find(*words):
            is_grant = words == ("DISTINCT", "FROM") and statement.word(place - 1) not in ("IS", "NOT")
            if not is_grant and not (words == ("WINDOW",) and statement.word(place + 2) != "AS"):
                yield (
                    f'syntax error at or near "{statement.text(place, place)}": no {" ".join(words)} here',
                    place,
                )


def operators(statement: Statement) -> Iterator[tuple[str, int]]:
    """Yield operators on JSON and arrays."""
    for place, word in enumerate(statement.words):
        if word in OPERATORS:
            yield f"operator does not exist: {word}", place


def functions(statement: Statement) -> Iterator[tuple[str, int]]:
    """Yield functions that Redshift lacks, or lacks with this number of arguments."""
    for place in range(len(statement)):
        name = statement.word(place)
        if statement.word(place + 1) != "(" or not name:
            continue
        if name in MISSING_FUNCTIONS and statement.word(place - 1) != ".":
            yield f"function {name.lower()} does not exist", place
        is_exact = name == "PERCENTILE_DISC" and statement.word(place - 1) != "APPROXIMATE"
        if is_exact and not statement.has("OVER"):
            yield "PERCENTILE_DISC is a window function, and an aggregate only as APPROXIMATE", place
        if name == "CONCAT" and commas(statement, place + 1) != 1:
            yield "function concat takes two arguments", place


def leader_only(statement: Statement) -> Iterator[tuple[str, int]]:
    """Yield functions of the leader node in statements on tables, which are on compute nodes."""
    if not reads_tables(statement):
        return
    for place in range(len(statement)):
        name = statement.word(place)
        is_call = statement.word(place + 1) == "(" or name.startswith(("CURRENT_", "LOCALTIME"))
        if name in LEADER_ONLY and is_call and statement.word(place - 1) != ".":
            yield f'Function "{name.lower()}" not supported on Redshift tables', place
        if name in CATALOGS and statement.word(place + 1) == "." and writes_tables(statement):
            yield "Specified types or functions not supported on Redshift tables", place


def compute_only(statement: Statement) -> Iterator[tuple[str, int]]:
    """Yield functions of compute nodes in statements without a table."""
    if reads_tables(statement):
        return
    for place in range(len(statement)):
        if statement.word(place) in COMPUTE_ONLY and statement.word(place + 1) == "(":
            yield (
                "One or more of the used functions must be applied on at least one user created tables",
                place,
            )


def types(statement: Statement) -> Iterator[tuple[str, int]]:
    """Yield types that Redshift lacks, and precisions beyond its limits."""
    for place in range(len(statement)):
        name, before = statement.word(place), statement.word(place - 1)
        is_type = before in ("AS", "::") or (statement.word(0) == "CREATE" and statement.is_name(place - 1))
        after = statement.word(place + 1)
        if name in MISSING_TYPES and is_type and after in (")", ",", "NOT", "NULL", "DEFAULT", ""):
            yield f'Column type "{name.lower()}" is not supported: type does not exist', place
        if after == "[" and statement.word(place + 2) == "]":
            yield "array types are not supported", place
        size = statement.word(place + 2)
        most = {"DECIMAL": 38, "NUMERIC": 38, "VARCHAR": 65535}.get(name)
        if most is not None and after == "(" and size.isdigit() and int(size) > most:
            yield f"{name} cannot have more than {most}", place


def values(statement: Statement) -> Iterator[tuple[str, int]]:
    """Yield VALUES outside of INSERT."""
    for place in statement.find("VALUES", "("):
        if statement.word(0) != "INSERT" or statement.words[:place].count("(") != statement.words[
            :place
        ].count(")"):
            yield 'syntax error at or near "VALUES"', place


def windows(statement: Statement) -> Iterator[tuple[str, int]]:
    """Yield window functions without a frame.

    https://docs.aws.amazon.com/redshift/latest/dg/r_Window_function_synopsis.html
    """
    for place in statement.find("OVER", "("):
        inner = statement.words[place + 2 : statement.closing(place + 1)]
        opening = place - 1
        depth = 0
        while opening >= 0:  # back to the parenthesis of the function's arguments
            depth += (statement.word(opening) == ")") - (statement.word(opening) == "(")
            if depth == 0:
                break
            opening -= 1
        if statement.word(opening - 1) in AGGREGATES and "ORDER BY" in inner and "ROWS" not in inner:
            yield "Aggregate window functions with an ORDER BY clause require a frame clause", place


def recursion(statement: Statement) -> Iterator[tuple[str, int]]:
    """Yield recursive queries without a column list or UNION ALL.

    https://docs.aws.amazon.com/redshift/latest/dg/r_WITH_clause.html
    """
    if not statement.has("RECURSIVE"):
        return
    for place in statement.find("AS", "("):
        end = statement.closing(place + 1)
        name = next((at for at in (place - 1,) if statement.is_name(at)), None)
        if name is None:
            opening = place - 1
            while opening > 0 and statement.word(opening) != "(":
                opening -= 1
            recursive = statement.is_name(opening - 1) and calls(
                statement, statement.name(opening - 1), place, end
            )
        elif recursive := calls(statement, statement.name(name), place, end):
            yield "recursive common table expressions require a list of columns", name
        if recursive:
            for union in range(place, end):
                if statement.word(union) == "UNION" and statement.word(union + 1) != "ALL":
                    yield "recursive common table expressions must use UNION ALL", union
                if statement.word(union) in ("GROUP BY", "DISTINCT"):
                    yield "aggregates are not supported in the recursive part", union


def calls(statement: Statement, name: str, first: int, last: int) -> bool:
    """Return True if *name* is read between two positions."""
    return any(
        statement.word(place - 1) in ("FROM", "JOIN", ",")
        and statement.is_name(place)
        and statement.name(place) == name
        for place in range(first, last)
    )


def commas(statement: Statement, place: int) -> int:
    """Return the number of commas between the arguments in the parenthesis at *place*."""
    depth = found = 0
    for other in range(place, statement.closing(place)):
        depth += (statement.word(other) == "(") - (statement.word(other) == ")")
        found += depth == 1 and statement.word(other) == ","
    return found


def reads_tables(statement: Statement) -> bool:
    """Return True if the statement names a table outside the catalog."""
    for place in range(len(statement)):
        if statement.word(place) not in ("FROM", "JOIN", "INTO", "UPDATE") or not statement.is_name(
            place + 1
        ):
            continue
        if statement.word(place + 1) not in CATALOGS and not statement.name(place + 1).startswith("pg_"):
            return True
    return False


def writes_tables(statement: Statement) -> bool:
    """Return True if the statement changes a table."""
    return statement.word(0) in ("INSERT", "UPDATE", "DELETE")


RULES: tuple[Rule, ...] = (
    phrases,
    operators,
    functions,
    leader_only,
    compute_only,
    types,
    values,
    windows,
    recursion,
)
