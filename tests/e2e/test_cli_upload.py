"""`record --to` and raw uploads against a real server: tokens of one connection, refusals, and retries."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
import uvicorn

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models.lineage import ColumnGraph
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.state.connections import add_connection, get_connection, update_connection
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.projects import hand_over_project
from recce_meta.repositories.state.tables import project_owners, pull_requests
from recce_meta.repositories.state.tasks import list_tasks
from recce_meta.repositories.state.tokens import TokenScope, add_token
from recce_meta.repositories.state.types import RepositoryConnection, TaskKind
from recce_meta.server.access import limits as uploads
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.site import uploads as manifests
from recce_meta.server.stores.stores import Store
from recce_meta.sync import server_client
from tests.e2e.conftest import Cli
from tests.support.forge_names import Forge
from tests.support.states import DATABASES, opened, state_address

pytestmark = pytest.mark.extensive

SHOP, OTHER = "0a1b2c3d4e5f", "5f4e3d2c1b0a"
SERVE = "the token of the serving command"


@dataclass(frozen=True)
class Served:
    """A running server with two connections."""

    url: str
    service: RepositoryService
    app: Any
    token: str = field(repr=False)
    """Token with the scope `upload` of the connection `shop`."""

    @property
    def state(self) -> State:
        """State of the server."""
        return self.service.state

    def jobs(self, name: str = "shop") -> list[tuple[str, str | None]]:
        """Return status and error of the jobs of a connection, the newest first."""
        return [(job.status.value, job.error) for job in self.service.jobs_of(name).newest()]


@contextmanager
def running(app: Any) -> Iterator[str]:
    """Yield the address of a server of *app*."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)


@pytest.fixture
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """Yield a server with a state in SQLite or PostgreSQL, and a store in DuckDB that does not exist yet."""
    database = getattr(request, "param", "sqlite")
    postgres = request.getfixturevalue("postgres_url") if database == "postgres" else ""
    with state_address(database, tmp_path, postgres) as address, opened(address) as state:
        for connection_id, name in ((SHOP, "shop"), (OTHER, "other")):
            add_connection(
                state,
                RepositoryConnection(
                    id=connection_id,
                    name=name,
                    type=Forge.GIT,
                    repo_url="",
                    branches=("main",),
                    is_upload_only=True,
                    poll_minutes=None,
                    created_at=datetime.now(timezone.utc),
                    created_by="ann",
                ),
            )
        _, text = add_token(state, "ci", [TokenScope.UPLOAD], connection_id=SHOP)
        url = f"duckdb:///{tmp_path / 'served.duckdb'}"
        store = Store("default", lambda: UnifiedSqlAdapter.from_url(url))
        service = RepositoryService(state, environ={}, stores=["default"])
        app = create_app({"default": store}, Access(SERVE), service)
        with running(app) as base:
            yield Served(base, service, app, text)


@pytest.fixture
def cli(cli: Cli, served: Served) -> Cli:
    return cli.within(RECCE_META_TOKEN=served.token)


@pytest.fixture(autouse=True)
def _no_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_client, "DELAYS", (0.0, 0.0))


def runs(served: Served) -> list[dict[str, Any]]:
    """Return the runs in the store of the server, the newest first; none without a store."""
    request = Request(f"{served.url}/api/stores/default/runs", headers={"Authorization": f"Bearer {SERVE}"})
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
            found: list[dict[str, Any]] = json.load(answer)["items"]
            return found
    except HTTPError as error:
        assert json.load(error)["error"]["code"] == "store_not_found"
        return []


