"""What is longer than 65,535 bytes, as no text of Redshift's may be: how it is stored, and found again. Pure.

A text is cut at 65,535 bytes in all: its beginning, and a mark that names the rest by the hash of the whole,
in the table `long_texts` beside the table that the text belongs to. JSON may be longer as a whole, as SUPER,
but comes in pieces, and the texts in it are cut the same way.

https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
https://docs.aws.amazon.com/redshift/latest/dg/limitations-super.html
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LONGEST = 65_535
"""Bytes of UTF-8 that a VARCHAR holds, a parameter, and a text within SUPER."""
TABLE = "long_texts"

_MARK = "⟦… {}⟧"
_MARK_BYTES = len(_MARK.format("0" * 64).encode())
_AT_THE_END = re.compile(r"⟦… ([0-9a-f]{64})⟧\Z")
_IN_JSON = re.compile(r"⟦… ([0-9a-f]{64})⟧(?=\")|\\u27e6\\u2026 ([0-9a-f]{64})\\u27e7(?=\")")


def byte_length(text: str) -> int:
    """How many bytes *text* has as UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


@dataclass
class LongTexts:
    """The texts of some rows that were cut, by the hash of each."""

    whole: dict[str, str] = field(default_factory=dict)

    def cut(self, text: str) -> str:
        """*text* as a column holds it; what did not fit is kept here."""
        if byte_length(text) <= LONGEST and not (text.endswith("⟧") and _AT_THE_END.search(text)):
            return text
        encoded = text.encode()
        digest = hashlib.sha256(encoded).hexdigest()
        self.whole[digest] = text
        head = encoded[: LONGEST - _MARK_BYTES].decode(errors="ignore")
        return head + _MARK.format(digest)


def parts(text: str) -> Iterator[str]:
    """*text* in pieces that each fit a column."""
    encoded = text.encode()
    start = 0
    while start < len(encoded):
        end = min(start + LONGEST, len(encoded))
        while end < len(encoded) and encoded[end] & 0xC0 == 0x80:  # within a character
            end -= 1
        yield encoded[start:end].decode()
        start = end


def restored(text: str, whole_of: Callable[[str], str | None]) -> str:
    """*text* of a column as it was; *whole_of* finds a text by its hash."""
    found = _AT_THE_END.search(text) if text.endswith("⟧") else None
    whole = whole_of(found[1]) if found else None
    return text if whole is None else whole


def restored_json(text: str, whole_of: Callable[[str], str | None]) -> str:
    """JSON *text* with the texts in it as they were."""
    if not _IN_JSON.search(text):
        return text
    return json.dumps(_restored_tree(json.loads(text), whole_of), ensure_ascii=False, separators=(",", ":"))


def _restored_tree(tree: Any, whole_of: Callable[[str], str | None]) -> Any:
    if isinstance(tree, str):
        return restored(tree, whole_of)
    if isinstance(tree, list):
        return [_restored_tree(item, whole_of) for item in tree]
    if isinstance(tree, dict):
        return {restored(key, whole_of): _restored_tree(value, whole_of) for key, value in tree.items()}
    return tree


def super_expression(text: str, long: LongTexts) -> tuple[str, list[str]]:
    """SQL that makes SUPER of the JSON *text*, with a question mark for each parameter; and the parameters.

    >>> super_expression('{"a": 1}', LongTexts())
    ('JSON_PARSE(?)', ['{"a": 1}'])
    """
    if byte_length(text) <= LONGEST and not _IN_JSON.search(text):
        return "JSON_PARSE(?)", [text]
    return _fitting(_cut_tree(json.loads(text), long))


def _fitting(tree: Any) -> tuple[str, list[str]]:
    """The expression of a tree whose texts fit."""
    whole = _text_of(tree)
    if byte_length(whole) <= LONGEST:
        return "JSON_PARSE(?)", [whole]
    if isinstance(tree, str):  # whose quotes and escapes make it too long
        return "CAST(? AS VARCHAR)", [tree]
    return _array(tree) if isinstance(tree, list) else _object(tree)


def _array(items: Sequence[Any]) -> tuple[str, list[str]]:
    """Arrays of neighbours that fit together, concatenated pair by pair, so that they nest little."""
    pieces: list[tuple[str, list[str]]] = []
    group: list[str] = []
    size = 2
    for item in items:
        text = _text_of(item)
        length = byte_length(text) + 1
        if length + 2 > LONGEST or size + length > LONGEST:
            if group:
                pieces.append(("JSON_PARSE(?)", [f"[{','.join(group)}]"]))
            group, size = [], 2
        if length + 2 > LONGEST:
            expression, parameters = _fitting(item)
            pieces.append((f"ARRAY({expression})", parameters))
        else:
            group.append(text)
            size += length
    if group:
        pieces.append(("JSON_PARSE(?)", [f"[{','.join(group)}]"]))
    while len(pieces) > 1:
        pairs = zip(pieces[::2], pieces[1::2], strict=False)
        joined = [(f"ARRAY_CONCAT({left[0]}, {right[0]})", left[1] + right[1]) for left, right in pairs]
        pieces = joined + (pieces[-1:] if len(pieces) % 2 else [])
    return pieces[0]


def _object(members: Mapping[str, Any]) -> tuple[str, list[str]]:
    expressions: list[str] = []
    parameters: list[str] = []
    for key, value in members.items():
        expression, own = _fitting(value)
        expressions.append(f"CAST(? AS VARCHAR), {expression}")
        parameters += [key, *own]
    return f"OBJECT({', '.join(expressions)})", parameters


def _cut_tree(tree: Any, long: LongTexts) -> Any:
    if isinstance(tree, str):
        return long.cut(tree)
    if isinstance(tree, list):
        return [_cut_tree(item, long) for item in tree]
    if isinstance(tree, dict):
        return {long.cut(key): _cut_tree(value, long) for key, value in tree.items()}
    return tree


def _text_of(tree: Any) -> str:
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":"))
