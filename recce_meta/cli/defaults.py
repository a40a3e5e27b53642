"""Defaults of options from environment variables and the configuration, for every command.

`LazyGroup` adds an invisible parameter to each command, which click processes before the options. It sets
click's `default_map`, so commands receive ordinary values. The precedence is: command line,
RECCE_META_<COMMAND>_<OPTION>, RECCE_META_<OPTION>, dbt's own variables, recce_meta.yml, pyproject.toml, the
option's default.

A default never makes a command line invalid: one that another option excludes is left out (`_CONFLICTS`), and
so is a default of the connection that a stronger source replaces.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from recce_meta.cli.console import CONFIG
from recce_meta.config.discovery import find_config_files
from recce_meta.errors import UsageError
from recce_meta.lazy import load
from recce_meta.profiles.discovery import dbt_variable, with_dotenv, working_directory

PREFIX = "RECCE_META_"
ORIGINS = "recce_meta.origins"
"""Key in `Context.meta`: the defaults of the command."""

ONLY_OWN = frozenset(
    {
        ("scan", "schemas"),
        ("scan", "exclude"),
        ("scan", "fail_on"),
        ("quality", "schemas"),
        ("quality", "exclude"),
        ("quality", "fail_on"),
        ("runs", "environment"),
        ("prune", "environment"),
        ("export", "style"),
        ("import", "check_file"),
        ("record", "to"),
        ("hook", "to"),
        ("diff", "keys"),
        ("diff", "conditions"),
        ("push", "runs"),
        ("pull", "runs"),
        ("sync", "runs"),
        ("sync", "is_status"),
        ("sync", "output"),
    }
)
"""Commands and parameters without RECCE_META_<OPTION>: the same option has another meaning elsewhere."""
OF_ONE_COMMAND = frozenset(("audit", "connection", "token"))
"""Groups whose options have only own variables, apart from SHARED: they describe one connection or token."""
SHARED = frozenset(("state", "style"))
STATE_VARIABLE = "RECCE_META_STATE_URL"
REMOTE_VARIABLE = "RECCE_META_REMOTE"
"""Variable of the argument REMOTE of push, pull and sync."""
ALIASES = {("scan", "schema"): "RECCE_META_SCHEMA", ("quality", "schema"): "RECCE_META_SCHEMA"}
"""Further variables: --store-schema is the store's schema, which is --schema elsewhere."""
NOT_COMPARED = "not-compared"
PLACES = ("profile", "target", "profiles_dir")
"""Parameters that name a place in profiles.yml."""

OPTION, OWN_VARIABLE, VARIABLE, DBT_VARIABLE, FILE = range(5)
"""Strengths of sources; the smallest wins."""


class Setting(NamedTuple):
    """Default of one option, and its source."""

    value: Any
    origin: str
    """`environment RECCE_META_BASE`, or file and line."""
    strength: int


Settings = dict[str, Setting]
"""Defaults of a command by parameter."""


def apply_defaults(context: click.Context, path: tuple[str, ...], given: Mapping[str, Any]) -> None:
    """Set the defaults of the command *path* in *context*; *given* are the parameters of the command line."""
    command = context.command
    has_place = any(param.name == "project_dir" for param in command.params)
    settings = from_environment(command.params, path, os.environ)
    config = None
    if has_place:
        # The folder decides which files are read, and may come from a variable itself.
        named = given.get("project_dir") or (
            settings["project_dir"].value if "project_dir" in settings else None
        )
        config = read_configuration(named, ignores_unknown=_must_go_on(path, given, settings))
    if config is not None:
        context.meta[CONFIG] = config
        if config.selections:
            definitions = {name: (one.select, one.exclude) for name, one in config.selections.items()}
            context.with_resource(load("recce_meta.graph.selection:named_selections")(definitions))
        # The environment takes precedence over the files.
        settings = {**from_config(config, path, {str(param.name) for param in command.params}), **settings}
    if settings:
        settings = without_conflicts(
            settings, path, {name for name in given if _is_given(given[name])}, given
        )
        context.meta[ORIGINS] = settings
        context.default_map = {name: setting.value for name, setting in settings.items()}


def _is_given(value: object) -> bool:
    """Return True for a value of the parser; click's sentinel for a missing argument is an enum."""
    # By its name, because the class is private in click and absent in older versions.
    return value is not None and value != () and type(value).__name__ != "Sentinel"


