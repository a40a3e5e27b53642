"""`target`: where the run went, and what its name is or is not."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from recce_meta.errors import TemplateError, quoted
from recce_meta.render.attributes import TemplateObject

if TYPE_CHECKING:
    from recce_meta.render.names import Scope

_NAMES = ("name", "target_name")


class Target(TemplateObject):
    """`target`. Its name stands in run_results.json alone, and may not be known."""

    __slots__ = ("_scope",)
    readable: ClassVar[frozenset[str]] = frozenset(["get"])

    def __init__(self, scope: Scope) -> None:
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
        """What is known of the target under *name*, else *default*."""
        return self[name] if name in self._facts else default

    def _name(self) -> Any:
        """What the run's nodes tell of the name."""
        scope = self._scope
        evidence = scope.project.evidence
        found = None if evidence is None else evidence.target_name(scope.node)
        if found is None:
            raise name_unknown()
        scope.warn_once(
            f"took target.name to be {quoted(found.value)}, after {found.reason}; --target-name sets it"
        )
        return found.value


class OtherName(TemplateObject):
    """A target's name of which is known only that it is not one of some: compared with others, an error."""

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

    __str__ = __hash__ = __iter__ = __len__ = __contains__ = _raise

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"none of {', '.join(sorted(self.names))}"

    def refuse(self, name: str) -> TemplateError:
        """What is not known cannot be looked into."""
        return name_unknown()


def name_unknown() -> TemplateError:
    """The error for a name that neither the run nor its nodes tell."""
    return TemplateError(
        "'target.name' is not known",
        name="name",
        hint="the run does not tell: pass --target-name (target={'name': …} in Python)",
    )
