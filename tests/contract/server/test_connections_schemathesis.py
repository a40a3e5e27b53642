"""Random requests about connections are answered as the OpenAPI document says."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.server.stores.stores import Store
from tests.contract.server.api_shop import check, described, shop_url
from tests.contract.server.connected_shop import API, CONNECTION, Connected, connected
from tests.contract.server.test_api_schemathesis import ALWAYS, QUICK

pytestmark = pytest.mark.extensive

SCHEMA = schemathesis.openapi.from_dict(described())
OPERATIONS = [
    (method, path)
    for path, methods in described()["paths"].items()
    for method in methods
    if path.startswith(API) and not path.endswith("/manifest")
]
"""Operations but uploads, each of which starts a process."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    """Yield a server of the shop's store with a state."""
    url = shop_url(tmp_path_factory)
    store = Store("default", lambda: UnifiedSqlAdapter.from_url(url))
    with connected(tmp_path_factory.mktemp("state"), store) as found:
        yield found


@pytest.mark.parametrize("method, path", OPERATIONS)
def test_requests_are_answered_as_described(shop: Connected, method: str, path: str) -> None:
    operation = SCHEMA[path][method.upper()]
    kinds = [operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode]

    @settings(QUICK, max_examples=6)
    @given(case=st.one_of(kinds), name=st.sampled_from(["shop", CONNECTION, "nothing"]))
    def run(case: schemathesis.Case, name: str) -> None:
        if case.method.lower() != method:
            return
        is_removal = method == "delete"
        parts = {"id": "nothing" if is_removal else name, "job": f"{CONNECTION}:main:1"}
        case.path_parameters = {key: parts[key] for key in case.path_parameters or {}}
        query = dict(case.query or {})
        if (method, path) == ("post", f"{API}/connections"):
            query["test"] = "false"  # a test would ask the host of a random address
        body = {"json": case.body} if _is_json(case.body) else {}
        answer = shop.client.request(case.method, case.formatted_path, params=query, **body)
        case.validate_response(answer, checks=ALWAYS)
        if not answer.is_success:
            check(answer.json(), {"$ref": "#/components/schemas/error_answer"})

    run()


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True
