"""Shapes of the entries of property files, as dbt accepts them: of a project with another, dbt reads nothing.

The structs state what dbt Core 1.7 to 1.12 and dbt's Rust engine refuse. Keys that they do not name may have
any value, and so may values with Jinja. `tests/data/yaml_shapes.txt` has the verdicts of dbt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, ValidationError, convert

from recce_meta.extractors.sql_project.files import DbtRefusal
from recce_meta.models import Json

ENGINE = "dbt's Rust engine reads it"
NEWER = "dbt 1.12 reads it"
OTHERS = "another version of dbt reads it"


class Shape(Struct, frozen=True, kw_only=True):
    """Keys of a mapping with their types; a type with None also accepts an empty value."""


class DocsShape(Shape, frozen=True):
    """Value of `docs`."""

    show: bool = True
    node_color: str | None = None


class TestConfigShape(Shape, frozen=True):
    """Value of `config` of a generic test."""

    where: str | None = None
    limit: float | Annotated[str, Meta(pattern="[0-9]")] | None = None
    severity: Annotated[str, Meta(pattern="^(?i:warn|error)$")] | None = None
    error_if: str | None = None
    warn_if: str | None = None
    fail_calc: str | None = None
    tags: str | list[str] | None = None
    meta: dict[str, Any] | None = None


class TestShape(Shape, frozen=True):
    """Arguments of a generic test."""

    config: TestConfigShape = TestConfigShape()
    severity: Annotated[str, Meta(pattern="^(?i:warn|error)$")] | None = None


class NamedShape(Shape, frozen=True):
    """Entry with a name."""

    name: str
    description: str = ""
    meta: dict[str, Any] = {}
    docs: DocsShape = DocsShape()


class ConstraintShape(Shape, frozen=True):
    """Constraint of a node or column."""

    type: Literal["check", "not_null", "unique", "primary_key", "foreign_key", "custom"] = "custom"


class TypedShape(NamedShape, frozen=True):
    """Entry with a type: a column of an analysis."""

    data_type: str | None = None
    constraints: list[ConstraintShape] = []


class TestedShape(TypedShape, frozen=True):
    """Entry with generic tests."""

    tests: list[str | dict[str, TestShape]] = []
    data_tests: list[str | dict[str, TestShape]] = []


class ColumnShape(TestedShape, frozen=True):
    """Column of a node."""

    quote: bool | None = None
    tags: list[str] = []


class ContractShape(Shape, frozen=True):
    """Value of `contract`."""

    enforced: bool = False


class ConfigShape(Shape, frozen=True):
    """Value of `config` of a node."""

    enabled: bool = True
    materialized: str = ""
    tags: str | list[str] = ""
    meta: dict[str, Any] = {}
    alias: str | None = None
    schema: str | None = None
    database: str | None = None
    unique_key: str | list[str] | None = None
    on_schema_change: str | None = None
    incremental_strategy: str | None = None
    full_refresh: bool | None = None
    contract: ContractShape = ContractShape()
    docs: dict[str, Any] = {}
    grants: dict[str, Any] = {}
    persist_docs: dict[str, Any] = {}
    quoting: dict[str, Any] = {}
    column_types: dict[str, Any] = {}
    packages: str | list[str] = ""
    pre_hook: str | list[str | dict[str, Any]] | dict[str, Any] = ""
    post_hook: str | list[str | dict[str, Any]] | dict[str, Any] = ""


class SeedConfigShape(ConfigShape, frozen=True):
    """Value of `config` of a seed."""

    delimiter: str = ""
    quote_columns: bool | None = None


class SnapshotConfigShape(ConfigShape, frozen=True):
    """Value of `config` of a snapshot."""

    strategy: str | None = None
    updated_at: str | None = None
    check_cols: str | list[str] | None = None
    target_schema: str | None = None
    target_database: str | None = None


class NodeShape(TestedShape, frozen=True):
    """Entry of a model, seed or snapshot."""

    columns: list[ColumnShape] = []


class SeedShape(NodeShape, frozen=True):
    """Entry of a seed."""

    config: SeedConfigShape = SeedConfigShape()


class SnapshotShape(NodeShape, frozen=True):
    """Entry of a snapshot."""

    description: Any = ""
    """The Rust engine accepts any."""
    config: SnapshotConfigShape = SnapshotConfigShape()


class VersionShape(Shape, frozen=True):
    """One of `versions` of a model."""

    v: str | float
    description: str = ""


class ModelShape(NodeShape, frozen=True):
    """Entry of a model."""

    config: ConfigShape = ConfigShape()
    access: str = ""
    latest_version: str | float | None = None
    versions: list[VersionShape] = []


class AnalysisShape(NamedShape, frozen=True):
    """Entry of an analysis."""

    columns: list[TypedShape] = []
    config: dict[str, Any] = {}


class ArgumentShape(Shape, frozen=True):
    """Argument of a macro."""

    name: str
    type: str | None = None
    description: str = ""


class MacroShape(NamedShape, frozen=True):
    """Entry of a macro."""

    arguments: list[ArgumentShape] = []
    config: dict[str, Any] = {}


class PeriodShape(Shape, frozen=True):
    """Age of a source at which dbt warns or fails."""

    count: float | None = None
    period: Literal["minute", "hour", "day"] | None = None


class FreshnessShape(Shape, frozen=True):
    """Value of `freshness` of a source."""

    warn_after: PeriodShape | None = None
    error_after: PeriodShape | None = None
    filter: str | None = None


class RelationShape(Shape, frozen=True):
    """What a source and its tables share."""

    name: str
    description: str = ""
    meta: dict[str, Any] = {}
    tags: list[str] = []
    config: dict[str, Any] = {}
    quoting: dict[str, bool | None] = {}
    loaded_at_field: str | None = None
    freshness: FreshnessShape | None = None


class TableShape(RelationShape, frozen=True):
    """Table of a source."""

    identifier: str | None = None
    external: dict[str, Any] | None = None
    columns: list[ColumnShape] = []
    tests: list[str | dict[str, TestShape]] = []
    data_tests: list[str | dict[str, TestShape]] = []


class SourceShape(RelationShape, frozen=True):
    """Entry of a source."""

    schema: str | None = None
    database: str | None = None
    loader: str = ""
    tables: list[TableShape] = []


class OwnerShape(Shape, frozen=True):
    """Owner of an exposure or group."""

    name: str | None = None
    email: str | list[Any] | None = None


class ExposureShape(Shape, frozen=True):
    """Entry of an exposure."""

    name: str
    type: Literal["dashboard", "notebook", "analysis", "ml", "application"]
    owner: OwnerShape
    description: str = ""
    label: str | None = None
    maturity: Literal["low", "medium", "high"] | None = None
    meta: dict[str, Any] = {}
    tags: list[str] = []
    url: str | None = None
    depends_on: list[str] = []
    config: dict[str, Any] = {}


class GroupShape(Shape, frozen=True):
    """Entry of a group."""

    name: str
    owner: OwnerShape
    description: str | None = None


class InputShape(Shape, frozen=True):
    """One of the inputs of a unit test."""

    input: str
    format: Literal["csv", "dict", "sql"] | None = None


class OutputShape(Shape, frozen=True):
    """Expected rows of a unit test."""

    format: Literal["csv", "dict", "sql"] | None = None


class UnitTestShape(Shape, frozen=True):
    """Entry of a unit test."""

    name: str
    model: str
    expect: OutputShape
    given: list[InputShape] = []
    description: str = ""
    overrides: dict[str, Any] | None = None
    config: dict[str, Any] | None = None


class FileShape(Shape, frozen=True):
    """Property file."""

    models: list[dict[str, Any]] = []
    seeds: list[dict[str, Any]] = []
    snapshots: list[dict[str, Any]] = []
    analyses: list[dict[str, Any]] = []
    macros: list[dict[str, Any]] = []
    sources: list[dict[str, Any]] = []
    exposures: list[dict[str, Any]] = []
    groups: list[dict[str, Any]] = []
    unit_tests: list[dict[str, Any]] = []


SHAPES: Mapping[str, tuple[str, type[Shape]]] = {
    "models": ("model", ModelShape),
    "seeds": ("seed", SeedShape),
    "snapshots": ("snapshot", SnapshotShape),
    "analyses": ("analysis", AnalysisShape),
    "macros": ("macro", MacroShape),
    "sources": ("source", SourceShape),
    "exposures": ("exposure", ExposureShape),
    "groups": ("group", GroupShape),
    "unit_tests": ("unit test", UnitTestShape),
}
"""Words for an entry of each section of a property file, and its shape."""
Code = Mapping[tuple[str, str], str]
"""Texts of the files of models, seeds and snapshots, by section and name."""
_OF_NODES = ("models", "seeds", "snapshots")
_TESTS = ("tests", "data_tests")
_MESSAGE = re.compile(r"(.+?)(?: - at `(.+)`)?")
_MISSING = "missing required"
_MISMATCH = re.compile(r"Expected `(.+?)`, got `(.+)`")
_WORDS = {
    "array": "a list",
    "object": "a mapping",
    "str": "a text",
    "int": "a number",
    "float": "a number",
    "bool": "a boolean",
}


def refused_entries(path: str, content: Mapping[str, Json], code: Code) -> Iterator[DbtRefusal]:
    """Yield a refusal for each entry in *content* of the property file at *path* whose shape dbt refuses."""
    problem = _problem({section: content[section] for section in SHAPES if section in content}, FileShape)
    if problem is not None:
        yield DbtRefusal.of(path, f"{path}{problem.text}", unless=problem.unless)
    for section, (kind, shape) in SHAPES.items():
        listed = content.get(section)
        for entry in listed if isinstance(listed, list) else ():
            # A source that overrides that of a package may lack or empty more.
            is_judged = isinstance(entry, dict) and not (section == "sources" and "overrides" in entry)
            problem = _problem(entry, shape) if is_judged else None
            if problem is None or _is_overridden(section, entry, problem, code):
                continue
            name = entry.get("name")
            what = f"{kind} '{name}'" if isinstance(name, str) else f"an entry of {section}"
            unless = problem.unless or (None if _is_read(section, entry, code) else ENGINE)
            yield DbtRefusal.of(path, f"{path}: {what}{problem.text}", unless=unless)


class ShapeProblem(Struct, frozen=True, kw_only=True):
    """Why a value does not have its shape."""

    keys: str
    """Keys to the value, with dots in between."""
    text: str
    """Words after the entry."""
    unless: str | None


def _problem(value: Json, shape: Any) -> ShapeProblem | None:
    """Return why *value* has not the *shape*, if dbt refuses it for that; dbt's Rust engine accepts null."""
    # Nearly all entries have their shape as they are, and need no copy without what is not judged.
    with suppress(ValidationError):
        convert(value, shape)
        return None
    for keeps_null in (False, True):
        judged = _judged(value, keeps_null)
        try:
            convert(judged, shape)
        except ValidationError as error:
            # What is not judged may be the value of a required key.
            if judged == value or _MISSING not in str(error):
                return _translated(str(error), keeps_null)
    return None


