"""Sandboxed Jinja environment with dbt's settings, dbt's own tags and a budget.

Jinja compiles loops, `~`, comparisons and slices to plain Python, which cannot be intercepted. So their
operands are wrapped in a filter that counts them; no template can write the filter's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import BuiltinMethodType, CodeType
from typing import Any, NoReturn, cast

from jinja2 import Undefined, nodes, pass_context
from jinja2.ext import Extension
from jinja2.filters import FILTERS
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import SandboxedEnvironment
from jinja2.tests import TESTS
from jinja2.utils import missing

from recce_meta.errors import TemplateError
from recce_meta.render.limits import (
    BINARY,
    FUNCTIONS,
    Budget,
    Limits,
    apply,
    bounded_filters,
    call_method,
    without_address,
    written_function,
)
from recce_meta.render.objects import RAISING, TemplateObject, is_readable, kind_of, refusal

MACRO_PREFIX = "dbt_macro__"
"""Start of the names that dbt gives macros inside templates, so that a template does not find its own."""
EACH = "each item of"
WEIGHED = "the weight of"
STEPS_PER_TOKEN = 16
"""Approximate cost of lexing, parsing and compiling one token, in loop steps."""


def guard(template: nodes.Template) -> nodes.Template:
    """Return *template* with every loop, `~`, comparison, slice and dictionary key marked."""
    pending: list[nodes.Node] = [template]
    while pending:
        node = pending.pop()
        # Children are collected before marking, because a mark is a node too.
        pending.extend(node.iter_child_nodes())
        mark = _MARKERS.get(type(node))
        if mark is not None:
            mark(node)
    return template


def _rename(node: nodes.Macro) -> None:
    node.name = MACRO_PREFIX + node.name


def _mark_loop(node: nodes.For) -> None:
    node.iter = _marked(EACH, node.iter)


def _mark_concat(node: nodes.Concat) -> None:
    node.nodes = [_weighed(part) for part in node.nodes]


def _mark_comparison(node: nodes.Compare) -> None:
    node.expr = _weighed(node.expr)
    for operand in node.ops:
        operand.expr = _weighed(operand.expr)


def _mark_slice(node: nodes.Getitem) -> None:
    if isinstance(node.arg, nodes.Slice):
        node.node = _weighed(node.node)


def _mark_key(node: nodes.Pair) -> None:
    node.key = _weighed(node.key)


_MARKERS: Mapping[type[nodes.Node], Callable[[Any], None]] = {
    nodes.Macro: _rename,
    nodes.For: _mark_loop,
    nodes.Concat: _mark_concat,
    nodes.Compare: _mark_comparison,
    nodes.Getitem: _mark_slice,
    nodes.Pair: _mark_key,
}


_LAZY = (nodes.And, nodes.Or, nodes.CondExpr, nodes.Compare)
"""Expressions with operands that Jinja does not compile if constants before them decide the result."""


def _repeats_keyword(node: nodes.Node) -> bool:
    """Return True if a call in *node* repeats a keyword. Jinja accepts it in filters of constants."""
    if isinstance(node, _LAZY):
        return False
    keys = [keyword.key for keyword in node.kwargs] if isinstance(node, nodes.Call) else []
    return len(keys) > len(set(keys)) or any(map(_repeats_keyword, node.iter_child_nodes()))


def _raises(body: Iterable[nodes.Node]) -> bool:
    """Return True if *body* raises an error of its own whatever its values are, in every build."""
    calls: list[nodes.Node] = []
    for node in body:
        if isinstance(node, nodes.If) and isinstance(node.test, nodes.Name) and node.test.name == "execute":
            if _raises(node.body):
                return True
        elif isinstance(node, nodes.Output):
            calls += node.nodes
        elif isinstance(node, nodes.ExprStmt):
            calls.append(node.node)
    raised = (one.node for one in calls if isinstance(one, nodes.Call))
    return any(isinstance(one, nodes.Getattr) and one.attr == RAISING for one in raised)


def _weighed(node: nodes.Expr) -> nodes.Expr:
    return node if isinstance(node, nodes.Const) else _marked(WEIGHED, node)


def _marked(mark: str, node: nodes.Expr | nodes.Node) -> nodes.Expr:
    return nodes.Filter(node, mark, [], [], None, None, lineno=node.lineno, environment=node.environment)


class TestTag(Extension):
    """`{% test name(model) %}`: a macro named `test_name`, as dbt's manifest names it."""

    tags = {"test", "data_test"}  # noqa: RUF012

    def parse(self, parser: Parser) -> nodes.Node:
        """Return the tag as a macro."""
        token = next(parser.stream)
        macro = nodes.Macro(lineno=token.lineno)
        macro.name = f"test_{parser.parse_assign_target(name_only=True).name}"
        parser.parse_signature(macro)
        macro.body = parser.parse_statements((f"name:end{token.value}",), drop_needle=True)
        return macro