def command_settings(path: tuple[str, ...], config: Any) -> Settings:
    """Return the defaults of the command *path* if all of its options can apply, such as those of --data."""
    context = click.get_current_context().find_root()
    assert isinstance(context.command, click.Group)
    command = context.command.get_command(context, path[0])
    assert command is not None
    names = {str(param.name) for param in command.params}
    settings = from_config(config, path, names)
    return {**settings, **from_environment(command.params, path, os.environ)}


def _must_go_on(path: tuple[str, ...], given: Mapping[str, Any], settings: Settings) -> bool:
    """Return True for `hook` without --strict: a misspelled key must not keep the run from being recorded."""
    is_strict = given.get("strict") or ("strict" in settings and settings["strict"].value)
    return path == ("hook",) and not is_strict


def read_configuration(project_dir: str | Path | None, *, ignores_unknown: bool = False) -> Any:
    """Return the Config that applies here, with or without *ignores_unknown*; None without a file."""
    directory = working_directory()
    files = find_config_files(project_dir, os.environ, directory)
    if not files.paths:
        return None
    return load("recce_meta.config.file:read_config")(files, ignores_unknown=ignores_unknown)


def current_config() -> Any:
    """Return the Config of the running command; an empty one without a file."""
    context = click.get_current_context(silent=True)
    found = None if context is None else context.meta.get(CONFIG)
    return load("recce_meta.config.file:NO_CONFIG") if found is None else found


def data_of_environment(environment: str) -> str | None:
    """Return the target or URL of the data of *environment* in the configuration; None for the store's."""
    found = current_config().environments.get(environment)
    return None if found is None else found.target


def origin_of(context: click.Context, parameter: str) -> str | None:
    """Return the source of the default that *parameter* has in *context*; None if it is not from outside."""
    found = context.meta.get(ORIGINS, {}).get(parameter)
    source = context.get_parameter_source(parameter)
    return found.origin if found and source is click.core.ParameterSource.DEFAULT_MAP else None


def variables_of(path: tuple[str, ...], param: click.Parameter) -> list[tuple[str, int, bool]]:
    """Return the variables of the option *param* of the command *path*: names, strengths, and if set is yes.

    A flag pair such as `--no-values/--values` has one variable for each name; that of the second name means
    the opposite.
    """
    # Eager options are those of click and the global ones, which have their own variables.
    if not isinstance(param, click.Option) or param.is_eager:
        return []
    found = []
    for opts, is_positive in ((param.opts, True), (param.secondary_opts, False)):
        for name in (_spelled(opt) for opt in opts if opt.startswith("--")):
            found.append((f"{PREFIX}{'_'.join(map(_spelled, path))}_{name}", OWN_VARIABLE, is_positive))
            if param.name == "state":
                found.append((STATE_VARIABLE, VARIABLE, is_positive))
            elif not _has_only_own(path, str(param.name)):
                found.append((f"{PREFIX}{name}", VARIABLE, is_positive))
    alias = ALIASES.get((" ".join(path), str(param.name)))
    return sorted(found + ([(alias, VARIABLE, True)] if alias else []), key=lambda variable: variable[1])


def _has_only_own(path: tuple[str, ...], parameter: str) -> bool:
    """Return True if no variable that other commands read sets *parameter*."""
    is_of_one = bool(path) and path[0] in OF_ONE_COMMAND and parameter not in SHARED
    return is_of_one or (" ".join(path), parameter) in ONLY_OWN


def _spelled(name: str) -> str:
    return name.lstrip("-").replace("-", "_").upper()


def from_environment(
    params: Iterable[click.Parameter], path: tuple[str, ...], environment: Mapping[str, str]
) -> Settings:
    """Return the options of *params* that *environment* sets; an empty variable counts as missing."""
    # Mostly none is set, and spelling the names of all options takes time.
    if not any(name.startswith(PREFIX) for name in environment):
        return {}
    settings: Settings = {}
    for param in params:
        for name, strength, is_positive in variables_of(path, param):
            text = environment.get(name)
            known = settings.get(str(param.name))
            # An option with two names has two variables: the stronger one counts, else the first.
            if not text or (known is not None and known.strength <= strength):
                continue
            try:
                value = _value(param, text, is_positive)
            except click.BadParameter as error:
                message = error.format_message().removesuffix(".")
                raise UsageError(f"{message} (from environment {name})") from error
            if value is not None and not _is_of_another_command(param, value, strength):
                settings[str(param.name)] = Setting(value, f"environment {name}", strength)
    return settings


