"""Forms that start data diffs, and the query editor: from each page to a result, as users send them."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.adapter import OpenLink
from recce_meta.adapter.pool import Pool
from recce_meta.api.browse.query_text import called_relations
from recce_meta.report.addresses import Addresses
from recce_meta.server.access.scopes import Permissions
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.pages.forms.editor import graph_actions
from recce_meta.server.stores.stores import Store
from tests.contract.server import data_shop
from tests.contract.server.data_shop import (
    ALONE,
    BASE,
    BOARD,
    CURRENT,
    HIDDEN,
    ITEMS,
    NEW,
    ODD,
    ORDERS,
    UNBUILT,
    UNIQUE,
)
from tests.contract.server.rich_store import parsed
from tests.e2e.conftest import Cli

pytestmark = pytest.mark.core("duckdb")

TO = Addresses("default")
SECONDS = 60.0
SQL = 'select id, amount from {{ ref("orders") }} order by id limit 100'


class Shop(NamedTuple):
    """A server of the shop, and where its store is."""

    client: TestClient
    store: Store
    url: str
    schema: str


def served(url: str, schema: str, permissions: Permissions) -> Iterator[Shop]:
    store = Store(
        "default",
        lambda: UnifiedSqlAdapter.from_url(url, may_create=False).at(schema),
        permissions=permissions,
    )
    app = create_app({"default": store}, Access())
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as client:
        yield Shop(client, store, url, schema)


@pytest.fixture(scope="module")
def duckdb_place(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    url = f"duckdb:///{tmp_path_factory.mktemp('shop') / 'shop.duckdb'}"
    with UnifiedSqlAdapter.from_url(url) as adapter:
        data_shop.build(adapter, "meta")
    return url, "meta"


@pytest.fixture(scope="module")
def postgres_place(postgres_url: str) -> Iterator[tuple[str, str]]:
    schema = f"forms_{uuid4().hex[:12]}"
    with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
        data_shop.build(adapter, schema)
        yield postgres_url, schema
        data_shop.drop(adapter, schema)


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """Yield a server that starts and saves data diffs, on each warehouse."""
    url, schema = request.getfixturevalue(f"{request.param}_place")
    yield from served(url, schema, Permissions(queries=True, writes=True))


@pytest.fixture(scope="module")
def duckdb_shop(duckdb_place: tuple[str, str]) -> Iterator[Shop]:
    yield from served(*duckdb_place, Permissions(queries=True))


class Form(NamedTuple):
    """Form of a page, with its hidden fields and the names of the others."""

    action: str
    hidden: dict[str, str]
    fields: list[str]
    buttons: list[dict[str, str]]


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.labels: set[str] = set()
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        assert given.get("max", "1").isdecimal()
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), {}, [], []))
        elif tag == "label":
            self.labels.add(given.get("for", ""))
        elif self.forms and tag == "input" and given.get("type") == "hidden":
            self.forms[-1].hidden[given["name"]] = given["value"]
        elif self.forms and tag in ("input", "textarea") and "name" in given:
            self.forms[-1].fields.append(given["name"])
            self.ids.append(given.get("id", "") if "aria-label" not in given else "")
        elif self.forms and tag == "button":
            self.forms[-1].buttons.append(given)


def forms_on(shop: Shop, address: str) -> list[Form]:
    """Return the forms of a page that start data diffs of a node or a query; their fields have labels."""
    answer = shop.client.get(address, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    parser = _Forms()
    parser.feed(answer.text)
    assert {one for one in parser.ids if one} <= parser.labels
    assert len(set(parsed(answer.text).ids)) == len(parsed(answer.text).ids)
    forms = [form for form in parser.forms if form.action == TO.queries()]
    return [form for form in forms if form.hidden["kind"] != "data"]


def finished(shop: Shop, fields: Mapping[str, str]) -> dict[str, Any]:
    """Start the data diff of *fields*, and return its job once it has ended."""
    answer = shop.client.post(TO.queries(), data=dict(fields))
    assert answer.status_code == 303, answer.text
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        job: dict[str, Any] = shop.client.get(answer.headers["location"] + ".json").json()
        assert "state" in job, job
        if job["state"] not in ("queued", "running"):
            page = shop.client.get(answer.headers["location"], follow_redirects=True)
            assert page.status_code == 200
            return {**job, "page": page.text, "address": answer.headers["location"]}
        time.sleep(0.05)
    raise AssertionError("the data diff did not end")


PAGES = (TO.node(CURRENT, ORDERS, "data"), TO.diff(BASE, CURRENT, node=ORDERS, tab="data"))
PROFILES = TO.diff(BASE, CURRENT, node=ORDERS, tab="profile")
OPTIONS = {"key": "id", "column": "id, amount", "where": "id > 5", "k": "3", "bins": "4", "limit": "5"}


@pytest.mark.extensive
def test_every_form_of_a_node_leads_to_a_result(shop: Shop) -> None:
    found = {address: forms_on(shop, address) for address in PAGES}
    first, second = found.values()
    second += forms_on(shop, PROFILES)

    by_kind = {form.hidden["kind"]: form.hidden for form in second}
    assert {form.hidden["kind"]: form.hidden for form in first} == by_kind
    kinds = [form.hidden["kind"] for form in first]
    assert kinds == ["row_count", "value", "detail", "profile", "top_k", "histogram", "sample"]
    for form in first:
        assert form.hidden["base"] == BASE and form.hidden["current"] == CURRENT
        for given in ({}, {name: OPTIONS[name] for name in form.fields}):
            job = finished(shop, {**form.hidden, **given})
            assert job["state"] == "done", job


def test_the_result_of_a_row_count_is_that_of_the_tables(shop: Shop) -> None:
    (form,) = [one for one in forms_on(shop, PAGES[0]) if one.hidden["kind"] == "row_count"]
    job = finished(shop, form.hidden)

    (count,) = job["result"]["counts"]
    assert (count["base"], count["current"]) == (100, 103)


@pytest.mark.extensive
@pytest.mark.parametrize("column", ["amount", ODD, "id"])
def test_forms_of_a_column_compare_this_column_alone(shop: Shop, column: str) -> None:
    forms = forms_on(shop, TO.column(CURRENT, ORDERS, column))

    kinds = [form.hidden["kind"] for form in forms]
    assert kinds == ["value", "detail", "profile", "top_k", "histogram", "sample"]
    for form in forms:
        assert "column" not in form.fields
        job = finished(shop, form.hidden)
        names = [one if isinstance(one, str) else one["name"] for one in job["result"]["columns"]]
        # The key is part of the values, and in the rows of the others.
        is_keyed = form.hidden["kind"] in ("value", "detail", "sample")
        assert set(names) - {"id"} == {column} - {"id"} if is_keyed else names == [column]


@pytest.mark.extensive
def test_a_query_uses_no_connection_of_the_pages_while_it_runs(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    forms = [*forms_on(shop, PAGES[1]), *forms_on(shop, PROFILES)]
    lent: set[int] = set()
    known: set[int] = set()
    misused: list[str] = []
    connection, ready = Pool.connection, OpenLink.ready

    @contextmanager
    def lend(pool: Pool) -> Iterator[UnifiedSqlAdapter]:
        with connection(pool) as adapter:
            generation = shop.store._generation
            if generation is not None and pool is generation.pool:
                known.add(id(adapter._open))
                lent.add(id(adapter._open))
            try:
                yield adapter
            finally:
                lent.discard(id(adapter._open))

    def use(link: OpenLink) -> Any:
        if id(link) in known - lent:
            misused.append("".join(traceback.format_stack(limit=12)))
        return ready(link)

    monkeypatch.setattr(Pool, "connection", lend)
    monkeypatch.setattr(OpenLink, "ready", use)
    kinds = [form.hidden["kind"] for form in forms]
    for form in forms:
        assert finished(shop, form.hidden)["state"] == "done"

    assert {"sample", "value", "profile"} <= set(kinds) and known
    assert misused == []


@pytest.mark.extensive
@pytest.mark.parametrize("queries", [True, False])
def test_the_review_reads_no_whole_graph_for_its_forms(
    duckdb_place: tuple[str, str], queries: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Graphs of 5,000 models were a third of the time of the page; those of small runs are read at once."""
    monkeypatch.setattr("recce_meta.api.run_reader.FEW_NODES", 0)
    for shop in served(*duckdb_place, Permissions(queries=queries)):
        assert forms_on(shop, TO.diff(BASE, CURRENT)) == []
        assert bool(forms_on(shop, PAGES[1])) is queries
        assert shop.store.graphs.values() == []


