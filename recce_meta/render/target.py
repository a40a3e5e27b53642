"""Name of the run's target where it is unknown."""

from __future__ import annotations

from typing import NoReturn

from recce_meta.errors import TemplateError
from recce_meta.render.objects import TemplateObject


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
