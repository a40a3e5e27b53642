"""Reader of the dbt_project.yml of one project or package, and of property files.

https://docs.getdbt.com/reference/dbt_project.yml
https://docs.getdbt.com/reference/configs-and-properties
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from recce_meta.errors import ConfigurationError
from recce_meta.extractors.manifest_keys import NODE_PROPERTIES
from recce_meta.extractors.selector_file import SELECTORS_FILE
from recce_meta.extractors.sql_project.files import DbtRefusal, find_files
from recce_meta.extractors.sql_project.shapes import ENGINE, Code, refused_entries
from recce_meta.models import Column, Json
from recce_meta.profiles.discovery import PROJECT_FILE
from recce_meta.profiles.yaml_file import read_mapping
from recce_meta.warehouses.hooks import HOOKS, hook_texts

RUN_HOOKS = ("on-run-start", "on-run-end")
"""Keys of dbt_project.yml with SQL that dbt runs before and after a command."""

_PATHS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "models": (("model-paths", "source-paths"), "models"),
    "seeds": (("seed-paths", "data-paths"), "seeds"),
    "snapshots": (("snapshot-paths",), "snapshots"),
    "macros": (("macro-paths",), "macros"),
    "analyses": (("analysis-paths",), "analyses"),
    "tests": (("test-paths",), "tests"),
    "functions": (("function-paths",), "functions"),
}
"""Keys of each kind of folder, current and of dbt 0.21, and dbt's default."""
DESCRIBED = ("models", "seeds", "snapshots", "functions")
"""Sections of property files and of dbt_project.yml, each for one resource type."""
_READ = frozenset(
    [key for keys, _ in _PATHS.values() for key in keys]
    + [*DESCRIBED, *RUN_HOOKS, "sources", "name", "profile", "config-version", "vars", "dispatch"]
    + ["require-dbt-version"]
)
_WITHOUT_EFFECT = frozenset(
    "version target-path clean-targets log-path asset-paths docs-paths dbt-cloud".split()
)
_ADDED = frozenset(["tags"])
_MERGED = frozenset(["meta"])
_KNOWN = frozenset(
    "materialized schema database alias enabled tags meta unique_key pre-hook post-hook pre_hook post_hook "
    "incremental_strategy on_schema_change full_refresh persist_docs quoting grants contract access group "
    "docs partition_by cluster_by sort dist file_format strategy updated_at check_cols target_schema "
    "target_database invalidate_hard_deletes hard_deletes quote_columns column_types delimiter "
    "event_time".split()
)
"""Settings that dbt also accepts without a plus sign."""

_OPTIONS = frozenset(
    "alias arguments column_name config database description docs enabled error_if fail_calc limit meta name"
    " schema severity store_failures store_failures_as tags test_name warn_if where".split()
)
"""Keys of a generic test that are no arguments of its macro."""
PACKAGE_FILES = ("packages.yml", "dependencies.yml")
_VERSION = re.compile(r"(>=|<=|>|<|=)?\s*(\d+)\.(\d+)\.(\d+)(?:[-+]?[\w.+-]+)?")
_UNKNOWN = (3, 0, 0)
"""First version that is not known."""

Variable = Callable[[str], tuple[bool, Any]]
Fold = Callable[[str], str | None]
"""Function that returns the output of a template, or None if that needs rendering."""


class DbtProjectFile(Struct, frozen=True, kw_only=True):
    """Content of one dbt_project.yml."""

    name: str
    root: Path
    paths: dict[str, list[str]]
    """Folders by kind: models, seeds, snapshots, macros, analyses, tests, functions."""
    trees: dict[str, Json]
    """The sections `models:`, `seeds:`, `snapshots:`, `functions:` and `sources:`."""
    profile: str | None = None
    hooks: dict[str, list[str]] = {}
    """SQL of `on-run-start:` and `on-run-end:`."""
    text: str = ""
    """Text of the file, to detect changes."""
    others: dict[str, Json] = {}
    """Keys that dbt reads and `diff --files` does not, such as `flags:` and `quoting:`, with their values."""
    required: tuple[str, ...] = ()
    """Parts of `require-dbt-version:`, such as `>=1.8.0`."""
    refusals: tuple[DbtRefusal, ...] = ()
    """Values that dbt refuses."""


