"""Tools about the whole project: lists of nodes and runs, and the code of a node on both sides of a diff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.browse.find import Only, find
from recce_meta.api.browse.impacts import owners_of
from recce_meta.api.browse.node import node_history
from recce_meta.api.run_reader import StoredRunReader
from recce_meta.api.runs import find_node
from recce_meta.errors import UsageError, plural
from recce_meta.mcp.answers import answer, cut, position, short_notes
from recce_meta.mcp.questions import Questions
from recce_meta.mcp.tools import result_text, side_text
from recce_meta.report.diff_details import unified_diff
from recce_meta.report.labels import moment
from recce_meta.store.read import list_runs

Lists = Literal["", "failed", "slow", "not_built", "untested", "undocumented", "unused", "runs", "history"]
_RUNS, _DESCRIBED, _CHUNK, _TEXT = 200, 100, 1_200, 80


class FindTools:
    """Tools that list, and show code."""

    def __init__(self, questions: Questions) -> None:
        """Create the tools that ask *questions*."""
        self._questions = questions

    def find(
        self,
        text: str = "",
        select: str = "",
        only: Lists = "",
        run: str = "",
        limit: int = 0,
        cursor: str = "",
    ) -> str:
        """List nodes, columns and macros of a run by all given conditions, with type, tags, owner and result.

        text: words of names, or a part of code, descriptions, tags, owners, macros. select: dbt's grammar, as
        tag:finance, path:models/marts, config.materialized:view. only: a state or a gap; runs lists all runs;
        history lists the runs that changed the node named by text.
        """
        if select and only in ("runs", "history"):
            raise UsageError(f"{only} takes no select", hint="leave select out")
        with self._questions.store.reading() as adapter:
            if only == "runs":
                count, rows = self._runs(adapter, text)
                return answer(self._head(count), "runs", rows, limit=limit, cursor=cursor)
            reader = self._questions.reader(adapter, run)
            if only == "history":
                head, rows = self._history(adapter, reader, text)
                return answer(head, "changes", rows, limit=limit, cursor=cursor)
            chosen = [select] if select else []
            found = find(adapter, reader, text=text, selection=chosen, only=Only(only) if only else None)
            # A page of an answer shows no more than these.
            start = position(cursor, len(found.hits))
            page = found.hits[start : start + (limit if limit > 0 else _DESCRIBED)]
            shown = {one.unique_id for one in page}
            nodes, owners = reader.described(sorted(shown)), owners_of(reader, shown)
        rows = []
        for one in found.hits:
            node = nodes.get(one.unique_id)
            row: dict[str, Any] = {"node": one.unique_id, "column": one.column, "found_in": one.place}
            if node is not None:
                row |= {"materialized": node.materialized, "tags": list(node.tags)}
                row |= {"description": cut(node.description, _TEXT), "owner": owners.get(one.unique_id)}
            rows.append({**row, "result": result_text(one.last) if one.last else None})
        count = f"{'at least ' * found.is_cut}{len(found.hits):,} found"
        head = {**self._head(count, reader), "not_known": short_notes(found.not_known)}
        return answer(head, "found", rows, limit=limit, cursor=cursor)

    def code(
        self,
        node: str,
        base: str = "",
        current: str = "",
        form: Literal["raw", "compiled"] = "raw",
        whole: bool = False,
        limit: int = 0,
        cursor: str = "",
    ) -> str:
        """Show the SQL of a node before and after, as a unified diff; whole: the code of current alone.

        base and current are those of what_changed. form: as written, or as dbt compiled it.
        """
        with self._questions.store.reading() as adapter:
            chosen = self._questions.pair(adapter, base, current)
            readers = [StoredRunReader(adapter, one) for one in (chosen.base.run, chosen.current.run) if one]
            names = {**readers[0].names, **readers[-1].names}
            unique_id = find_node(node, names)
            sides = [reader.nodes([unique_id]).get(unique_id) for reader in readers]
        texts = [(one.raw_code if form == "raw" else one.compiled_code) if one else None for one in sides]
        if not any(texts):
            raise UsageError(f"{unique_id} has no {form} code", hint="seeds, sources and exposures have none")
        head = {
            "node": unique_id,
            "base": side_text(readers[0].run),
            "current": side_text(readers[-1].run),
            "path": next((one.path for one in reversed(sides) if one), None),
            "is_same": texts[0] == texts[-1],
            "only_in": None if all(texts) else "base" if texts[0] else "current",
        }
        shown = (texts[-1] or texts[0] or "") if whole or texts[0] == texts[-1] else None
        lines = shown.splitlines() if shown is not None else [*unified_diff(texts[0], texts[-1])]
        rows = [{"code": one} for one in _chunks(lines)]
        return answer(head, "parts", rows, limit=limit, cursor=cursor)

    def _head(self, count: str, reader: StoredRunReader | None = None) -> dict[str, Any]:
        return {
            "count": count,
            "run": side_text(reader.run) if reader else None,
            "note": self._questions.store.note,
        }

    def _runs(self, adapter: UnifiedSqlAdapter, text: str) -> tuple[str, list[dict[str, Any]]]:
        """Return the number of runs with all words of *text*, in words, and a row for each, newest first."""
        found = list_runs(adapter, project=self._questions.settings.project, limit=_RUNS)
        rows = [
            {
                "run_id": run.run_id,
                "project": run.project_name,
                "environment": run.environment,
                "at": moment(run.run_at),
                "branch": run.branch,
                "commit": run.git_sha,
                "pull_request": run.pull_request,
                "build": run.build_status,
                "nodes": run.node_count,
            }
            for run in found
        ]
        words = text.lower().split()
        texts = [" ".join(map(str, row.values())).lower() for row in rows]
        rows = [row for row, known in zip(rows, texts, strict=True) if all(map(known.__contains__, words))]
        of_newest = f" of the newest {_RUNS}" * (len(found) == _RUNS)
        return f"{plural(len(rows), 'run')}{of_newest}", rows

    def _history(
        self, adapter: UnifiedSqlAdapter, reader: StoredRunReader, text: str
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        if not text:
            raise UsageError("history needs a node", hint="name it as text")
        unique_id = find_node(text, reader.names)
        changes = node_history(adapter, reader.run, unique_id)
        runs = {run.run_id: run for run in list_runs(adapter, project=reader.run.project_name)}
        rows = []
        for one in changes:
            run = runs.get(one.run_id)
            rows.append(
                {
                    "at": moment(one.run_at),
                    "change": one.status,
                    "parts": list(one.parts),
                    "run_id": one.run_id,
                    "commit": run.git_sha if run else None,
                    "branch": run.branch if run else None,
                    "pull_request": run.pull_request if run else None,
                }
            )
        head = self._head(plural(len(rows), "change"), reader)
        return {"node": unique_id, **head, "environment": reader.run.environment}, rows


def _chunks(lines: Sequence[str]) -> list[str]:
    """Return *lines* joined to parts that fit into one answer."""
    parts = [""]
    for line in lines:
        if parts[-1] and len(parts[-1]) + len(line) > _CHUNK:
            parts.append("")
        parts[-1] += f"{line}\n"
    return parts
