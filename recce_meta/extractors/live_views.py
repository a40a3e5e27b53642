"""What the views of a live database read: their SQL, parsed, and the names in it looked up in the catalog.

A name is a relation's where the parser takes it for one, and no CTE and no relation beside it is meant. To
find where in the text those names stand, every name that may be a relation's is replaced by a marker before
the SQL is parsed; the markers that come back as tables tell. sqlglot is loaded only when there is a view.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from msgspec import Struct

from recce_meta.errors import first_of
from recce_meta.extractors.named_relations import relations_named, words_of
from recce_meta.models import EdgeOrigin
from recce_meta.models.node import GUESS, LIKELY

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
"""Dialects in which every CTE of a WITH can be named in all of them, by those before it too."""


class ViewSql(Struct, frozen=True):
    """The SQL of a view, and what it reads."""

    query: str
    """As the catalog writes it, without the `CREATE VIEW … AS` around it."""
    code: str
    """With every relation that is known spelt in full, and columns named as the view names them."""
    origins: dict[Key, EdgeOrigin]
    """What it reads, and how that is known."""

    @property
    def parents(self) -> tuple[Key, ...]:
        """What it reads, sorted."""
        return tuple(sorted(self.origins))


class _Part(NamedTuple):
    """One part of a dotted name."""

    text: str
    is_quoted: bool


class _Name(NamedTuple):
    """A dotted name in a text."""

    parts: tuple[_Part, ...]
    start: int
    end: int
    """Behind its last character."""
    last: int
    """Where its last part begins."""
    is_certain: bool
    """Whether it stands where only a relation can."""


class _Query(NamedTuple):
    """The query of a view."""

    text: str
    head: str | None
    """The view's name and the columns that it gives new names to: `v (a, b)`; None without such."""


