"""Reads a file of checks: our checks.yml, and recce's recce.yml as it is.

Both have one list, `checks:`, of `name`, `description`, `type`, `params` and `view_options`; ours has
`expect` and `optional` besides. Other keys at the top level belong to recce and are not read. A problem of a
check is reported with its line, and breaks that check alone. A duplicate key elsewhere breaks the file, as in
recce: a second list `checks:` would take the place of the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recce_meta.errors import ConfigurationError, did_you_mean
from recce_meta.extractors.check_types import TYPES, CheckType, Field
from recce_meta.extractors.check_values import Lined, MalformedValue, flag, shown, text
from recce_meta.extractors.lined_yaml import composed, constructor_class, refuse_duplicates
from recce_meta.models.check_expect import Expect, ExpectEqual
from recce_meta.models.check_params import CheckParams
from recce_meta.models.check_result import AnyCheck, BrokenCheck, DataCheck, Problem
from recce_meta.profiles.yaml_file import BrokenValue

if TYPE_CHECKING:
    from yaml import Node

FIELDS = ("name", "description", "type", "params", "expect", "optional", "view_options")
EQUAL = "equal"


def read_check_file(path: Path) -> tuple[AnyCheck, ...]:
    """The checks of the file, in its order; what cannot be run as it stands is a BrokenCheck.

    A name that is given twice gets a number from the second on: `orders`, `orders (2)`.

    Raises ConfigurationError if the file cannot be read, is not YAML, has no list `checks:`, or has a key
    twice outside of its checks.
    """
    names: set[str] = set()
    checks: list[AnyCheck] = []
    for number, node in enumerate(_check_nodes(path), start=1):
        checks.append(_Reading(path, node, number).check(names))
        names.add(checks[-1].name)
    return tuple(checks)


def _check_nodes(path: Path) -> list[Node]:
    """The entries of `checks:`."""
    import yaml

    root = composed(path)
    if not isinstance(root, yaml.MappingNode):
        raise _no_list(path, "holds no mapping with a list 'checks:'")
    found = next((value for key, value in root.value if key.value == "checks"), None)
    refuse_duplicates(path, root, outside=found)
    if found is None:
        near = did_you_mean("checks", [str(key.value) for key, _ in root.value])
        raise _no_list(path, "has no list 'checks:'", near and near.replace("did you mean", "is it"))
    if isinstance(found, yaml.ScalarNode) and found.tag.endswith(":null"):
        return []
    if not isinstance(found, yaml.SequenceNode):
        line = found.start_mark.line + 1
        raise _no_list(path, f"has no list under 'checks:' (line {line})")
    return list(found.value)


def _no_list(path: Path, problem: str, hint: str | None = None) -> ConfigurationError:
    return ConfigurationError(
        f"{path} {problem}", hint=hint or "below checks: stands a list, each with name and type"
    )


class _Reading:
    """One check on its way from the file; problems are gathered, so that all are told at once."""

    def __init__(self, path: Path, node: Node, number: int) -> None:
        self.path, self.number = path, number
        self.line = node.start_mark.line + 1
        self.problems: list[Problem] = []
        self.fields = self._constructed(node)

    def check(self, taken: set[str]) -> AnyCheck:
        """The check; *taken* are the names of those before it."""
        self._refuse_unknown(self.fields, FIELDS, "check")
        name = _distinct(self._field("name", text, is_required=True) or f"check {self.number}", taken)
        description = self._description()
        type_name = self._field("type", text, is_required=True) or ""
        kind = self._kind(type_name)
        optional = bool(self._field("optional", flag))
        view_options = self._mapping("view_options")
        params, expect = (
            (self._params(kind, type_name), self._expect(kind, type_name)) if kind else (None, None)
        )
        if self.problems or params is None:
            return BrokenCheck(
                name=name,
                description=description,
                type=type_name,
                problems=tuple(self.problems),
                path=self.path,
                line=self.line,
            )
        return DataCheck(
            name=name,
            description=description,
            type=type_name,
            params=params,
            expect=expect,
            optional=optional,
            view_options=view_options,
            path=self.path,
            line=self.line,
        )

    def _constructed(self, node: Node) -> Lined:
        """The mapping of the check; empty, with a problem, where there is none."""
        import yaml

        try:
            value = constructor_class()().construct_document(node)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None) or node.start_mark
            problem = getattr(error, "problem", None) or str(error)
            self._wrong(problem.replace(_NO_TAG, "unknown YAML tag"), line=mark.line + 1)
            return _name_of(node)
        except BrokenValue as error:
            self._wrong(f"the check has a value that cannot be read: {error}", line=error.line)
            return _name_of(node)
        if isinstance(value, Lined):
            return value
        self._wrong(f"a check must be a mapping with name, type and params, not {shown(value)}")
        return Lined()

    def _wrong(self, message: str, *, line: int | None = None, hint: str | None = None) -> None:
        self.problems.append(Problem(f"{self.path}:{line or self.line}: {message}", hint))

    def _refuse_unknown(self, given: Mapping[str, Any], known: tuple[str, ...], of: str) -> None:
        for key in given:
            if key in known:
                continue
            hint = _belongs(key, of) or did_you_mean(key, known) or f"{of} can have: {', '.join(known)}"
            self._wrong(
                f"unknown field {shown(key)} in {of}",
                line=_line_of(given, key),
                hint=hint if known else f"{of} are none",
            )

    def _field(self, name: str, read: Any, *, is_required: bool = False) -> Any:
        """A field of the check itself; None where it is not there, or malformed."""
        if self.fields.get(name) is None:
            if is_required and not self.problems:
                self._wrong(f"the check has no {name}", hint=_TYPES_HINT if name == "type" else None)
            return None
        return self._read(name, read, self.fields)

    def _read(self, name: str, read: Any, given: Mapping[str, Any]) -> Any:
        try:
            return read(given[name])
        except MalformedValue as error:
            line = error.line or _line_of(given, name)
            message = error.message if error.message.startswith(".") else f" {error.message}"
            self._wrong(name + message, line=line, hint=error.hint)
            return None

    def _description(self) -> str:
        """The description, which may be empty."""
        value = self.fields.get("description")
        if value is None or isinstance(value, str):
            return (value or "").strip()
        return self._field("description", text) or ""

    def _mapping(self, name: str) -> Mapping[str, Any]:
        value = self.fields.get(name)
        if value is None:
            return Lined()
        if isinstance(value, Mapping):
            return value
        self._wrong(f"{name} must be a mapping, not {shown(value)}", line=_line_of(self.fields, name))
        return Lined()

    def _kind(self, type_name: str) -> CheckType | None:
        kind = TYPES.get(type_name)
        if type_name and kind is None:
            hint = did_you_mean(type_name, list(TYPES)) or _TYPES_HINT
            self._wrong(f"unknown type {shown(type_name)}", line=_line_of(self.fields, "type"), hint=hint)
        return kind

    def _params(self, kind: CheckType, type_name: str) -> CheckParams | None:
        given = self._mapping("params")
        of = f"params of {type_name}"
        values = self._values(given, kind.fields, of, line=_line_of(self.fields, "params"))
        params: CheckParams | None = None if self.problems else kind.params(**values)
        return params

    def _expect(self, kind: CheckType, type_name: str) -> Expect | None:
        if "expect" not in self.fields:
            return None
        given, line = self.fields["expect"], _line_of(self.fields, "expect")
        if kind.expect is None:
            hint = f"use {type_name}_diff" if f"{type_name}_diff" in TYPES else "leave expect out"
            self._wrong(f"nothing can be expected of {type_name}", line=line, hint=hint)
        elif given == EQUAL and kind.has_sides:
            return ExpectEqual()
        elif not isinstance(given, Mapping) or not given:
            hint = f"{type_name} has: {', '.join(kind.thresholds)}" + (
                f"; or {EQUAL}" if kind.has_sides else ""
            )
            self._wrong(
                f"expect must be a mapping of thresholds, not {shown(given or None)}", line=line, hint=hint
            )
        else:
            values = self._values(
                given, kind.thresholds, f"expect of {type_name}", line=line, is_null_given=True
            )
            if not self.problems:
                expect: Expect = kind.expect(**values)
                return expect
        return None

    def _values(
        self,
        given: Mapping[str, Any],
        fields: Mapping[str, Field],
        of: str,
        *,
        line: int | None,
        is_null_given: bool = False,
    ) -> dict[str, Any]:
        """What the fields say, by attribute; recce takes null for a field that was not given."""
        self._refuse_unknown(given, tuple(fields), of)
        values: dict[str, Any] = {}
        for name, field in fields.items():
            if name not in given or (given[name] is None and not is_null_given):
                continue
            target = name if field.to is None else field.to
            value = self._read(name, field.read, given)
            if target in values:
                self._wrong(f"{name} says again what another field of {of} says", line=_line_of(given, name))
            if target:
                values[target] = value
        missing = [n for n, field in fields.items() if field.is_required and (field.to or n) not in values]
        if missing and not self.problems:
            self._wrong(f"{of} must have {' and '.join(missing)}", line=line)
        return values


_NO_TAG = "could not determine a constructor for the tag"
_TYPES_HINT = f"one of: {', '.join(TYPES)}"
_PARAMETERS = {name for kind in TYPES.values() for name in kind.fields}
_THRESHOLDS = {name for kind in TYPES.values() for name in kind.thresholds} | {"threshold", "thresholds"}


def _belongs(key: str, of: str) -> str | None:
    """Where a field belongs that stands at another level."""
    if of == "check":
        if key in _THRESHOLDS:
            return "thresholds stand under expect"
        return "parameters stand under params" if key in _PARAMETERS else None
    if of.startswith("params"):
        if key in FIELDS:
            return f"{key} stands beside params"
        return "thresholds stand under expect, beside params" if key in _THRESHOLDS else None
    return "parameters stand under params, beside expect" if key in _PARAMETERS else None


def _name_of(node: Node) -> Lined:
    """The name alone, of a check that cannot be read whole."""
    from yaml import MappingNode, ScalarNode

    pairs = node.value if isinstance(node, MappingNode) else []
    names = [value.value for key, value in pairs if key.value == "name" and isinstance(value, ScalarNode)]
    return Lined(name=names[0]) if names else Lined()


def _distinct(name: str, taken: set[str]) -> str:
    """*name*, with a number where it is taken."""
    if name not in taken:
        return name
    number = 2
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})"


def _line_of(mapping: Mapping[str, Any], key: str) -> int | None:
    return mapping.lines.get(key) if isinstance(mapping, Lined) else None
