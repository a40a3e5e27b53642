"""A template's references, sources and settings, from its syntax tree with constants worked out.

https://docs.getdbt.com/reference/dbt-jinja-functions/ref and …/source say what the functions take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from jinja2 import TemplateSyntaxError, nodes
from msgspec import Struct

from recce_meta.errors import TemplateError
from recce_meta.extractors.jinja.findings import Findings, Macros, Ref
from recce_meta.extractors.jinja.grammar import ENVIRONMENT
from recce_meta.extractors.jinja.statements import Interpreter
from recce_meta.extractors.jinja.values import Beyond, Scope, is_known
from recce_meta.extractors.jinja.world import World, joined

LONGEST = 2_000_000


class JinjaDependencies(NamedTuple):
    """What a template reads."""

    refs: tuple[Ref, ...]
    """Package, name and version of every `ref`, in the order in which they are met."""
    sources: tuple[tuple[str, str], ...]
    """Source and table of every `source`."""
    dynamic: bool
    """Whether there may be others, which only rendering knows."""


class TemplateFacts(Struct, frozen=True, kw_only=True):
    """All that can be told of a template without rendering it."""

    dependencies: JinjaDependencies
    reasons: tuple[str, ...] = ()
    """Why it is dynamic, one clause each."""
    config: dict[str, Any] = {}
    """What `config()` says, as far as it is the same on every way."""
    unsure: tuple[str, ...] = ()
    """Settings that differ from way to way, or that only rendering knows."""
    macros: tuple[str, ...] = ()
    """Unique ids of the macros that were followed, sorted."""


def jinja_dependencies(sql: str, *, variables: Mapping[str, Any] | None = None) -> JinjaDependencies:
    """What the template *sql* reads, as `(refs, sources, dynamic)`.

    Every branch counts, loops over constants are unrolled, and a name that cannot be told is never guessed:
    `dynamic` is true then. *variables* are what `var` knows, beside defaults in the template; where they
    are not given, no variable is known. Raises TemplateError where *sql* is not valid Jinja.

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
    macros: Macros | None = None,
    package: str | None = None,
) -> TemplateFacts:
    """What the template *sql* of *package* says; *macros* are followed where it calls them.

    *variable* tells whether a variable is set, and its value. Raises TemplateError where *sql* is not
    valid Jinja.
    """
    if "{" not in sql:
        return TemplateFacts(dependencies=JinjaDependencies((), (), False))
    if len(sql) > LONGEST:
        raise TemplateError(f"A template of {len(sql):,} characters; at most {LONGEST:,} are read")
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
    findings = Findings(variable=variable, macros=macros, package=package, own=_own_names(tree))
    config = _followed(tree, findings)
    doubts = tuple(findings.doubts)
    return TemplateFacts(
        dependencies=JinjaDependencies(tuple(findings.refs), tuple(findings.sources), bool(doubts)),
        reasons=doubts,
        config={name: value for name, value in config.items() if is_known(value)},
        unsure=tuple(sorted(name for name, value in config.items() if not is_known(value))),
        macros=tuple(sorted(findings.called)),
    )


def template_text(text: str, *, variable: Callable[[str], tuple[bool, Any]] | None = None) -> str | None:
    """What the template *text* writes, where that is the same on every way; else None."""
    if "{" not in text:
        return text
    world = World(Scope(None))
    world.push(Scope(world.scope), capture=True)
    try:
        worlds = Interpreter(Findings(variable=variable)).run(ENVIRONMENT.parse(text).body, [world])
    except (TemplateSyntaxError, Beyond, RecursionError):
        return None
    written = joined(worlds).out
    return written.value if written is not None and written.is_known else None


def _followed(tree: nodes.Template, findings: Findings) -> dict[str, Any]:
    """The settings that *tree* makes; what it reads is noted in *findings*."""
    try:
        worlds = Interpreter(findings).run(tree.body, [World(Scope(None))])
    except Beyond as error:
        findings.doubt(str(error))
    except RecursionError:
        findings.doubt("it is nested too deeply")
    else:
        return joined(worlds).config
    _note_literal(tree, findings)
    return {}


def _note_literal(tree: nodes.Template, findings: Findings) -> None:
    """Note what *tree* refers to in so many words, also where it was not followed to."""
    for call in _calls(tree):
        name = call.node.name if isinstance(call.node, nodes.Name) else None
        parts = [part.value for part in call.args if isinstance(part, nodes.Const)]
        if name not in ("ref", "source") or len(parts) != len(call.args) or call.dyn_args or call.dyn_kwargs:
            continue
        if not all(isinstance(part, str) for part in parts) or name in findings.own:
            continue
        if name == "source" and len(parts) == 2 and not call.kwargs:
            findings.sources.setdefault((parts[0], parts[1]))
        elif name == "ref" and 1 <= len(parts) <= 2:
            named = {pair.key: pair.value for pair in call.kwargs}
            version = named.get("version") or named.get("v")
            if version is None or isinstance(version, nodes.Const):
                told = None if version is None or version.value is None else str(version.value)
                findings.refs.setdefault((parts[0] if len(parts) == 2 else None, parts[-1], told))


def _calls(tree: nodes.Template) -> Iterator[nodes.Call]:
    """Every call in *tree*, however deep, in the order of the text."""
    waiting: list[nodes.Node] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, nodes.Call):
            yield node
        waiting += reversed([*node.iter_child_nodes()])


def _own_names(tree: nodes.Template) -> frozenset[str]:
    """Every name that *tree* sets somewhere."""
    return frozenset(name.name for name in tree.find_all(nodes.Name) if name.ctx in ("store", "param"))
