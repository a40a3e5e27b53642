"""Tags of a Jinja template, finished or not, and the calls in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from recce_meta.lsp.text.positions import TextSpan

TagKind = Literal["expression", "statement", "comment", "raw"]


class TemplateTag(Struct, frozen=True):
    """Tag of a template; for `raw`, the text between its tags."""

    kind: TagKind
    span: TextSpan
    content: TextSpan
    """Without braces, signs for white space, and white space around it."""
    word: str = ""
    """First word of a statement."""
    rest: str = ""
    """Text of a statement after its first word."""
    is_inline: bool = False
    """True for a `set` with a value, which has no body."""


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


_OPEN = re.compile(r"\{[{%#]")
_KINDS: dict[str, TagKind] = {"{{": "expression", "{%": "statement", "{#": "comment"}
_CLOSE = {"{{": "}}", "{%": "%}", "{#": "#}"}
_STRING = r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\""""
_INSIDE = re.compile(
    rf"(?s:{_STRING})|\{{[{{%#]|[-+]?[}}%]\}}|[({{\[]|[)}}\]]|['\"]|[^\s'\"(){{}}\[\]%+-]+|.", re.S
)
_RAW = re.compile(r"\{%[-+]?\s*raw\s*[-+]?%\}")
_END_OF_RAW = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
_WORD = re.compile(r"[A-Za-z_]\w*")
_LINE = re.compile(r"[^\r\n]*")
_CALL_END = re.compile(r"[^\r\n{}]*?\)[ \t]*[-+]?[}%]?")


def tags_of(text: str) -> list[TemplateTag]:
    """Return the tags of *text* in order.

    A tag without an end is taken to end after its call, else with its line, so that the rest of the text can
    still be read.
    """
    return list(_tags(text))


def _tags(text: str) -> Iterator[TemplateTag]:
    place = 0
    while (opened := _OPEN.search(text, place)) is not None:
        start, braces = opened.start(), opened[0]
        raw = _RAW.match(text, start)
        if raw is not None and (ended := _END_OF_RAW.search(text, raw.end())) is not None:
            yield TemplateTag("statement", TextSpan(*raw.span()), TextSpan(raw.end(), raw.end()))
            yield TemplateTag("raw", TextSpan(raw.end(), ended.start()), TextSpan(raw.end(), raw.end()))
            yield TemplateTag("statement", TextSpan(*ended.span()), TextSpan(ended.end(), ended.end()))
            place = ended.end()
            continue
        end, inner = _end_of(text, start, braces)
        yield _tag(text, braces, start, inner, end)
        place = end


def _end_of(text: str, start: int, braces: str) -> tuple[int, int]:
    """Return the end of the tag at *start*, and the end of its content."""
    close = _CLOSE[braces]
    if braces == "{#":
        end = text.find(close, start + 2)
        return (end + 2, end) if end >= 0 else _unfinished(text, start)
    depth = 0
    for match in _INSIDE.finditer(text, start + 2):
        part = match[0]
        if part[-2:] == close and len(part) <= 3 and depth <= 0:
            return match.end(), match.start()
        if part in _CLOSE:
            break
        if part[-2:] == close and len(part) <= 3:
            # `}}` closes two dictionaries in an argument, unless a parenthesis is missing.
            if part != "}}" or depth < 2:
                return match.end(), match.start()
            depth -= 2
        elif part in "({[":
            depth += 1
        elif part in ")}]":
            depth -= 1
        elif part in "'\"":
            break
    return _unfinished(text, start)


def _unfinished(text: str, start: int) -> tuple[int, int]:
    line = _LINE.match(text, start + 2)
    end = line.end() if line is not None else len(text)
    for further in _OPEN.finditer(text, start + 2, end):
        end = further.start()
        break
    call = _CALL_END.match(text, start + 2, end)
    if call is not None and text.count("(", start, call.end()) == 1:
        end = call.end()
    close = re.compile(r"[-+]?[}%]\}").search(text, start + 2, end)
    if close is not None:
        return close.end(), close.start()
    inner = end
    while inner > start + 2 and text[inner - 1] in " \t}%":
        inner -= 1
    return end, inner


def _tag(text: str, braces: str, start: int, inner: int, end: int) -> TemplateTag:
    low = start + 2
    if low < inner and text[low] in "-+":
        low += 1
    content = _stripped(text, low, max(low, inner))
    span, kind = TextSpan(start, end), _KINDS[braces]
    if kind != "statement":
        return TemplateTag(kind, span, content)
    word = _WORD.match(text, content.start, content.end)
    if word is None:
        return TemplateTag(kind, span, content)
    rest = text[word.end() : content.end].strip()
    is_inline = word[0] == "set" and _assigns(text, word.end(), content.end)
    return TemplateTag(kind, span, content, word[0], rest, is_inline)


def _assigns(text: str, start: int, end: int) -> bool:
    """Return whether a `set` has a value: an equals sign outside of the parentheses of a filter."""
    depth = 0
    for match in _INSIDE.finditer(text, start, end):
        part = match[0]
        if part in "({[":
            depth += 1
        elif part in ")}]":
            depth -= 1
        elif depth <= 0 and part[0] not in "'\"" and "=" in part:
            return True
    return False