@pytest.mark.extensive
def test_a_slice_leads_to_its_rows(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path / 'shop.duckdb'}"
    with UnifiedSqlAdapter.from_url(url) as adapter:
        data_shop.build(adapter, "meta")
        more = "SELECT n, n * 10, 'paid', 1 FROM generate_series(104, 140) AS s (n)"
        adapter.execute(f"INSERT INTO meta_pr.orders {more}")
    question = {"kind": "value", "base": BASE, "current": CURRENT, "node": ORDERS, "why": "true"}
    for shop in served(url, "meta", Permissions(queries=True)):
        page = finished(shop, question)["page"]
        parser = _Forms()
        parser.feed(page)
        rows = next(form for form in parser.forms if form.hidden.get("where"))
        result = finished(shop, rows.hidden)["result"]

    assert "all 40 added rows have id &gt;= 101; no other row has" in page
    assert [row["status"] for row in result["rows"]] == ["added"] * 40


def test_a_saved_result_appears_in_the_diff_and_on_the_tab_of_the_node(shop: Shop) -> None:
    tab, node = PAGES
    before = [shop.client.get(one).text for one in (node, tab)]
    (form,) = [one for one in forms_on(shop, tab) if one.hidden["kind"] == "value"]
    job = finished(shop, {**form.hidden, "key": "id"})
    assert shop.client.post(f"{job['address']}/save").status_code == 303
    time.sleep(1.1)  # a change counter is asked for once a second

    after = [shop.client.get(one).text for one in (node, tab)]
    assert "No data diff of this node is stored" in before[0] + before[1]
    assert "No data diff of this node is stored" not in after[0] + after[1]
    rows = shop.client.get(f"{TO.node(CURRENT, ORDERS, 'data-diffs')}.json").json()
    assert [(row["diff"], row["verdict"], row["changed_rows"]) for row in rows] == [("values", "differs", 1)]


