"""Receiving of uploads: streamed to a file, counted while they arrive, inflated up to a limit."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

from starlette.datastructures import Headers

from recce_meta.errors import UsageError
from recce_meta.server.problems import UnknownEncoding, UploadTooLarge

LARGEST_UPLOAD = 256 * 2**20
"""Bytes of the body of a request, compressed or not."""
LARGEST_INFLATED = 512 * 2**20
"""Bytes of a compressed upload after it was inflated."""
UPLOAD_SECONDS = 300.0
"""Time in which an upload must arrive."""
_PIECE = 2**20


class UploadLimits(NamedTuple):
    """Limits of one kind of upload."""

    received: int
    """Bytes of the body, compressed or not."""
    inflated: int
    """Bytes after a compressed body was inflated."""
    hint: str
    """Hint for a larger upload."""


async def receive_upload(
    headers: Headers, body: AsyncIterator[bytes], file: Path, limits: UploadLimits | None = None
) -> int:
    """Write the inflated *body* of a request to *file*, and return the number of bytes written.

    *limits* are by default those of manifests. Raises UploadTooLarge without reading on, UnknownEncoding, and
    UsageError for damaged gzip data and for an upload that takes too long.
    """
    if limits is None:
        limits = UploadLimits(
            LARGEST_UPLOAD, LARGEST_INFLATED, "send the manifest alone, compressed with gzip"
        )
    length = headers.get("content-length", "")
    # The header spares the transfer; it may be missing or wrong, so bytes are counted too.
    if length.isdecimal() and int(length) > limits.received:
        raise _too_large(limits.received, limits.hint)
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise UnknownEncoding(
            "Unknown encoding of the upload", hint="send JSON, or JSON compressed with gzip"
        )
    try:
        # A slow client would hold one of the few slots.
        return await asyncio.wait_for(
            _received(body, file, limits, is_gzip=encoding == "gzip"), UPLOAD_SECONDS
        )
    except asyncio.TimeoutError:
        raise UsageError(
            f"The upload did not arrive within {UPLOAD_SECONDS:g} seconds", hint="compress it with gzip"
        ) from None


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
