"""Server of the protocol: requests of the editor, answered by the features from the views of open texts.

An editor waits for the answer to `initialize`: until then only pygls is imported. Everything else is imported
by a thread afterwards, for which the first requests wait without blocking the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import traceback
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.language_server import lsp_method

from recce_meta._version import __version__
from recce_meta.errors import RecceMetaError
from recce_meta.lazy import LazyModule
from recce_meta.lsp.client import EditorClient, abilities_of
from recce_meta.lsp.documents import EditedRange, EditorText, OpenFiles, TextView, path_of
from recce_meta.redaction import presentable

if TYPE_CHECKING:
    from recce_meta.lsp import workspace
    from recce_meta.lsp.features import commands, completion, hover, lenses, navigation, outline
else:
    workspace = LazyModule("recce_meta.lsp.workspace")
    commands = LazyModule("recce_meta.lsp.features.commands")
    completion = LazyModule("recce_meta.lsp.features.completion")
    hover = LazyModule("recce_meta.lsp.features.hover")
    lenses = LazyModule("recce_meta.lsp.features.lenses")
    navigation = LazyModule("recce_meta.lsp.features.navigation")
    outline = LazyModule("recce_meta.lsp.features.outline")

LOGGER = logging.getLogger(__name__)
COMMANDS = (
    "lineage",
    "impact",
    "preview",
    "refresh",
    "graph",
    "graphColumns",
    "graphPath",
    "push",
    "pull",
    "sync",
    "syncStatus",
    "status",
)
"""Commands of `workspace/executeCommand` without their prefix; each is a method of `EditorCommands`."""
PREFIX = "recce-meta."
TRIGGERS = ("'", '"', ".")
"""Characters after which editors ask for completions."""
NOT_INITIALIZED, FAILED = -32002, -32803
"""Codes of errors: https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/"""
SWITCH_SECONDS = 0.0005
EXIT_SECONDS = 1.0
"""Time for threads to end after the editor has gone."""

Handler: TypeAlias = "Callable[[EditorServer, Any], Awaitable[Any]]"


class EditorProtocol(LanguageServerProtocol):
    """Protocol whose errors have a message and no traceback, and that leaves edits to `EditorText`."""

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(
        self, params: types.DidChangeTextDocumentParams
    ) -> Generator[Any, Any, None]:
        """Pass an edit on. pygls ends lines at more characters than the protocol, and would fail."""
        yield self.fm.features[types.TEXT_DOCUMENT_DID_CHANGE], (params,), None

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *args: Any) -> Generator[Any, Any, None]:
        """End running requests. pygls iterates over them while cancelling removes them."""
        own = self.msg_id
        yield self.fm.features[types.SHUTDOWN], args, None
        for number, future in list(self._request_futures.items()):
            if number != own:
                future.cancel()
        self._shutdown = True

    def _execute_handler(self, msg_id: Any, *args: Any, **kwargs: Any) -> None:
        """Run a handler, and forget it at its end: pygls forgets only requests, not notifications."""
        super()._execute_handler(msg_id, *args, **kwargs)
        future = self._request_futures.get(msg_id)
        if future is not None:
            future.add_done_callback(lambda _: self._request_futures.pop(msg_id, None))

    def structure_message(self, data: Any) -> Any:
        """Parse a message; a malformed request is answered, which the editor waits for."""
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            if "method" in data and "id" in data:
                self._send_response(data["id"], error=error.to_response_error())
            raise

    def _send_response(self, msg_id: Any, result: Any = None, error: Any = None) -> None:
        if error is not None:
            # pygls adds the traceback as data, which editors show.
            error = types.ResponseError(code=error.code, message=presentable(error.message))
        super()._send_response(msg_id, result, error)


class EditorServer(LanguageServer):
    """Language server with the open texts; analyses are in its session."""

    def __init__(self, arguments: Sequence[str]) -> None:
        """Create the server; *arguments* are the connection options of the configured store."""
        super().__init__("recce_meta", __version__, protocol_cls=EditorProtocol)
        self.client = EditorClient(self)
        self.texts: OpenFiles = {}
        self.folders: list[str] = []
        self._arguments = tuple(arguments)
        self._loading: asyncio.Future[workspace.EditorSession] | None = None

    @property
    def is_ended(self) -> bool:
        """True if the editor has asked for the end."""
        return self.protocol._shutdown

    async def session(self) -> workspace.EditorSession:
        """Return the session, which is imported and opened on the first call."""
        if self._loading is None:
            self._loading = asyncio.ensure_future(self._load())
        # A cancelled request must not cancel the import for all.
        return await asyncio.shield(self._loading)

    async def _load(self) -> workspace.EditorSession:
        # Reading an attribute imports the module.
        made = await asyncio.to_thread(getattr, workspace, "EditorSession")
        session: workspace.EditorSession = made(self.client, self.texts, self._arguments)
        return session

    def open_texts(self) -> Mapping[Path, str]:
        """Return the open texts by path."""
        return {text.path: text.lines.text for text in self.texts.values() if text.path is not None}

    def kill(self) -> None:
        """End the processes of the session at once."""
        loading = self._loading
        if loading is not None and loading.done() and not loading.cancelled() and not loading.exception():
            loading.result().kill()

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Write what pygls could not handle into the log; the user cannot do anything about it."""
        self.client.log(f"Message of the editor not handled: {error}", types.MessageType.Warning)

    def shutdown(self) -> None:
        """Stop, without waiting for the thread that reads from a closed or silent editor."""
        if self._stop_event is not None:
            self._stop_event.set()
        pool: Executor | None = self._thread_pool
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)


