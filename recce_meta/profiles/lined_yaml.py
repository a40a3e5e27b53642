"""YAML of our own files, with the line of each key, and the base of their readers.

The files are checks.yml, quality.yml and recce_meta.yml.

A duplicate key is an error, as in recce. dbt's files are read by `profiles.yaml_file`, where the last
duplicate wins, as in dbt.

Values are converted one at a time by readers: functions that return the converted value or raise
MalformedValue. `msgspec.convert` cannot replace them without worse messages. It stops at the first error of a
file, names neither the value nor the key of a mapping's entry (`$.expect[...]`), and refuses numbers that
keep the digits of the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from recce_meta.errors import ConfigurationError, did_you_mean
from recce_meta.profiles.yaml_file import (
    BrokenValue,
    duplicate_keys,
    duplicate_message,
    invalid,
    read_text,
    refuse_excess,
    with_lines,
)

if TYPE_CHECKING:
    from yaml import Node

MAX_LISTED = 8
"""Number of a file's problems to list; the rest are only counted."""
MAX_SHOWN = 40
"""Number of characters of a string to show in a message."""

Reader: TypeAlias = Callable[[object], Any]
"""Function that converts one value of a file, or raises MalformedValue."""

# Limits have neither an operator nor a sign, unlike conditions (`models.quality.read_condition`), which
# `--fail-on` and quality.yml share.
_SHARE = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*%\s*")
_EXPONENT = re.compile(r"\d+(?:\.\d+)?[eE][-+]?\d{1,3}")


class Lined(dict[str, Any]):
    """Mapping of the file, with the line of each key."""

    def __init__(self, **entries: Any) -> None:
        super().__init__(entries)
        self.lines: dict[str, int] = {}


class WrittenFloat(float):
    """Float of the file, with its text as written."""

    text: str

    def __new__(cls, text: str) -> WrittenFloat:
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __str__(self) -> str:
        return self.text


class MalformedValue(ConfigurationError):
    """Value that a field cannot have; `line` is its line if it differs from the field's line."""

    def __init__(self, message: str, *, hint: str | None = None, line: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.line = line

    @classmethod
    def instead_of(cls, expected: str, value: object, hint: str | None = None) -> MalformedValue:
        """Return the error for *value* in place of what was *expected*: `must be a string, not 5`."""
        return cls(f"must be {expected}, not {describe_value(value)}", hint=hint)

    def message_of(self, key: object) -> str:
        """Return the message of the field *key*: `max_mismatch must be …`, `columns.amount must be …`."""
        # Such a message continues the key.
        return f"{key}{self.message}" if self.message[0] in ".:" else f"{key} {self.message}"


class FileProblem(NamedTuple):
    """Error in a file."""

    line: int
    message: str
    hint: str | None = None
    is_unknown_key: bool = False


class LinedReader:
    """Base of the readers of our files; it collects problems, so that all of them are reported together."""

    key_noun = "key"
    line = 1
    """Line of problems without a line of their own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[FileProblem] = []

    def report(
        self, message: str, *, line: int | None = None, hint: str | None = None, is_unknown_key: bool = False
    ) -> None:
        """Add a problem."""
        self.problems.append(FileProblem(line or self.line, message, hint, is_unknown_key))

    def line_of(self, given: Lined, key: str) -> int:
        """Return the line of *key*."""
        return given.lines.get(key, self.line)

    def convert(self, given: Lined, key: str, read: Callable[[object], Any]) -> Any:
        """Return the value of *key* as converted by *read*; None, and a problem, if it is malformed."""
        try:
            return read(given[key])
        except MalformedValue as error:
            line = error.line or self.line_of(given, key)
            self.report(error.message_of(key), line=line, hint=error.hint)
            return None

    def convert_optional(self, given: Lined, key: str, read: Callable[[object], Any]) -> Any:
        """Return the value of *key* as converted by *read*; None if it is missing, null or malformed."""
        return None if given.get(key) is None else self.convert(given, key, read)

    def refuse_unknown(self, given: Lined, known: Sequence[str], of: str) -> None:
        """Add a problem for each key of *given* that is not *known*."""
        for key in given:
            if key not in known:
                hint = self.suggest(key, known, of) or did_you_mean(key, known)
                hint = hint or f"{of} can have: {', '.join(known)}"
                hint = hint if known else f"remove it: there are no {of}"
                message = f"unknown {self.key_noun} {describe_value(key)} in {of}"
                is_harmless = self.is_harmless(key, of)
                self.report(message, line=self.line_of(given, key), hint=hint, is_unknown_key=is_harmless)

    def is_harmless(self, key: str, of: str) -> bool:
        """Return True if the rest of the file means the same without the unknown *key*."""
        return True

    def suggest(self, key: str, known: Sequence[str], of: str) -> str | None:
        """Return a hint for the unknown *key* that is better than similar names, if there is one."""
        return None


def problems_text(path: Path, problems: Sequence[FileProblem]) -> tuple[str, str | None]:
    """Return the message and the hint for all *problems* of *path*, in the order of their lines.

    With more than one problem, each hint follows its problem.
    """
    problems = sorted(problems, key=lambda problem: problem.line)
    if len(problems) == 1:
        only = problems[0]
        return f"{path}:{only.line}: {only.message}", only.hint
    lines = [
        f"{path}:{one.line}: {one.message}" + (f" ({one.hint})" if one.hint else "")
        for one in problems[:MAX_LISTED]
    ]
    rest = len(problems) - len(lines)
    return "\n".join(lines + ([f"and {rest:,} more"] if rest else [])), None


def describe_value(value: object) -> str:
    """Return *value* as it could be written in the file, for a message.

    >>> describe_value(True), describe_value("few"), describe_value([1]), describe_value(None)
    ('true', "'few'", 'a list', 'nothing')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple, set)):
        return "a list"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, str):
        return f"'{value if len(value) <= MAX_SHOWN else value[:MAX_SHOWN] + '…'}'"
    # Python refuses to write thousands of digits.
    if isinstance(value, int) and value.bit_length() > 256:
        return "a number with too many digits"
    return str(value)


