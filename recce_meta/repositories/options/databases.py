"""Options of connections of databases."""

from __future__ import annotations

from recce_meta.repositories.options.declaring import CHANGE, NEW, STORED, Declared, Flag, Input, option


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
