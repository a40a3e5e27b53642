"""Templates that mean harm: one clear error, soon, and nothing within reach."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest

from recce_meta.errors import TemplateError
from recce_meta.render import Limits, SimpleTemplateRenderer, TemplateContext
from recce_meta.render.limits import SafePattern

DOUBLED = (
    "{% set s = namespace(l=['x'], m=['x'], t=('x',)) %}{% for i in range(99) %}{% set s.l = [s.l, s.l] %}"
)
DOUBLED += "{% set s.m = [s.m, s.m] %}{% set s.t = (s.t, s.t) %}{% endfor %}"

ENDLESS = [
    "{% for i in range(10**9) %}x{% endfor %}",
    "{% for a in range(99999) %}{% for b in range(99999) %}{{ a }}{% endfor %}{% endfor %}",
    "{% for i in range(99999) %}" + "x" * 10_000 + "{% endfor %}",
    "{% macro f() %}{{ dbt_macro__f() }}{% endmacro %}{{ dbt_macro__f() }}",
    "{% macro f(n) %}{% if n %}{% set g = dbt_macro__f %}{{ g(n-1) }}{{ g(n-1) }}{% endif %}{% endmacro %}"
    "{{ dbt_macro__f(60) }}",
    "{% for i in [1, 2] recursive %}{{ loop([1, 2]) }}{% endfor %}",
    "{% block a %}{{ self.a() }}{% endblock %}",
    "{{ range(99999) | map('upper') | map('lower') | map('title') | list | length }}" * 50,
    "{{ 'a' * 10**9 }}",
    "{{ 10**9 * 'a' }}",
    "{{ [0] * 10**9 }}",
    "{{ (0,) * 10**9 }}",
    "{{ 2**99999999 }}",
    "{% set s = namespace(x=2) %}{% for i in range(99) %}{% set s.x = s.x * s.x %}{% endfor %}{{ s.x }}",
    "{% set s = namespace(x='ab') %}{% for i in range(99) %}{% set s.x = s.x ~ s.x %}{% endfor %}",
    "{% set s = namespace(x='ab') %}{% for i in range(99) %}{% set s.x = s.x + s.x %}{% endfor %}",
    "{% set s = namespace(x=[1]) %}{% for i in range(99) %}{% set s.x = s.x + s.x %}{% endfor %}",
    "{% set s = namespace(x='ab') %}{% for i in range(99) %}{% set x %}{{ s.x }}{{ s.x }}{% endset %}"
    "{% set s.x = x %}{% endfor %}",
    "{% set l = [1] %}{% for i in range(99) %}{% do l.extend(l) %}{% endfor %}",
    "{% set s = 'a' * 9999999 %}{% set l = [] %}"
    "{% for i in range(9999) %}{% do l.append(s[1:]) %}{% endfor %}",
    DOUBLED + "{{ s.l }}",
    DOUBLED + "{{ 'x' ~ s.l }}",
    DOUBLED + "{{ s.l == s.m }}",
    DOUBLED + "{{ s.l in [s.m] }}",
    DOUBLED + "{{ s.l is eq(s.m) }}",
    DOUBLED + "{{ {s.t: 1} }}",
    DOUBLED + "{{ {}[s.t] }}",
    DOUBLED + "{{ tojson(s.l) }}",
    DOUBLED + "{{ [s.l].index(1) }}",
    DOUBLED + "{{ set([s.t]) }}",
    DOUBLED + "{{ [s.t] | unique | list }}",
    "{{ '{:>1000000000}'.format('a') }}",
    "{{ '{:{}}'.format('a', 1000000000) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%*d' % (1000000000, 1) }}",
    "{{ '%1000000000d' | format(1) }}",
    "{{ ('%(a)s' * 9999) % {'a': 'x' * 99999} }}",
    "{{ 'a' | center(10**9) }}",
    "{{ 'a'.ljust(10**9) }}",
    "{% filter center(10**9) %}a{% endfilter %}",
    "{{ ('a\n' * 9999) | indent(9999) }}",
    "{{ ('a\n' * 9999) | indent('x' * 99999) }}",
    "{{ range(99999) | join('a' * 9999) }}",
    "{{ ('a' * 9999).join(['x'] * 99999) }}",
    "{{ ('a' * 99999) | replace('a', 'b' * 99999) }}",
    "{{ ('a' * 99999).replace('', 'b' * 99999) }}",
    "{{ ('ab,' * 5000000).split(',') | length }}",
    "{{ ('ab' * 5000000) | list | length }}",
    "{{ ([[1]] * 99999) | sum(start=[]) | length }}",
    "{{ [1] | batch(10**9, 'x') | list }}",
    "{{ [1] | tojson(indent=10**9) }}",
    "{{ modules.re.match('(a+)+$', 'a' * 40 ~ 'b') }}",
    "{{ modules.re.match('(a|aa)+$', 'a' * 60 ~ 'b') }}",
    "{{ modules.re.match('(a?){40}a{40}', 'a' * 40) }}",
    "{{ modules.re.match('a*a*a*a*a*a*b', 'a' * 400) }}",
    "{{ modules.re.sub('a', 'b' * 99999, 'a' * 99999) }}",
    "{{ modules.itertools.product(range(999), range(999), range(999)) }}",
    "{{ modules.itertools.combinations(range(99999), 50000) }}",
    "{{ zip(*[range(99999)] * 999) | length }}",
    "{{ zip_strict(*[range(99999)] * 999) | length }}",
    "{{ modules.re.compile('a' * 1000000) }}",
    "{{ ('a ' * 1000000) | wordwrap(1) }}",
    "{% for i in range(9999) %}{% do modules.re.compile('ab{1}' * 900 ~ i) %}{% endfor %}",
    "{% for i in range(9999) %}{% do fromyaml('[a, b],' * 2500 ~ i) %}{% endfor %}",
    "{{ fromyaml('[' * 99999) }}",
    "{% for i in range(9999) %}{{ graph.nodes.values() | list | length }}{% endfor %}" * 99,
    "{{ fromjson('[' * 99999) }}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ " + "+".join(["1"] * 20_000) + " }}",
    "{{ 'x'" + "~'x'" * 99_999 + " }}",
    "{% for i in [1] %}" * 50 + "{% endfor %}" * 50,
]

REACHING = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ ''['\\x5f_class__'] }}",
    "{{ '' | attr('__class__') }}",
    "{{ [''] | map(attribute='__class__') | list }}",
    "{{ [''] | sort(attribute='__class__.__mro__') }}",
    "{{ [''] | selectattr('__class__') | list }}",
    "{{ [''] | map('attr', '__class__') | list }}",
    "{{ '{0.__class__}'.format('') }}",
    "{{ '{a.__class__}'.format_map({'a': ''}) }}",
    "{{ '{0[x]}'.format({'x': 1}) }}",
    "{{ [].append.__self__ }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ lipsum.__globals__ }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ namespace.__init__ }}",
    "{{ nope.__class__ }}",
    "{{ self.__init__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ ref.__globals__ }}",
    "{{ ref.__func__ }}",
    "{{ config.__class__ }}",
    "{{ config._scope }}",
    "{{ var._scope }}",
    "{{ adapter._scope }}",
    "{{ context._names }}",
    "{{ context['__class__'] }}",
    "{{ target._facts }}",
    "{% macro f() %}{% endmacro %}{{ dbt_macro__f._func }}",
    "{% for i in [1] %}{{ loop._iterator }}{% endfor %}",
    "{{ modules.datetime.datetime.__subclasses__() }}",
    "{{ modules.re.match('a', 'a').re.__class__ }}",
    "{{ modules.os }}",
    "{{ 'a'.encode('utf-8') }}",
    "{{ env_var('DBT_ENV_SECRET_KEY') }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% from 'os' import path %}",
    "{% extends 'a' %}",
]


@pytest.mark.cases(8)
@pytest.mark.parametrize("template", ENDLESS, ids=range(len(ENDLESS)))
def test_what_would_never_end_is_an_error_soon(template: str) -> None:
    renderer = SimpleTemplateRenderer(None, [])
    started = process_time()

    with pytest.raises(TemplateError) as caught:
        renderer.render(template)

    assert caught.value.line is not None
    assert process_time() - started < 5, "a second of a processor is what it takes at most"


@pytest.mark.parametrize("template", REACHING)
def test_nothing_leads_to_pythons_internals(template: str) -> None:
    renderer = SimpleTemplateRenderer(
        None, [], context=TemplateContext(environ={"DBT_ENV_SECRET_KEY": "hidden"})
    )

    with pytest.raises(TemplateError) as caught:
        renderer.render(template)

    assert (caught.value.line, caught.value.hint == "") == (1, False)
    assert "hidden" not in str(caught.value)


def test_a_second_rendering_has_a_budget_of_its_own() -> None:
    renderer = SimpleTemplateRenderer(None, [], limits=Limits(steps=1_000))
    template = "{% for i in range(800) %}{% endfor %}"

    assert renderer.render(template) == renderer.render(template) == ""
    with pytest.raises(TemplateError, match="more than 1,000 steps"):
        renderer.render(template * 2)


def test_aliases_in_yaml_that_repeat_too_much_are_refused(render: Any) -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 99)}]\n" for n in range(1, 9))

    with pytest.raises(TemplateError, match="text for fromyaml\\(\\) repeats more than 500,000 values"):
        render(f"{{{{ fromyaml('a0: &a0 [x]\n{levels}') }}}}")


def test_objects_in_yaml_stay_text_or_nothing(render: Any) -> None:
    assert render("{{ fromyaml('!!python/object/apply:os.system [id]', 'none') }}") == "none"
    with pytest.raises(TemplateError, match="merges"):
        render("{{ fromyaml('a: &a {b: 1}\nc: {<<: *a}') }}")


@pytest.mark.parametrize(
    "pattern", ["[a-z_]+", r"(\d+)-(\d+)", "^a|b$", r"\s+", "(?i)abc", "(?:ab){3}", "a{2,5}", "(a)\\1"]
)
def test_plain_patterns_are_served(pattern: str) -> None:
    assert isinstance(SafePattern(pattern).findall("abc 12-34 aa"), list)


@pytest.mark.parametrize("pattern", ["(a*)*", "(ab|a)*", "((a{1,5}){1,5})", "(", "a{2000}"])
def test_costly_or_broken_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(TemplateError):
        SafePattern(pattern)
