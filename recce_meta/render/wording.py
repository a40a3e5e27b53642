"""Errors of Jinja in the words of this project."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from jinja2 import TemplateSyntaxError

from recce_meta.errors import TemplateError, first_of, quoted, shortened
from recce_meta.render.functions import FUNCTIONS
from recce_meta.render.macros import NO_MACROS
from recce_meta.render.names import DBT_NAMES
from recce_meta.render.operations import ADDRESS
from recce_meta.render.sandbox import UnknownName
from recce_meta.render.variables import LONGEST_SHOWN

if TYPE_CHECKING:
    from recce_meta.render.names import Scope
    from recce_meta.render.notes import Notes

_KIND = r"<\1>"
KNOWN = "a name of dbt's, a macro, a package, or something set before it is used"


def unknown_name(error: UnknownName, scope: Scope) -> TemplateError:
    """The error for a name that nothing has, with the nearest ones."""
    name, library = error.name, scope.project.library
    if error.owner is not None:
        return TemplateError(
            f"A value of type {error.owner} has no '{name}'",
            name=name,
            hint="ask first whether it is defined: … is defined",
        )
    elsewhere = library.namespaces_of(name)
    known = [known for known in (*DBT_NAMES, *FUNCTIONS) if not known.startswith("_")]
    near = [f"{package}.{name}" for package in elsewhere]
    near += get_close_matches(name, known, n=2) or library.near(name)
    if near:
        hint = "did you mean " + " or ".join(f"'{match}'" for match in near[:3]) + "?"
    else:
        hint = f"it is not {KNOWN}" + (f"; {NO_MACROS}" if library.is_empty else "")
    return TemplateError(f"Unknown name '{name}'", name=name, hint=hint)


def fault(error: Exception, notes: Notes) -> TemplateError:
    """Return the error for what Python or Jinja raised, with the inferred variables that may explain it."""
    problem = f"{type(error).__name__}: {ADDRESS.sub(_KIND, str(error))}"
    if not notes.inferred:
        return TemplateError(problem)
    values = [
        f"'{name}' = {shortened(quoted(found.value), LONGEST_SHOWN)}"
        for name, found in notes.inferred.items()
    ]
    variables = "variable" if len(values) == 1 else "variables"
    return TemplateError(
        f"{problem}, with the inferred {variables} {first_of(values, 5)}",
        name=next(iter(notes.inferred)),
        hint="--vars (variables= in Python) sets a variable that was inferred wrongly",
    )


def syntax_error(error: TemplateSyntaxError) -> TemplateError:
    """The error for text that is not Jinja."""
    message = (error.message or "not valid Jinja").rstrip(".")
    word = re.search(r"'([^']+)'", message)
    return TemplateError(
        f"Not valid Jinja: {message}",
        name=word[1] if word else None,
        hint="check that every tag, quote and bracket is closed",
    )