def _stripped(text: str, start: int, end: int) -> TextSpan:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return TextSpan(start, end)


_TOKEN = re.compile(
    rf"(?P<string>(?s:{_STRING}))|(?P<open>['\"][^\r\n]*)|(?P<name>[A-Za-z_]\w*)|(?P<number>\d+(?![\w.]))"
    r"|(?P<space>\s+)|(?P<sign>.)",
    re.S,
)
_ESCAPE = re.compile(r"\\(.)", re.S)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_MATCHING = {")": "(", "]": "[", "}": "{"}
_NOT_CALLED = frozenset({"and", "or", "not", "if", "else", "elif", "in", "is", "for", "set", "do", "call"})


class _TagToken(Struct):
    kind: str
    text: str
    span: TextSpan


class _Frame:
    """Open bracket in a tag; that of a call has its arguments so far."""

    def __init__(self, bracket: str, name: str = "", span: TextSpan | None = None) -> None:
        self.bracket, self.name, self.span = bracket, name, span
        self.arguments: list[TagArgument] = []
        self.tokens: list[_TagToken] = []

    def cut(self) -> None:
        """End the argument that is being read."""
        if self.tokens and self.span is not None:
            self.arguments.append(_argument(self.tokens))
        self.tokens = []


def calls_in(text: str, tag: TemplateTag) -> tuple[list[TagCall], TagCall | None]:
    """Return the calls in *tag*, and that of them which is all of the expression."""
    if tag.kind not in ("expression", "statement"):
        return [], None
    start, end = tag.content
    reader = _CallReader(text, tag)
    reader.read(_tokens(text, start, end))
    calls = [call for call in reader.calls if not (call.name == tag.word and call.span.start == start)]
    if tag.kind == "statement":
        return calls, None
    whole = next((call for call in calls if (call.span.start, call.span.end) == (start, end)), None)
    return calls, whole


def _tokens(text: str, start: int, end: int) -> list[_TagToken]:
    found: list[_TagToken] = []
    for match in _TOKEN.finditer(text, start, end):
        kind = match.lastgroup or ""
        if kind == "space":
            continue
        # `a.b.c` is one name.
        if kind == "name" and len(found) > 1 and found[-1].text == "." and found[-2].kind == "name":
            found.pop()
            before = found.pop()
            found.append(
                _TagToken("name", f"{before.text}.{match[0]}", TextSpan(before.span.start, match.end()))
            )
            continue
        found.append(_TagToken(kind, match[0], TextSpan(*match.span())))
    return found


class _CallReader:
    """Reader of the tokens of one tag."""

    def __init__(self, text: str, tag: TemplateTag) -> None:
        self._text, self._tag = text, tag
        self._frames: list[_Frame] = []
        self.calls: list[TagCall] = []

    def read(self, tokens: list[_TagToken]) -> None:
        """Collect the calls in *tokens*."""
        skip = False
        for place, token in enumerate(tokens):
            following = tokens[place + 1].text if place + 1 < len(tokens) else ""
            if self._frames and not skip and not (token.text == "," or token.text in _MATCHING):
                self._frames[-1].tokens.append(token)
            if skip:
                skip = False
            elif token.kind == "name":
                if following == "(" and token.text not in _NOT_CALLED:
                    self._frames.append(_Frame("(", token.text, token.span))
                    skip = True
                elif (token.text == "this" or len(tokens) == 1) and following != "=":
                    self._add(token.text, token.span, token.span.end, ())
            elif token.text in ("(", "[", "{"):
                self._frames.append(_Frame(token.text))
            elif token.text in _MATCHING:
                self._close(token)
            elif token.text == "," and self._frames:
                self._frames[-1].cut()
        while self._frames:
            self._end(self._frames.pop(), self._tag.content.end)

    def _close(self, token: _TagToken) -> None:
        if not self._frames or self._frames[-1].bracket != _MATCHING[token.text]:
            return
        self._end(self._frames.pop(), token.span.end)
        if self._frames:
            self._frames[-1].tokens.append(token)

    def _end(self, frame: _Frame, end: int) -> None:
        if frame.span is not None:
            frame.cut()
            self._add(frame.name, frame.span, end, tuple(frame.arguments))

    def _add(self, name: str, span: TextSpan, end: int, arguments: tuple[TagArgument, ...]) -> None:
        self.calls.append(TagCall(name, span, TextSpan(span.start, end), self._tag.span, arguments))


def _argument(tokens: list[_TagToken]) -> TagArgument:
    name: str | None = None
    if len(tokens) > 1 and tokens[0].kind == "name" and tokens[1].text == "=":
        name = tokens[0].text
        tokens = tokens[2:] or tokens[1:2]
    first, last = tokens[0], tokens[-1]
    if len(tokens) == 1 and first.kind in ("string", "open"):
        start, end = first.span.start + 1, first.span.end - (first.kind == "string")
        inner = first.text[1 : len(first.text) - (first.kind == "string")]
        value = _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), inner)
        return TagArgument(value, TextSpan(start, end), name)
    if len(tokens) == 1 and first.kind == "number" and len(first.text) < 1000:
        return TagArgument(int(first.text), first.span, name)
    return TagArgument(None, TextSpan(first.span.start, last.span.end), name)
