"""Pages of connections in a browser: live progress that survives a broken connection, ages, and the audit."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.state.jobs import add_event, finish_job, request_job, set_stage, start_job
from recce_meta.repositories.state.types import (
    ExtractionJob,
    JobOutcome,
    JobRequest,
    JobStatus,
    Stage,
    Trigger,
)
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.main import bound_socket
from recce_meta.server.pages.connections.routing import address_of
from tests.contract.server.small_store import file_url, record_side, store_at
from tests.contract.server.watched_shop import STALE_BRANCH, Watched, fill
from tests.e2e.server.test_keyboard import until
from tests.e2e.server.test_pages_in_a_browser import AUDIT, AXE, FAULTS, NARROW, WIDE
from tests.support import states
from tests.support.line import Line

HOSTILE = "<img src=x onerror='window.hacked = 1'>\u202e"
LINES = "return [...document.querySelectorAll('.log tr')].map((row) => Number(row.dataset.seq))"
STAGE = "return document.querySelector('[data-stage=%s] .tag').textContent"


@dataclass
class Streams:
    """Application that counts the streams of progress, and refuses them on demand."""

    app: ASGIApp
    begun_after: list[str | None] = field(default_factory=list)
    """`Last-Event-ID` of each stream."""
    open: int = 0
    most: int = 0
    is_refused: bool = False
    refused_pages: int = 0
    """Pages that are refused next, too."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        is_page = not str(scope.get("path", "")).endswith("/progress")
        if is_page and self.refused_pages:
            self.refused_pages -= 1
            await PlainTextResponse("", 503)(scope, receive, send)
            return
        if is_page:
            await self.app(scope, receive, send)
            return
        if self.is_refused:
            await PlainTextResponse("", 503)(scope, receive, send)
            return
        headers = dict(scope["headers"])
        self.begun_after.append(headers.get(b"last-event-id", b"").decode() or None)
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            await self.app(scope, receive, send)
        finally:
            self.open -= 1


