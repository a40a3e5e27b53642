"""Forms with files: parts of any size arrive in pieces of any size, and malformed ones are refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from recce_meta.errors import RecceMetaError
from recce_meta.server.access.limits import MOST_HEADERS, UploadLimits, receive_form

KIND = "multipart/form-data; boundary=xyz"


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    """Return one part of a form with the boundary `xyz`."""
    file = "" if filename is None else f'; filename="{filename}"'
    head = f'--xyz\r\nContent-Disposition: form-data; name="{name}"{file}\r\nX-Other: 1\r\n\r\n'
    return head.encode() + content + b"\r\n"


def received(
    folder: Path, body: bytes, step: int = 1000, kind: str = KIND, most: int = 10**6
) -> tuple[dict[str, str], dict[str, bytes]]:
    """Return the fields and the files of a form that arrives in pieces of *step* bytes."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), step):
            yield body[start : start + step]
            yield b""

    folder.mkdir(exist_ok=True)
    files = {name: folder / f"{name}.json" for name in ("manifest", "catalog")}
    fields = asyncio.run(
        receive_form(Headers({"content-type": kind}), pieces(), files, UploadLimits(most, most, ""))
    )
    return fields, {name: file.read_bytes() for name, file in files.items() if file.exists()}


@pytest.mark.parametrize("step", [1, 2, 7, 64, 100_000])
def test_fields_and_files_arrive_in_pieces(tmp_path: Path, step: int) -> None:
    content = b"{}\r\n--xy\r\n\r\n--xy" + bytes(range(256)) * 3 + b"\r\n--x"
    body = part("branch", "grün ".encode()) + part("manifest", content, "a.json") + part("catalog", b"", "")

    fields, files = received(tmp_path, body + b"--xyz--\r\nepilogue", step)

    assert fields == {"branch": "grün"}
    assert files == {"manifest": content}
    assert received(tmp_path / "x", b"--xyz--", step) == ({}, {})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not complete"),
        (b"--xyz", "not complete"),
        (part("manifest", b"{}", "a"), "not complete"),
        (part("manifest", b"{}", "a")[:-2], "not complete"),
        (b"preamble\r\n--xyz--", "too long"),
        (b"--xyzz--", "malformed"),
        (b"--xyz\r\nContent-Disposition: form-data\r\n\r\n\r\n--xyz--", "malformed"),
        (b"--xyz\r\n" + b"a" * (MOST_HEADERS + 2000), "malformed"),
        (part("other", b"{}", "a") + b"--xyz--", "unknown file"),
        (part("../x", b"{}", "a") + b"--xyz--", "unknown file"),
        (part("manifest", b"{}", "a") * 2 + b"--xyz--", "given twice"),
        (part("branch", b"x" * 2000) + b"--xyz--", "too long"),
        (part("branch", b"x") * 21 + b"--xyz--", "more than 20 fields"),
        (part("manifest", b"x" * 1_000_001, "a") + b"--xyz--", "more than 0 MB"),
    ],
)
def test_a_malformed_or_large_form_is_refused(tmp_path: Path, body: bytes, message: str) -> None:
    for step in (5000,) if len(body) > 10_000 else (11, 5000):
        with pytest.raises(RecceMetaError, match=message):
            received(tmp_path / str(step), body, step)


@pytest.mark.parametrize(
    "kind",
    ["", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/mixed; boundary=xyz"],
)
def test_another_content_type_is_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(RecceMetaError, match="no files"):
        received(tmp_path, b"--xyz--", kind=kind)