@pytest.mark.parametrize("served", DATABASES, indirect=True)
def test_ci_uploads_what_it_built(served: Served, cli: Cli, project: Path) -> None:
    done = cli.within(project)(
        "record", "--to", served.url, "--branch", "main", "--git-sha", "0A1B2C3" + "0" * 33
    )

    assert done.code == 0, done.err
    assert "of jaffle_shop as prod" in done.out and "10 models" in done.out and "tier GOLD" in done.out
    job, *_ = served.service.jobs_of("shop").newest()
    assert (job.status.value, job.branch, job.commit_sha, job.requested_by) == (
        "success", "main", "0a1b2c3" + "0" * 33, "token ci",
    )  # fmt: skip
    tasks = list_tasks(served.state, connection_id=SHOP)
    assert [(one.kind, one.payload) for one in tasks] == [(TaskKind.FOLLOW_UP, {"job": job.job_id})]
    again = cli.within(project)("record", "--to", served.url, "--format", "json", "--branch", "main")
    document = json.loads(again.out)
    assert (document["is_new"], document["connection"], document["environment"]) == (False, "shop", "prod")
    assert not (project / "store.duckdb").exists(), "no store is opened"


def test_hook_uploads_after_its_command(served: Served, cli: Cli, project: Path) -> None:
    manifest = project / "target" / "manifest.json.gz"
    command = ("hook", "--to", served.url, "--branch", "main", "--", "touch", str(manifest))
    done = cli.within(project)(*command)

    assert (done.code, done.out) == (0, "") and "Recorded run" in done.err
    gone = cli.within(project, RECCE_META_TOKEN="rm_x")(*command)
    assert gone.code == 0 and "Run not recorded" in gone.err
    strict = cli.within(project, RECCE_META_TOKEN="rm_x")("hook", "--strict", *command[1:])
    assert strict.code == 3


def test_a_pull_request_has_an_environment_and_a_report_if_it_is_known(
    served: Served, cli: Cli, project: Path
) -> None:
    upload_it = ("record", "--to", served.url, "--pull-request", "7", "--branch", "any/branch")
    unknown = cli.within(project)(*upload_it)
    assert unknown.code == 0, unknown.err
    assert "as pull-request-7" in unknown.out
    assert not list_tasks(served.state, connection_id=SHOP)
    now = datetime.now(timezone.utc)
    with served.state.write() as session:
        session.execute(
            pull_requests.insert().values(
                connection_id=SHOP,
                number=7,
                title="",
                state="open",
                base_branch="main",
                head_branch="any/branch",
                is_fork=False,
                updated_at=now,
            )
        )
    assert cli.within(project)(*upload_it).code == 0
    (task,) = list_tasks(served.state, connection_id=SHOP)
    assert (task.kind, task.payload) == (TaskKind.REPORT, {"number": 7})
    first, *_ = served.service.jobs_of("shop").newest()
    assert (first.source.value, first.pull_request, first.branch) == ("pull_request", 7, "pull request 7")
    found = runs(served)[0]
    assert (found["environment"], found["pull_request"], found["branch"]) == (
        "pull-request-7",
        "7",
        "any/branch",
    )
    assert served.service.get("shop").last_extraction_at is None


def rename_project(project: Path, name: str, **metadata: str) -> None:
    """Write *name* into the manifest of *project*, with other *metadata*."""
    file = project / "target" / "manifest.json.gz"
    manifest = json.loads(gzip.decompress(file.read_bytes()))
    manifest["metadata"] |= {"project_name": name, "invocation_id": f"of {name}", **metadata}
    file.write_bytes(gzip.compress(json.dumps(manifest).encode()))


def test_artifacts_of_another_project_are_refused_until_the_connection_claims_it(
    served: Served, cli: Cli, project: Path
) -> None:
    to = ("record", "--to", served.url, "--branch", "main")
    assert cli.within(project)(*to).code == 0
    rename_project(project, "renamed")

    refused = cli.within(project)(*to)

    assert refused.code == 3 and "'renamed'" in refused.err
    assert "recce-meta connection claim shop renamed" in refused.err
    assert served.jobs()[0][0] == "failed" and "'renamed'" in str(served.jobs()[0][1])
    assert served.service.get("shop").status.value == "failed"
    assert len(runs(served)) == 1, "nothing of it is visible"
    kinds = [task.kind for task in list_tasks(served.state, connection_id=SHOP)]
    assert kinds == [TaskKind.FOLLOW_UP] * 2
    claimed = cli("connection", "claim", "shop", "renamed", "--state", str(served.state.url))
    assert (claimed.code, claimed.err) == (0, "shop records the project renamed\n")
    assert cli.within(project)(*to).code == 0
    assert served.service.get("shop").status.value == "active"


