"""Rewriting of Redshift's SQL for PostgreSQL, limited to what PostgreSQL cannot parse."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.emulators.redshift.refusals import reads_tables
from tests.emulators.redshift.statement import TEXTS, Edit, Statement, applied, folded

Rule = Callable[[Statement], Iterator[Edit]]

LAYOUT = ("DISTSTYLE", "DISTKEY", "SORTKEY", "COMPOUND", "INTERLEAVED", "BACKUP", "ENCODE")
UNITS = ("DATEADD", "DATEDIFF", "DATE_DIFF", "DATE_ADD")
VERSION = (
    "'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2, Redshift 1.0.0 (an emulator)'"
)
SETTINGS = ("QUERY_GROUP", "ENABLE_CASE_SENSITIVE_IDENTIFIER", "ENABLE_RESULT_CACHE_FOR_SESSION")
COLLATIONS = {"case_sensitive": "C"}
ENDS_OF_FROM = ("SELECT", "GROUP BY", "ORDER BY", "PARTITION BY", "WHERE", "HAVING", "SET", "VALUES")
NOT_ALIASES = frozenset(
    "WHERE ON JOIN LEFT CROSS INNER FULL RIGHT LIMIT UNION USING EXCEPT INTERSECT OFFSET AT FROM".split()
) | frozenset(ENDS_OF_FROM)


def rewritten(statement: Statement) -> tuple[str, list[tuple[int, int]]]:
    """Return the text for PostgreSQL, and the original offsets of its parts."""
    return applied(statement.sql, [edit for rule in RULES for edit in rule(statement)])


def types(statement: Statement) -> Iterator[Edit]:
    """Yield edits to PostgreSQL's type names, with Redshift's default lengths."""
    columns = column_definitions(statement)
    for place in range(len(statement)):
        word, after = statement.word(place), statement.word(place + 1)
        is_column = columns is not None and columns[0] < place < columns[1] and statement.is_name(place - 1)
        is_type = is_column or statement.word(place - 1) in ("AS", "::")
        if word in ("VARCHAR", "NVARCHAR", "CHARACTER VARYING") and statement.follows(
            place + 1, "(", "MAX", ")"
        ):
            yield statement.edit(place, place + 3, "VARCHAR(65535)")
        elif word in ("VARCHAR", "TEXT") and is_column and after != "(":
            yield statement.edit(place, place, "VARCHAR(256)")
        elif word in ("DECIMAL", "NUMERIC") and is_type and after != "(":
            yield statement.edit(place, place, "NUMERIC(18, 0)")
        elif word in ("VARBYTE", "VARBINARY", "BINARY VARYING") and is_type:
            yield statement.edit(place, statement.closing(place + 1) if after == "(" else place, "BYTEA")


def column_definitions(statement: Statement) -> tuple[int, int] | None:
    """Return the parenthesis with the columns of a new table; None if the statement has none."""
    if statement.word(0) != "CREATE" or not statement.has("TABLE"):
        return None
    for place in range(len(statement)):
        if statement.word(place) == "AS":
            return None
        if statement.word(place) == "(":
            return place, statement.closing(place)
    return None


def layout(statement: Statement) -> Iterator[Edit]:
    """Yield edits that remove the layout of a table."""
    if statement.word(0) != "CREATE" or not statement.has("TABLE"):
        return
    columns = column_definitions(statement)
    place = 0
    while place < len(statement):
        word = statement.word(place)
        if word in LAYOUT and (
            columns is None or place > columns[1] or statement.word(place - 1) not in ("(", ",")
        ):
            last = place
            if word in ("DISTSTYLE", "BACKUP", "ENCODE") or statement.word(place + 1) == "AUTO":
                last = place + 1
            elif statement.word(place + 1) == "(":
                last = statement.closing(place + 1)
            yield statement.edit(place, last, "")
            place = last
        elif statement.word(place) == "AS" and columns is None:
            return
        place += 1


def aggregates(statement: Statement) -> Iterator[Edit]:
    """Yield edits for APPROXIMATE, which is exact here, and LISTAGG."""
    for place in statement.find("APPROXIMATE"):
        if statement.word(place + 1) in ("COUNT", "PERCENTILE_DISC"):
            yield statement.edit(place, place, "")
    for place in statement.find("LISTAGG", "("):
        end = statement.closing(place + 1)
        separator = "" if "," in statement.words[place:end] else ", ''"
        yield statement.edit(place, place, "LISTED(STRING_AGG")
        if statement.follows(end + 1, "WITHIN", "GROUP", "("):
            yield statement.edit(end, end + 3, separator + " ")
            end = statement.closing(end + 3)
            yield statement.edit(end, end, "))")
        else:
            yield statement.edit(end, end, separator + "))")


def functions(statement: Statement) -> Iterator[Edit]:
    """Yield edits of functions that PostgreSQL lacks, or that take a keyword as argument."""
    for place in range(len(statement)):
        word = statement.word(place)
        if word == "SYSDATE":
            yield statement.edit(place, place, "(NOW() AT TIME ZONE 'UTC')")
        elif word == "ARRAY" and statement.word(place + 1) == "(" and statement.word(place + 2) != "SELECT":
            yield statement.edit(place, place, "SUPER_ARRAY")
        elif word == "COLLATE" and statement.word(place + 1) == "(":
            end = statement.closing(place + 1)
            name = statement.tokens[end - 1].text
            yield statement.edit(place, place, "(")
            yield statement.edit(end - 2, end - 1, f') COLLATE "{COLLATIONS.get(name, name)}"')
        elif word == "VERSION" and statement.follows(place + 1, "(", ")"):
            yield statement.edit(place, place + 2, VERSION)
        elif word in UNITS and statement.word(place + 1) == "(" and statement.is_name(place + 2):
            yield statement.edit(place + 2, place + 2, f"'{statement.word(place + 2)}'")


def navigation(statement: Statement) -> Iterator[Edit]:
    """Yield edits for SUPER arrays in FROM, and members of SUPER values.

    https://docs.aws.amazon.com/redshift/latest/dg/query-super.html
    """
    if not statement.has("FROM"):
        return  # possibly thousands of rows, and no paths
    if not reads_tables(statement):
        return  # the catalog has arrays, but no SUPER
    sources, items = set(aliases(statement)), {}
    for place in range(len(statement)):
        if (found := unnested(statement, place, sources | set(items))) is None:
            continue
        last, alias, index = found
        items[alias] = index
        value = path(statement, place, last)
        columns = f'"{alias}"' + (f', "{index}"' if index else "")
        end = last + (2 if statement.word(last + 1) == "AS" else 1) + (2 if index else 0)
        is_object = statement.word(place - 1) == "UNPIVOT"
        function = "SUPER_UNPIVOT" if is_object else "SUPER_UNNEST"
        begin = place - 1 if is_object else place
        yield statement.edit(begin, end, f'LATERAL {function}({value}) AS "{alias} "({columns})')
    yield from members(statement, sources, set(items))


def unnested(statement: Statement, place: int, sources: set[str]) -> tuple[int, str, str | None] | None:
    """Return the end of the path at *place* in FROM, its alias, and the index's alias; None for a table."""
    begin = place - 1 if statement.word(place - 1) == "UNPIVOT" else place
    if statement.word(begin - 1) not in (",", "JOIN") or depth_is_select(statement, begin):
        return None
    if (
        not statement.is_name(place)
        or statement.word(place + 1) != "."
        or statement.name(place) not in sources
    ):
        return None
    last = place
    while statement.word(last + 1) == "." and statement.is_name(last + 2):
        last += 2
    named = last + (2 if statement.word(last + 1) == "AS" else 1)
    if not statement.is_name(named) or statement.word(named) in NOT_ALIASES:
        return None
    index = statement.name(named + 2) if statement.word(named + 1) == "AT" else None
    return last, statement.name(named), index