def read_settings(root: Path, warnings: list[str]) -> DbtProjectFile:
    """Return the content of the dbt_project.yml in *root*; add its duplicate keys to *warnings*.

    Raises ConfigurationError if the file cannot be read, or has no name.
    """
    path = root / PROJECT_FILE
    content = read_mapping(path, ConfigurationError, warnings)
    name = content.get("name")
    if not name:
        raise ConfigurationError(f"No 'name:' in {path}")
    return DbtProjectFile(
        name=str(name),
        root=root,
        paths={kind: _folders(content, keys, default) for kind, (keys, default) in _PATHS.items()},
        trees={kind: content.get(kind) for kind in (*DESCRIBED, "sources")},
        profile=None if content.get("profile") is None else str(content["profile"]),
        hooks={key: [str(sql) for sql in hook_texts(content.get(key)) if sql] for key in RUN_HOOKS},
        text=path.read_text(encoding="utf-8-sig"),
        required=tuple(
            part.strip()
            for entry in _list(content.get("require-dbt-version"))
            for part in str(entry).split(",")
        ),
        refusals=tuple(_refusals(content)),
        others={str(key): value for key, value in content.items() if key not in _READ | _WITHOUT_EFFECT},
    )


def _refusals(content: Mapping[str, object]) -> Iterator[DbtRefusal]:
    """Yield a refusal for each value in *content*, a dbt_project.yml, that dbt does not accept."""
    version, dispatch = content.get("config-version"), content.get("dispatch")
    # dbt renders Jinja before it looks.
    if version not in (None, 2) and not (isinstance(version, str) and "{" in version):
        text = f"{PROJECT_FILE}: config-version is {version!r}, not 2"
        yield DbtRefusal.of(PROJECT_FILE, text, unless=ENGINE)
    if not isinstance(content.get("vars"), (dict, type(None))):
        yield DbtRefusal.of(PROJECT_FILE, f"{PROJECT_FILE}: vars is not a mapping")
    if not isinstance(dispatch, (list, type(None))):
        yield DbtRefusal.of(PROJECT_FILE, f"{PROJECT_FILE}: dispatch is not a list")
    for entry in dispatch if isinstance(dispatch, list) else ():
        if not isinstance(entry, dict) or not isinstance(entry.get("search_order"), list):
            yield DbtRefusal.of(
                PROJECT_FILE, f"{PROJECT_FILE}: an entry of dispatch has no list search_order"
            )
        elif "macro_namespace" not in entry:
            yield DbtRefusal.of(PROJECT_FILE, f"{PROJECT_FILE}: an entry of dispatch has no macro_namespace")


def refused_versions(required: Sequence[str]) -> str | None:
    """Return why no known version of dbt is in the range *required*; None if one may be."""
    low, high = (0, 0, 0), _UNKNOWN
    for part in required:
        found = _VERSION.fullmatch(part)
        if found is None:
            return f"'{part}' in require-dbt-version is not a version"
        at = (int(found[2]), int(found[3]), int(found[4]))
        # Whether a limit itself is in the range is left open.
        low = max(low, at) if found[1] not in ("<", "<=") else low
        high = min(high, at) if found[1] not in (">", ">=") else high
    what = f"no version of dbt before {_UNKNOWN[0]}.0 is in require-dbt-version"
    return f"{what}: {', '.join(required)}" if low > high else None


