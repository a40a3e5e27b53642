"""Macro library: lookup in dbt's package order, namespaces, and dispatch by adapter.

https://docs.getdbt.com/reference/dbt-jinja-functions/dispatch
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from jinja2 import Template
from jinja2.runtime import Macro

from recce_meta.errors import TemplateError
from recce_meta.models import MacroMetadata
from recce_meta.models.adapters import ADAPTER_PARENTS, is_builtin
from recce_meta.render.objects import ASK_DATABASE, TemplateObject, database_error
from recce_meta.render.sandbox import MACRO_PREFIX, Sandbox, call_macro

STAND_IN = "stand-in"
"""Path of macros that stand in for those of packages that are not installed."""
GLOBAL = "dbt"
"""Package of dbt's own macros."""
# dbt's own `is_incremental` asks the database whether the relation exists.
FIXED = frozenset(["is_incremental"])
"""Macros that the renderer implements itself."""


class MacroLibrary:
    """The macros of one run, compiled when they are first called."""

    def __init__(
        self, macros: Iterable[MacroMetadata], sandbox: Sandbox, adapter_type: str, root: str | None
    ) -> None:
        self.sandbox = sandbox
        self._templates: dict[str, Template] = {}
        self.root = root
        self.prefixes = (adapter_type, *ADAPTER_PARENTS.get(adapter_type, ()), "default")
        internal = [f"dbt_{name}" for name in self.prefixes[:-1]] + [GLOBAL]
        packages: dict[str, dict[str, MacroMetadata]] = defaultdict(dict)
        self.macros = tuple(macros)
        for macro in self.macros:
            packages[macro.package_name][macro.name] = macro
        self.built_in: dict[str, MacroMetadata] = {}
        # Reversed, so that an adapter's macros override those of its parents and of dbt.
        for package in reversed(internal):
            self.built_in |= packages.pop(package, {})
        self.packages: Mapping[str, Mapping[str, MacroMetadata]] = dict(packages)

    @property
    def is_empty(self) -> bool:
        """True if the library was created without macros."""
        return not self.built_in and not self.packages

    def find(self, name: str, package: str | None) -> MacroMetadata | None:
        """Return the macro called *name* in a template of *package*, or None."""
        return self.find_own(name, package) or self.built_in.get(name)

    def find_own(self, name: str, package: str | None) -> MacroMetadata | None:
        """Return the macro of *package* or of the root project, which is called in place of one of dbt."""
        for place in (package, self.root):
            if place is not None and name in (macros := self.packages.get(place, {})):
                return macros[name]
        return None

    def has_package(self, name: str) -> bool:
        """Return True if *name* is a namespace."""
        return name in self.packages or (name == GLOBAL and bool(self.built_in))

    def of_package(self, name: str) -> Mapping[str, MacroMetadata]:
        """Return the macros of one namespace."""
        return self.built_in if name == GLOBAL else self.packages.get(name, {})

    def dispatched(self, name: str, searched: Sequence[str | None], package: str | None) -> MacroMetadata:
        """Return the macro that `adapter.dispatch` finds for *name*; None in *searched* means any package."""
        attempts: list[str] = []
        # All prefixes within one package before the next package, as in dbt.
        for place in searched:
            for prefix in self.prefixes:
                candidate = f"{prefix}__{name}"
                found = (
                    self.find(candidate, package) if place is None else self.of_package(place).get(candidate)
                )
                if found is not None:
                    return found
                attempts.append(candidate if place is None else f"{place}.{candidate}")
        raise TemplateError(
            f"adapter.dispatch: macro '{name}' not found",
            name=name,
            hint=f"searched for: {', '.join(attempts)}" if not self.is_empty else NO_MACROS,
            is_broken=not self.is_empty,
        )

    def note_use(self, macros: Iterable[MacroMetadata]) -> None:
        """Note that the rendering uses *macros*, with values that may be other ones in dbt."""
        for macro in macros:
            is_stand_in = macro.path == STAND_IN
            self.sandbox.has_stand_in |= is_stand_in
            self.sandbox.has_unknown |= is_stand_in or is_builtin(macro.package_name)

    def near(self, name: str) -> list[str]:
        """Return macro names close to *name*."""
        known = {*self.built_in, *(macro for macros in self.packages.values() for macro in macros)}
        return get_close_matches(name, known, n=3)

    def namespaces_of(self, name: str) -> list[str]:
        """Return the packages that have a macro *name*; dbt's own macros are left out."""
        return sorted(package for package, macros in self.packages.items() if name in macros)

    def template(self, macro: MacroMetadata) -> Template:
        """Return the compiled template of *macro*."""
        found = self._templates.get(macro.unique_id)
        if found is None:
            code = self.sandbox.code(macro.macro_sql, macro.unique_id, macro.path or macro.unique_id)
            found = Template.from_code(self.sandbox, code, {})
            self._templates[macro.unique_id] = found
        return found


