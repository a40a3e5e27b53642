"""Comparison of two templates for every value of the names that they read.

dbt compiles a node for one target, one set of variables and one branch of `is_incremental()`. Here both
templates are rendered in each world: one set of answers to what they ask of `target`, `var`, `env_var` and
other names (`recce_meta.render.symbols`). The texts of a world stand for all values that give its answers, so
templates with equal texts in every world are equal for every target. Worlds that cannot occur are rendered as
well, and none that can is left out.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, NoReturn

from jinja2 import Template
from jinja2 import TemplateError as JinjaError
from jinja2.utils import Namespace as JinjaNamespace
from msgspec import Struct

from recce_meta.errors import TemplateError, shorten
from recce_meta.models import MacroMetadata
from recce_meta.models.relation_tokens import OPENING
from recce_meta.render.functions import FUNCTIONS
from recce_meta.render.limits import Budget, Limits
from recce_meta.render.macros import FIXED, MacroCall, MacroLibrary, Namespace
from recce_meta.render.sandbox import Returned, UnknownName
from recce_meta.render.symbolic import SymbolFunction, SymbolicSandbox
from recce_meta.render.symbols import (
    IS_SET,
    LONGEST_WORDS,
    MARK,
    TOKEN,
    Stopped,
    Symbol,
    SymbolTable,
    Undecidable,
    World,
    arguments_of,
    settled,
    words,
)

MOST_WORLDS = 64
SECONDS = 0.5
"""Time for one comparison. That of a node may need a second one."""
_MUTATORS = re.compile(r"\b(append|extend|insert|update|pop|popitem|remove|clear|setdefault|sort|reverse)\b")


_EFFECTS = re.compile(r"\b(statement|run_query|adapter)\b")
"""Names in macros that may send statements to the database."""


class Variant(Struct, frozen=True, kw_only=True):
    """World in which the two templates differ."""

    conditions: tuple[str, ...]
    """What is assumed in it: `target.name = 'prod'`."""
    texts: tuple[str | None, str | None]
    """WorldText texts with tokens of symbols; None if the template raises an error."""
    expressions: tuple[str, ...]
    """Expressions of all symbols. The token of a symbol has its place in them."""
    has_other_text: bool = True
    """False if only settings differ."""
    settings: frozenset[str] = frozenset()
    """Settings of `config(…)` with other values."""


class VariantComparison(Struct, frozen=True, kw_only=True):
    """Result of a comparison of two templates."""

    variants: tuple[Variant, ...] = ()
    """Worlds in which the templates differ. None of them, and nothing undecided: equal for every value."""
    undecided: str = ""
    """Expression with an unknown effect, or why the worlds are too many; empty if all was compared."""

    @property
    def is_equal(self) -> bool:
        """True if both templates have the same text for every value."""
        return not self.variants and not self.undecided


class WorldText(Struct, frozen=True):
    """Text of one template in one world."""

    text: str
    """With tokens of symbols."""
    expressions: tuple[str, ...]
    """Expressions of all symbols. The token of a symbol has its place in them."""
    world: World


class _Known(SymbolFunction):
    """Base of dbt's functions, which take symbols as arguments."""

    def __init__(self, rendering: _Rendering) -> None:
        self.rendering = rendering
        self.world = rendering.world


class _Callable(_Known):
    """Function that is given as *function*."""

    def __init__(self, rendering: _Rendering, function: Callable[..., Any]) -> None:
        super().__init__(rendering)
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)


class _Variable(_Known):
    """`var` and `env_var`: a symbol if the variable is set, else the default."""

    readable: ClassVar[frozenset[str]] = frozenset(["has_var"])

    def __init__(self, rendering: _Rendering, function: str) -> None:
        super().__init__(rendering)
        self._function = function

    def __call__(self, name: Any, *default: Any, **named: Any) -> Any:
        key = f"{self._function}({words(name)})"
        if "default" in named:
            default = (named["default"],)
        if default:
            self.world.with_default.add(key)
        # Without a default, dbt stops if the variable is not set.
        is_known = f"{key}{IS_SET}" in self.world.truths
        if (default or is_known) and not self.world.holds(f"{key}{IS_SET}"):
            if not default:
                raise Stopped(f"{key} is not set")
            return default[0]
        return Symbol(self.world, key)

    def has_var(self, name: Any) -> bool:
        """Return True if the variable is set."""
        return self.world.holds(f"{self._function}({words(name)}){IS_SET}")