def refused_packages(root: Path, exists: Callable[[str], bool]) -> Iterator[DbtRefusal]:
    """Yield a refusal for each invalid file of packages or selectors, and for each absent local package.

    *exists* is called with the path of a package's dbt_project.yml, relative to *root*.
    """
    first, second = PACKAGE_FILES
    keys: dict[str, Collection[str]] = {}
    for name in (*PACKAGE_FILES, SELECTORS_FILE):
        warnings: list[str] = []
        content = _content(root / name, name, warnings)
        keys[name], listed = content.keys(), _list(content.get("packages"))
        yield from (one for one in warnings if isinstance(one, DbtRefusal))
        for entry in listed:
            if isinstance(entry, dict) and entry.get("package") and not entry.get("version"):
                yield DbtRefusal.of(name, f"{name}: package '{entry['package']}' has no version")
        for local in filter(None, map(_local, listed)):
            if not exists(f"{local}/{PROJECT_FILE}"):
                yield DbtRefusal.of(name, f"{name}: local package '{local}' has no {PROJECT_FILE}")
    if "packages" in keys[first] and "packages" in keys[second]:
        yield DbtRefusal.of(second, f"{second}: {first} lists packages, too", unless=ENGINE)
    if "projects" in keys[first]:
        yield DbtRefusal.of(first, f"{first}: only {second} may list projects", unless=ENGINE)


def listed_packages(root: Path) -> Iterator[str | None]:
    """Yield the name of each package that the files in *root* list; None if only the package has it."""
    for file in PACKAGE_FILES:
        content = _content(root / file, file, [])
        for entry in _list(content.get("packages")):
            local, given = _local(entry), entry if isinstance(entry, dict) else {}
            name = given.get("name") or given.get("package")
            if local and (root / local / PROJECT_FILE).is_file():
                name = _content(root / local / PROJECT_FILE, PROJECT_FILE, []).get("name")
            yield name.rpartition("/")[2] if isinstance(name, str) else None
        # Nodes of other projects are in no file here.
        yield from (None for _ in _list(content.get("projects")))


def _local(entry: object) -> str | None:
    """Return the folder of a local package among those listed, unless Jinja names it."""
    local = entry.get("local") if isinstance(entry, dict) else None
    return local if isinstance(local, str) and "{" not in local else None


def without_file(root: Path, name: str) -> DbtProjectFile:
    """Return the settings of a folder without dbt_project.yml: models can be anywhere below *root*."""
    paths = {kind: [default] for kind, (_, default) in _PATHS.items()}
    return DbtProjectFile(name=name, root=root, paths={**paths, "models": ["."], "macros": ["."]}, trees={})


def _folders(content: Mapping[str, object], keys: Sequence[str], default: str) -> list[str]:
    for key in keys:
        value = content.get(key)
        if isinstance(value, str):
            return [value]
        if isinstance(value, list) and value:
            return [str(entry) for entry in value]
    return [default]


def configured(tree: Json, fqn: Sequence[str]) -> Iterator[dict[str, Json]]:
    """Yield the settings in *tree*, such as `models:`, for the node with *fqn*: the deepest level is last."""
    # The empty level is the section itself.
    for level in ("", *fqn):
        tree = tree if not level else tree.get(level)
        if not isinstance(tree, dict):
            break
        yield _own(tree)


def _own(tree: Mapping[str, Json]) -> dict[str, Json]:
    """Return the settings at one level of a tree: keys with a plus sign, and unambiguous setting names."""
    own: dict[str, Json] = {}
    for key, value in tree.items():
        if not isinstance(key, str):
            continue
        if key.startswith("+"):
            own[key[1:]] = value
        # A dictionary is a folder with the name of a setting, unless the setting itself is a dictionary.
        elif key in _KNOWN and (not isinstance(value, dict) or key in ("meta", "grants", "persist_docs")):
            own[key] = value
    return own


UNSURE: Any = object()
"""Marker for a setting that is known only at rendering."""
_WORDS: Mapping[str, Json] = {"true": True, "false": False, "none": None}


def folded(value: Json, fold: Fold) -> Json:
    """Return *value* with its Jinja evaluated; UNSURE if that needs rendering."""
    if isinstance(value, str) and "{" in value:
        text = fold(value)
        # Jinja renders to text, but `enabled` and other settings are compared as YAML values.
        return UNSURE if text is None else _WORDS.get(text.strip().lower(), text)
    if isinstance(value, list):
        parts = [folded(entry, fold) for entry in value]
        return UNSURE if any(part is UNSURE for part in parts) else parts
    return value


