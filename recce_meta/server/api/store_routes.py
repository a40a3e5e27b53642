"""Routes of the API. Each names its parameters; the work is done by functions of `api`."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from recce_meta.models.lineage import Direction
from recce_meta.server.api import answers
from recce_meta.server.api.call import OfStore, no_runs, run_choice
from recce_meta.server.api.openapi import FAILURES, body_of, document_of, page_of_items
from recce_meta.server.api.paging import Depth, Environment, NodeId, Paging, ProjectName, Run, Way

Paged = Annotated[Paging, Depends()]
Text = Annotated[str | None, Query(description="Part of the id or the name, ignoring case.")]
Measurement = Annotated[
    str,
    Query(description="Measurement: an id or its beginning, `latest` or `latest~1`.", examples=["latest"]),
]

router = APIRouter(responses=FAILURES)
of_store = APIRouter(prefix="/stores/{store}", responses=FAILURES)


@router.get("/stores", tags=["Stores"], responses=page_of_items("served_store"))
def stores(request: Request) -> Response:
    """List the stores of the server.

    The address of a store is the prefix of all other paths.
    """
    return answers.stores(request)


@of_store.get("/projects", tags=["Runs"], responses=page_of_items("stored_project"))
async def projects(asked: OfStore, paging: Paged) -> Response:
    """List the projects with their latest runs."""
    return await asked.page(paging, no_runs, answers.projects)


@of_store.get("/runs", tags=["Runs"], responses=page_of_items("run_metadata"))
async def runs(
    asked: OfStore,
    paging: Paged,
    project: Annotated[str | None, Query(description="Project of the runs.")] = None,
    environment: Environment = None,
    branch: Annotated[str | None, Query(description="Branch of the runs.")] = None,
    extractor: Annotated[
        str | None, Query(description="`dbt`, `dbt-sql`, `sql`, `database` or a plugin.")
    ] = None,
    status: Annotated[Literal["complete", "failed"] | None, Query(description="Status of the runs.")] = None,
) -> Response:
    """List the recorded runs, newest first: the items of `runs --format json`."""
    found = answers.runs(
        project=project, environment=environment, branch=branch, extractor=extractor, status=status
    )
    return await asked.page(paging, no_runs, found)


@of_store.get("/run", tags=["Runs"], responses=document_of("run_document"))
async def run(asked: OfStore, run: Run = "latest", project: ProjectName = None) -> Response:
    """Show one run with the results of its nodes: the document of `show --format json`."""
    return await asked.document(run_choice(run, project), answers.run_document)


@of_store.get("/nodes", tags=["Nodes"], responses=page_of_items("listed_node"))
async def nodes(
    asked: OfStore,
    paging: Paged,
    run: Run = "latest",
    project: ProjectName = None,
    resource_type: Annotated[str | None, Query(description="`model`, `source`, `test`, `table`, …")] = None,
    package: Annotated[str | None, Query(description="Package of the nodes.")] = None,
    tag: Annotated[str | None, Query(description="Tag of the nodes.")] = None,
    materialized: Annotated[str | None, Query(description="`table`, `view`, `incremental`, …")] = None,
    q: Text = None,
) -> Response:
    """List the nodes of a run, sorted by unique id."""
    named = {"resource_type": resource_type, "package": package, "tag": tag, "materialized": materialized}
    return await asked.page(paging, run_choice(run, project), answers.nodes(text=q, **named))


@of_store.get("/node", tags=["Nodes"], responses=document_of("node_details"))
async def node(asked: OfStore, node: NodeId, run: Run = "latest", project: ProjectName = None) -> Response:
    """Show one node: columns and their sources, code, parents, children and results."""
    return await asked.document(
        run_choice(run, project), lambda view, chosen: answers.node_document(view, chosen, node)
    )


@of_store.get("/lineage", tags=["Nodes"], responses=document_of("lineage_document"))
async def lineage(
    asked: OfStore,
    node: NodeId,
    run: Run = "latest",
    project: ProjectName = None,
    direction: Way = "both",
    depth: Depth = 1,
) -> Response:
    """Show upstream and downstream nodes: the document of `lineage --format json`, at most 500 nodes."""
    way = Direction(direction)
    return await asked.document(
        run_choice(run, project), lambda view, one: answers.lineage_document(view, one, node, way, depth)
    )


@of_store.get("/impact", tags=["Nodes"], responses=document_of("impact_document"))
async def impact(
    asked: OfStore,
    node: NodeId,
    column: Annotated[
        str | None, Query(description="Column of the node; without it, the whole node.")
    ] = None,
    run: Run = "latest",
    project: ProjectName = None,
    direction: Way = "downstream",
) -> Response:
    """Show what a change of a node or column affects: the document of `impact --format json`.

    At most 1,000 nodes.
    """
    way = Direction(direction)
    return await asked.document(
        run_choice(run, project), lambda view, one: answers.impact_document(view, one, node, column, way)
    )


@of_store.get("/diff", tags=["Runs"], responses=document_of("diff_document"))
async def diff(
    asked: OfStore, base: Run = "base", current: Run = "current", project: ProjectName = None
) -> Response:
    """Compare two runs: the document of `diff --format json`, at most 2,000 changes."""
    return await asked.document(answers.diff_choice(base, current, project), answers.diff_document)


@of_store.get("/search", tags=["Nodes"], responses=page_of_items("search_hit"))
async def search(
    asked: OfStore,
    paging: Paged,
    q: Annotated[str, Query(min_length=1, max_length=200, description="Text to find.", examples=["order"])],
    kind: Annotated[
        Literal["node", "column", "text"] | None, Query(description="Only nodes, columns, or texts.")
    ] = None,
    project: Annotated[str | None, Query(description="Only this project.")] = None,
) -> Response:
    """Search nodes and columns by name, then code, descriptions, tags, owners and macros, in the latest runs.

    At most 1,000 of each kind, the best matches first. The runs are the latest of each project.
    """
    return await asked.page(paging, no_runs, answers.matches(q, kind, project))


@of_store.get("/databases", tags=["Databases"], responses=page_of_items("database_scans"))
async def databases(asked: OfStore, paging: Paged) -> Response:
    """List the scanned databases with their latest scans."""
    return await asked.page(paging, no_runs, answers.databases)


@of_store.get("/tables", tags=["Databases"], responses=page_of_items("table_size"))
async def tables(
    asked: OfStore,
    paging: Paged,
    run: Annotated[
        str | None, Query(description="Run selector of a scan; the latest scan if it is omitted.")
    ] = None,
    project: ProjectName = None,
    environment: Environment = None,
    q: Text = None,
) -> Response:
    """List the tables and views of a scan with their sizes, sorted by unique id."""
    return await asked.page(paging, answers.scan_choice(run, project, environment), answers.tables(q))


@of_store.get("/quality/measurements", tags=["Quality"], responses=page_of_items("quality_run"))
async def measurements(
    asked: OfStore,
    paging: Paged,
    project: Annotated[str | None, Query(description="Project of the measurements.")] = None,
    environment: Environment = None,
) -> Response:
    """List the measurements of quality, newest first."""
    return await asked.page(paging, no_runs, answers.measurements(project, environment))


@of_store.get("/quality/tables", tags=["Quality"], responses=page_of_items("table_quality"))
async def measured_tables(
    asked: OfStore,
    paging: Paged,
    measurement: Measurement = "latest",
    project: ProjectName = None,
    environment: Environment = None,
    q: Text = None,
) -> Response:
    """List the tables of a measurement with their columns, figures and scores, sorted by unique id."""
    return await asked.page(
        paging, answers.measurement_choice(measurement, project, environment), answers.measured(q)
    )


@of_store.get("/quality", tags=["Quality"], responses=document_of("quality_document"))
async def quality(
    asked: OfStore,
    measurement: Measurement = "latest",
    table: Annotated[
        str | None, Query(description="Only this table: a name, `schema.table` or unique id.")
    ] = None,
    project: ProjectName = None,
) -> Response:
    """Show a measurement and its changes: the document of `quality --show MEASUREMENT --format json`."""
    names = () if table is None else (table,)
    return await asked.document(
        answers.measurement_choice(measurement, project, None),
        lambda view, one: answers.quality_document(view, one, names),
    )


@of_store.get("/quality/history", tags=["Quality"], responses=document_of("quality_history_document"))
async def history(
    asked: OfStore,
    name: Annotated[str, Query(description="A table, or `TABLE.COLUMN`.", examples=["orders"])],
    project: ProjectName = None,
    limit: Annotated[int, Query(ge=1, le=100, description="Largest number of measurements.")] = 20,
) -> Response:
    """Show figures of a table or column over time: the document of `quality NAME --history --format json`."""
    return await asked.document(no_runs, lambda view, _: answers.history(view, name, project, limit))


@of_store.get("/checks", tags=["Checks"], responses=page_of_items("stored_check"))
async def checks(
    asked: OfStore,
    paging: Paged,
    run: Annotated[str | None, Query(description="Run selector: only results about this run.")] = None,
    project: ProjectName = None,
    name: Annotated[str | None, Query(description="Name of the check.")] = None,
) -> Response:
    """List the stored results of checks, newest first, at most 10,000."""
    return await asked.page(paging, answers.optional_run(run, project), answers.checks(name, project))


AnnotatedProject = Annotated[str | None, Query(description="Project of the annotations.")]
AnnotatedNode = Annotated[
    str | None,
    Query(description="Unique id of a node: only what is annotated of it, its columns and edges to it."),
]


@of_store.get("/annotations", tags=["Annotations"], responses=page_of_items("annotation"))
async def annotated_objects(
    asked: OfStore, paging: Paged, project: AnnotatedProject = None, node: AnnotatedNode = None
) -> Response:
    """List the present notes, tags and owners of nodes, columns and edges: those of `notes --format json`."""
    return await asked.page(paging, no_runs, answers.present(project, node))


@of_store.get("/annotations/history", tags=["Annotations"], responses=page_of_items("note_change"))
async def annotation_history(
    asked: OfStore, paging: Paged, project: AnnotatedProject = None, node: AnnotatedNode = None
) -> Response:
    """List all changes of notes, tags and owners, newest first: those of `notes --history --format json`."""
    return await asked.page(paging, no_runs, answers.changes(project, node))


@of_store.post(
    "/annotations",
    tags=["Annotations"],
    responses=document_of("notes_document"),
    openapi_extra=body_of("annotation_request"),
)
async def change_annotation(asked: OfStore) -> Response:
    """Set or delete one note, tag or owner of a node, a column or an edge.

    The server must be started with `--allow-writes`. The answer has the present values of the object, and the
    stored change; a change to the present value stores nothing. Anyone with the scope may edit and delete the
    annotations of other authors.
    """
    return await asked.change(answers.change)
