"""YAML files of dbt: read safely, with the line of every value for error messages.

Of duplicate keys the last one counts, because it does in dbt: dbt 1.5 to 1.9 never mention them. dbt 1.10 to
1.12 warn of those in dbt_project.yml and property files (`DuplicateYAMLKeysDeprecation`), and read
profiles.yml and `--vars` without a warning. An error here would refuse projects that dbt builds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from recce_meta.errors import ConfigurationError

if TYPE_CHECKING:
    from yaml import Event, Node, ScalarNode

DEEPEST = 50
"""Levels of nesting that a file may have; the folders below `models:` take one each."""

_BROKEN_VALUE = (ValueError, OverflowError)
"""What PyYAML lets through from values that no Python type can hold: a date in month 13."""


def read_mapping(
    path: Path, error_class: type[ConfigurationError], warnings: list[str] | None = None
) -> Mapping[str, object]:
    """Return the mapping that the file holds; *error_class* says what kind of file could not be read.

    *warnings* get a sentence for each duplicate key.
    """
    import yaml

    text = read_text(path, error_class)
    try:
        refuse_depth(path, yaml.parse(text, Loader=_loader()), error_class)
        content = _loaded(path, text, [] if warnings is None else warnings)
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


def _loaded(path: Path, text: str, warnings: list[str]) -> object:
    """Do what `yaml.load` does, and report duplicate keys on the way."""
    loader = _loader()(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        for twice in duplicate_keys(node, is_deep=True):
            line = twice.key.start_mark.line + 1
            warnings.append(f"{path}:{line}: {duplicate_message(*twice)}; the last one counts, as in dbt")
        content: object = loader.construct_document(node)
        return content
    finally:
        loader.dispose()


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


class DuplicateKey(NamedTuple):
    """A key that its mapping has already."""

    first: ScalarNode
    key: ScalarNode


def duplicate_keys(node: Node, *, is_deep: bool = False, outside: Node | None = None) -> list[DuplicateKey]:
    """Return the keys that *node* has twice, as they are written.

    With *is_deep*, also those of all nodes in it, but for *outside*.
    """
    from yaml import MappingNode, ScalarNode, SequenceNode

    found, waiting, seen = [], [node], {id(outside)}
    while waiting:
        one = waiting.pop()
        if id(one) in seen:  # an alias, or outside
            continue
        seen.add(id(one))
        children = [value for _, value in one.value] if isinstance(one, MappingNode) else []
        if isinstance(one, MappingNode):
            firsts: dict[str, ScalarNode] = {}
            for key, _ in one.value:
                if isinstance(key, ScalarNode) and firsts.setdefault(key.value, key) is not key:
                    found.append(DuplicateKey(firsts[key.value], key))
        elif isinstance(one, SequenceNode):
            children = one.value
        waiting += children if is_deep else []
    return sorted(found, key=lambda twice: int(twice.key.start_mark.index))


def duplicate_message(first: ScalarNode, key: ScalarNode) -> str:
    """Return `duplicate key 'checks', first given in line 1`."""
    return f"duplicate key '{key.value}', first given in line {first.start_mark.line + 1}"


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
        return next((value for name, value in reversed(node.value) if name.value == str(key)), None)
    if isinstance(node, SequenceNode) and isinstance(key, int):
        entry: Node = node.value[key]
        return entry
    return None


def _loader() -> Any:
    """The safe loader, in C where libyaml is there: ten times faster."""
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)
