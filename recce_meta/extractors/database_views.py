"""Parents of a live database's views, found by parsing their SQL and resolving names in the catalog.

A name refers to a relation if the parser reads it as a table, and if it is neither a CTE nor part of another
relation in the same FROM. To find the positions of such names in the text, every name that may be a
relation's is replaced by a marker before parsing. The markers that the parser returns as tables are
relations. sqlglot is loaded only if there is a view.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from recce_meta.errors import first_of
from recce_meta.extractors.named_relations import find_relation_names, sql_words
from recce_meta.lazy import LazyModule
from recce_meta.models import EdgeOrigin
from recce_meta.models.node import GUESS, LIKELY

if TYPE_CHECKING:
    from recce_meta.warehouses import parsing
else:
    parsing = LazyModule("recce_meta.warehouses.parsing")  # imports sqlglot, which many runs do not need

Key = tuple[str, str]
"""Schema and name."""

_MARKER = re.compile(r"recce_meta_(\d+)_", re.I)
_LATE_BINDING = re.compile(r"\swith\s+no\s+schema\s+binding\s*\Z", re.I)
_BEFORE_RELATIONS = frozenset(["FROM", "JOIN", "COMMA", "L_PAREN", "STRAIGHT_JOIN"])
_NAMES = frozenset(["VAR", "IDENTIFIER"])
_NAMED = 5
_RECORDED = EdgeOrigin("catalog")
_PARSED, _NAMED_ONLY = EdgeOrigin("sql", LIKELY), EdgeOrigin("sql", GUESS)
_ANY_ORDER = frozenset(["sqlite"])
"""Dialects in which every CTE of a WITH is visible in all of them, also in previous ones."""


class ViewSql(Struct, frozen=True):
    """SQL of a view, and its parents."""

    query: str
    """The SQL as the catalog has it, without the `CREATE VIEW … AS` around it."""
    code: str
    """The SQL with full names of all known relations, and with the view's column names."""
    origins: dict[Key, EdgeOrigin]
    """The parents, each with the origin of its edge."""

    @property
    def parents(self) -> tuple[Key, ...]:
        """Return the parents, sorted."""
        return tuple(sorted(self.origins))


class _Part(NamedTuple):
    """One part of a dotted name."""

    text: str
    is_quoted: bool


class _Name(NamedTuple):
    """A dotted name in the SQL."""

    parts: tuple[_Part, ...]
    start: int
    end: int
    """Position after its last character."""
    last: int
    """Position of its last part."""
    is_certain: bool
    """Whether only a relation can occur at this position."""


class _Query(NamedTuple):
    """The query of a view."""

    text: str
    head: str | None
    """The view's name and its list of column names, `v (a, b)`; None without such a list."""


