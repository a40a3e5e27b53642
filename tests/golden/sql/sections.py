"""Golden files of SQL: one for each dialect, in which a line heads each case."""

from __future__ import annotations

from collections.abc import Mapping

HEAD = "-- == "


def joined(parts: Mapping[str, str]) -> str:
    """Return the text of a file with the statements of each case."""
    return "\n".join(f"{HEAD}{case}\n{text.rstrip()}\n" for case, text in parts.items())


def sections(text: str) -> dict[str, str]:
    """Return the statements of each case in the *text* of a file."""
    parts = (part.partition("\n") for part in text.split(HEAD)[1:])
    return {case: statements for case, _, statements in parts}
