"""Connections, jobs and API tokens as text and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from msgspec import Struct

from recce_meta.errors import plural
from recce_meta.report.labels import age_phrase, moment, short_sha
from recce_meta.report.runs import checks_text
from recce_meta.report.terminal import (
    BLANK,
    Line,
    Span,
    Style,
    grid,
    heading_row,
    one_line,
    plain_line,
    pretty_json,
    render,
    table,
)
from recce_meta.repositories.service.answers import (
    AddedConnection,
    ConnectionAnswer,
    ConnectionTest,
    ExtractAnswer,
    JobAnswer,
    JobDetails,
    ProgressAnswer,
    StageAnswer,
)
from recce_meta.repositories.service.webhooks import WebhookAnswer
from recce_meta.repositories.state.tokens import ApiToken
from recce_meta.repositories.state.types import ConnectionStatus, JobStatus, Stage, project_of

_STATUS_STYLES = {
    ConnectionStatus.ACTIVE: Style.GREEN,
    ConnectionStatus.EXTRACTING: Style.CYAN,
    ConnectionStatus.FAILED: Style.RED,
    ConnectionStatus.DISCONNECTED: Style.DIM,
}
_JOB_STYLES = {
    JobStatus.SUCCESS: Style.GREEN,
    JobStatus.FAILED: Style.RED,
    JobStatus.CANCELLED: Style.YELLOW,
    JobStatus.RUNNING: Style.CYAN,
}
_STAGE_STYLES = {"success": Style.GREEN, "failed": Style.RED, "running": Style.CYAN}


class ConnectionsDocument(Struct, frozen=True, kw_only=True):
    """Output of `connection list --format json`."""

    schema: str = "recce_meta/connections/v1"
    connections: Sequence[ConnectionAnswer]


class ConnectionDocument(Struct, frozen=True, kw_only=True):
    """Output of `connection show --format json`."""

    schema: str = "recce_meta/connection/v1"
    connection: ConnectionAnswer
    progress: ProgressAnswer | None
    """The running job, else the last one; null without any job."""
    jobs: Sequence[JobAnswer]
    """The newest first."""


class JobDocument(Struct, frozen=True, kw_only=True):
    """Output of `connection show --job ID --format json` and of `connection extract --wait --format json`."""

    schema: str = "recce_meta/extraction-job/v1"
    details: JobDetails


class ConnectionTestDocument(Struct, frozen=True, kw_only=True):
    """Output of `connection test --format json`, and of `connection notify --test --format json`."""

    schema: str = "recce_meta/connection-test/v1"
    result: ConnectionTest


class ExtractDocument(Struct, frozen=True, kw_only=True):
    """Output of `connection extract --format json`."""

    schema: str = "recce_meta/extract/v1"
    requested: ExtractAnswer


class WebhookDocument(Struct, frozen=True, kw_only=True):
    """Output of `connection webhook --format json`."""

    schema: str = "recce_meta/webhook/v1"
    webhook: WebhookAnswer


class TokensDocument(Struct, frozen=True, kw_only=True):
    """Output of `token list --format json`."""

    schema: str = "recce_meta/tokens/v1"
    tokens: Sequence[ApiToken]


def document_json(document: Struct) -> str:
    """Return *document* as indented JSON."""
    return pretty_json(document)


def connections_text(connections: Sequence[ConnectionAnswer], *, width: int, color: bool) -> str:
    """Return one line for each connection."""
    if not connections:
        lines: list[Line] = [plain_line("No connections: add one with recce-meta connection add URL")]
        return render(lines, width=width, color=color)
    heads = heading_row("name", "repository", "branches", "status", "last run", "commit", "tier", "error")
    rows = [heads, *map(_connection_row, connections)]
    return render(grid(rows, width=width, indent=0), width=width, color=color)


def _connection_row(connection: ConnectionAnswer) -> list[Span]:
    place = connection.repo_url
    if connection.subdirectory:
        place += f" ({connection.subdirectory})"
    return [
        Span(connection.name, Style.CYAN),
        Span(place),
        Span(", ".join(connection.branches)),
        Span(_status(connection), _STATUS_STYLES[connection.status]),
        Span(moment(connection.last_extraction_at)),
        Span(short_sha(connection.last_commit_sha)),
        Span(connection.tier.value if connection.tier else ""),
        Span(one_line(connection.error or ""), Style.RED),
    ]


def connection_text(
    connection: ConnectionAnswer, jobs: Sequence[JobAnswer], *, width: int, color: bool
) -> str:
    """Return the settings of *connection*, what it does, and its *jobs*."""
    status = Span(f"  {_status(connection)}", _STATUS_STYLES[connection.status])
    facts = [[Span(label, Style.DIM), Span(value)] for label, value in _facts(connection) if value]
    lines: list[Line] = [(Span(connection.name, Style.BOLD), status), *table(facts)]
    if connection.error:
        lines += [BLANK, (Span("error: ", Style.RED), Span(one_line(connection.error)))]
    if connection.forge_error:
        lines += [BLANK, (Span("forge: ", Style.RED), Span(one_line(connection.forge_error)))]
    if jobs:
        heads = heading_row(
            "job", "branch", "status", "trigger", "requested", "took", "commit", "tier", "why"
        )
        rows = [heads, *map(_job_row, jobs)]
        lines += [BLANK, *grid(rows, width=width)]
    return render(lines, width=0, color=color)


def _status(connection: ConnectionAnswer) -> str:
    return f"{connection.status.value}, paused" if connection.is_paused else connection.status.value


def _facts(connection: ConnectionAnswer) -> list[tuple[str, str | None]]:
    profile = connection.profile
    target = [f"{name} {value}" for name in profile.__struct_fields__ if (value := getattr(profile, name))]
    polled = "never" if connection.poll_minutes is None else f"every {connection.poll_minutes:g} minutes"
    next_check = f", next {moment(connection.next_check_at)}" if connection.next_check_at else ""
    return [
        ("id", connection.id),
        ("repository" if connection.database is None else "database", connection.repo_url),
        ("type", connection.type),
        ("branches", ", ".join(connection.branches) if connection.database is None else None),
        ("subdirectory", connection.subdirectory),
        *_database_facts(connection),
        ("token", _login(connection)),
        ("store", f"{connection.store}, environment {connection.environment}"),
        ("adapter", connection.adapter),
        ("profile", ", ".join(target)),
        ("variables", ", ".join(f"{name}={value}" for name, value in connection.variables.items())),
        ("dbt", connection.required_dbt_version),
        ("isolation", connection.isolation.value if connection.isolation else None),
        ("trusted", "yes" if connection.is_trusted else None),
        ("requires dbt", "yes" if connection.requires_dbt else None),
        ("polled" if connection.database is None else "scanned", polled + next_check),
        ("fails on", ", ".join(connection.fail_on)),
        ("notifications", ", ".join(connection.notify)),
        ("last run", _last_run(connection)),
        ("added", f"{moment(connection.created_at)} by {connection.created_by}"),
    ]


def _database_facts(connection: ConnectionAnswer) -> list[tuple[str, str | None]]:
    if (found := connection.database) is None:
        return []
    quality = found.quality_minutes
    return [
        ("url", "stored" if found.has_url else None),
        ("project", project_of(connection)),
        ("schemas", ", ".join(found.schemas)),
        ("include", ", ".join(found.include)),
        ("exclude", ", ".join(found.exclude)),
        ("quality", "never" if quality is None else f"every {quality:g} minutes"),
    ]


def _login(connection: ConnectionAnswer) -> str | None:
    if connection.github_app is not None:
        return f"GitHub App {connection.github_app.app_id}"
    if connection.token_env is not None:
        return f"variable {connection.token_env} of the worker"
    if not connection.has_token:
        return None
    return f"stored, ends with {connection.token_hint}" if connection.token_hint else "stored"


def _last_run(connection: ConnectionAnswer) -> str | None:
    if connection.last_extraction_at is None:
        return None
    dbt = f"dbt {connection.dbt_version}" if connection.dbt_version else ""
    tier = connection.tier.value if connection.tier else ""
    parts = (moment(connection.last_extraction_at), short_sha(connection.last_commit_sha), tier, dbt)
    return ", ".join(filter(None, parts))


def _job_row(job: JobAnswer) -> list[Span]:
    # What is cleaned up has failed before.
    has_stage = job.stage not in (None, Stage.CLEAN_UP) and job.status is not JobStatus.SUCCESS
    stage = f" in {job.stage.value}" if job.stage and has_stage else ""
    seconds = job.figures.seconds
    return [
        Span(job.job_id, Style.CYAN),
        Span(job.branch),
        Span(job.status.value + stage, _JOB_STYLES.get(job.status, Style.PLAIN)),
        Span(job.trigger.value),
        Span(age_phrase(job.requested_at, datetime.now(timezone.utc))),
        Span("" if seconds is None else f"{seconds:.1f} s"),
        Span(short_sha(job.commit_sha)),
        Span(job.extraction_tier.value if job.extraction_tier else ""),
        Span(one_line(job.error or job.fallback or ""), Style.DIM),
    ]


def job_text(details: JobDetails, *, color: bool) -> str:
    """Return the steps of a job, its outcome and its log."""
    lines: list[Line] = [(Span(details.job.job_id, Style.BOLD), Span(f"  {details.job.status.value}"))]
    lines += table([_stage_row(stage) for stage in details.stages])
    lines += [BLANK, *_outcome(details.job)]
    if details.log:
        lines.append(BLANK)
        for event in details.log:
            stage = event.stage.value if event.stage else ""
            words = " ".join(filter(None, (stage, event.status, one_line(event.message))))
            lines.append((Span(f"{event.at:%H:%M:%S} ", Style.DIM), Span(words)))
    return render(lines, width=0, color=color)


def _stage_row(stage: StageAnswer) -> list[Span]:
    return [
        Span(stage.name.value),
        Span(stage.status, _STAGE_STYLES.get(stage.status, Style.DIM)),
        Span("" if stage.seconds is None else f"{stage.seconds:.1f} s"),
        Span(one_line(stage.message), Style.DIM),
    ]


def stage_line(stage: StageAnswer, *, color: bool) -> str:
    """Return one step that ended, as `extract --wait` prints it."""
    cells = _stage_row(stage)
    # Lines are printed one at a time, so that the widths must be fixed.
    padded = [cells[0]._replace(text=f"{cells[0].text:<13}"), cells[1]._replace(text=f"{cells[1].text:<8}")]
    padded += [cells[2]._replace(text=f"{cells[2].text:>8}  "), cells[3]]
    return render([padded], width=0, color=color).rstrip("\n")


def outcome_text(job: JobAnswer, *, color: bool) -> str:
    """Return how *job* ended."""
    return render(_outcome(job), width=0, color=color)


def _outcome(job: JobAnswer) -> list[Line]:
    """Return the result of a job: the run, or the error with its hint."""
    style = _JOB_STYLES.get(job.status, Style.PLAIN)
    figures = job.figures
    parts = [f"commit {short_sha(job.commit_sha)}" if job.commit_sha else ""]
    if job.run_id:
        parts.append(f"run {job.run_id[:8]}" + ("" if job.is_new else ", stored before"))
    if job.extraction_tier:
        parts.append(job.extraction_tier.value)
    parts += [
        f"dbt {job.dbt_version}" if job.dbt_version else "",
        job.isolation.value if job.isolation else "",
    ]
    parts += [plural(figures.objects, "object")] if figures.objects is not None else []
    parts += [f"{figures.seconds:.1f} s"] if figures.seconds is not None else []
    text = " · ".join(filter(None, parts))
    lines: list[Line] = [(Span(job.status.value, style), Span(f"  {text}" if text else ""))]
    if job.fallback:
        lines.append(plain_line(f"  fallback: {one_line(job.fallback)}"))
    if job.error:
        lines.append((Span("error: ", Style.RED), Span(one_line(job.error))))
    if job.hint:
        lines.append((Span("hint: ", Style.YELLOW), Span(one_line(job.hint))))
    return lines


def test_text(result: ConnectionTest, *, color: bool) -> str:
    """Return a line for each check, and the dbt projects if there are several."""
    text = checks_text(result.checks, color=color)
    if len(result.projects) < 2:
        return text
    folders = [plain_line(f"  {folder or '.'}") for folder in result.projects]
    return text + render([BLANK, plain_line("dbt projects:"), *folders], width=0, color=color)


def added_text(added: AddedConnection, *, color: bool) -> str:
    """Return the test of a new connection, its name, and its first jobs."""
    connection = added.connection
    lines: list[Line] = [(Span("Connected ", Style.GREEN), Span(connection.name, Style.BOLD))]
    lines += [plain_line(f"  requested {job.job_id}") for job in added.jobs]
    lines.append(plain_line(f"  follow it: recce-meta connection show {connection.name}"))
    head = "" if added.test is None else checks_text(added.test.checks, color=color)
    return head + render(lines, width=0, color=color)


def webhook_text(found: WebhookAnswer, *, color: bool) -> str:
    """Return the state of a webhook, and the steps for a person if there are any."""
    state = Span("active", Style.GREEN) if found.active else Span("not confirmed", Style.YELLOW)
    lines: list[Line] = [(Span("webhook: "), state), plain_line(f"url: {found.url or '-'}")]
    lines.append(plain_line(f"events: {', '.join(found.events) or '-'}"))
    if (last := found.last_delivery) is not None:
        text = f"last delivery: {moment(last.received_at)}  {last.event}  {last.outcome}"
        lines.append(plain_line(f"{text}  {one_line(last.reason)}" if last.reason else text))
    if found.error:
        lines.append((Span("error: ", Style.RED), Span(one_line(found.error))))
    if found.manual is not None:
        lines += [BLANK, plain_line("Create it by hand:")]
        lines += [
            plain_line(f"  {number}. {step}") for number, step in enumerate(found.manual.steps, start=1)
        ]
        lines += [BLANK, plain_line(f"secret, shown only now: {found.manual.secret}")]
    elif found.hint:
        lines.append((Span("hint: ", Style.YELLOW), Span(found.hint)))
    return render(lines, width=0, color=color)


def tokens_text(tokens: Sequence[ApiToken], *, width: int, color: bool) -> str:
    """Return one line for each API token."""
    if not tokens:
        return render([plain_line("No tokens")], width=width, color=color)
    rows = [heading_row("name", "id", "scopes", "connection", "created", "expires", "last used")]
    for token in tokens:
        times = (token.created_at, token.expires_at, token.last_used_at)
        scopes = ", ".join(scope.value for scope in token.scopes)
        texts = (token.id, scopes, token.connection_id or "", *map(moment, times))
        rows.append([Span(token.name, Style.CYAN), *map(Span, texts)])
    return render(grid(rows, width=width, indent=0), width=width, color=color)
