"""Renderer of SQL with `ref()`, `source()` and other dbt Jinja into plain SQL.

Ephemeral models are injected as common table expressions, in the same position as dbt. Errors of Jinja and
Python become TemplateError, with their location in the template.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from threading import RLock
from types import FrameType, TracebackType
from typing import Any, Protocol, TypeVar

from jinja2 import Template, TemplateRuntimeError, TemplateSyntaxError, nodes
from jinja2.filters import FILTERS
from jinja2.runtime import Context

from recce_meta.errors import TemplateError, first_of, quoted, shorten
from recce_meta.models import MacroMetadata, NodeMetadata, RunMetadata
from recce_meta.render.context import DBT_NAMES, RenderScope
from recce_meta.render.functions import FUNCTIONS
from recce_meta.render.infer_variables import Evidence, Observation
from recce_meta.render.limits import ADDRESS, Budget, Limits
from recce_meta.render.macros import NO_MACROS
from recce_meta.render.project import LONGEST_SHOWN, Notes, RenderProject, TemplateContext
from recce_meta.render.sandbox import Returned, Sandbox, UnknownName

# Enough of SQL to skip comments, strings and quoted names, in which `with` is only text.
_TOKEN = re.compile(
    r"""
    (?P<skip> --[^\n]* | \#[^\n]* | /\*.*?\*/ | '(?:[^'\\]|''|\\.)*' | "(?:[^"]|"")*" | `[^`]*`
            | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ | \s+ )
  | (?P<open> \( ) | (?P<close> \) ) | (?P<word> \w+ ) | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)


def inject(sql: str, expressions: list[str]) -> str:
    """Return *sql* with *expressions* (`name as (…)`) as its first common table expressions.

    They are added to the statement's `with`. If it has no `with`, one is put before its first word.
    """
    if not expressions:
        return sql
    joined = ", ".join(f" {expression}" for expression in expressions)
    position = _after_with(sql)
    if position is None:
        start = len(sql) - len(sql.lstrip())
        return f"{sql[:start]}with{joined} {sql[start:]}"
    return f"{sql[:position]}{joined}, {sql[position:].lstrip()}"


def wrap(sql: str, expressions: list[str]) -> str:
    """Return *sql* with *expressions* as dbt 2 writes it: inside another query, unless it has a `with`."""
    if not expressions or _after_with(sql) is not None:
        return inject(sql, expressions)
    return (
        f"with {', '.join(expressions)}\n--EPHEMERAL-SELECT-WRAPPER-START\nselect * from (\n"
        f"{sql}\n--EPHEMERAL-SELECT-WRAPPER-END\n)"
    )


def _after_with(sql: str) -> int | None:
    """Return the end position of the first `with` or `with recursive` outside parentheses."""
    depth = 0
    found: int | None = None
    for token in _TOKEN.finditer(sql):
        kind = token.lastgroup
        if kind in ("skip", "tag"):
            continue
        word = token["word"]
        if found is not None:
            return token.end() if word is not None and word.lower() == "recursive" else found
        depth += (kind == "open") - (kind == "close")
        if word is not None and word.lower() == "with" and depth == 0:
            found = token.end()
    return found


_LOOK_AHEAD = 40
"""Lines to search after the start of a tag, because the faulty name may be further down in the tag."""


def template_lines(traceback: TracebackType | None) -> list[tuple[str | None, int]]:
    """Return name and line of the templates in *traceback*, outermost first."""
    return [(template.name, template.get_corresponding_lineno(line)) for template, line in _frames(traceback)]


def _frames(traceback: TracebackType | None) -> Iterator[tuple[Template, int]]:
    while traceback is not None:
        frame: FrameType = traceback.tb_frame
        template = frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            yield template, traceback.tb_lineno
        traceback = traceback.tb_next


