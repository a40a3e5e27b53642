"""Jobs of uploads in the state, and tokens that are bound to one connection."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from sqlalchemy import update

from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.repositories.service.service import ConnectionNotFound, RepositoryService
from recce_meta.repositories.state.connections import add_connection, get_connection, remove_connection
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import finish_job, get_job
from recce_meta.repositories.state.tables import jobs, pull_requests
from recce_meta.repositories.state.tasks import list_tasks
from recce_meta.repositories.state.tokens import TokenScope, add_token, allows, find_token, list_tokens
from recce_meta.repositories.state.types import (
    JobOutcome,
    JobSource,
    JobStatus,
    RepositoryConnection,
    TaskKind,
)
from recce_meta.repositories.state.uploads import (
    LONGEST,
    begin_upload,
    fail_stale_uploads,
    fail_upload,
    follow_upload,
    last_runs,
)
from tests.support.states import at_once, shop


@pytest.fixture
def connection(state: State) -> RepositoryConnection:
    """Return a stored connection."""
    return add_connection(state, shop())


def know_pull_request(state: State, connection_id: str, number: int) -> None:
    """Store a pull request, as an event of a forge does."""
    with state.write() as session:
        session.execute(
            pull_requests.insert().values(
                connection_id=connection_id,
                number=number,
                title="",
                state="open",
                base_branch="main",
                head_branch="change",
                is_fork=False,
                updated_at=datetime.now(timezone.utc),
            )
        )


def test_concurrent_uploads_have_different_jobs(state: State, connection: RepositoryConnection) -> None:
    found = at_once(8, lambda: begin_upload(state, connection.id, "main", requested_by="ci").id)
    assert sorted(found) == [f"{connection.id}:main:{number}" for number in range(1, 9)]


def test_an_upload_of_a_pull_request_is_reported_if_it_is_known(
    state: State, connection: RepositoryConnection
) -> None:
    job = begin_upload(state, connection.id, "main", requested_by="ci", pull_request=7)
    assert (job.source, job.pull_request, job.branch) == (JobSource.PULL_REQUEST, 7, "pull request 7")
    ended = finish_job(state, job.id, JobStatus.SUCCESS, JobOutcome(run_id="one"))
    follow_upload(state, ended)
    assert list_tasks(state) == []

    know_pull_request(state, connection.id, 7)
    follow_upload(state, ended)
    (task,) = list_tasks(state)
    assert (task.kind, task.payload) == (TaskKind.REPORT, {"number": 7})
    assert get_connection(state, connection.id).error is None


def test_a_failed_upload_is_followed_and_shown(state: State, connection: RepositoryConnection) -> None:
    job = begin_upload(state, connection.id, "main", requested_by="ci")
    fail_upload(state, job.id, "The upload is not complete", "send it again", "upload")

    failed = get_job(state, job.id)
    assert (failed.status, failed.failure, failed.hint) == (JobStatus.FAILED, "upload", "send it again")
    assert get_connection(state, connection.id).error == "The upload is not complete"
    assert [(one.kind, one.payload) for one in list_tasks(state)] == [(TaskKind.FOLLOW_UP, {"job": job.id})]


def test_an_upload_whose_process_died_fails(state: State, connection: RepositoryConnection) -> None:
    job = begin_upload(state, connection.id, "main", requested_by="ci")
    fail_stale_uploads(state)
    assert get_job(state, job.id).status is JobStatus.RUNNING
    with state.write() as session:
        session.execute(update(jobs).values(started_at=datetime.now(timezone.utc) - 2 * LONGEST))
    fail_stale_uploads(state)
    assert get_job(state, job.id).failure == "unexpected"
    assert len(list_tasks(state)) == 1


def test_the_last_runs_are_those_of_successful_jobs(state: State, connection: RepositoryConnection) -> None:
    for number, run in enumerate(["a", "b", "a", None, "c"]):
        job = begin_upload(state, connection.id, "main", requested_by="ci")
        finish_job(
            state, job.id, JobStatus.FAILED if number == 4 else JobStatus.SUCCESS, JobOutcome(run_id=run)
        )
    assert last_runs(state, connection.id) == ["a", "b"]
    assert last_runs(state, connection.id, limit=1) == ["a"]
    assert last_runs(state, "nothing") == []


def test_a_bound_token_ends_with_its_connection(state: State, connection: RepositoryConnection) -> None:
    token, text = add_token(state, "ci", [TokenScope.UPLOAD], connection_id=connection.id)
    add_token(state, "wide", [TokenScope.READ])

    assert token.connection_id == connection.id
    found = find_token(state, text)
    assert found is not None and found.connection_id == connection.id
    assert [one.connection_id for one in list_tokens(state)] == [connection.id, None]
    remove_connection(state, connection.id)
    assert find_token(state, text) is None


def test_a_bound_token_has_no_scope_of_the_server(state: State, connection: RepositoryConnection) -> None:
    for scope in (TokenScope.ADMIN, TokenScope.QUERY):
        with pytest.raises(UsageError, match=f"scope {scope.value}"):
            add_token(state, "ci", [TokenScope.READ, scope], connection_id=connection.id)
    assert list_tokens(state) == []


def test_scopes_include_others() -> None:
    included = {scope: {needed for needed in TokenScope if allows([scope], needed)} for scope in TokenScope}
    assert included[TokenScope.ADMIN] == set(TokenScope)
    assert included[TokenScope.WRITE] == {TokenScope.READ, TokenScope.WRITE, TokenScope.UPLOAD}
    for scope in (TokenScope.READ, TokenScope.UPLOAD, TokenScope.EXTRACT, TokenScope.QUERY):
        assert included[scope] == {TokenScope.READ, scope}


def test_other_connections_do_not_exist_for_a_limited_service(
    state: State, connection: RepositoryConnection
) -> None:
    other = add_connection(state, shop(name="other"))
    job = begin_upload(state, other.id, "main", requested_by="ci")
    service = RepositoryService(state, environ={})
    limited = service.limited_to(connection.id)

    assert [one.name for one in limited.list()] == ["shop"] and len(service.list()) == 2
    assert limited.get("shop") == limited.get(connection.id)
    assert limited.active() == [] and len(service.active()) == 1
    for name in ("other", other.id, "nothing", "shopp"):
        with pytest.raises(ConnectionNotFound) as refused:
            limited.get(name)
        assert (refused.value.message, refused.value.hint) == (f"Unknown connection '{name}'", None)
    with pytest.raises(UnknownNameError):
        limited.jobs_of("shop").details(job.id)