def _value(param: click.Parameter, text: str, is_positive: bool) -> Any:
    """Return *text* as the parser would pass it: several values are separated by `;` or line breaks."""
    assert isinstance(param, click.Option)
    if param.is_flag:
        flag = click.BOOL.convert(text, param, None)
        # Such a flag stands for a value; `no` means that it is not given.
        if not param.is_bool_flag:
            return param.flag_value if flag else None
        return flag is is_positive
    # click itself converts and checks the text, as if it were given on the command line.
    if not param.multiple:
        return text
    parts = [part.strip() for line in text.splitlines() for part in line.split(";") if part.strip()]
    return tuple(parts) if param.nargs == 1 else tuple(tuple(part.split()) for part in parts)


_FORMATS = frozenset(("table", "json", "markdown", "html", "csv", "tsv"))


def _is_of_another_command(param: click.Parameter, value: Any, strength: int) -> bool:
    """Return True for RECCE_META_FORMAT with a format that only other commands have."""
    is_choice = strength == VARIABLE and param.name == "style" and isinstance(param.type, click.Choice)
    return is_choice and value in _FORMATS and value not in param.type.choices  # type: ignore[attr-defined]


def from_config(config: Any, path: tuple[str, ...], params: set[str]) -> Settings:
    """Return the parameters *params* of the command *path* that *config* sets."""
    command, store, origin_key = path[0], config.store, load("recce_meta.config.file:origin_key")
    values: dict[str, tuple[Any, str]] = {
        "project": (config.project, "project"),
        "project_name": (config.project, "project"),
        "profile": (store.profile, "store.profile"),
        "profiles_dir": (store.profiles_dir, "store.profiles_dir"),
        "schema": (store.schema, "store.schema"),
        "base": (config.base, "base"),
        "current": (config.current, "current"),
        "threads": (config.threads, "threads"),
        "budget": (config.budget, "budget"),
        "max_rows": (config.max_rows, "max_rows"),
        "no_values": (None if config.privacy.values is None else not config.privacy.values, "privacy.values"),
        "private": (config.privacy.columns or None, "privacy.columns"),
    }
    if "store" in params:  # the connection is that of the database to read
        name = "url" if store.url is not None else "target"
        values["store"] = (store.url or store.target, f"store.{name}")
    else:
        values["url"] = (store.url, "store.url")
        values["target"] = (store.target, "store.target")
    if command == "diff":
        values["selection"] = (config.select or None, "select")
        values["exclude"] = (config.exclude or None, "exclude")
    if command in ("diff", "scan", "quality"):
        values["fail_on"] = (getattr(config.fail_on, command) or None, f"fail_on.{command}")
    return {
        name: Setting(value, origin_key(config, key), FILE)
        for name, (value, key) in values.items()
        if name in params and value is not None
    }


def dbt_variables() -> dict[str, str]:
    """Return the parameters in PLACES that dbt's own variables set, `.env` included, with the variables."""
    environment = with_dotenv(os.environ, working_directory())
    names = {"profile": "PROFILE", "target": "TARGET", "profiles_dir": "PROFILES_DIR"}
    return {param: f"DBT_{name}" for param, name in names.items() if dbt_variable(environment, name)}


def without_conflicts(
    settings: Settings, path: tuple[str, ...], given: set[str], values: Mapping[str, Any]
) -> Settings:
    """Return *settings* without those that an option, or a stronger source, excludes.

    *given* are the parameters on the command line; *values* are their values.
    """
    # Places first: a conflict must not depend on a default that does not apply.
    kept = _without_replaced_places({name: one for name, one in settings.items() if name not in given}, given)

    def is_on(name: str) -> Any:
        """Return the value that the parameter *name* will have; None for its default."""
        return values[name] if name in given else kept[name].value if name in kept else None

    kept = _with_one_selection(kept, given, path[0])
    for conflict in _CONFLICTS.get(path[0], ()):
        if conflict.excludes(is_on):
            kept = {name: one for name, one in kept.items() if name not in conflict.names}
    return _without_data_options(kept, is_on) if path == ("diff",) else kept


def selection_parameters(command: str) -> tuple[str, ...]:
    """Return the parameters of *command* that --selector replaces; `quality --exclude` takes globs."""
    return ("selection",) if command == "quality" else ("selection", "exclude")


