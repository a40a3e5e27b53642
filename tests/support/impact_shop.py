"""A small shop whose columns are used in every way: values, filters, groups, a Python model, a star."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from msgspec.structs import replace

from recce_meta.api.run_reader import MemoryRunReader
from recce_meta.models import NodeMetadata, Project, RunMetadata
from recce_meta.models.lineage import (
    ColumnEdge,
    ColumnGraph,
    ColumnOutput,
    ColumnSource,
    ColumnUse,
    Kind,
    KnownColumns,
    NodeColumns,
    Usage,
)
from recce_meta.sql_lineage.impact import columns_read


def node(unique_id: str, *parents: str, **others: Any) -> NodeMetadata:
    kind, _, name = unique_id.split(".", 2)
    return NodeMetadata(
        unique_id=unique_id, name=name, resource_type=kind, parents=tuple(sorted(parents)), **others
    )


def output(name: str, *sources: tuple[str, str, float], kind: Kind = Kind.DERIVED) -> ColumnOutput:
    return ColumnOutput(name, kind, None, tuple(sorted(ColumnSource(*source) for source in sources)))


def named(*columns: tuple[str, str, float]) -> tuple[ColumnSource, ...]:
    return tuple(ColumnSource(*column) for column in columns)


RAW, STG, EPH, ORDERS = "source.shop.raw", "model.shop.stg", "model.shop.eph", "model.shop.orders"
PYTHON, AFTER, STAR, ODD = "model.shop.python", "model.shop.after", "model.shop.star", "model.shop.odd"
EXPOSURE, TEST, OTHER_TEST = "exposure.shop.board", "test.shop.positive", "test.shop.other"

NODES = (
    node(RAW),
    node(STG, RAW),
    node(EPH, STG, materialized="ephemeral"),
    node(ORDERS, EPH),
    node(PYTHON, ORDERS, language="python"),
    node(AFTER, PYTHON, ORDERS),
    node(STAR, RAW),
    node(ODD, STAR),  # and it reads `after`, which is unknown to dbt
    node(EXPOSURE, ORDERS),
    node(TEST, ORDERS),
    node(OTHER_TEST, ORDERS),
)
ANALYSES = {
    RAW: NodeColumns(outputs=tuple(output(name, kind=Kind.SOURCE) for name in ("id", "Cents", "at"))),
    STG: NodeColumns(
        outputs=(output("id", (RAW, "id", 1.0)), output("amount", (RAW, "Cents", 0.9))),
        uses=(ColumnUse(Usage.FILTER, RAW, "at", 0.9),),
        references=named((RAW, "Cents", 0.9), (RAW, "at", 0.9), (RAW, "id", 1.0)),
    ),
    EPH: NodeColumns(outputs=(output("amount", (STG, "amount", 1.0), kind=Kind.PASSTHROUGH),)),
    ORDERS: NodeColumns(
        outputs=(output("id", (STG, "id", 1.0)), output("total", (STG, "amount", 1.0), (STG, "id", 0.5))),
        uses=(ColumnUse(Usage.GROUP, STG, "id"),),
        references=named((STG, "amount", 1.0), (STG, "id", 1.0)),
    ),
    PYTHON: NodeColumns(reason="a Python model: its columns cannot be traced"),
    AFTER: NodeColumns(outputs=(output("x", (PYTHON, "x", 1.0)), output("total", (ORDERS, "total", 1.0)))),
    STAR: NodeColumns(outputs=(output("*", (RAW, "*", 0.9)),)),
    ODD: NodeColumns(
        outputs=(output("at", (STAR, "at", 0.9)), output("total", (AFTER, "total", 0.9))),
        references=named((AFTER, "total", 0.9), (STAR, "at", 0.9), (STAR, "id", 0.9)),
    ),
    TEST: NodeColumns(
        uses=(ColumnUse(Usage.FILTER, ORDERS, "total"),), references=named((ORDERS, "total", 1.0))
    ),
    OTHER_TEST: NodeColumns(uses=(ColumnUse(Usage.FILTER, ORDERS, "id"),)),
}


def analyse(_known: KnownColumns) -> ColumnGraph:
    ids = {unique_id: f"v4.{number:032x}" for number, unique_id in enumerate(ANALYSES)}
    return ColumnGraph(lineage_ids=ids, analyses={ids[one]: columns for one, columns in ANALYSES.items()})


SHOP = Project(
    run=RunMetadata(run_id="shop", run_at=datetime(2026, 11, 20, tzinfo=timezone.utc), project_name="shop"),
    nodes=NODES,
)


class GivenLineage(MemoryRunReader):
    """Lineage of *nodes* with the given *columns*, in the form that a walk uses."""

    def __init__(
        self,
        nodes: Iterable[NodeMetadata] = NODES,
        columns: Mapping[str, NodeColumns] | None = None,
    ) -> None:
        super().__init__(replace(SHOP, nodes=tuple(nodes)))
        self._columns = ANALYSES if columns is None else columns

    def columns_of(self, ids: Collection[str]) -> dict[str, NodeColumns]:
        return {one: self._columns[one] for one in ids if one in self._columns}

    def column_children(self, ids: Collection[str]) -> list[ColumnEdge]:
        reads = (read for item in self._columns.items() for read in columns_read(*item))
        return [read for read in reads if read.parent_id in ids]