class ViewReader:
    """Finder of each view's parents among *relations*, a mapping of schema and name to the full name.

    *database* is the scanned database, if names can have a database before the schema. With
    *reports_missing*, a name that matches no relation causes a warning, unless its schema matches
    *system_schemas* (globs). It is for warehouses that retain views when their parents are dropped.
    """

    def __init__(
        self,
        relations: Mapping[Key, str],
        dialect: str,
        default_schema: str | None,
        *,
        database: str | None = None,
        reports_missing: bool = False,
        system_schemas: Sequence[str] = (),
    ) -> None:
        self._relations, self._dialect, self._default = relations, dialect, default_schema
        self._database, self._reports_missing, self._system = database, reports_missing, system_schemas
        self._last_names = {name.casefold() for _, name in relations}
        self._catalog: _Catalog | None = None
        self._warnings: list[str] = []
        self._missing: list[str] = []

    @property
    def warnings(self) -> list[str]:
        """Return a warning for each view that could not be parsed, and one for all missing relations."""
        if not self._missing:
            return self._warnings
        return [
            *self._warnings,
            f"Read by a view, but not part of the scan: {first_of(self._missing, _NAMED)}",
        ]

    def read(self, view: Key, definition: str, in_catalog: Sequence[Key] = ()) -> ViewSql:
        """Return the SQL *definition* of *view*, and its parents.

        Parents are the relations that the catalog reports (*in_catalog*) and those that the SQL reads. If the
        SQL cannot be parsed, there is a warning. The parents are then those of the catalog, or else the
        relations that the SQL names.
        """
        recorded = {key: _RECORDED for key in in_catalog if key in self._relations and key != view}
        query = _Query(definition, None)
        try:
            query = _query_of(definition, self._dialect)
            found = self._tables(query.text)
        except parsing.STUMBLES as error:
            named = recorded or dict.fromkeys(self._named(query.text, view), _NAMED_ONLY)
            source = "come from the names in it" if named else "are unknown"
            source = "come from the catalog" if recorded else source
            self._warnings.append(
                f"View {'.'.join(view)} is not understood: {_reason(error)}; its parents {source}"
            )
            return ViewSql(query.text, query.text, named)
        parents: set[Key] = set()
        spellings: list[tuple[_Name, str]] = []
        for table in found:
            owner = self._owner(table.parts, view)
            if owner is None:
                self._tell_missing(view, table.parts)
                continue
            parents.add(owner)
            if table.name is not None:
                spellings.append((table.name, self._spelt(query.text, table, owner)))
        code = _replaced(query.text, spellings)
        if query.head is not None:
            # The view's list of columns renames those of its query.
            name = query.head.partition("(")[0].rstrip()
            code = f"WITH {query.head} AS (\n{code}\n)\nSELECT * FROM {name}"
        # A catalog with dependencies has all of them: a parent found only in the SQL may be a mistake.
        read = dict.fromkeys(sorted(parents - {view}), _NAMED_ONLY if recorded else _PARSED)
        return ViewSql(query.text, code, read | recorded)

    def _named(self, text: str, view: Key) -> tuple[Key, ...]:
        """Return the relations that unparsable *text* names in FROM, or with their schema."""
        from sqlglot import tokenize
        from sqlglot.errors import SqlglotError

        words = sql_words(text, self._dialect)
        found = [[_Part(part.text, part.is_quoted) for part in name] for name in find_relation_names(words)]
        try:
            names = list(_names_in(tokenize(text, read=self._dialect or None), self._last_names))
        except SqlglotError:
            names = []  # only the names in `found` are available
        found += [list(name.parts) for name in names if len(name.parts) > 1]
        owners = {self._owner(parts, view) for parts in found}
        return tuple(sorted(owner for owner in owners if owner is not None and owner != view))

    def _spelt(self, text: str, table: _Table, owner: Key) -> str:
        """Return the full name of *owner*, with the name in *text* as alias if its spelling differs."""
        name = table.name
        if name is None or table.has_alias or name.parts[-1].text == owner[1]:
            return self._relations[owner]
        return f"{self._relations[owner]} AS {text[name.last : name.end]}"

    def _tell_missing(self, view: Key, parts: Sequence[_Part]) -> None:
        is_system = len(parts) > 1 and any(fnmatchcase(parts[-2].text.lower(), one) for one in self._system)
        missing = f"{'.'.join(part.text for part in parts)} ({'.'.join(view)})"
        if self._reports_missing and not is_system and missing not in self._missing:
            self._missing.append(missing)

    def _tables(self, text: str) -> list[_Table]:
        """Return the relations that *text* reads, with positions if the last part of the name is known."""
        from sqlglot import tokenize
        from sqlglot.errors import SqlglotError

        names = list(_names_in(tokenize(text, read=self._dialect or None), self._last_names))
        # A column may have a relation's name. If its marker breaks the SQL, only certain positions count.
        for some in (names, [name for name in names if name.is_certain]):
            # The spaces separate the marker from adjacent words.
            marked = _replaced(text, [(name, f" recce_meta_{i}_ ") for i, name in enumerate(some)])
            try:
                return list(_ParsedQuery(marked, self._dialect, some, self._folding()).tables())
            except SqlglotError:
                continue
        return list(_ParsedQuery(text, self._dialect, [], self._folding()).tables())

    def _folding(self) -> _Catalog:
        if self._catalog is None:
            self._catalog = _Catalog(self._relations, self._dialect)
        return self._catalog

    def _owner(self, parts: Sequence[_Part], view: Key) -> Key | None:
        """Return the relation that *parts* name in the SQL of *view*, else None."""
        catalog = self._folding()
        own = [_Part(schema, True) for schema in (view[0], self._default) if schema is not None]
        if len(parts) == 1:
            return catalog.first(own, parts[-1])
        is_ours = self._database is not None and parts[0].text.casefold() == self._database.casefold()
        # A scan reads one database.
        if len(parts) > 2 and self._database is not None and not is_ours:
            return None
        found = catalog.first([parts[-2]], parts[-1])
        if found is None and len(parts) == 2 and is_ours:
            return catalog.first(own[1:], parts[-1])
        return found


