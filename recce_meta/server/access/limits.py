"""Limits of requests: their rate, and the size of uploads and forms, written to disk as they arrive.

A body of `multipart/form-data` is a sequence of parts between delimiters, `CR LF -- BOUNDARY`. Each part has
headers, an empty line, and its content: https://www.rfc-editor.org/rfc/rfc7578, and RFC 2046, section 5.1.
"""

from __future__ import annotations

import asyncio
import re
import time
import zlib
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from threading import Lock
from typing import BinaryIO, NamedTuple
from weakref import WeakValueDictionary

from starlette.datastructures import Headers

from recce_meta.errors import UsageError
from recce_meta.server.access.problems import (
    StoreBusy,
    TooManyRequests,
    UnknownEncoding,
    UploadTooLarge,
)

CONCURRENT_UPLOADS = 2
"""Uploads that are read concurrently: each child may need gigabytes of memory."""
CONCURRENT_SYNCS = 4
"""Syncs that are read concurrently: each may need hundreds of megabytes of memory."""
CONCURRENT_OF_SENDER = 2
"""Bodies of one sender that arrive, wait or are read concurrently."""
WAITING_SECONDS = 60.0
"""Time in which a body that has arrived waits for others that are read."""
_KEYS = 1000
"""Number of keys whose requests are counted."""


class RateLimit:
    """Limit of the requests for each key within a time."""

    def __init__(self, subject: str, most: int, seconds: float) -> None:
        """Allow *most* requests about *subject* for each key within *seconds*."""
        self._subject, self._most, self._seconds = subject, most, seconds
        self._times: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = Lock()

    def count(self, key: str) -> None:
        """Count a request for *key*. Raises TooManyRequests, without counting it, above the limit."""
        now = time.monotonic()
        with self._lock:
            recent = [at for at in self._times.pop(key, ()) if now - at < self._seconds]
            is_over = len(recent) >= self._most
            # Refused requests do not count: a client that repeats too early is not locked out.
            self._times[key] = recent if is_over else [*recent, now]
            # The key that was used last is at the end, so the oldest is dropped.
            while len(self._times) > _KEYS:
                self._times.popitem(last=False)
        if is_over:
            # When the oldest request leaves the period, the next one is allowed.
            raise TooManyRequests(f"Too many {self._subject}", self._seconds - (now - recent[0]))

    def is_over(self, key: str) -> bool:
        """Return True if a request for *key* would be above the limit now; it is not counted."""
        now = time.monotonic()
        with self._lock:
            return sum(now - at < self._seconds for at in self._times.get(key, ())) >= self._most


