"""Implementation of `config`: every effective setting with its source, and the settings of one node."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import click

from recce_meta.api.data.changed_data import MAX_ROWS
from recce_meta.api.run_reader import open_run
from recce_meta.api.runs import find_node
from recce_meta.cli.connections import Connection
from recce_meta.cli.defaults import (
    ORIGINS,
    PREFIX,
    REMOTE_VARIABLE,
    Setting,
    Settings,
    command_settings,
    current_config,
    dbt_variables,
    variables_of,
)
from recce_meta.cli.options import BASE_DEFAULT, CURRENT_DEFAULT, screen, write
from recce_meta.config.file import Config, StoreSettings, origin_key
from recce_meta.config.nodes import COMPARE_MODES, NodeSettings, matches_glob, settings_of
from recce_meta.errors import RecceMetaError, did_you_mean
from recce_meta.profiles import find_project_dir, load_profile, read_project_name
from recce_meta.profiles.discovery import dbt_variable, with_dotenv, working_directory
from recce_meta.redaction import presentable
from recce_meta.report.settings import EffectiveSetting, settings_json, settings_text

DEFAULT = "default"
OPTION = "option"
OF_PROGRAM = (
    *("RECCE_META_DEBUG", "RECCE_META_TOKEN", "RECCE_META_KEY", "RECCE_META_KEY_FILE"),
    *(REMOTE_VARIABLE, "RECCE_META_ALLOWED_HOSTS", "RECCE_META_SMTP_URL", "RECCE_META_SMTP_FROM"),
)
"""Variables that are not options; the token, the key and the address of the mail server are secret."""
OF_COMMANDS = (
    ("base", "value", "base"),
    ("current", "value", "current"),
    ("select", "diff", "selection"),
    ("exclude", "diff", "exclude"),
    ("threads", "diff", "threads"),
    ("budget", "diff", "budget"),
    ("max_rows", "diff", "max_rows"),
    ("privacy.values", "value", "no_values"),
    ("privacy.columns", "value", "private"),
    ("fail_on.diff", "diff", "fail_on"),
    ("fail_on.scan", "scan", "fail_on"),
    ("fail_on.quality", "quality", "fail_on"),
)
"""Keys of the file, each with a command that has the option, and its parameter."""
DESCRIBED = {
    "base": BASE_DEFAULT,
    "current": CURRENT_DEFAULT,
    "threads": "threads of the profile",
    "budget": "no limit",
}
"""Defaults that are not fixed values."""


def config(
    connection: Connection, project: str | None, node: str | None, selector: str | None, style: str
) -> None:
    """Print the effective settings, or those of one node."""
    found: Config = current_config()
    if node is None:
        rows = [*_settings(connection, project, found), *_variables()]
    else:
        rows = _node_settings(connection, project, node, selector, found)
    # All rows: a URL in any setting or variable may contain a password.
    rows = [row if row.value is None else _masked(row) for row in rows]
    if style == "json":
        write(settings_json(rows, files=[str(path) for path in found.files], node=node), None)
    else:
        write(settings_text(rows, files=[str(path) for path in found.files], **screen()), None)


def _masked(row: EffectiveSetting) -> EffectiveSetting:
    value: Any = row.value
    if isinstance(value, str):
        value = presentable(value)
    elif isinstance(value, (tuple, list)):
        value = [presentable(str(entry)) for entry in value]
    return EffectiveSetting(key=row.key, value=value, origin=row.origin, default=row.default)


def _settings(connection: Connection, project: str | None, found: Config) -> Iterator[EffectiveSetting]:
    """Yield the settings of the file's keys, in their order."""
    yield _project(connection, project)
    dbt = dbt_variables()
    environment = with_dotenv(os.environ, working_directory())
    of_profile = _of_profile(connection)
    for name in ("url", "profile", "target", "profiles_dir", "schema"):
        value, origin = getattr(connection, name), _origin_here(name)
        if value is None and (variable := dbt.get(name)) is not None:
            value = dbt_variable(environment, variable.removeprefix("DBT_"))
            origin = f"environment {variable}"
        if value is None and name in of_profile:
            value, origin = of_profile[name]
        plain = None if value is None else str(value)
        yield EffectiveSetting(key=f"store.{name}", value=plain, origin=origin)
    for name, store in found.stores.items():
        for field in StoreSettings.__struct_fields__:
            if (value := getattr(store, field)) is not None:
                yield _given(found, f"stores.{name}.{field}", value)
    yield _remote(found)
    # Keys of the file apply through options of commands, whose rules of precedence hold here as well.
    by_command = {command: command_settings((command,), found) for _, command, _ in OF_COMMANDS}
    for key, command, parameter in OF_COMMANDS:
        setting = by_command[command].get(parameter)
        # The option has the opposite meaning of the key.
        if key == "privacy.values":
            is_shown, origin = (True, DEFAULT) if setting is None else (not setting.value, setting.origin)
            setting = Setting(is_shown, origin, 0)
        if key == "max_rows" and setting is None:
            setting = Setting(MAX_ROWS, DEFAULT, 0)
        yield _row(key, setting)
    for name, environment_settings in found.environments.items():
        for field in ("target", "branch"):
            if (value := getattr(environment_settings, field)) is not None:
                yield _given(found, f"environments.{name}.{field}", value)
    for name, selection in found.selections.items():
        if selection.select:
            yield _given(found, f"selections.{name}.select", selection.select)
        if selection.exclude:
            yield _given(found, f"selections.{name}.exclude", selection.exclude)
    for glob, settings in found.nodes:
        for field in NodeSettings.__struct_fields__:
            if (value := getattr(settings, field)) is not None:
                yield _given(found, f"nodes.{glob}.{field}", value)


