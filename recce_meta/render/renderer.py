"""`ref()` and `source()` SQL to warehouse SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import RLock
from typing import Any, Protocol, TypeVar

from jinja2 import Template, TemplateRuntimeError, TemplateSyntaxError, nodes
from jinja2.runtime import Context

from recce_meta.errors import TemplateError
from recce_meta.models import MacroMetadata, NodeMetadata, RunMetadata
from recce_meta.profiles.project_file import ProjectSettings
from recce_meta.render.budget import Budget, Limits
from recce_meta.render.ephemeral import inject, wrap
from recce_meta.render.evidence import Evidence
from recce_meta.render.names import Scope
from recce_meta.render.notes import Notes
from recce_meta.render.observations import Observation
from recce_meta.render.place import locate, template_lines
from recce_meta.render.project import ProjectNames
from recce_meta.render.sandbox import Returned, Sandbox, UnknownName
from recce_meta.render.wording import fault, syntax_error, unknown_name

T = TypeVar("T")
_TEXT = "the template"
_RESULT = "result"
_MOST_TEXT = 2_000_000


class HasWarehouse(Protocol):
    """What the renderer may ask of an adapter: which warehouse it speaks to."""

    @property
    def warehouse(self) -> Any:
        """Its facts; `name` is the `type:` of profiles.yml."""


class SimpleTemplateRenderer:
    """Renders templates of one run: dbt's Jinja without dbt, and without a database.

    *adapter* only says which warehouse it is, where neither *run* nor *target* does, and may be None.
    *macros* are those of the run, the project's, its packages' and dbt's own. *variables* are what
    `--vars` says, with a package's own under its name; *settings* are what dbt_project.yml says
    (`read_project_settings`), of variables and of `dispatch:`. Where neither has a variable, what the
    run's nodes tell of it is used, and said in `warnings`, unless *infer_variables* is false. *environ*
    is what `env_var` reads. A renderer may be used by several threads, one after the other.
    """

    def __init__(
        self,
        adapter: HasWarehouse | None,
        nodes: Iterable[NodeMetadata] | Mapping[str, NodeMetadata],
        *,
        macros: Iterable[MacroMetadata] = (),
        run: RunMetadata | None = None,
        variables: Mapping[str, Any] | None = None,
        settings: ProjectSettings | None = None,
        infer_variables: bool = True,
        environ: Mapping[str, str] | None = None,
        target: Mapping[str, Any] | None = None,
        limits: Limits | None = None,
    ) -> None:
        listed = nodes.values() if isinstance(nodes, Mapping) else nodes
        self.nodes: Mapping[str, NodeMetadata] = {node.unique_id: node for node in listed}
        self.warnings: list[str] = []
        """What templates said with `exceptions.warn`, and which variables were inferred from what."""
        self._limits = limits or Limits()
        self._sandbox = Sandbox()
        self._project = ProjectNames(
            self.nodes,
            macros,
            run,
            sandbox=self._sandbox,
            adapter_type=None if adapter is None else adapter.warehouse.name,
            variables=variables or {},
            settings=settings,
            environ=environ or {},
            target=target or {},
        )
        if infer_variables:
            self._project.evidence = Evidence(
                self.nodes,
                self._project.library.macros,
                observe=self._observe,
                evaluate=self._evaluate_setting,
                separately=self._separately,
            )
        self._spare: Budget | None = None
        """What is left for finding out about variables in the rendering at hand."""
        self._templates: dict[str, Template] = {}
        self._expressions: dict[str, tuple[Template, bool]] = {}
        self._lock = RLock()
        self._parents: frozenset[str] = frozenset()

    @property
    def run(self) -> RunMetadata | None:
        """The run whose templates these are."""
        return self._project.run

    @property
    def warehouse_name(self) -> str:
        """Which warehouse the templates are for, as `type:` of profiles.yml has it."""
        return self._project.adapter_type

    @property
    def assumed_variables(self) -> frozenset[str]:
        """The variables that the last rendering took from the defaults in `var('…', default)`.

        dbt_project.yml may say otherwise, which artifacts do not tell.
        """
        return frozenset(self._project.notes.assumed)

    @property
    def inferred_variables(self) -> Mapping[str, Any]:
        """The variables of the last rendering that nobody gave and the run's nodes told, with their values.

        Those that turned out to have the default are left out.
        """
        return {name: found.value for name, found in self._project.notes.inferred.items()}

    @property
    def project_variables(self) -> frozenset[str]:
        """The variables of the last rendering whose value is that of dbt_project.yml."""
        return frozenset(self._project.notes.of_project)

    @property
    def parents(self) -> frozenset[str]:
        """The unique ids of what `ref` and `source` named in the last rendering."""
        return self._parents

    def render(self, sql: str, *, node: str | None = None, incremental: bool = False) -> str:
        """*sql* with its Jinja rendered, and ephemeral models put in as dbt does.

        *node* is the unique id of the node whose code this is: it gives `this`, `config.get` and the
        package whose names come first. `is_incremental()` is what *incremental* says. Raises
        TemplateError, with line, column and name.
        """
        if "{" not in sql:
            return sql
        if len(sql) > _MOST_TEXT:
            raise TemplateError(f"A template of {len(sql):,} characters; at most {_MOST_TEXT:,} are rendered")
        found = None if node is None else self.nodes.get(node)
        if node is not None and found is None:
            raise TemplateError(f"No node '{node}'", name=node, hint="give a unique id of the nodes at hand")
        return self._within_budget(sql, found, incremental)

    def render_node(self, unique_id: str, *, incremental: bool = False) -> str:
        """The code of the node *unique_id*, rendered."""
        node = self.nodes.get(unique_id)
        if node is None or node.raw_code is None or node.language == "python":
            raise TemplateError(
                f"Node '{unique_id}' has no SQL to render",
                name=unique_id,
                hint="models, snapshots, analyses and tests written in SQL have",
            )
        return self.render(node.raw_code, node=unique_id, incremental=incremental)

    def _within_budget(self, sql: str, node: NodeMetadata | None, incremental: bool) -> str:
        with self._lock:
            self._sandbox.budget, self._spare = Budget(self._limits), None
            self._project.notes = Notes()
            if self._project.evidence is not None:
                self._project.evidence.rendering = node.unique_id if node is not None else None
            scope = self._scope(node, incremental, self.warnings)
            text = self._whole(sql, scope)
            self._parents = frozenset(scope.parents)
            return text

    def _scope(self, node: NodeMetadata | None, incremental: bool, warnings: list[str]) -> Scope:
        return Scope(
            self._project,
            node,
            node.package_name if node is not None else self._project.root,
            incremental=incremental,
            evaluate=self._evaluate,
            warnings=warnings,
        )

    def _whole(self, sql: str, scope: Scope) -> str:
        """*sql* with its ephemeral parents."""
        text, expressions = self._render(sql, scope, ())
        put_in = wrap if self._project.wraps_ephemeral else inject
        return put_in(text, list(expressions.values()))

    def _observe(self, node: NodeMetadata) -> Observation:
        """What comes of rendering the code of *node*, and what it asks for."""
        notes, self._project.notes = self._project.notes, Notes()
        try:
            scope = self._scope(node, False, [])
            text = self._whole(node.raw_code or "", scope)
            read = frozenset(self._project.notes.read)
            return Observation(text, frozenset(scope.parents), scope.configured, read)
        finally:
            self._project.notes = notes

    def _evaluate_setting(self, text: str, node: NodeMetadata) -> Any:
        """What dbt makes of *text*, a setting of *node*."""
        notes, self._project.notes = self._project.notes, Notes()
        scope = self._scope(node, False, [])
        try:
            return self._guarded(lambda: self._evaluate(text, scope), text, scope, None)
        finally:
            self._project.notes = notes

    @contextmanager
    def _separately(self) -> Iterator[bool]:
        """Within it, renderings cost the one at hand nothing; yields whether they may cost any more."""
        own = self._sandbox.budget
        if own is self._spare:
            yield not own.is_spent
            return
        own.pause()
        spare = self._sandbox.budget = self._spare = self._spare or own.spare()
        spare.resume()
        try:
            yield not spare.is_spent
        finally:
            spare.pause()
            own.resume()
            self._sandbox.budget = own

    def _render(self, sql: str, scope: Scope, within: tuple[str, ...]) -> tuple[str, dict[str, str]]:
        """*sql* rendered, and the CTEs it needs, by the unique ids of the models they are."""
        node = scope.node
        text = self._run(sql, scope, node.unique_id if node is not None and within else None)
        expressions: dict[str, str] = {}
        for unique_id, model in scope.ephemeral.items():
            if unique_id in within or model.raw_code is None:
                raise TemplateError(
                    f"Ephemeral model '{model.name}' "
                    + ("reads itself" if unique_id in within else "has no code to put in its place"),
                    name=model.name,
                    hint=f"it is read by {node.unique_id}" if node is not None else None,
                )
            inner, needed = self._render_ephemeral(model, (*within, unique_id), scope.warnings)
            for needed_id, expression in needed.items():
                expressions.setdefault(needed_id, expression)
            expressions.setdefault(unique_id, f"{self._project.cte_name(model)} as (\n{inner}\n)")
        return text, expressions

    def _render_ephemeral(
        self, model: NodeMetadata, within: tuple[str, ...], warnings: list[str]
    ) -> tuple[str, dict[str, str]]:
        """The query of an ephemeral model; the one dbt compiled, where rendering would ask the database."""
        try:
            return self._render(model.raw_code or "", self._scope(model, False, warnings), within)
        except TemplateError as error:
            if not error.needs_database or model.compiled_code is None:
                raise
            return model.compiled_code, {}

    def _run(self, sql: str, scope: Scope, title: str | None) -> str:
        return self._guarded(lambda: self._text_of(self._template(sql), scope), sql, scope, title)

    def _guarded(self, render: Callable[[], T], sql: str, scope: Scope, title: str | None) -> T:
        """What *render* gives; whatever it raises is an error of the template *sql*."""
        try:
            return render()
        except TemplateError as error:
            raise self._placed(error, error, sql, title) from None
        except UnknownName as error:
            raise self._placed(unknown_name(error, scope), error, sql, title) from None
        except TemplateSyntaxError as error:
            raise self._placed(syntax_error(error), error, sql, title, line=error.lineno) from None
        except (RecursionError, SyntaxError) as error:  # Python allows 20 blocks within one another
            problem = TemplateError("The template is nested, or calls itself, too deeply")
            raise self._placed(problem, error, sql, title) from None
        except Returned as error:
            problem = TemplateError("return() outside of a macro", name="return")
            raise self._placed(problem, error, sql, title) from None
        except _TEMPLATE_FAULTS as error:
            raise self._placed(fault(error, self._project.notes), error, sql, title) from None

    def _template(self, sql: str) -> Template:
        found = self._templates.get(sql)
        if found is None:
            found = self._templates[sql] = self._compiled(sql)
        return found

    def _evaluate(self, text: str, scope: Scope) -> Any:
        """The value of *text*: of an expression alone its own type, else text."""
        if "{" not in text:
            return text
        found = self._expressions.get(text)
        if found is None:
            found = self._expressions[text] = self._expression(text)
        template, is_expression = found
        if not is_expression:
            return self._text_of(template, scope)
        context = _context(template, scope)
        for _ in template.root_render_func(context):
            pass
        return context.vars[_RESULT]

    def _expression(self, text: str) -> tuple[Template, bool]:
        """*text* compiled, so that its value is left as a variable; whether it is an expression at all."""
        expression = _only_expression(self._sandbox.parse(text))
        if expression is None:
            return self._compiled(text), False
        store = nodes.Assign(nodes.Name(_RESULT, "store"), expression, lineno=1)
        return self._compiled(nodes.Template([store], lineno=1)), True

    def _compiled(self, source: str | nodes.Template) -> Template:
        return Template.from_code(self._sandbox, self._sandbox.compile(source, _TEXT, _TEXT), {})

    def _text_of(self, template: Template, scope: Scope) -> str:
        return self._sandbox.concat(template.root_render_func(_context(template, scope)))

    def _placed(
        self, problem: TemplateError, error: Exception, sql: str, title: str | None, line: int | None = None
    ) -> TemplateError:
        """*problem* with its place in the text that was given, and the macros it happened in."""
        if problem.node is not None:
            return problem
        came_through = template_lines(error.__traceback__)
        macros = [name.split(".", 1)[1] for name, _ in came_through if name and name.startswith("macro.")]
        chain = list(dict.fromkeys(macros))
        if line is None:
            line = problem.line or next((number for name, number in came_through if name == _TEXT), 1)
        names = [name for name in (problem.name, *(macro.split(".")[-1] for macro in chain[:1])) if name]
        line, column = locate(sql, line, [part for name in names for part in (name, name.split(".")[-1])])
        return TemplateError(
            problem.problem,
            hint=problem.hint,
            name=problem.name,
            line=line,
            column=column,
            node=title,
            macros=chain,
            needs_database=problem.needs_database,
        )


_TEMPLATE_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TemplateRuntimeError,
    TypeError,
    ValueError,
    re.error,
)
"""What Python and Jinja raise where a template is at fault"""


def _context(template: Template, scope: Scope) -> Context:
    """What *template* runs in; the names, which are looked up one by one, only read like a dictionary."""
    return template.new_context(scope.names, shared=True)  # type: ignore[arg-type]


def _only_expression(parsed: nodes.Template) -> nodes.Expr | None:
    """The expression that a template consists of; None where there is more, or less."""
    if len(parsed.body) != 1 or not isinstance(parsed.body[0], nodes.Output):
        return None
    parts = parsed.body[0].nodes
    return parts[0] if len(parts) == 1 and not isinstance(parts[0], nodes.TemplateData) else None