def test_two_connections_do_not_record_one_project(served: Served, cli: Cli, project: Path) -> None:
    to = ("record", "--to", served.url, "--branch", "main")
    assert cli.within(project)(*to).code == 0
    _, text = add_token(served.state, "other ci", [TokenScope.UPLOAD], connection_id=OTHER)
    other = cli.within(project, RECCE_META_TOKEN=text)
    for options in ((), ("--pull-request", "7"), ("-e", "pull-request-7")):
        refused = other(*to, *options)
        assert refused.code == 3 and f"belongs to uploads to the connection {SHOP}" in refused.err
        assert "choose another --environment or --store" in refused.err
    rename_project(project, "jaffle_shop", invocation_id="of dev")
    for environment in ("dev", "dev-pull-request-7"):
        refused = other(*to, "-e", environment)
        assert refused.code == 3 and f"The environment {environment} is not one of other" in refused.err
        assert "connection add --upload-only --environment" in refused.err
    update_connection(served.state, OTHER, environment="dev")
    assert other(*to).code == 0
    assert cli.within(project)(*to, "-e", "dev").code == 3
    assert sorted(one["environment"] for one in runs(served)) == ["dev", "prod"]


def test_connections_that_shared_a_project_before_continue_with_a_note(
    served: Served, cli: Cli, project: Path
) -> None:
    to = ("record", "--to", served.url, "--branch", "main")
    _, text = add_token(served.state, "other ci", [TokenScope.UPLOAD], connection_id=OTHER)
    other = cli.within(project, RECCE_META_TOKEN=text)
    assert other(*to).code == 0
    with served.state.write() as session:
        session.execute(project_owners.delete())
    rename_project(project, "jaffle_shop", invocation_id="of shop")
    assert cli.within(project)(*to).code == 0

    assert other(*to).code == 0

    job, *_ = served.service.jobs_of("other").newest()
    messages = [event.message for event in served.service.jobs_of("other").events(job.job_id)]
    assert any("the histories of both are mixed" in message for message in messages)
    assert cli("connection", "claim", "shop", "jaffle_shop", "--state", str(served.state.url)).code == 0
    assert other(*to).code == 3


@pytest.mark.parametrize("served", DATABASES, indirect=True)
def test_an_upload_records_nothing_if_its_project_is_handed_over_meanwhile(
    served: Served, cli: Cli, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hand_over(*_: object) -> ColumnGraph:
        hand_over_project(served.state, get_connection(served.state, OTHER), "jaffle_shop")
        return ColumnGraph(lineage_ids={}, analyses={})

    monkeypatch.setattr(manifests, "_new", hand_over)
    done = cli.within(project)("record", "--to", served.url, "--branch", "main")
    assert done.code == 3 and f"belongs to uploads to the connection {OTHER}" in done.err
    assert served.jobs()[0][0] == "failed" and runs(served) == []


def test_a_time_in_the_future_becomes_that_of_the_upload(served: Served, cli: Cli, project: Path) -> None:
    rename_project(project, "jaffle_shop", generated_at="2099-01-01T00:00:00Z")
    done = cli.within(project)("record", "--to", served.url, "--branch", "main", "--format", "json")
    assert done.code == 0, done.err
    # The results are older than such a manifest.
    _, warning = json.loads(done.out)["warnings"]
    assert "2099-01-01 00:00 UTC, is in the future" in warning
    (run,) = runs(served)
    assert run["run_at"] < "2090"


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--stats", "profile"], 2, "--stats cannot be combined with --to"),
        (["--url", "duckdb:///x.duckdb"], 2, "--url cannot be combined with --to"),
        (["--from", "sql"], 2, "--from cannot be combined with --to"),
        (["--branch", "nope"], 3, "does not follow the branch"),
        (["--pull-request", "x"], 2, "Invalid pull request"),
        (["--connection", "other"], 3, "connection 'other'"),
        (["--connection", "nothing"], 3, "connection 'nothing'"),
        (["--git-sha", "not hex"], 3, "Invalid parameter commit_sha"),
        (["-e", "a:b"], 3, "Invalid name for an environment"),
        (["--target-path", "."], 3, "No manifest.json"),
    ],
)
def test_wrong_options_have_an_error_with_a_next_step(
    served: Served, cli: Cli, project: Path, options: list[str], code: int, message: str
) -> None:
    done = cli.within(project)("record", "--to", served.url, *options)

    assert done.code == code, done.err
    assert message in done.err and "hint: " in done.err + ("hint: " if "connection '" in message else "")
    assert served.token not in done.err


