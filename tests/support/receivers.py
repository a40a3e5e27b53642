"""Receivers of notifications: webhooks that check bodies by the rules of Slack and Teams, and mail servers.

with receiver() as webhooks:
    webhooks.answers.append(Answer(503))
    send("slack+" + webhooks.url("slack/services/secret"))
    assert webhooks.accepted == []
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.git_server import make_certificate

USER, PASSWORD = "robot@acme.com", "p@ss: canary/0123456789%"


@dataclass(frozen=True)
class Answer:
    """What the server answers instead of its own answer, once."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    is_cut: bool = False
    """Whether the connection is closed without an answer."""


@dataclass(frozen=True)
class Posted:
    """An accepted body, with its path."""

    path: str
    body: Any


class Webhooks(ThreadingHTTPServer):
    """Server of webhooks; the first part of a path is the format: `slack`, `teams`, or any other."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[Answer] = []
        self.accepted: list[Posted] = []
        self.refused: list[str] = []

    def url(self, path: str) -> str:
        """Return the address of a webhook."""
        return f"http://127.0.0.1:{self.server_port}/{path}"

    @property
    def environ(self) -> dict[str, str]:
        """Return the environment that allows this server."""
        return {"RECCE_META_ALLOWED_HOSTS": f"127.0.0.1:{self.server_port}"}


@contextmanager
def receiver() -> Iterator[Webhooks]:
    """Yield a server of webhooks."""
    server = Webhooks()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Webhooks

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.answers:
            answer = self.server.answers.pop(0)
        elif self.headers.get_content_type() != "application/json":
            answer = Answer(415)
        else:
            answer = self._own_answer(raw)
        if answer.is_cut:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _own_answer(self, raw: bytes) -> Answer:
        kind = self.path.split("/")[1]
        body = json.loads(raw)
        problem = {"slack": slack_problem, "teams": teams_problem}.get(kind, lambda *_: None)(body, raw)
        if problem is not None:
            self.server.refused.append(problem)
            return Answer(400, b"invalid_blocks" if kind == "slack" else problem.encode())
        self.server.accepted.append(Posted(self.path, body))
        return {"slack": Answer(200, b"ok"), "teams": Answer(202)}.get(kind, Answer(204))

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


def slack_problem(body: Any, raw: bytes) -> str | None:
    """Return why Slack refuses *body*: docs.slack.dev/reference/block-kit; None if it accepts it."""
    blocks = body.get("blocks", [])
    if not isinstance(body.get("text"), str) or not body["text"].strip():
        return "no text"
    if body.keys() - {"text", "blocks"} or not 0 < len(blocks) <= 50:
        return "unknown fields, or too many blocks"
    for number, block in enumerate(blocks):
        if block.keys() == {"type", "text"} and block["type"] == "section":
            found, most = [block["text"]], 3000
        elif block.keys() == {"type", "elements"} and block["type"] == "context":
            found, most = block["elements"], 3000
            if not 0 < len(found) <= 10:
                return f"/blocks/{number}/elements"
        else:
            return f"/blocks/{number}"
        for text in found:
            is_known = text.keys() <= {"type", "text", "verbatim"} and text["type"] == "mrkdwn"
            if not is_known or not 0 < len(text["text"]) <= most or not text["text"].strip():
                return f"/blocks/{number}/text"
    return None


def teams_problem(body: Any, raw: bytes) -> str | None:
    """Return why a workflow of Teams refuses *body*; None if it accepts it.

    The envelope is that of learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/
    connectors-using, the fields of a card those of adaptivecards.io/explorer.
    """
    if len(raw) > 28_000:
        return "RequestEntityTooLarge"
    if body.get("type") != "message" or len(body.get("attachments", ())) != 1:
        return "no message with an attachment"
    attachment = body["attachments"][0]
    card = attachment.get("content", {})
    if attachment.get("contentType") != "application/vnd.microsoft.card.adaptive":
        return "not a card"
    if card.get("type") != "AdaptiveCard" or card.get("version") not in ("1.2", "1.3", "1.4", "1.5"):
        return "not a version of cards with RichTextBlock"
    if card.keys() - {"$schema", "type", "version", "fallbackText", "msteams", "body", "actions"}:
        return "unknown fields"
    for block in card["body"]:
        if block["type"] != "RichTextBlock" or block.keys() - {"type", "spacing", "inlines"}:
            return "unknown block"
        for run in block["inlines"]:
            if run["type"] != "TextRun" or run.keys() - {"type", "text", "size", "weight", "isSubtle"}:
                return "unknown inline"
    for action in card.get("actions", ()):
        if action["type"] != "Action.OpenUrl" or not action["url"].startswith("https://"):
            return "unknown action"
    return None


class MailBox:
    """Handler of a mail server: what it has accepted, and what it answers instead."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[tuple[str | None, list[str], bool]] = []
        """Sender, recipients, and whether the connection was encrypted."""
        self.refusals: dict[str, str] = {}
        """Answer to the next command of each name: `MAIL`, `RCPT`, `DATA`, `QUIT`."""

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept a sender."""
        envelope.mail_from = address
        return self.refusals.pop("MAIL", "250 OK")

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept a recipient."""
        envelope.rcpt_tos.append(address)
        return self.refusals.pop("RCPT", "250 OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Accept a mail."""
        if "DATA" in self.refusals:
            return self.refusals.pop("DATA")
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        is_encrypted = session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos, is_encrypted))
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """End a session."""
        return self.refusals.pop("QUIT", "221 Bye")


@dataclass
class MailServerStandIn:
    """A running mail server."""

    box: MailBox
    port: int
    ca_file: Path


@contextmanager
def mail_server(
    folder: Path, *, kind: str = "starttls", has_login: bool = True
) -> Iterator[MailServerStandIn]:
    """Yield a mail server of the *kind* `starttls`, `tls` or `plain`; it wants USER and PASSWORD."""
    ca_file, key_file = make_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca_file, key_file)
    box = MailBox()

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        given = (data.login, data.password) if isinstance(data, LoginPassword) else None
        return AuthResult(success=given == (USER.encode(), PASSWORD.encode()), handled=False)

    options: dict[str, Any] = {"authenticator": check, "auth_required": True} if has_login else {}
    if kind == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    else:
        options |= {"auth_require_tls": False}
    with ThreadPoolExecutor(1) as pool:
        started: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        tls = context if kind == "tls" else None

        def create() -> SMTP:
            # It warns of a login without STARTTLS, though the connection may be encrypted from its beginning.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                return SMTP(box, **options)

        async def serve() -> None:
            loop, end = asyncio.get_running_loop(), asyncio.Event()
            server = await loop.create_server(create, "127.0.0.1", 0, ssl=tls)
            started.set_result((server.sockets[0].getsockname()[1], loop, end))
            await end.wait()
            server.close()

        ended = pool.submit(asyncio.run, serve())
        port, loop, end = started.result(30)
        try:
            yield MailServerStandIn(box, port, ca_file)
        finally:
            loop.call_soon_threadsafe(end.set)
            ended.result(30)