def evaluated(configs: Iterable[Mapping[str, Json]], fold: Fold) -> tuple[dict[str, Json], dict[str, Json]]:
    """Return *configs*, the nearest last, as one with its Jinja evaluated, and settings that need rendering.

    Hooks keep their Jinja, as in dbt's artifacts: dbt renders them when it runs them.
    """
    merged: dict[str, Json] = {}
    templates: dict[str, Json] = {}
    for config in configs:
        values = {key: value if key in HOOKS else folded(value, fold) for key, value in config.items()}
        for key, value in values.items():
            # The nearest level decides, so that what is known of an outer one does not hold.
            (merged if value is UNSURE else templates).pop(key, None)
        templates.update((key, config[key]) for key, value in values.items() if value is UNSURE)
        merge(merged, {key: value for key, value in values.items() if value is not UNSURE})
    return merged, templates


def merge(into: dict[str, Json], more: Mapping[str, Json]) -> None:
    """Merge *more*, which is nearer to the node, into *into*: append tags and hooks, merge `meta`."""
    for key, value in more.items():
        if key in _ADDED:
            into[key] = list(dict.fromkeys([*_list(into.get(key)), *_list(value)]))
        elif key in HOOKS:
            name = key.replace("_", "-")
            into[name] = [*_list(into.get(name)), *_list(value)]
        elif key in _MERGED and isinstance(into.get(key), dict) and isinstance(value, dict):
            into[key] = {**into[key], **value}
        else:
            into[key] = value


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [] if value is None else [value]


_BESIDE_CONFIG = ("tags", "meta", "docs", "access", "group", "contract", "enabled", "latest_version")


class Description(Struct, frozen=True, kw_only=True):
    """Properties of one model, seed, snapshot or function."""

    name: str
    patch_path: str
    text: str = ""
    columns: tuple[Column, ...] = ()
    config: dict[str, Json] = field(default_factory=dict)
    versions: tuple[dict[str, Json], ...] = ()
    latest_version: str | None = None
    properties: dict[str, Json] = field(default_factory=dict)
    """Constraints and end of a model; arguments and result of a function."""

    @property
    def path(self) -> str:
        """Return the path of the file in its package."""
        return self.patch_path.partition("://")[2]


class SourceTable(Struct, frozen=True, kw_only=True):
    """One table of one source."""

    source: str
    table: str
    path: str
    block: dict[str, Json]
    entry: dict[str, Json]


class GenericTest(Struct, frozen=True):
    """A generic test of a property file: its name, that of what it tests, and the names of its arguments."""

    name: str
    subject: str
    arguments: frozenset[str]
    title: str = ""
    """Name that the file gives to the node."""


class Properties(Struct, frozen=True, kw_only=True):
    """All property files of one package."""

    described: dict[tuple[str, str], Description]
    """Descriptions by section (one of `DESCRIBED`) and name."""
    tables: list[SourceTable]
    snapshots: list[tuple[str, dict[str, Json]]]
    """Snapshots that YAML defines (dbt 1.9), with their files."""
    repeated: list[tuple[tuple[str, str], Description]]
    """Descriptions of what `described` contains already, with its keys there."""
    groups: set[str]
    readers: list[tuple[str, str, list[Json]]]
    """Exposures, semantic models and unit tests, with their files, and their calls of `ref` and `source`."""
    descriptions: list[tuple[str, str, str]]
    """Descriptions of macros, their arguments, and exposures, each with its file and what it describes."""
    tests: dict[GenericTest, str]
    """Files of generic tests."""
    texts: list[tuple[str, str]]
    """Files with their hashes, to detect changes."""


