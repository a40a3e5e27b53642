"""Commands of `workspace/executeCommand`: lineage, impact, previews, graphs, exchanges, state of the index.

Arguments are positional. The first is the URI of the file that the question is about; without it, commands
of a project mean the one that was used last.

    lineage (uri)                      {text, graph}: the nodes around the model
    impact (uri, target?, format?)     target: NODE, NODE.COLUMN, a column of the model, or a position;
                                       format: markdown (a text) or json (`recce_meta/impact/v1`)
    preview (uri)                      what the saved edits do to the data of the model, as text
    refresh (uri?)                     read the project again; its status
    graph (uri, query?)                part of the graph; query: that of the address of a page
    graphColumns (uri, node, search?, page?)
    graphPath (uri, node, column)
    push, pull, sync (uri?)            exchange with the configured remote store; a sentence
    syncStatus (uri?)                  {remote, last_sync, pending, conflicts, error}; null is unknown,
                                       error that of the last exchange, message why all is unknown
    status (uri?)                      parameters of `recceMeta/status`
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs

import msgspec
from msgspec.structs import replace
from pygls.exceptions import JsonRpcInvalidParams

from recce_meta.api.browse.graph_query import GraphQuery, graph_query
from recce_meta.api.impact import Address, as_bound, column_names, find_column, impact_in
from recce_meta.errors import RecceMetaError, SelectorError, plural
from recce_meta.lsp.documents import TextView, path_of
from recce_meta.lsp.features.graphs import EditorGraph
from recce_meta.lsp.project.cache import find_store, write_result
from recce_meta.lsp.project.index import ProjectIndex
from recce_meta.lsp.project.index_process import OUTSIDE
from recce_meta.lsp.projects import OpenProject
from recce_meta.lsp.workspace import EditorSession
from recce_meta.models import NodeMetadata
from recce_meta.models.graph_view import GraphNode
from recce_meta.models.lineage import Direction
from recce_meta.report.json import impact_json
from recce_meta.report.labels import moment
from recce_meta.report.lineage import impact_markdown

MOST_PAGES = 10_000
SHORT_WAIT = "2"
"""Seconds to wait for a DuckDB file that another process uses, for a status that users did not ask for."""

UNSAVED = "The text has edits that are not saved, and not part of it.\n"
SHOWN_LINES = 12
"""Lines of a result in a message."""

Found = TypeVar("Found")


class CommandArguments:
    """Arguments of one call; what is missing or wrong is an error of the protocol."""

    def __init__(self, name: str, given: Sequence[Any], most: int) -> None:
        """Read *given*, of which the command *name* takes at most *most*."""
        self.name, self._given = name, given
        if len(given) > most:
            raise self.wrong(f"takes at most {plural(most, 'argument')}, got {len(given)}")

    def wrong(self, why: str) -> JsonRpcInvalidParams:
        """Return the error that says *why* the arguments are wrong."""
        return JsonRpcInvalidParams(f"recce-meta.{self.name} {why}")

    def any(self, position: int) -> Any:
        """Return the argument at *position*; None if it is missing."""
        return self._given[position] if position < len(self._given) else None

    def text(self, position: int, what: str, default: str | None = None) -> str:
        """Return the string at *position*, else *default*. A missing one without default is an error."""
        found = self.any(position)
        if found is None and default is not None:
            return default
        if not isinstance(found, str):
            raise self.wrong(f"needs {what} as argument {position + 1}, a string")
        return found

    def number(self, position: int, what: str, default: int, most: int) -> int:
        """Return the whole number from 1 to *most* at *position*, else *default*."""
        found = self.any(position)
        if found is None:
            return default
        if not isinstance(found, int) or isinstance(found, bool) or not 1 <= found <= most:
            raise self.wrong(f"needs {what} as argument {position + 1}, a number from 1 to {most}")
        return found


class EditorCommands:
    """Commands of one session; `run_command` calls the method of the command's name."""

    def __init__(self, session: EditorSession) -> None:
        """Create the commands of *session*."""
        self.session = session

    async def lineage(self, given: Sequence[Any]) -> object:
        """Return the nodes around the model, as a text and as a graph."""
        arguments = CommandArguments("lineage", given, 1)
        project, path = self._file(arguments)
        found = await self._with_graph(project, lambda graph: _lineage(graph, path))
        self._show(project, found)
        return found

    async def impact(self, given: Sequence[Any]) -> object:
        """Return what a change of the model, or of one of its columns, affects in the indexed run."""
        arguments = CommandArguments("impact", given, 3)
        project, path = self._file(arguments)
        style = arguments.text(2, "the format", "markdown")
        if style not in ("markdown", "json"):
            raise arguments.wrong(f"has no format '{style}'; use markdown or json")
        target = arguments.any(1)
        if isinstance(target, Mapping):
            target = await self._address_at(arguments, target)
        elif target is not None and not isinstance(target, str):
            raise arguments.wrong("needs a name or a position as argument 2")
        found = await self._with_graph(project, lambda graph: _impact(graph.index, path, target, style))
        if style == "markdown":
            self._show(project, found)
        return found

    async def preview(self, given: Sequence[Any]) -> object:
        """Return what edits of saved files do to the data of the model, as the command `preview` does."""
        arguments = CommandArguments("preview", given, 1)
        project, path = self._file(arguments)
        name = Path(os.path.relpath(path, project.root)).as_posix()
        # Not alone: while the queries run, files are read again, and a DuckDB file has several readers.
        work = partial(self._run_now, project, "preview", "--select", f"path:{name}")
        code, output, messages = await self.session.workers.run(self.session.workers.waiting, work)
        if not output.strip():
            raise RecceMetaError(_reason(messages) or f"recce-meta preview exits with {code}")
        text = self.session.texts.get(arguments.text(0, "the URI of a file"))
        output += UNSAVED if text is not None and text.is_edited else ""
        self._show(project, output)
        return output

    def _show(self, project: OpenProject, found: object) -> None:
        """Show the text of a result, unless the editor does: most editors drop what a lens returns."""
        text = found.get("text") if isinstance(found, Mapping) else found
        if isinstance(text, str) and not self.session.client.abilities.shows_results:
            # Some editors open no file until the command is answered.
            self.session.showing = asyncio.ensure_future(self._show_text(project, text))

    async def _show_text(self, project: OpenProject, text: str) -> None:
        client = self.session.client
        file = _written(project.root, text) if client.abilities.shows_documents else None
        if file is None or not await client.show_document(file.as_uri()):
            lines = text.strip().splitlines()
            client.show("\n".join([*lines[:SHOWN_LINES], *(["…"] if len(lines) > SHOWN_LINES else [])]))

    async def _address_at(self, arguments: CommandArguments, position: Mapping[str, Any]) -> Address | None:
        """Return the column at *position* of the open text; None without one."""
        line, character = position.get("line"), position.get("character")
        if not (isinstance(line, int) and isinstance(character, int) and line >= 0 and character >= 0):
            raise arguments.wrong("needs a position with line and character as argument 2")
        text = self.session.texts.get(arguments.text(0, "the URI of a file"))
        if text is None:
            return None
        return await self.session.ask(text, partial(_column_at, line=line, character=character))

    async def refresh(self, given: Sequence[Any]) -> object:
        """Read the project again, and return its status."""
        project = self._project(CommandArguments("refresh", given, 1))
        await project.refresh(is_fresh=True)
        return project.status()

    async def status(self, given: Sequence[Any]) -> object:
        """Return the status of the project; null if none is open."""
        arguments = CommandArguments("status", given, 1)
        if not given and self.session.recent_project() is None:
            return None
        return self._project(arguments).status()

    async def graph(self, given: Sequence[Any]) -> object:
        """Return the part of the graph that the query names; without a node, that around the model."""
        arguments = CommandArguments("graph", given, 2)
        project, path = self._file(arguments)
        query = _query(arguments.text(1, "the query", ""))
        return await self._with_graph(project, lambda graph: graph.shown(_at_model(graph, path, query)))

    async def graphColumns(self, given: Sequence[Any]) -> object:
        """Return a page of the columns of a node."""
        arguments = CommandArguments("graphColumns", given, 4)
        project, _ = self._file(arguments)
        node, search = arguments.text(1, "a node"), arguments.text(2, "the search", "")
        page = arguments.number(3, "the page", 1, MOST_PAGES)
        return await self._with_graph(project, lambda graph: graph.columns(node, search, page))

    async def graphPath(self, given: Sequence[Any]) -> object:
        """Return the path of a column."""
        arguments = CommandArguments("graphPath", given, 3)
        project, _ = self._file(arguments)
        node, column = arguments.text(1, "a node"), arguments.text(2, "a column")
        return await self._with_graph(project, lambda graph: graph.path(node, column))

    async def push(self, given: Sequence[Any]) -> object:
        """Send what the remote store lacks."""
        return await self._exchange("push", given)

    async def pull(self, given: Sequence[Any]) -> object:
        """Receive what the configured store lacks."""
        return await self._exchange("pull", given)

    async def sync(self, given: Sequence[Any]) -> object:
        """Exchange in both directions."""
        return await self._exchange("sync", given)

    async def _exchange(self, name: str, given: Sequence[Any]) -> str:
        project = self._project(CommandArguments(name, given, 1))
        code, output, messages = await self._run(project, name, "--format", "table")
        text = "\n".join(line.rstrip() for line in output.strip().splitlines())
        if code not in (0, 1) or not text:
            raise RecceMetaError(_reason(messages) or f"recce-meta {name} exits with {code}")
        # What arrived may be the new base.
        project.refresh(is_fresh=True)
        return text

    async def syncStatus(self, given: Sequence[Any]) -> object:
        """Return the last exchange and the conflicts of the configured store; nothing is connected to."""
        project = self._project(CommandArguments("syncStatus", given, 1))
        asked = ("sync", "--status", "--format", "json", "--lock-timeout", SHORT_WAIT)
        code, output, messages = await self._run(project, *asked)
        if code:
            unknown = dict.fromkeys(("remote", "last_sync", "pending", "conflicts", "error"))
            return {**unknown, "message": _reason(messages)}
        return sync_status(msgspec.json.decode(output))

    async def _run(self, project: OpenProject, *arguments: str) -> tuple[int, str, str]:
        """Run a command of recce-meta in the folder of *project*, with the server's connection options."""
        return await project.alone(partial(self._run_now, project, *arguments))

    def _run_now(self, project: OpenProject, *arguments: str) -> tuple[int, str, str]:
        command = [sys.executable, "-c", _START, *arguments, *project.options]
        return self.session.processes.run(command, project.root)

    def _file(self, arguments: CommandArguments) -> tuple[OpenProject, Path]:
        """Return the project of the first argument, and the file."""
        uri = arguments.text(0, "the URI of a file")
        path = path_of(uri)
        if path is None:
            raise arguments.wrong(f"needs the URI of a file on this machine as argument 1, got {uri}")
        project = self.session.project_of(path)
        if project is None:
            raise SelectorError(f"{path} is not in a dbt project", hint="open a file below a dbt_project.yml")
        return project, path

    def _project(self, arguments: CommandArguments) -> OpenProject:
        """Return the project of the first argument, else the one that was used last."""
        if arguments.any(0) is not None:
            return self._file(arguments)[0]
        project = self.session.recent_project()
        if project is None:
            raise SelectorError("No dbt project is open", hint="open a file below a dbt_project.yml")
        return project

    async def _with_graph(self, project: OpenProject, answer: Callable[[EditorGraph], Found]) -> object:
        """Return *answer* for the graph of *project*, in the thread of long analyses."""

        def work() -> object:
            index = project.slow
            if index is None:
                raise RecceMetaError(project.message or f"{project.root.name} is still being read")
            return msgspec.to_builtins(answer(self.session.graph_of(project.root, index)))

        await project.opened()
        return await self.session.workers.run(self.session.workers.slow, work)


