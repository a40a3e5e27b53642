"""Proof that drawings of generated runs and diffs have the edges, marks, counts and labels of the store.

    python -m tests.proofs.drawings [--seconds 600] [--seed 1]

A case draws two runs of a project, in which nodes and edges are added, removed, renamed and edited. Sources
have equal names, names are hostile, and there are versions, cycles and a parent without a node. Both runs are
recorded in a SQLite file. Mermaid graphs, comments, HTML reports, pages and the editor's graph are read back.
For each run, the lines without the mark of the other run must be its edges between the drawn nodes, and the
paths of it through nodes that are not drawn. Prints what is wrong; exits with 1 if anything is.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zlib import crc32

from msgspec import to_builtins
from starlette.testclient import TestClient

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.browse.graph_query import HUB, GraphQuery
from recce_meta.api.diff import DiffQuestion, diff, whole_diff
from recce_meta.api.impact import impact_in
from recce_meta.api.record import record_run
from recce_meta.api.run_reader import StoredRunReader
from recce_meta.api.runs import lineage_view
from recce_meta.errors import RecceMetaError
from recce_meta.lsp.features.graphs import EditorGraph
from recce_meta.lsp.project.index import ProjectIndex
from recce_meta.models import EdgeOrigin, NodeMetadata, Project, RunDiff, RunMetadata, code_hash
from recce_meta.models.graph_view import INDIRECT, REMOVED, UNCERTAIN
from recce_meta.models.lineage import Direction
from recce_meta.report import html_report, impact_markdown, lineage_markdown, pull_request_markdown
from recce_meta.report.addresses import Addresses
from recce_meta.report.diff_details import is_classified
from recce_meta.report.mermaid import diff_flowchart
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.stores.stores import Store
from scripts.drawings import (
    GONE,
    TESTS,
    Pair,
    around,
    by_parent,
    ids_by_label,
    kind_of,
    label_of,
    reachable,
    read_mermaid,
    read_svg,
    read_view,
    wrong_chart,
    wrong_edges,
    wrong_nodes,
    wrong_rows,
    wrong_states,
)
from tests.proofs.clock import Clock

AT = datetime(2026, 11, 1, tzinfo=timezone.utc)
TO = Addresses("default")
SIZES = (3, 8, 20, 45, 70, 130)
NAMES = ("end", "subgraph", 'say "x"', "a<b>&c", "semi;colon", "class", "graph", "ü—é", "-->", "x|y")
CASES_OF_A_STORE = 40


@dataclass(frozen=True)
class Graph:
    """Nodes and edges of a run as generated."""

    nodes: Mapping[str, NodeMetadata]
    edges: set[Pair]
    """Edges from parents to children."""


def graph_of(nodes: Mapping[str, NodeMetadata]) -> Graph:
    """Return the graph of *nodes*."""
    return Graph(nodes, {(parent, one) for one, node in nodes.items() for parent in node.parents})


@dataclass
class Draw:
    """Two runs of one project, which depend on the seed alone."""

    seed: int
    base: Graph = field(init=False)
    current: Graph = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        size = self.random.choice(SIZES)
        ids = [self._new_id(number, size) for number in range(size)]
        self._width = self.random.choice((2, 5, size))
        self._density = self.random.choice((0.5, 1.5, 3.0, 8.0, 30.0))
        base = {one: self._node(one, ids[:place]) for place, one in enumerate(ids)}
        self._extras(base)
        self.base, self.current = graph_of(base), graph_of(self._changed(base, ids))

    def _new_id(self, number: int, size: int) -> str:
        chance = self.random.random()
        if chance < 0.15 and number < size / 2:
            # Two sources of each name, in different schemas.
            return f"source.shop.{'raw' if number % 2 else 'erp'}.t{number // 2:03}"
        if chance < 0.22:
            return f"exposure.shop.e{number:03}"
        if chance < 0.35:
            return f"test.shop.check{number:03}.{number:010x}"
        if chance < 0.42:
            return f"model.shop.m{number:03}.v{1 + number % 2}"
        if chance < 0.47:
            return f"seed.shop.s{number:03}"
        if chance < 0.55:
            return f"model.shop.{number:03}{self.random.choice(NAMES)}"
        return f"model.shop.m{number:03}"

    def _node(self, unique_id: str, before: Sequence[str]) -> NodeMetadata:
        kind = unique_id.split(".")[0]
        near = [one for one in before if one.split(".")[0] not in ("exposure", "test")][-self._width :]
        wanted = int(self.random.expovariate(1 / self._density)) + (self.random.random() < 0.7)
        parents = () if kind in ("source", "seed") else self.random.sample(near, min(wanted, len(near)))
        return self._with_code(node_of(unique_id), parents, 1)

    def _with_code(self, node: NodeMetadata, parents: Iterable[str], number: int) -> NodeMetadata:
        found = tuple(sorted(set(parents)))
        if node.resource_type != "model":
            return replaced(node, parents=found)
        read = [part_of(one) for one in found if one != GONE]
        inputs = ", ".join(f'"db"."dev"."{name}" as p{place}' for place, name in enumerate(read))
        value = f"p0.a + {number}" if inputs else number
        text = f"select {value} as a, 0 as b" + (f" from {inputs}" if inputs else "")
        # The store has one origin of each edge of a version, so that it must not depend on the run.
        unsure = [one for one in found if crc32(f"{one} {node.unique_id}".encode()) % 10 == 0]
        origins = {one: EdgeOrigin("sql", 0.5) for one in unsure}
        return replaced(
            node,
            parents=found,
            raw_code=text,
            compiled_code=text,
            code_hash=code_hash(text),
            edge_origins=origins,
        )

    def _extras(self, nodes: dict[str, NodeMetadata]) -> None:
        """Add a cycle and a parent without a node in a few cases."""
        models = [one for one in nodes if one.startswith("model.")]
        if len(models) < 3:
            return
        if self.random.random() < 0.08:
            first, *_, last = models
            nodes[first] = self._with_code(nodes[first], (*nodes[first].parents, last), 1)
        if self.random.random() < 0.08:
            nodes[models[1]] = self._with_code(nodes[models[1]], (*nodes[models[1]].parents, GONE), 1)

    def _changed(self, base: Mapping[str, NodeMetadata], ids: Sequence[str]) -> dict[str, NodeMetadata]:
        """Return *base* with nodes and edges added, removed, renamed and edited."""
        chance, rate = self.random.random, self.random.choice((0.0, 0.02, 0.08, 0.3))
        plain = [one for one in ids if one.startswith("model.shop.m") and ".v" not in one]
        renamed = {one: f"{one}_new" for one in plain if chance() < rate / 2}
        removed = {one for one in ids if one not in renamed and chance() < rate}
        nodes: dict[str, NodeMetadata] = {}
        for place, (one, node) in enumerate(base.items()):
            if one in removed:
                continue
            parents = {renamed.get(parent, parent) for parent in node.parents if parent not in removed}
            if chance() < rate and parents:
                parents.discard(self.random.choice(sorted(parents)))
            if chance() < rate and not one.startswith(("source.", "seed.")):
                parents |= set(self.random.sample(sorted(nodes), min(1, len(nodes)))) - {
                    other for other in nodes if other.startswith(("exposure.", "test."))
                }
            name = renamed.get(one, one)
            found = node if name == one else node_of(name)
            is_same = name == one and parents == {*node.parents} and chance() >= rate
            nodes[name] = node if is_same else self._with_code(found, parents, 2 if chance() < 0.5 else 1)
            if chance() < rate / 2:
                extra = f"model.shop.n{place:03}"
                nodes[extra] = self._with_code(node_of(extra), [name] if one.startswith("model.") else [], 1)
                children = [other for other in ids[place + 1 :] if other.startswith("model.")][:1]
                for child in children:
                    if child in base and child not in removed and child not in renamed:
                        self._later = {**getattr(self, "_later", {}), child: extra}
        for child, extra in getattr(self, "_later", {}).items():
            if child in nodes:
                nodes[child] = self._with_code(nodes[child], (*nodes[child].parents, extra), 1)
        return nodes


def replaced(node: NodeMetadata, **values: Any) -> NodeMetadata:
    """Return *node* with other values."""
    return NodeMetadata(**{name: values.get(name, getattr(node, name)) for name in node.__struct_fields__})


def part_of(unique_id: str) -> str:
    """Return the name of the relation of a node."""
    return unique_id.split(".", 2)[2].replace(".", "_").replace('"', "")


def node_of(unique_id: str) -> NodeMetadata:
    """Return a node without parents and code."""
    kind, package, rest = unique_id.split(".", 2)
    version = None
    if kind == "source":
        source, name = rest.split(".")
    elif kind == "model" and (found := re.fullmatch(r"(.*)\.v(\d)(_new)?", rest)):
        source, name, version = None, found[1] + (found[3] or ""), found[2]
    else:
        source, name = None, rest.split(".")[0] if kind == "test" else rest
    return NodeMetadata(
        unique_id=unique_id, name=name, resource_type=kind, package_name=package, source_name=source,
        version=version, path=f"models/{part_of(unique_id)}.sql", fqn=(package, name),
        relation_name=f'"db"."dev"."{part_of(unique_id)}"', database_name="db", schema_name="dev",
        identifier=part_of(unique_id), materialized="table" if kind == "model" else None, language="sql",
    )  # fmt: skip


class Pages:
    """Store in a SQLite file, and the pages of a server of it."""

    def __init__(self, file: Path) -> None:
        url = f"sqlite:///{file}"
        self.adapter = UnifiedSqlAdapter.from_url(url)
        self._stack = ExitStack()
        store = Store("default", lambda: UnifiedSqlAdapter.from_url(url))
        app = create_app({"default": store}, Access())
        self.client = self._stack.enter_context(TestClient(app, base_url="http://127.0.0.1"))

    def recorded(self, graph: Graph, run_id: str, project: str, day: int) -> StoredRunReader:
        """Record a run and return its reader."""
        run = RunMetadata(
            run_id=run_id, run_at=AT + timedelta(days=day), project_name=project, adapter_type="duckdb",
            node_count=len(graph.nodes),
        )  # fmt: skip
        nodes = tuple(graph.nodes[one] for one in sorted(graph.nodes))
        found = record_run(self.adapter, Project(run=run, nodes=nodes)).run
        return StoredRunReader(self.adapter, found)

    def get(self, address: str) -> Any:
        """Return the JSON at an address."""
        answer = self.client.get(address)
        assert answer.status_code == 200, (address, answer.text[:500])
        return answer.json()

    def text(self, address: str) -> str:
        """Return the page at an address."""
        answer = self.client.get(address)
        assert answer.status_code == 200, (address, answer.text[:500])
        return str(answer.text)

    def close(self) -> None:
        """Stop the server."""
        self._stack.close()
        self.adapter.close()


class Case:
    """Drawings of the runs of one seed."""

    def __init__(self, pages: Pages, seed: int) -> None:
        draw = Draw(seed)
        self.random = random.Random(-seed)
        self.pages, self.base, self.current = pages, draw.base, draw.current
        self.nodes = {**draw.base.nodes, **draw.current.nodes}
        self.runs = draw.base.edges, draw.current.edges
        self.edges = draw.base.edges | draw.current.edges
        ends = {end for edge in self.edges for end in edge}
        self.all = {*self.nodes, *ends}
        self.known = ids_by_label(self.all)
        self.readers = [
            pages.recorded(graph, f"{side}-{seed}", f"shop{seed}", day)
            for day, (side, graph) in enumerate((("base", draw.base), ("current", draw.current)))
        ]

    def failures(self) -> Iterator[str]:
        """Yield what is wrong."""
        for name, found in self._diffs():
            for what, problems in self._of_diff(found):
                yield from (f"{name}, {what}: {one}" for one in problems)
        for what, problems in (*self._pages(), *self._of_runs()):
            yield from (f"{what}: {one}" for one in problems)

    def _diffs(self) -> Iterator[tuple[str, RunDiff]]:
        base, current = self.readers
        yield "stored diff", diff(lambda: self.pages.adapter, base.run, current.run)
        term = self.random.choice(
            ("state:modified", f"{self._name()}+", f"+{self._name()}", "resource_type:model")
        )
        question = DiffQuestion([term], like_dbt=self.random.random() < 0.3)
        try:
            yield f"diff of {term}", whole_diff(base.project, current.project, question)
        except RecceMetaError as error:
            yield from self._expected(error)

    def _expected(self, error: RecceMetaError) -> Iterator[tuple[str, RunDiff]]:
        if "not found" not in str(error) and "Invalid" not in str(error):
            raise error
        return iter(())

    def _name(self) -> str:
        plain = [node.name for node in self.nodes.values() if re.fullmatch(r"\w+", node.name)]
        return self.random.choice(sorted(plain) or ["none"])

    def _of_diff(self, found: RunDiff) -> Iterator[tuple[str, Iterable[str]]]:
        states = {
            one.unique_id: one.status.value for one in found.changed if kind_of(one.unique_id) not in TESTS
        }
        changed = states.keys()
        reached = {one.unique_id for one in found.impacted if kind_of(one.unique_id) not in TESTS}
        children = {
            child for parent, child in self.edges if parent in changed and kind_of(child) not in TESTS
        }
        children -= changed
        if is_classified(found):
            children &= reached
        yield "changes", self._wrong_changes(found)
        for what, text in (
            ("Mermaid", diff_flowchart(found).markdown()),
            ("comment", pull_request_markdown(found)),
        ):
            chart = read_mermaid(text, self.known)
            if chart is None:
                ends = {end for edge in self.edges if {*edge} <= children | changed for end in edge}
                if ends and "The graph was left out for length." not in text:
                    yield what, ["no graph"]
                continue
            yield what, wrong_chart(chart, self.runs, self.all, {*changed, *children})
            yield (
                what,
                wrong_states(
                    {one: style.replace("breaking", "modified") for one, style in chart.styles.items()},
                    states,
                ),
            )
        page = html_report("Diff", found)
        everything = {*changed, *reached, *(() if is_classified(found) else children)}
        picture, drawn = read_svg(page, self.known)
        yield "SVG", wrong_edges(picture, *self.runs, self.all - {*picture.labels})
        yield "SVG", wrong_nodes(picture, everything)
        sentence = f"{len(picture.labels)} of {len(everything)} nodes are drawn."
        if (len(picture.labels) < len(everything)) != (sentence in page):
            yield "SVG", [f"counts: {len(picture.labels)} of {len(everything)}"]
        yield "SVG", wrong_states(drawn, states)

    def _wrong_changes(self, found: RunDiff) -> Iterator[str]:
        """Yield nodes whose status is not that of the generated runs."""
        for change in found.changed:
            one, state = change.unique_id, change.status.value
            is_old, is_new = one in self.base.nodes, one in self.current.nodes
            if state != ("modified" if is_old and is_new else "removed" if is_old else "added"):
                yield f"{one} is {state}"

    # Pages and the editor

    def _queries(self, nodes: Collection[str]) -> Iterator[dict[str, Any]]:
        some = [one for one in sorted(nodes) if re.fullmatch(r"[\w.]+", one) and kind_of(one) != "test"]
        yield {}
        yield {"most": self.random.randint(1, 12)}
        yield {"type": ["model"]}
        yield {"hubs": "hide"}
        yield {"type": sorted({kind_of(one) for one in nodes})}
        if some:
            one = self.random.choice(some)
            around = {"node": one, "up": self.random.randint(0, 3), "down": self.random.randint(0, 3)}
            yield around
            yield {**around, "type": [self.random.choice(("model", "source", "exposure"))]}
            other = self.random.choice(some)
            yield {**around, "expand": [f"{other}:{self.random.choice(('up', 'down'))}"]}
            yield {
                "select": f"{label_of(one)}+ {label_of(other)}",
                "exclude": label_of(self.random.choice(some)),
            }

    def _pages(self) -> Iterator[tuple[str, Iterable[str]]]:
        base, current = (one.run.run_id for one in self.readers)
        sides = (
            ("diff", TO.diff_graph(base, current), self.base, self.current),
            ("run", TO.graph(base), self.base, self.base),
            ("run", TO.graph(current), self.current, self.current),
        )
        for name, address, before, after in sides:
            nodes = {**before.nodes, **after.nodes}
            for query in self.random.sample(list(self._queries(nodes)), 3 if before is not after else 1):
                asked = "&".join(
                    f"{key}={one}" for key, values in query.items()
                    for one in (values if isinstance(values, list) else [values])
                ).replace("+", "%2B").replace(" ", "%20")  # fmt: skip
                answer = self.pages.client.get(f"{address}.json?{asked}")
                if answer.status_code in (400, 404):  # a filter without its type, or a name of several nodes
                    continue
                assert answer.status_code == 200, (address, asked, answer.text[:300])
                view = answer.json()
                what = f"page of a {name}, {asked}"
                yield what, self._wrong_view(view, query, before, after)
                rows = self.pages.get(f"{address}/edges.json?{asked}")
                yield what, wrong_rows(rows, read_view(view))
            text = self.pages.text(TO.diff(base, current, view="graph") if name == "diff" else address)
            view = self.pages.get(f"{address}.json")
            edges = len(view["edges"])
            count = f"{len(view['nodes']):,} of {view['total']:,} node"
            if count not in text or not re.search(rf"\D{edges:,} edges?\b", text):
                yield f"page of a {name}", [f"{count}, {edges} edges not in the text"]
        found = self.pages.text(TO.diff(base, current))
        if '<svg class="graph"' in found:
            picture, _ = read_svg(found, self.known)
            yield (
                "drawing of the page of the diff",
                wrong_edges(picture, *self.runs, self.all - {*picture.labels}),
            )

    def _wrong_view(
        self, view: Mapping[str, Any], query: Mapping[str, Any], before: Graph, after: Graph
    ) -> Iterator[str]:
        picture = read_view(view)
        shown, hubs = {*picture.labels}, {*view.get("hidden_hubs", ())}
        edges = before.edges | after.edges
        has_tests = bool({"test"} & {*query.get("type", ())})
        whole = {*before.nodes, *after.nodes, *(end for edge in edges for end in edge)}
        listed = {one for one in whole if has_tests or kind_of(one) not in TESTS}
        if view["total"] != len(listed):
            yield f"total {view['total']}, not {len(listed)}"
        if shown - listed:
            yield f"{sorted(shown - listed)} are tests"
        is_diff = before is not after
        hidden = listed
        if "node" in query:
            hidden = around(query, edges, listed)
        yield from wrong_edges(
            picture._replace(edges=[(*edge[:2], edge[2] & ~UNCERTAIN) for edge in picture.edges]),
            before.edges, after.edges, hidden - shown - hubs,
        )  # fmt: skip
        for node in view["nodes"]:
            one = node["id"]
            above = sum(parent in listed - shown for parent, child in edges if child == one)
            below = sum(child in listed - shown for parent, child in edges if parent == one)
            if (node.get("parents", 0), node.get("children", 0)) != (above, below):
                yield f"hidden neighbours of {one}: {node.get('parents', 0)}, {node.get('children', 0)}"
            is_old, is_new = one in before.nodes, one in after.nodes
            possible = (
                {"", "modified", "impacted"} if is_old and is_new else {"removed" if is_old else "added"}
            )
            # A parent without a node has no status.
            if node.get("status", "") not in (possible if is_diff and (is_old or is_new) else {""}):
                yield f"status of {one}: {node.get('status')!r}"
        for parent, child, flags in picture.edges:
            side = before if flags & REMOVED else after
            origin = side.nodes[child].edge_origins.get(parent) if child in side.nodes else None
            if flags & INDIRECT:
                origin = None
            if bool(flags & UNCERTAIN) != (origin is not None and origin.confidence < 1):
                yield f"certainty of {parent} → {child}"
        notes = " ".join(view.get("notes", ()))
        if view.get("is_cut") and f"shows {len(shown):,} of " not in notes:
            yield f"cut, but says {notes!r}"
        for one in hubs:
            near = sum(one in edge and listed >= {*edge} for edge in edges)
            if near <= HUB:
                yield f"{one} with {near} neighbours is a hub"

    def _of_runs(self) -> Iterator[tuple[str, Iterable[str]]]:
        for reader, graph in zip(self.readers, (self.base, self.current), strict=True):
            if not graph.nodes:
                continue
            editor = EditorGraph(ProjectIndex(reader, Path("/nowhere")))
            query = self.random.choice(list(self._queries(graph.nodes)))
            values: dict[str, Any] = {
                key: tuple(one) if isinstance(one, list) else one for key, one in query.items()
            }
            try:
                view = to_builtins(editor.shown(GraphQuery(**values)))
            except RecceMetaError:  # a filter without its type, or a name of several nodes
                continue
            yield f"editor, {query}", self._wrong_view(view, query, graph, graph)
            root = self.random.choice(sorted(graph.nodes))
            yield f"lineage of {root}", self._wrong_lineage(root, graph)
            yield f"impact of {root}", self._wrong_impact(root, reader, graph)

    def _wrong_lineage(self, root: str, graph: Graph) -> Iterator[str]:
        direction = self.random.choice(list(Direction))
        origins = {one: dict.fromkeys(node.parents) for one, node in graph.nodes.items()}
        view = lineage_view(root, graph.nodes, origins, direction, None)
        chart = read_mermaid(lineage_markdown(view), self.known)
        assert chart is not None
        children, parents = (
            by_parent(graph.edges),
            by_parent((child, parent) for parent, child in graph.edges),
        )
        candidates = {root}
        if direction is not Direction.DOWNSTREAM:
            candidates |= reachable(root, parents, lambda _: True)
        if direction is not Direction.UPSTREAM:
            candidates |= reachable(root, children, lambda _: True)
        yield from wrong_chart(chart, (graph.edges, graph.edges), candidates, candidates, "the nearest ")

    def _wrong_impact(self, root: str, reader: StoredRunReader, graph: Graph) -> Iterator[str]:
        try:
            view = impact_in(reader, root, Direction.BOTH, None)
        except RecceMetaError:
            return
        chart = read_mermaid(impact_markdown(view), self.known)
        assert chart is not None
        candidates = {node.unique_id for node in view.nodes if kind_of(node.unique_id) not in TESTS} | {root}
        # Its edges are those of the paths that a change takes.
        edges = {(edge.parent_id, edge.node_id) for edge in view.edges}
        if not edges <= graph.edges:
            yield f"{sorted(edges - graph.edges)} are no edges of the run"
        yield from wrong_chart(chart, (edges, edges), candidates, candidates, "the nearest ")


def failures(folder: Path, seeds: Iterable[int]) -> Iterator[str]:
    """Run the cases of *seeds*, and yield what is wrong."""
    pages = None
    for number, seed in enumerate(seeds):
        if number % CASES_OF_A_STORE == 0:
            if pages is not None:
                pages.close()
            pages = Pages(folder / f"drawings{number}.sqlite")
        assert pages is not None
        try:
            yield from (f"case {seed}: {one}" for one in Case(pages, seed).failures())
        except (AssertionError, KeyError) as error:  # a drawing that cannot be read
            yield f"case {seed}: {type(error).__name__}: {error}"
    if pages is not None:
        pages.close()


def main() -> None:
    """Run the cases that the command line asks for."""
    clock, _ = Clock.of(argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else ""))
    found = 0
    with tempfile.TemporaryDirectory() as folder:
        for failure in failures(Path(folder), clock.seeds()):
            found += 1
            print(failure[:600], flush=True)
    print(clock.report(found))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