def _remote(found: Config) -> EffectiveSetting:
    """Return the default remote of push, pull and sync."""
    if named := os.environ.get(REMOTE_VARIABLE):
        return EffectiveSetting(key="remote", value=named, origin=f"environment {REMOTE_VARIABLE}")
    if found.remote is None:
        return EffectiveSetting(key="remote", value=None, origin=DEFAULT)
    return _given(found, "remote", found.remote)


def _of_profile(connection: Connection) -> dict[str, tuple[str, str]]:
    """Return profile, target and folder that dbt's files name, with their sources; empty if a URL is used.

    Files that are missing or invalid name nothing here: the commands that connect report the problem.
    """
    if connection.url is not None:
        return {}
    try:
        rendered = load_profile(
            connection.profiles_dir,
            connection.profile,
            connection.target,
            project_dir=connection.project_dir,
        )
    except RecceMetaError:
        return {}
    return {
        "profile": (rendered.name, "dbt_project.yml"),
        "target": (rendered.target, rendered.path.name),
        "profiles_dir": (str(rendered.path.parent), DEFAULT),
    }


def _project(connection: Connection, project: str | None) -> EffectiveSetting:
    """Return the project of the runs."""
    if project is not None:
        return EffectiveSetting(key="project", value=project, origin=_origin_here("project"))
    folder = find_project_dir(connection.project_dir)
    if folder is None:
        return EffectiveSetting(key="project", value=None, origin=DEFAULT)
    return EffectiveSetting(key="project", value=read_project_name(folder), origin="dbt_project.yml")


def _origin_here(parameter: str) -> str:
    """Return the source of *parameter* of the running command."""
    context = click.get_current_context()
    source = context.get_parameter_source(parameter)
    if source is click.core.ParameterSource.COMMANDLINE:
        return OPTION
    settings: Settings = context.meta.get(ORIGINS, {})
    return settings[parameter].origin if parameter in settings else DEFAULT


def _row(key: str, setting: Setting | None) -> EffectiveSetting:
    if setting is None:
        return EffectiveSetting(key=key, value=None, origin=DEFAULT, default=DESCRIBED.get(key))
    return EffectiveSetting(key=key, value=setting.value, origin=setting.origin)


def _given(found: Config, key: str, value: Any) -> EffectiveSetting:
    plain = value if isinstance(value, (str, tuple)) else str(value)
    return EffectiveSetting(key=key, value=plain, origin=origin_key(found, key))


def _variables() -> Iterator[EffectiveSetting]:
    """Yield the variables that are set for options, and those that no option has."""
    users: dict[str, list[str]] = {}
    for path, command in _commands():
        for param in command.params:
            for name, _, _ in variables_of(path, param):
                users.setdefault(name, []).append(" ".join(path))
    for name, value in sorted(os.environ.items()):
        if not name.startswith(PREFIX) or not value:
            continue
        if name in users:
            commands = [command for command in users[name] if command]
            some = ", ".join(commands[:3]) + (", …" if len(commands) > 3 else "")
            yield EffectiveSetting(key=name, value=value, origin=f"environment, for {some}")
        elif name not in OF_PROGRAM:
            near = did_you_mean(name, list(users))
            problem = f"environment; no option has this variable{f': {near}' if near else ''}"
            yield EffectiveSetting(key=name, value=value, origin=problem)


def _commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command with its path."""
    context = click.get_current_context().find_root()
    root = context.command
    assert isinstance(root, click.Group)
    yield (), root
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        if isinstance(command, click.Group):
            yield from (((name, inner), each) for inner, each in command.commands.items())
        elif command is not None:
            yield (name,), command


def _node_settings(
    connection: Connection, project: str | None, name: str, selector: str | None, found: Config
) -> list[EffectiveSetting]:
    """Return the settings of the node *name* of the run *selector*, with the source of each."""
    with ExitStack() as stack:
        adapter = stack.enter_context(connection.open_existing())
        project = connection.project_of(project, selector)
        run = open_run(
            lambda: adapter, connection.only_run(lambda: adapter, selector, project), project=project
        )
        unique_id = find_node(name, run.names)
        node = run.nodes([unique_id])[unique_id]
    settings = settings_of(node, found.nodes)
    rows = []
    for field in NodeSettings.__struct_fields__:
        value = getattr(settings, field)
        globs = [
            glob
            for glob, given in found.nodes
            if getattr(given, field) is not None and matches_glob(glob, node)
        ]
        origin = DEFAULT if value is None else f"meta of {node.label}"
        # The last glob that matches wins.
        if globs:
            origin = origin_key(found, f"nodes.{globs[-1]}.{field}")
        if field == "compare" and value is None:
            value = COMPARE_MODES[0]
        plain = value if value is None or isinstance(value, (str, tuple)) else str(value)
        rows.append(EffectiveSetting(key=field, value=plain, origin=origin))
    return rows