async def run_command(session: EditorSession, name: str, arguments: Sequence[Any]) -> object:
    """Return the result of the command *name*, without the prefix, with *arguments*.

    Raises JsonRpcInvalidParams for wrong arguments, and RecceMetaError for an answer that does not exist.
    """
    return await getattr(EditorCommands(session), name)(arguments)


def _written(root: Path, text: str) -> Path | None:
    """Return the file of *text*; None if it cannot be written."""
    try:
        return write_result(find_store(root, os.environ), text)
    except OSError:
        return None


_START = f"{OUTSIDE}sys.argv[0] = 'recce-meta'; from recce_meta.cli.main import main; main()"


def _reason(messages: str) -> str:
    """Return the error, and the hint, that a command printed."""
    lines = [line for line in messages.strip().splitlines() if line.startswith(("error: ", "hint: "))]
    return "; ".join(lines).removeprefix("error: ")


def sync_status(document: Mapping[str, Any]) -> Mapping[str, object]:
    """Return the state of the exchange with the default remote from a document of `sync --status`.

    The number of runs to push is unknown without a connection.
    """
    syncs: list[Mapping[str, Any]] = list(document["syncs"])
    done = max((one["finished_at"] for one in syncs if one["status"] != "failed"), default=None)
    last = max(syncs, key=lambda one: str(one["finished_at"]), default=None)
    return {
        "remote": document["remote"],
        "last_sync": done,
        "pending": None,
        "conflicts": len(document["conflicts"]),
        "error": last.get("error") if last is not None and last["status"] == "failed" else None,
    }


