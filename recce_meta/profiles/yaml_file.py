"""YAML files of dbt: read safely, with the line of every value for error messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recce_meta.errors import ConfigurationError

if TYPE_CHECKING:
    from yaml import Event, Node

DEEPEST = 50
"""Levels of nesting that a file may have; the folders below `models:` take one each."""

_BROKEN_VALUE = (ValueError, OverflowError)
"""What PyYAML lets through from values that no Python type can hold: a date in month 13."""


def read_mapping(path: Path, error_class: type[ConfigurationError]) -> Mapping[str, object]:
    """The mapping that the file holds; *error_class* says what kind of file could not be read."""
    import yaml

    text = read_text(path, error_class)
    try:
        refuse_depth(path, yaml.parse(text, Loader=_loader()), error_class)
        content = yaml.load(text, Loader=_loader())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark is not None else str(path)
        problem = getattr(error, "problem", None) or str(error)
        raise error_class(f"{place} is not valid YAML: {problem}") from error
    except _BROKEN_VALUE as error:
        raise error_class(f"{path} holds a value that cannot be read: {error}") from error
    if content is None:
        raise error_class(f"{path} is empty")
    if not isinstance(content, Mapping):
        raise error_class(f"{path} does not hold a mapping at its top level")
    return content


def read_text(path: Path, error_class: type[ConfigurationError]) -> str:
    """The text of the file."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise error_class(f"{path} is not UTF-8 text: {error}") from error
    except OSError as error:
        raise error_class(f"Cannot read {path}: {error.strerror or error}") from error


def refuse_depth(path: Path, events: Iterable[Event], error_class: type[ConfigurationError]) -> None:
    """Refuse nesting without end: PyYAML descends into it on the C stack, and ends the process."""
    from yaml import CollectionEndEvent, CollectionStartEvent

    depth = 0
    for event in events:
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise error_class(f"{path}:{line} is nested more than {DEEPEST} levels deep")


def line_of(path: Path, keys: Sequence[str | int]) -> int | None:
    """The line on which the value below *keys* begins; None where there is no such value."""
    import yaml

    node: Node | None = yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    for key in keys:
        node = _child(node, key)
    return None if node is None else node.start_mark.line + 1


def _child(node: Node | None, key: str | int) -> Node | None:
    from yaml import MappingNode, SequenceNode

    if isinstance(node, MappingNode):
        return next((value for name, value in node.value if name.value == str(key)), None)
    if isinstance(node, SequenceNode) and isinstance(key, int):
        entry: Node = node.value[key]
        return entry
    return None


def _loader() -> type:
    """The safe loader, in C where libyaml is there: ten times faster."""
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)
