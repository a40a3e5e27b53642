"""Names of elements and metrics in the filters and groups of metrics and saved queries.

They are calls in templates: https://docs.getdbt.com/docs/build/metrics-overview#filters
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from recce_meta.models.lineage import UNSURE
from recce_meta.models.node import Json

_TEMPLATE = re.compile(r"\{\{(.*?)\}\}|\{%(.*?)%\}", re.DOTALL)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_WORD = re.compile(r"[A-Za-z_]\w*")
_CALLS = ("Dimension", "TimeDimension", "Entity", "Metric")


class ElementName(NamedTuple):
    """Element in a filter or group: `region__name` of `Dimension('region__name', ['customer'])`."""

    text: str
    path: tuple[str, ...] = ()
    is_metric: bool = False
    of_metric: str = ""
    """Metric that the element groups, in `Metric('orders', ['customer'])`."""
    confidence: float = 1.0

    @property
    def parts(self) -> list[str]:
        return [part for text in (*self.path, self.text) for part in text.split("__")]


def filter_texts(value: Json) -> Iterator[str]:
    """Yield the templates in a filter: text, a list, `where_sql_template` (dbt 1.6), or `where_filters`."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from filter_texts(one)
    elif isinstance(value, dict):
        for key in ("where_filters", "where_sql_template"):
            yield from filter_texts(value.get(key))


def names_in(text: str) -> list[ElementName]:
    """Return the elements and metrics that the templates in *text* name.

    >>> [(name.text, name.path) for name in names_in("{{ Dimension('region__name', ['customer']) }} = 'a'")]
    [('region__name', ('customer',))]
    """
    found: list[ElementName] = []
    for match in _TEMPLATE.finditer(text):
        template = (match[1] or match[2] or "").strip()
        try:
            tree = ast.parse(template, mode="eval")
        except (SyntaxError, ValueError, RecursionError):
            # Any text in it may be a name.
            words = [word.strip("'\"") for word in _QUOTED.findall(template)]
            found += [ElementName(word, confidence=UNSURE) for word in words if _WORD.fullmatch(word)]
            continue
        calls = [name for call in ast.walk(tree) if (names := _called(call)) for name in names]
        plain = [one.id for one in ast.walk(tree) if isinstance(one, ast.Name) and one.id not in _CALLS]
        found += calls or [ElementName(word) for word in plain]
    return found


def _called(call: ast.AST) -> list[ElementName]:
    """Return the names in a call such as `Dimension('order__status')`."""
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id not in _CALLS:
        return []
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    given = call.args[:1] or [value for key, value in keywords.items() if (key or "").endswith("name")]
    texts = _texts(given[0]) if given else []
    place = 2 if call.func.id == "TimeDimension" else 1
    path = _texts(call.args[place]) if len(call.args) > place else []
    if call.func.id == "Metric":
        groups = path or [text for value in keywords.values() for text in _texts(value)]
        metrics = [ElementName(text, is_metric=True) for text in texts]
        return [
            *metrics,
            *(ElementName(text, of_metric=texts[0]) for text in groups if texts and text != texts[0]),
        ]
    path = path or _texts(keywords.get("entity_path"))
    return [ElementName(text, tuple(path)) for text in texts]


def _texts(value: ast.AST | None) -> list[str]:
    """Return the text or texts of a literal."""
    if isinstance(value, ast.Constant):
        return [value.value] if isinstance(value.value, str) else []
    if isinstance(value, (ast.List, ast.Tuple)):
        return [text for one in value.elts for text in _texts(one)]
    return []
