"""A store behind `recce-meta serve` as one side of an exchange.

The inventory is kept in a file, so that the server answers 304 if nothing has changed. The answers of the
server are not trusted: the receiver verifies what it gets from here.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from recce_meta._version import __version__
from recce_meta.errors import ArtifactError, RecceMetaError, StoreError
from recce_meta.store.session import SCHEMA_VERSION
from recce_meta.sync.encoding import MEDIA_TYPE, OF_REQUESTS, ListedObject, pack, unpack
from recce_meta.sync.server_client import EXCHANGES, Report, RequestFailed, ServerClient, parse_server
from recce_meta.sync.tables import OBJECT_TABLES
from recce_meta.sync.types import Batch, Entry, ExchangeStatus, Inventory, Key, Piece, Row, WriteResult
from recce_meta.sync.verify import verify
from recce_meta.temporary import temporary_folder

EXCHANGE = "/api/metadata/sync"
BUNDLES = "/api/metadata/sync-from-ide"
WORKSPACES = "/api/metadata/workspaces"
IDS_AT_ONCE = 2_500
"""Ids of one request, which may have 256 kB."""
_TOO_LARGE = 413
_JSON = {"Content-Type": "application/json"}
_GZIP = b"\x1f\x8b"


class WorkspaceOf(Struct, frozen=True, kw_only=True):
    """Copy of a project whose exchanges a server notes."""

    project_name: str
    path_hash: str
    """Hash of the folder of the project."""


class _InventoryBody(Struct, frozen=True):
    store_version: int
    producer: str
    objects: list[ListedObject]


class _Ids(Struct, frozen=True):
    ids: set[str]


class _Written(Struct, frozen=True):
    kind: str
    id: str
    status: ExchangeStatus
    reason: str | None = None
    is_new: bool = True


class _Outcome(Struct, frozen=True):
    outcomes: list[_Written]


class _Workspace(Struct, frozen=True):
    id: str


class RemoteReplica:
    """Store of a server."""

    def __init__(
        self,
        address: str,
        environ: Mapping[str, str],
        *,
        store: str | None = None,
        workspace: WorkspaceOf | None = None,
        cache: Path | None = None,
        say: Report,
    ) -> None:
        """Create the replica of the store called *store* on the server at *address*.

        *workspace* is the project for which the server notes the exchange. *cache* is a folder for the last
        inventory. *say* is called with what delays a request. Raises UsageError for an invalid address, and
        ConfigurationError for an invalid token in *environ*.
        """
        parsed = parse_server(address, environ, EXCHANGES)
        self._client = ServerClient(parsed, environ, say=say, use=EXCHANGES)
        self._store = store
        self._workspace = workspace
        self._workspace_id: str | None = None
        standard = {"https": 443, "http": 80}[parsed.scheme]
        place = parsed.netloc.removesuffix(f":{standard}") if parsed.port == standard else parsed.netloc
        self._name = f"{parsed.scheme}://{place}{parsed.path}" + (f" ({store})" if store else "")
        self._cache = (
            None if cache is None else cache / f"{sha256(self._name.encode()).hexdigest()[:32]}.json"
        )

    @property
    def name(self) -> str:
        """Address of the server, with the name of the store."""
        return self._name

    def close(self) -> None:
        """Do nothing: each request has a connection of its own."""

    def inventory(self) -> Inventory:
        """Return the objects of the store. Raises RequestFailed, and StoreError for a newer store."""
        known = _read_cache(self._cache)
        headers = {"Accept-Encoding": "gzip"} | ({} if known is None else {"If-None-Match": known[0]})
        with temporary_folder() as folder:
            file = Path(folder, "inventory")
            answer = self._client.send("GET", self._path("/inventory"), None, headers, into=file)
            if answer.status == 304 and known is not None:
                body = known[1]
            else:
                body = _inflated(file.read_bytes(), OF_REQUESTS.inflated)
        found = self._decoded(body, _InventoryBody)
        if found.store_version > SCHEMA_VERSION:
            raise StoreError(
                f"The store of {self._name} has version {found.store_version}, which is too new",
                hint="upgrade recce-meta",
            )
        if answer.status != 304:
            _write_cache(self._cache, answer.headers.get("etag", ""), body)
        entries = {
            one.key: Entry(one.content, one.run_id, one.project, one.recorded_at) for one in found.objects
        }
        return Inventory(entries, found.store_version)

    def lacking(self, piece: Piece, ids: Iterable[str]) -> set[str]:
        """Return those of *ids* for which the store has no piece."""
        lacking: set[str] = set()
        for some in _portions(sorted(set(ids))):
            body = msgspec.json.encode({"piece": piece, "ids": some})
            answer = self._client.send("POST", self._path("/lacking"), None, _JSON, body=body)
            lacking |= self._decoded(answer.body, _Ids).ids & set(some)
        return lacking

    def read(self, keys: Iterable[Key]) -> Batch:
        """Return the rows of the objects *keys*, without the pieces that they refer to."""
        wanted = list(dict.fromkeys(keys))
        tables = self._rows("/objects", wanted, lambda some: {"objects": some})
        found = {table: {row[0] for row in rows} for table, rows in tables.items()}
        present = (
            key for key in wanted if any(key.id in found.get(table, ()) for table in OBJECT_TABLES[key.kind])
        )
        return Batch(tuple(present), tables)

    def read_pieces(self, piece: Piece, ids: Iterable[str]) -> Mapping[str, list[Row]]:
        """Return the rows of the pieces *ids* by table, without the pieces that they refer to."""
        return self._rows("/pieces", sorted(set(ids)), lambda some: {"piece": piece, "ids": some})

    def _rows(
        self, path: str, wanted: Sequence[Any], request: Callable[[Sequence[Any]], object]
    ) -> dict[str, list[Row]]:
        # A dictionary, because two requests may return the row of one run.
        tables: dict[str, dict[Row, None]] = {}
        waiting = [*_portions(wanted)]
        while waiting:
            some = waiting.pop(0)
            try:
                batch = self._bundle(path, request(some))
            except RequestFailed as error:
                if error.status != _TOO_LARGE or len(some) < 2:
                    raise
                waiting[:0] = [some[: len(some) // 2], some[len(some) // 2 :]]
                continue
            for table, rows in batch.tables.items():
                tables.setdefault(table, {}).update(dict.fromkeys(rows))
        return {table: list(rows) for table, rows in tables.items()}

    def _bundle(self, path: str, request: object) -> Batch:
        with temporary_folder() as folder:
            file = Path(folder, "bundle.zip")
            body = msgspec.json.encode(request)
            answer = self._client.send("POST", self._path(path), None, _JSON, body=body, into=file)
            if answer.status != 200:
                raise self._foreign()
            return unpack(file)

    def write(self, batch: Batch, peer: str) -> list[WriteResult]:
        """Send the objects of *batch* as bundles, and return what happened to each."""
        try:
            return self._written(batch)
        except (ArtifactError, RequestFailed) as error:
            is_too_large = not isinstance(error, RequestFailed) or error.status == _TOO_LARGE
            if not is_too_large:
                raise
            if len(batch.keys) < 2:
                return [WriteResult(key, ExchangeStatus.FAILED, error.message) for key in batch.keys]
        half = len(batch.keys) // 2
        # The pieces that the second half shares with the first one have arrived by then.
        return [
            result
            for keys in (batch.keys[:half], batch.keys[half:])
            for result in self._part(Batch(keys, batch.tables), peer)
        ]

    def _part(self, batch: Batch, peer: str) -> list[WriteResult]:
        """Send the objects of *batch*, without the rows that they do not need."""
        found = verify(batch)
        failed = [WriteResult(key, ExchangeStatus.FAILED, reason) for key, reason in found.failures.items()]
        return failed + (self.write(found.batch, peer) if found.batch.keys else [])

    def _written(self, batch: Batch) -> list[WriteResult]:
        parameters = {"store": self._store, "workspace": self._known_workspace()}
        given = urlencode({name: value for name, value in parameters.items() if value is not None})
        with temporary_folder() as folder:
            file = Path(folder, "bundle.zip")
            file.write_bytes(pack(batch))
            path = f"{BUNDLES}?{given}" if given else BUNDLES
            answer = self._client.send("POST", path, file, {"Content-Type": MEDIA_TYPE})
        sent = {(key.kind.value, key.id): key for key in batch.keys}
        found = self._decoded(answer.body, _Outcome).outcomes
        results = {
            key: WriteResult(key, one.status, one.reason, one.is_new)
            for one in found
            if (key := sent.get((one.kind, one.id))) is not None
        }
        unknown = "the server did not report what happened to it"
        return [results.get(key, WriteResult(key, ExchangeStatus.FAILED, unknown)) for key in batch.keys]

    def _known_workspace(self) -> str | None:
        """Return the id of the workspace on the server, which is created on first use."""
        if self._workspace is not None and self._workspace_id is None:
            body = msgspec.json.encode(
                {
                    "project_name": self._workspace.project_name,
                    "project_path_hash": self._workspace.path_hash,
                    "client_version": __version__,
                }
            )
            try:
                answer = self._client.send("POST", WORKSPACES, None, _JSON, body=body)
                self._workspace_id = self._decoded(answer.body, _Workspace).id
            except RequestFailed:
                # The exchange needs no workspace, and a server without a state has none.
                self._workspace = None
        return self._workspace_id

    def _path(self, path: str) -> str:
        return EXCHANGE + path + ("" if self._store is None else f"?{urlencode({'store': self._store})}")

    def _decoded(self, body: bytes, kind: type[Any]) -> Any:
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise self._foreign() from None

    def _foreign(self) -> RecceMetaError:
        return RequestFailed(
            f"{self._name} is not a recce-meta server of this version",
            hint="check the address, and update the server",
        )


def _portions(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + IDS_AT_ONCE] for start in range(0, len(items), IDS_AT_ONCE))


def _inflated(body: bytes, most: int) -> bytes:
    """Return *body* without its compression. Raises RequestFailed for more than *most* bytes."""
    if not body.startswith(_GZIP):
        return body
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        found = inflater.decompress(body, most)
    except zlib.error:
        found = b""
    if not inflater.eof:
        raise RequestFailed("The inventory of the server is damaged or too large", hint="try again")
    return found


def _read_cache(file: Path | None) -> tuple[str, bytes] | None:
    """Return the last inventory with its ETag; None without a valid one."""
    if file is None:
        return None
    try:
        etag, _, body = gzip.decompress(file.read_bytes()).partition(b"\n")
        msgspec.json.decode(body, type=_InventoryBody)
        return etag.decode("ascii"), body
    except (OSError, EOFError, zlib.error, ValueError, msgspec.MsgspecError):
        return None


def _write_cache(file: Path | None, etag: str, body: bytes) -> None:
    """Keep an inventory; a failure only costs time at the next exchange."""
    if file is None or not etag.isascii() or not etag.isprintable() or not etag:
        return
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Names of projects are for the user alone.
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as target:
            target.write(gzip.compress(etag.encode() + b"\n" + body, 5, mtime=0))
        part.replace(file)
    except OSError:
        part.unlink(missing_ok=True)
