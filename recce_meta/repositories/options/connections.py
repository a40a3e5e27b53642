"""Options of connections: those of every one, most of them about repositories, and those of databases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from recce_meta.repositories.options.declaring import CHANGE, NEW, STORED, Declared, Flag, Input, option

if TYPE_CHECKING:
    from recce_meta.models.run import IsolationKind
    from recce_meta.repositories.options.values import GitHubApp, ProfileTarget


class DatabaseSettings(Declared, frozen=True, kw_only=True):
    """What a user chooses for the connection of a database."""

    target: str | None = option(None)
    """Target in the profiles.yml of the worker; None for the default one, or if there is a URL."""
    profile: str | None = option(None)
    """Profile in the profiles.yml of the worker; None if there is a URL."""
    url_env: str | None = option(
        None,
        Flag(
            "--url-env=VARIABLE", "Environment variable of the workers that contains the URL of the database."
        ),
        Flag(
            "--url-file",
            "File with the URL of the database, - for standard input; it is stored encrypted.",
            kind="file",
        ),
        Flag("--ask-url", "Ask for the URL of the database; it is stored encrypted.", kind="ask"),
        Flag("--profile-name=NAME", "Profile of the workers' profiles.yml for the database."),
    )
    """Environment variable of the worker that holds the URL."""
    has_url: bool = option(False, parts=(STORED,))
    """Whether an encrypted URL is stored."""
    is_confined: bool = option(False, parts=(STORED,))
    """Whether the URL arrived over the network, and may reach neither all hosts nor all files."""
    schemas: tuple[str, ...] = option(
        (),
        Flag(
            "--schema=PATTERN schema_patterns",
            "Schema of the database to read; repeat it for several.",
            "all",
        ),
        Input("scope", "Schemas"),
    )
    """Names or patterns of schemas; empty for all but those of the system."""
    include: tuple[str, ...] = option(
        (),
        Flag(
            "--include=PATTERN include_patterns",
            "Relations to read, as name or schema.name; repeat it.",
            "all",
        ),
        Input("scope", "Relations", "as name or schema.name"),
    )
    """Patterns of relations; empty for all."""
    exclude: tuple[str, ...] = option(
        (),
        Flag("--exclude=PATTERN exclude_patterns", "Relations to leave out; repeat it."),
        Input("scope", "Except"),
    )
    project: str | None = option(
        None,
        Flag("--project=NAME", "Project of the scans.", "the name"),
        Input("runs", "Project", "by default the name"),
    )
    """Project of the runs. Default: the name of the connection."""
    scan_minutes: float | None = option(
        60,
        Flag("--scan-minutes", "Minutes between scans: 1 to 10080, or 0 for never."),
        Input("runs", "Scan every", "minutes; empty for never"),
        parts=(NEW, CHANGE),
    )
    """Minutes between two scans; None for never."""
    quality_minutes: float | None = option(
        24 * 60,
        Flag("--quality-minutes", "Minutes between measurements of quality: 1 to 10080, or 0 for never."),
        Input("runs", "Measure quality every", "minutes; empty for never"),
    )
    """Minutes between two measurements of quality; None for never."""


class ConnectionOptions(Declared, frozen=True, kw_only=True):
    """What a user chooses for a connection."""

    access_token: str | None = option(None, parts=(NEW, CHANGE))
    """Token, which is stored encrypted; null removes the stored one."""
    token_env: str | None = option(
        None,
        Flag(
            "--token-env=VARIABLE", "Environment variable of the worker that contains the repository's token."
        ),
        Flag(
            "--token-file repository_token_file",
            "File with the repository's token, - for standard input; the token is stored encrypted.",
            kind="file",
        ),
        Flag("--ask-token", "Ask for the repository's token; it is stored encrypted.", kind="ask"),
        is_of_owner=True,
        is_of_reading=True,
    )
    """Environment variable of the worker that holds the token."""
    github_app: GitHubApp | None = option(
        None,
        Flag(
            "--github-app=APP:INSTALLATION",
            "Ids of a GitHub App and of its installation; requires --private-key-file.",
            kind="app",
        ),
        is_of_reading=True,
    )
    private_key: str | None = option(
        None,
        Flag(
            "--private-key-file",
            "File with the private key of the GitHub App; it is stored encrypted.",
            kind="key",
        ),
        parts=(NEW, CHANGE),
    )
    """Private key of the GitHub App, as PEM."""
    store: str = option(
        "default",
        Flag("--store=NAME store_name", "Store to record runs in, of `stores` in recce_meta.yml.", "default"),
        Input("runs", "Store"),
        is_of_any=True,
    )
    """Name of the store that runs are recorded in, one of those that server and workers open."""
    environment: str = option(
        "prod",
        Flag("-e --environment run_environment", "Environment of the recorded runs.", "prod"),
        Input("runs", "Environment"),
        is_of_any=True,
    )
    """Environment of the recorded runs."""
    adapter: str | None = option(
        None,
        Flag("--adapter=NAME", "Adapter of dbt, such as snowflake.", "found in the repository"),
        Input("dbt", "Adapter", "from the repository"),
    )
    """Adapter of dbt, such as snowflake; None to find it in the repository."""
    profile: ProfileTarget = option(
        ...,
        Flag("--target-name=NAME", "Name of dbt's target.", "dev", kind="part"),
        Flag("--target-schema=NAME", "Schema of the target.", "analytics", kind="part"),
        Flag("--target-database=NAME", "Database of the target.", "analytics", kind="part"),
        Input("dbt", "Target", "name of the target in profiles.yml", name="target"),
        Input("dbt", "Schema", name="schema"),
        Input("dbt", "Database", name="database"),
    )
    variables: Mapping[str, str] = option(
        {},
        Flag(
            "--var=NAME=VALUE environment_variables",
            "Variable for env_var() in the project, not secret; repeat it for several.",
            kind="variables",
        ),
        Input("dbt", "Variables", "one NAME=VALUE in each line, for env_var; not for secrets"),
    )
    """Environment variables for dbt that are not secret."""
    dbt_version: str | None = option(
        None,
        Flag(
            "--dbt-version=MINOR", "Version of dbt, such as 1.10.", "newest that require-dbt-version allows"
        ),
        Input("dbt", "Version of dbt", "such as 1.10; empty for what the project requires"),
    )
    """Minor version of dbt, such as 1.10; None for what the project requires."""
    isolation: IsolationKind | None = option(
        None,
        Flag("--isolation", "How dbt is kept apart.", "the strongest that works"),
        Input("dbt", "Isolation", "the strongest that works"),
        choices=("docker", "bubblewrap", "process"),
    )
    """How dbt is kept apart; None for the strongest kind that works."""
    is_trusted: bool = option(
        False,
        Flag(
            "--trusted/--not-trusted is_trusted",
            "Allow its files to be run without isolation, if none works.",
        ),
        Input(
            "dbt",
            "Run files of the repository without isolation",
            "Only for repositories that you trust like the server itself.",
        ),
        is_of_owner=True,
    )
    """Whether the owner allows its files to be run without isolation."""
    requires_dbt: bool = option(
        False,
        Flag(
            "--require-dbt/--no-require-dbt requires_dbt",
            "Fail if dbt cannot parse the project, instead of reading its files.",
        ),
        Input(
            "dbt",
            "Fail if dbt cannot parse the project",
            "Otherwise it is read without dbt, with less detail.",
        ),
    )
    """Whether a job fails if dbt cannot parse the project, and reads it in no other way."""
    accepts_without_dbt: bool = option(
        False,
        Flag(
            "--accept-without-dbt/--no-accept-without-dbt accepts_without_dbt",
            "Let the commit status of a pull request succeed if both sides were read without dbt.",
        ),
        Input("pull requests", "Status may succeed without dbt"),
        since=(11, "BOOLEAN DEFAULT FALSE NOT NULL"),
        is_of_reading=True,
    )
    """Whether the commit status of a pull request may succeed if both sides were read without dbt."""
    poll_minutes: float | None = option(
        15,
        Flag("--poll-minutes", "Minutes between looks at the branches: 1 to 10080, or 0 for never."),
        Input("runs", "Check every", "minutes; empty turns automatic refresh off"),
        is_of_reading=True,
    )
    """Minutes between looks at the branches, or between scans of a database; None for never."""
    is_paused: bool = option(
        False, parts=(STORED, CHANGE), since=(10, "BOOLEAN DEFAULT FALSE NOT NULL"), is_of_any=True
    )
    """Whether nothing is read on a schedule or because of a webhook; jobs may still be requested."""
    is_upload_only: bool = option(False, parts=(STORED, NEW), since=(3, "BOOLEAN DEFAULT FALSE NOT NULL"))
    """Whether runs only come from uploads; the repository is never read, and its address may be empty."""
    watches_pull_requests: bool = option(
        True,
        Flag(
            "--pull-requests/--no-pull-requests watches_pull_requests",
            "Compare pull requests, and write a comment and a commit status.",
        ),
        Input("pull requests", "Compare pull requests"),
        since=(3, "BOOLEAN DEFAULT TRUE NOT NULL"),
        is_of_reading=True,
    )
    """Whether pull requests are compared, and get a comment and a commit status."""
    fail_on: tuple[str, ...] = option(
        (),
        Flag(
            "--fail-on=CONDITIONS",
            "Conditions of diff --fail-on under which the commit status of a pull request fails, "
            "such as breaking; none for never.",
            "none",
            kind="words",
        ),
        Input(
            "pull requests",
            "Status fails on",
            "conditions of diff --fail-on, separated by commas: {conditions}; empty to never fail",
        ),
        since=(3, "JSON DEFAULT '[]' NOT NULL"),
        is_of_reading=True,
        is_of_any=True,
    )
    """Conditions of `diff --fail-on` under which the commit status of a pull request fails."""
    runs_checks: bool = option(
        False,
        Flag(
            "--run-checks/--no-run-checks runs_checks",
            "Run checks.yml and quality.yml of the repository in the store's warehouse after each "
            "extraction, not for forks.",
        ),
        Input(
            "pull requests",
            "Run checks.yml and quality.yml after an extraction",
            "They are files of the repository, and their SQL runs in the warehouse. Pull requests of forks "
            "never run them.",
        ),
        since=(3, "BOOLEAN DEFAULT FALSE NOT NULL"),
        is_of_owner=True,
    )
    """Whether checks.yml and quality.yml of the repository are run after an extraction."""
    previews_data: bool = option(
        False,
        Flag(
            "--preview-data/--no-preview-data previews_data",
            "Count the rows that a pull request changes, by queries in the store's warehouse over the tables "
            "of --target-schema, not for forks.",
        ),
        Input(
            "pull requests",
            "Count the rows that the edits change",
            "SQL of the repository runs in the warehouse of the store, over the tables of the target's "
            "schema, which must be set. That of forks never does.",
        ),
        since=(13, "BOOLEAN DEFAULT FALSE NOT NULL"),
        is_of_owner=True,
    )
    """Whether the comment on a pull request has the number of rows that its edits change."""
    upload_nodes: int = option(
        50_000,
        Flag("--upload-nodes=COUNT", "Maximum number of nodes and macros of an upload: 1 to 1000000."),
        Input("runs", "Nodes and macros of an upload", "at most"),
        since=(12, "INTEGER DEFAULT 50000 NOT NULL"),
        most=1_000_000,
        is_of_owner=True,
    )
    """Maximum number of nodes and macros of an upload."""
    upload_megabytes: int = option(
        512,
        Flag("--upload-megabytes=COUNT", "Maximum size of an upload, when inflated: 1 to 512."),
        Input("runs", "Megabytes of an upload", "when inflated, at most"),
        since=(12, "INTEGER DEFAULT 512 NOT NULL"),
        most=512,
        is_of_owner=True,
    )
    """Maximum size of an upload in megabytes, when inflated."""
    notify: tuple[str, ...] = option(
        (),
        Flag(
            "--notify=ADDRESS",
            "Address of notifications: mailto:USER@HOST, or env:VARIABLE for a URL in a variable of "
            "the workers; repeat it for several, none to remove all.",
        ),
        Flag(
            "--notify-file",
            "File with URLs of notifications, such as those of Slack or Teams, one in each line; "
            "they are stored encrypted.",
            kind="file",
        ),
        since=(3, "JSON DEFAULT '[]' NOT NULL"),
        is_of_any=True,
    )
    """Addresses of notifications. They are stored encrypted; answers show only `slack hooks.slack.com`."""