def test_options_of_uploads_require_a_server(cli: Cli, project: Path) -> None:
    done = cli.within(project)("record", "--connection", "shop")
    assert done.code == 2 and "--connection requires --to" in done.err


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("ftp://host", "not the address of a server"),
        ("host:8765", "not the address of a server"),
        ("https://host/?token=x", "not the address of a server"),
        ("http://recce.example.com", "Plain HTTP is refused"),
        ("https://user:secret@host", "--to has credentials"),
        ("https://host:99999", "not the address of a server"),
    ],
)
def test_an_address_that_could_reveal_the_token_is_refused(
    cli: Cli, project: Path, address: str, message: str
) -> None:
    done = cli.within(project, RECCE_META_TOKEN="rm_secret")("record", "--to", address)
    assert done.code == 2 and message in done.err and "secret" not in done.err.replace("rm_secret", "")
    assert "rm_secret" not in done.err


def test_allowed_hosts_may_use_plain_http() -> None:
    environ = {"RECCE_META_ALLOWED_HOSTS": "ci.internal:8765"}
    found = server_client.parse_server("http://CI.internal:8765/recce/", environ)
    assert (found.netloc, found.path) == ("ci.internal:8765", "/recce")
    assert server_client.parse_server("https://[::1]", {}).netloc == "[::1]:443"


@pytest.mark.parametrize("token", [None, "rm_" + "0" * 12 + "_" + "x" * 43])
def test_a_missing_or_wrong_token_names_its_variable(
    served: Served, cli: Cli, project: Path, token: str | None
) -> None:
    own = Cli(cli.folder).within(project, **({} if token is None else {"RECCE_META_TOKEN": token}))
    done = own("record", "--to", served.url)
    assert done.code == 3 and "A token is required" in done.err and "set RECCE_META_TOKEN" in done.err


def test_a_token_of_no_connection_needs_the_option(served: Served, cli: Cli, project: Path) -> None:
    _, text = add_token(served.state, "wide", [TokenScope.UPLOAD])
    own = cli.within(project, RECCE_META_TOKEN=text)
    done = own("record", "--to", served.url, "--branch", "main")
    assert done.code == 2 and "Missing option: --connection" in done.err
    assert own("record", "--to", served.url, "--branch", "main", "--connection", "other").code == 0
    assert served.jobs("other") == [("success", None)]


def test_artifacts_that_are_cut_are_found_before_anything_is_sent(
    served: Served, cli: Cli, project: Path
) -> None:
    target = project / "target"
    for name in list(target.iterdir()):
        if name.name.startswith("catalog"):
            name.unlink()
    for content in (b"", b"[]", b'{"nodes": ', b"\xef\xbb\xbf[1]", gzip.compress(b"{}")[:-4]):
        (target / "catalog.json").write_bytes(content)
        done = cli.within(project)("record", "--to", served.url)
        assert done.code == 3 and "catalog.json" in done.err
    assert served.jobs() == []