def locate(source: str, line: int, names: list[str]) -> tuple[int, int]:
    """Return line and column, from 1, of the first of *names* in a tag at or after *line*.

    If none of them is found, return those of the first tag on the line.
    """
    lines = source.splitlines()
    for name in names:
        word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
        for number in range(line, min(line + _LOOK_AHEAD, len(lines)) + 1):
            text = lines[number - 1]
            tag = min((at for at in (text.find("{{"), text.find("{%")) if at >= 0), default=None)
            start = tag if number == line and tag is not None else 0
            found = word.search(text, start)
            if found is not None:
                return number, found.start() + 1
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    found = re.search(r"\{[{%]", text) or re.search(r"\S", text)
    return line, found.start() + 1 if found else 1


_KIND = r"<\1>"
KNOWN = "a dbt name, a macro, a package or a variable that the template sets"


def unknown_name(error: UnknownName, scope: RenderScope) -> TemplateError:
    """Return the error for an unknown name, with the closest known names."""
    name, library = error.name, scope.project.library
    if error.owner is not None:
        return TemplateError(
            f"A value of type {error.owner} has no '{name}'",
            name=name,
            hint="check that it exists before using it: … is defined",
            is_broken=(
                scope.project.has_values_of_dbt
                if error.is_broken is None
                else error.is_broken and scope.project.has_types_of_dbt
            ),
        )
    elsewhere = library.namespaces_of(name)
    known = [known for known in (*DBT_NAMES, *FUNCTIONS) if not known.startswith("_")]
    near = [f"{package}.{name}" for package in elsewhere]
    near += get_close_matches(name, known, n=2) or library.near(name)
    if near:
        hint = "did you mean " + " or ".join(f"'{match}'" for match in near[:3]) + "?"
    else:
        hint = f"it is not {KNOWN}" + (f"; {NO_MACROS}" if library.is_empty else "")
    return TemplateError(f"Unknown name '{name}'", name=name, hint=hint, is_broken=bool(error.is_broken))


def fault(error: Exception, project: RenderProject) -> TemplateError:
    """Return the error for a Python or Jinja exception, with inferred variables that may explain it.

    dbt fails, too, if *project* has had its values only, and the exception is about types of Python.
    """
    notes = project.notes
    problem = f"{type(error).__name__}: {ADDRESS.sub(_KIND, str(error))}"
    if not notes.inferred:
        is_broken = (
            project.has_values_of_dbt and isinstance(error, _OF_VALUES) and _names_types_of_python(str(error))
        )
        return TemplateError(problem, is_broken=is_broken)
    values = [
        f"'{name}' = {shorten(quoted(found.value), LONGEST_SHOWN)}" for name, found in notes.inferred.items()
    ]
    variables = "variable" if len(values) == 1 else "variables"
    return TemplateError(
        f"{problem}, with the inferred {variables} {first_of(values, 5)}",
        name=next(iter(notes.inferred)),
        hint="--vars (`variables` of TemplateContext in Python) sets a variable that was inferred wrongly",
    )


_OF_VALUES = (ArithmeticError, LookupError, TypeError, ValueError)
_TYPES = frozenset(["str", "int", "float", "bool", "list", "tuple", "dict", "set", "NoneType"])
_TYPE_NAME = re.compile(r"['\"](\w+)['\"]|\b([A-Z]\w*)|(\w+\(\)) (?:got|takes|missing)")


def _names_types_of_python(message: str) -> bool:
    """Return True if *message* names no type and no function but those of Python."""
    return {name for found in _TYPE_NAME.findall(message) for name in found if name} <= _TYPES


def syntax_error(error: TemplateSyntaxError) -> TemplateError:
    """Return the error for invalid Jinja."""
    message = (error.message or "syntax error").rstrip(".")
    word = re.search(r"'([^']+)'", message)
    return TemplateError(
        f"Not valid Jinja: {message}",
        name=word[1] if word else None,
        hint="check that every tag, quote and bracket is closed",
        # Jinja has a few filters that the sandbox has not.
        is_broken=word is None or word[1] not in FILTERS,
    )


T = TypeVar("T")
_TEXT = "the template"
_RESULT = "result"
_MOST_TEXT = 2_000_000