def read_properties(settings: DbtProjectFile, code: Code, warnings: list[str]) -> Properties:
    """Return the content of the property files of a package with *code*.

    Skip invalid files with a warning in *warnings*, which also has what dbt refuses of others.
    """
    found = Properties(
        described={},
        tables=[],
        snapshots=[],
        repeated=[],
        groups=set(),
        readers=[],
        descriptions=[],
        tests={},
        texts=[],
    )
    folders = [place for places in settings.paths.values() for place in places]
    for path in find_files(settings.root, folders, (".yml", ".yaml"), warnings):
        relative = (
            path.relative_to(settings.root).as_posix() if path.is_relative_to(settings.root) else path.name
        )
        content = _content(path, relative, warnings)
        warnings.extend(refused_entries(relative, content, code))
        found.texts.append((relative, sha256(path.read_bytes()).hexdigest() if content else ""))
        for section in DESCRIBED:
            for entry in _entries(content.get(section)):
                key = (section, str(entry["name"]))
                found.tests.update(dict.fromkeys(_tests_of(entry), relative))
                if section == "snapshots" and "relation" in entry:
                    found.snapshots.append((relative, entry))
                description = _description(entry, f"{settings.name}://{relative}")
                if found.described.setdefault(key, description) is not description:
                    found.repeated.append((key, description))
        found.groups.update(str(entry["name"]) for entry in _entries(content.get("groups")))
        found.readers.extend(_readers(content, relative))
        found.descriptions.extend(_descriptions(content, relative))
        for block in _entries(content.get("sources")):
            for entry in _entries(block.get("tables")):
                found.tests.update(dict.fromkeys(_tests_of(entry), relative))
                found.tables.append(
                    SourceTable(
                        source=str(block["name"]),
                        table=str(entry["name"]),
                        path=relative,
                        block={key: value for key, value in block.items() if key != "tables"},
                        entry=entry,
                    )
                )
    return found


def _readers(content: Mapping[str, Json], path: str) -> Iterator[tuple[str, str, list[Json]]]:
    """Yield the file, name, and calls of `ref` and `source`, of each entry that reads nodes."""
    for kind in ("exposures", "semantic_models", "unit_tests"):
        for entry in _entries(content.get(kind)):
            calls = _list(entry.get("depends_on"))
            if kind == "semantic_models":
                calls = [entry.get("model")]
            elif kind == "unit_tests":
                calls = [f"ref({entry.get('model')!r})"]
            if "enabled" not in str(entry.get("config")):
                yield path, f"{kind.removesuffix('s').replace('_', ' ')} {entry['name']}", calls


def _descriptions(content: Mapping[str, Json], path: str) -> Iterator[tuple[str, str, str]]:
    """Yield the file, subject and text of the descriptions of macros, their arguments, and exposures."""
    for kind in ("macro", "exposure"):
        for entry in _entries(content.get(f"{kind}s")):
            for one in (entry, *_entries(entry.get("arguments"))):
                if "enabled" not in str(entry.get("config")):
                    yield path, f"{kind} {entry['name']}", str(one.get("description"))


def _tests_of(entry: Mapping[str, Json]) -> Iterator[GenericTest]:
    """Yield the generic tests of *entry* and of its columns."""
    subject = str(entry["name"])
    of_columns = ((column, frozenset(["column_name"])) for column in _entries(entry.get("columns")))
    for one, more in ((entry, frozenset[str]()), *of_columns):
        for key in ("tests", "data_tests"):
            listed = one.get(key)
            for test in listed if isinstance(listed, list) else ():
                if isinstance(test, str):
                    yield GenericTest(test, subject, more)
                # With options next to it, the name is one of several keys; a disabled test is not built.
                elif isinstance(test, dict) and "enabled" not in str(test):
                    name = test.get("test_name") or (next(iter(test)) if len(test) == 1 else None)
                    given = test if "test_name" in test else test.get(name)
                    title = given.get("name") if isinstance(given, dict) else None
                    if isinstance(name, str):
                        yield GenericTest(name, subject, more | _arguments(given), str(title or ""))


def _arguments(given: Json) -> frozenset[str]:
    """Return the names of the arguments in *given*, the mapping of a generic test."""
    if not isinstance(given, dict):
        return frozenset()
    inner = given.get("arguments")
    return frozenset({*given, *(inner if isinstance(inner, dict) else ())} - _OPTIONS)


