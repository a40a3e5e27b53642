"""Run selectors: which run a user means.

A run id, or the beginning of one; `latest`; an environment (`base`, `current`, any label): its latest
run; `branch:NAME`; `sha:PREFIX`; `before:2026-11-01` (or a time). Each but a run id may end in `~N`: the
N-th run before that one. All but a run id look at one project.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import SelectorError, StoreError, did_you_mean, first_of
from recce_meta.models import LineageEdge, NodeMetadata, Project, RunMetadata
from recce_meta.models.run import FAILED
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.migrate import StoreSession, open_store
from recce_meta.store.read import find_runs, load_edges, load_nodes, load_project, run_by_id

CONVENTIONAL = ("base", "current")
NAMED = {"branch": "main", "sha": "3f1c9ab", "before": "2026-11-01"}
"""What may stand before a colon, each with an example of what follows it."""
SHOWN = 5
"""How many candidates an error lists."""


def resolve_run(
    adapter: UnifiedSqlAdapter,
    selector: str,
    *,
    project: str | None = None,
    schema: str = DEFAULT_SCHEMA,
) -> RunMetadata:
    """The run that *selector* means, within *project*, or within the only project there is."""
    with open_store(adapter, schema) as store:
        return find_run(store, selector, project)


def resolve_complete_run(
    adapter: UnifiedSqlAdapter,
    selector: str,
    *,
    project: str | None = None,
    schema: str = DEFAULT_SCHEMA,
) -> RunMetadata:
    """Return the run that *selector* means. Raises StoreError if it failed: it has no nodes to read."""
    return complete(resolve_run(adapter, selector, project=project, schema=schema))


def complete(run: RunMetadata) -> RunMetadata:
    """Return *run*. Raises StoreError if it failed."""
    if run.status == FAILED:
        raise StoreError(
            f"Run {run.run_id} failed: {run.reason or 'reason unknown'}",
            hint="choose a complete run; recce-meta runs lists them",
        )
    return run


def load_run(
    adapter: UnifiedSqlAdapter,
    selector: str | RunMetadata,
    *,
    project: str | None = None,
    schema: str = DEFAULT_SCHEMA,
) -> Project:
    """A run with everything in it, as it was extracted."""
    with open_store(adapter, schema) as store:
        run = selector if isinstance(selector, RunMetadata) else find_run(store, selector, project)
        return load_project(store, run)


def load_nodes_from_warehouse(
    adapter: UnifiedSqlAdapter, run_id: str, *, schema: str = DEFAULT_SCHEMA
) -> list[NodeMetadata]:
    """Every node of the run, by unique id."""
    return load_nodes(adapter, resolve_run(adapter, run_id, schema=schema), schema=schema)


def load_lineage_from_warehouse(
    adapter: UnifiedSqlAdapter, run_id: str, *, schema: str = DEFAULT_SCHEMA
) -> list[LineageEdge]:
    """Every edge of the run, sorted."""
    return load_edges(adapter, resolve_run(adapter, run_id, schema=schema), schema=schema)


def find_run(store: StoreSession, selector: str, project: str | None) -> RunMetadata:
    """The run that *selector* means, in an open store."""
    exact = run_by_id(store, selector)
    if exact is not None:
        return exact
    found = re.fullmatch(r"(?s)(.+?)(?:~(\d{1,9}))?", selector)
    if found is None:
        raise SelectorError(
            "An empty run selector", hint="name a run id, an environment such as 'base', or 'latest'"
        )
    name, back = found[1], int(found[2] or 0)
    filters = _filters(name)
    if filters is not None or _is_environment(store, name):
        chosen = _project(store, project, selector)
        if filters and "sha_prefix" in filters:
            _one_commit(store, name, chosen, filters)
        runs = find_runs(
            store, project=chosen, most=back + 1, **({"environment": name} if filters is None else filters)
        )
        if len(runs) > back:
            return runs[back]
        raise _too_few(store, selector, chosen, len(runs))
    return _by_prefix(store, selector, project)


def _one_commit(store: StoreSession, name: str, project: str | None, filters: dict[str, object]) -> None:
    """Refuse a prefix that begins the ids of several commits."""
    shas = sorted({run.git_sha for run in find_runs(store, project=project, **filters) if run.git_sha})
    if len(shas) > 1:
        raise SelectorError(
            f"'{name}' begins {len(shas)} commits: {first_of(shas, SHOWN)}", hint="give more of it"
        )


def _filters(name: str) -> dict[str, object] | None:
    """What a selector other than an id or environment asks for; None for those two."""
    if name == "latest":
        return {}
    kind, separator, value = name.partition(":")
    if not separator or kind not in NAMED:
        return None
    if not value:  # as from `sha:$COMMIT` where the variable is not set
        raise SelectorError(f"Nothing after '{name}'", hint=f"for example {kind}:{NAMED[kind]}")
    if kind == "branch":
        return {"branch": value}
    if kind == "sha":
        return {"sha_prefix": value.lower()}
    return {"before": time_of(value)}


def time_of(text: str) -> datetime:
    """The date or time that stands after `before:`; in UTC where it names no zone."""
    try:
        time = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text))
    except ValueError:
        raise SelectorError(
            f"Not a date or time in 'before:{text}'",
            hint="for example before:2026-11-01 or before:2026-11-01T12:30:00Z",
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def _is_environment(store: StoreSession, name: str) -> bool:
    return bool(find_runs(store, environment=name, most=1))


def _project(store: StoreSession, project: str | None, selector: str) -> str | None:
    """The project to look in; None in an empty store."""
    if project is not None:
        return project
    projects = [str(name) for (name,) in store.query("projects")]
    if len(projects) > 1:
        raise SelectorError(
            f"'{selector}' is looked for in one project, and this store has {len(projects)}: "
            f"{', '.join(projects)}",
            hint="say which one with --project",
        )
    return projects[0] if projects else None


def _by_prefix(store: StoreSession, prefix: str, project: str | None) -> RunMetadata:
    runs = find_runs(store, run_id_prefix=prefix, project=project, most=SHOWN + 1, status=None)
    if not runs and project is not None:  # an id means one run, of whatever project
        runs = find_runs(store, run_id_prefix=prefix, most=SHOWN + 1, status=None)
    if len(runs) == 1:
        return runs[0]
    if runs:
        found = [f"{run.run_id} ({run.environment}, {run.run_at:%Y-%m-%d %H:%M})" for run in runs]
        raise SelectorError(
            f"'{prefix}' begins the ids of more than one run: {first_of(found, SHOWN)}",
            hint="give more of the id",
        )
    raise _unknown(store, prefix, project)


def _unknown(store: StoreSession, selector: str, project: str | None) -> SelectorError:
    labels = store.query("labels", project=project)
    if not labels:
        where = f" of project '{project}'" if project else ""
        return SelectorError(
            f"No run '{selector}': the store holds no run{where}", hint="recce-meta record writes one"
        )
    known = {str(environment) for environment, _ in labels} | {"latest"}
    known |= {f"branch:{branch}" for _, branch in labels if branch}
    environment = selector.partition("~")[0]
    if environment in CONVENTIONAL and environment not in known:
        return SelectorError(
            f"No run '{selector}': none is recorded as {environment} yet",
            hint=f"recce-meta record --environment {environment} --target-path DIR writes one, "
            f"scan -e {environment} one of a database; or name one of: {', '.join(sorted(known)[:10])}",
        )
    branch = f"branch:{selector}"
    hint = f"did you mean '{branch}'?" if branch in known else did_you_mean(selector, sorted(known))
    listing = f"recce-meta runs lists them; a name is one of: {', '.join(sorted(known)[:10])}"
    return SelectorError(f"No run '{selector}'", hint=hint or listing)


def _too_few(store: StoreSession, selector: str, project: str | None, count: int) -> SelectorError:
    if count == 0:
        return _unknown(store, selector, project)
    runs = "is only one such run" if count == 1 else f"are only {count} such runs"
    return SelectorError(f"No run '{selector}': there {runs}", hint=f"the oldest of them is ~{count - 1}")