class _Config(_Known):
    """`config`: stores settings; a setting that is read is a symbol."""

    readable: ClassVar[frozenset[str]] = frozenset(["get", "require", "set", "meta_get", "meta_require"])

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        for given in (*args, kwargs):
            if isinstance(given, dict):
                self.rendering.settings |= {str(name): words(value) for name, value in given.items()}
        return ""

    def set(self, name: str, value: Any) -> str:
        """Store one setting."""
        return self(**{name: value})

    def get(self, name: Any, default: Any = None, validator: Any = None) -> Any:
        """Return the setting as a symbol."""
        return Symbol(self.world, f"config.get({words(name)})")

    require = meta_get = meta_require = get


class _Adapter(_Known):
    """`adapter`: its type, and the macros that it dispatches to."""

    readable: ClassVar[frozenset[str]] = frozenset(["type", "dispatch"])

    def type(self) -> Any:
        """Return the adapter's name."""
        return self.rendering.names["target"].adapter_type

    def dispatch(self, macro_name: str, macro_namespace: str | None = None, packages: Any = None) -> Any:
        """Return the macro of the project or of a package, else a symbol."""
        side = self.rendering.side
        places = [None] if macro_namespace is None else [side.library.root, macro_namespace]
        try:
            found = side.library.dispatched(macro_name, places, side.package)
        except TemplateError:
            return Symbol(self.world, f"adapter.dispatch({macro_name!r})")
        return self.rendering.call_of(found)

    def __getitem__(self, name: str) -> Symbol:
        return Symbol(self.world, f"adapter.{name}")


class _TargetSymbols(_Known):
    """`target`: each of its members is a symbol, except the type of the adapter."""

    readable: ClassVar[frozenset[str]] = frozenset(["get"])

    @property
    def adapter_type(self) -> Any:
        """The type of the adapter, which is that of the run."""
        return self.rendering.side.adapter_type or Symbol(self.world, "target.type")

    def __getitem__(self, name: Any) -> Any:
        if name == "type":
            return self.adapter_type
        return Symbol(self.world, f"target.{name}" if isinstance(name, str) else f"target[{words(name)}]")

    def get(self, name: Any, default: Any = None) -> Any:
        """Return the member *name*."""
        return self[name]


class _Builtins(_Known):
    """`builtins`: functions of dbt, also those with a macro of the project in their place."""

    def __getitem__(self, name: str) -> Any:
        return self.rendering.names.of_dbt(name) or Symbol(self.world, f"builtins.{name}")


class _Raises(_Known):
    """`exceptions`: an error ends the rendering."""

    readable: ClassVar[frozenset[str]] = frozenset(["raise_compiler_error", "warn"])

    def raise_compiler_error(self, msg: Any = "", node: Any = None) -> NoReturn:
        """End the rendering with *msg*."""
        raise Stopped(str(settled(msg)))

    def warn(self, msg: Any = "", node: Any = None) -> str:
        """Return nothing: the text of a warning is not part of the SQL."""
        return ""


def _reference(rendering: _Rendering, function: str) -> _Callable:
    def refer(*args: Any, **kwargs: Any) -> Symbol:
        # dbt's list of parents has the package, so `ref('shop', 'orders')` is `ref('orders')`.
        own = args[-1:] if function == "ref" else args
        # A macro in place of `ref` passes a version even if it has none.
        given = {name: value for name, value in kwargs.items() if value is not None}
        if "version" in given:
            given["v"] = given.pop("version")
        return Symbol(rendering.world, f"{function}({arguments_of(own, given)})")

    return _Callable(rendering, refer)


class Side(Struct, frozen=True, kw_only=True):
    """One of two templates that are compared."""

    code: str
    package: str | None
    adapter_type: str | None
    library: MacroLibrary


