"""A forge in a folder beside the built-in ones: connection, webhook, delivery, job, comment and status."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import urllib.request
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import ROOT, ProcessCli
from tests.e2e.served_shop import FILES, process, until
from tests.support.forge_names import Forge
from tests.support.forge_server import ForgeServer, forge_server
from tests.support.git_server import git_backend, git_server

__all__ = ["forge_server", "git_backend", "git_server"]

# Its API is that of Gitea, for which the tests have a stand-in; all else is its own.
QUARRY = r"""
import re
from datetime import datetime, timezone

from msgspec import Struct

from recce_meta.repositories.forges.events import SentRepository, decode, pull_request_of
from recce_meta.repositories.forges.forge import HookForm
from recce_meta.repositories.forges.gitea.forge import Gitea
from recce_meta.repositories.state.types import PullRequestEvent


class Proposal(Struct):
    repository: str
    number: int
    branch: str
    commit: str


class Quarry(Gitea):
    name = "quarry"
    title = "Quarry"
    hosts = re.compile(r"127\.0\.0\.1")
    token_user = "digger"
    hook_form = HookForm("/bells", ("Ring for proposals",))
    delivery_headers = ("x-quarry-id",)
    event_headers = ("x-quarry-event",)
    signature_headers = ("x-quarry-proof",)
    signature_prefix = "proof="
    needed_rights = "dig"

    def repository_of(self, body):
        return SentRepository(None, (decode(body, Proposal).repository,))

    def read(self, headers, body, now):
        found = decode(body, Proposal)
        event = PullRequestEvent(
            number=found.number,
            title="Proposal",
            base_branch="main",
            head_branch=found.branch,
            head_sha=found.commit,
            updated_at=datetime.now(timezone.utc),
        )
        return (pull_request_of("proposed", event),)
"""
BESIDE = """
import recce_meta.repositories.forges
recce_meta.repositories.forges.__path__.append({folder!r})
"""


@pytest.fixture
def cli(process_cli: ProcessCli) -> ProcessCli:
    """Return the command with the folder `quarry` beside those of the built-in forges."""
    folder = process_cli.folder / "forges" / "quarry"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "forge.py").write_text(QUARRY)
    site = process_cli.folder / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(BESIDE.format(folder=str(folder.parent)))
    return process_cli.within(
        PYTHONPATH=os.pathsep.join([str(site), str(ROOT)]),
        RECCE_META_URL=f"duckdb:///{process_cli.folder / 'store.duckdb'}",
        RECCE_META_PUBLIC_URL="https://recce.example.com",
    )


def delivered(server: str, hook: str, body: bytes, proof: str) -> dict[str, str]:
    """Send a delivery to the address of the webhook, at the server that runs here."""
    address = urlsplit(hook)
    headers = {"Content-Type": "application/json", "X-Quarry-Id": "d-1", "X-Quarry-Event": "proposal"}
    request = urllib.request.Request(
        f"{server.rstrip('/')}{address.path}?{address.query}", body, {**headers, "X-Quarry-Proof": proof}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, str] = json.load(answer)
    return found


@pytest.mark.extensive
def test_a_folder_is_all_that_a_new_forge_needs(
    cli: ProcessCli, forge_server: ForgeServer, tmp_path: Path
) -> None:
    repository = forge_server.create(Forge.GITEA, FILES)
    token = repository.add_token()
    cli = cli.within(**forge_server.environ, QUARRY_TOKEN=token)
    assert "|quarry|" in cli("connection", "add", "--help").out
    added = cli(
        *("connection", "add", repository.url, "--name", "shop", "--token-env", "QUARRY_TOKEN"),
        *("--branch", "main", "--no-test"),
    )
    assert added.code == 0, added.err
    (listed,) = json.loads(cli("connection", "list", "--format", "json").out)["connections"]
    assert listed["type"] == "quarry"
    (hook,) = repository.hooks
    secret = hook.settings["config"]["secret"].encode()
    assert urlsplit(hook.url).path == "/api/webhooks/quarry"

    number = repository.open_pull_request("feature", {"models/b.sql": "select id + 1 as id from a\n"})
    sha = repository.pull_requests[number].sha
    body = json.dumps(
        {"repository": repository.url, "number": number, "branch": "feature", "commit": sha}
    ).encode()
    digest = hmac.new(secret, body, hashlib.sha256).hexdigest()
    with process(cli, "serve", "--port", "0", "--no-open", "--work-dir", str(tmp_path / "work")) as log:
        server = until(lambda: re.findall(r"http://\S+/", log.read_text()), log)[0]
        with pytest.raises(HTTPError, match="401"):
            delivered(server, hook.url, body, digest)
        assert delivered(server, hook.url, body, f"proof={digest}")["status"] == "queued"
        until(lambda: repository.comments[number] and repository.statuses, log)

    (comment,) = repository.comments[number]
    assert "recce" in comment.text
    assert {status.sha for status in repository.statuses} == {sha}
    used = {one.authorization for one in forge_server.git.requests if one.repository == repository.name}
    assert f"Basic {base64.b64encode(f'digger:{token}'.encode()).decode()}" in used
