"""YAML whose mappings know the line of each key, for errors with file and line.

It serves the files that are ours: checks and metrics. A duplicate key is an error in them, as in recce. dbt's
own files are read by `profiles.yaml_file`, where the last one counts, as in dbt.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recce_meta.errors import ConfigurationError
from recce_meta.extractors.check_values import Lined, WrittenFloat
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


def read_lined(path: Path) -> Any:
    """What the file holds, with its mappings as Lined ones; None where it is empty.

    Raises ConfigurationError for a file that cannot be read, or is no YAML.
    """
    try:
        root = composed(path)
        with _valid_yaml(path):
            return None if root is None else constructor_class()().construct_document(root)
    except BrokenValue as error:
        raise ConfigurationError(f"{path}:{error.line} holds a value that cannot be read: {error}") from error


def composed(path: Path) -> Any:
    """The root node of the YAML file *path*; None where it is empty.

    Raises ConfigurationError, with the line, where it is no YAML.
    """
    import yaml

    text, loader = read_text(path, ConfigurationError), getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with _valid_yaml(path):
        refuse_excess(path, yaml.parse(text, Loader=loader), ConfigurationError)
        return yaml.compose(text, Loader=loader)


def refuse_duplicates(path: Path, root: Node, *, outside: Node | None = None) -> None:
    """Raise ConfigurationError, with the line, if *root* has a key twice, but for what is in *outside*."""
    for twice in duplicate_keys(root, is_deep=True, outside=outside):
        line = twice.key.start_mark.line + 1
        raise ConfigurationError(
            f"{path}:{line}: {duplicate_message(*twice)}", hint="remove one, or join what both hold"
        )


@contextmanager
def _valid_yaml(path: Path) -> Iterator[None]:
    """Tells what PyYAML finds wrong with *path*, and in which line."""
    from yaml import YAMLError

    try:
        yield
    except YAMLError as error:
        raise ConfigurationError(invalid(path, error)) from error


@cache
def constructor_class() -> Any:
    """PyYAML's safe constructor, with mappings as Lined ones: keys as they are written, and none twice."""
    from yaml import MappingNode, ScalarNode
    from yaml.constructor import ConstructorError, SafeConstructor

    class Constructor(with_lines(SafeConstructor)):  # type: ignore[misc]  # made from PyYAML's
        def construct_lined(self, node: MappingNode) -> Iterator[Lined]:
            mapping = Lined()
            yield mapping
            for key, _ in node.value:
                if not isinstance(key, ScalarNode):
                    raise ConstructorError(None, None, "a key must be a text", key.start_mark)
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
            # Once: PyYAML puts merged keys into the node itself, and aliases in later checks share it.
            if getattr(node, "is_flat", False):
                return
            twice = duplicate_keys(node)
            if twice:
                raise ConstructorError(None, None, duplicate_message(*twice[0]), twice[0].key.start_mark)
            super().flatten_mapping(node)
            node.is_flat = True

    Constructor.yaml_constructors = {
        **SafeConstructor.yaml_constructors,
        "tag:yaml.org,2002:map": Constructor.construct_lined,
        "tag:yaml.org,2002:float": Constructor.construct_written,
    }
    return Constructor
