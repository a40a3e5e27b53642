"""`var`: whose word counts."""

from __future__ import annotations

from typing import Any

import pytest

from recce_meta.errors import TemplateError
from recce_meta.profiles import ProjectSettings

SETTINGS = ProjectSettings(
    name="shop",
    variables={
        "day": "2024-01-01",
        "limit": 5,
        "statuses": ["new", "old"],
        "orders": "{{ ref('orders') }}",
        "several": "{{ var('day') }} and {{ 1 + 1 }}",
        "crm": {"day": "2025-05-05"},
    },
    packages={"crm": {"day": "1999-09-09", "table": "{{ ref('accounts') }}"}},
    search_orders={"utils": ("shop", "utils")},
)


def test_what_the_command_line_says_wins_over_the_project(shop: Any) -> None:
    renderer = shop.renderer(settings=SETTINGS, variables={"day": "today"})

    assert renderer.render("{{ var('day') }} {{ var('limit') + 1 }}", node="model.crm.accounts") == "today 6"


@pytest.mark.parametrize(
    ("template", "node", "text"),
    [
        ("{{ var('day') }}", None, "2024-01-01"),
        ("{{ var('day') }}", "model.shop.orders", "2024-01-01"),
        ("{{ var('day') }}", "model.crm.accounts", "2025-05-05"),
        ("{{ var('table') }}", "model.crm.accounts", '"wh"."main"."accounts"'),
        ("{{ var('orders') }}", None, '"wh"."main"."orders"'),
        ("{{ var('several') }}", None, "2024-01-01 and 2"),
        ("{% for s in var('statuses') %}{{ s }} {% endfor %}", None, "new old "),
        ("{{ var('day', 'never') }}{{ var('none', '{{ this }}') }}", None, "2024-01-01{{ this }}"),
        ("{{ var.has_var('day') }} {{ var.has_var('table') }}", None, "True False"),
    ],
)
def test_a_project_says_what_its_variables_are(shop: Any, template: str, node: str, text: str) -> None:
    assert shop.renderer(settings=SETTINGS).render(template, node=node) == text


def test_a_variable_that_holds_jinja_is_text_as_in_dbt(shop: Any) -> None:
    settings = ProjectSettings(name="shop", variables={"one": "{{ 1 }}"})

    with pytest.raises(TemplateError, match="TypeError"):
        shop.renderer(settings=settings).render("{{ var('one') + 1 }}")


def test_a_template_cannot_change_a_variable(shop: Any) -> None:
    renderer = shop.renderer(settings=SETTINGS)

    renderer.render("{% do var('statuses').append('x') %}")

    assert renderer.render("{{ var('statuses') | length }}") == "2"


def test_it_is_told_which_variables_are_the_projects_and_which_are_defaults(shop: Any) -> None:
    renderer = shop.renderer(settings=SETTINGS)

    renderer.render("{{ var('day') }} {{ var('other', 1) }}")

    assert renderer.project_variables == {"day"}
    assert renderer.assumed_variables == {"other"}
    assert renderer.inferred_variables == {}


def test_dispatch_looks_where_the_project_says(shop: Any) -> None:
    macros = (
        shop.macro("default__now", "default__now() %}of the package", package="utils"),
        shop.macro("now", "now() %}{{ adapter.dispatch('now', 'utils')() }}", package="utils"),
        shop.macro("default__now", "default__now() %}of another", package="spare"),
    )
    settings = ProjectSettings(name="shop", search_orders={"utils": ("spare", "utils")})

    assert shop.renderer(macros=macros).render("{{ utils.now() }}") == "of the package"
    assert shop.renderer(macros=macros, settings=settings).render("{{ utils.now() }}") == "of another"


def test_a_variable_nobody_knows_is_an_error_that_says_where_to_give_it(shop: Any) -> None:
    with pytest.raises(TemplateError) as caught:
        shop.renderer(settings=SETTINGS).render("{{ var('unheard') }}")

    assert caught.value.name == "unheard"
    assert "--vars '{unheard: …}'" in (caught.value.hint or "")
