"""Reader of checks files: our checks.yml, and recce's recce.yml unchanged.

Both have one list, `checks:`, of `name`, `description`, `type`, `params` and `view_options`; ours also has
`expect` and `optional`. Other top-level keys belong to recce and are not read. A problem in a check is
reported with its line, and breaks only that check. A duplicate key elsewhere breaks the file, as in recce: a
second list `checks:` would replace the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recce_meta.checks.types import TYPES, CheckType, Field
from recce_meta.errors import ConfigurationError, did_you_mean
from recce_meta.models.checks import (
    AnyCheck,
    BrokenCheck,
    CheckParams,
    CheckProblem,
    DataCheck,
    Expect,
    ExpectEqual,
)
from recce_meta.profiles.lined_yaml import (
    FileProblem,
    Lined,
    LinedReader,
    compose_file,
    construct,
    describe_value,
    flag,
    refuse_duplicates,
    string,
)
from recce_meta.profiles.yaml_file import BrokenValue

if TYPE_CHECKING:
    from yaml import Node

FIELDS = ("name", "description", "type", "params", "expect", "optional", "view_options")
EQUAL = "equal"


def read_check_file(path: Path) -> tuple[AnyCheck, ...]:
    """Return the checks of the file, in its order; an invalid check becomes a BrokenCheck.

    A duplicate name gets a number from its second use on: `orders`, `orders (2)`.

    Raises ConfigurationError if the file cannot be read, is not YAML, has no list `checks:`, or has a
    duplicate key outside of its checks.
    """
    names: set[str] = set()
    checks: list[AnyCheck] = []
    for number, node in enumerate(_check_nodes(path), start=1):
        checks.append(_CheckReader(path, node, number).check(names))
        names.add(checks[-1].name)
    return tuple(checks)


def _check_nodes(path: Path) -> list[Node]:
    """Return the entries of `checks:`."""
    import yaml

    root = compose_file(path)
    if not isinstance(root, yaml.MappingNode):
        raise _no_list(path, "is not a mapping with a list 'checks:'")
    checks = next((value for key, value in root.value if key.value == "checks"), None)
    # A duplicate key within a check breaks only that check.
    refuse_duplicates(path, root, outside=checks)
    if checks is None:
        near = did_you_mean("checks", [str(key.value) for key, _ in root.value])
        raise _no_list(path, "has no list 'checks:'", near and near.replace("did you mean", "is it"))
    # An empty list is valid: all checks may be commented out.
    if isinstance(checks, yaml.ScalarNode) and checks.tag.endswith(":null"):
        return []
    if not isinstance(checks, yaml.SequenceNode):
        line = checks.start_mark.line + 1
        raise _no_list(path, f"has no list under 'checks:' (line {line})")
    return list(checks.value)


def _no_list(path: Path, problem: str, hint: str | None = None) -> ConfigurationError:
    return ConfigurationError(
        f"{path} {problem}", hint=hint or "put a list below checks:, each entry with name and type"
    )


class _CheckReader(LinedReader):
    """Parser of one check."""

    key_noun = "field"

    def __init__(self, path: Path, node: Node, number: int) -> None:
        super().__init__(path)
        self.number, self.line = number, node.start_mark.line + 1
        self.fields = self._constructed(node)

    def check(self, taken: set[str]) -> AnyCheck:
        """Return the check; *taken* are the names of previous checks."""
        self.refuse_unknown(self.fields, FIELDS, "check")
        name = _distinct(self._required("name") or f"check {self.number}", taken)
        description = self._description()
        type_name = self._required("type", hint=_TYPES_HINT) or ""
        kind = self._kind(type_name)
        optional = bool(self.convert_optional(self.fields, "optional", flag))
        view_options = self._mapping("view_options")
        params = self._params(kind, type_name) if kind else None
        expect = self._expect(kind, type_name) if kind else None
        common: dict[str, Any] = {
            "name": name,
            "description": description,
            "type": type_name,
            "path": self.path,
            "line": self.line,
        }
        # A broken check keeps its place in the report instead of failing the file.
        if self.problems or params is None:
            return BrokenCheck(problems=tuple(map(self._problem, self.problems)), **common)
        return DataCheck(params=params, expect=expect, optional=optional, view_options=view_options, **common)

    def _problem(self, problem: FileProblem) -> CheckProblem:
        return CheckProblem(f"{self.path}:{problem.line}: {problem.message}", problem.hint)

    def _constructed(self, node: Node) -> Lined:
        """Return the check's mapping; if it is not a mapping, add a problem and return an empty one."""
        import yaml

        try:
            value = construct(node)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None) or node.start_mark
            problem = getattr(error, "problem", None) or str(error)
            self.report(problem.replace(_NO_TAG, "unknown YAML tag"), line=mark.line + 1)
            return _name_of(node)
        except BrokenValue as error:
            self.report(f"the check has a value that cannot be read: {error}", line=error.line)
            return _name_of(node)
        if isinstance(value, Lined):
            return value
        self.report(f"a check must be a mapping with name, type and params, not {describe_value(value)}")
        return Lined()

    def suggest(self, key: str, known: Sequence[str], of: str) -> str | None:
        """Return a hint that names the right level for a misplaced field."""
        if of == "check":
            if key in _THRESHOLDS:
                return "put thresholds under expect"
            return "put parameters under params" if key in _PARAMETERS else None
        if of.startswith("params"):
            if key in FIELDS:
                return f"put {key} next to params, not inside it"
            return "put thresholds under expect, next to params" if key in _THRESHOLDS else None
        return "put parameters under params, next to expect" if key in _PARAMETERS else None

    def _required(self, name: str, *, hint: str | None = None) -> str | None:
        """Return a field that every check must have; None if it is missing or malformed."""
        # The field may only seem to be missing because of another problem.
        if self.fields.get(name) is None and not self.problems:
            self.report(f"the check has no {name}", hint=hint)
        value: str | None = self.convert_optional(self.fields, name, string)
        return value

    def _description(self) -> str:
        """Return the description, which may be empty."""
        value = self.fields.get("description")
        if value is None or isinstance(value, str):
            return (value or "").strip()
        return self.convert_optional(self.fields, "description", string) or ""

    def _mapping(self, name: str) -> Lined:
        value = self.fields.get(name)
        if value is None or isinstance(value, Lined):
            return value or Lined()
        message = f"{name} must be a mapping, not {describe_value(value)}"
        self.report(message, line=self.line_of(self.fields, name))
        return Lined()

    def _kind(self, type_name: str) -> CheckType | None:
        kind = TYPES.get(type_name)
        if type_name and kind is None:
            hint = did_you_mean(type_name, list(TYPES)) or _TYPES_HINT
            message = f"unknown type {describe_value(type_name)}"
            self.report(message, line=self.line_of(self.fields, "type"), hint=hint)
        return kind

    def _params(self, kind: CheckType, type_name: str) -> CheckParams | None:
        given = self._mapping("params")
        of = f"params of {type_name}"
        values = self._values(given, kind.fields, of, line=self.line_of(self.fields, "params"))
        params: CheckParams | None = None if self.problems else kind.params(**values)
        return params

    def _expect(self, kind: CheckType, type_name: str) -> Expect | None:
        if "expect" not in self.fields:
            return None
        given, line = self.fields["expect"], self.line_of(self.fields, "expect")
        if kind.expect is None:
            hint = f"use {type_name}_diff" if f"{type_name}_diff" in TYPES else "remove expect"
            self.report(f"{type_name} does not support expect", line=line, hint=hint)
        elif given == EQUAL and kind.has_sides:
            return ExpectEqual()
        elif not isinstance(given, Lined) or not given:
            names = ", ".join(kind.thresholds)
            hint = f"{type_name} has: {names}" + (f"; or {EQUAL}" if kind.has_sides else "")
            message = f"expect must be a mapping of thresholds, not {describe_value(given or None)}"
            self.report(message, line=line, hint=hint)
        else:
            of = f"expect of {type_name}"
            # A null is a value here: `value: null` expects NULL.
            values = self._values(given, kind.thresholds, of, line=line, is_null_given=True)
            if not self.problems:
                expect: Expect = kind.expect(**values)
                return expect
        return None

    def _values(
        self, given: Lined, fields: Mapping[str, Field], of: str, *, line: int, is_null_given: bool = False
    ) -> dict[str, Any]:
        """Return the values of the fields by attribute; null means that a field is not given, as in recce."""
        self.refuse_unknown(given, tuple(fields), of)
        values: dict[str, Any] = {}
        for name, field in fields.items():
            if name not in given or (given[name] is None and not is_null_given):
                continue
            target = name if field.to is None else field.to
            value = self.convert(given, name, field.read)
            if target in values:
                self.report(f"{name} repeats another field of {of}", line=self.line_of(given, name))
            if target:
                values[target] = value
        missing = [n for n, field in fields.items() if field.is_required and (field.to or n) not in values]
        if missing and not self.problems:
            self.report(f"{of} must have {' and '.join(missing)}", line=line)
        return values


_NO_TAG = "could not determine a constructor for the tag"
_TYPES_HINT = f"one of: {', '.join(TYPES)}"
_PARAMETERS = {name for kind in TYPES.values() for name in kind.fields}
_THRESHOLDS = {name for kind in TYPES.values() for name in kind.thresholds} | {"threshold", "thresholds"}


def _name_of(node: Node) -> Lined:
    """Return only the name of a check that cannot be read completely."""
    from yaml import MappingNode, ScalarNode

    pairs = node.value if isinstance(node, MappingNode) else []
    # The name is enough to find the check in a report.
    names = [value.value for key, value in pairs if key.value == "name" and isinstance(value, ScalarNode)]
    return Lined(name=names[0]) if names else Lined()


def _distinct(name: str, taken: set[str]) -> str:
    """Return *name*, with a number if it is taken."""
    if name not in taken:
        return name
    number = 2
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})"
