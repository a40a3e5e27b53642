"""What one rendering may cost: steps, characters and seconds.

Python cannot be interrupted inside one long operation, so nothing large may begin: every loop, call,
filter and operator of a template asks the budget first, with the size of what it is about to touch.
Containers count as they would look when written out, since a list of a list of a list … of a few
elements is small in memory and endless in text.
"""

from __future__ import annotations

from time import monotonic

from msgspec import Struct

from recce_meta.errors import TemplateError

LARGEST_REPEAT = 10_000
"""The widest that a format, a filter or a method pads text to."""
LARGEST_RANGE = 100_000
"""As Jinja's own sandbox has it, and dbt with it."""
LARGEST_NUMBER_BITS = 4_096
SHORT = 200
"""Text below this length is not counted: it would cost more than it weighs."""
_LONG = 1_000
"""Text from this length on counts as steps, too, so that the clock is read before the next such text."""
_BETWEEN_CLOCKS = 256
_SPARE = 4

_CONTAINERS = frozenset([list, tuple, set, frozenset, dict])


class Limits(Struct, frozen=True, kw_only=True):
    """The most that one call of `render` may cost."""

    seconds: float = 1.0
    steps: int = 1_000_000
    """Loop turns, calls, filters and operators."""
    characters: int = 20_000_000
    """Text written or handled, all in all."""
    items: int = 500_000
    """Elements of one value, those of the values in it included."""


class Budget:
    """What is left of the limits in one rendering."""

    __slots__ = ("_characters", "_deadline", "_next_clock", "_paused", "_steps", "limits")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._steps = 0
        self._characters = 0
        self._next_clock = _BETWEEN_CLOCKS
        self._deadline = monotonic() + limits.seconds
        self._paused: float | None = None

    def spend(self, steps: int = 1) -> None:
        """Count *steps*; raises where they, or the time, run out."""
        self._steps += steps
        if self._steps >= self._next_clock:
            self._next_clock = self._steps + _BETWEEN_CLOCKS
            if self._steps > self.limits.steps:
                raise self._exceeded(f"more than {self.limits.steps:,} steps")
            if monotonic() > self._deadline:
                raise self._exceeded(f"more than {self.limits.seconds:g} s")

    def hold(self, characters: int) -> None:
        """Count *characters* of text, before they are made where they may be many."""
        self._characters += characters
        if characters > _LONG:
            self.spend(characters >> 6)
        if self._characters > self.limits.characters:
            raise self._exceeded(f"more than {self.limits.characters:,} characters")

    def check_items(self, count: int) -> None:
        """Raise where one value would have *count* elements, and that is too many."""
        if count > self.limits.items:
            raise self._exceeded(f"a value of more than {self.limits.items:,} elements")

    def weigh(self, value: object) -> None:
        """Count *value* as it would look when written out."""
        kind = type(value)
        if kind is str:
            if len(value) > SHORT:  # type: ignore[arg-type]
                self.hold(len(value))  # type: ignore[arg-type]
        elif kind in _CONTAINERS:
            self.hold(self.size(value))

    def size(self, value: object) -> int:
        """How long *value* is, written out, or nearly; raises where that is too long."""
        if isinstance(value, str):
            return len(value)
        if type(value) not in _CONTAINERS:
            return 8
        count = characters = 0
        pending = [value]
        while pending:
            container = pending.pop()
            children = [*container, *container.values()] if isinstance(container, dict) else container
            count += len(children)  # type: ignore[arg-type]
            self.check_items(count)
            for child in children:  # type: ignore[attr-defined]
                if type(child) is str:
                    characters += len(child)
                elif type(child) in _CONTAINERS:
                    pending.append(child)
        self.spend(count >> 4)
        if characters > self.limits.characters:
            raise self._exceeded(f"more than {self.limits.characters:,} characters")
        return characters + 2 * count

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left."""
        limits = self.limits
        return (
            self._steps > limits.steps or self._characters > limits.characters or monotonic() > self._deadline
        )

    def spare(self) -> Budget:
        """A budget of its own, a part of this one's size."""
        limits = self.limits
        return Budget(
            Limits(
                seconds=limits.seconds / _SPARE,
                steps=limits.steps // _SPARE,
                characters=limits.characters // _SPARE,
                items=limits.items,
            )
        )

    def pause(self) -> None:
        """Let no time go by until `resume`."""
        self._paused = monotonic()

    def resume(self) -> None:
        """Let time go by again."""
        if self._paused is not None:
            self._deadline += monotonic() - self._paused
            self._paused = None

    @staticmethod
    def _exceeded(what: str) -> TemplateError:
        return TemplateError(
            f"The template takes {what}",
            hint="look for a loop or a repetition that is too large; limits= allows more in Python",
        )
