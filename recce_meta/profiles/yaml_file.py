"""Safe reader of dbt's YAML files, with the line of every value for error messages.

The last of duplicate keys counts, as in dbt. dbt 1.5 to 1.9 never report duplicates. dbt 1.10 to 1.12 warn
about them in dbt_project.yml and property files (`DuplicateYAMLKeysDeprecation`), but not in profiles.yml and
`--vars`. An error here would refuse projects that dbt builds.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from recce_meta.errors import ConfigurationError, ProfileError
from recce_meta.redaction import MASK

if TYPE_CHECKING:
    from yaml import Event, Node, ScalarEvent, ScalarNode, YAMLError

_LOG = logging.getLogger(__name__)
DEEPEST = 50
"""Most levels of nesting in a file; each folder below `models:` is one level."""

MOST_REPEATED = 500_000
"""Most values that the aliases and merges of one file may repeat in total."""
_CHARACTERS_PER_VALUE = 100
"""A long string counts as one more value per this many characters."""
_LONGEST_NUMBER = 4_000
_DIGITS = frozenset("0123456789abcdefABCDEFx_:.+-")
_REPEATS_TOO_MUCH = (
    f"repeats more than {MOST_REPEATED:,} values by aliases (*name) and merges (<<)",
    "remove aliases of values that contain aliases",
)

BROKEN_VALUE = (AttributeError, LookupError, OverflowError, ValueError)
"""Errors of PyYAML for values that no Python type can represent: month 13, `!!int` of an empty string."""
_QUOTED = re.compile(r"'[^']{2,}'|\"[^\"]{2,}\"")


def read_mapping(
    path: Path, error_class: type[ConfigurationError], warnings: list[str] | None = None
) -> Mapping[str, object]:
    """Return the mapping in the file; raise *error_class* if it cannot be read.

    A sentence for each duplicate key is appended to *warnings*.
    """
    import yaml

    text = read_text(path, error_class)
    try:
        # Events can be read without recursion, unlike the nodes that are made of them.
        refuse_excess(path, yaml.parse(text, Loader=_loader()), error_class)
        content = _loaded(path, text, [] if warnings is None else warnings)
    except yaml.YAMLError as error:
        raise error_class(_shown(invalid(path, error), error_class)) from _cause(error, error_class)
    except BrokenValue as error:
        problem = f"{path}:{error.line} contains an invalid value: {error}"
        raise error_class(_shown(problem, error_class)) from _cause(error, error_class)
    if content is None:
        raise error_class(f"{path} is empty")
    if not isinstance(content, Mapping):
        raise error_class(f"{path} does not contain a mapping at its top level")
    return content


def _loaded(path: Path, text: str, warnings: list[str]) -> object:
    """Load *text* like `yaml.load`, and report duplicate keys."""
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


def _shown(problem: str, error_class: type[ConfigurationError]) -> str:
    """Return *problem*; for profiles.yml, mask quoted text: an alias or a tag may be a password."""
    return _QUOTED.sub(MASK, problem) if issubclass(error_class, ProfileError) else problem


def _cause(error: Exception, error_class: type[ConfigurationError]) -> Exception | None:
    # The cause quotes the text as well, and a traceback would show it.
    return None if issubclass(error_class, ProfileError) else error


def read_text(path: Path, error_class: type[ConfigurationError]) -> str:
    """Return the text of the file; raise *error_class* for a pipe, or if it is unreadable or not UTF-8."""
    if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe or device may have no end
        raise error_class(f"Cannot read {path}: not a regular file")
    try:
        text = path.read_text(encoding="utf-8-sig")
        _LOG.info("Read %s", path)
        return text
    except UnicodeDecodeError as error:
        raise error_class(f"{path} is not UTF-8 text: {error}") from error
    except OSError as error:
        raise error_class(f"Cannot read {path}: {error.strerror or error}") from error


class BrokenValue(ValueError):
    """A value that no Python type can represent, with its line."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(problem)
        self.line = line


def with_lines(constructor: Any) -> Any:
    """Return a subclass of PyYAML's *constructor* that raises BrokenValue for invalid values."""

    class Constructor(constructor):  # type: ignore[misc]  # the base is one of several
        def construct_object(self, node: Node, deep: bool = False) -> Any:
            try:
                return super().construct_object(node, deep=deep)
            except BrokenValue:
                raise
            except BROKEN_VALUE as error:
                is_specific = isinstance(error, (ValueError, OverflowError))
                problem = (
                    str(error).partition(";")[0] if is_specific else f"it does not fit its tag {node.tag}"
                )
                raise BrokenValue(problem, node.start_mark.line + 1) from error

    return Constructor


