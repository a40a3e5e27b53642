"""Configuration of a project, read from recce_meta.yml and from `[tool.recce-meta]` of pyproject.toml.

```yaml
store: {target: metadata}
environments:
  production: {target: prod, branch: main}
selections:
  nightly: tag:nightly
privacy: {columns: [salary]}
fail_on: breaking
```

`read_config` is the only function that reads the files, so a caller that does not trust them (a server that
reviews forks) leaves it out. All problems of a file are reported together, each with file, line and key. A
top-level key of recce_meta.yml replaces that of pyproject.toml.

The types are also the source of the published JSON schema: `written` describes how a value may be written if
that differs from the type of the field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from msgspec import Meta, Struct

from recce_meta.config.discovery import ConfigFiles
from recce_meta.config.nodes import NodeSettings, read_node_settings
from recce_meta.config.toml_table import read_table
from recce_meta.errors import ConfigurationError, UsageError, did_you_mean
from recce_meta.profiles.lined_yaml import (
    Lined,
    LinedReader,
    MalformedValue,
    describe_value,
    flag,
    problems_text,
    read_lined,
    string,
    strings,
    whole_from,
)
from recce_meta.profiles.yaml_file import read_text
from recce_meta.redaction import without_passwords

Read = TypeVar("Read")

TEXT = {"type": "string", "pattern": r"\S"}
TEXTS = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
PLAIN_NAME = r"^[\w.-]+$"
"""Names of stores and selections; other characters have a meaning in addresses and selectors."""
BUNDLE_SUFFIX = ".zip"
"""End of the names of bundle files."""


def _meta(meaning: str, written: Mapping[str, Any] = TEXT) -> Meta:
    """Return the description of a field: its *meaning*, and how it is *written* in JSON schema."""
    return Meta(description=meaning, extra_json_schema={"written": dict(written)})


class StoreSettings(Struct, frozen=True, kw_only=True):
    """Connection to the store: defaults of the connection options."""

    url: Annotated[str | None, _meta("SQLAlchemy URL without a password.")] = None
    profile: Annotated[str | None, _meta("Profile in profiles.yml.")] = None
    target: Annotated[str | None, _meta("Target of the profile.")] = None
    profiles_dir: Annotated[
        str | None, _meta("Folder of profiles.yml, relative to the folder of this file.")
    ] = None
    schema: Annotated[str | None, _meta("Schema that holds the store.")] = None


class EnvironmentSettings(Struct, frozen=True, kw_only=True):
    """Facts about the runs that are recorded with one `--environment`."""

    target: Annotated[
        str | None, _meta("Target of the profile, or URL, that holds the data of these runs.")
    ] = None
    branch: Annotated[str | None, _meta("Git branch that this environment is built from.")] = None


class NamedSelection(Struct, frozen=True, kw_only=True):
    """Nodes that `-s selection:NAME` means."""

    select: Annotated[tuple[str, ...], _meta("Selectors of the nodes. Default: every node.", TEXTS)] = ()
    exclude: Annotated[tuple[str, ...], _meta("Selectors of nodes to leave out.", TEXTS)] = ()


class PrivacySettings(Struct, frozen=True, kw_only=True):
    """Values that are not shown or stored."""

    values: Annotated[
        bool | None,
        _meta(
            "`false` to fetch, show and store no values of any column. Default: `true`.", {"type": "boolean"}
        ),
    ] = None
    columns: Annotated[
        tuple[str, ...],
        _meta("Words in names of private columns, in addition to the built-in words.", TEXTS),
    ] = ()


class FailOnSettings(Struct, frozen=True, kw_only=True):
    """Conditions that make a command exit with 1: defaults of `--fail-on`."""

    diff: Annotated[tuple[str, ...], _meta("Words as in `diff --fail-on`.", TEXTS)] = ()
    scan: Annotated[tuple[str, ...], _meta("Words as in `scan --fail-on`.", TEXTS)] = ()
    quality: Annotated[tuple[str, ...], _meta("Conditions as in `quality --fail-on`.", TEXTS)] = ()


NodeGlob = tuple[str, NodeSettings]
"""Glob of nodes, and their settings."""


class Config(Struct, frozen=True, kw_only=True):
    """Configuration of a project; None and empty collections for keys that are not given."""

    project: Annotated[str | None, _meta("Project of the runs. Default: name in dbt_project.yml.")] = None
    store: Annotated[
        StoreSettings, Meta(description="Place of the store: a target, a URL, or a mapping.")
    ] = StoreSettings()
    stores: Annotated[
        dict[str, StoreSettings],
        Meta(description="Stores that `serve` shows, by name: each a target, a URL, or a mapping."),
    ] = {}
    remote: Annotated[
        str | None,
        _meta(
            "Default of push, pull and sync: a target, a URL, the address of a server, a bundle file, or a "
            "name in `stores`."
        ),
    ] = None
    environments: Annotated[
        dict[str, EnvironmentSettings], Meta(description="Facts about environments, by `--environment`.")
    ] = {}
    base: Annotated[str | None, _meta("Run selector of base: default of `--base`.")] = None
    current: Annotated[str | None, _meta("Run selector of current: default of `--current`.")] = None
    select: Annotated[tuple[str, ...], _meta("Default of `diff --select`.", TEXTS)] = ()
    exclude: Annotated[tuple[str, ...], _meta("Default of `diff --exclude`.", TEXTS)] = ()
    selections: Annotated[
        dict[str, NamedSelection],
        Meta(description="Selections by name, for `-s selection:NAME`: a selector, a list, or a mapping."),
    ] = {}
    threads: Annotated[
        int | None, _meta("Number of concurrent queries.", {"type": "integer", "minimum": 1})
    ] = None
    budget: Annotated[
        float | None,
        _meta("Seconds after which queries are cancelled.", {"type": "number", "exclusiveMinimum": 0}),
    ] = None
    max_rows: Annotated[
        int | None,
        _meta("Maximum rows of a relation compared without a key.", {"type": "integer", "minimum": 0}),
    ] = None
    privacy: Annotated[PrivacySettings, Meta(description="Values to withhold.")] = PrivacySettings()
    fail_on: Annotated[
        FailOnSettings,
        Meta(description="Defaults of `--fail-on`: of `diff`, or a mapping by command."),
    ] = FailOnSettings()
    nodes: Annotated[
        tuple[NodeGlob, ...], Meta(description="Settings of nodes for data diffs, by glob of names or ids.")
    ] = ()
    origins: dict[str, str] = {}
    """File and line of each given key, by its path: `store.url` is `recce_meta.yml:3`."""
    files: tuple[Path, ...] = ()
    """Files that were read."""
    ignored: tuple[UsageError, ...] = ()
    """The unknown keys of each file that were left out."""

    @property
    def base_branch(self) -> str | None:
        """Branch whose runs are base, `environments.base.branch`; None if it is not given."""
        base = self.environments.get("base")
        return None if base is None else base.branch


def origin_key(config: Config, key: str) -> str:
    """Return the file and line of *key*, or of the nearest key above it."""
    while key and key not in config.origins:
        key = key.rpartition(".")[0]
    return config.origins.get(key, "")


KEYS = tuple(name for name in Config.__struct_fields__ if name not in ("origins", "files", "ignored"))
"""Keys of the file."""
NO_CONFIG = Config()


def read_config(files: ConfigFiles, *, ignores_unknown: bool = False) -> Config:
    """Return the configuration in *files*; NO_CONFIG if there are none.

    With *ignores_unknown*, unknown keys are left out and listed in `Config.ignored`. Otherwise they raise
    UsageError, with the line of each problem, as does a file that cannot be read, is malformed, or contains a
    URL with a password.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    ignored: list[UsageError] = []
    # Reversed, because later values replace earlier ones.
    for path in reversed(files.paths):
        content = _content(path, is_pyproject=path == files.pyproject)
        reader = _ConfigReader(path, origins_of(path, content))
        given = reader.values(content)
        if reader.problems:
            message, hint = problems_text(path, reader.problems)
            ignored.append(UsageError(message, hint=hint))
            if not (ignores_unknown and all(problem.is_unknown_key for problem in reader.problems)):
                raise ignored[-1]
        for key in given:
            # A key replaces that of the other file as a whole, so the lines of its parts are gone too.
            origins = {name: where for name, where in origins.items() if name.partition(".")[0] != key}
        values.update(given)
        origins.update(reader.origins)
    if not files.paths:
        return NO_CONFIG
    return Config(**values, origins=origins, files=files.paths, ignored=tuple(ignored))


