"""HTML that cannot be broken out of: text becomes markup in one place, and is escaped there."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

from recce_meta.report.characters import neutralise


class Markup(str):
    """HTML as it is; any other text is escaped where it meets markup."""

    __slots__ = ()


Child: TypeAlias = "Markup | str | int | Iterable[Child] | None"
Attribute: TypeAlias = str | int | float | bool | None

EMPTY = Markup("")
_VOID = frozenset({"br", "col", "hr", "input", "link", "meta", "wbr"})


def el(name: str, *children: Child, **attributes: Attribute) -> Markup:
    """An element. `class_` and `data_v` give `class` and `data-v`; None and False leave an attribute out.

    >>> el("p", "a < b", class_="note", hidden=True)
    '<p class="note" hidden>a &lt; b</p>'
    """
    told = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{told}>")
    return Markup(f"<{name}{told}>{join(children)}</{name}>")


def join(children: Iterable[Child], separator: str = "") -> Markup:
    """*children* one after the other; *separator* is text, too."""
    return Markup(text(separator).join(_child(child) for child in children))


def text(value: str) -> Markup:
    """*value* as a reader sees it: characters that do something are spelt out, HTML has no meaning."""
    return Markup(escape(neutralise(value)))


def source(value: str) -> Markup:
    """*value* where it is shown line by line: ends of lines and tabs stay what they are."""
    return Markup(escape(neutralise(value, keep="\n\t")))


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return text(child)
    return f"{child:,}" if isinstance(child, int) else join(child)


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    shown = f"{value:.6g}" if isinstance(value, float) else str(value)
    return f' {name}="{text(shown)}"'
