"""Template object `target`: the run's connection, and its inferred name."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from recce_meta.errors import TemplateError, quoted
from recce_meta.render.objects import TemplateObject

if TYPE_CHECKING:
    from recce_meta.render.context import RenderScope

_NAMES = ("name", "target_name")


class Target(TemplateObject):
    """`target`; its name is only in run_results.json, so it may be unknown."""

    __slots__ = ("_scope",)
    readable: ClassVar[frozenset[str]] = frozenset(["get"])

    def __init__(self, scope: RenderScope) -> None:
        self._scope = scope

    @property
    def _facts(self) -> Mapping[str, Any]:
        return self._scope.project.target

    def __getitem__(self, name: str) -> Any:
        value = self._facts[name]
        if value is None and name in _NAMES:
            return self._name()
        return deepcopy(value)

    def __contains__(self, name: object) -> bool:
        return name in self._facts

    def get(self, name: str, default: Any = None) -> Any:
        """Return the target's value for *name*, else *default*."""
        return self[name] if name in self._facts else default

    def _name(self) -> Any:
        """Return the name inferred from the run's nodes; raise TemplateError if that fails."""
        scope = self._scope
        evidence = scope.project.evidence
        found = None if evidence is None else evidence.target_name(scope.node)
        if found is None:
            raise name_unknown()
        scope.warn_once(
            f"target.name was inferred to be {quoted(found.value)} from {found.reason}; "
            "set it with --target-name"
        )
        return found.value


class OtherName(TemplateObject):
    """Target name known only to be none of *names*; comparing it with another name raises an error."""

    __slots__ = ("names",)

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def __eq__(self, other: object) -> bool:
        if isinstance(other, OtherName) or other in self.names or not isinstance(other, str):
            return self is other
        raise name_unknown()

    def __ne__(self, other: object) -> bool:
        return not self == other

    def _raise(self, *_: object) -> NoReturn:
        raise name_unknown()

    # Hashing raises too, because a lookup in a set or dict may not call `__eq__`.
    __str__ = __hash__ = __iter__ = __len__ = __contains__ = _raise

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"none of {', '.join(sorted(self.names))}"

    def refuse(self, name: str) -> TemplateError:
        """Return the error for an unknown name."""
        return name_unknown()


def name_unknown() -> TemplateError:
    """Return the error for a target name that cannot be inferred."""
    return TemplateError(
        "'target.name' is not known",
        name="name",
        hint="pass --target-name (target={'name': …} in Python)",
    )