def depth_is_select(statement: Statement, place: int) -> bool:
    """Return True if the comma before *place* is in the select list, not in FROM."""
    if not statement.in_from:
        within = [False]
        for word in statement.words:
            statement.in_from.append(within[-1])
            if word == "(":
                within.append(False)
            elif word == ")" and len(within) > 1:
                within.pop()
            elif word in ("FROM", "JOIN"):
                within[-1] = True
            elif word in ENDS_OF_FROM:
                within[-1] = False
    return not statement.in_from[place - 1]


def aliases(statement: Statement) -> Iterator[str]:
    """Yield the aliases of tables and subqueries in FROM clauses."""
    for place in range(len(statement)):
        word = statement.word(place)
        if word in ("FROM", "JOIN") or (word == "," and not depth_is_select(statement, place + 1)):
            last = place + 1
            if statement.word(last) == "(":
                last = statement.closing(last)
            else:
                while statement.word(last + 1) == "." and statement.is_name(last + 2):
                    last += 2
                if statement.is_name(last):
                    yield statement.name(last)
            named = last + (2 if statement.word(last + 1) == "AS" else 1)
            if statement.is_name(named) and statement.word(named) not in NOT_ALIASES:
                yield statement.name(named)


def members(statement: Statement, sources: set[str], items: set[str]) -> Iterator[Edit]:
    """Yield edits for `item.name`, where `item` is an element, and `alias.column.name`."""
    place = 0
    while place < len(statement):
        is_start = statement.is_name(place) and statement.word(place - 1) not in (
            ".",
            "FROM",
            "JOIN",
            "AS",
            "UPDATE",
            "INTO",
        )
        last = place
        while is_start and (
            (statement.word(last + 1) == "." and statement.is_name(last + 2))
            or (statement.word(last + 1) == "[" and statement.word(last + 3) == "]")
        ):
            last += 2 if statement.word(last + 1) == "." else 3
        steps = last - place
        name = statement.name(place) if is_start else ""
        is_in_from = statement.word(place - 1) == "," and not depth_is_select(statement, place)
        if steps and not is_in_from and (name in items or (name in sources and steps > 2)):
            yield statement.edit(place, last, path(statement, place, last, is_item=name in items))
        place = last + 1