def _query(text: str) -> GraphQuery:
    values = parse_qs(text.removeprefix("?"), keep_blank_values=True)
    return graph_query(lambda name: values.get(name, []))


def _at_model(graph: EditorGraph, path: Path, query: GraphQuery) -> GraphQuery:
    """Return *query* around the node of the file, unless it names other nodes."""
    if query.node or query.select:
        return query
    node = graph.index.node_of_file(path)
    return query if node is None else replace(query, node=node.unique_id)


def _lineage(graph: EditorGraph, path: Path) -> Mapping[str, object]:
    node = _node(graph.index, path)
    view = graph.shown(GraphQuery(node=node.unique_id))
    nodes = view.nodes
    parents = [nodes[edge.parent] for edge in view.edges if nodes[edge.child].id == node.unique_id]
    children = [nodes[edge.child] for edge in view.edges if nodes[edge.parent].id == node.unique_id]
    lines = [node.label, *_listed("reads", parents), *_listed("is read by", children), _as_of(graph.index)]
    text = "\n".join(lines)
    return {"text": text, "graph": msgspec.to_builtins(view)}


def _listed(verb: str, nodes: Sequence[GraphNode]) -> Iterator[str]:
    yield f"{verb}:" if nodes else f"{verb} nothing"
    for node in nodes:
        yield f"  {node.name} ({node.type})"