class _Catalog:
    """Relations by name, as normalized by the dialect."""

    def __init__(self, relations: Mapping[Key, str], dialect: str) -> None:
        from sqlglot.dialects.dialect import Dialect

        self._dialect: Any = Dialect.get_or_raise(dialect or None)
        self._is_exact = self._dialect.normalization_strategy.name == "CASE_SENSITIVE"
        self._known: dict[Key, list[Key]] = defaultdict(list)
        self._folded: dict[Key, list[Key]] = defaultdict(list)
        for key in relations:
            schema, name = key
            self._known[self.normal(_Part(schema, True)), self.normal(_Part(name, True))].append(key)
            self._folded[schema.casefold(), name.casefold()].append(key)

    def normal(self, part: _Part) -> str:
        """Return the normalized name of *part*: names of the same object are equal."""
        from sqlglot import exp

        found = self._dialect.normalize_identifier(exp.Identifier(this=part.text, quoted=part.is_quoted))
        return str(found.name)

    def first(self, schemas: Sequence[_Part], name: _Part) -> Key | None:
        """Return the relation *name* in the first of *schemas* that has it, else None."""
        return next((found for schema in schemas if (found := self._one(schema, name))), None)

    def _one(self, schema: _Part, name: _Part) -> Key | None:
        fitting = self._known.get((self.normal(schema), self.normal(name)), [])
        if not fitting and not self._is_exact:
            fitting = self._folded.get((schema.text.casefold(), name.text.casefold()), [])
        exact = (schema.text, name.text)
        return fitting[0] if len(fitting) == 1 else exact if exact in fitting else None


class _Table(NamedTuple):
    """A table reference in a query."""

    parts: tuple[_Part, ...]
    name: _Name | None
    """Its position, if known."""
    has_alias: bool


class _ParsedQuery:
    """One parsed query, in which *names* are marked."""

    def __init__(self, marked: str, dialect: str, names: Sequence[_Name], catalog: _Catalog) -> None:
        from sqlglot import exp
        from sqlglot.dialects.dialect import Dialect
        from sqlglot.errors import ParseError

        self._names, self._catalog, self._in_any_order = names, catalog, dialect in _ANY_ORDER
        reader = Dialect.get_or_raise(dialect or None)
        tokens = parsing.unambiguous(reader.tokenize(marked), dialect)
        tree: Any = next(iter(reader.parser().parse(tokens, marked)), None)
        if tree is None or isinstance(tree, exp.Command):
            raise ParseError("Not a supported query")
        self._tree = tree

    def tables(self) -> Iterator[_Table]:
        """Yield the relations that the query reads, without CTEs and parts of other relations in the FROM."""
        from sqlglot import exp

        for table in self._tree.find_all(exp.Table):
            identifiers = table.parts
            if not identifiers or not all(isinstance(one, exp.Identifier) for one in identifiers):
                continue  # a function, or a parameter
            name = self._marked(identifiers[0].name) if len(identifiers) == 1 else None
            parts = name.parts if name is not None else tuple(map(_part, identifiers))
            if not self._is_local(table, parts):
                yield _Table(parts, name, bool(table.alias))

    def _marked(self, text: str) -> _Name | None:
        found = _MARKER.fullmatch(text)
        return self._names[int(found[1])] if found else None

    def _normal(self, identifier: Any) -> str:
        """Return the normalized name of *identifier*, an alias."""
        name = self._marked(identifier.name)
        return self._catalog.normal(_part(identifier) if name is None else name.parts[-1])

    def _is_local(self, table: Any, parts: Sequence[_Part]) -> bool:
        """Return True if *table* is a visible CTE, or an array in another relation of the same FROM."""
        from sqlglot import exp

        wanted = self._catalog.normal(parts[0])
        child, parent = table, table.parent
        while parent is not None:
            if len(parts) > 1:
                if isinstance(parent, exp.Select):
                    # An array belongs to a relation of the same FROM, so enclosing queries do not count.
                    return wanted in self._beside(parent, table)
            else:
                if wanted in map(self._normal, _ctes(parent, child, in_any_order=self._in_any_order)):
                    return True
            child, parent = parent, parent.parent
        return False

    def _beside(self, select: Any, table: Any) -> Iterator[str]:
        """Yield the names or aliases of the relations of *select* except *table*."""
        from sqlglot import exp

        for key in ("from", "from_", "joins"):
            value = select.args.get(key)
            for one in value if isinstance(value, list) else [value] if value is not None else []:
                if isinstance(one.this, exp.Table) and one.this is not table:
                    alias = one.this.args.get("alias")
                    identifier = alias.this if alias is not None else one.this.this
                    if isinstance(identifier, exp.Identifier):
                        yield self._normal(identifier)