def _content(path: Path, *, is_pyproject: bool) -> Any:
    """Return the content of *path*. Raises UsageError if it is malformed, or has a URL with a password."""
    try:
        if is_pyproject:
            content: Any = read_table(path)
        else:
            # Before parsing, so that comments and invalid YAML are checked as well.
            for number, line in enumerate(read_text(path, ConfigurationError).splitlines(), start=1):
                _refuse_password(path, number, line)
            content = read_lined(path)
    except ConfigurationError as error:
        raise UsageError(error.message, hint=error.hint) from error
    # Again after parsing, because YAML can join a URL from several lines, or escape its characters.
    for place, text in _texts(content, 1):
        _refuse_password(path, place, text)
    return Lined() if content is None else content


def _refuse_password(path: Path, line: int, text: str) -> None:
    """Raise UsageError, without the password, if *text* contains a URL with a password."""
    if "://" not in text:
        return
    if _WITH_BLANKS.match(text) or any(without_passwords(url) != url for url in _urls(text)):
        raise UsageError(
            f"{path}:{line}: a URL contains a password",
            hint="remove it, and set RECCE_META_URL, or use a profile whose password is an env_var()",
        )


_WITH_BLANKS = re.compile(r"\s*[\w.+-]+://[^/@:]*:[^/]*@")
"""A text that is a URL as a whole: blanks belong to its password."""
_ENDS = (re.compile(r"[\s\"',]+"), re.compile(r"\s+"))
"""What ends a URL: a password may contain quotes and commas."""
_SCHEME = re.compile(r"[\w.+-]{1,100}\Z")


