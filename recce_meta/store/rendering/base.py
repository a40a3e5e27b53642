"""What all renderings share: canonical PostgreSQL in, one dialect's text out, by rewriting sqlglot's tree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

import sqlglot
from sqlglot import exp

from recce_meta.store.files import DEFAULT_SCHEMA

JSON_COLUMNS = frozenset(
    (
        "columns", "config", "contract", "findings", "fqn", "macros", "meta", "notes", "parameters",
        "parent_columns", "properties", "result", "tags", "unrendered_config", "value_kinds", "violations",
        "warnings",
    )
)  # fmt: skip
"""The columns of type JSON, whatever table they are in: a cast of one to text means its JSON text."""
NULLABLE_JSON_COLUMNS = frozenset(("contract", "warnings"))
"""Those of them that may be NULL."""


class Rendering:
    """The defaults: a dialect that says everything as PostgreSQL does, or as sqlglot translates it."""

    by_dialect: ClassVar[dict[str, type[Rendering]]] = {}
    """The classes by dialect; a class enters by being defined."""
    dialect: ClassVar[str] = ""
    """The folder's name, and sqlglot's name of the dialect."""
    first_version: ClassVar[int] = 1
    """The version of the oldest stores there are: migrations up to it concern nobody."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.dialect:
            cls.by_dialect[cls.dialect] = cls

    def render(self, text: str) -> str:
        """Canonical *text* in this dialect: its opening comment as it stands, every table in the schema."""
        header = "".join(re.findall(r"\A(?:--[^\n]*\n)*", text))
        statements = sqlglot.parse(text[len(header) :], read="postgres")
        return header + "".join(
            f"{self.rewritten(statement).sql(dialect=self.dialect, pretty=True)};\n"
            for statement in statements
            if statement is not None
        )

    def rewritten(self, statement: exp.Expr) -> exp.Expr:
        """*statement* with its tables in the schema and its binds as `:name`."""
        return with_binds(qualified(statement))


