"""Editor at the other end: what it can do, and what the server sends to it. Used from the event loop only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from recce_meta.lsp.text.positions import PositionEncoding
from recce_meta.redaction import presentable

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

STATUS = "recceMeta/status"
"""Notification with a `ProjectStatus`."""
WATCHED = ("**/*.sql", "**/*.{yml,yaml}", "**/*.csv", "**/{manifest,catalog}.json*")
"""Files whose changes may change the index of a project."""
ENCODINGS: dict[str, PositionEncoding] = {"utf-8": "utf-8", "utf-16": "utf-16", "utf-32": "utf-32"}

ANSWER_SECONDS = 5.0
"""Time for the editor to answer a request of the server."""

Json: TypeAlias = "dict[str, object]"


@dataclass(frozen=True)
class EditorAbilities:
    """Optional parts of the protocol that the editor supports."""

    watches: bool = False
    """It reports changed files."""
    progress: bool = False
    """It shows the progress of work that the server starts."""
    refreshes_lenses: bool = False
    """It asks for code lenses again if the server wishes."""
    shows_documents: bool = False
    """It opens a file if the server wishes."""
    shows_results: bool = False
    """It shows the results of commands by itself."""
    encoding: PositionEncoding = "utf-16"


def abilities_of(
    capabilities: types.ClientCapabilities, encoding: object, options: object = None
) -> EditorAbilities:
    """Return what the editor supports; *encoding* is the negotiated one, *options* are its own settings."""
    workspace, window = capabilities.workspace, capabilities.window
    watched = workspace.did_change_watched_files if workspace else None
    lenses = workspace.code_lens if workspace else None
    documents = window.show_document if window else None
    return EditorAbilities(
        watches=bool(watched and watched.dynamic_registration),
        progress=bool(window and window.work_done_progress),
        refreshes_lenses=bool(lenses and lenses.refresh_support),
        shows_documents=bool(documents and documents.support),
        shows_results=isinstance(options, Mapping) and options.get("showsResults") is True,
        encoding=ENCODINGS.get(str(getattr(encoding, "value", encoding)), "utf-16"),
    )


class EditorClient:
    """Notifications and requests to the editor."""

    def __init__(self, server: LanguageServer) -> None:
        """Send through *server*."""
        self._server = server
        self.abilities = EditorAbilities()
        self._tokens = 0

    def publish(
        self, uri: str, version: int | None, diagnostics: Sequence[types.Diagnostic], *, is_open: bool = True
    ) -> None:
        """Show the diagnostics of one version of a text; none for a closed text."""
        self._server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(
                uri=uri, version=version if is_open else None, diagnostics=list(diagnostics)
            )
        )

    def log(self, message: str, level: types.MessageType = types.MessageType.Info) -> None:
        """Write a line to the log of the editor; passwords are masked."""
        self._server.window_log_message(types.LogMessageParams(type=level, message=presentable(message)))

    def show(self, message: str, level: types.MessageType = types.MessageType.Info) -> None:
        """Show a message to the user; passwords are masked."""
        self._server.window_show_message(types.ShowMessageParams(type=level, message=presentable(message)))

    async def show_document(self, uri: str) -> bool:
        """Open the file *uri* in the editor; return False if the editor does not."""
        if not self.abilities.shows_documents:
            return False
        params = types.ShowDocumentParams(uri=uri, external=False, take_focus=True)
        with suppress(JsonRpcException, asyncio.TimeoutError):
            asked = self._server.window_show_document_async(params)
            return (await asyncio.wait_for(asked, ANSWER_SECONDS)).success
        return False

    def status(self, status: Json) -> None:
        """Send the status of a project; editors that do not know the notification ignore it."""
        self._server.protocol.notify(STATUS, status)

    def refresh_lenses(self) -> None:
        """Let the editor ask for code lenses again, if it can."""
        if self.abilities.refreshes_lenses:
            self._server.workspace_code_lens_refresh(None)

    def watch_files(self) -> None:
        """Let the editor report changes of `WATCHED`, if it can."""
        if not self.abilities.watches:
            return
        watchers = [types.FileSystemWatcher(glob_pattern=pattern) for pattern in WATCHED]
        registration = types.Registration(
            id="recce_meta.files",
            method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
            register_options=types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers),
        )
        self._server.client_register_capability(types.RegistrationParams(registrations=[registration]))

    async def begin(self, title: str) -> str | None:
        """Show that work has begun, and return its token; None if the editor does not show progress."""
        if not self.abilities.progress:
            return None
        self._tokens += 1
        token = f"recce_meta-{self._tokens}"
        progress = self._server.work_done_progress
        with suppress(JsonRpcException, asyncio.TimeoutError):
            await asyncio.wait_for(progress.create_async(token), ANSWER_SECONDS)
        if token not in progress.tokens:
            return None
        progress.begin(token, types.WorkDoneProgressBegin(title=title, cancellable=False))
        return token

    def end(self, token: str | None, message: str) -> None:
        """Show that the work of *token* has ended."""
        if token is not None:
            self._server.work_done_progress.end(token, types.WorkDoneProgressEnd(message=message))