def _urls(text: str) -> Iterator[str]:
    """Yield everything in *text* that may be a URL, in time proportional to its length."""
    for ends in _ENDS:
        yield from (part for part in ends.split(text) if "://" in part)
    # A password may contain blanks, too: up to the last @ before the next slash.
    before, *parts = text.split("://")
    for part in parts:
        authority = part.partition("/")[0]
        user, at, host = authority.rpartition("@")
        scheme = _SCHEME.search(before[-100:])
        if at and scheme:
            yield f"{scheme[0]}://{user}@{(host.split() or [''])[0]}"
        before = part


def _texts(value: Any, line: int) -> Iterator[tuple[int, str]]:
    """Yield all strings in *value*, keys included, with their lines."""
    if isinstance(value, str):
        yield line, value
    elif isinstance(value, Lined):
        for key, entry in value.items():
            own = value.lines.get(key, line)
            yield own, key
            yield from _texts(entry, own)
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry, line)


def origins_of(path: Path, content: Any, prefix: str = "") -> dict[str, str]:
    """Return the file and line of every key in *content*, the content of the file *path*."""
    found: dict[str, str] = {}
    if isinstance(content, Lined):
        for key, value in content.items():
            found[f"{prefix}{key}"] = f"{path.name}:{content.lines.get(key, 1)}"
            found.update(origins_of(path, value, f"{prefix}{key}."))
    return found


