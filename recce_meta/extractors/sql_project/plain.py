"""A folder of plain SQL: every file or statement is a node, and names of relations are the edges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from recce_meta.errors import UsageError
from recce_meta.extractors.sql_project.files import SourceFile
from recce_meta.extractors.sql_project.respelling import Parts, key_of, respelt
from recce_meta.extractors.sql_project.statements import read_statements
from recce_meta.extractors.sql_project.trees import Statement, Unreadable
from recce_meta.models import Column, EdgeOrigin, NodeMetadata, code_hash
from recce_meta.models.node import GUESS, LIKELY

DEFAULT_SCHEMA = "default"
"""What stands for the schema of a relation that no statement names one for."""


class PlainProject:
    """The statements of all files, by what they build."""

    def __init__(self, name: str, dialect: str) -> None:
        self.name, self.dialect = name, dialect
        self.warnings: list[str] = []
        self._built: dict[Parts, list[tuple[SourceFile, Statement]]] = defaultdict(list)
        self._spelt: dict[Parts, Parts] = {}
        self._by_last: dict[str, list[Parts]] = defaultdict(list)
        self._sources: dict[Parts, Parts] = {}
        self._ambiguous: set[Parts] = set()

    def add(self, file: SourceFile) -> None:
        """Read the statements of *file*."""
        queries = 0
        for found in read_statements(file.text, self.dialect):
            if isinstance(found, Unreadable):
                self.warnings.append(f"{file.path}:{found.line} cannot be parsed: {found.reason}")
                continue
            if found.problem is not None:
                self.warnings.append(
                    f"{file.path}:{found.problem.line} is not understood: {found.problem.reason}; "
                    "its parents are the relations that it names"
                )
            target = found.target
            if target is None:
                queries += 1
                target = (file.name if queries == 1 else f"{file.name}_{queries}",)
            if target:
                self._keep(target, file, found)

    def _keep(self, target: Parts, file: SourceFile, statement: Statement) -> None:
        key = key_of(target)
        if key not in self._built:
            self._spelt[key] = target
            self._by_last[key[-1]].append(key)
        self._built[key].append((file, statement))

    def nodes(self) -> list[NodeMetadata]:
        """Every node, sorted, its relations spelt as their own statements do."""
        self._leave_deletions()
        self._find_namesakes()
        found = [self._node(key) for key in self._built]
        found += [self._source(key) for key in self._sources]
        return sorted(found, key=lambda node: node.unique_id)

    def _leave_deletions(self) -> None:
        """Leave out relations of which statements only delete rows by the relation itself."""
        for key, found in list(self._built.items()):
            if all(statement.is_deletion and not statement.reads for _, statement in found):
                del self._built[key]
                self._by_last[key[-1]].remove(key)

    def _find_namesakes(self) -> None:
        """`from raw.customers` in customers.sql names another relation, there and everywhere."""
        for key, found in self._built.items():
            reads = {parts for _, statement in found for parts in statement.reads}
            for parts in sorted(reads):
                named = key_of(parts)
                if named not in self._built and _fits(named, key):
                    self._sources[named] = parts

    def _owner(self, parts: Parts) -> Parts:
        """The node that *parts* name: the one whose name ends so, or that ends their name; else a source."""
        key = key_of(parts)
        if key in self._built or key in self._sources:
            return key
        fitting = [one for one in self._by_last[key[-1]] if _fits(one, key)]
        if len(fitting) == 1:
            return fitting[0]
        if len(fitting) > 1:
            names = ", ".join(".".join(self._spelt[one]) for one in fitting)
            self.warnings.append(f"{'.'.join(parts)} may be any of {names}; it counts as a source")
            self._ambiguous.add(key)
        self._sources[key] = parts
        return key

    def _id(self, key: Parts) -> str:
        if key in self._built:
            schema = ".".join(self._spelt[key][:-1])
            last = self._spelt[key][-1]
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

    def _compiled(self, statements: Sequence[Statement], owners: dict[Parts, Parts]) -> str | None:
        """Return the queries of *statements*; None if one reads relations, and no query says how."""
        if any(one.reads and not one.is_query for one in statements):
            return None
        queries = [self._renamed(one.text, owners) for one in statements if one.is_query]
        return ";\n\n".join(queries) or None

    def _origins(
        self, key: Parts, statements: Sequence[Statement], owners: dict[Parts, Parts]
    ) -> dict[str, EdgeOrigin]:
        """Return what the node *key* reads, and how sure that is: a parser found it, or words alone did."""
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
        """Return *text* with every relation spelt as the statement that builds it does."""
        spellings = {
            key_of(parts): self._name(owner) for parts, owner in owners.items() if key_of(parts) != owner
        }
        return respelt(text, spellings, self.dialect) if spellings else text

    def _name(self, key: Parts) -> str:
        return ".".join(self._spelt.get(key) or self._sources[key])


def _fits(one: Parts, other: Parts) -> bool:
    """Whether the shorter of both names is the end of the longer."""
    length = min(len(one), len(other))
    return one[-length:] == other[-length:]


def read_plain(name: str, files: Sequence[SourceFile], dialect: str) -> PlainProject:
    """The project of plain SQL that *files* are. Raises UsageError where no dialect is called so."""
    from sqlglot.dialects.dialect import Dialect

    try:
        Dialect.get_or_raise(dialect or None)
    except ValueError as error:
        raise UsageError(f"Not a dialect of SQL: '{dialect}'", hint=str(error)[:200]) from None
    project = PlainProject(name, dialect)
    for file in files:
        project.add(file)
    return project
