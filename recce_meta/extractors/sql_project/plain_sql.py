"""Reader of a folder of plain SQL: statements become nodes, and names of relations become edges.

Names of relations are rewritten to the spelling in the statements that build the relations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recce_meta.errors import UsageError
from recce_meta.extractors.named_relations import names_in, sql_words
from recce_meta.extractors.sql_project.files import SourceFile
from recce_meta.extractors.sql_project.statements import SqlStatement, Unreadable, read_statements
from recce_meta.models import Column, EdgeOrigin, NodeMetadata, code_hash
from recce_meta.models.node import GUESS, LIKELY
from recce_meta.warehouses.parsing import QUERY, named_by

Parts = tuple[str, ...]


def respelt(text: str, spellings: Mapping[Parts, str], dialect: str) -> str:
    """Return *text* with the names in *spellings* replaced at positions where only relations can occur.

    A name without an alias gets its last part as alias, so that qualified columns remain valid.
    """
    from sqlglot import TokenError, tokenize

    try:
        tokens = tokenize(text, read=dialect or None)
    except TokenError:
        return text
    starts = {name[0].start for name in names_in(sql_words(text, dialect))}
    pieces: list[str] = []
    done = index = 0
    while index < len(tokens):
        token = tokens[index]
        is_behind = index and tokens[index - 1].token_type.name in ("FROM", "JOIN")
        named = is_behind or token.start in starts or token.start + 1 in starts
        parts, after = _name_at(tokens, index) if named else ((), index + 1)
        spelling = spellings.get(key_of(parts)) if parts else None
        if spelling is not None:
            pieces += [text[done : token.start], spelling]
            done = tokens[after - 1].end + 1
            following = tokens[after].token_type.name if after < len(tokens) else None
            if following not in ("ALIAS", "VAR", "IDENTIFIER"):
                pieces.append(f" as {text[tokens[after - 1].start : done]}")
        elif token.token_type.name == "STRING" and index > 1 and tokens[index - 1].text == "(":
            inner = _within(token.text, tokens[index - 2].text, spellings, dialect)
            if inner != token.text:
                quoted = inner.replace("'", "''")
                pieces += [text[done : token.start], f"'{quoted}'"]
                done = token.end + 1
        index = max(after, index + 1)
    return "".join([*pieces, text[done:]])


def key_of(parts: Parts) -> Parts:
    """Return the parts of a name in lower case, for comparison."""
    return tuple(part.lower() for part in parts)


def _within(text: str, call: str, spellings: Mapping[Parts, str], dialect: str) -> str:
    """Return the string *text*, the argument of the function *call*, with its names replaced."""
    kind = named_by(call, dialect)
    if kind == QUERY:
        return respelt(text, spellings, dialect)
    return spellings.get(key_of(tuple(text.split("."))), text) if kind else text


def _name_at(tokens: Sequence[Any], index: int) -> tuple[Parts, int]:
    """Return the dotted name that begins at *index*, and the index after it."""
    parts: list[str] = []
    while index < len(tokens):
        token = tokens[index]
        # BigQuery quotes a whole dotted name.
        parts += token.text.split(".")
        index += 1
        if index >= len(tokens) or tokens[index].token_type.name != "DOT":
            break
        index += 1
    return tuple(parts), index


DEFAULT_SCHEMA = "default"
"""Placeholder schema for relations that no statement qualifies with a schema."""


class PlainProject:
    """Statements of all files, by the relation they build."""

    def __init__(self, name: str, dialect: str) -> None:
        self.name, self.dialect = name, dialect
        self.warnings: list[str] = []
        self._built: dict[Parts, list[tuple[SourceFile, SqlStatement]]] = defaultdict(list)
        self._spelt: dict[Parts, Parts] = {}
        self._by_last: dict[str, list[Parts]] = defaultdict(list)
        self._sources: dict[Parts, Parts] = {}
        self._ambiguous: set[Parts] = set()

    def add(self, file: SourceFile) -> None:
        """Add the statements of *file*."""
        queries = 0
        for found in read_statements(file.text, self.dialect):
            if isinstance(found, Unreadable):
                self.warnings.append(f"{file.path}:{found.line} cannot be parsed: {found.reason}")
                continue
            if found.problem is not None:
                self.warnings.append(
                    f"{file.path}:{found.problem.line} is not understood: {found.problem.reason}; "
                    "its parents come from the names in it"
                )
            target = found.target
            if target is None:
                queries += 1
                # A query without a target has the name of its file.
                target = (file.name if queries == 1 else f"{file.name}_{queries}",)
            if target:
                self._keep(target, file, found)

    def _keep(self, target: Parts, file: SourceFile, statement: SqlStatement) -> None:
        key = key_of(target)
        if key not in self._built:
            self._spelt[key] = target
            self._by_last[key[-1]].append(key)
        self._built[key].append((file, statement))

    def nodes(self) -> list[NodeMetadata]:
        """Return every node, sorted; relations are spelled as in the statements that build them."""
        self._leave_deletions()
        self._find_namesakes()
        found = [self._node(key) for key in self._built]
        found += [self._source(key) for key in self._sources]
        return sorted(found, key=lambda node: node.unique_id)

    def _leave_deletions(self) -> None:
        """Remove relations from which statements only delete rows, without reading another relation."""
        for key, found in list(self._built.items()):
            if all(statement.is_deletion and not statement.reads for _, statement in found):
                del self._built[key]
                self._by_last[key[-1]].remove(key)

    def _find_namesakes(self) -> None:
        """Find sources that share a name with a node: `from raw.customers` in customers.sql is a source."""
        for key, found in self._built.items():
            reads = {parts for _, statement in found for parts in statement.reads}
            for parts in sorted(reads):
                named = key_of(parts)
                if named not in self._built and _fits(named, key):
                    self._sources[named] = parts

    def _owner(self, parts: Parts) -> Parts:
        """Return the node that *parts* name: the only one with an equal ending of its name; else a source."""
        key = key_of(parts)
        if key in self._built or key in self._sources:
            return key
        fitting = [one for one in self._by_last[key[-1]] if _fits(one, key)]
        if len(fitting) == 1:
            return fitting[0]
        if len(fitting) > 1:
            names = ", ".join(".".join(self._spelt[one]) for one in fitting)
            self.warnings.append(f"{'.'.join(parts)} is ambiguous ({names}); it counts as a source")
            self._ambiguous.add(key)
        self._sources[key] = parts
        return key

    def _id(self, key: Parts) -> str:
        if key in self._built:
            schema = ".".join(self._spelt[key][:-1])
            last = self._spelt[key][-1]
            # Only if it distinguishes equal names, because a schema often names the environment.
            same = sum(one[-1] == key[-1] for one in self._built)
            return f"model.{self.name}.{schema + '.' if same > 1 and schema else ''}{last}"
        parts = self._sources[key]
        return f"source.{self.name}.{'.'.join(parts[:-1]) or DEFAULT_SCHEMA}.{parts[-1]}"

    def _node(self, key: Parts) -> NodeMetadata:
        found = self._built[key]
        spelt = self._spelt[key]
        path, schema = found[0][0].path, spelt[-2] if len(spelt) > 1 else None
        reads = {parts for _, statement in found for parts in statement.reads}
        owners = {parts: self._owner(parts) for parts in sorted(reads)}
        origins = self._origins(key, [statement for _, statement in found], owners)
        raw = ";\n\n".join(statement.text for _, statement in found)
        columns = next((statement.columns for _, statement in found if statement.columns), ())
        return NodeMetadata(
            unique_id=self._id(key),
            name=spelt[-1],
            resource_type="model",
            package_name=self.name,
            path=path,
            fqn=(self.name, *Path(path).parts[:-1], spelt[-1]),
            database_name=".".join(spelt[:-2]) or None,
            schema_name=schema,
            identifier=spelt[-1],
            relation_name=".".join(spelt),
            materialized=found[0][1].materialized,
            language="sql",
            raw_code=raw,
            compiled_code=self._compiled([statement for _, statement in found], owners),
            code_hash=code_hash(raw),
            columns=tuple(Column(name=name, type=kind or None) for name, kind in columns),
            columns_from="catalog" if columns else None,
            parents=tuple(sorted(origins)),
            edge_origins=origins,
        )

    def _compiled(self, statements: Sequence[SqlStatement], owners: dict[Parts, Parts]) -> str | None:
        """Return the queries of *statements*; None if one that is not a query reads relations."""
        if any(one.reads and not one.is_query for one in statements):
            return None
        queries = [self._renamed(one.text, owners) for one in statements if one.is_query]
        return ";\n\n".join(queries) or None

    def _origins(
        self, key: Parts, statements: Sequence[SqlStatement], owners: dict[Parts, Parts]
    ) -> dict[str, EdgeOrigin]:
        """Return the parents of the node *key*, with the confidence: found by the parser, or only by name."""
        parsed = {parts for one in statements if one.problem is None for parts in one.reads}
        sure = {owners[parts] for parts in parsed} - self._ambiguous
        return {
            self._id(owner): EdgeOrigin("sql", LIKELY if owner in sure else GUESS)
            for owner in sorted(set(owners.values()) - {key})
        }

    def _source(self, key: Parts) -> NodeMetadata:
        parts = self._sources[key]
        return NodeMetadata(
            unique_id=self._id(key),
            name=parts[-1],
            resource_type="source",
            package_name=self.name,
            fqn=(self.name, *parts),
            database_name=".".join(parts[:-2]) or None,
            schema_name=parts[-2] if len(parts) > 1 else None,
            identifier=parts[-1],
            relation_name=".".join(parts),
            source_name=parts[-2] if len(parts) > 1 else DEFAULT_SCHEMA,
        )

    def _renamed(self, text: str, owners: dict[Parts, Parts]) -> str:
        """Return *text* with every relation spelled as in the statement that builds it."""
        spellings = {
            key_of(parts): self._name(owner) for parts, owner in owners.items() if key_of(parts) != owner
        }
        return respelt(text, spellings, self.dialect) if spellings else text

    def _name(self, key: Parts) -> str:
        return ".".join(self._spelt.get(key) or self._sources[key])


def _fits(one: Parts, other: Parts) -> bool:
    """Return True if the longer of both names ends with the shorter."""
    length = min(len(one), len(other))
    return one[-length:] == other[-length:]


def read_plain(name: str, files: Sequence[SourceFile], dialect: str) -> PlainProject:
    """Return the project of plain SQL in *files*. Raises UsageError if *dialect* is unknown."""
    from sqlglot.dialects.dialect import Dialect

    try:
        Dialect.get_or_raise(dialect or None)
    except ValueError as error:
        raise UsageError(f"Unknown SQL dialect: '{dialect}'", hint=str(error)[:200]) from None
    project = PlainProject(name, dialect)
    for file in files:
        project.add(file)
    return project