def _with_one_selection(settings: Settings, given: set[str], command: str) -> Settings:
    """Leave out the YAML selector, or else the selection and exclusion: the stronger source applies."""

    def strength(*names: str) -> int:
        if given.intersection(names):
            return OPTION
        return min((settings[name].strength for name in names if name in settings), default=FILE + 1)

    replaced = selection_parameters(command)
    if strength("selector_name") > strength(*replaced):
        replaced = ("selector_name",)
    elif strength("selector_name") > FILE:
        return settings
    return {name: one for name, one in settings.items() if name not in replaced}


def _without_data_options(settings: Settings, is_on: Callable[[str], Any]) -> Settings:
    """Leave out of *settings* of `diff` what --data or --files requires, which a plain diff refuses."""
    of_files = () if is_on("files") else ("dialect", "variables")
    kept = {name: one for name, one in settings.items() if name not in of_files}
    if not is_on("with_data") and not is_on("check_file"):
        of_data = {*load("recce_meta.cli.run.diff:DiffDataOptions").__struct_fields__}
        of_data -= {*load("recce_meta.cli.run.diff:PRIVACY")}
        kept = {name: one for name, one in kept.items() if name not in of_data}
    if "fail_on" in kept and not is_on("with_data"):
        # One `fail_on` of the file serves diffs with and without data.
        words = [word.strip() for text in kept.pop("fail_on").value for word in text.split(",")]
        left = tuple(word for word in words if word.lower() != NOT_COMPARED)
        if left:
            kept["fail_on"] = settings["fail_on"]._replace(value=left)
    return kept


def _without_replaced_places(settings: Settings, given: set[str]) -> Settings:
    """Leave out parts of a connection that stronger sources name in another way.

    A profile, target or folder of profiles replaces a URL from a weaker source, and a profile replaces a
    target from a weaker source: that target belongs to another profile. dbt's own variables replace what the
    files say of the profile, but not a URL.
    """
    kept = dict(settings)
    if any(kept[name].strength == FILE for name in PLACES if name in kept):
        weaker = (name for name in dbt_variables() if kept.get(name, _NO).strength > DBT_VARIABLE)
        # Markers without values, which are removed below: the profile's loader reads these variables itself.
        kept.update(dict.fromkeys(weaker, Setting(None, "", DBT_VARIABLE)))

    def strength(name: str) -> int:
        return OPTION if name in given else kept.get(name, _NO).strength

    # dbt's variables are often set for the whole shell, and must not replace a URL.
    places = [strength(name) for name in PLACES if strength(name) != DBT_VARIABLE]
    replaced = {"url"} if min(places, default=FILE) < strength("url") else set()
    if strength("profile") < strength("target"):
        replaced.add("target")
    return {name: one for name, one in kept.items() if name not in replaced and one.strength != DBT_VARIABLE}


_NO = Setting(None, "", FILE + 1)


class _Conflict(NamedTuple):
    """Parameters whose defaults are left out, and the condition on the other parameters."""

    names: Sequence[str]
    excludes: Callable[[Callable[[str], Any]], bool]


_OF_MEASURING = (
    *("selection", "selector_name", "selector", "sample", "no_values", "private", "budget", "show_sql"),
    "allow_empty",
)
_TABLES = (_Conflict(("selection", "exclude", "selector_name", "save"), lambda is_on: bool(is_on("tables"))),)
_CONFLICTS: Mapping[str, tuple[_Conflict, ...]] = {
    "record": (
        _Conflict(("dialect", "project_name", "variables"), lambda is_on: is_on("source") != "sql"),
        _Conflict(("target_path",), lambda is_on: is_on("source") == "sql" or bool(is_on("directory"))),
    ),
    "quality": (
        _Conflict(("shown",), lambda is_on: bool(is_on("history"))),
        _Conflict(_OF_MEASURING, lambda is_on: bool(is_on("shown") or is_on("history"))),
        _Conflict(("fail_on", "against"), lambda is_on: bool(is_on("history"))),
    ),
    "export": (_Conflict(("style", "output", "force"), lambda is_on: bool(is_on("to"))),),
    **dict.fromkeys(("row-count", "schema", "value", "profile", "top-k", "histogram"), _TABLES),
}
"""Defaults that another option of the command excludes."""