@dataclass(frozen=True)
class Watching:
    """A server with a full state, behind a line that a test cuts."""

    service: RepositoryService
    watched: Watched
    streams: Streams
    line: Line

    def address(self, *parts: str) -> str:
        """Return the address of a page of the watched connection."""
        return f"http://127.0.0.1:{self.line.port}{address_of(self.watched.shop.id, *parts)}"

    def at(self, path: str) -> str:
        """Return the address of the page at *path*."""
        return f"http://127.0.0.1:{self.line.port}{path}"

    def log(self, job: ExtractionJob, stage: Stage, status: str, message: str = "") -> int:
        """Add a line to the log of *job*, and return its number."""
        if status == "started":
            set_stage(self.service.state, job.id, stage)
        return add_event(self.service.state, job.id, stage, status, message)


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watching]:
    """Yield a server of this process."""
    folder: Path = tmp_path_factory.mktemp("watching")
    url = file_url(folder / "shop.duckdb")
    record_side(url)
    store = store_at(url)
    with store.view() as view:
        run_id = view.run("latest").run_id
    (folder / "work" / "jobs").mkdir(parents=True)
    with states.opened(f"sqlite:///{folder / 'state.db'}") as state:
        watched = fill(state, run_id)
        environ = {"RECCE_META_KEY": states.KEY}
        service = RepositoryService(state, environ=environ, stores=["default"], work=folder / "work")
        streams = Streams(create_app({store.name: store}, Access(), service))
        listening = bound_socket("127.0.0.1", 0)
        server = uvicorn.Server(uvicorn.Config(streams, log_config=None, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        line = Line("127.0.0.1", listening.getsockname()[1])
        yield Watching(service, watched, streams, line)
        line.close()
        server.should_exit = True
        thread.join(30)
        listening.close()


@pytest.fixture
def job(watching: Watching, browser: Any) -> Iterator[ExtractionJob]:
    """Yield a running job of another branch, with two lines in its log; no page is open before or after."""
    browser.visit("about:blank")
    state = watching.service.state
    waiting = request_job(
        state,
        watching.watched.shop.id,
        JobRequest(branch=STALE_BRANCH, trigger=Trigger.MANUAL, requested_by="ann"),
    ).job
    running = start_job(state, waiting.id, "host-1")
    watching.log(running, Stage.RESOLVE, "started", "looks for the head")
    watching.log(running, Stage.RESOLVE, "done")
    watching.streams.begun_after.clear()
    yield running
    watching.streams.is_refused = False
    browser.visit("about:blank")
    finish_job(state, running.id, JobStatus.CANCELLED)


def test_a_job_is_followed_and_resumed_after_a_broken_connection(
    browser: Any, watching: Watching, job: ExtractionJob
) -> None:
    browser.look(WIDE)
    browser.visit(watching.address("jobs", job.id))
    browser.run("window.isSamePage = true")
    assert browser.run(LINES) == [1, 2]

    watching.log(job, Stage.CLONE, "started", HOSTILE)
    until(browser, f"{STAGE % 'clone'} === 'running'")
    assert browser.run(LINES) == [1, 2, 3]
    shown = browser.run("return document.querySelector('.log tr:last-child').textContent")
    assert HOSTILE.replace("\u202e", "\\u202e") in shown
    assert not browser.run("return window.hacked || document.querySelector('.log img')")

    watching.line.cut()
    watching.log(job, Stage.CLONE, "log", "while the connection is broken")
    watching.log(job, Stage.CLONE, "done", "after it")
    until(browser, f"{STAGE % 'clone'} === 'success'")
    assert browser.run(LINES) == [1, 2, 3, 4, 5]
    # The browser names the last line that it has, so that no line is sent twice.
    assert watching.streams.begun_after[0] is None
    assert str(watching.streams.begun_after[-1]).endswith("/3")
    assert watching.streams.most == 1

    finish_job(watching.service.state, job.id, JobStatus.SUCCESS, JobOutcome(is_new=True))
    until(browser, "return document.querySelector('h1').textContent.endsWith('succeeded')")
    assert browser.run("return window.isSamePage && !document.querySelector('form[action$=cancel]')")
    assert watching.streams.most == 1


def test_a_connection_shows_the_progress_of_its_job(browser: Any, watching: Watching) -> None:
    browser.visit(watching.address())
    browser.run("window.isSamePage = true; document.querySelector('#confirm').value = 'typed'")
    running = watching.watched.running

    watching.log(running, Stage.CLONE, "done")
    watching.log(running, Stage.DEPENDENCIES, "started", "packages")
    until(browser, f"{STAGE % 'dependencies'} === 'running'")
    assert browser.run("return document.querySelector('[data-words]').textContent").startswith(
        "running, dependencies, "
    )
    finish_job(
        watching.service.state, running.id, JobStatus.FAILED, JobOutcome(error=HOSTILE, hint="repair it")
    )
    # The page asks for itself: the failure, the buttons and the history have changed.
    until(browser, "return document.querySelector('main').textContent.includes('onerror')")
    assert browser.run("return window.isSamePage && document.querySelector('#confirm').value") == "typed"
    assert not browser.run("return window.hacked")


def test_without_a_stream_the_page_asks_again(browser: Any, watching: Watching, job: ExtractionJob) -> None:
    watching.streams.is_refused = True
    browser.visit(watching.address("jobs", job.id))
    browser.run("window.isSamePage = true")

    # A proxy in front of a server that starts again: one answer that fails must not end the asking.
    watching.streams.refused_pages = 1
    watching.log(job, Stage.CLONE, "started", "seen by asking")
    until(browser, f"{STAGE % 'clone'} === 'running'")
    assert browser.run("return window.isSamePage") and browser.run(LINES) == [1, 2, 3]
    browser.run("document.querySelector('form[action$=cancel] button').click()")
    until(browser, "return document.querySelector('h1').textContent.endsWith('was cancelled')")


def test_ages_are_renewed(browser: Any, watching: Watching) -> None:
    browser.visit(watching.at("/connections"))
    age = "time[data-age=ago]"
    browser.run(
        f"const time = document.querySelector('{age}');"
        " time.dateTime = new Date(Date.parse(time.dateTime) - 2 * 3600e3 - 60e3).toISOString()"
    )
    until(browser, f"return document.querySelector('{age}').textContent === '2 hours ago'")
    browser.run(
        f"const time = document.querySelector('{age}'); time.dataset.age = 'in';"
        " time.dateTime = new Date(Date.now() + 13.5 * 60e3).toISOString()"
    )
    until(browser, "return document.querySelector('time[data-age=in]').textContent === 'in 13 minutes'")


def test_no_page_has_a_fault(browser: Any, watching: Watching, job: ExtractionJob) -> None:
    shop = watching.watched.shop.id
    audited = [
        *("/connections", "/connections/new", "/connections/admin", address_of(shop)),
        *(address_of(shop, "jobs", job.id), address_of(shop, "webhook")),
    ]
    own = [address_of(shop, part) for part in ("edit", "jobs", "pull-requests", "deliveries", "upload")]
    lists = [f"/connections/admin/{part}" for part in ("jobs", "tasks", "environments")]
    # Lists and the other forms have the elements of the audited pages.
    others = [*own, *lists, address_of(watching.watched.uploads.id)]
    wrong = {
        path: found
        for path in (*audited, *others)
        if (found := _faults(browser, watching.at(path), is_audited=path in audited))
    }

    assert wrong == {}


def _faults(browser: Any, address: str, *, is_audited: bool) -> list[str]:
    browser.look(WIDE)
    browser.console()
    browser.visit(address)
    found = list(browser.run(FAULTS))
    if is_audited:
        browser.run(AXE)
        found += browser.wait(AUDIT, None)
    browser.look(NARROW, dark=True)
    found += browser.run(FAULTS)
    if is_audited:
        found += browser.wait(AUDIT, ["color-contrast"])
    return found + browser.console()


def test_pages_are_complete_without_scripts(browser: Any, watching: Watching, job: ExtractionJob) -> None:
    browser.look(WIDE)
    browser.command("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.visit(watching.address("jobs", job.id))
        assert browser.run("return document.querySelector('noscript meta[http-equiv=refresh]') !== null")
        assert browser.run(LINES) == [1, 2]
        browser.visit(watching.address())
        text = browser.run("return document.querySelector('main').textContent")
        assert "Refresh now" in text and "Pull requests" in text and "Last deliveries" in text
    finally:
        browser.command("Emulation.setScriptExecutionDisabled", value=False)
