"""`--selector NAME`: dbt's YAML selectors in every command that selects nodes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

SELECTORS = """\
selectors:
  - name: customers_only
    default: true
    definition: {method: fqn, value: customers}
  - name: marts
    definition:
      union:
        - orders
        - {method: selector, value: customers_only}
        - exclude: [orders]
  - name: modified
    definition: {method: state, value: modified.macros}
  - name: two words
    definition: orders
"""


def names(ran: Any) -> list[str]:
    assert ran.code == 0, ran.err
    return sorted(change["name"] for change in json.loads(ran.out)["changes"])


@pytest.fixture
def in_project(store: Any) -> Any:
    (store.folder / "dbt_project.yml").write_text("name: jaffle_shop\nprofile: shop\nversion: '1.0'\n")
    (store.folder / "selectors.yml").write_text(SELECTORS)
    return store


def test_a_selector_of_the_project_selects_the_nodes_of_a_diff(in_project: Any) -> None:
    by_name = in_project("diff", "--selector", "marts", "--format", "json")

    assert names(by_name) == names(in_project("diff", "--select", "customers", "--format", "json"))
    assert names(by_name) == names(in_project("diff", "-s", "selector:marts", "--format", "json"))
    assert "customers" in names(by_name)
    assert f"Selectors are from {in_project.folder / 'selectors.yml'}" in by_name.err
    assert len(names(in_project("diff", "--format", "json"))) > len(names(by_name)), "no default applies"


def test_every_command_with_a_selection_has_it(in_project: Any, tmp_path: Path) -> None:
    exported = in_project("export", "current", "--selector", "customers_only")
    counted = in_project("schema", "--selector", "customers_only", "--stored", "--format", "json")
    refused = in_project("quality", "--selector", "custmers_only", "--run", "current")
    unnamed = in_project("quality", "--selector", "", "--run", "current")

    assert [one["name"] for one in json.loads(exported.out)["nodes"]] == ["customers"]
    assert '"customers"' in counted.out
    assert '"orders"' not in counted.out
    assert refused.code == 2
    assert "did you mean 'customers_only'?" in refused.err
    assert (unnamed.code, "--selector needs a name" in unnamed.err) == (2, True)


def test_without_the_file_the_manifest_of_the_target_folder_is_read(in_project: Any) -> None:
    definition = {"name": "from_dbt", "definition": {"method": "fqn", "value": "customers"}}
    (in_project.folder / "selectors.yml").unlink()
    (in_project.folder / "target").mkdir()
    with gzip.open(in_project.folder / "target" / "manifest.json.gz", "wt") as file:
        json.dump({"metadata": {}, "selectors": {"from_dbt": definition}}, file)

    ran = in_project("diff", "--selector", "from_dbt", "--format", "json")

    assert "customers" in names(ran)
    assert "orders" not in names(ran)
    assert "manifest.json.gz" in ran.err


def test_an_unknown_selector_is_an_error_with_a_suggestion(in_project: Any) -> None:
    ran = in_project("diff", "--selector", "mart")

    assert ran.code == 2
    assert "Unknown selector 'mart' in " in ran.err
    assert "did you mean 'marts'?" in ran.err


@pytest.mark.parametrize("option", ["--select", "--exclude"])
def test_a_selector_and_a_selection_exclude_each_other(in_project: Any, option: str) -> None:
    ran = in_project("diff", "--selector", "marts", option, "orders")

    assert ran.code == 2
    assert f"--selector cannot be combined with {option}" in ran.err


@pytest.mark.extensive
def test_a_selector_replaces_the_selection_of_the_file_and_yields_to_the_command_line(
    in_project: Any,
) -> None:
    (in_project.folder / "recce_meta.yml").write_text("select: orders\nexclude: customers\n")
    from_variable = in_project.within(RECCE_META_SELECTOR="marts")

    assert "customers" in names(in_project("diff", "--selector", "marts", "--format", "json"))
    assert "customers" in names(from_variable("diff", "--format", "json"))
    assert "customers" not in names(from_variable("diff", "-s", "orders", "--format", "json"))


def test_a_gate_accepts_a_selector_of_states_without_nodes(in_project: Any) -> None:
    assert in_project("diff", "--selector", "modified", "--fail-on", "breaking").code == 0


def test_a_name_with_blanks_is_refused(in_project: Any) -> None:
    ran = in_project("diff", "--selector", "two words")

    assert ran.code == 2
    assert "its name contains a blank" in ran.err
