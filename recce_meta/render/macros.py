"""Macros by name: dbt's order of packages, namespaces, and dispatch by adapter.

https://docs.getdbt.com/reference/dbt-jinja-functions/dispatch
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from jinja2 import Template
from jinja2.runtime import Macro

from recce_meta.errors import TemplateError
from recce_meta.models import MacroMetadata
from recce_meta.render.attributes import TemplateObject
from recce_meta.render.refusal import ASK_DATABASE, database_error
from recce_meta.render.sandbox import Sandbox, call_macro

PARENTS = {
    "redshift": ("postgres",),
    "databricks": ("spark",),
    "alloydb": ("postgres",),
    "synapse": ("fabric", "sqlserver"),
    "sqlserver": ("fabric",),
}
"""Adapters whose macros an adapter falls back to: the `dependencies` of its plugin."""
GLOBAL = "dbt"
"""The package of the macros that dbt brings."""
FIXED = frozenset(["is_incremental"])
"""Macros that the renderer answers itself."""


class MacroLibrary:
    """The macros of one run, compiled when they are first called."""

    def __init__(
        self, macros: Iterable[MacroMetadata], sandbox: Sandbox, adapter_type: str, root: str | None
    ) -> None:
        self._sandbox = sandbox
        self._templates: dict[str, Template] = {}
        self.root = root
        self.prefixes = (adapter_type, *PARENTS.get(adapter_type, ()), "default")
        internal = [f"dbt_{name}" for name in self.prefixes[:-1]] + [GLOBAL]
        packages: dict[str, dict[str, MacroMetadata]] = defaultdict(dict)
        self.macros = tuple(macros)
        for macro in self.macros:
            packages[macro.package_name][macro.name] = macro
        self.built_in: dict[str, MacroMetadata] = {}
        for package in reversed(internal):
            self.built_in |= packages.pop(package, {})
        self.packages: Mapping[str, Mapping[str, MacroMetadata]] = dict(packages)

    @property
    def is_empty(self) -> bool:
        """Whether no macros were given at all."""
        return not self.built_in and not self.packages

    def find(self, name: str, package: str | None) -> MacroMetadata | None:
        """The macro that *name* means in a template of *package*."""
        for place in (package, self.root):
            if place is not None and name in (macros := self.packages.get(place, {})):
                return macros[name]
        return self.built_in.get(name)

    def has_package(self, name: str) -> bool:
        """Whether *name* is a namespace."""
        return name in self.packages or (name == GLOBAL and bool(self.built_in))

    def of_package(self, name: str) -> Mapping[str, MacroMetadata]:
        """The macros of one namespace."""
        return self.built_in if name == GLOBAL else self.packages.get(name, {})

    def dispatched(self, name: str, searched: Sequence[str | None], package: str | None) -> MacroMetadata:
        """The macro that `adapter.dispatch` finds for *name*; None among *searched* is every package."""
        attempts: list[str] = []
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
            f"adapter.dispatch finds no macro for '{name}'",
            name=name,
            hint=f"looked for: {', '.join(attempts)}" if not self.is_empty else NO_MACROS,
        )

    def near(self, name: str) -> list[str]:
        """Names of macros that *name* may have been meant to be."""
        known = {*self.built_in, *(macro for macros in self.packages.values() for macro in macros)}
        return get_close_matches(name, known, n=3)

    def namespaces_of(self, name: str) -> list[str]:
        """The packages, except the root's, that have a macro *name*."""
        return sorted(package for package, macros in self.packages.items() if name in macros)

    def template(self, macro: MacroMetadata) -> Template:
        """The compiled text of *macro*."""
        found = self._templates.get(macro.unique_id)
        if found is None:
            code = self._sandbox.code(macro.macro_sql, macro.unique_id, macro.path or macro.unique_id)
            found = Template.from_code(self._sandbox, code, {})
            self._templates[macro.unique_id] = found
        return found


NO_MACROS = "no macros were given: SimpleTemplateRenderer(…, macros=project.macros)"


class MacroCall(TemplateObject):
    """A macro of the library, in one rendering."""

    __slots__ = ("_loaded", "_names", "library", "macro")

    def __init__(self, library: MacroLibrary, macro: MacroMetadata, names: Any) -> None:
        self.library, self.macro = library, macro
        self._names = names
        self._loaded: Macro | None = None

    @property
    def title(self) -> str:
        """The macro as messages call it: `package.name`."""
        return f"{self.macro.package_name}.{self.macro.name}"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._loaded is None:
            self._loaded = self._load()
        return call_macro(self._loaded, args, kwargs)

    def __str__(self) -> str:
        raise TemplateError(
            f"Macro '{self.title}' is written without being called",
            name=self.macro.name,
            hint=f"call it: {self.macro.name}(…)",
        )

    def _load(self) -> Macro:
        template = self.library.template(self.macro)
        context = template.new_context(self._names, shared=True)
        for _ in template.root_render_func(context):
            pass
        loaded = context.vars.get(self.macro.name)
        if not isinstance(loaded, Macro):
            raise TemplateError(
                f"The text of macro '{self.title}' defines no macro of that name", name=self.macro.name
            )
        return loaded


class Namespace(TemplateObject):
    """A package's macros, as `dbt_utils.star` names them."""

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

    def get(self, name: str, default: Any = None) -> Any:
        """The macro *name*, else *default*."""
        return self[name] if name in self._library.of_package(self._package) else default

    def __str__(self) -> str:
        raise TemplateError(
            f"'{self._package}' is a package: name one of its macros", name=self._package, hint=None
        )

    def refuse(self, name: str) -> TemplateError | None:
        """An unknown macro, with the nearest of the package."""
        if name.startswith("_") or name == "get":
            return None
        known = self._library.of_package(self._package)
        near = get_close_matches(name, known, n=3)
        hint = (
            "did you mean " + " or ".join(f"'{self._package}.{match}'" for match in near) + "?"
            if near
            else None
        )
        return TemplateError(f"Package '{self._package}' has no macro '{name}'", name=name, hint=hint)