class _Rendering:
    """Rendering of one template in one world."""

    def __init__(self, side: Side, world: World, opaque: Callable[[MacroMetadata], bool]) -> None:
        self.side, self.world, self.opaque = side, world, opaque
        self.settings: dict[str, str] = {}
        self.names = _Names(self)

    def call_of(self, macro: MacroMetadata) -> Any:
        """Return *macro* as a callable, or as a symbol if it is not followed."""
        if not self.opaque(macro):
            return MacroCall(self.side.library, macro, self.names)
        return _Callable(self, lambda *args, **kwargs: self._unfollowed(macro, args, kwargs))

    def _unfollowed(self, macro: MacroMetadata, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Symbol:
        given = [*args, *kwargs.values()]
        may_change = any(isinstance(one, (list, dict, JinjaNamespace)) for one in given)
        if may_change and _MUTATORS.search(macro.macro_sql):
            raise Undecidable(macro.name)
        symbol = Symbol(self.world, f"{macro.name}({arguments_of(args, kwargs)})")
        if _EFFECTS.search(macro.macro_sql):
            self.world.effects.add(symbol.key)
        return symbol


class _Names(Mapping[str, Any]):
    """Names of a template: dbt's, macros, packages; any other name is a symbol."""

    def __init__(self, rendering: _Rendering) -> None:
        self._rendering = rendering
        self._found: dict[str, Any] = {}

    def __contains__(self, name: object) -> bool:
        return True

    def __getitem__(self, name: str) -> Any:
        if name not in self._found:
            self._found[name] = self._look_up(name)
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def _look_up(self, name: str) -> Any:
        rendering = self._rendering
        library, package = rendering.side.library, rendering.side.package
        if name not in FIXED and (macro := library.find_own(name, package)) is not None:
            return rendering.call_of(macro)
        if (found := self.of_dbt(name)) is not None:
            return found
        if name not in FIXED and (macro := library.built_in.get(name)) is not None:
            return rendering.call_of(macro)
        if library.has_package(name):
            return Namespace(library, name, rendering.call_of)
        return Symbol(rendering.world, name)

    def of_dbt(self, name: str) -> Any:
        """Return the function or object of dbt called *name*; None if there is none."""
        rendering = self._rendering
        if name in ("ref", "source", "function", "metric"):
            return _reference(rendering, name)
        if name in ("var", "env_var"):
            return _Variable(rendering, name)
        if name in _OBJECTS:
            return _OBJECTS[name](rendering)
        if name == "execute":
            return True
        if name in FUNCTIONS:
            return SymbolTable if name == "dict" else FUNCTIONS[name]
        return None


_OBJECTS: Mapping[str, Callable[[_Rendering], Any]] = {
    "config": _Config,
    "target": _TargetSymbols,
    "env": _TargetSymbols,
    "adapter": _Adapter,
    "builtins": _Builtins,
    "exceptions": _Raises,
}


class TemplateComparer:
    """Comparer of templates of two runs. *macros* are those of base and of current."""

    def __init__(
        self,
        macros: tuple[Iterable[MacroMetadata], Iterable[MacroMetadata]],
        *,
        adapter_type: str | None,
        roots: tuple[str | None, str | None],
    ) -> None:
        self._environment = SymbolicSandbox()
        self._adapter_type = adapter_type
        self._libraries = tuple(
            MacroLibrary(some, self._environment, adapter_type or "", root)
            for some, root in zip(macros, roots, strict=True)
        )
        self._templates: dict[str, Template] = {}

    def compare(
        self,
        codes: tuple[str, str],
        package: str | None,
        *,
        is_same: Callable[[str, str], bool] = operator.eq,
        opaque: Callable[[MacroMetadata], bool] = lambda macro: False,
        seconds: float = SECONDS,
    ) -> VariantComparison:
        """Compare two templates of *package* in every world.

        *is_same* compares two texts with tokens. *opaque* macros are equal on both sides, and not followed.
        """
        sides = [self._side(index, code, package) for index, code in enumerate(codes)]
        found: list[Variant] = []
        try:
            for world in self._worlds(codes, World(()), seconds):
                if (variant := self._in(world, sides, is_same, opaque)) is not None:
                    found.append(variant)
        except Undecidable as error:
            return VariantComparison(undecided=error.words)
        return VariantComparison(variants=tuple(found))

    def texts(
        self,
        index: int,
        code: str,
        package: str | None,
        assumed: World,
        *,
        opaque: Callable[[MacroMetadata], bool] = lambda macro: False,
    ) -> list[WorldText]:
        """Return the texts of one template of side *index* in every world with the answers of *assumed*.

        Raises Undecidable if the text needs a value. Worlds in which the template stops have no text.
        """
        side = self._side(index, code, package)
        found = []
        # The other order finds early that the worlds are too many.
        for world in self._worlds((code,), assumed, SECONDS, next_case=0):
            text = self._rendered(side, world, opaque)[0]
            if text is not None and world.is_possible:
                found.append(WorldText(_with_values(text, world), tuple(world.places), world))
        return sorted(found, key=lambda one: one.world.taken)

    def _side(self, index: int, code: str, package: str | None) -> Side:
        library = self._libraries[index]
        return Side(code=code, package=package, adapter_type=self._adapter_type, library=library)

    def _worlds(
        self, codes: tuple[str, ...], assumed: World, seconds: float, *, next_case: int = -1
    ) -> Iterator[World]:
        """Yield each world with the answers of *assumed*, for the caller to render *codes* in it.

        The next one is that at *next_case* of those that are pending.
        Raises Undecidable for what the caller cannot render, and if the worlds are too many.
        """
        if any(OPENING in code for code in codes):
            raise Undecidable(OPENING)
        self._environment.budget = Budget(Limits(seconds=seconds))
        places = dict(assumed.places)
        pending: list[tuple[int, ...]] = [()]
        for number in range(1, MOST_WORLDS + 1):
            world = assumed.with_answers(pending.pop(next_case), places)
            self._environment.world = world
            yield world
            for place in range(len(world.given), len(world.taken)):
                pending.append((*world.taken[:place], 1))
            if not pending:
                return
            # Each pending answer leads to at least one world.
            if number + len(pending) > MOST_WORLDS:
                break
        raise Undecidable(f"more than {MOST_WORLDS} cases")

    def _in(
        self,
        world: World,
        sides: Iterable[Side],
        is_same: Callable[[str, str], bool],
        opaque: Callable[[MacroMetadata], bool],
    ) -> Variant | None:
        texts, endings, settings, effects = zip(
            *(self._rendered(side, world, opaque) for side in sides), strict=True
        )
        if not world.is_possible:
            return None
        # A value that was decided after its token had been written.
        old, new = (None if text is None else _with_values(text, world) for text in texts)
        same = endings[0] == endings[1] if old is None or new is None else old == new or is_same(old, new)
        other = {
            name
            for name in settings[0].keys() | settings[1].keys()
            if settings[0].get(name) != settings[1].get(name)
        }
        if same and not other:
            # A statement that a template sends while dbt renders it leaves no text.
            if sent := effects[0] ^ effects[1]:
                raise Undecidable(shorten(min(sent), LONGEST_WORDS))
            return None
        return Variant(
            conditions=world.conditions(),
            texts=(old, new),
            expressions=tuple(world.places),
            has_other_text=not same,
            settings=frozenset(other),
        )

    def _rendered(
        self, side: Side, world: World, opaque: Callable[[MacroMetadata], bool]
    ) -> tuple[str | None, str, dict[str, str], frozenset[str]]:
        """Return the text, the error that ends it, the settings and the effects of a template in *world*."""
        world.effects.clear()
        rendering = _Rendering(side, world, opaque)
        text, ending = None, ""
        try:
            text = self._text(side.code, rendering)
        except Stopped as error:
            ending = str(error)
        except Undecidable as error:
            raise Undecidable(shorten(error.words, LONGEST_WORDS)) from None
        except TemplateError as error:
            raise Undecidable(shorten(error.problem, LONGEST_WORDS)) from None
        except _FAULTS as error:
            raise Undecidable(shorten(str(error) or type(error).__name__, LONGEST_WORDS)) from None
        return text, ending, rendering.settings, frozenset(world.effects)

    def _text(self, code: str, rendering: _Rendering) -> str:
        template = self._templates.get(code)
        if template is None:
            compiled = self._environment.compile(code, "the template", "the template")
            template = self._templates[code] = Template.from_code(self._environment, compiled, {})
        context = template.new_context(rendering.names, shared=True)  # type: ignore[arg-type]
        return "".join(template.root_render_func(context))


def _with_values(text: str, world: World) -> str:
    keys = tuple(world.places)

    def value(match: re.Match[str]) -> str:
        found = world.values.get(keys[int(match[1])])
        return found if isinstance(found, str) else match[0]

    return TOKEN.sub(value, text) if MARK in text else text


_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    JinjaError,
    LookupError,
    RecursionError,
    Returned,
    RuntimeError,
    SyntaxError,
    TypeError,
    UnknownName,
    ValueError,
)
"""Exceptions of a faulty template, or of one that does what is not known here."""