def _ctes(parent: Any, child: Any, *, in_any_order: bool) -> list[Any]:
    """Return the names of the CTEs of *parent* that are visible in its part *child*."""
    from sqlglot import exp

    if isinstance(parent, exp.With):
        ctes = list(parent.expressions)
        if not (parent.recursive or in_any_order):
            ctes = ctes[: next((i for i, cte in enumerate(ctes) if cte is child), 0)]
    else:
        with_ = parent.args.get("with_") or parent.args.get("with")
        ctes = [] if not isinstance(with_, exp.With) or with_ is child else list(with_.expressions)
    aliases = [cte.args.get("alias") for cte in ctes]
    return [alias.this for alias in aliases if alias is not None and isinstance(alias.this, exp.Identifier)]


def _part(identifier: Any) -> _Part:
    return _Part(identifier.name, bool(identifier.args.get("quoted")))


def _names_in(tokens: Sequence[Any], last_names: set[str]) -> Iterator[_Name]:
    """Yield the dotted names in *tokens* with a last part in *last_names*, which are in lower case."""
    index = 0
    while index < len(tokens):
        kind = tokens[index].token_type.name
        before = tokens[index - 1].token_type.name if index else ""
        is_certain = before in _BEFORE_RELATIONS
        # A name after AS is an alias.
        if before in ("ALIAS", "DOT") or not (kind in _NAMES or (is_certain and _is_word(tokens[index]))):
            index += 1
            continue
        end = index + 1
        while end + 1 < len(tokens) and tokens[end].token_type.name == "DOT":
            end += 2
        last = tokens[end - 1]
        after = tokens[end].token_type.name if end < len(tokens) else ""
        # A name before a parenthesis is a function, and before a string a type: `date '2024-01-01'`.
        if last.text.casefold() in last_names and after not in ("L_PAREN", "STRING"):
            parts = tuple(_Part(one.text, one.token_type.name == "IDENTIFIER") for one in tokens[index:end:2])
            yield _Name(parts, tokens[index].start, last.end + 1, last.start, is_certain)
        index = end


def _is_word(token: Any) -> bool:
    return token.text.isidentifier() and token.token_type.name not in ("STRING", "SELECT", "WITH", "VALUES")


def _replaced(text: str, spellings: Sequence[tuple[_Name, str]]) -> str:
    """Return *text* with each name replaced by the words paired with it."""
    pieces: list[str] = []
    done = 0
    for name, words in sorted(spellings, key=lambda one: one[0].start):
        pieces += [text[done : name.start], words]
        done = name.end
    return "".join([*pieces, text[done:]])


def _query_of(definition: str, dialect: str) -> _Query:
    """Return the query in *definition*, which may be a `CREATE VIEW`. Raises TokenError if it is not SQL."""
    from sqlglot import tokenize

    tokens = tokenize(definition, read=dialect or None)
    kinds = [token.token_type.name for token in tokens]
    end = len(definition)
    while kinds and kinds[-1] == "SEMICOLON":
        end = tokens[len(kinds) - 1].start
        kinds.pop()
    if not kinds or kinds[0] != "CREATE" or "VIEW" not in kinds:
        return _Query(definition[:end].strip(), None)
    index = kinds.index("VIEW") + 1
    while index < len(kinds) and tokens[index].text.upper() in ("IF", "NOT", "EXISTS"):
        index += 1
    while index + 1 < len(kinds) and kinds[index + 1] == "DOT":
        index += 2
    head, after = None, index + 1
    if after < len(kinds) and kinds[after] == "L_PAREN":
        columns, after = _columns_at(definition, tokens, after)
        head = f"{definition[tokens[index].start : tokens[index].end + 1]} ({', '.join(columns)})"
    depth = 0
    for place in range(after, len(kinds)):
        depth += (kinds[place] == "L_PAREN") - (kinds[place] == "R_PAREN")
        if kinds[place] == "ALIAS" and depth == 0:
            # Redshift's clause belongs to the view, and is invalid after a bare query.
            text = _LATE_BINDING.sub("", definition[tokens[place].end + 1 : end])
            return _Query(text.strip(), head)
    return _Query(definition[:end].strip(), None)


def _columns_at(text: str, tokens: Sequence[Any], index: int) -> tuple[list[str], int]:
    """Return the column names, as written, of the list that opens at *index*, and the index after it."""
    found: list[str] = []
    depth = 0
    while index < len(tokens):
        kind = tokens[index].token_type.name
        depth += (kind == "L_PAREN") - (kind == "R_PAREN")
        if depth == 0:
            return found, index + 1
        if depth == 1 and kind in ("L_PAREN", "COMMA"):
            name = tokens[index + 1]
            found.append(text[name.start : name.end + 1])
        index += 1
    return found, index


def _reason(error: Exception) -> str:
    """Return the reason in *error*, without the parser's colours and internal terms."""
    found = getattr(error, "errors", None) or [{}]
    reason = str(found[0].get("description") or error).partition(" but got ")[0]
    return " ".join(reason.split())[:200]