def string(value: object) -> str:
    """Return *value*, a string that is not empty."""
    if isinstance(value, str):
        if value.strip():
            return value
        raise MalformedValue("must not be empty")
    is_scalar = isinstance(value, (bool, int, float, date))
    hint = "put it in quotes: YAML reads some words as true, false, a number or a date" if is_scalar else None
    raise MalformedValue.instead_of("a string", value, hint)


def strings(value: object) -> tuple[str, ...]:
    """Return a list of strings without duplicates; a single string is a list of one."""
    if isinstance(value, str):
        return (string(value),)
    if not isinstance(value, list):
        raise MalformedValue.instead_of("a string or a list of strings", value)
    for position, entry in enumerate(value, start=1):
        try:
            string(entry)
        except MalformedValue as error:
            raise MalformedValue(f"entry {position} {error.message}", hint=error.hint) from error
    return tuple(dict.fromkeys(value))


def flag(value: object) -> bool:
    """Return *value*, which must be true or false."""
    if isinstance(value, bool):
        return value
    raise MalformedValue.instead_of("true or false", value)


def whole_from(least: int, most: int | None = None) -> Reader:
    """Return a reader of whole numbers from *least* to *most*, if there is one."""
    expected = f"a whole number, {least} or greater" if most is None else f"a whole number, {least} to {most}"

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise MalformedValue.instead_of(expected, value)
        if value < least or (most is not None and value > most):
            raise MalformedValue.instead_of(expected, value)
        return value

    return read


def number(value: object) -> Decimal:
    """Return a number of 0 or more, with the digits as written."""
    given = number_of(value)
    if given is None:
        raise MalformedValue.instead_of("a number, 0 or greater", value)
    return given


def one_of(*words: str) -> Reader:
    """Return a reader of one of *words*."""

    def read(value: object) -> str:
        if value in words:
            return str(value)
        hint = did_you_mean(str(value), words) or f"one of: {', '.join(words)}"
        raise MalformedValue(f"cannot be {describe_value(value)}", hint=hint)

    return read


def sample(value: object) -> float:
    """Return a share of keys as a percentage: above 0 and at most 100."""
    share = share_of(value)
    if share is not None and 0 < share <= 1:
        return float(share * 100)
    raise MalformedValue.instead_of("a share of the keys such as 10%", value)


