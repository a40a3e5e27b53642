"""What dbt refuses of property files, by recorded verdicts of dbt, and the words for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from recce_meta.extractors.sql_project.files import DbtRefusal
from recce_meta.extractors.sql_project.inputs import read_package
from recce_meta.extractors.sql_project.settings import read_settings
from recce_meta.extractors.sql_project.shapes import ENGINE, NEWER, OTHERS

CASES = Path(__file__).parents[3] / "data" / "yaml_shapes.txt"
PROJECT = {
    "dbt_project.yml": "name: shop",
    "models/a.sql": "select 1 as id",
    "models/b.sql": "{{ config(alias='b', materialized='table', tags=['q']) }} select 1 as id",
    "seeds/s.csv": "id,x\n1,2\n",
    "snapshots/sn.sql": "{% snapshot sn %}{{ config(target_schema='x', strategy='check', unique_key='id', "
    "check_cols='all') }} select 1 as id{% endsnapshot %}",
}
ALLOWED = {
    "refused": ("fails", "may_fail", "silent"),
    "engine": ("may_fail", "silent"),
    "older": ("may_fail", "silent"),
    "some": ("may_fail", "silent"),
    "accepted": ("silent",),
}
Judge = Callable[[str], list[DbtRefusal]]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Returns the refusals of the project with a property file of this text."""
    for name, text in PROJECT.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    settings = read_settings(tmp_path, [])

    def judge(text: str) -> list[DbtRefusal]:
        (tmp_path / "models/o.yml").write_text(text)
        warnings: list[str] = []
        read_package(settings, "", warnings)
        return [one for one in warnings if isinstance(one, DbtRefusal)]

    return judge


def test_no_claim_is_stronger_than_the_verdicts_of_dbt(judge: Judge) -> None:
    rows = [line.split(maxsplit=2) for line in CASES.read_text().splitlines() if line[0] != "#"]
    claims = {}
    for _, _, text in rows:
        doubts = [one.unless for one in judge(text)]
        claims[text] = "fails" if None in doubts else "may_fail" if doubts else "silent"

    assert claims == {text: claim for _, claim, text in rows}
    assert not [row for row in rows if row[1] not in ALLOWED[row[0]]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models: [{name: a, columns: hello}]", ["model 'a': columns is a text, not a list"]),
        (
            "models: [{name: a, config: {meta: [5]}}]",
            ["model 'a': config.meta is a list, not a mapping"],
        ),
        (
            "models: [{nam: a}, b]",
            ["an entry of models is a text, not a mapping", "an entry of models has no name"],
        ),
        ("exposures: [{name: e, type: ml}]", ["exposure 'e' has no owner"]),
        (
            "exposures: [{name: e, type: x, owner: {}}]",
            ["exposure 'e': type has a value that dbt does not know"],
        ),
        ("sources: [{name: s, tables: [{}]}]", ["source 's': an entry of tables has no name"]),
        (
            "analyses: [{name: an, columns: [{name: 5}]}]",
            ["analysis 'an': columns.name is a number, not a text"],
        ),
        # What is known at rendering only, or may be read in another way.
        ("models: [{name: \"{{ var('x') }}\", config: {tags: \"{{ var('x') }}\"}}]", []),
        ("exposures: [{name: e, type: \"{{ var('x') }}\", owner: {name: x}}]", []),
        ("models: [{name: 2026-01-01, columns: [{name: id, description: 2026-01-01}]}]", []),
        ("models: [{name: a, columns: [{name: id, tests: [{unique: \"{{ var('x') }}\"}]}]}]", []),
        ("models: \"{{ var('x') }}\"", []),
    ],
)
def test_sentences_have_the_words_of_yaml(judge: Judge, text: str, said: list[str]) -> None:
    refusals = judge(text)

    assert refusals == [f"models/o.yml: {one}" for one in said]
    assert not any(one.unless for one in refusals)


@pytest.mark.parametrize(
    ("entry", "said", "unless"),
    [
        ("description: ", "description is empty", ENGINE),
        ("constraints: [{type: x}]", "constraints.type has a value that dbt does not know", OTHERS),
        ("config: {tags: 5}", "config.tags is a number, not a text or a list", NEWER),
    ],
)
def test_what_some_dbt_reads_is_doubtful(judge: Judge, entry: str, said: str, unless: str) -> None:
    (refusal,) = judge(f"models: [{{name: a, {entry}}}]")

    assert (refusal, refusal.unless) == (f"models/o.yml: model 'a': {said}", unless)