NO_MACROS = "pass the macros: SimpleTemplateRenderer(…, macros=project.macros)"


class MacroCall(TemplateObject):
    """Callable macro of the library in one rendering."""

    __slots__ = ("_loaded", "_names", "library", "macro")

    def __init__(self, library: MacroLibrary, macro: MacroMetadata, names: Any) -> None:
        self.library, self.macro = library, macro
        self._names = names
        self._loaded: Macro | None = None

    @property
    def title(self) -> str:
        """Name of the macro in messages: `package.name`."""
        return f"{self.macro.package_name}.{self.macro.name}"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._loaded is None:
            self._loaded = self._load()
        self.library.note_use([self.macro])
        try:
            return call_macro(self._loaded, args, kwargs)
        except TemplateError as error:
            error.is_broken = error.is_broken and self.macro.path != STAND_IN
            raise

    def __str__(self) -> str:
        raise TemplateError(
            f"Macro '{self.title}' is written without being called",
            name=self.macro.name,
            hint=f"call it: {self.macro.name}(…)",
        )

    def _load(self) -> Macro:
        try:
            template = self.library.template(self.macro)
        except TemplateError as error:
            # `line` is a line of the macro.
            error.problem, error.line = f"{error.problem}, in macro {self.title}", None
            error.name = self.macro.name
            raise
        # Shared, because a copy would look up every name of the lazy mapping.
        context = template.new_context(self._names, shared=True)
        # Running the text defines the macro. Its output is discarded, as in dbt.
        for _ in template.root_render_func(context):
            pass
        loaded = context.vars.get(MACRO_PREFIX + self.macro.name)
        if not isinstance(loaded, Macro):
            raise TemplateError(
                f"Macro '{self.title}' invalid: its text does not define a macro with this name",
                name=self.macro.name,
            )
        return loaded


class Namespace(TemplateObject):
    """A package's macros, as in `dbt_utils.star`."""

    has_known_members = True
    __slots__ = ("_find", "_library", "_package")

    def __init__(self, library: MacroLibrary, package: str, find: Callable[[MacroMetadata], Any]) -> None:
        self._library, self._package, self._find = library, package, find

    def __getitem__(self, name: str) -> Any:
        macro = self._library.of_package(self._package).get(name)
        if macro is None:
            raise KeyError(name)
        if self._package == GLOBAL and name in ASK_DATABASE:
            raise database_error(f"{self._package}.{name}")
        return self._find(macro)

    def __iter__(self) -> Iterator[str]:
        macros = self._library.of_package(self._package)
        self._library.note_use(macros.values())
        return iter(macros)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the macro *name*, else *default*."""
        return self[name] if name in self._library.of_package(self._package) else default

    def __str__(self) -> str:
        raise TemplateError(
            f"'{self._package}' is a package and cannot be written as text; use one of its macros",
            name=self._package,
            hint=None,
        )

    def refuse(self, name: str) -> TemplateError | None:
        """Return the error for an unknown macro, with the closest names of the package."""
        if name.startswith("_") or name == "get":
            return None
        known = self._library.of_package(self._package)
        near = get_close_matches(name, known, n=3)
        hint = (
            "did you mean " + " or ".join(f"'{self._package}.{match}'" for match in near) + "?"
            if near
            else None
        )
        return TemplateError(
            f"Package '{self._package}' has no macro '{name}'", name=name, hint=hint, is_broken=True
        )
