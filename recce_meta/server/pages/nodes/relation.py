"""Part of the page of a scanned table or view: constraints, foreign keys, indexes, partitions and sizes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from recce_meta.api.browse import database as browse
from recce_meta.api.browse.database import DatabaseSize, RelationSize
from recce_meta.models import NodeMetadata, RunMetadata
from recce_meta.models.catalog import RELATIONS
from recce_meta.models.lineage import ForeignKey
from recce_meta.report.addresses import Addresses
from recce_meta.report.values import count
from recce_meta.server.site.handlers import Request
from recce_meta.server.site.listing import ListColumn, Listing, Row
from recce_meta.server.site.rendering import TimeChart, file_size, time_chart
from recce_meta.server.stores.stores import StoreView
from recce_meta.store.read import foreign_keys_of

RELATION, SCHEMA = "relation.", "schema."
"""Start of the unique ids of scanned relations and schemas."""
CATALOG = "Row estimates and sizes come from the catalog of the database, and may lag behind its data."


def object_name(unique_id: str) -> str:
    """Return the name of a scanned object, such as `public.film`."""
    return unique_id.removeprefix(RELATION).removeprefix(SCHEMA)


def narrow(listing: Listing, *names: str, rows: Sequence[Row] | None = None) -> Listing:
    """Return *listing* with those of its columns *names* that have values, for a part of a page."""
    chosen = listing.rows if rows is None else rows
    columns = [
        column
        for column in (listing.column(name) for name in names)
        # Warehouses differ in what their catalogs have: empty columns would fill the page.
        if any(row.get(column.name) not in (None, "") for row in chosen)
    ]
    return replace(listing, columns=columns, rows=chosen, notes=())


def filled(listing: Listing) -> Listing:
    """Return *listing* with those of its columns that have values, except the environment of the address."""
    # The environment is the same in all rows: the list has it only as a filter.
    names = [column.name for column in listing.columns if column.name != "environment"]
    return narrow(listing, *names)


def size_charts(sizes: Iterable[DatabaseSize | RelationSize]) -> list[TimeChart]:
    """Return the charts of bytes and rows over time, of *sizes* newest first."""
    points = [(size.run_at, size.bytes, size.row_estimate) for size in sizes][::-1]
    charts = [
        time_chart("Size", [(at, size) for at, size, _ in points], file_size),
        time_chart("Rows, as the catalog estimates them", [(at, rows) for at, _, rows in points], _whole),
    ]
    return [chart for chart in charts if chart is not None]


def _whole(value: float) -> str:
    return count(round(value))


def relation_values(request: Request, run: RunMetadata, node: NodeMetadata) -> dict[str, Any]:
    """Return what `relation.html` shows of *node*, a relation of the scan *run*; empty for other nodes.

    Its columns are not included: the node page lists them.
    """
    if node.resource_type not in RELATIONS:
        return {}
    view, properties = request.view, node.properties
    keys = foreign_keys_of(view.adapter, run, node.unique_id)
    sizes = browse.relation_sizes(view.adapter, run, node.unique_id)
    here = _RunLinks(view.to, run)
    # The query returns keys in both directions; a table that refers to itself has both.
    own = [key for key in keys if key.node_id == node.unique_id]
    return {
        "facts": dict(_facts(here, node)),
        "constraints": [one for one in properties.get("constraints", ()) if one.get("type") != "foreign_key"],
        "references": [here.key(key, key.parent_id) for key in own],
        "referenced_by": [here.key(key, key.node_id) for key in keys if key.parent_id == node.unique_id],
        "indexes": properties.get("indexes", ()),
        "partitions": [_partition(one) for one in properties.get("partitions") or ()],
        "options": {name: _text(value) for name, value in (properties.get("options") or {}).items()},
        "latest": sizes[0] if sizes else None,
        "charts": [*size_charts(sizes), *_counted_chart(sizes)],
        "sizes": filled(relation_sizes_list(view, run, node.unique_id, sizes)),
        "sizes_address": view.to.database(
            run.project_name, "tables", node.unique_id, "sizes", environment=run.environment
        ),
    }


@dataclass(frozen=True)
class _RunLinks:
    to: Addresses
    run: RunMetadata

    def node(self, unique_id: str) -> tuple[str, str]:
        return object_name(unique_id), self.to.node(self.run.run_id, unique_id)

    def key(self, key: ForeignKey, other: str) -> dict[str, Any]:
        """Return *key* with the name and the address of its *other* end."""
        name, address = self.node(other)
        return {"key": key, "name": name, "address": address}


def _facts(here: _RunLinks, node: NodeMetadata) -> Iterator[tuple[str, tuple[str, str | None]]]:
    """Yield the title, text and address of each single property."""
    properties = node.properties
    yield "Type", (node.resource_type.replace("_", " "), None)
    if properties.get("owner"):
        yield "Owner", (str(properties["owner"]), None)
    if properties.get("partition_key"):
        yield "Partitioned by", (str(properties["partition_key"]), None)
    if properties.get("partition_of"):
        name, address = here.node(str(properties["partition_of"]))
        yield "Partition of", (name, address)
    if properties.get("partition_bound"):
        yield "Rows of the partition", (str(properties["partition_bound"]), None)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _partition(value: Any) -> str:
    """Return a partition that is not a relation: its name, and its bound if the catalog has one."""
    # Each warehouse describes partitions in its own form.
    if isinstance(value, Mapping):
        return " ".join(str(part) for part in value.values() if part is not None)
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _counted_chart(sizes: Sequence[RelationSize]) -> list[TimeChart]:
    values = [(size.run_at, size.row_count) for size in list(sizes)[::-1]]
    chart = time_chart("Rows, as recce_meta counted them", values, _whole)
    return [] if chart is None else [chart]


def relation_sizes_list(
    view: StoreView, run: RunMetadata, unique_id: str, sizes: Sequence[RelationSize]
) -> Listing:
    """Return the list of sizes of one relation over time."""
    columns = [
        ListColumn("run_at", "scan", "time", link=lambda size: view.to.node(size.run_id, unique_id)),
        ListColumn("row_estimate", "rows, estimated", "number", about=CATALOG),
        ListColumn("row_count", "rows, counted", "number"),
        ListColumn("bytes", "size", "bytes", about=CATALOG),
        ListColumn("environment", "environment", of=lambda _: run.environment),
    ]
    crumbs = [
        ("Databases", view.to.of("databases")),
        (run.project_name, view.to.database(run.project_name, environment=run.environment)),
        (object_name(unique_id), view.to.node(run.run_id, unique_id)),
    ]
    return Listing.of(
        f"Size of {object_name(unique_id)} over time",
        columns,
        sizes,
        empty="The catalog has no sizes of this relation.",
        notes=[CATALOG],
        crumbs=crumbs,
    )
