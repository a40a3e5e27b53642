"""Effective settings and their sources, for the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from recce_meta.redaction import harmless_json
from recce_meta.report.terminal import Line, Span, Style, render, table

SCHEMA = "recce_meta/config/v1"


class EffectiveSetting(Struct, frozen=True, kw_only=True):
    """One setting."""

    key: str
    """Key of the configuration, such as `store.url`, or name of a variable."""
    value: bool | int | float | str | Sequence[str] | None
    """Effective value; None if there is none, or `default` describes it."""
    origin: str
    """`option`, `environment RECCE_META_BASE`, file and line, or `default`."""
    default: str | None = None
    """Description of a default that is not a fixed value."""


class SettingsDocument(Struct, kw_only=True):
    """Output of `config --format json`."""

    schema: str = SCHEMA
    files: Sequence[str]
    """Files that were read."""
    node: str | None
    """Unique id of the node that the settings are of; null for the settings of all commands."""
    settings: Sequence[EffectiveSetting]


def settings_text(
    settings: Sequence[EffectiveSetting], *, files: Sequence[str], width: int, color: bool
) -> str:
    """Return one line per setting, after the *files* that were read."""
    headings = [Span("setting", Style.DIM), Span("value", Style.DIM), Span("source", Style.DIM)]
    rows = [headings, *([Span(one.key), Span(_shown(one)), Span(one.origin)] for one in settings)]
    return render([*_heading(files), *table(rows, indent=0)], width=width, color=color)


def _heading(files: Sequence[str]) -> Iterator[Line]:
    names = files or ["none: recce_meta.yml and [tool.recce-meta] in pyproject.toml do not exist"]
    for position, name in enumerate(names):
        yield (Span("Configuration  " if not position else " " * 15, Style.DIM), Span(name))
    yield (Span(""),)


def _shown(one: EffectiveSetting) -> str:
    return one.default if one.value is None and one.default is not None else _plain(one.value)


def _plain(value: Any) -> str:
    """Return *value* as it is written in a table."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    return (
        value if isinstance(value, str) else ", ".join(value) if isinstance(value, Sequence) else f"{value:g}"
    )


def settings_json(
    settings: Sequence[EffectiveSetting], *, files: Sequence[str], node: str | None = None
) -> str:
    """Return the settings as JSON, with the *files* that were read, and the *node* that they are of."""
    document = SettingsDocument(files=files, node=node, settings=settings)
    return harmless_json(msgspec.json.format(msgspec.json.encode(document), indent=2)).decode() + "\n"
