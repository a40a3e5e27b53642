"""SQL of the query editor: a user's template, rendered with the relations of stored runs.

Most templates only name relations. They are rendered from the names of a run.
All others need the whole run in memory, as in `query-diff`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from jinja2 import nodes as syntax
from jinja2.exceptions import TemplateSyntaxError
from msgspec import Struct

from recce_meta.api.render import settings_of
from recce_meta.api.run_reader import StoredRunReader
from recce_meta.errors import TemplateError
from recce_meta.models import NodeMetadata
from recce_meta.render import SimpleTemplateRenderer, TemplateContext
from recce_meta.render.sandbox import Sandbox
from recce_meta.store.read import load_macros, load_nodes_by_id

LARGEST_RUN = 3_000
"""Number of nodes of a run that is loaded for a template: 40 kB of memory for each."""
LONGEST_TEXT = 100_000
"""Number of characters of a template."""
RELATIONS = frozenset(["ref", "source"])
_LOADING = Lock()
"""One template at a time that needs a whole run in memory."""


class RenderedQuery(Struct, frozen=True, kw_only=True):
    """SQL of one side, with what a reader must know about it."""

    sql: str
    warnings: tuple[str, ...] = ()
    """Values that the renderer assumed."""
    stale: tuple[str, ...] = ()
    """Nodes in the SQL that lack the data of their run, with reasons."""


def render_pair(
    base: StoredRunReader,
    current: StoredRunReader,
    text: str,
    base_text: str | None = None,
    *,
    project_dir: Path | None = None,
) -> tuple[RenderedQuery, RenderedQuery]:
    """Return the SQL of *text* on both sides; *base_text* replaces it for base.

    *project_dir* is the folder of dbt_project.yml, as for `settings_of`.
    Raises TemplateError, with the line and the side.
    """
    return (
        _of_side(base, text if base_text is None else base_text, "base", project_dir),
        _of_side(current, text, "current", project_dir),
    )


def _of_side(reader: StoredRunReader, text: str, side: str, project_dir: Path | None) -> RenderedQuery:
    try:
        return render_query(reader, text, project_dir)
    except TemplateError as error:
        raise error.of_side(side) from error


def render_query(reader: StoredRunReader, text: str, project_dir: Path | None = None) -> RenderedQuery:
    """Return the SQL of *text* in the run of *reader*, with warnings. Raises TemplateError, with the line.

    Templates have no access to the environment of the server: `env_var` has only its defaults.
    """
    if len(text) > LONGEST_TEXT:
        raise TemplateError(
            f"Template of {len(text):,} characters exceeds the limit of {LONGEST_TEXT:,}",
            hint="run it with recce-meta query-diff",
        )
    # Plain SQL needs nothing of the run.
    if "{" not in text:
        return RenderedQuery(sql=text)
    made = _renderer_of_names(reader, text)
    if made is not None:
        return _rendered(made, reader, text)
    if reader.run.node_count > LARGEST_RUN:
        raise TemplateError(
            f"The run has {reader.run.node_count:,} nodes; above {LARGEST_RUN:,}, the SQL is shown only for "
            "queries with ref() and source() of constant names of relations",
            hint="run the query without showing its SQL, or use recce-meta query-diff --show-sql",
        )
    with _LOADING:
        return _rendered(_renderer_of_all(reader, project_dir), reader, text)


def _rendered(renderer: SimpleTemplateRenderer, reader: StoredRunReader, text: str) -> RenderedQuery:
    sql = renderer.render(text)
    stale = sorted(renderer.parents & reader.stale.keys())
    return RenderedQuery(
        sql=sql,
        warnings=(*dict.fromkeys(renderer.warnings), *_assumed(renderer.assumed_variables)),
        stale=tuple(f"{reader.names[one].label}: {reader.stale[one]}" for one in stale),
    )


def _assumed(names: frozenset[str]) -> list[str]:
    return [f"used the template's defaults for the variables {', '.join(sorted(names))}"] if names else []


def _renderer_of_all(reader: StoredRunReader, project_dir: Path | None) -> SimpleTemplateRenderer:
    """Return the renderer of `query-diff`: with all nodes, macros, and the variables of dbt_project.yml."""
    project = reader.project
    return SimpleTemplateRenderer(
        None,
        project.nodes,
        macros=project.macros,
        run=project.run,
        context=TemplateContext(settings=settings_of(project.run.project_name, project_dir, None)),
    )


def _renderer_of_names(reader: StoredRunReader, text: str) -> SimpleTemplateRenderer | None:
    """Return a renderer with the names and relations of the run; None if *text* needs more."""
    called = called_relations(text)
    if called is None:
        return None
    names: Mapping[str, NodeMetadata] = reader.names
    matching = [node for node in names.values() if node.name in called]
    # An ephemeral model is inlined, which needs its code.
    if any(node.is_ephemeral for node in matching):
        return None
    macros = load_macros(reader.adapter, reader.run)
    if any(macro.name in RELATIONS for macro in macros):
        return None  # the project overrides them
    # The latest version of a model is one of its properties, which names lack.
    versioned = [node.unique_id for node in matching if node.version is not None]
    whole = load_nodes_by_id(reader.adapter, reader.run, versioned) if versioned else []
    return SimpleTemplateRenderer(
        None,
        {**names, **{node.unique_id: node for node in whole}},
        run=reader.run,
        infer_variables=False,
    )


_PLAIN = (syntax.Template, syntax.Output, syntax.TemplateData, syntax.Call, syntax.Name, syntax.Const)
"""Parts of a template that only writes names of relations."""


def called_relations(text: str) -> frozenset[str] | None:
    """Return the constant arguments of ref() and source() in *text*; None if it does anything else."""
    try:
        tree = Sandbox().parse(text)
    except (TemplateSyntaxError, TemplateError):
        return frozenset()  # no names help: rendering raises the error
    except RecursionError:
        return None
    names: set[str] = set()
    pending: list[syntax.Node] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, syntax.Call):
            if not isinstance(node.node, syntax.Name) or node.node.name not in RELATIONS:
                return None
            given = [*node.args, *(one.value for one in node.kwargs)]
            if node.dyn_args or node.dyn_kwargs or not all(isinstance(one, syntax.Const) for one in given):
                return None
            names.update(str(one.as_const()) for one in given)
            continue
        # A bare name or constant is a value to print, and not a relation.
        if not isinstance(node, _PLAIN) or isinstance(node, (syntax.Name, syntax.Const)):
            return None
        pending.extend(node.iter_child_nodes())
    return frozenset(names)