class Places:
    """Places of requests with a large body: a few for each sender, and a few for reading what has arrived.

    A body that arrives slowly takes no place of another sender.
    """

    def __init__(self, subject: str, most: int) -> None:
        """Allow *most* bodies to be read concurrently."""
        self._subject = subject
        self._senders: Counter[object] = Counter()
        self._reading = asyncio.Semaphore(most)

    @contextmanager
    def of(self, sender: object) -> Iterator[None]:
        """Take a place of *sender* within the block. Raises StoreBusy if all of them are taken."""
        if self._senders[sender] >= CONCURRENT_OF_SENDER:
            raise StoreBusy(
                f"Other {self._subject} of this sender are not over", hint="try again in a moment"
            )
        self._senders[sender] += 1
        try:
            yield
        finally:
            self._senders[sender] -= 1
            self._senders += Counter()  # without senders that have no request

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Read what has arrived within the block. Raises StoreBusy if others are read for long."""
        try:
            await asyncio.wait_for(self._reading.acquire(), WAITING_SECONDS)
        except asyncio.TimeoutError:
            message = f"Other {self._subject} are being read"
            raise StoreBusy(message, hint="try again in a moment") from None
        try:
            yield
        finally:
            self._reading.release()


class ConnectionLimits:
    """Limits of the requests about connections."""

    def __init__(self) -> None:
        self.tests = RateLimit("tests of connections", 10, 60.0)
        self.extractions = RateLimit("extractions of this connection", 20, 60.0)
        self.uploads = RateLimit("uploads of this connection", 10, 60.0)
        self.upload_places = Places("uploads", CONCURRENT_UPLOADS)
        self.workspaces = RateLimit("requests that change workspaces", 60, 60.0)
        self.syncs = RateLimit("syncs of this workspace", 30, 60.0)
        self.sent_syncs = RateLimit("syncs", 120, 60.0)
        self.bundles = RateLimit("bundles", 120, 60.0)
        self.exchange_reads = RateLimit("requests of an exchange", 600, 60.0)
        self.sync_places = Places("syncs", CONCURRENT_SYNCS)
        self._workspaces: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def sync_of(self, workspace_id: str) -> asyncio.Lock:
        """Return the lock of a sync of a workspace: each one counts what the one before has stored."""
        return self._workspaces.setdefault(workspace_id, asyncio.Lock())


LARGEST_UPLOAD = 256 * 2**20
"""Bytes of the body of a request, compressed or not."""
LARGEST_INFLATED = 512 * 2**20
"""Bytes of a compressed upload after it was inflated."""
UPLOAD_SECONDS = 300.0
"""Time in which an upload must arrive."""
START_SECONDS = 10.0
"""Time after which an upload must have arrived at LEAST_RATE."""
LEAST_RATE = 2**14
"""Bytes per second."""
_PIECE = 2**20


class UploadLimits(NamedTuple):
    """Limits of an upload."""

    received: int
    """Bytes of the body, compressed or not."""
    inflated: int
    """Bytes after a compressed body was inflated."""
    hint: str
    """Hint for a larger upload."""


def upload_limits(megabytes: int) -> UploadLimits:
    """Return the limits of the manifests of a connection whose uploads have at most *megabytes*."""
    inflated = min(megabytes * 2**20, LARGEST_INFLATED)
    hint = "send the manifest alone, compressed by recce-meta record --to, or raise upload_megabytes"
    return UploadLimits(min(inflated, LARGEST_UPLOAD), inflated, hint)


def _refuse_length(headers: Headers, limits: UploadLimits) -> None:
    length = headers.get("content-length", "")
    # The header spares the transfer; it may be missing or wrong, so bytes are counted too.
    if length.isdecimal() and int(length) > limits.received:
        raise _too_large(limits.received, limits.hint)


async def receive_upload(
    headers: Headers, body: AsyncIterator[bytes], file: Path, limits: UploadLimits
) -> int:
    """Write the inflated *body* of a request to *file*, and return the number of bytes written.

    Raises UploadTooLarge without reading on, UnknownEncoding, and UsageError for damaged gzip data and for an
    upload that takes too long.
    """
    _refuse_length(headers, limits)
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise UnknownEncoding(
            "Unknown encoding of the upload", hint="send JSON, or JSON compressed with gzip"
        )
    steady = _steady(body, "compress it with gzip")
    return await _received(steady, file, limits, is_gzip=encoding == "gzip")


async def _received(body: AsyncIterator[bytes], file: Path, limits: UploadLimits, *, is_gzip: bool) -> int:
    received = written = 0
    inflater = _Inflater() if is_gzip else None
    with file.open("xb") as target:
        async for part in body:
            received += len(part)
            if received > limits.received:
                raise _too_large(limits.received, limits.hint)
            for piece in inflater.inflated(part) if inflater else (part,):
                written += len(piece)
                if written > limits.inflated:
                    raise _too_large(limits.inflated, limits.hint)
                target.write(piece)
                await asyncio.sleep(0)  # a small part may inflate to many pieces
    if inflater is not None:
        inflater.check_end()
    return written


async def _steady(body: AsyncIterator[bytes], hint: str) -> AsyncIterator[bytes]:
    """Yield the parts of *body*. Raises UsageError with *hint* if they arrive too slowly."""
    began, received = time.monotonic(), 0
    while True:
        seconds = min(UPLOAD_SECONDS, START_SECONDS + received / LEAST_RATE)
        try:
            part = await asyncio.wait_for(anext(body, None), began + seconds - time.monotonic())
        except asyncio.TimeoutError:
            rate = f"{received:,} bytes in {seconds:.0f} seconds"
            raise UsageError(f"The upload arrives too slowly: {rate}", hint=hint) from None
        if part is None:
            return
        received += len(part)
        yield part


def _too_large(most: int, hint: str) -> UploadTooLarge:
    return UploadTooLarge(f"The upload has more than {most // 2**20} MB", hint=hint)


class _Inflater:
    """Incremental decompression of one gzip stream, in pieces of limited size."""

    def __init__(self) -> None:
        # 16 selects the format of gzip, in place of zlib's own.
        self._stream = zlib.decompressobj(16 + zlib.MAX_WBITS)

    def inflated(self, part: bytes) -> Iterator[bytes]:
        """Yield the content of *part*. Raises UsageError for damaged data."""
        while part:
            try:
                # With a limit: a kilobyte of gzip may inflate to a megabyte, and a part has many.
                piece = self._stream.decompress(part, _PIECE)
            except zlib.error as error:
                raise UsageError("The upload is not valid gzip", hint="compress it again") from error
            # A gzip file may contain several streams, but an upload is one document.
            if self._stream.unused_data:
                raise UsageError("The upload has data after its end", hint="send one gzip stream")
            if piece:
                yield piece
            part = self._stream.unconsumed_tail

    def check_end(self) -> None:
        """Raise UsageError unless the stream is complete."""
        if not self._stream.eof:
            raise UsageError("The upload is not complete", hint="send it again")


MOST_PARTS = 20
MOST_HEADERS = 4096
"""Bytes of the headers of a part."""
LONGEST_FIELD = 1024
"""Bytes of a field that is not a file."""
_BOUNDARY = re.compile(r'multipart/form-data\s*;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;",]{1,70}))\s*', re.I)
_DISPOSITION = re.compile(rb"content-disposition\s*:\s*form-data\s*;(.*)", re.I)
_NAME = re.compile(rb';?\s*(name|filename)\s*=\s*"([^"]*)"', re.I)


async def receive_form(
    headers: Headers, body: AsyncIterator[bytes], files: Mapping[str, Path], limits: UploadLimits
) -> dict[str, str]:
    """Write the *files* of a form, by field, and return its other fields; an empty file is not written.

    Raises UploadTooLarge without reading on, UnknownEncoding for a body that is not a form, and UsageError if
    it is malformed or takes too long.
    """
    _refuse_length(headers, limits)
    found = _BOUNDARY.fullmatch(headers.get("content-type", "").strip())
    if found is None:
        raise UnknownEncoding("The form has no files", hint="send it as multipart/form-data")
    boundary = (found[1] or found[2]).encode("latin-1", "replace")
    return await _Form(boundary, files, limits).received(_steady(body, "try again"))


class _Form:
    """Form that is being received."""

    def __init__(self, boundary: bytes, files: Mapping[str, Path], limits: UploadLimits) -> None:
        self._files, self._limits = files, limits
        self._delimiter = b"\r\n--" + boundary
        # The first delimiter has no line before it.
        self._buffer = b"\r\n"
        self._size = self._parts = 0
        self.fields: dict[str, str] = {}

    async def received(self, body: AsyncIterator[bytes]) -> dict[str, str]:
        """Return the fields of the form in *body*."""
        if await self._until_delimiter(body, None, len(self._delimiter)) is not None:
            raise _malformed()
        while not await self._is_end(body):
            self._parts += 1
            if self._parts > MOST_PARTS:
                raise UsageError(f"The form has more than {MOST_PARTS} fields", hint="send fewer")
            await self._part(body)
        return self.fields

    async def _part(self, body: AsyncIterator[bytes]) -> None:
        names = _names(await self._headers(body))
        name = names.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in names:
            content = await self._until_delimiter(body, None, LONGEST_FIELD) or b""
            self.fields[name] = content.decode("utf-8", "replace").strip()
            return
        if name not in self._files:
            raise UsageError("The form has an unknown file", hint=f"known files: {', '.join(self._files)}")
        file = self._files[name]
        # A browser sends an empty file for a field without one; `x` refuses a second file of this name.
        if file.exists():
            raise UsageError(f"{file.name} is given twice", hint="choose one file")
        with file.open("xb") as target:
            await self._until_delimiter(body, target)
        if not file.stat().st_size:
            file.unlink()

    async def _headers(self, body: AsyncIterator[bytes]) -> bytes:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > MOST_HEADERS:
                raise _malformed()
            await self._more(body)
        headers, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
        # The content of a part may be empty: then its delimiter follows at once.
        if len(headers) > MOST_HEADERS:
            raise _malformed()
        return headers

    async def _is_end(self, body: AsyncIterator[bytes]) -> bool:
        """Return True if the last delimiter ended the form."""
        while len(self._buffer) < 2:
            await self._more(body)
        if not self._buffer.startswith((b"--", b"\r\n")):
            raise _malformed()
        return self._buffer.startswith(b"--")

    async def _until_delimiter(
        self, body: AsyncIterator[bytes], target: BinaryIO | None, most: int = 0
    ) -> bytes | None:
        """Write what comes before the next delimiter to *target*.

        Without *target*, return it, at most *most* bytes; None if nothing comes before the delimiter.
        """
        kept = len(self._delimiter) - 1
        while (end := self._buffer.find(self._delimiter)) < 0:
            if target is not None:
                # The end of the buffer may be the beginning of a delimiter.
                target.write(self._buffer[:-kept])
                self._buffer = self._buffer[-kept:]
            elif len(self._buffer) > most + kept:
                raise UsageError("A field of the form is too long", hint=f"send at most {most} bytes")
            await self._more(body)
        content, self._buffer = self._buffer[:end], self._buffer[end + len(self._delimiter) :]
        if target is not None:
            target.write(content)
            return None
        if len(content) > most:
            raise UsageError("A field of the form is too long", hint=f"send at most {most} bytes")
        return content or None

    async def _more(self, body: AsyncIterator[bytes]) -> None:
        """Read the next piece of the body. Raises UsageError at its end."""
        part = await anext(body, None)
        if part is None:
            raise UsageError("The form is not complete", hint="send it again")
        self._size += len(part)
        if self._size > self._limits.received:
            raise _too_large(self._limits.received, self._limits.hint)
        self._buffer += part


def _names(headers: bytes) -> dict[bytes, bytes]:
    """Return `name` and `filename` of a part. Raises UsageError without a name."""
    for line in headers.split(b"\r\n"):
        if found := _DISPOSITION.fullmatch(line):
            names = {key.lower(): value for key, value in _NAME.findall(found[1])}
            if b"name" in names:
                return names
    raise _malformed()


def _malformed() -> UsageError:
    return UsageError("The form is malformed", hint="send it with a browser, or use recce-meta record --to")