def _judged(value: Json, keeps_null: bool, key: str = "") -> Json:
    """Return *value* without what dbt may read as something else: Jinja, dates, and unusual tests."""
    if isinstance(value, dict):
        return {
            name: _judged(inner, keeps_null, name)
            for name, inner in value.items()
            if isinstance(name, str) and _is_judged(inner, keeps_null, name)
        }
    if isinstance(value, list):
        return [
            _judged(inner, keeps_null)
            for inner in value
            if _is_judged(inner, keeps_null, key)
            and not (key in _TESTS and isinstance(inner, dict) and (len(inner) != 1 or "test_name" in inner))
        ]
    return value


def _is_judged(value: Json, keeps_null: bool, key: str) -> bool:
    if isinstance(value, str):
        # Descriptions are texts before their Jinja is rendered.
        return key == "description" or not ("{{" in value or "{%" in value)
    return keeps_null if value is None else isinstance(value, (bool, int, float, list, dict))


def _translated(message: str, is_null: bool) -> ShapeProblem:
    """Return a message of msgspec in YAML's words."""
    found = _MESSAGE.fullmatch(message)
    problem, place = (found[1], found[2] or "") if found else (message, "")
    keys = re.sub(r"\[.*?\]", "", place).removeprefix("$").strip(".")
    is_element = place.endswith("]")
    where = f"an entry of {keys}" if is_element else keys
    mismatch = _MISMATCH.fullmatch(problem)
    if mismatch is not None:
        wanted = " or ".join(dict.fromkeys(_WORDS[one] for one in mismatch[1].split(" | ") if one != "null"))
        actual = _WORDS.get(mismatch[2])
        text = f": {where} is {actual}, not {wanted}" if actual else f": {where} is empty"
    elif _MISSING in problem:
        has = f": {where} has" if keys else " has"
        text = f"{has} no {problem.rpartition(' ')[2].strip('`')}"
    else:
        text = f": {where} has a value that dbt does not know"
    # YAML 1.2 reads fewer words as booleans.
    is_core = is_null or "bool" in problem or keys == "maturity"
    # dbt 1.12 accepts any value for a text in a configuration.
    is_older = mismatch is not None and "str" in mismatch[1] and "config." in keys
    unless = ENGINE if is_core else NEWER if is_older else None
    return ShapeProblem(keys=keys, text=text, unless=OTHERS if keys.endswith("constraints.type") else unless)


def _text_of(section: str, entry: Mapping[str, Json], code: Code) -> str | None:
    """Return the text of the node of *entry*; None if it is not known."""
    return "" if "relation" in entry else code.get((section, str(entry.get("name"))))


def _is_overridden(section: str, entry: Mapping[str, Json], problem: ShapeProblem, code: Code) -> bool:
    """Return True if *problem* is in the configuration of no known node, or of one that may set the key."""
    config, _, keys = problem.keys.partition(".")
    if config != "config" or not keys or section not in _OF_NODES:
        return False
    text = _text_of(section, entry, code)
    return text is None or keys.partition(".")[0] in text


def _is_read(section: str, entry: Mapping[str, Json], code: Code) -> bool:
    """Return True if every dbt reads *entry*: the Rust engine ignores those of no node."""
    if not isinstance(entry.get("name"), str):
        return True
    if section == "sources":
        return bool(entry.get("tables"))
    return section not in _OF_NODES or _text_of(section, entry, code) is not None
