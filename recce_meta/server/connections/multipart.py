"""Forms with files: each file is written to disk while it arrives, within limits of size and number.

A body of `multipart/form-data` is a sequence of parts between delimiters, `CR LF -- BOUNDARY`. Each part has
headers, an empty line, and its content: https://www.rfc-editor.org/rfc/rfc7578, and RFC 2046, section 5.1.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import BinaryIO

from recce_meta.errors import UsageError
from recce_meta.server.problems import UnknownEncoding, UploadTooLarge

MOST_PARTS = 20
MOST_HEADERS = 4096
"""Bytes of the headers of a part."""
LONGEST_FIELD = 1024
"""Bytes of a field that is not a file."""
_BOUNDARY = re.compile(r'multipart/form-data\s*;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;",]{1,70}))\s*', re.I)
_DISPOSITION = re.compile(rb"content-disposition\s*:\s*form-data\s*;(.*)", re.I)
_NAME = re.compile(rb';?\s*(name|filename)\s*=\s*"([^"]*)"', re.I)


async def receive_form(
    content_type: str, body: AsyncIterator[bytes], files: Mapping[str, Path], *, most: int, seconds: float
) -> dict[str, str]:
    """Write the *files* of a form, by field, and return its other fields; an empty file is not written.

    Raises UploadTooLarge, without reading on, for a body of more than *most* bytes, UnknownEncoding for one
    that is not a form, and UsageError if it is malformed or does not arrive within *seconds*.
    """
    found = _BOUNDARY.fullmatch(content_type.strip())
    if found is None:
        raise UnknownEncoding("The form has no files", hint="send it as multipart/form-data")
    boundary = (found[1] or found[2]).encode("latin-1", "replace")
    try:
        return await asyncio.wait_for(_Form(boundary, files, most).received(body), seconds)
    except asyncio.TimeoutError:
        raise UsageError(f"The upload did not arrive within {seconds:g} seconds", hint="try again") from None


class _Form:
    """Form that is being received."""

    def __init__(self, boundary: bytes, files: Mapping[str, Path], most: int) -> None:
        self._files, self._most = files, most
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
        if self._size > self._most:
            raise UploadTooLarge(
                f"The upload has more than {self._most // 2**20} MB",
                hint="use recce-meta record --to, which compresses it",
            )
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