REASONS = {
    HIDDEN: "inlines this model",
    UNBUILT: "no relation",
    ITEMS: "compare it with itself",
    NEW: "Only current has this node",
    UNIQUE: "have no rows",
    BOARD: "have no rows",
}


@pytest.mark.cases(4)
@pytest.mark.parametrize("node", REASONS)
def test_a_node_without_data_to_compare_says_why(duckdb_shop: Shop, node: str) -> None:
    for address in (TO.diff(BASE, CURRENT, node=node, tab="data"), TO.node(CURRENT, node, "data")):
        assert forms_on(duckdb_shop, address) == []
        assert REASONS[node] in duckdb_shop.client.get(address).text


def test_a_run_without_another_is_compared_with_nothing(duckdb_shop: Shop) -> None:
    words = "no other run to compare this run with"

    assert forms_on(duckdb_shop, TO.node(ALONE, ORDERS, "data")) == []
    assert words in duckdb_shop.client.get(TO.node(ALONE, ORDERS, "data")).text
    assert words in duckdb_shop.client.get(TO.run(ALONE, "query")).text


def test_without_the_permission_pages_say_how_to_get_it(duckdb_place: tuple[str, str]) -> None:
    for shop in served(*duckdb_place, Permissions()):
        for address in (
            *PAGES,
            TO.column(CURRENT, ORDERS, "amount"),
            TO.query_editor(BASE, CURRENT, sql=SQL),
        ):
            assert forms_on(shop, address) == []
            assert "--allow-queries" in shop.client.get(address).text
        assert forms_on(shop, TO.diff(BASE, CURRENT)) == []
        sent = {"base": BASE, "current": CURRENT, "current_sql": SQL}
        assert shop.client.post(TO.queries("preview"), data=sent).status_code == 403
        with shop.store.view() as view:
            assert graph_actions(view, TO.graph(CURRENT)) == "[]"


def test_actions_of_a_graph_lead_to_the_forms(duckdb_shop: Shop) -> None:
    page = parsed(duckdb_shop.client.get(TO.graph(CURRENT)).text)
    (drawn,) = [one for one in page.elements("div") if one.get("class") == "graph"]
    actions = json.loads(drawn["data-actions"])
    of_column = {action["label"] for action in actions if "{column}" in action["href"]}
    of_node = {action["label"] for action in actions if "{column}" not in action["href"]}
    rows = {"Differing rows", "Sample rows"}
    assert of_column == {"Values", "Profile", "Top values", "Histogram", "Query"} | rows
    assert of_node == of_column | {"Row count"}
    for action in actions:
        address = action["href"].replace("{node}", ORDERS).replace("{column}", "amount")
        answer = duckdb_shop.client.get(address)
        assert answer.status_code == 307
        path, _, anchor = answer.headers["location"].partition("#")
        found = duckdb_shop.client.get(path)
        assert found.status_code == 200 and anchor in parsed(found.text).ids