def _content(path: Path, relative: str, warnings: list[str]) -> Mapping[str, Any]:
    try:
        if not path.read_bytes().strip():
            return {}
        messages: list[str] = []
        content = read_mapping(path, ConfigurationError, messages)
        # Absolute paths differ between machines, and warnings are stored with the run.
        warnings += [warning.replace(str(path), relative) for warning in messages]
        return content
    except ConfigurationError as error:
        problem = error.message.replace(str(path), relative)
        text = f"{problem}; the file was skipped"
        # dbt accepts a file of comments, and one that is only too large for this reader.
        is_refused = error.hint is None and not problem.endswith("is empty")
        warnings.append(DbtRefusal.of(relative, text) if is_refused else text)
    except OSError as error:
        warnings.append(f"{relative} cannot be read and was skipped: {error.strerror or error}")
    return {}


def _entries(value: Json) -> Iterator[dict[str, Json]]:
    """Yield the entries of a list that have a name."""
    if isinstance(value, list):
        yield from (entry for entry in value if isinstance(entry, dict) and entry.get("name") is not None)


def _description(entry: dict[str, Json], patch_path: str) -> Description:
    config = {key: entry[key] for key in _BESIDE_CONFIG if key in entry}
    latest = config.pop("latest_version", None)
    versions = tuple(one for one in _list(entry.get("versions")) if isinstance(one, dict) and "v" in one)
    if isinstance(entry.get("config"), dict):
        config |= entry["config"]
    return Description(
        name=str(entry["name"]),
        patch_path=patch_path,
        text=str(entry.get("description") or ""),
        columns=columns_of(entry),
        config=config,
        versions=versions,
        latest_version=None if latest is None else str(latest),
        properties={
            key: entry[key] for key in (*NODE_PROPERTIES["function"], "constraints") if entry.get(key)
        }
        | _deprecation_of(entry),
    )


def described_version(description: Description | None, version: Json) -> Description | None:
    """Return the properties of one *version* of a model, or *description* without a version."""
    if description is None or version is None:
        return description
    listed = version.get("columns")
    rules = [one for one in _list(listed) if isinstance(one, dict) and "name" not in one]
    include, exclude = (rules[-1].get(key) if rules else None for key in ("include", "exclude"))
    columns = {
        one.name: one
        for one in description.columns
        if (include in (None, "*", "all") or one.name in _list(include)) and one.name not in _list(exclude)
    }
    columns |= {one.name: one for one in columns_of(version)}
    own = {"constraints": version["constraints"]} if version.get("constraints") else {}
    # Each version has a date of its own, or none.
    shared = {key: value for key, value in description.properties.items() if key != "deprecation_date"}
    return replace(
        description,
        text=str(version.get("description") or description.text),
        columns=tuple(columns.values()),
        properties={**shared, **own, **_deprecation_of(version)},
    )


def _deprecation_of(entry: Mapping[str, Json]) -> dict[str, Json]:
    date = entry.get("deprecation_date")
    return {"deprecation_date": str(date)} if date else {}


def _constraints(entry: Mapping[str, Json]) -> tuple[Json, ...]:
    listed = entry.get("constraints")
    return tuple(listed) if isinstance(listed, list) else ()


def columns_of(entry: Mapping[str, Json]) -> tuple[Column, ...]:
    """Return the columns that *entry* documents."""
    return tuple(
        Column(
            name=str(column["name"]),
            type=None if column.get("data_type") is None else str(column["data_type"]),
            description=str(column.get("description") or ""),
            tags=tuple(map(str, tags)) if isinstance(tags := column.get("tags"), list) else (),
            meta=meta if isinstance(meta := column.get("meta"), dict) else {},
            quote=column.get("quote") if isinstance(column.get("quote"), bool) else None,
            documented=True,
            constraints=_constraints(column),
            documented_type=None if column.get("data_type") is None else str(column["data_type"]),
        )
        for column in _entries(entry.get("columns"))
    )
