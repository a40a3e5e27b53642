"""YAML whose mappings know the line of each key: what is wrong with a value is told with where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from recce_meta.errors import ConfigurationError
from recce_meta.extractors.check_values import Lined, shown
from recce_meta.profiles.yaml_file import read_text, refuse_depth

_BROKEN_VALUE = (ValueError, OverflowError)
"""What PyYAML lets through from values that no Python type can hold: a date in month 13."""


def read_lined(path: Path) -> Any:
    """What the file holds, with its mappings as Lined ones; None where it is empty.

    Raises ConfigurationError for a file that cannot be read, or is no YAML.
    """
    try:
        root = composed(path)
        with _valid_yaml(path):
            return None if root is None else constructor_class()().construct_document(root)
    except _BROKEN_VALUE as error:
        problem = str(error).partition(";")[0]
        raise ConfigurationError(f"{path} holds a value that cannot be read: {problem}") from error


def composed(path: Path) -> Any:
    """The root node of the YAML file *path*; None where it is empty.

    Raises ConfigurationError, with the line, where it is no YAML.
    """
    import yaml

    text, loader = read_text(path, ConfigurationError), getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with _valid_yaml(path):
        refuse_depth(path, yaml.parse(text, Loader=loader), ConfigurationError)
        return yaml.compose(text, Loader=loader)


@contextmanager
def _valid_yaml(path: Path) -> Iterator[None]:
    """Tells what PyYAML finds wrong with *path*, and in which line."""
    from yaml import YAMLError

    try:
        yield
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark is not None else str(path)
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise ConfigurationError(f"{place} is not valid YAML: {problem}") from error


@cache
def constructor_class() -> Any:
    """PyYAML's safe constructor, with mappings as Lined ones: keys as they are written, and none twice."""
    from yaml import MappingNode, ScalarNode
    from yaml.constructor import ConstructorError, SafeConstructor

    class Constructor(SafeConstructor):
        def construct_lined(self, node: MappingNode) -> Iterator[Lined]:
            mapping = Lined()
            yield mapping
            seen: set[str] = set()
            for key, _ in node.value:
                if not isinstance(key, ScalarNode):
                    raise ConstructorError(None, None, "a key must be a text", key.start_mark)
                if key.value in seen:
                    raise ConstructorError(None, None, f"{shown(key.value)} stands twice", key.start_mark)
                seen.add(key.value)
            self.flatten_mapping(node)
            for key, value in node.value:
                mapping[key.value] = self.construct_object(value, deep=True)
                mapping.lines[key.value] = key.start_mark.line + 1

    Constructor.yaml_constructors = {
        **SafeConstructor.yaml_constructors,
        "tag:yaml.org,2002:map": Constructor.construct_lined,
    }
    return Constructor
