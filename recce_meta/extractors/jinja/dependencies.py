"""Reader of a template's references, sources and settings, from its syntax tree with constant folding.

https://docs.getdbt.com/reference/dbt-jinja-functions/ref and …/source document the functions' arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from jinja2 import TemplateSyntaxError, nodes
from msgspec import Struct

from recce_meta.errors import TemplateError
from recce_meta.extractors.jinja.grammar import ENVIRONMENT
from recce_meta.extractors.jinja.state import (
    Beyond,
    BlockScope,
    Findings,
    Macros,
    PathState,
    Ref,
    is_known,
    joined,
)
from recce_meta.extractors.jinja.statements import Interpreter

LONGEST = 2_000_000


class JinjaDependencies(NamedTuple):
    """References of a template."""

    refs: tuple[Ref, ...]
    """Package, name and version of every `ref`, in order of occurrence."""
    sources: tuple[tuple[str, str], ...]
    """Source and table of every `source`."""
    dynamic: bool
    """Whether there may be more references, which only rendering can find."""


class TemplateFacts(Struct, frozen=True, kw_only=True):
    """Facts about a template that are available without rendering."""

    dependencies: JinjaDependencies
    functions: tuple[tuple[str | None, str], ...] = ()
    """Package and name of every `function`, in order of occurrence."""
    reasons: tuple[str, ...] = ()
    """Clauses that explain why it is dynamic."""
    config: dict[str, Any] = {}
    """Settings of `config()` that have the same value in every branch."""
    unsure: tuple[str, ...] = ()
    """Settings that differ between branches, or are known only at rendering."""
    macros: tuple[str, ...] = ()
    """Unique ids of the macros that were followed, sorted."""


def jinja_dependencies(sql: str, *, variables: Mapping[str, Any] | None = None) -> JinjaDependencies:
    """Return the references of the template *sql*, as `(refs, sources, dynamic)`.

    Every branch counts, and loops over constants are unrolled. A name that cannot be determined is never
    guessed; instead, `dynamic` is true. *variables* are the values for `var`, in addition to defaults in the
    template. Without them, every variable is unknown. Raises TemplateError if *sql* is not valid Jinja.

    >>> jinja_dependencies("select * from {{ ref('shop', 'stg_' ~ 'orders', v=2) }}").refs
    (('shop', 'stg_orders', '2'),)
    """
    if variables is None:
        return read_template(sql).dependencies
    return read_template(sql, variable=lambda name: (name in variables, variables.get(name))).dependencies


def read_template(
    sql: str,
    *,
    variable: Callable[[str], tuple[bool, Any]] | None = None,
    target: Mapping[str, str] | None = None,
    macros: Macros | None = None,
    package: str | None = None,
) -> TemplateFacts:
    """Return the facts about the template *sql* of *package*, including those of the *macros* it calls.

    *variable* returns whether a variable is set, and its value. *target* has the known members of `target`.
    Raises TemplateError if *sql* is too long or not valid Jinja.
    """
    if "{" not in sql:
        return TemplateFacts(dependencies=JinjaDependencies((), (), False))
    if len(sql) > LONGEST:
        raise TemplateError(f"Template too long: {len(sql):,} characters; the limit is {LONGEST:,}")
    try:
        tree = ENVIRONMENT.parse(sql)
    except TemplateSyntaxError as error:
        raise TemplateError(
            f"Not valid Jinja: {(error.message or '').rstrip('.')}",
            line=error.lineno,
            hint="check that every tag, quote and bracket is closed",
        ) from None
    except RecursionError:
        too_deep = "it is nested too deeply"
        return TemplateFacts(dependencies=JinjaDependencies((), (), True), reasons=(too_deep,))
    own = _own_names(tree)
    findings = Findings(variable=variable, target=target, macros=macros, package=package, own=own)
    config = _followed(tree, findings)
    doubts = tuple(findings.doubts)
    return TemplateFacts(
        dependencies=JinjaDependencies(tuple(findings.refs), tuple(findings.sources), bool(doubts)),
        functions=tuple(findings.functions),
        reasons=doubts,
        config={name: value for name, value in config.items() if is_known(value)},
        unsure=tuple(sorted(name for name, value in config.items() if not is_known(value))),
        macros=tuple(sorted(findings.called)),
    )


def template_text(
    text: str,
    *,
    variable: Callable[[str], tuple[bool, Any]] | None = None,
    target: Mapping[str, str] | None = None,
) -> str | None:
    """Return the output of the template *text* if it is the same in every branch; else None."""
    if "{" not in text:
        return text
    world = PathState(BlockScope(None))
    # Output is stored only if it is captured.
    world.push(BlockScope(world.scope), capture=True)
    try:
        worlds = Interpreter(Findings(variable=variable, target=target)).run(
            ENVIRONMENT.parse(text).body, [world]
        )
    except (TemplateSyntaxError, Beyond, RecursionError):
        return None
    written = joined(worlds).out
    return written.value if written is not None and written.is_known else None


def _followed(tree: nodes.Template, findings: Findings) -> dict[str, Any]:
    """Return the settings that *tree* makes, and add its references to *findings*."""
    try:
        worlds = Interpreter(findings).run(tree.body, [PathState(BlockScope(None))])
    except Beyond as error:
        findings.doubt(str(error))
    except RecursionError:
        findings.doubt("it is nested too deeply")
    else:
        return joined(worlds).config
    _note_literal(tree, findings)
    # Settings that were not followed to the end may differ, so none is known.
    return {}


def _note_literal(tree: nodes.Template, findings: Findings) -> None:
    """Add the references of *tree* with literal names, including those that were not followed."""
    for call in _calls(tree):
        name = call.node.name if isinstance(call.node, nodes.Name) else None
        parts = [part.value for part in call.args if isinstance(part, nodes.Const)]
        if (
            name not in ("ref", "source", "function")
            or len(parts) != len(call.args)
            or call.dyn_args
            or call.dyn_kwargs
        ):
            continue
        # A template that sets the name itself does not call dbt's function.
        if not all(isinstance(part, str) for part in parts) or name in findings.own:
            continue
        if name == "source" and len(parts) == 2 and not call.kwargs:
            findings.sources.setdefault((parts[0], parts[1]))
        elif name == "function" and 1 <= len(parts) <= 2:
            findings.functions.setdefault((parts[0] if len(parts) == 2 else None, parts[-1]))
        elif name == "ref" and 1 <= len(parts) <= 2:
            named = {pair.key: pair.value for pair in call.kwargs}
            version = named.get("version") or named.get("v")
            if version is None or isinstance(version, nodes.Const):
                version_text = None if version is None or version.value is None else str(version.value)
                findings.refs.setdefault((parts[0] if len(parts) == 2 else None, parts[-1], version_text))


def _calls(tree: nodes.Template) -> Iterator[nodes.Call]:
    """Yield every call in *tree*, at any depth, in the order of the text."""
    waiting: list[nodes.Node] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, nodes.Call):
            yield node
        waiting += reversed([*node.iter_child_nodes()])


def _own_names(tree: nodes.Template) -> frozenset[str]:
    """Return every name that *tree* sets."""
    return frozenset(name.name for name in tree.find_all(nodes.Name) if name.ctx in ("store", "param"))
