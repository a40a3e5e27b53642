"""Whatever constants come to in Jinja, they come to when a template is only read."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from jinja2 import Environment

from recce_meta.extractors.jinja import jinja_dependencies

WORDS = ("'a'", "'stg'", "'X_y'", "'  q '", "'m_1'", "'one two-three'")
FILTERS = ("lower", "upper", "trim", "title", "capitalize", "replace('a', '_')", "default('z')", "string")
LISTS = (
    "sort",
    "reverse | list",
    "unique | list",
    "map('upper') | list",
    "select | list",
    "batch(2) | first",
)
METHODS = (
    "lower()",
    "upper()",
    "strip()",
    "split('_')[0]",
    "replace('_', 'x')",
    "partition('_')[2]",
    "title()",
)
JINJA = Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"])


class Templates:
    """Random templates without conditions that anything but a loop decides."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.names: list[str] = []
        self.lists: list[str] = []
        self.macros: list[str] = []
        self.count = 0

    def fresh(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def text(self, depth: int = 0) -> str:
        """An expression that is text."""
        pick = self.random.choice
        deeper: list[Callable[[], str]] = [
            lambda: f"({self.text(depth + 1)} ~ {self.text(depth + 1)})",
            lambda: f"({self.text(depth + 1)} | {pick(FILTERS)})",
            lambda: f"({self.text(depth + 1)}).{pick(METHODS)}",
            lambda: f"({self.text(depth + 1)}){pick(('[:3]', '[-2:]', '[::-1]'))}",
            lambda: f"({self.items(depth + 1)} | join({self.text(depth + 1)}))",
            lambda: f"({self.items(depth + 1)} | {pick(('first', 'last'))})",
            lambda: f"('%s_%s' % ({self.text(depth + 1)}, {self.text(depth + 1)}))",
            lambda: f"({self.items(depth + 1)} | length | string)",
            lambda: f"{{'k': {self.text(depth + 1)}, 'j': {self.text(depth + 1)}}}.{pick('kj')}",
        ]
        if self.macros:
            deeper.append(lambda: f"{pick(self.macros)}({self.text(depth + 1)})")
        if depth > 2 or self.random.random() < 0.3:
            return pick([*WORDS, *self.names])
        return pick(deeper)()

    def items(self, depth: int = 0) -> str:
        """An expression that is a list of texts."""
        if self.lists and self.random.random() < 0.3:
            return self.random.choice(self.lists)
        listed = ", ".join(f"({self.text(depth + 1)})[:9]" for _ in range(self.random.randrange(1, 4)))
        return f"([{listed}] | {self.random.choice(LISTS)})" if self.random.random() < 0.4 else f"[{listed}]"

    def body(self, depth: int = 0) -> str:
        """Statements."""
        return "".join(self.statement(depth) for _ in range(self.random.randrange(2, 5)))

    def statement(self, depth: int) -> str:
        kind, name = self.random.randrange(7 if depth < 1 else 4 if depth < 2 else 3), self.fresh()
        if kind == 0:
            text = f"{{% set {name} = ({self.text()})[:12] %}}"
            self.names.append(name)
            return text
        if kind == 3:
            known, self.names = self.names, [*self.names, name]
            lists, self.lists = self.lists, [*self.lists]
            first = f"{{% if loop.first %}}{{{{ ref('f' ~ {name}) }}}}{{% endif %}}"
            inner = self.body(depth + 1)
            self.names, self.lists = known, lists
            return f"{{% for {name} in {self.items()} %}}{inner}{first}{{% endfor %}}"
        if kind == 4:
            text = f"{{% set {name} %}}x{{{{ ({self.text()})[:9] }}}}{{% endset %}}"
            self.names.append(name)
            return text
        if kind == 5:
            items = f"{{% set {name} = {self.items()} %}}{{% do {name}.append({self.text()}) %}}"
            self.lists.append(name)
            return items
        if kind == 6 and depth == 0:
            body = f"{{% set t = p | lower %}}{{{{ t[:9] ~ {self.text()} }}}}"
            self.macros.append(name)
            return f"{{% macro {name}(p) %}}{body}{{% endmacro %}}"
        return f"{{{{ ref({self.text()}) }}}} "


def test_references_are_those_that_rendering_makes(subtests: pytest.Subtests) -> None:
    for seed in range(100):
        with subtests.test(seed=seed):
            template = Templates(seed).body()
            seen: set[str] = set()
            JINJA.from_string(template).render(ref=seen.add)

            found = jinja_dependencies(template)

            assert {name for _, name, _ in found.refs} == seen, template
            assert not found.dynamic
