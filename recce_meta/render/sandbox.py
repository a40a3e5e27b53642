"""The Jinja environment: dbt's settings, and nothing within reach that a template could do harm with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import BuiltinMethodType, CodeType
from typing import Any, NoReturn, cast

from jinja2 import Undefined, nodes, pass_context
from jinja2.filters import FILTERS
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import SandboxedEnvironment
from jinja2.tests import TESTS
from jinja2.utils import missing

from recce_meta.errors import TemplateError
from recce_meta.render.attributes import TemplateObject, is_readable, kind_of, refusal
from recce_meta.render.budget import Budget, Limits
from recce_meta.render.guards import EACH, EXTENSIONS, WEIGHED, guard
from recce_meta.render.operations import (
    BINARY,
    FUNCTIONS,
    apply,
    bounded_filters,
    call_method,
    without_address,
    written_function,
)


class Returned(Exception):
    """How `return(value)` leaves a macro."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value


class UnknownName(Exception):
    """A name or attribute that nothing has was used."""

    def __init__(self, name: object, owner: str | None, message: str | None) -> None:
        super().__init__(message or str(name))
        self.name = str(name)
        self.owner = owner
        """What kind of value was asked for the attribute; None for a plain name."""


class Missing(Undefined):
    """A name that nothing has: it may be asked whether it is defined, no more.

    An attribute or key that a value does not have is false besides, as in dbt.
    """

    __slots__ = ("_is_attribute",)

    def __init__(
        self, hint: str | None = None, obj: Any = missing, name: str | None = None, exc: Any = None
    ) -> None:
        self._is_attribute = obj is not missing
        owner = kind_of(obj) if self._is_attribute else None
        super().__init__(hint, obj, name, partial(_unknown, name, owner))  # type: ignore[arg-type]

    def fail(self, *_: Any) -> NoReturn:
        """Raise the error that using it is."""
        self._fail_with_undefined_error()

    __str__ = __iter__ = __len__ = __contains__ = __hash__ = fail

    def __bool__(self) -> bool:
        return False if self._is_attribute else self.fail()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Undefined) if self._is_attribute else self.fail()

    def __ne__(self, other: object) -> bool:
        return not self == other


def _unknown(name: object, owner: str | None, message: str | None = None) -> UnknownName:
    return UnknownName(name, owner, None)


class Sandbox(SandboxedEnvironment):
    """Templates as dbt reads them, within a budget.

    dbt changes none of Jinja's settings for white space, and adds `do`, `break`, `continue` and its own
    tags. Lists and dictionaries that a template makes can be changed by it (`do names.append(…)` is
    common); what it is given are copies.
    """

    intercepted_binops = BINARY

    def __init__(self) -> None:
        super().__init__(
            extensions=EXTENSIONS,
            undefined=Missing,
            optimized=False,  # nothing is worked out before there is a budget
            finalize=self._finalized,
            cache_size=0,
        )
        self.budget = Budget(Limits())
        filters = cast(dict[str, Callable[..., Any]], dict(FILTERS)) | _DBT_FILTERS
        self.filters = bounded_filters(filters, lambda: self.budget)
        self.filters |= {EACH: self.each, WEIGHED: self._weighed}
        tests = cast(dict[str, Callable[..., Any]], dict(TESTS)) | {"mapping": _is_mapping}
        self.tests = bounded_filters(tests, lambda: self.budget)
        self.globals = {}

    def code(self, source: str, name: str, filename: str) -> CodeType:
        """*source* compiled; the same text is compiled once, since most runs have the same macros."""
        key = source, name, filename
        found = _CODE.pop(key, None) or self.compile(source, name, filename)
        _CODE[key] = found  # at the end again: what was not used for long is at the beginning
        while len(_CODE) > _MOST_CODE:
            _CODE.pop(next(iter(_CODE)), None)
        return found

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return guard(super()._parse(source, name, filename))

    @property
    def _finalized(self) -> Callable[..., Any]:
        """What is written into the text: counted first. It takes the context so that Jinja never folds it."""

        @pass_context
        def finalize(context: Context, value: Any) -> Any:
            if isinstance(value, FUNCTIONS):
                raise written_function(value)
            self.budget.weigh(value)
            return without_address(value)

        return finalize

    def concat(self, pieces: Iterable[str]) -> str:
        """The text that *pieces* are; taking them runs the template."""
        texts = pieces if isinstance(pieces, list) else list(pieces)
        self.budget.hold(sum(map(len, texts)))
        return "".join(texts)

    def each(self, values: Any) -> Any:
        """*values* for a loop, all its turns counted before the first."""
        if isinstance(values, Undefined):
            return iter(values)
        if not hasattr(values, "__len__"):
            return self._counted(values)
        self.budget.spend(len(values) + 1)
        return values if isinstance(values, (range, str, tuple)) else list(values)

    def _counted(self, values: Iterable[Any]) -> Iterable[Any]:
        for value in values:
            self.budget.spend()
            yield value

    def _weighed(self, value: Any) -> Any:
        self.budget.weigh(value)
        return value

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """`left operator right`."""
        return apply(self.budget, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute`, or the item of that name."""
        if isinstance(obj, Undefined):
            obj._fail_with_undefined_error()
        if is_readable(obj, attribute):
            found = getattr(obj, attribute, missing)
            if found is not missing:
                return found
        if not attribute.startswith("_") or isinstance(obj, (dict, TemplateObject)):
            try:
                return obj[attribute]
            except (TypeError, LookupError):
                pass
        self._check(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`obj[argument]`, or the attribute of that name."""
        if isinstance(obj, Undefined):
            obj._fail_with_undefined_error()
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

    @staticmethod
    def _check(obj: object, name: str) -> None:
        error = refusal(obj, name)
        if error is not None:
            raise error

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """`obj(…)`."""
        budget = self.budget
        budget.spend()
        # Jinja's own arguments, which tell functions where in a template they are called.
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
            return obj(self.each(args[0]))
        if kind is BuiltinMethodType and not isinstance(obj.__self__, type):
            return call_method(budget, obj, args, kwargs)
        if not callable(obj):
            raise TemplateError(
                f"A value of type {kind_of(obj)} cannot be called", hint="only functions and macros can"
            )
        return obj(*args, **kwargs)


_MOST_CODE = 2_000
_CODE: dict[tuple[str, str, str], CodeType] = {}
"""Compiled macros of all renderers: code depends on the text alone, and holds no value of any run."""


def call_macro(macro: Macro, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What *macro* writes, or what it returns."""
    try:
        return macro(*args, **kwargs)
    except Returned as returned:
        return returned.value


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
"""Filters that dbt has everywhere; the first four do something only in YAML files."""
