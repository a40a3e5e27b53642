"""A server with a state: one connection, a store with runs of the demo, and tokens of each scope."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from recce_meta import demo_data
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.state.connections import add_connection, update_connection
from recce_meta.repositories.state.database import State, open_state
from recce_meta.repositories.state.secrets import KEY, read_keys
from recce_meta.repositories.state.tokens import TokenScope, add_token
from recce_meta.repositories.state.types import RepositoryConnection
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.stores.stores import Store
from tests.support import states
from tests.support.forge_names import Forge

CONNECTION = "0a1b2c3d4e5f"
API = "/api/metadata"
SHOP = f"{API}/connections/shop"
CANARY = "ghp_canary0123456789abcdefABCDEF"
"""Token of the connection, which no answer may contain."""
SERVE_TOKEN = "the token of the serving command"


@dataclass(frozen=True)
class Connected:
    """A server with a state."""

    client: TestClient
    """Client on localhost, which needs no token."""
    service: RepositoryService
    texts: dict[TokenScope, str]
    """Text of a token of each scope."""

    @property
    def state(self) -> State:
        """State of the server."""
        return self.service.state

    def bearer(self, scope: TokenScope) -> dict[str, str]:
        """Return the header of a request with a token of *scope*."""
        return {"Authorization": f"Bearer {self.texts[scope]}"}


@contextmanager
def connected(
    folder: Path, store: Store, access: Access | None = None, *, state_url: str | None = None
) -> Iterator[Connected]:
    """Yield a server of *store* with a state at *state_url*, by default in *folder*."""
    state = open_state(state_url or f"sqlite:///{folder / 'state.db'}", {})
    try:
        connection = RepositoryConnection(
            id=CONNECTION,
            name="shop",
            type=Forge.GITHUB,
            repo_url="https://github.com/example/shop",
            branches=("main", "feature/x"),
            created_at=datetime.now(timezone.utc),
            created_by="ann",
        )
        add_connection(state, connection)
        # Without a file, the state has no place for a key.
        environ = {} if state.is_sqlite else {KEY: states.KEY}
        update_connection(state, CONNECTION, keys=read_keys(environ, state), secrets={"token": CANARY})
        texts = {scope: add_token(state, scope.value, [scope])[1] for scope in TokenScope}
        service = RepositoryService(state, environ=environ, stores=[store.name])
        app = create_app({store.name: store}, access or Access(), service)
        with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as client:
            yield Connected(client, service, texts)
    finally:
        state.close()


def artifact(name: str, side: demo_data.Side = "current") -> Any:
    """Return an artifact of the demo."""
    return json.loads(gzip.decompress((demo_data.artifacts(side) / f"{name}.json.gz").read_bytes()))


def upload_of(side: demo_data.Side = "current", **others: object) -> bytes:
    """Return the body of an upload of one side of the demo."""
    names = ("manifest", "catalog")
    return json.dumps({**{name: artifact(name, side) for name in names}, **others}).encode()