def shown_sql(shop: Shop, text: str, **fields: str) -> tuple[int, list[str], str]:
    """Return the status of the editor with *text*, the shown SQL of each side, and the page."""
    sent = {"base": BASE, "current": CURRENT, "current_sql": text, **fields}
    answer = shop.client.post(TO.queries("preview"), data=sent, follow_redirects=True)
    parser = _Sql()
    parser.feed(answer.text)
    return answer.status_code, parser.found, answer.text


class _Sql(HTMLParser):
    """Texts of the elements `pre`, without the lines at fault."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "pre" and ("class", "code at-fault") not in attrs:
            self._is_inside = True
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = self._is_inside and tag != "pre"

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            self.found[-1] += data


TEMPLATES = (
    SQL,
    'select id from {{ ref("shop", "orders") }} where id in (select id from {{ source("raw", "items") }})',
    "select id, twice from {{ ref('hidden') }}",
    "select {{ doubled('amount') }} as twice, id from {{ ref('orders') }}",
    "select {% for name in ['id', 'amount'] %}{{ name }}, {% endfor %} 1 as n from {{ ref('orders') }}",
    "select {{ var('column', 'id') }} from {{ ref('orders') }} -- {{ env_var('NO_SUCH_NAME', 'default') }}",
)


@pytest.mark.cases(3)
@pytest.mark.parametrize("text", TEMPLATES)
def test_the_shown_sql_is_that_of_query_diff(shop: Shop, text: str, tmp_path: Path) -> None:
    status, found, page = shown_sql(shop, text)
    job = finished(shop, {"kind": "query", "base": BASE, "current": CURRENT, "current_sql": text})
    place = ("--url", shop.url, "--schema", shop.schema, "--project", "shop", "--format", "json")
    ran = Cli(tmp_path)("query-diff", text, "--base", BASE, "--current", CURRENT, *place)
    (printed,) = json.loads(ran.out)["results"]

    assert status == 200, page
    assert job["state"] == "done", job
    assert [one.strip() for one in found] == [printed["base_sql"], printed["current_sql"]]
    assert [one.strip() for one in job["queries"]] == [one.strip() for one in found]
    assert found[0] != found[1]


HOSTILE = {
    "{{ ().__class__.__mro__ }}": "",
    "{{ ''.__class__ }}": "",
    "{{ self.__init__.__globals__ }}": "",
    "{{ cycler.__init__.__globals__.os.environ }}": "",
    "{% for i in range(10 ** 9) %}{% endfor %}": "limit",
    "{% for i in range(99999) %}{% for j in range(99999) %}{{ j }}{% endfor %}{% endfor %}": "limit",
    "select {{ 'a' * 10 ** 9 }}": "",
    "{{ [[1] * 99999] * 99999 }}": "",
    "{{ env_var('PATH') }}": "PATH",
    "{{ run_query('select 1') }}": "run_query",
    "{% include '/etc/passwd' %}": "",
    "select 1; drop table orders": "several statements",
    "delete from {{ ref('orders') }}": "",
    "with x as (delete from orders returning 1) select * from x": "",
    "select\n\n{{ ref('ordres') }}": "line 3",
    "select {{ ref('orders'": "line 1",
    "-- only a comment": "",
}


@pytest.mark.cases(4)
@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_query_is_refused_by_the_editor_and_by_the_server(shop: Shop, text: str) -> None:
    began = time.monotonic()
    status, found, page = shown_sql(shop, text)

    assert status == 400 and not found, page
    assert HOSTILE[text] in parsed(page).text
    assert time.monotonic() - began < 15
    assert parsed(page).elements("textarea")[0]["aria-invalid"] == "true"
    sent = {"kind": "query", "base": BASE, "current": CURRENT, "current_sql": text}
    answer = shop.client.post(TO.queries(), data=sent)
    if answer.status_code == 303:
        assert finished(shop, sent)["state"] == "failed"
    else:
        assert answer.status_code == 400


def test_an_unknown_name_suggests_the_nearest(duckdb_shop: Shop) -> None:
    assert "did you mean 'orders'" in parsed(shown_sql(duckdb_shop, "select {{ ref('ordres') }}")[2]).text


def test_the_text_comes_back_unchanged_and_is_in_the_address(duckdb_shop: Shop) -> None:
    text = (
        "\n\tselect '</textarea><script>alert(1)</script>&amp;' as x, 'ü\x07' as y\nfrom {{ ref('orders') }}"
    )
    sent = {
        "base": BASE,
        "current": CURRENT,
        "current_sql": text.replace("\n", "\r\n"),
        "key": "x, y",
        "limit": "7",
    }
    answer = duckdb_shop.client.post(TO.queries("preview"), data=sent)

    assert answer.status_code == 303
    address = urlsplit(answer.headers["location"])
    assert parse_qs(address.query) == {"panel": ["query"], "sql": [text], "key": ["x, y"], "limit": ["7"]}
    page = duckdb_shop.client.get(answer.headers["location"])
    reader = _Area()
    reader.feed(page.text)
    assert reader.found[0] == f"\n{text}"  # browsers ignore the first line break
    assert "<script>alert" not in page.text


class _Area(HTMLParser):
    """Texts of text areas."""

    CDATA_CONTENT_ELEMENTS = ("script", "style")

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "textarea":
            self._is_inside = True
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = self._is_inside and tag != "textarea"

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            self.found[-1] += data


def test_a_long_query_is_shown_without_an_address(duckdb_shop: Shop) -> None:
    text = f"{SQL} -- {'x' * 8_000}"
    sent = {"base": BASE, "current": CURRENT, "current_sql": text}
    answer = duckdb_shop.client.post(TO.queries("preview"), data=sent)

    assert answer.status_code == 200
    assert "too long for the address" in answer.text


def test_selectors_and_runs_lead_to_the_editor_with_its_text(duckdb_shop: Shop) -> None:
    query = {"sql": SQL, "project": "shop"}
    first = duckdb_shop.client.get(TO.of("diff", "base", "pr", "query"), params=query)
    second = duckdb_shop.client.get(TO.run(CURRENT, "query"), params={"sql": SQL})

    assert first.headers["location"] == second.headers["location"] == TO.query_editor(BASE, CURRENT, sql=SQL)


def test_another_query_for_base_is_rendered_for_base_alone(duckdb_shop: Shop) -> None:
    _, (base, current), _ = shown_sql(duckdb_shop, SQL, base_sql="select 1 as id, 2 as amount")

    assert base.strip() == "select 1 as id, 2 as amount"
    assert "meta_pr" in current


def test_the_same_sql_on_both_sides_is_shown_once_and_said(duckdb_shop: Shop) -> None:
    _, found, page = shown_sql(duckdb_shop, "select 1 as id")

    assert len(found) == 1
    assert "Both sides run the same SQL" in page


def test_the_link_of_a_node_fills_in_a_query_that_runs(shop: Shop) -> None:
    page = parsed(shop.client.get(TO.node(CURRENT, ORDERS, "data")).text)
    (link,) = [one for one in page.links if "panel=query" in one]
    text = parse_qs(urlsplit(link).query)["sql"][0]

    assert text == 'select * from {{ ref("orders") }} limit 100'
    review = shop.client.get(TO.diff(BASE, CURRENT, node=ORDERS, tab="query")).text
    assert unescape(review.partition("<textarea")[2].partition("</textarea>")[0]).endswith(f">\n{text}")
    assert (
        finished(shop, {"kind": "query", "base": BASE, "current": CURRENT, "current_sql": text})["state"]
        == "done"
    )


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('{{ ref("a") }} {# x #} {{ source("b", "c") }}', {"a", "b", "c"}),
        ('{{ ref("a", v=2) }}', {"a", "2"}),
        ('{% raw %}{{ ref("a") }}{% endraw %}', set()),
        ('{{ ref("a") | upper }}', None),
        ('{{ ref("a").schema }}', None),
        ("{{ ref(x) }}", None),
        ("{{ ref(*x) }}", None),
        ("{{ ref }}", None),
        ('{{ this }} {{ ref("a") }}', None),
        ("{% if true %}{% endif %}", None),
    ],
)
def test_only_constant_names_of_relations_need_no_whole_run(text: str, names: set[str] | None) -> None:
    assert called_relations(text) == names


def test_a_large_run_renders_relations_and_explains_the_rest(
    duckdb_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recce_meta.api.browse.query_text.LARGEST_RUN", 3)

    assert shown_sql(duckdb_shop, SQL)[0] == 200
    status, _, page = shown_sql(duckdb_shop, "select {{ doubled('1') }}")
    assert status == 400
    assert "the SQL is shown only for" in parsed(page).text


def test_variables_come_from_the_project_of_the_server(
    duckdb_shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = "select {{ var('column') }} from {{ ref('orders') }}"
    assert shown_sql(duckdb_shop, text)[0] == 400
    (tmp_path / "dbt_project.yml").write_text("name: shop\nprofile: shop\nvars: {column: amount}\n")
    monkeypatch.chdir(tmp_path)

    assert shown_sql(duckdb_shop, text)[1][0].strip().startswith("select amount from")