class ViewReader:
    """Finds what each view reads, among *relations*: their full names by schema and name.

    *database* is the one that is looked at, where names may have one before the schema. With *tells_missing*
    a name that is nothing's is warned of, unless its schema is one of *system_schemas* (globs): views stay
    there when what they read is dropped.
    """

    def __init__(
        self,
        relations: Mapping[Key, str],
        dialect: str,
        default_schema: str | None,
        *,
        database: str | None = None,
        tells_missing: bool = False,
        system_schemas: Sequence[str] = (),
    ) -> None:
        self._relations, self._dialect, self._default = relations, dialect, default_schema
        self._database, self._tells_missing, self._system = database, tells_missing, system_schemas
        self._last_names = {name.casefold() for _, name in relations}
        self._catalog: _Catalog | None = None
        self._warnings: list[str] = []
        self._missing: list[str] = []

    @property
    def warnings(self) -> list[str]:
        """What could not be read, one line for each view; and what views read that is not there, in one."""
        if not self._missing:
            return self._warnings
        return [
            *self._warnings,
            f"Read by a view, but not part of the scan: {first_of(self._missing, _NAMED)}",
        ]

    def read(self, view: Key, definition: str, in_catalog: Sequence[Key] = ()) -> ViewSql:
        """Return the SQL *definition* of *view*, and what it reads.

        It reads what the catalog says, *in_catalog*, and the relations that its SQL reads. If it cannot be
        parsed and the catalog says nothing, it reads the relations that it names. Then there is a warning.
        """
        from recce_meta.dialects.tokens import STUMBLES

        recorded = {key: _RECORDED for key in in_catalog if key in self._relations and key != view}
        query = _Query(definition, None)
        try:
            query = _query_of(definition, self._dialect)
            found = self._tables(query.text)
        except STUMBLES as error:
            named = recorded or dict.fromkeys(self._named(query.text, view), _NAMED_ONLY)
            source = "the names in it" if named else "nowhere: it has no parents"
            source = "the catalog" if recorded else source
            self._warnings.append(
                f"View {'.'.join(view)} is not understood: {_reason(error)}; its parents come from {source}"
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
            name = query.head.partition("(")[0].rstrip()
            code = f"WITH {query.head} AS (\n{code}\n)\nSELECT * FROM {name}"
        # A catalog with dependencies has all of them: what the SQL alone reads may be misread.
        read = dict.fromkeys(sorted(parents - {view}), _NAMED_ONLY if recorded else _PARSED)
        return ViewSql(query.text, code, read | recorded)

    def _named(self, text: str, view: Key) -> tuple[Key, ...]:
        """Return the relations that *text*, which cannot be parsed, names: in FROM, or with their schema."""
        from sqlglot import tokenize
        from sqlglot.errors import SqlglotError

        words = words_of(text, self._dialect)
        found = [[_Part(part.text, part.is_quoted) for part in name] for name in relations_named(words)]
        try:
            names = list(_names_in(tokenize(text, read=self._dialect or None), self._last_names))
        except SqlglotError:
            names = []  # the words above are all that there is
        found += [list(name.parts) for name in names if len(name.parts) > 1]
        owners = {self._owner(parts, view) for parts in found}
        return tuple(sorted(owner for owner in owners if owner is not None and owner != view))

    def _spelt(self, text: str, table: _Table, owner: Key) -> str:
        """*owner* in full; where its own name is another spelling, the one of *text* stays as its alias."""
        name = table.name
        if name is None or table.has_alias or name.parts[-1].text == owner[1]:
            return self._relations[owner]
        return f"{self._relations[owner]} AS {text[name.last : name.end]}"

    def _tell_missing(self, view: Key, parts: Sequence[_Part]) -> None:
        is_system = len(parts) > 1 and any(fnmatchcase(parts[-2].text.lower(), one) for one in self._system)
        told = f"{'.'.join(part.text for part in parts)} ({'.'.join(view)})"
        if self._tells_missing and not is_system and told not in self._missing:
            self._missing.append(told)

    def _tables(self, text: str) -> list[_Table]:
        """The relations that *text* reads; those whose last part is known with their places."""
        from sqlglot import tokenize
        from sqlglot.errors import SqlglotError

        names = list(_names_in(tokenize(text, read=self._dialect or None), self._last_names))
        for some in (names, [name for name in names if name.is_certain]):
            marked = _replaced(text, [(name, f" recce_meta_{i}_ ") for i, name in enumerate(some)])
            try:
                return list(_Reading(marked, self._dialect, some, self._folding()).tables())
            except SqlglotError:
                continue
        return list(_Reading(text, self._dialect, [], self._folding()).tables())

    def _folding(self) -> _Catalog:
        if self._catalog is None:
            self._catalog = _Catalog(self._relations, self._dialect)
        return self._catalog

    def _owner(self, parts: Sequence[_Part], view: Key) -> Key | None:
        """The relation that *parts* name in the SQL of *view*."""
        catalog = self._folding()
        own = [_Part(schema, True) for schema in (view[0], self._default) if schema is not None]
        if len(parts) == 1:
            return catalog.first(own, parts[-1])
        is_ours = self._database is not None and parts[0].text.casefold() == self._database.casefold()
        if len(parts) > 2 and self._database is not None and not is_ours:
            return None
        found = catalog.first([parts[-2]], parts[-1])
        if found is None and len(parts) == 2 and is_ours:
            return catalog.first(own[1:], parts[-1])
        return found


class _Catalog:
    """Relations by their names as the dialect compares them."""

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
        """What *part* is called, so that two names that mean the same are equal."""
        from sqlglot import exp

        found = self._dialect.normalize_identifier(exp.Identifier(this=part.text, quoted=part.is_quoted))
        return str(found.name)

    def first(self, schemas: Sequence[_Part], name: _Part) -> Key | None:
        """The relation *name* of the first of *schemas* that has one."""
        return next((found for schema in schemas if (found := self._one(schema, name))), None)

    def _one(self, schema: _Part, name: _Part) -> Key | None:
        fitting = self._known.get((self.normal(schema), self.normal(name)), [])
        if not fitting and not self._is_exact:
            fitting = self._folded.get((schema.text.casefold(), name.text.casefold()), [])
        exact = (schema.text, name.text)
        return fitting[0] if len(fitting) == 1 else exact if exact in fitting else None


class _Table(NamedTuple):
    """A relation that a query reads."""

    parts: tuple[_Part, ...]
    name: _Name | None
    """Where it stands, where that is known."""
    has_alias: bool


class _Reading:
    """One parsed query, in which *names* are marked."""

    def __init__(self, marked: str, dialect: str, names: Sequence[_Name], catalog: _Catalog) -> None:
        from sqlglot import exp
        from sqlglot.dialects.dialect import Dialect
        from sqlglot.errors import ParseError

        from recce_meta.dialects.tokens import unambiguous

        self._names, self._catalog, self._in_any_order = names, catalog, dialect in _ANY_ORDER
        reader = Dialect.get_or_raise(dialect or None)
        tokens = unambiguous(reader.tokenize(marked), dialect)
        tree: Any = next(iter(reader.parser().parse(tokens, marked)), None)
        if tree is None or isinstance(tree, exp.Command):
            raise ParseError("No query that is understood")
        self._tree = tree

    def tables(self) -> Iterator[_Table]:
        """The relations that are read, but for CTEs and what is a part of a relation beside it."""
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
        """What *identifier*, an alias, is called."""
        name = self._marked(identifier.name)
        return self._catalog.normal(_part(identifier) if name is None else name.parts[-1])

    def _is_local(self, table: Any, parts: Sequence[_Part]) -> bool:
        """Whether *table* is a CTE in whose reach it is, or the array of a relation beside it."""
        from sqlglot import exp

        wanted = self._catalog.normal(parts[0])
        child, parent = table, table.parent
        while parent is not None:
            if len(parts) > 1:
                if isinstance(parent, exp.Select):
                    return wanted in self._beside(parent, table)
            else:
                if wanted in map(self._normal, _ctes(parent, child, in_any_order=self._in_any_order)):
                    return True
            child, parent = parent, parent.parent
        return False

    def _beside(self, select: Any, table: Any) -> Iterator[str]:
        """The names by which other relations of *select* go."""
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
    """The names of the CTEs that *parent* brings into the reach of *child*, a part of it."""
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
    """The dotted names among *tokens* whose last part is one of *last_names*, in lower case."""
    index = 0
    while index < len(tokens):
        kind = tokens[index].token_type.name
        before = tokens[index - 1].token_type.name if index else ""
        is_certain = before in _BEFORE_RELATIONS
        if before in ("ALIAS", "DOT") or not (kind in _NAMES or (is_certain and _is_word(tokens[index]))):
            index += 1
            continue
        end = index + 1
        while end + 1 < len(tokens) and tokens[end].token_type.name == "DOT":
            end += 2
        last = tokens[end - 1]
        after = tokens[end].token_type.name if end < len(tokens) else ""
        if last.text.casefold() in last_names and after not in ("L_PAREN", "STRING"):
            parts = tuple(_Part(one.text, one.token_type.name == "IDENTIFIER") for one in tokens[index:end:2])
            yield _Name(parts, tokens[index].start, last.end + 1, last.start, is_certain)
        index = end


def _is_word(token: Any) -> bool:
    return token.text.isidentifier() and token.token_type.name not in ("STRING", "SELECT", "WITH", "VALUES")


def _replaced(text: str, spellings: Sequence[tuple[_Name, str]]) -> str:
    """*text* with other words in the place of names."""
    pieces: list[str] = []
    done = 0
    for name, words in sorted(spellings, key=lambda one: one[0].start):
        pieces += [text[done : name.start], words]
        done = name.end
    return "".join([*pieces, text[done:]])


def _query_of(definition: str, dialect: str) -> _Query:
    """The query in *definition*, which may be a whole `CREATE VIEW`. Raises TokenError where it is no SQL."""
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
            text = _LATE_BINDING.sub("", definition[tokens[place].end + 1 : end])
            return _Query(text.strip(), head)
    return _Query(definition[:end].strip(), None)


def _columns_at(text: str, tokens: Sequence[Any], index: int) -> tuple[list[str], int]:
    """The names in the list of columns whose parenthesis is at *index*, as written; and what follows it."""
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
    """Why, without the parser's colours and inner words."""
    found = getattr(error, "errors", None) or [{}]
    reason = str(found[0].get("description") or error).partition(" but got ")[0]
    return " ".join(reason.split())[:200]