def path(statement: Statement, first: int, last: int, *, is_item: bool = False) -> str:
    """Return the value at the end of a path as nested calls."""
    place = first if is_item else first + 2
    name = quoted(statement, first)
    value = f'{name[:-1]} ".{name}' if is_item else f"{name}.{quoted(statement, first + 2)}"
    while place < last:
        if statement.word(place + 1) == ".":
            value = f"SUPER_MEMBER({value}, '{statement.tokens[place + 2].text}'::text)"
            place += 2
        else:
            value = f"SUPER_MEMBER({value}, {statement.text(place + 2, place + 2)})"
            place += 3
    return value


def quoted(statement: Statement, place: int) -> str:
    """Return the name at *place* in quotes."""
    return '"' + statement.name(place).replace('"', '""') + '"'


def settings(statement: Statement) -> Iterator[Edit]:
    """Yield edits for Redshift's own settings, which get a name like those of PostgreSQL extensions."""
    if statement.word(0) in ("SET", "RESET") and statement.word(1) in SETTINGS:
        yield statement.edit(1, 1, f"redshift.{statement.name(1)}")


def names(statement: Statement) -> Iterator[Edit]:
    """Yield edits of quoted names to lower case, since Redshift folds those too."""
    for place in range(len(statement)):
        token = statement.tokens[place]
        text = statement.text(place, place)
        if token.token_type not in TEXTS and text.startswith('"') and text != folded(text):
            yield statement.edit(place, place, folded(text))


def catalog(statement: Statement) -> Iterator[Edit]:
    """Yield edits for the catalog columns that describe the layout of a table."""
    if statement.has("ATTISDISTKEY"):
        for place in range(len(statement)):
            if statement.word(place) == "PG_ATTRIBUTE":
                yield statement.edit(place, place, "pg_attribute_with_keys")


RULES: tuple[Rule, ...] = (navigation, types, layout, aggregates, functions, settings, names, catalog)
