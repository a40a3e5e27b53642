"""Template of a model: its Jinja tags, and a mask of equal length that parses as SQL.

The mask replaces every tag by text of the same length, so that offsets in it are offsets in the template.
Nothing is executed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import count

from msgspec import Struct

from recce_meta.lsp.text.positions import TextSpan
from recce_meta.lsp.text.template_tags import TagArgument, TagCall, TemplateTag, calls_in, tags_of

__all__ = ["ModelTemplate", "TagArgument", "TagCall", "read_template"]

_NOT_LINE_END = re.compile(r"[^\r\n]")
_WORD = re.compile(r"\w+")
_TYPE_NAME = re.compile(r"(?:^|\.)(?:api\.Column\.)?(?:type_\w+|translate_type|\w+_type)$")
_FITS_TYPE = re.compile(r"[^\r\n]{4}")
_CASTS = frozenset({"cast", "try_cast", "safe_cast"})
_LOOP_PLACE = re.compile(r"(not\s+)?loop\.(last|first)")
_LITERAL = re.compile(
    r"""(?P<quote>['"])(?P<then>(?:(?!(?P=quote))[^\\\r\n])*)(?P=quote)"""
    r"""(?:\s+if\s+(?P<test>[^'"]*?)"""
    r"""(?:\s+else\s+(?P<other>['"])(?P<otherwise>(?:(?!(?P=other))[^\\\r\n])*)(?P=other))?)?"""
)
_SILENT = frozenset({"config", "log", "print", "return", "dbt_utils.log_info"})
"""Calls that render as nothing."""
_UNREAD = frozenset({"macro", "docs", "test", "data_test", "materialization", "call", "set"})
"""Blocks with a body that is not part of the query."""
_UNKNOWN = frozenset({"for", "if", "call", "filter"})
"""Blocks whose text is unknown without rendering."""
_BLOCKS = _UNREAD | _UNKNOWN | {"snapshot", "block", "autoescape", "with", "trans"}
_RELATIONS = frozenset({"ref", "source", "this"})
_LONGEST_LOOK = 2000
"""Characters before a tag that are searched for the cast that it is in."""


class ModelTemplate(Struct, frozen=True):
    """Template as written, with its mask and its calls."""

    text: str
    masked: str
    calls: tuple[TagCall, ...]
    """In the order of their names in the text; nested calls are included."""
    masks: dict[str, TagCall | None]
    """Identifiers in the mask, with the call that each stands for; None for any other expression.

    Tags with the same text share an identifier, so that one can qualify columns of the other.
    """
    opaque: tuple[TextSpan, ...] = ()
    """Tags of expressions whose SQL is unknown without rendering, and loops and branches with their tags.

    Sorted; a loop is followed by the tags in it.
    """
    loops: tuple[TextSpan, ...] = ()
    """Bodies of loops."""
    tags: tuple[TextSpan, ...] = ()
    """Tags of expressions that are in the mask, with their braces."""

    def call_at(self, offset: int) -> TagCall | None:
        """Return the innermost call whose name or arguments *offset* touches."""
        found: TagCall | None = None
        for call in self.calls:
            if offset in call.span and (found is None or call.span.start >= found.span.start):
                found = call
        return found


def read_template(text: str) -> ModelTemplate:
    """Return the tags of *text*, finished or not, and its mask.

    `{{ ref('x') }}` becomes an identifier; other expressions become an identifier, too, unless they are the
    type of a cast or a literal string. Statements, comments, `config()` and all branches of an `if` but the
    first become spaces, with line ends kept.
    """
    tags = tags_of(text)
    blocks = _blocks_of(tags)
    unread = TextRegions(blocks.unread)
    masker = _MaskWriter(text, tags, unread)
    for tag in tags:
        masker.add(tag)
    calls = sorted(masker.calls, key=lambda call: call.name_span)
    return ModelTemplate(
        text,
        "".join(masker.parts) + masker.text_between(masker.end, len(text)),
        tuple(calls),
        masker.masks,
        tuple(sorted({*masker.opaque, *blocks.unknown}, key=lambda span: (span.start, -span.end))),
        tuple(blocks.loops),
        tuple(masker.expressions),
    )


def blank(text: str) -> str:
    """Return *text* as spaces, with its line ends."""
    return _NOT_LINE_END.sub(" ", text)


class TextRegions:
    """Spans that may overlap."""

    def __init__(self, spans: Iterable[TextSpan]) -> None:
        self._spans: list[TextSpan] = []
        for span in sorted(spans):
            if self._spans and span.start < self._spans[-1].end:
                last = self._spans.pop()
                span = TextSpan(last.start, max(last.end, span.end))
            self._spans.append(span)
        self._starts = [span.start for span in self._spans]

    def has(self, offset: int) -> bool:
        """Return whether the character at *offset* is in a span."""
        place = bisect_right(self._starts, offset) - 1
        return place >= 0 and offset < self._spans[place].end

    def around(self, offset: int) -> TextSpan | None:
        """Return the span with the character at *offset*."""
        place = bisect_right(self._starts, offset) - 1
        return self._spans[place] if place >= 0 and offset < self._spans[place].end else None

    def within(self, start: int, end: int) -> list[TextSpan]:
        """Return the parts of the spans between *start* and *end*."""
        first = max(0, bisect_right(self._starts, start) - 1)
        found: list[TextSpan] = []
        for span in self._spans[first : bisect_right(self._starts, end)]:
            low, high = max(start, span.start), min(end, span.end)
            if low < high:
                found.append(TextSpan(low, high))
        return found


class _MaskWriter:
    """Writer of a mask, tag by tag."""

    def __init__(self, text: str, tags: Sequence[TemplateTag], unread: TextRegions) -> None:
        self._text, self._unread = text, unread
        self._tags = {tag.span.start: tag for tag in tags} | {-tag.span.end: tag for tag in tags}
        self._words = {word.lower() for word in _WORD.findall(text)} if tags else set()
        self._identifiers: dict[str, str] = {}
        self._counts: dict[int, Callable[[], int]] = {}
        self.parts: list[str] = []
        self.end = 0
        self.calls: list[TagCall] = []
        self.masks: dict[str, TagCall | None] = {}
        self.opaque: list[TextSpan] = []
        self.expressions: list[TextSpan] = []

    def add(self, tag: TemplateTag) -> None:
        """Write the text before *tag*, and its mask."""
        self.parts.append(self.text_between(self.end, tag.span.start))
        calls, whole = calls_in(self._text, tag)
        written = self._text[tag.span.start : tag.span.end]
        mask, name = blank(written), ""
        if tag.kind == "raw":
            mask = written
        elif tag.kind == "expression" and not self._unread.has(tag.span.start):
            mask, name = self._expression(tag, written, whole)
        for call in calls:
            self.calls.append(_masked(call, name) if call is whole else call)
        if name:
            self.masks.setdefault(name, _masked(whole, name) if whole is not None else None)
        self.parts.append(mask)
        self.end = tag.span.end

    def text_between(self, start: int, end: int) -> str:
        """Return the text between two tags, without the bodies that are not part of the query."""
        between = self._text[start:end]
        for span in self._unread.within(start, end):
            low, high = span.start - start, span.end - start
            between = between[:low] + blank(between[low:high]) + between[high:]
        return between

    def _expression(self, tag: TemplateTag, written: str, whole: TagCall | None) -> tuple[str, str]:
        """Return the mask of an expression, and the identifier that stands for all of it, if any."""
        if whole is not None and whole.name in _SILENT and whole.span.end > whole.name_span.end:
            return blank(written), ""
        literal = _LITERAL.fullmatch(self._text, tag.content.start, tag.content.end)
        if literal is not None:
            return self._literal(tag, written, literal), ""
        self.expressions.append(tag.span)
        is_relation = whole is not None and whole.name in _RELATIONS and whole.span.end > whole.span.start
        # A type, and what is inside of quotes, reads no column.
        if _FITS_TYPE.match(written) and self._is_type(tag, whole):
            return _at(written, 0, "text"), ""
        before, after = self._around(tag)
        is_glued = _joins(before) or _joins(after)
        place, width = self._place(written, tag, glued_after=_joins(after) and not _joins(before))
        identifier = self._identifier(written, width)
        is_string = before == after == "'"
        if not is_string and (not is_relation or is_glued or not identifier):
            self.opaque.append(tag.span)
        return _at(written, place, identifier), "" if is_glued else identifier

    def _literal(self, tag: TemplateTag, written: str, match: re.Match[str]) -> str:
        """Return the mask of a string, possibly with a condition: the string at its own place."""
        is_true = match["test"] is None or _is_true(match["test"])
        group = "otherwise" if is_true is False else "then"
        if is_true is None:
            self.opaque.append(tag.span)
        return (
            _at(written, match.start(group) - tag.span.start, match[group])
            if match[group]
            else blank(written)
        )

    def _around(self, tag: TemplateTag) -> tuple[str, str]:
        """Return the characters that touch *tag*; `_` for another expression."""
        start, end = tag.span
        before, after = self._text[start - 1 : start], self._text[end : end + 1]
        left, right = self._tags.get(-start), self._tags.get(end)
        if left is not None:
            before = "_" if left.kind == "expression" and self.parts and self.parts[-2:][0].strip() else " "
        if right is not None and end > start:
            after = "_" if right.kind == "expression" else " "
        return before, after

    def _is_type(self, tag: TemplateTag, whole: TagCall | None) -> bool:
        """Return whether *tag* is the type of a cast."""
        before = ""
        for part in reversed(self.parts):
            before = part + before
            if len(before) > _LONGEST_LOOK:
                break
        if before.rstrip().endswith("::"):
            return True
        start, word = _last_word(before)
        if word != "as":
            return False
        if whole is not None and _TYPE_NAME.search(whole.name):
            return True
        return _open_call(before[:start]) in _CASTS

    def _place(self, written: str, tag: TemplateTag, *, glued_after: bool) -> tuple[int, int]:
        """Return the offset and the length of the line of *written* that gets the identifier."""
        lines = [(match.start(), len(match[0])) for match in re.finditer(r"[^\r\n]+", written)]
        if len(lines) == 1:
            return lines[0]
        if glued_after:
            return lines[-1]
        line_start = max(self._text.rfind("\n", 0, tag.span.start), self._text.rfind("\r", 0, tag.span.start))
        before = self._text[line_start + 1 : tag.span.start]
        # In a comment of one line, an identifier on the next line would become part of the query.
        if "--" in before or before[-1:].isalnum() or before[-1:] == "_":
            return lines[0]
        return max(lines, key=lambda line: line[1])

    def _identifier(self, written: str, length: int) -> str:
        """Return an identifier of *length* that no word of the text equals; empty if all are taken."""
        known = self._identifiers.get(written)
        if known is not None:
            return known
        numbers = self._counts.setdefault(length, count().__next__)
        name = ""
        while not name:
            name = f"q{numbers()}"
            if len(name) > length:
                return ""
            name = name.ljust(length, "_")
            name = "" if name in self._words else name
        self._words.add(name)
        self._identifiers[written] = name
        return name


def _masked(call: TagCall, name: str) -> TagCall:
    return TagCall(call.name, call.name_span, call.span, call.tag, call.arguments, name)


def _at(written: str, place: int, word: str) -> str:
    masked = blank(written)
    return masked[:place] + word + masked[place + len(word) :]


def _joins(char: str) -> bool:
    """Return whether *char* next to a tag makes the tag a part of a word, a string or a quoted name."""
    return char.isalnum() or (char != "" and char in "_$@#'\"`")


def _last_word(text: str) -> tuple[int, str]:
    """Return the offset of the last word of *text*, and the word in lower case."""
    text = text.rstrip()
    start = len(text)
    # A regular expression would try every word of the text.
    while start and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    return start, text[start:].lower()


def _open_call(before: str) -> str:
    """Return the name of the function whose parenthesis is still open at the end of *before*."""
    depth = 0
    for place in range(len(before) - 1, -1, -1):
        if before[place] == ")":
            depth += 1
        elif before[place] == "(":
            depth -= 1
            if depth < 0:
                return _last_word(before[:place])[1]
    return ""


def _is_true(condition: str) -> bool | None:
    """Return the value of a condition on the place in a loop that runs once; None for any other condition."""
    place = _LOOP_PLACE.fullmatch(condition.strip())
    return None if place is None else place[1] is None


class _TemplateBlocks(Struct):
    unread: list[TextSpan]
    unknown: list[TextSpan]
    loops: list[TextSpan]


def _blocks_of(tags: Sequence[TemplateTag]) -> _TemplateBlocks:
    """Return the bodies that the mask leaves out, and the blocks whose text is unknown."""
    blocks = _TemplateBlocks([], [], [])
    opened: list[tuple[TemplateTag, list[TemplateTag]]] = []
    for tag in tags:
        if tag.kind != "statement":
            continue
        word = tag.word
        if word in _BLOCKS and not tag.is_inline:
            opened.append((tag, []))
        elif word in ("else", "elif"):
            if opened and opened[-1][0].word in ("if", "for"):
                opened[-1][1].append(tag)
        elif word.startswith("end"):
            # A block that is still being typed has no end, and its body stays.
            place = next((i for i in range(len(opened) - 1, -1, -1) if opened[i][0].word == word[3:]), None)
            if place is not None:
                _close(*opened[place], tag, blocks)
                del opened[place:]
    return blocks


def _close(
    start: TemplateTag, branches: Sequence[TemplateTag], end: TemplateTag, blocks: _TemplateBlocks
) -> None:
    first = branches[0] if branches else end
    if start.word in _UNREAD:
        blocks.unread.append(TextSpan(start.span.end, end.span.start))
    elif start.word in ("if", "for"):
        is_true = _is_true(start.rest) if start.word == "if" else None
        if is_true is False:
            # The body of `{% if not loop.last %}` separates the rounds of a loop, of which one is kept.
            blocks.unread.append(TextSpan(start.span.end, first.span.start))
            first = branches[1] if len(branches) > 1 else end
        blocks.unread.append(TextSpan(first.span.start, end.span.start))
        if start.word == "for":
            blocks.loops.append(TextSpan(start.span.end, first.span.start))
    if start.word in _UNKNOWN:
        blocks.unknown.append(TextSpan(start.span.start, end.span.end))
