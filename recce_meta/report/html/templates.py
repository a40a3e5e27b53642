"""Jinja templates of the report and of the server's pages, in which every text is escaped.

Control characters are spelt out wherever a value is inserted. Lines of a template are joined without white
space, so that its layout does not become part of the page.
"""

from __future__ import annotations

import re
from functools import cache, partial
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from recce_meta.redaction import neutralise
from recce_meta.report.html.data import DATA_GLOBALS
from recce_meta.report.html.graph import GRAPH_GLOBALS
from recce_meta.report.html.nodes import NODE_GLOBALS
from recce_meta.report.values import count

_INDENTATION = re.compile(r"\n\s*")


PACKAGE = "recce_meta.report.html"


def render_template(name: str, **values: object) -> str:
    """Return the template *name* of this package with *values*."""
    return template_environment(PACKAGE).get_template(name).render(**values)


@cache
def static_file(name: str, package: str = PACKAGE) -> str:
    """Return a style sheet or a script of *package*."""
    return files(package).joinpath("static").joinpath(name).read_text(encoding="utf-8")


@cache
def template_environment(*packages: str) -> Environment:
    """Return the environment of the templates of *packages*; the first that has a template provides it."""
    environment = Environment(
        loader=ChoiceLoader([FunctionLoader(partial(_template, package)) for package in packages]),
        autoescape=True,
        finalize=_finalize,
        # A misspelled name must fail instead of leaving a gap in the page.
        undefined=StrictUndefined,
        # Templates are part of the package, so they do not change while it runs.
        auto_reload=False,
    )
    environment.globals |= DATA_GLOBALS | NODE_GLOBALS | GRAPH_GLOBALS
    environment.filters["attribute"] = _attribute
    environment.filters["source"] = _source
    # Only for our own style and script, and for JSON from `script_data`.
    environment.filters["trusted"] = Markup
    environment.filters["anchor"] = lambda name: name.lower().replace(" ", "-")
    environment.filters["times"] = DATA_GLOBALS["times"]
    return environment


def _template(package: str, name: str) -> str | None:
    file = files(package).joinpath("templates").joinpath(name)
    return _INDENTATION.sub("", file.read_text(encoding="utf-8")) if file.is_file() else None


def _finalize(value: Any) -> Any:
    """Return *value* as it is inserted: None is empty, and numbers have separators."""
    if value is None:
        return ""
    if hasattr(value, "__html__"):
        return value
    return count(value) if isinstance(value, int) else neutralise(str(value))


def _attribute(value: object) -> str:
    """Return a number without separators."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _source(text: str) -> Markup:
    """Return code, in which line breaks and tabs are preserved."""
    return escape(neutralise(text, keep="\n\t"))
