"""Templates of profiles.yml beyond the budget are errors; what people write is rendered as before."""

from __future__ import annotations

import pytest

from recce_meta.errors import ProfileError
from recce_meta.profiles.rendering import Renderer

LONG = "x" * 100
BOMBS = (
    "{{ 10 ** 10 ** 80 ** 80 }}",
    "{{ 'x' * 10 ** 12 }}",
    "{{ [env_var('A')] * 10 ** 9 }}",
    "{{ '%0999999999d' % 1 }}",
    "{{ '%*d' % (999999999, 1) }}",
    "{{ 'x' | center(10 ** 11) }}",
    "{{ 'x' | indent(10 ** 11) }}",
    "{{ 'x'.ljust(10 ** 11) }}",
    "{{ '{:>9999999999}'.format(1) }}",
    "{{ '%09999999999d' | format(1) }}",
    "{{ (env_var('A') * 1000) | replace('x', env_var('A') * 1000) }}",
    "{{ (env_var('A') * 1000).replace('x', env_var('A') * 1000) }}",
    "".join(f"{{% for {name} in '{LONG}' %}}" for name in "abc") + "{% endfor %}" * 3,
    "{% macro a(n) %}{% if n > 0 %}{{ a(n - 1) }}{{ a(n - 1) }}{% endif %}{% endmacro %}{{ a(40) }}",
    "{% set a = env_var('A') %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
    "{% set a = env_var('A') %}" + "{% set a = a + a %}" * 40 + "{{ a }}",
    "{% set a = [env_var('A')] %}" + "{% set a = [a, a] %}" * 40 + "{{ a }} {{ a }}",
    "{% set a = [env_var('A')] %}" + "{% set a = [a, a] %}" * 40 + "{{ a | string }}",
    "{% set a = 3 %}" + "{% set a = a * a %}" * 40 + "{{ a }}",
    "{{ 'x'.translate({120: env_var('A') * 1000}) * 100 }}",
    "{{ 5 | round(-10 ** 9) }}",
    "{{ ([[1]] * 100000) | sum(start=[]) }}",
    "{{ 1.5 | string | batch(10 ** 9, 'x') | list }}",
    "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
)


@pytest.mark.parametrize("template", BOMBS)
def test_a_bomb_is_an_error(template: str) -> None:
    with pytest.raises(ProfileError):
        Renderer({"A": LONG}, {}).render(template)


def test_what_people_write_is_rendered_as_before() -> None:
    renderer = Renderer({"PORT": "5432", "NAMES": "a,b"}, {"schema": "prod"})
    for template, value in (
        ("{{ env_var('PORT') | as_number }}", 5432),
        ("{{ env_var('NOPE', 54321) | as_number }}", 54321),
        ("{{ var('account', 123456789012) }}", 123456789012),
        ("{{ '%s-20240101123456' % var('schema') }}", "prod-20240101123456"),
        ("{{ var('port', none) | default(123456789012, true) }}", 123456789012),
        ("{{ 2 * 3 }}", "6"),
        ("{{ 2 ** 3 }}", "8"),
        ("{{ 'dev' * 2 }}", "devdev"),
        ("{{ '%s_%s' % ('a', var('schema')) }}", "a_prod"),
        ("{{ '{}-{}'.format(var('schema'), 1) }}", "prod-1"),
        ("{{ env_var('NAMES') | replace(',', '_') | upper }}", "A_B"),
        ("{{ env_var('NAMES').split(',') | join('/') }}", "a/b"),
        ("{% for name in env_var('NAMES').split(',') %}{{ loop.index }}{{ name }}{% endfor %}", "1a2b"),
    ):
        assert renderer.render(template) == value, template