class SnapshotTag(Extension):
    """`{% snapshot name %}`: replaced by the query inside it."""

    tags = {"snapshot"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Return the nodes of the query."""
        next(parser.stream)
        parser.parse_assign_target(name_only=True)
        return parser.parse_statements(("name:endsnapshot",), drop_needle=True)


class CountedTokens(Extension):
    """Token counter: charges parsing and compiling of a template to the budget."""

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        """Yield the tokens of *stream*, each charged to the budget."""
        budget: Budget = self.environment.budget  # type: ignore[attr-defined]
        for token in stream:
            budget.spend(STEPS_PER_TOKEN)
            yield token


EXTENSIONS: list[Any] = ["jinja2.ext.do", "jinja2.ext.loopcontrols", TestTag, SnapshotTag, CountedTokens]
"""`do`, `break` and `continue`, which dbt adds to Jinja, and dbt's own tags."""


class Returned(Exception):
    """Exception with which `return(value)` leaves a macro."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value


_PLAIN = frozenset(["str", "int", "float", "list", "tuple"])
"""Types whose values have the same attributes in dbt."""
_KNOWN = frozenset(["NoneType", "bool", "dict", "set"])
"""Types whose values have them if they are the same in dbt."""


class UnknownName(Exception):
    """Use of an unknown name or attribute."""

    def __init__(self, name: object, owner: str | None, message: str | None) -> None:
        super().__init__(message or str(name))
        self.name = str(name)
        self.owner = owner
        """Type of the value that lacks the attribute; None for a plain name."""
        self.is_broken = None if owner in _KNOWN else owner is None or owner in _PLAIN
        """True if dbt fails at the use, too; None if it does unless the value may be another one."""


class Missing(Undefined):
    """Unknown name; every use except the test `is defined` raises an error.

    A missing attribute or key is also false in a condition, as in dbt. So is a parameter of a macro that no
    argument is for; its text is empty.
    """

    __slots__ = ("_is_attribute", "_is_parameter")

    def __init__(
        self, hint: str | None = None, obj: Any = missing, name: str | None = None, exc: Any = None
    ) -> None:
        # Jinja's hint for a parameter, which cannot have another value in dbt.
        self._is_parameter = obj is missing and hint is not None and hint.startswith("parameter ")
        self._is_attribute = obj is not missing
        owner = kind_of(obj) if self._is_attribute else None
        super().__init__(hint, obj, name, exc or partial(_unknown, name, owner))  # type: ignore[arg-type]

    def fail(self, *_: Any) -> NoReturn:
        """Raise the error for a use of the name that dbt takes as empty text."""
        try:
            self._fail_with_undefined_error()
        except (UnknownName, TemplateError) as error:
            error.is_broken = False
            raise

    __iter__ = __len__ = __contains__ = __hash__ = fail

    def __str__(self) -> str:
        return "" if self._is_parameter else self.fail()

    def __bool__(self) -> bool:
        return False if self._is_attribute or self._is_parameter else self.fail()

    def __eq__(self, other: object) -> bool:
        is_absent = self._is_attribute or self._is_parameter
        return isinstance(other, Undefined) if is_absent else self.fail()

    def __ne__(self, other: object) -> bool:
        return not self == other


def _unknown(name: object, owner: str | None, message: str | None = None) -> UnknownName:
    return UnknownName(name, owner, None)


class Sandbox(SandboxedEnvironment):
    """Jinja environment that behaves like dbt's and charges a budget.

    dbt keeps Jinja's whitespace settings and adds `do`, `break`, `continue` and its own tags. A template
    can change the lists and dictionaries that it creates (`do names.append(…)` is common). Values passed
    to a template are copies.
    """

    # Jinja calls `call_binop` for these operators only.
    intercepted_binops = BINARY

    def __init__(self) -> None:
        super().__init__(
            extensions=EXTENSIONS,
            undefined=Missing,
            optimized=False,  # constant folding would run before the budget exists
            finalize=self._finalized,
            cache_size=0,
        )
        self.budget = Budget(Limits())
        self.has_unknown = False
        """True if the rendering has read a value that may be another one in dbt."""
        self.has_stand_in = False
        """True if it has read a value that may be of another type in dbt."""
        filters = cast(dict[str, Callable[..., Any]], dict(FILTERS)) | _DBT_FILTERS
        self.filters = bounded_filters(filters, lambda: self.budget)
        self.filters |= {EACH: self.each, WEIGHED: self._weighed}
        tests = cast(dict[str, Callable[..., Any]], dict(TESTS)) | {"mapping": _is_mapping}
        self.tests = bounded_filters(tests, lambda: self.budget)
        # Jinja's own globals, such as `range`, are unlimited. The context provides limited ones.
        self.globals = {}

    def code(self, source: str, name: str, filename: str) -> CodeType:
        """Return *source* compiled; results are cached because most runs have the same macros."""
        key = source, name, filename
        found = _CODE.pop(key, None) or self.compiled(self.parse(source, name, filename), name, filename)
        _CODE[key] = found  # moved to the end, so the least recently used entry is first
        while len(_CODE) > _MOST_CODE:
            _CODE.pop(next(iter(_CODE)), None)
        return found

    def compiled(self, tree: nodes.Template, name: str, filename: str) -> CodeType:
        """Return *tree* compiled. Raise TemplateError if Python rejects the code that Jinja generates."""
        try:
            return self.compile(tree, name, filename)
        except SyntaxError as error:
            if error.msg.startswith("too many"):  # Python allows 20 nested blocks
                raise
            text, at = self.compile(tree, name, filename, raw=True), error.lineno or 0
            lines = re.findall(r"(\d+)=(\d+)", text.rpartition("debug_info = ")[2])
            message = re.sub(r"\bl_\d+_(?=\w)", "", error.msg)
            word = re.search(r"'(\w+)'|\w+$", message)
            raise TemplateError(
                f"Not valid Jinja: {message}",
                name=word and (word[1] or word[0]),
                line=max((int(line) for line, code in lines if int(code) <= at), default=1),
                hint="Python rejects the code that Jinja generates from this tag",
                is_broken="repeated" not in message or _repeats_keyword(tree),
            ) from None

    def _load_template(self, name: Any, globals: Any) -> NoReturn:
        """Raise the error for the tags that read another template: dbt has no place to read it from."""
        raise TemplateError(
            "No loader for this environment specified",
            hint="dbt does not support include, import and extends: use a macro",
            is_broken=True,
        )

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return guard(super()._parse(source, name, filename))

    @property
    def _finalized(self) -> Callable[..., Any]:
        """The function that counts values before they are written into the text.

        It takes the context so that Jinja never folds it.
        """

        @pass_context
        def finalize(context: Context, value: Any) -> Any:
            if isinstance(value, FUNCTIONS):
                raise written_function(value)
            self.budget.weigh(value)
            return without_address(value)

        return finalize

    def always_raises(self, name: str | None, source: str) -> bool:
        """Return True if the error of *source* about *name* is its own, and raised in every build."""
        return name == RAISING and _raises(self.parse(source).body)

    def concat(self, pieces: Iterable[str]) -> str:
        """Return *pieces* joined; iterating over them runs the template."""
        texts = pieces if isinstance(pieces, list) else list(pieces)
        self.budget.hold(sum(map(len, texts)))
        return "".join(texts)

    def each(self, values: Any) -> Any:
        """Return *values* for a loop; all iterations are counted before the first one."""
        if isinstance(values, Undefined):
            return iter(values)
        if not hasattr(values, "__len__"):
            # A generator has no length, so its items are counted one by one.
            return self._counted(values)
        self.budget.spend(len(values) + 1)
        # A copy, because a loop that appends to its own list would not end.
        return values if isinstance(values, (range, str, tuple)) else list(values)

    def _counted(self, values: Iterable[Any]) -> Iterable[Any]:
        for value in values:
            self.budget.spend()
            yield value

    def _weighed(self, value: Any) -> Any:
        self.budget.weigh(value)
        return value

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Return `left operator right`."""
        return apply(self.budget, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return `obj.attribute`, else the item with that name."""
        if isinstance(obj, Undefined):
            obj._fail_with_undefined_error()
        self._note_member(obj)
        if is_readable(obj, attribute):
            found = getattr(obj, attribute, missing)
            if found is not missing:
                return found
        if not attribute.startswith("_") or isinstance(obj, (dict, TemplateObject)):
            try:
                return obj[attribute]
            except (TypeError, LookupError):
                pass
        error = refusal(obj, attribute)
        if error is None:
            return self.undefined(obj=obj, name=attribute)
        if not error.is_broken:
            raise error
        # As in dbt, the name may be tested; it fails if it is called or has attributes.
        return self.undefined(obj=obj, name=attribute, exc=lambda _: error)  # type: ignore[arg-type]

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return `obj[argument]`, else the attribute with that name."""
        if isinstance(obj, Undefined):
            obj._fail_with_undefined_error()
        self._note_member(obj)
        if isinstance(argument, tuple):
            self.budget.weigh(argument)
        try:
            return obj[argument]
        except (TypeError, LookupError):
            if isinstance(argument, str):
                if is_readable(obj, argument) and hasattr(obj, argument):
                    return getattr(obj, argument)
                self._check(obj, argument)
        return self.undefined(obj=obj, name=argument)

    def _note_member(self, obj: Any) -> None:
        if isinstance(obj, TemplateObject) and not obj.has_known_members:
            self.has_unknown = True

    @staticmethod
    def _check(obj: object, name: str) -> None:
        error = refusal(obj, name)
        if error is not None:
            raise error

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Return the result of `obj(…)`."""
        budget = self.budget
        budget.spend()
        # Jinja adds these arguments to describe the position of the call.
        kwargs.pop("_loop_vars", None)
        kwargs.pop("_block_vars", None)
        for value in args:
            budget.weigh(value)
        for value in kwargs.values():
            budget.weigh(value)
        kind = type(obj)
        if kind is Macro:
            return call_macro(obj, args, kwargs)
        if kind is LoopContext:
            # A recursive loop runs over its argument, which counts as any other loop.
            return obj(self.each(args[0]))
        # A method of a class, such as `datetime.strptime`, has no value to measure.
        if kind is BuiltinMethodType and not isinstance(obj.__self__, type):
            return call_method(budget, obj, args, kwargs)
        if not callable(obj):
            raise TemplateError(
                f"A value of type {kind_of(obj)} cannot be called",
                hint="only functions and macros can",
                is_broken=kind_of(obj) in _PLAIN | _KNOWN and not self.has_unknown,
            )
        return obj(*args, **kwargs)


_MOST_CODE = 2_000
_CODE: dict[tuple[str, str, str], CodeType] = {}
"""Compiled macros of all renderers: code depends only on the text and contains no values of a run."""


def call_macro(macro: Macro, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the output of *macro*, or the value it returns with `return()`."""
    try:
        return macro(*args, **kwargs)
    except Returned as returned:
        return returned.value
    except TypeError as error:
        if not str(error).startswith(f"macro {macro.name!r} takes "):
            raise
        text = str(error).replace(MACRO_PREFIX, "", 1)
        raise TemplateError(f"TypeError: {text}", name=text.split("'")[1], is_broken=True) from None


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, TemplateObject) and value.is_mapping)


def _same(value: Any) -> Any:
    return value


_DBT_FILTERS: dict[str, Callable[[Any], Any]] = {
    "as_text": _same,
    "as_bool": _same,
    "as_native": _same,
    "as_number": _same,
    "is_list": lambda value: isinstance(value, list),
}
"""Filters that dbt defines everywhere; the first four have an effect only in YAML files."""