def _as_of(index: ProjectIndex) -> str:
    return f"As of the index of {moment(index.run.run_at)}."


def _node(index: ProjectIndex, path: Path) -> NodeMetadata:
    node = index.node_of_file(path)
    if node is None:
        raise SelectorError(
            f"{path.name} has no recorded model", hint="save the file, then wait for the index"
        )
    return node


def _impact(index: ProjectIndex, path: Path, target: str | Address | None, style: str) -> object:
    """Return the impact of *target*: an address, a name, or a column of the model in *path*."""
    view = impact_in(index.reader, _target(index, path, target), Direction.DOWNSTREAM, None)
    view = as_bound(view, index.reader)
    if style == "json":
        return msgspec.json.decode(impact_json(view))
    return f"{impact_markdown(view)}\n\n{_as_of(index)}\n"


def _target(index: ProjectIndex, path: Path, target: str | Address | None) -> str | Address:
    if isinstance(target, Address):
        names = column_names(index.reader, target.unique_id)
        try:
            return find_column(target.column or "", target, names)
        except SelectorError:  # a column that was added to the text
            return Address(target.unique_id)
    node = index.node_of_file(path)
    if target is None:
        return Address(_node(index, path).unique_id)
    if node is not None:
        names = column_names(index.reader, node.unique_id)
        if target.casefold() in (name.casefold() for name in names.known):
            return find_column(target, Address(node.unique_id), names)
    return target


def _column_at(view: TextView, line: int, character: int) -> Address | None:
    """Return the column under the cursor: an output of the model, or a column of one of its tables."""
    offset = view.document.lines.offset(line, character)
    for output in view.query.outputs:
        if offset in output.span and view.node is not None and not output.is_star:
            return Address(view.node.unique_id, output.name)
    for column in view.query.columns:
        tables = [origin.table for origin in column.origins]
        if offset in column.span and len(tables) == 1 and tables[0] is not None and view.index is not None:
            table = view.index.relation(tables[0].call, view.package, view.node)
            return Address(table.unique_id, column.origins[0].column) if table is not None else None
    return None
