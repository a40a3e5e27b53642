"""How options of connections are declared, each once.

The types of connections, requests and answers, the columns of the state, the options of the command line, the
fields of forms, the schemas and the reference are derived from these classes. The command line reads them for
`--help`, so that this module does not import msgspec: at run time they are plain classes, and
`state.types.with_options` makes structs of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from msgspec import Struct

    Declared = Struct
else:

    class Declared:
        """Base of the declarations at run time."""

        def __init_subclass__(cls, **settings: Any) -> None:
            """Accept the settings of a struct."""


STORED, NEW, CHANGE = "stored", "new", "change"
"""Types that have an option: the connection, the request that adds one, and the one that changes one."""
MOST_MINUTES = 7 * 24 * 60
"""Longest interval."""
FLAG, MINUTES, NUMBER, LIST = "bool", "float | None", "int", "tuple[str, ...]"
TEXT, VARIABLES = "str", "Mapping[str, str]"
"""Types of options, as they are written; None is never, and the command line and forms have 0 or nothing."""


class Flag(NamedTuple):
    """Option of the command line."""

    names: str
    """Names as click takes them, separated by spaces; `=` and the name of the value may follow the first."""
    help: str
    usual: str | None = None
    """Default in the help of a new connection, unless it follows from the default of the option."""
    kind: str | None = None
    """Kind of its values; None for the kind of the field's type."""

    @property
    def words(self) -> list[str]:
        """Names for click."""
        first, *others = self.names.split()
        return [first.partition("=")[0], *others]

    @property
    def metavar(self) -> str | None:
        """Name of its value."""
        return self.names.split()[0].partition("=")[2] or None

    @property
    def parameter(self) -> str:
        """Name of the parameter."""
        return self.words[-1].removeprefix("--").replace("-", "_")

    @property
    def usage(self) -> str:
        """What a user writes, such as `--token-env VARIABLE`."""
        return self.names.split()[0].partition("/")[0].replace("=", " ")

    def default(self, value: Any) -> str | None:
        """Return the default in the help, if that of the option is *value*."""
        if isinstance(value, bool):
            return self.words[0].split("/")[not value]
        return f"{value:g}" if isinstance(value, (int, float)) else self.usual


class Input(NamedTuple):
    """A field of a form."""

    section: str
    label: str
    help: str = ""
    name: str = ""
    """Name of the field; empty for the name of the option."""


class Declaration(NamedTuple):
    """Declaration of an option, without its name and type."""

    default: Any
    """Default; `...` for the empty value of the type."""
    flags: tuple[Flag, ...]
    inputs: tuple[Input, ...]
    parts: tuple[str, ...] = (STORED, NEW, CHANGE)
    """Types that have the option."""
    since: tuple[int, str] | None = None
    """Version of the state that added its column, and the SQL of then, with the default of older rows."""
    choices: tuple[str, ...] = ()
    """Values of an enum."""
    most: int = 0
    """Largest value of a number."""
    is_of_owner: bool = False
    """Whether only an administrator sets it."""
    is_of_reading: bool = False
    """Whether it has no meaning for a connection that is only uploaded to."""
    is_of_any: bool = False
    """Whether connections of databases have it, too."""


def option(default: Any, *shown: Flag | Input, **facts: Any) -> Any:
    """Declare an option that is *shown* as flags and form fields; *facts* are the rest of a Declaration."""
    flags = tuple(one for one in shown if isinstance(one, Flag))
    return Declaration(default, flags, tuple(one for one in shown if isinstance(one, Input)), **facts)


def options_of(declared: type, *parts: str, of: str | None = None) -> dict[str, Declaration]:
    """Return the options that *declared* declares, by name in their order.

    They are those that all *parts* have, and whose type is written as *of*, such as `float | None`.
    """
    return {
        name: value
        for name, value in vars(declared).items()
        if isinstance(value, Declaration)
        and set(parts) <= set(value.parts)
        and of in (None, declared.__annotations__[name])
    }