class Translation(Rendering):
    """A dialect that is further from PostgreSQL: each thing that it says otherwise is a flag or a method.

    There have been stores in these dialects from version 3 on.
    """

    first_version = 3
    types: ClassVar[Mapping[str, str]] = {}
    """What stands for a type, whatever its length, where that is not what sqlglot translates it to."""
    has_keys: ClassVar[bool] = False
    """Whether a primary key may be stated."""
    key_options: ClassVar[tuple[str, ...]] = ()
    """What follows a primary key."""
    has_distinct_from: ClassVar[bool] = True
    """Whether there is IS DISTINCT FROM."""
    must_say_where: ClassVar[bool] = False
    """Whether an UPDATE without WHERE is refused."""
    sorts_nulls_as_small: ClassVar[bool] = False
    """Whether NULLs come first in ascending order."""
    reserved: ClassVar[frozenset[str]] = frozenset()
    """Those of our names that stand quoted."""

    def rewritten(self, statement: exp.Expr) -> exp.Expr:
        """*statement* in this dialect's words: children before what holds them, types last."""
        statement = qualified(statement)
        for node in reversed(list(statement.walk())):
            self._put(node, self.rewrite(node))
        for data_type in list(statement.find_all(exp.DataType)):
            self._put(data_type, self.data_type(data_type))
        if isinstance(statement, exp.Create) and statement.kind == "TABLE":
            self.lay_out(statement, take_key(statement))
        return with_binds(statement)

    @staticmethod
    def _put(node: exp.Expr, replacement: exp.Expr) -> None:
        if replacement is not node:
            node.replace(replacement)

    def rewrite(self, node: exp.Expr) -> exp.Expr:
        """What stands for *node*, whose children are rewritten already."""
        if isinstance(node, exp.Identifier):
            if node.name in self.reserved:
                node.set("quoted", True)
            return node
        if isinstance(node, exp.In):
            lines = lines_of(node)
            return node if lines is None else self.in_lines(node.this.copy(), lines.copy())
        if isinstance(node, exp.Cast) and is_json_column(node.this):
            return node.this.copy() if node.is_type("json", "jsonb") else self.json_text(node.this.copy())
        if isinstance(node, exp.JSONExtractScalar):
            if isinstance(node.parent, exp.Is):  # present or not: also an object is
                return self.json_member(node.this.copy(), key_of(node))
            return self.json_member_text(node.this.copy(), key_of(node))
        if isinstance(node, exp.JSONExtract):
            return self.json_member(node.this.copy(), key_of(node))
        if isinstance(node, (exp.NullSafeEQ, exp.NullSafeNEQ)) and not self.has_distinct_from:
            return null_safe(node)
        if isinstance(node, exp.StartsWith):
            return self.starts_with(node)
        if isinstance(node, exp.GroupConcat):
            return self.joined(node)
        if isinstance(node, exp.CTE):
            node.set("materialized", None)  # PostgreSQL's and DuckDB's word alone
        if isinstance(node, exp.Union) and is_recursive(node):
            self.recursive(node)
        if isinstance(node, exp.Limit):
            node.set("expression", self.limit(node.expression))
        if isinstance(node, exp.Update) and self.must_say_where and node.args.get("where") is None:
            node.set("where", exp.Where(this=exp.true()))
        if isinstance(node, exp.Ordered) and self.sorts_nulls_as_small and node.find_ancestor(exp.Window):
            node.set(
                "nulls_first", not node.args.get("desc")
            )  # as it does: what windows sort by is never NULL
        return node

    def recursive(self, union: exp.Union) -> None:
        """Change the body of a recursive query: none of these dialects drops repeated rows, as UNION would.

        A number that it begins with is to hold what is added to it: its first value says its type.
        """
        union.set("distinct", False)
        for column in union.left.selects:
            if isinstance(column, exp.Alias) and column.this.is_int:
                column.set("this", exp.cast(column.this.copy(), "bigint"))

    def data_type(self, data_type: exp.DataType) -> exp.DataType:
        """What stands for a canonical type."""
        found = self.types.get(data_type.this.value)
        return data_type if found is None else exp.DataType.build(found, dialect=self.dialect)

    def in_lines(self, value: exp.Expr, lines: exp.Expr) -> exp.Expr:
        """That *value* is one of the lines of the text *lines*."""
        raise NotImplementedError

    def json_text(self, value: exp.Expr) -> exp.Expr:
        """The JSON column *value* as text."""
        raise NotImplementedError

    def json_member(self, value: exp.Expr, key: str) -> exp.Expr:
        """The member *key* of a JSON object, as JSON."""
        raise NotImplementedError

    def json_member_text(self, value: exp.Expr, key: str) -> exp.Expr:
        """The member *key* of a JSON object, as text: a string without its quotes, NULL for null."""
        raise NotImplementedError

    def starts_with(self, node: exp.StartsWith) -> exp.Expr:
        """That a text begins with another."""
        return node

    def joined(self, node: exp.GroupConcat) -> exp.Expr:
        """The texts of a group joined, in order."""
        return node

    def limit(self, most: exp.Expr) -> exp.Expr:
        """How many rows at most; where a query is given it, as a cast of a parameter."""
        return most

    def lay_out(self, table: exp.Create, key: list[str]) -> None:
        """Give a new *table* its primary *key*, if it has one and the warehouse may know."""
        if key and self.has_keys:
            columns = [exp.to_identifier(name) for name in key]
            table.this.append(
                "expressions", exp.PrimaryKey(expressions=columns, options=list(self.key_options))
            )


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    """A call of a function that sqlglot is not to translate."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def is_json_column(node: exp.Expr) -> bool:
    """Whether *node* is a column that holds JSON."""
    return isinstance(node, exp.Column) and node.name in JSON_COLUMNS


def is_recursive(union: exp.Expr) -> bool:
    """Whether *union* is the body of a query that reads itself."""
    cte = union.parent
    return (
        isinstance(cte, exp.CTE)
        and isinstance(union, exp.Union)
        and any(table.name == cte.alias for table in union.find_all(exp.Table))
    )


def key_of(node: exp.JSONExtract | exp.JSONExtractScalar) -> str:
    """The one key that `->` or `->>` asks for."""
    members = list(node.expression.find_all(exp.JSONPathKey))
    if len(members) != 1:
        raise ValueError(f"Not one key known beforehand: {node.sql()}")
    return str(members[0].this)


def lines_of(node: exp.In) -> exp.Expr | None:
    """The text whose lines *node* looks for its value in; None where it looks elsewhere."""
    query = node.args.get("query")
    split = query.find(exp.StringToArray) if isinstance(query, exp.Expr) else None
    return None if split is None else split.this


def null_safe(node: exp.NullSafeEQ | exp.NullSafeNEQ) -> exp.Expr:
    """IS [NOT] DISTINCT FROM, in words that every warehouse knows."""
    left, right = node.this, node.expression
    is_equal = isinstance(node, exp.NullSafeEQ)
    equal = exp.or_(
        exp.EQ(this=left.copy(), expression=right.copy()),
        exp.and_(left.copy().is_(exp.null()), right.copy().is_(exp.null())),
    )
    return exp.Case(
        ifs=[exp.If(this=equal, true=exp.Boolean(this=is_equal))], default=exp.Boolean(this=not is_equal)
    )


def take_key(table: exp.Create) -> list[str]:
    """The columns of the primary key of *table*, which has none afterwards."""
    names: list[str] = []
    for column in table.find_all(exp.ColumnDef):
        for constraint in column.constraints:
            if isinstance(constraint.kind, exp.PrimaryKeyColumnConstraint):
                names.append(column.name)
                constraint.pop()
    for key in list(table.find_all(exp.PrimaryKey)):
        names.extend(column.name for column in key.expressions)
        key.pop()
    return names


def qualified(statement: exp.Expr) -> exp.Expr:
    """*statement* with the schema on every real table."""
    for table in list(statement.find_all(exp.Table)):
        is_named = isinstance(table.this, exp.Identifier) and not table.args.get("db")
        if is_named and not isinstance(table.parent, exp.AlterRename) and not _is_cte(table):
            table.set("db", exp.to_identifier(DEFAULT_SCHEMA))
    return statement


def _is_cte(table: exp.Table) -> bool:
    """Whether a WITH that *table* stands under defines its name, before it or recursively."""
    node: exp.Expr = table
    while (parent := node.parent) is not None:
        if isinstance(parent, exp.With):
            names = [cte.alias for cte in parent.expressions]
            place = next(index for index, cte in enumerate(parent.expressions) if cte is node)
            visible = names[: place + 1] if parent.args.get("recursive") else names[:place]
        else:
            clause = next((value for value in parent.args.values() if isinstance(value, exp.With)), None)
            visible = [cte.alias for cte in clause.expressions] if clause and clause is not node else []
        if table.name in visible:
            return True
        node = parent
    return False


def with_binds(statement: exp.Expr) -> exp.Expr:
    """*statement* with its binds as `:name`, whatever the dialect calls them."""
    for bind in list(statement.find_all(exp.Placeholder)):
        bind.replace(exp.Var(this=f":{bind.name}"))
    return statement
