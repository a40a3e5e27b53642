"""Projects recorded with column lineage in a store, and texts with all of their analyses.

The shop is that of the demo, with sources, versions, variables, and an installed package that has a model
with the name of one of the shop.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from recce_meta import demo_data
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.record import record_run
from recce_meta.api.record_sql import SqlOptions, extract_sql_project
from recce_meta.api.run_reader import StoredRunReader
from recce_meta.lsp.documents import TextView
from recce_meta.lsp.project.index import ProjectIndex
from recce_meta.lsp.text.positions import Lines
from recce_meta.lsp.workspace import TextVersion, read_view

SCHEMA = "main"
PRICES = "select payment_id as price_id, amount as price from {{ ref('stg_payments') }}\n"
SHOP_FILES: Mapping[str, str] = {
    "dbt_project.yml": """
name: jaffle_shop
version: "1.0.0"
profile: jaffle_shop
models:
  jaffle_shop:
    staging: {+materialized: view}
    intermediate: {+materialized: ephemeral}
    marts: {+materialized: table, +tags: [mart]}
seeds:
  jaffle_shop:
    raw_orders: {+column_types: {ordered_at: timestamp}}
vars:
  # The first day that reports include.
  first_day: "2024-01-01"
  jaffle_shop:
    region: europe
  tools:
    volume: 11
""",
    "models/sources.yml": """
sources:
  - name: crm
    description: The system of the sales team.
    tables:
      - name: customers
        description: Customers as sales knows them.
        columns:
          - {name: id, data_type: integer, description: Number of the customer.}
          - {name: FullName, data_type: text, quote: true}
      - name: contacts
""",
    "models/marts/crm_customers.sql": """
select customers.id as customer_id, customers."FullName" as full_name
from {{ source('crm', 'customers') }} as customers
where customers.id > 0
""",
    "models/marts/prices.yml": """
models:
  - name: prices
    description: What a thing costs.
    latest_version: 2
    config: {contract: {enforced: true}}
    columns:
      - {name: price_id, data_type: integer}
      - {name: price, data_type: numeric, description: "In dollars, see [the wiki](http://example.com)."}
    versions:
      - v: 1
      - v: 2
      - v: 3
""",
    "models/marts/prices_v1.sql": PRICES,
    "models/marts/prices_v2.sql": PRICES,
    "models/marts/prices_v3.sql": PRICES,
    "models/marts/price_list.sql": "select price_id, price from {{ ref('prices') }}\n",
    "macros/macros.yml": """
macros:
  - name: cents_to_dollars
    description: Converts cents to dollars.
    arguments:
      - {name: column, type: string, description: Column with cents.}
""",
    "dbt_packages/tools/dbt_project.yml": """
name: tools
version: "2.0.0"
vars:
  volume: 3
  echo: true
""",
    "dbt_packages/tools/models/stg_orders.sql": "select 1 as tool_id\n",
    "dbt_packages/tools/models/tool_log.sql": "select tool_id from {{ ref('stg_orders') }}\n",
    "dbt_packages/tools/macros/shout.sql": """
{% macro shout(text, marks=3) %}upper({{ text }}) || '{{ '!' * marks }}'{% endmacro %}
{% macro cents_to_dollars(column) %}{{ column }}{% endmacro %}
""",
}


class ViewOf(Protocol):
    """Function that returns the analyses of a text."""

    def __call__(
        self, text: str | None = None, *, path: str = "", index: ProjectIndex | None = None, **fields: Any
    ) -> TextView: ...


class RecordProject(Protocol):
    """Function that records the project in a folder and opens its index."""

    def __call__(self, root: Path, *, dialect: str = "duckdb") -> ProjectIndex: ...


def write_files(root: Path, files: Mapping[str, str]) -> Path:
    """Write *files* below *root*, and return it."""
    for path, text in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return root


def record_in(adapter: UnifiedSqlAdapter, root: Path, dialect: str) -> ProjectIndex:
    """Record the project in *root* with column lineage, and return its index."""
    project = extract_sql_project(root, SqlOptions(environ={}, dialect=dialect))
    run = record_run(adapter.at(SCHEMA), project).run
    return ProjectIndex(StoredRunReader(adapter.at(SCHEMA), run), root)


def view(index: ProjectIndex | None, path: Path, text: str, **fields: Any) -> TextView:
    """Return the analyses of *text* in the file *path*; *fields* are those that take longer."""
    version = TextVersion(path.as_uri(), path, 1, Lines(text), ())
    found, _ = read_view(version, index, fields.get("others", {}), None)
    return replace(found, **fields)


@pytest.fixture(scope="session")
def shop_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the shop's project. Tests must not change it."""
    root = tmp_path_factory.mktemp("lsp") / "shop"
    shutil.copytree(Path(demo_data.__file__).parent / "project" / "base", root)
    return write_files(root, SHOP_FILES)


@pytest.fixture(scope="session")
def shop_index(shop_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProjectIndex]:
    """Index of the shop, recorded in a SQLite store."""
    store = tmp_path_factory.mktemp("store") / "store.db"
    with UnifiedSqlAdapter.from_url(f"sqlite:///{store}") as adapter:
        yield record_in(adapter, shop_root, "duckdb")


@pytest.fixture
def record_project(tmp_path: Path) -> Iterator[RecordProject]:
    """Function that records any project in a SQLite store of its own."""
    adapters: list[UnifiedSqlAdapter] = []

    def record(root: Path, *, dialect: str = "duckdb") -> ProjectIndex:
        adapters.append(UnifiedSqlAdapter.from_url(f"sqlite:///{tmp_path / f'{len(adapters)}.db'}"))
        return record_in(adapters[-1], root, dialect)

    yield record
    for adapter in adapters:
        adapter.close()


@pytest.fixture
def view_of(shop_index: ProjectIndex) -> ViewOf:
    """Function that returns the analyses of a text, or of a file of the project.

    `view_of(path="models/marts/orders.sql")` is the saved file, `view_of(text, path=…)` an edited one, and
    `view_of(text)` a new file. *index* is by default that of the shop.
    """

    def view_of(
        text: str | None = None, *, path: str = "", index: ProjectIndex | None = None, **fields: Any
    ) -> TextView:
        chosen = index or shop_index
        place = chosen.root / (path or "models/new_model.sql")
        return view(chosen, place, place.read_text("utf-8") if text is None else text, **fields)

    return view_of


@pytest.fixture
def write_project(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """Function that writes the files of a project, by path, into a new folder."""
    return lambda files: write_files(tmp_path / "project", {"dbt_project.yml": "name: shop\n", **files})