async def _guarded(handler: Handler, server: EditorServer, params: Any) -> Any:
    """Return the answer of *handler*; null if it fails, with a line in the log of the editor."""
    if server.protocol._workspace is None:
        raise JsonRpcException("The server is not initialized", code=NOT_INITIALIZED)
    [found] = await asyncio.gather(handler(server, params), return_exceptions=True)
    if isinstance(found, (JsonRpcException, asyncio.CancelledError)):
        raise found
    if isinstance(found, BaseException):
        _report(server, handler.__name__.strip("_"), found)
        return None
    return found


def _report(server: EditorServer, what: str, error: BaseException) -> None:
    text = error.message if isinstance(error, RecceMetaError) else f"{type(error).__name__}: {error}"
    server.client.log(f"{what} failed: {text}", types.MessageType.Error)
    LOGGER.debug("%s failed: %s", what, "".join(traceback.format_exception(error)))


async def _initialize(server: EditorServer, params: types.InitializeParams) -> None:
    encoding = server.workspace.position_encoding
    server.client.abilities = abilities_of(params.capabilities, encoding, params.initialization_options)
    folders = [folder.uri for folder in params.workspace_folders or ()]
    root = params.root_uri or (f"file://{params.root_path}" if params.root_path else None)
    server.folders = folders or ([root] if root else [])
    # After the answer, which is sent when this function returns.
    asyncio.get_running_loop().call_soon(lambda: asyncio.ensure_future(server.session()))


async def _initialized(server: EditorServer, _params: object) -> None:
    server.client.watch_files()
    session = await server.session()
    await session.open_folders([path for uri in server.folders if (path := path_of(uri)) is not None])


async def _opened(server: EditorServer, params: types.DidOpenTextDocumentParams) -> None:
    document = params.text_document
    encoding = server.client.abilities.encoding
    text = EditorText(document.uri, document.version, document.text, encoding)
    server.texts[document.uri] = text
    await (await server.session()).opened(text)


async def _changed(server: EditorServer, params: types.DidChangeTextDocumentParams) -> None:
    text = server.texts.get(params.text_document.uri)
    if text is None:
        return
    for change in params.content_changes:
        place = None
        if isinstance(change, types.TextDocumentContentChangePartial):
            start, end = change.range.start, change.range.end
            place = EditedRange((start.line, start.character), (end.line, end.character))
        text.change(params.text_document.version, place, change.text)
    await (await server.session()).changed(text)


async def _saved(server: EditorServer, params: types.DidSaveTextDocumentParams) -> None:
    text = server.texts.get(params.text_document.uri)
    if text is not None:
        text.is_edited = False
    path = path_of(params.text_document.uri)
    if path is not None:
        await (await server.session()).files_changed([path])


async def _closed(server: EditorServer, params: types.DidCloseTextDocumentParams) -> None:
    text = server.texts.pop(params.text_document.uri, None)
    if text is not None:
        await (await server.session()).closed(text)


async def _files_changed(server: EditorServer, params: types.DidChangeWatchedFilesParams) -> None:
    paths = [path for change in params.changes if (path := path_of(change.uri)) is not None]
    await (await server.session()).files_changed(paths)


async def _folders_changed(server: EditorServer, params: types.DidChangeWorkspaceFoldersParams) -> None:
    added = [path for folder in params.event.added if (path := path_of(folder.uri)) is not None]
    await (await server.session()).open_folders(added)


async def _shutdown(server: EditorServer, _params: object) -> None:
    await (await server.session()).close()


def _at(answer: Callable[[TextView, int], Any], position: types.Position) -> Callable[[TextView], Any]:
    """Return *answer* at the offset of *position*."""

    def at(view: TextView) -> Any:
        return answer(view, view.document.lines.offset(position.line, position.character))

    return at


async def _ask(server: EditorServer, uri: str, answer: Callable[[TextView], Any]) -> Any:
    text = server.texts.get(uri)
    return None if text is None else await (await server.session()).ask(text, answer)


async def _hover(server: EditorServer, params: types.HoverParams) -> Any:
    answer = _at(lambda view, offset: hover.hover(view, offset), params.position)
    return await _ask(server, params.text_document.uri, answer)


async def _definition(server: EditorServer, params: types.DefinitionParams) -> Any:
    texts = server.open_texts()
    answer = _at(lambda view, offset: navigation.definitions(view, offset, texts), params.position)
    return await _ask(server, params.text_document.uri, answer)


