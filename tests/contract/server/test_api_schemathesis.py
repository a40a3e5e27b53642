"""Random requests that fit the OpenAPI document, and requests that do not, are answered as it says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.contract.server.api_shop import PROJECT, check, described, serving, shop_url

pytestmark = pytest.mark.extensive

SCHEMA = schemathesis.openapi.from_dict(described())
OPERATIONS = {path: SCHEMA[path]["GET"] for path in described()["paths"] if path.startswith("/api/stores")}
KNOWN = {
    "project": [PROJECT],
    "run": ["latest", "base", "current", "current~1", "branch:main"],
    "node": ["orders", "stg_orders", "model.jaffle_shop.customers"],
    "column": ["status", "STATUS", "order_id"],
    "name": ["orders", "orders.status", "customers"],
    "table": ["orders"],
    "limit": [1, 2, 500],
    "q": ["order"],
}
"""Values that lead to answers: others seldom name anything."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with serving(shop_url(tmp_path_factory)) as client:
        yield client


def _checks(*names: str) -> list[schemathesis.CheckFunction]:
    return schemathesis.checks.CHECKS.get_by_names(names)


ALWAYS = _checks(
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
QUICK = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


def send(client: TestClient, case: schemathesis.Case) -> object:
    """Return the response to *case*."""
    return client.get(case.formatted_path, params=dict(case.query or {}))


@pytest.mark.parametrize("path", OPERATIONS)
def test_valid_requests_are_answered_as_described(client: TestClient, path: str):
    operation = OPERATIONS[path]
    names = [one.name for one in operation.query]
    needed = {one.name for one in operation.query if one.is_required} | (
        set() if path.endswith("/tables") else {"project", "run"}  # those runs are scans of another project
    )
    plain = {name: KNOWN[name][0] for name in names if name in needed}
    first = operation.Case(path_parameters={"store": "default"} if "{store}" in path else {}, query=plain)
    answer = send(client, first)
    assert answer.status_code == 200, answer.text
    first.validate_response(answer, checks=ALWAYS)

    @QUICK
    @given(case=operation.as_strategy(), data=st.data())
    def run(case: schemathesis.Case, data: st.DataObject) -> None:
        if "store" in case.path_parameters:
            case.path_parameters["store"] = data.draw(st.sampled_from(["default"] * 9 + ["~"]))
        case.query.pop("cursor", None)
        for name in KNOWN.keys() & set(names):
            if name in case.query or data.draw(st.booleans()):
                case.query[name] = data.draw(st.sampled_from(KNOWN[name]))
        case.validate_response(send(client, case), checks=ALWAYS)

    run()


@pytest.mark.parametrize("path", OPERATIONS)
def test_random_and_invalid_requests_fail_in_one_form(client: TestClient, path: str):
    operation = OPERATIONS[path]
    kinds = [operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode]

    @QUICK
    @given(case=st.one_of(kinds))
    def run(case: schemathesis.Case) -> None:
        if case.method != "GET":
            return
        response = send(client, case)
        case.validate_response(response, checks=ALWAYS)
        if response.status_code != 200:
            check(response.json(), {"$ref": "#/components/schemas/error_answer"})

    run()
