"""Parsing of a masked template that may be half-typed: as a whole, in parts, or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot.errors import SqlglotError

from recce_meta.errors import RecceMetaError
from recce_meta.lsp.query_nodes import RELATIONS, NodeReader, ParsedText
from recce_meta.lsp.query_text import QueryText, TextQuality
from recce_meta.lsp.template import ModelTemplate
from recce_meta.sql_lineage.analyse import resolve_query
from recce_meta.sql_lineage.parse import tokens_of

Schemas = Mapping[str, Mapping[str, str | None]]
NOTHING = QueryText(TextQuality.NOTHING)


def read(
    template: ModelTemplate,
    dialect: str,
    schemas: Schemas,
    earlier: QueryText | None,
    cursor: int | None,
    timeout: float,
) -> QueryText:
    try:
        query = resolve_query(template.masked, dialect, schemas, timeout=timeout)
        return NodeReader(
            query, ParsedText(template, template.masked, tokens_of(template.masked, dialect)), cursor
        ).read(TextQuality.STRICT)
    except RecceMetaError:
        return NOTHING


def tables(template: ModelTemplate, dialect: str) -> Sequence[str]:
    """Return the identifiers in the mask of *template* that are read as tables."""
    relations = [name for name, call in template.masks.items() if call is not None and call.name in RELATIONS]
    try:
        words = {token.text.lower() for token in tokens_of(template.masked, dialect)}
    except SqlglotError:
        return relations
    return [name for name in relations if name in words]