class HasWarehouse(Protocol):
    """Part of an adapter that the renderer uses: its warehouse."""

    @property
    def warehouse(self) -> Any:
        """Facts of the warehouse; `name` is the `type:` in profiles.yml."""


class _Templates:
    """Compiled templates of a sandbox. Inferring variables renders the same texts again and again."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._templates: dict[str, Template] = {}
        self._expressions: dict[str, tuple[Template, bool]] = {}

    def text(self, sql: str, scope: RenderScope) -> str:
        """Return *sql* rendered."""
        found = self._templates.get(sql)
        if found is None:
            found = self._templates[sql] = self._compiled(self._sandbox.parse(sql))
        return self._text_of(found, scope)

    def value(self, text: str, scope: RenderScope) -> Any:
        """Return the value of *text*: a single expression keeps its type, all else becomes a string."""
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
        """Compile *text* to leave its value in a variable; the flag is False if it is not an expression."""
        tree = self._sandbox.parse(text)
        expression = _only_expression(tree)
        if expression is None:
            return self._compiled(tree), False
        store = nodes.Assign(nodes.Name(_RESULT, "store"), expression, lineno=1)
        return self._compiled(nodes.Template([store], lineno=1)), True

    def _compiled(self, tree: nodes.Template) -> Template:
        return Template.from_code(self._sandbox, self._sandbox.compiled(tree, _TEXT, _TEXT), {})

    def _text_of(self, template: Template, scope: RenderScope) -> str:
        return self._sandbox.concat(template.root_render_func(_context(template, scope)))


class SimpleTemplateRenderer:
    """Renderer of one run's templates: dbt's Jinja without dbt and without a database.

    *nodes* are the nodes that `ref` and `source` find. *adapter* names the warehouse if neither *run* nor
    `target` of *context* does; it may be None.
    *macros* are the run's macros: those of the project, its packages and dbt. A variable that *context* does
    not have is inferred from the run's nodes and reported in `warnings`, unless *infer_variables* is false.
    *limits* bound the time, the steps and the size of one template.
    Several threads may share a renderer; calls of `render` run one after the other.
    """

    def __init__(
        self,
        adapter: HasWarehouse | None,
        nodes: Iterable[NodeMetadata] | Mapping[str, NodeMetadata],
        *,
        macros: Iterable[MacroMetadata] = (),
        run: RunMetadata | None = None,
        context: TemplateContext = TemplateContext(),
        infer_variables: bool = True,
        limits: Limits | None = None,
    ) -> None:
        listed = nodes.values() if isinstance(nodes, Mapping) else nodes
        self.nodes: Mapping[str, NodeMetadata] = {node.unique_id: node for node in listed}
        self.warnings: list[str] = []
        """Messages of `exceptions.warn`, and inferred variables with their sources."""
        self._limits = limits or Limits()
        self._sandbox = Sandbox()
        self._project = RenderProject(
            self.nodes,
            macros,
            run,
            sandbox=self._sandbox,
            adapter_type=None if adapter is None else adapter.warehouse.name,
            context=context,
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
        """Budget for inferring variables in the current rendering."""
        self._templates = _Templates(self._sandbox)
        self._lock = RLock()
        self._parents: frozenset[str] = frozenset()

    @property
    def run(self) -> RunMetadata | None:
        """The run whose templates these are."""
        return self._project.run

    @property
    def warehouse_name(self) -> str:
        """Warehouse of the templates, as in `type:` of profiles.yml."""
        return self._project.adapter_type

    @property
    def assumed_variables(self) -> frozenset[str]:
        """Variables for which the last rendering used the default in `var('…', default)`.

        dbt_project.yml may set other values, but artifacts do not contain them.
        """
        return frozenset(self._project.notes.assumed)

    @property
    def inferred_variables(self) -> Mapping[str, Any]:
        """Variables that the last rendering inferred from the run's nodes, with their values.

        Variables whose inferred value equals the default are left out.
        """
        return {name: found.value for name, found in self._project.notes.inferred.items()}

    @property
    def project_variables(self) -> frozenset[str]:
        """Variables of the last rendering with the value from dbt_project.yml."""
        return frozenset(self._project.notes.of_project)

    @property
    def variables_read(self) -> frozenset[str]:
        """Variables that the last rendering asked for, except those that were passed in."""
        notes = self._project.notes
        return frozenset(notes.of_project).union(name for _, name in notes.read)

    @property
    def parents(self) -> frozenset[str]:
        """Unique ids of the nodes that the last rendering referenced with `ref` and `source`."""
        return self._parents

    def render(self, sql: str, *, node: str | None = None, incremental: bool = False) -> str:
        """Return *sql* with its Jinja rendered and ephemeral models injected as in dbt.

        *node* is the unique id of the node that the code belongs to: it determines `this`, `config.get`
        and the package that is searched first. *incremental* is the value of `is_incremental()`. Raises
        TemplateError, with line, column and name.
        """
        if "{" not in sql:
            self._project.notes, self._parents = Notes(), frozenset()
            return sql
        if len(sql) > _MOST_TEXT:
            raise TemplateError(f"Template of {len(sql):,} characters exceeds the limit of {_MOST_TEXT:,}")
        found = None if node is None else self.nodes.get(node)
        if node is not None and found is None:
            raise TemplateError(
                f"Node '{node}' not found", name=node, hint="pass the unique id of a node of the run"
            )
        return self._within_budget(sql, found, incremental)

    def render_node(self, unique_id: str, *, incremental: bool = False) -> str:
        """Return the rendered code of the node *unique_id*.

        *incremental* is what `is_incremental()` returns.
        """
        node = self.nodes.get(unique_id)
        if node is None or node.raw_code is None or node.language == "python":
            raise TemplateError(
                f"Node '{unique_id}' has no SQL to render",
                name=unique_id,
                hint="only models, snapshots, analyses and tests written in SQL can be rendered",
            )
        return self.render(node.raw_code, node=unique_id, incremental=incremental)

    def _within_budget(self, sql: str, node: NodeMetadata | None, incremental: bool) -> str:
        # The budget, the notes and the parents belong to one rendering.
        with self._lock:
            self._sandbox.budget, self._spare = Budget(self._limits), None
            self._sandbox.has_unknown = self._sandbox.has_stand_in = False
            self._project.notes = Notes()
            if self._project.evidence is not None:
                self._project.evidence.rendering = node.unique_id if node is not None else None
            scope = self._scope(node, incremental, self.warnings)
            text = self._whole(sql, scope)
            self._parents = frozenset(scope.parents)
            return text

    def _scope(self, node: NodeMetadata | None, incremental: bool, warnings: list[str]) -> RenderScope:
        return RenderScope(
            self._project,
            node,
            node.package_name if node is not None else self._project.root,
            incremental=incremental,
            evaluate=self._templates.value,
            warnings=warnings,
        )

    def _whole(self, sql: str, scope: RenderScope) -> str:
        """Return *sql* rendered, with its ephemeral parents."""
        text, expressions = self._render(sql, scope, ())
        put_in = wrap if self._project.wraps_ephemeral else inject
        return put_in(text, list(expressions.values()))

    def _observe(self, node: NodeMetadata) -> Observation:
        """Return the result of rendering *node*: text, parents, settings and variables it reads."""
        notes, self._project.notes = self._project.notes, Notes()
        try:
            scope = self._scope(node, False, [])
            text = self._whole(node.raw_code or "", scope)
            read = frozenset(self._project.notes.read)
            return Observation(text, frozenset(scope.parents), scope.configured, read)
        finally:
            self._project.notes = notes

    def _evaluate_setting(self, text: str, node: NodeMetadata) -> Any:
        """Return the value of *text*, a setting of *node*, rendered as in dbt."""
        notes, self._project.notes = self._project.notes, Notes()
        scope = self._scope(node, False, [])
        try:
            return self._guarded(lambda: self._templates.value(text, scope), text, scope, None)
        finally:
            self._project.notes = notes

    @contextmanager
    def _separately(self) -> Iterator[bool]:
        """Charge renderings to a separate budget within the block; yield False if that budget is spent."""
        own = self._sandbox.budget
        # An inference inside another one uses up the same budget.
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

    def _render(self, sql: str, scope: RenderScope, within: tuple[str, ...]) -> tuple[str, dict[str, str]]:
        """Return *sql* rendered, and the CTEs it needs by unique id of their ephemeral models."""
        node = scope.node
        text = self._run(sql, scope, node.unique_id if node is not None and within else None)
        expressions: dict[str, str] = {}
        for unique_id, model in scope.ephemeral.items():
            if unique_id in within or model.raw_code is None:
                raise TemplateError(
                    f"Ephemeral model '{model.name}' "
                    + ("references itself" if unique_id in within else "has no code"),
                    name=model.name,
                    hint=f"it is read by {node.unique_id}" if node is not None else None,
                )
            # The parents of an ephemeral model come before it, because a CTE can only name earlier ones.
            inner, needed = self._render_ephemeral(model, (*within, unique_id), scope.warnings)
            for needed_id, expression in needed.items():
                expressions.setdefault(needed_id, expression)
            expressions.setdefault(unique_id, f"{self._project.cte_name(model)} as (\n{inner}\n)")
        return text, expressions

    def _render_ephemeral(
        self, model: NodeMetadata, within: tuple[str, ...], warnings: list[str]
    ) -> tuple[str, dict[str, str]]:
        """Return the query of an ephemeral model; its compiled code if rendering needs a database."""
        try:
            return self._render(model.raw_code or "", self._scope(model, False, warnings), within)
        except TemplateError as error:
            # The compiled code has its own parents injected already.
            if not error.needs_database or model.compiled_code is None:
                raise
            return model.compiled_code, {}

    def _run(self, sql: str, scope: RenderScope, title: str | None) -> str:
        return self._guarded(lambda: self._templates.text(sql, scope), sql, scope, title)

    def _guarded(self, render: Callable[[], T], sql: str, scope: RenderScope, title: str | None) -> T:
        """Return the result of *render*; turn its exceptions into a TemplateError of *sql*."""
        try:
            return render()
        except TemplateError as error:
            # Without the cause, whose traceback is of code that Jinja generated.
            raise self._placed(error, error, sql, title) from None
        except UnknownName as error:
            raise self._placed(unknown_name(error, scope), error, sql, title) from None
        except TemplateSyntaxError as error:
            raise self._placed(syntax_error(error), error, sql, title, line=error.lineno) from None
        except (RecursionError, SyntaxError) as error:  # Python allows 20 nested blocks
            problem = TemplateError("The template's nesting or recursion is too deep")
            raise self._placed(problem, error, sql, title) from None
        except Returned as error:
            problem = TemplateError("return() used outside a macro", name="return")
            raise self._placed(problem, error, sql, title) from None
        except _TEMPLATE_FAULTS as error:
            raise self._placed(fault(error, self._project), error, sql, title) from None

    def _placed(
        self, problem: TemplateError, error: Exception, sql: str, title: str | None, line: int | None = None
    ) -> TemplateError:
        """Return *problem* with its position in *sql* and the macros in which it occurred."""
        # An error in an ephemeral model already has its position in that model's code.
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
            is_broken=problem.is_broken or (not chain and self._sandbox.always_raises(problem.name, sql)),
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
"""Exceptions that Python and Jinja raise for a faulty template."""


def _context(template: Template, scope: RenderScope) -> Context:
    """Return the context of *template*; its names are looked up lazily through a mapping."""
    return template.new_context(scope.names, shared=True)  # type: ignore[arg-type]


def _only_expression(parsed: nodes.Template) -> nodes.Expr | None:
    """Return the only expression of a template; None if it has none, or more than that."""
    if len(parsed.body) != 1 or not isinstance(parsed.body[0], nodes.Output):
        return None
    parts = parsed.body[0].nodes
    return parts[0] if len(parts) == 1 and not isinstance(parts[0], nodes.TemplateData) else None
