"""One edit at a time, with the truth for someone who reads the warehouse: nothing missed, nothing false."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from recce_meta.diff.changes import detect_changes
from recce_meta.models import COSMETIC, Change, Project, Reason, Status

DATA = Path(__file__).parents[2] / "data" / "state_cases"
ORACLE: dict[str, dict[str, Any]] = json.loads((DATA / "oracle.json").read_text(encoding="utf-8"))

UNTOLD = {
    # The two manifests differ in the checksum of a file that is not at hand: its line ends, or its rows?
    "seed_crlf": {"seed.jaffle_ext.raw_payments": {"data"}},
    # dbt hashes the path of a seed over 1 MiB, and the file is not at hand: the manifests are equal.
    "seed_large": {},
    # dbt renders the configuration in a model's YAML before it writes it: an edit looks the same.
    "target_ci": {"model.jaffle_ext.m_target_yml": {"config"}},
    "target_dev": {"model.jaffle_ext.m_target_yml": {"config"}},
}
"""What no artifact can tell, and what is answered instead."""

SEVERITY = "test.jaffle_ext.not_null_uses_ephemeral_order_id.932a5082c0"
REASONS: dict[str, dict[str, set[str]]] = {
    "access_changed": {"model.jaffle_ext.private_model": {"config"}},
    "analysis_body": {"analysis.jaffle_ext.adhoc": {"body"}},
    "cfg_alias": {"model.jaffle_ext.m_incr": {"relation"}},
    "cfg_grants": {"model.jaffle_ext.m_grants": {"config"}},
    "cfg_meta_yml": {"model.jaffle_ext.customer_segments": {"config"}},
    "cfg_schema": {"model.jaffle_ext.m_incr": {"relation"}},
    "cfg_tags_project": {"model.jaffle_ext.customer_segments": {"config"}},
    "cfg_unique_key": {"model.jaffle_ext.m_incr": {"config"}},
    "cfg_unique_key_sql": {"model.jaffle_ext.inc_events": {"config"}},
    "contract_col_desc": {"model.jaffle_ext.contracted": {"descriptions"}},
    "contract_type_versioned": {
        "model.jaffle_ext.dim_versioned.v1": {"contract"},
        "model.jaffle_ext.dim_versioned.v2": {"contract"},
    },
    "desc_col_pd_off": {"model.jaffle_ext.pd_off": {"descriptions"}},
    "desc_model_pd_off": {"model.jaffle_ext.pd_off": {"descriptions"}},
    "desc_model_pd_on": {"model.jaffle_ext.pd_on": {"descriptions"}},
    "doc_block": {
        "model.jaffle_ext.pd_on": {"descriptions"},
        "model.jaffle_ext.pd_off": {"descriptions"},
    },
    "env_var_project_meta": {
        "model.jaffle_ext.m_env_body": {"config"},
        "model.jaffle_ext.m_env_cfg": {"config"},
    },
    "exposure_owner": {"exposure.jaffle_ext.weekly_dashboard": {"config"}},
    "latest_version": {
        "model.jaffle_ext.dim_versioned.v1": {"config"},
        "model.jaffle_ext.dim_versioned.v2": {"config"},
        "model.jaffle_ext.private_model": {"compiled", "parents"},
    },
    "macro_dispatch_impl": {"model.jaffle_ext.m_dispatch": {"compiled", "macros"}},
    "python_config": {"model.jaffle_ext.py_orders": {"config"}},
    "seed_column_types": {"seed.jaffle_ext.country_codes": {"config"}},
    "seed_grew_large": {"seed.jaffle_ext.raw_orders": {"data"}},
    "semantic_measure": {
        "semantic_model.jaffle_ext.orders_sm": {"body"},
        "metric.jaffle_ext.revenue": {"compiled"},
        "metric.jaffle_ext.cum_revenue": {"compiled"},
    },
    "source_identifier": {
        "source.jaffle_ext.ecom.orders": {"relation"},
        "model.jaffle_ext.stg_orders": {"compiled"},
        "snapshot.jaffle_ext.orders_snapshot": {"compiled"},
    },
    "source_loaded_at": {"source.jaffle_ext.ecom.orders": {"config"}},
    "source_quoting": {
        "source.jaffle_ext.ecom.events": {"relation"},
        "source.jaffle_ext.ecom.orders": {"relation"},
        "model.jaffle_ext.stg_orders": {"compiled"},
        "model.jaffle_ext.inc_events": {"compiled"},
        "snapshot.jaffle_ext.orders_snapshot": {"compiled"},
    },
    "test_severity": {SEVERITY: {"config"}},
    "test_singular": {"test.jaffle_ext.assert_total": {"body"}},
    "test_where": {SEVERITY: {"config", "compiled"}},
    "var_project_config": {"model.jaffle_ext.m_var_config": {"config"}},
}
"""Why each node is modified; formatting and environment aside."""

ONE_REASON = {"macro_override_schema": "relation", "test_project_severity": "config"}
"""Variants that change many nodes for one and the same reason."""


def test_every_variant_of_the_oracle_is_at_hand(state_cases: Callable[[str], Project]) -> None:
    assert len(ORACLE) == 54
    assert all(state_cases(name).nodes for name in ORACLE)


ChangesOf = Callable[[str], dict[str, Change]]


@pytest.fixture(scope="module")
def changes_of(state_cases: Callable[[str], Project]) -> ChangesOf:
    """Return the function that detects the changes of a variant, once for all tests."""

    @cache
    def changes(name: str) -> dict[str, Change]:
        return detect_changes(state_cases("base"), state_cases(name))

    return changes


def test_what_changed_is_what_a_reader_of_the_warehouse_would_say(
    changes_of: ChangesOf, subtests: pytest.Subtests
) -> None:
    for name, case in ORACLE.items():
        with subtests.test(name):
            truth = case["expected_truth"]
            expected = set() if truth == "none" else set(truth)
            assert set(changed(changes_of(name))) == (set(UNTOLD[name]) if name in UNTOLD else expected)


def test_added_and_removed_nodes_are_told_as_such(changes_of: ChangesOf, subtests: pytest.Subtests) -> None:
    for name, case in ORACLE.items():
        truth = {} if case["expected_truth"] == "none" else case["expected_truth"]
        for kind in ("added", "removed"):
            with subtests.test(name, kind=kind):
                expected = {key for key, fact in truth.items() if fact["kind"] == kind}
                changes = changes_of(name).values()
                assert {one.unique_id for one in changes if one.status.value == kind} == expected


def test_every_modified_node_has_the_reasons_that_a_reader_expects(
    changes_of: ChangesOf, subtests: pytest.Subtests
) -> None:
    for name in ORACLE:
        with subtests.test(name):
            found = {
                unique_id: {reason.value for reason in set(change.reasons) - COSMETIC}
                for unique_id, change in changes_of(name).items()
                if change.status is Status.MODIFIED
            }
            if name in ONE_REASON:
                assert found == {key: {ONE_REASON[name]} for key in ORACLE[name]["expected_truth"]}
            else:
                assert found == UNTOLD.get(name, REASONS.get(name, {}))


@pytest.mark.parametrize("name", ["reparse", "checkout_elsewhere", "cfg_query_comment", "macro_unused"])
def test_where_nothing_differs_nothing_is_listed(name: str, state_cases: Callable[[str], Project]) -> None:
    changes = detect_changes(state_cases("base"), state_cases(name))
    assert changes == {}


@pytest.mark.parametrize("name", ["target_ci", "target_dev"])
def test_another_target_is_the_environment_for_every_relation(
    name: str, state_cases: Callable[[str], Project]
) -> None:
    changes = detect_changes(state_cases("base"), state_cases(name))
    moved = [change for change in changes.values() if Reason.ENVIRONMENT in change.reasons]
    assert len(moved) > 20
    assert all(Reason.RELATION not in change.reasons for change in changes.values())


def test_the_other_way_round_the_same_nodes_change(
    state_cases: Callable[[str], Project], changes_of: ChangesOf, subtests: pytest.Subtests
) -> None:
    opposite = {Status.ADDED: Status.REMOVED, Status.REMOVED: Status.ADDED}
    for name in ORACLE:
        with subtests.test(name):
            there = changes_of(name)
            back = detect_changes(state_cases(name), state_cases("base"))
            assert {one.unique_id: opposite.get(one.status, one.status) for one in there.values()} == {
                one.unique_id: one.status for one in back.values()
            }


def changed(changes: dict[str, Change]) -> list[str]:
    return [one.unique_id for one in changes.values() if one.status is not Status.UNCHANGED]