def share_of(value: object) -> Decimal | None:
    """Return a percentage as a share, else None: 10% is 0.1."""
    found = _SHARE.fullmatch(value) if isinstance(value, str) else None
    return Decimal(found[1]) / 100 if found else None


def number_of(value: object) -> Decimal | None:
    """Return a finite number of 0 or more, else None; YAML 1.1 reads `1e-9`, without a point, as a string."""
    if isinstance(value, str) and _EXPONENT.fullmatch(value):
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # By text, which has the digits as written in the file.
    given = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    return given if given.is_finite() and given >= 0 else None


def read_lined(path: Path) -> Any:
    """Return the content of the file, with its mappings as Lined; None if it is empty.

    Raises ConfigurationError if the file cannot be read or is not YAML.
    """
    try:
        root = compose_file(path)
        with _valid_yaml(path):
            return None if root is None else construct(root)
    except BrokenValue as error:
        raise ConfigurationError(f"{path}:{error.line} has a value that cannot be read: {error}") from error


def compose_file(path: Path) -> Any:
    """Return the root node of the YAML file *path*; None if it is empty.

    Raises ConfigurationError, with the line, if the file is not YAML.
    """
    import yaml

    text, loader = read_text(path, ConfigurationError), getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with _valid_yaml(path):
        refuse_excess(path, yaml.parse(text, Loader=loader), ConfigurationError)
        return yaml.compose(text, Loader=loader)


def construct(node: Node) -> Any:
    """Return the value of *node*, with its mappings as Lined.

    Raises PyYAML's errors, and BrokenValue for a value that no Python type can represent.
    """
    return _constructor_class()().construct_document(node)


def refuse_duplicates(path: Path, root: Node, *, outside: Node | None = None) -> None:
    """Raise ConfigurationError, with the line, if *root* has a duplicate key that is not within *outside*."""
    for twice in duplicate_keys(root, is_deep=True, outside=outside):
        line = twice.key.start_mark.line + 1
        raise ConfigurationError(
            f"{path}:{line}: {duplicate_message(*twice)}", hint="remove one, or merge their values"
        )


@contextmanager
def _valid_yaml(path: Path) -> Iterator[None]:
    """Raise PyYAML's errors within the block as a ConfigurationError with *path* and the line."""
    from yaml import YAMLError

    try:
        yield
    except YAMLError as error:
        raise ConfigurationError(invalid(path, error)) from error


@cache
def _constructor_class() -> Any:
    """Return PyYAML's safe constructor, with Lined mappings that have keys as written and no duplicates."""
    # In a function, so that PyYAML is loaded only by commands that read such a file.
    from yaml import MappingNode, ScalarNode
    from yaml.constructor import ConstructorError, SafeConstructor

    class LinedConstructor(with_lines(SafeConstructor)):  # type: ignore[misc]  # made from PyYAML's
        def construct_lined(self, node: MappingNode) -> Iterator[Lined]:
            mapping = Lined()
            # Before it is filled, as PyYAML expects it of a value that may contain itself.
            yield mapping
            for key, _ in node.value:
                if not isinstance(key, ScalarNode):
                    raise ConstructorError(None, None, "a key must be a string", key.start_mark)
            self.flatten_mapping(node)
            for key, value in node.value:
                mapping[key.value] = self.construct_object(value, deep=True)
                mapping.lines[key.value] = key.start_mark.line + 1

        def construct_written(self, node: ScalarNode) -> float:
            try:
                Decimal(node.value)
            except InvalidOperation:  # .inf, .nan and numbers of base 60
                return float(super().construct_yaml_float(node))
            return WrittenFloat(node.value)

        def flatten_mapping(self, node: Any) -> None:
            # PyYAML merges keys into the node itself, and aliases in later checks share that node.
            if getattr(node, "is_flat", False):
                return
            twice = duplicate_keys(node)
            if twice:
                raise ConstructorError(None, None, duplicate_message(*twice[0]), twice[0].key.start_mark)
            super().flatten_mapping(node)
            node.is_flat = True

    LinedConstructor.yaml_constructors = {
        **SafeConstructor.yaml_constructors,
        "tag:yaml.org,2002:map": LinedConstructor.construct_lined,
        "tag:yaml.org,2002:float": LinedConstructor.construct_written,
    }
    return LinedConstructor
