"""Template of a model: its Jinja tags, and a mask of equal length that parses as SQL.

The mask replaces every tag by text of the same length, so that offsets in it are offsets in the template.
Nothing is executed.
"""

from __future__ import annotations

from msgspec import Struct

from recce_meta.lsp.positions import TextSpan


class TagArgument(Struct, frozen=True):
    """Literal argument of a call."""

    value: str | int | None
    """None if it is not a literal string or integer."""
    span: TextSpan
    """Text of the argument, inside its quotes if it is a string."""
    name: str | None = None
    """Keyword of a keyword argument."""


class TagCall(Struct, frozen=True):
    """Call, or a name without a call such as `this`, in a tag."""

    name: str
    """Dotted name: `ref`, `source`, `var`, `env_var`, `config`, `this`, `dbt_utils.star`, `my_macro`."""
    name_span: TextSpan
    span: TextSpan
    """From the name to the closing parenthesis, or to the end of the tag if it is unfinished."""
    tag: TextSpan
    """The tag with its braces."""
    arguments: tuple[TagArgument, ...] = ()
    mask: str = ""
    """Identifier that stands for the tag in the mask, if the tag is an expression made of this call alone."""


class ModelTemplate(Struct, frozen=True):
    """Template as written, with its mask and its calls."""

    text: str
    masked: str
    calls: tuple[TagCall, ...]
    """In the order of their names in the text; nested calls are included."""
    masks: dict[str, TagCall | None]
    """Identifiers in the mask, with the call that each stands for; None for any other expression."""
    opaque: tuple[TextSpan, ...] = ()
    """Tags of expressions whose SQL is unknown without rendering, and bodies of loops and branches."""

    def call_at(self, offset: int) -> TagCall | None:
        """Return the innermost call whose name or arguments *offset* touches."""
        raise NotImplementedError


def read_template(text: str) -> ModelTemplate:
    """Return the tags of *text*, finished or not, and its mask.

    `{{ ref('x') }}` becomes an identifier; other expressions become an identifier, too, unless they are the
    whole of a string or of a type. Statements, comments, `config()` and all branches of an `if` but the first
    become spaces, with line ends kept.
    """
    raise NotImplementedError
