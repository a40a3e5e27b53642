"""A real server of the rich store, and a browser that looks at its pages."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.server.access.scopes import Permissions
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.main import bound_socket
from recce_meta.server.stores.stores import Store
from tests.contract.server import rich_store
from tests.contract.server.crawler import Answer, Crawl, crawl
from tests.e2e import browser as driving
from tests.support.needs import missing


@dataclass(frozen=True)
class Served:
    """A running server."""

    address: str
    """Address of the server, without a slash at its end."""

    def get(self, path: str) -> Answer:
        """Return the server's answer to *path*, without following redirects."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)
        try:
            with opener.open(self.address + path, timeout=120) as found:
                return _answer(found.status, found.headers, found.read())
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.headers, error.read())


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any) -> None:
        return None


def _answer(status: int, headers: Message, body: bytes) -> Answer:
    return Answer(status, headers.get_content_type(), body, headers.get("location", ""))


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Yield a server of the rich store, in a process of its own, on any free port."""
    url = rich_store.copy(tmp_path_factory)
    root = str(Path(__file__).parents[3])
    process = subprocess.Popen(
        [sys.executable, "-m", "recce_meta", "serve", "--url", url, "--port", "0", "--no-open"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        assert said.startswith("Serving on "), said
        yield Served(said.split()[2].rstrip("/"))
    finally:
        process.terminate()
        process.wait(timeout=60)
        process.stdout.close()


@contextmanager
def serving(url: str) -> Iterator[tuple[Store, str]]:
    """Yield a store that this process serves with all permissions, and the address of the server."""
    permissions = Permissions(queries=True, writes=True)
    store = Store("default", lambda: UnifiedSqlAdapter.from_url(url), permissions=permissions)
    listening = bound_socket("127.0.0.1", 0)
    config = uvicorn.Config(create_app({"default": store}, Access()), log_config=None, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield store, f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(30)
    store.close()
    listening.close()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Yield a browser that collects violations of the security policy in `window.violations`."""
    if driving.programs() is None:
        missing("browser")
    with driving.browser(tmp_path_factory.mktemp("browser")) as session:
        listen = (
            "window.violations = []; document.addEventListener('securitypolicyviolation',"
            " (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));"
        )
        session.command("Page.addScriptToEvaluateOnNewDocument", source=listen)
        yield session


@pytest.fixture(scope="session")
def crawled(served: Served) -> Crawl:
    """Return a few pages of each kind."""
    return crawl(served.get, most=2)