async def _references(server: EditorServer, params: types.ReferenceParams) -> Any:
    texts, declaration = server.open_texts(), params.context.include_declaration
    answer = _at(
        lambda view, offset: navigation.references(view, offset, texts, declaration=declaration),
        params.position,
    )
    return await _ask(server, params.text_document.uri, answer)


async def _completion(server: EditorServer, params: types.CompletionParams) -> Any:
    answer = _at(lambda view, offset: completion.completions(view, offset), params.position)
    return await _ask(server, params.text_document.uri, answer)


async def _code_lens(server: EditorServer, params: types.CodeLensParams) -> Any:
    return await _ask(server, params.text_document.uri, lambda view: lenses.lenses(view))


async def _document_symbol(server: EditorServer, params: types.DocumentSymbolParams) -> Any:
    return await _ask(server, params.text_document.uri, lambda view: outline.document_symbols(view))


HANDLERS: dict[str, tuple[Handler, Any]] = {
    types.INITIALIZE: (_initialize, None),
    types.INITIALIZED: (_initialized, None),
    types.SHUTDOWN: (_shutdown, None),
    types.TEXT_DOCUMENT_DID_OPEN: (_opened, None),
    types.TEXT_DOCUMENT_DID_CHANGE: (_changed, None),
    types.TEXT_DOCUMENT_DID_SAVE: (_saved, types.SaveOptions(include_text=False)),
    types.TEXT_DOCUMENT_DID_CLOSE: (_closed, None),
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: (_files_changed, None),
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: (_folders_changed, None),
    types.TEXT_DOCUMENT_HOVER: (_hover, None),
    types.TEXT_DOCUMENT_DEFINITION: (_definition, None),
    types.TEXT_DOCUMENT_REFERENCES: (_references, None),
    types.TEXT_DOCUMENT_COMPLETION: (
        _completion,
        types.CompletionOptions(trigger_characters=list(TRIGGERS)),
    ),
    types.TEXT_DOCUMENT_CODE_LENS: (_code_lens, types.CodeLensOptions(resolve_provider=False)),
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: (_document_symbol, None),
}
"""Handler and options of each message."""


def new_server(arguments: Sequence[str] = ()) -> EditorServer:
    """Return a server with all features; *arguments* are connection options."""
    server = EditorServer(arguments)
    for method, (handler, options) in HANDLERS.items():
        server.feature(method, options)(partial(_guarded, handler, server))
    for name in COMMANDS:
        server.command(PREFIX + name)(_command(server, name))
    return server


def _command(server: EditorServer, name: str) -> Callable[..., Awaitable[Any]]:
    """Return the handler of a command. Its errors are errors of the protocol: the user asked for a result."""

    async def run(*arguments: Any) -> Any:
        session = await server.session()
        called = partial(commands.run_command, session, name, arguments)
        found: object = (await asyncio.gather(called(), return_exceptions=True))[0]
        if isinstance(found, RecceMetaError):
            hint = f" ({found.hint})" if found.hint else ""
            raise JsonRpcException(f"{found.message}{hint}", code=FAILED)
        if isinstance(found, (JsonRpcException, asyncio.CancelledError)):
            raise found
        if isinstance(found, BaseException):
            _report(server, PREFIX + name, found)
            raise JsonRpcException(f"{PREFIX}{name} failed: {type(found).__name__}: {found}", code=FAILED)
        return found

    return run


def serve(arguments: Sequence[str]) -> int:
    """Serve the editor at standard input and output, and return the exit code.

    It is 1 if the editor goes without `shutdown`. *arguments* are connection options for the commands that
    read the configured store.
    """
    logging.getLogger("pygls").addHandler(logging.NullHandler())
    # Its messages have tracebacks; what matters comes through `report_server_error`.
    logging.getLogger("pygls").propagate = False
    # An analysis in another thread would hold up a short request for 5 ms at each of its steps.
    sys.setswitchinterval(SWITCH_SECONDS)
    server = new_server(arguments)
    server.start_io(stdin=sys.stdin.buffer, stdout=_own_output())
    server.kill()
    code = 0 if server.is_ended else 1
    _exit_soon(code)
    return code


def _own_output() -> BinaryIO:
    """Return standard output, which from now on only the protocol can write to: all else goes to the log."""
    output = os.fdopen(os.dup(sys.__stdout__.fileno() if sys.__stdout__ else 1), "wb")
    target = 2 if sys.__stderr__ is not None else os.open(os.devnull, os.O_WRONLY)
    os.dup2(target, 1)
    sys.stdout = sys.stderr
    return output


def _exit_soon(code: int) -> None:
    """Exit after `EXIT_SECONDS`, even if a thread is still analysing or reading."""

    def wait() -> None:
        Event().wait(EXIT_SECONDS)
        os._exit(code)

    Thread(target=wait, name="recce_meta exit", daemon=True).start()
