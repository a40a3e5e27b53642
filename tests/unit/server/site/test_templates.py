"""Templates are compiled before pages need them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment

from recce_meta import server
from recce_meta.report.html import templates
from recce_meta.server.site import rendering

PACKAGES = (server.__file__, templates.__file__)
TEMPLATES = {path.name for package in PACKAGES for path in Path(package).with_name("templates").iterdir()}


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Return the names of the templates that are compiled, in an environment without any."""
    names: list[str] = []
    real = Environment.compile

    def compile_one(self: Environment, source: str, name: str | None = None, *given: object) -> object:
        names.append(str(name))
        return real(self, source, name, *given)  # type: ignore[call-overload]

    monkeypatch.setattr(Environment, "compile", compile_one)
    rendering.environment.cache_clear()
    rendering.template_environment.cache_clear()
    yield names
    rendering.environment.cache_clear()
    rendering.template_environment.cache_clear()


def test_every_template_is_compiled_once_before_pages_need_it(compiled: list[str]) -> None:
    rendering.compile_templates(pause=0)

    assert sorted(compiled) == sorted(TEMPLATES)
    compiled.clear()
    for name in TEMPLATES:
        rendering.environment().get_template(name)
    assert compiled == []