class _ConfigReader(LinedReader):
    """Parser of one file."""

    def __init__(self, path: Path, origins: dict[str, str]) -> None:
        super().__init__(path)
        self.origins = origins

    def values(self, content: Any) -> dict[str, Any]:
        """Return the fields of Config that the file gives."""
        if not isinstance(content, Lined):
            self.report(f"the file must be a mapping, not {describe_value(content)}")
            return {}
        self.refuse_unknown(content, KEYS, "the file")
        readers: dict[str, Callable[[Lined], Any]] = {
            "store": lambda given: self._store(given, "store", "store"),
            "stores": lambda given: self._each(given, "stores", self._named_store),
            "remote": self._remote,
            "environments": lambda given: self._each(given, "environments", self._environment),
            "selections": lambda given: self._each(given, "selections", self._selection),
            "privacy": self._privacy,
            "fail_on": self._fail_on,
            "nodes": lambda given: tuple(self._each(given, "nodes", self._node).items()),
        }
        return {
            key: readers[key](content)
            if key in readers
            else self.convert_optional(content, key, _READERS[key])
            for key in KEYS
            if content.get(key) is not None
        }

    def is_harmless(self, key: str, of: str) -> bool:
        """Return False for a misspelled part of the store: another store must not be taken for it."""
        if of == "the file":
            return did_you_mean(key, ["store"]) is None
        return of.partition(".")[0] not in ("store", "stores")

    def suggest(self, key: str, known: tuple[str, ...] | Any, of: str) -> str | None:
        """Return a hint for keys that belong elsewhere."""
        if of == "the file" and key in StoreSettings.__struct_fields__:
            return f"put {key} under store"
        if of == "the file" and key in ("private", "values", "columns"):
            return "put privacy: {values: …, columns: …}"
        if of == "the file" and key in NodeSettings.__struct_fields__:
            return f'put {key} under nodes, below a glob: nodes: {{"stg_*": {{{key}: …}}}}'
        return "put checks into checks.yml" if key in ("checks", "tables") else None

    def _store(self, content: Lined, key: str, of: str) -> StoreSettings:
        """Return the store at *key*, whose path in the file is *of*."""
        given = content[key]
        if isinstance(given, str):
            text = self.convert(content, key, string)
            # Targets are plain names, so the scheme of a URL is enough to distinguish them.
            name = "url" if "://" in given else "target"
            self.origins[f"{of}.{name}"] = self.origins[of]
            return StoreSettings(**{name: None if text is None else self._place(text)})
        made = self._mapping(content, key, StoreSettings, {}, of=of)
        if made.url is not None and made.target is not None:
            line = self.line_of(given, "target")
            self.report(f"{of} has both url and target", line=line, hint="remove one of them")
        if made.url is not None and "://" not in made.url:
            message = f"{of}.url is not a URL: {describe_value(made.url)}"
            self.report(message, line=self.line_of(given, "url"), hint="write it as target")
        # Relative to the file, because commands run in any folder of the project.
        folder = made.profiles_dir and str(self.path.parent / Path(made.profiles_dir).expanduser())
        return StoreSettings(
            url=made.url and self._place(made.url),
            profile=made.profile,
            target=made.target,
            profiles_dir=folder,
            schema=made.schema,
        )

    def _named_store(self, given: Lined, name: str) -> StoreSettings:
        self._require_name(given, name, "a store")
        return self._store(given, name, f"stores.{name}")

    def _remote(self, content: Lined) -> str | None:
        text = self.convert(content, "remote", string)
        if text is not None and "://" not in text and text.lower().endswith(BUNDLE_SUFFIX):
            return str(self.path.parent / Path(text).expanduser())
        return text and self._place(text)

    def _environment(self, given: Lined, name: str) -> EnvironmentSettings:
        made = self._mapping(given, name, EnvironmentSettings, {}, of=f"environments.{name}")
        return EnvironmentSettings(target=made.target and self._place(made.target), branch=made.branch)

    def _selection(self, given: Lined, name: str) -> NamedSelection:
        self._require_name(given, name, "a selection")
        if isinstance(given[name], (str, list)):
            return NamedSelection(select=self.convert(given, name, strings) or ())
        return self._mapping(given, name, NamedSelection, _SELECTORS, of=f"selections.{name}")

    def _require_name(self, given: Lined, name: str, of: str) -> None:
        if not re.fullmatch(PLAIN_NAME, name):
            hint = "use letters, digits, _, - and ."
            line = self.line_of(given, name)
            self.report(f"invalid name of {of}: {describe_value(name)}", line=line, hint=hint)

    def _privacy(self, content: Lined) -> PrivacySettings:
        return self._mapping(content, "privacy", PrivacySettings, {"values": flag, "columns": strings})

    def _fail_on(self, content: Lined) -> FailOnSettings:
        if isinstance(content["fail_on"], (str, list)):
            self.origins["fail_on.diff"] = self.origins["fail_on"]
            return FailOnSettings(diff=self.convert(content, "fail_on", strings) or ())
        readers = dict.fromkeys(FailOnSettings.__struct_fields__, strings)
        return self._mapping(content, "fail_on", FailOnSettings, readers)

    def _node(self, given: Lined, glob: str) -> NodeSettings:
        # Problems without a line of their own belong to the glob.
        line, self.line = self.line, self.line_of(given, glob)
        settings = read_node_settings(self, given[glob], f"nodes.{glob}")
        self.line = line
        return settings

    def _each(self, content: Lined, key: str, read: Callable[[Lined, str], Read]) -> dict[str, Read]:
        """Return the entries of the mapping at *key*, as read by *read*, by name."""
        given = content[key]
        if isinstance(given, Lined):
            return {name: read(given, name) for name in given}
        message = f"{key} must be a mapping by name, not {describe_value(given)}"
        self.report(message, line=self.line_of(content, key))
        return {}

    def _mapping(
        self,
        content: Lined,
        key: str,
        kind: type[Read],
        readers: Mapping[str, Callable[[object], Any]],
        *,
        of: str | None = None,
    ) -> Read:
        """Return the mapping at *key* as an instance of *kind*; fields without a reader are strings."""
        given, of = content[key], of or key
        fields: tuple[str, ...] = kind.__struct_fields__  # type: ignore[attr-defined]
        if not isinstance(given, Lined):
            expected = f"{of} must be a mapping with {', '.join(fields)}"
            self.report(f"{expected}, not {describe_value(given)}", line=self.line_of(content, key))
            return kind()
        self.refuse_unknown(given, fields, of)
        values = {
            name: self.convert_optional(given, name, readers.get(name, string))
            for name in fields
            if given.get(name) is not None
        }
        return kind(**{name: value for name, value in values.items() if value is not None})

    def _place(self, text: str) -> str:
        """Return the target or URL *text*; the file of an embedded database is relative to this file."""
        found = _EMBEDDED.fullmatch(text)
        if found is None or found["path"].startswith((":memory:", "md:", "motherduck:")):
            return text
        path = self.path.parent.absolute() / found["path"]
        return f"{found['scheme']}:///{path}{found['rest'] or ''}"


_EMBEDDED = re.compile(r"(?P<scheme>(?:duckdb|sqlite)(?:\+\w+)?):///(?P<path>[^/?\\][^?]*)(?P<rest>\?.*)?")
_SELECTORS = {"select": strings, "exclude": strings}


def _seconds(value: object) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < float("inf"):
        return float(value)
    raise MalformedValue.instead_of("a number of seconds above 0", value)


_READERS: Mapping[str, Callable[[object], Any]] = {
    "project": string,
    "base": string,
    "current": string,
    "select": strings,
    "exclude": strings,
    "threads": whole_from(1),
    "budget": _seconds,
    "max_rows": whole_from(0),
}
"""Readers of the keys with plain values."""