def raw(served: Served, headers: dict[str, str], body: Iterator[bytes]) -> tuple[int, bytes, int]:
    """Send a request by hand; return the status, the answer, and the number of bytes that were sent."""
    host, port = served.url.removeprefix("http://").split(":")
    given = {"Host": f"{host}:{port}", "Authorization": f"Bearer {served.token}", **headers}
    request = f"POST /api/metadata/connections/{SHOP}/manifest HTTP/1.1"
    lines = [request, *(f"{name}: {value}" for name, value in given.items())]
    sent = 0
    with closing(socket.create_connection((host, int(port)), timeout=30)) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        try:
            for piece in body:
                connection.sendall(piece)
                sent += len(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = b""
        try:
            while part := connection.recv(65_536):
                answer += part
        except ConnectionResetError:
            pass
    status = int(answer.split(b" ", 2)[1]) if answer else 0
    return status, answer, sent


def zeros(count: int, *, chunked: bool = False) -> Iterator[bytes]:
    """Yield *count* bytes, in the chunks of HTTP if *chunked*."""
    piece = bytes(2**20)
    for _ in range(count // len(piece)):
        yield b"100000\r\n" + piece + b"\r\n" if chunked else piece


def test_two_gigabytes_are_refused_quickly(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    two = 2 * 2**30
    status, answer, sent = raw(served, {"Content-Length": str(two)}, iter(()))
    assert (status, sent) == (413, 0) and b"more than 256 MB" in answer

    status, _, sent = raw(served, {"Content-Length": str(two)}, zeros(two))
    assert status in (0, 413) and sent < 64 * 2**20, "the server does not read it"

    monkeypatch.setattr(uploads, "LARGEST_UPLOAD", 16 * 2**20)
    status, _, sent = raw(served, {"Transfer-Encoding": "chunked"}, zeros(two, chunked=True))
    assert status in (0, 413) and sent < 64 * 2**20, "the server stops at the limit"
    assert served.jobs() == [("failed", f"The upload has more than {size} MB") for size in (16, 256, 256)]
    assert runs(served) == []


@contextmanager
def slow_body(served: Served) -> Iterator[None]:
    """Send an upload whose body has a byte every now and then, until the server ends it."""
    host, port = served.url.removeprefix("http://").split(":")
    is_over = threading.Event()
    with closing(socket.create_connection((host, int(port)))) as connection:
        connection.sendall(
            f"POST /api/metadata/connections/{SHOP}/manifest HTTP/1.1\r\nHost: {host}\r\n"
            f"Authorization: Bearer {served.token}\r\nContent-Length: 1000000\r\n\r\n{{".encode()
        )

        def send() -> None:
            with suppress(OSError):
                while not is_over.wait(0.1):
                    connection.sendall(b" ")

        sending = threading.Thread(target=send)
        sending.start()
        yield
        is_over.set()
        sending.join()


def test_bodies_that_arrive_slowly_take_no_place_of_others_and_end(
    served: Served, cli: Cli, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, other = add_token(served.state, "other ci", [TokenScope.UPLOAD], connection_id=SHOP)
    sends = cli.within(project)
    command = ("record", "--to", served.url, "--branch", "main")
    monkeypatch.setattr(uploads, "START_SECONDS", 100.0)
    with slow_body(served), slow_body(served):
        deadline = time.monotonic() + 20
        while (refused := sends(*command)).code == 0 and time.monotonic() < deadline:
            pass
        assert refused.code == 3 and "Other uploads of this sender are not over" in refused.err
        assert sends.within(RECCE_META_TOKEN=other)(*command).code == 0

        monkeypatch.setattr(uploads, "START_SECONDS", 0.1)
        while len(served.jobs()) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        monkeypatch.undo()
    assert [status for status, _ in served.jobs()].count("failed") == 2
    assert "The upload arrives too slowly: " in str(served.jobs()[0][1])
    assert sends(*command).code == 0


def test_a_connection_that_breaks_leaves_a_failed_job(served: Served) -> None:
    host, port = served.url.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)))) as connection:
        connection.sendall(
            f"POST /api/metadata/connections/{SHOP}/manifest HTTP/1.1\r\nHost: {host}\r\n"
            f"Authorization: Bearer {served.token}\r\nContent-Length: 1000\r\n\r\n{{".encode()
        )
    deadline = time.monotonic() + 20
    while {status for status, _ in served.jobs()} <= {"running"} and time.monotonic() < deadline:
        time.sleep(0.05)
    assert served.jobs()[0] == ("failed", "The connection broke before the upload was complete")
