"""Terms of selections that are about states, and so may match no node."""

from __future__ import annotations

import re

from recce_meta.graph.selection import definition_of
from recce_meta.graph.selector_syntax import SELECTOR
from recce_meta.graph.yaml_selectors import selector_definition, terms_of

_OF_STATE = re.compile(r"[\d+@]*(state|result|source_status):")
"""Selection methods with a result that may be empty: nothing was modified, nothing failed."""
_NAMED = re.compile(r"[\d+@]*selection:([\w.-]+)")
"""A selection that the configuration names."""
_YAML = re.compile(rf"[\d+@]*{SELECTOR}:(.+?)(?:\+\d*)?\Z")
"""A YAML selector of dbt."""


def is_of_state(part: str, within: tuple[str, ...] = ()) -> bool:
    """Return True if *part* has a method about states, or names a selection with such a part."""
    if (selector := _YAML.match(part)) is not None:
        terms = terms_of(selector_definition(selector[1]))
        return any(_OF_STATE.match(f"{term.method}:") for term in terms)
    named = _NAMED.match(part)
    if named is None or named[1] in within:
        return _OF_STATE.match(part) is not None
    texts = " ".join(definition_of(named[1])[0]).replace(",", " ")
    return any(is_of_state(inner, (*within, named[1])) for inner in texts.split())