def invalid(path: Path, error: YAMLError) -> str:
    """Return the message for *path*, which is not valid YAML, with the line."""
    mark = getattr(error, "problem_mark", None)
    place = f"{path}:{mark.line + 1}" if mark is not None else str(path)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    context = str(getattr(error, "context", None) or "")
    if context.startswith("found duplicate anchor"):  # PyYAML's problem is only "second occurrence"
        problem = context.partition(";")[0]
    return f"{place} is not valid YAML: {problem}"


@dataclass(frozen=True, slots=True)
class Excess:
    """Content that would take too much time or memory to read."""

    line: int
    problem: str
    hint: str | None = None


@dataclass(slots=True)
class _Collection:
    """Sequence or mapping that is still being read."""

    anchor: str | None
    values: int = 1
    """Number of values in it including itself, with every alias expanded."""
    levels: int = 1


def find_excess(events: Iterable[Event]) -> Excess | None:
    """Return the first content that is nested too deeply or repeats too much, or None.

    PyYAML recurses on the C stack, so deep nesting crashes the process. Its time and memory for merges grow
    exponentially with the length of the text.
    """
    from yaml import MarkedYAMLError

    try:
        return _first_excess(events)
    except MarkedYAMLError as error:
        # Since 6.0.4, PyYAML's scanner in C refuses a thousand levels before it returns their events.
        if "nesting depth" not in str(error.problem):
            raise
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return Excess(line, _TOO_DEEP)


_TOO_DEEP = f"is nested more than {DEEPEST} levels deep"


def _first_excess(events: Iterable[Event]) -> Excess | None:
    from yaml import AliasEvent, CollectionEndEvent, CollectionStartEvent, ScalarEvent

    open_ones: list[_Collection] = []
    anchors: dict[str, _Collection] = {}
    repeated = 0
    for event in events:
        line = event.start_mark.line + 1 if event.start_mark else 1
        done: _Collection | None = None
        if isinstance(event, CollectionStartEvent):
            open_ones.append(_Collection(event.anchor))
        elif isinstance(event, CollectionEndEvent):
            done = open_ones.pop()
        elif isinstance(event, ScalarEvent):
            if _is_long_number(event):
                return Excess(line, f"contains a number of {len(event.value):,} digits", "put it in quotes")
            done = _Collection(event.anchor, 1 + len(event.value) // _CHARACTERS_PER_VALUE, 0)
        elif isinstance(event, AliasEvent):
            if any(one.anchor == event.anchor for one in open_ones):
                return Excess(line, f"repeats '{event.anchor}' inside itself", f"remove *{event.anchor}")
            # PyYAML itself reports an unknown anchor.
            done = anchors.get(event.anchor or "", _Collection(None))
            repeated += done.values
            if repeated > MOST_REPEATED:
                return Excess(line, *_REPEATS_TOO_MUCH)
        if len(open_ones) + (done.levels if done else 0) > DEEPEST:
            return Excess(line, _TOO_DEEP)
        if done is not None:
            _close(done, event, open_ones, anchors)
    return None


def _is_long_number(event: ScalarEvent) -> bool:
    """Return True for a number that PyYAML would need seconds to parse: `1:59:59:59…` has base 60."""
    is_text = event.tag is None and not event.implicit[0]
    return len(event.value) > _LONGEST_NUMBER and not is_text and _DIGITS.issuperset(event.value)


def _close(
    done: _Collection, event: Event, open_ones: list[_Collection], anchors: dict[str, _Collection]
) -> None:
    """Add *done* to the collection around it, and to *anchors* if it has a name."""
    from yaml import AliasEvent

    if done.anchor is not None and not isinstance(event, AliasEvent):
        anchors[done.anchor] = done
    if open_ones:
        open_ones[-1].values += done.values
        open_ones[-1].levels = max(open_ones[-1].levels, done.levels + 1)


def refuse_excess(path: Path, events: Iterable[Event], error_class: type[ConfigurationError]) -> None:
    """Raise *error_class*, with the line, if `find_excess` finds anything."""
    excess = find_excess(events)
    if excess is not None:
        raise error_class(f"{path}:{excess.line} {excess.problem}", hint=excess.hint)


class DuplicateKey(NamedTuple):
    """A repeated key of a mapping."""

    first: ScalarNode
    key: ScalarNode


def duplicate_keys(node: Node, *, is_deep: bool = False, outside: Node | None = None) -> list[DuplicateKey]:
    """Return the duplicate keys of *node*, in the order of the file.

    With *is_deep*, include those of all nodes in it except *outside*.
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
    """Return the line where the value below *keys* begins; None if there is no such value."""
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


@cache
def _loader() -> Any:
    """Return the safe loader, in C if libyaml is installed, which is ten times faster."""

    import yaml

    return with_lines(getattr(yaml, "CSafeLoader", yaml.SafeLoader))
