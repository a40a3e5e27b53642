"""Client of `record --to`: sends dbt's artifacts to a server, as one compressed JSON document.

The artifacts are copied as bytes and never parsed, so a large manifest needs little memory. The document is
compressed into a temporary file first: its length lets the server refuse it early, and it can be sent again.
"""

from __future__ import annotations

import gzip
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from recce_meta.errors import ArtifactError, UsageError
from recce_meta.extractors.artifact import find_artifact
from recce_meta.sync.server_client import Report, RequestFailed, ServerAnswer, ServerClient, parse_server
from recce_meta.temporary import temporary_folder

ARTIFACTS = ("manifest", "catalog", "run_results", "sources")
_PIECE = 2**16
_SPACE = b" \t\r\n"


class _Extraction(Struct, frozen=True):
    models: int = 0
    sources: int = 0
    columns: int = 0
    column_lineage: int = 0
    extraction_tier: str = ""


class Uploaded(Struct, frozen=True, kw_only=True):
    """Fields of the answer to an upload that are shown."""

    run_id: str
    is_new: bool
    project: str
    environment: str
    connection: str
    job_id: str
    extraction: _Extraction
    warnings: tuple[str, ...] = ()


class _TokenGrant(Struct, frozen=True):
    connection_id: str | None = None


def upload_artifacts(
    folder: Path,
    details: Mapping[str, str],
    origin: Mapping[str, object],
    *,
    to: str,
    connection: str | None,
    environ: Mapping[str, str],
    say: Report,
    report: Report,
) -> bytes:
    """Send the artifacts in *folder* to a connection of the server *to*, and return its answer, JSON.

    *details* are the parameters of the upload, and *origin* are the job and the page of the commit. Without
    *connection*, it is the one that the token is bound to. *say* is called with what delays the upload, and
    *report* with its progress.

    Raises UsageError for an invalid address or a missing connection, ArtifactError for files that are no
    artifacts, ConfigurationError for an invalid token, and RequestFailed.
    """
    client = ServerClient(parse_server(to, environ), environ, say=say)
    files = find_artifacts(folder)
    # Asks for the token in any case: a server that refuses it may not read the upload before it answers.
    bound = _decoded(client.send("GET", "/api/metadata/token"), _TokenGrant, client).connection_id
    name = connection or bound
    if name is None:
        raise UsageError(
            "Missing option: --connection", hint="name the connection, or use a token that is bound to one"
        )
    path = f"/api/metadata/connections/{quote(name, safe='')}/manifest"
    if details:
        path += f"?{urlencode(details)}"
    with temporary_folder() as created:
        packed = Path(created, "upload.json.gz")
        report("compressing the artifacts")
        pack(files, packed, origin)
        size = packed.stat().st_size
        report(f"uploading {size / 2**20:,.1f} MB")
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        answer = client.send("POST", path, packed, headers, report=report)
    # Refused here, before its output is printed.
    _decoded(answer, Uploaded, client)
    return answer.body


def read_answer(body: bytes) -> Uploaded:
    """Return the fields of *body*, the answer of `upload_artifacts`, that are shown."""
    return msgspec.json.decode(body, type=Uploaded)


def find_artifacts(folder: Path) -> dict[str, Path]:
    """Return the artifacts in dbt's target folder by name; *folder* may be the manifest itself.

    Raises ArtifactError without a manifest.
    """
    found: dict[str, Path | None] = {}
    if folder.is_file():
        folder, found = folder.parent, {"manifest": folder}
    found = {name: found.get(name) or find_artifact(folder, f"{name}.json") for name in ARTIFACTS}
    if found["manifest"] is None:
        raise ArtifactError(
            f"No manifest.json in {folder}",
            hint="run dbt build or dbt parse first, or pass its target folder with --target-path",
        )
    return {name: file for name, file in found.items() if file is not None}


def pack(
    files: Mapping[str, Path], target: Path, origin: Mapping[str, object] = MappingProxyType({})
) -> None:
    """Write one compressed JSON document with the artifacts *files* by name, and *origin*, to *target*.

    Raises ArtifactError for a file that is not a JSON object.
    """
    # By zlib and not by gzip: the header has no time, so equal artifacts have equal bytes.
    packer = zlib.compressobj(5, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    with target.open("wb") as written:
        for piece in document(files, origin):
            written.write(packer.compress(piece))
        written.write(packer.flush())


def document(files: Mapping[str, Path], origin: Mapping[str, object]) -> Iterator[bytes]:
    """Yield the pieces of a JSON object with the contents of *files* by name, and the members of *origin*."""
    for number, (name, file) in enumerate(files.items()):
        yield f'{"," if number else "{"}"{name}":'.encode()
        yield from _object_in(file)
    for name, value in origin.items():
        if value is not None:
            yield f',"{name}":'.encode() + msgspec.json.encode(value)
    yield b"}"


def _object_in(file: Path) -> Iterator[bytes]:
    """Yield the bytes of *file*. Raises ArtifactError unless they begin and end like a JSON object."""
    first = last = b""
    try:
        with _opened(file) as source:
            piece = source.read(_PIECE).removeprefix(BOM_UTF8)
            while piece:
                # A file that was cut almost never ends with a brace; the server reads the rest.
                if text := piece.strip(_SPACE):
                    first, last = first or text[:1], text[-1:]
                    if first != b"{":
                        break
                yield piece
                piece = source.read(_PIECE)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise ArtifactError(
            f"{file} is not a complete gzip file", hint="copy the file again: it was probably truncated"
        ) from None
    except OSError as error:
        raise ArtifactError(
            f"Cannot read {file}: {error.strerror or error}", hint="check the file and its permissions"
        ) from None
    if (first, last) != (b"{", b"}"):
        raise ArtifactError(
            f"{file} is not a complete JSON object", hint="run dbt again: it was probably interrupted"
        )


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    with file.open("rb") as source:
        # By content, because a compressed copy may have any name.
        is_gzip = source.read(2) == b"\x1f\x8b"
        source.seek(0)
        if not is_gzip:
            yield source
            return
        with gzip.GzipFile(fileobj=source) as inflated:
            yield inflated  # type: ignore[misc]


def _decoded(answer: ServerAnswer, kind: Callable[..., Any], client: ServerClient) -> Any:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RequestFailed(
            f"{client.address.netloc} is not a recce-meta server of this version",
            hint="check the address, and update the server",
        ) from None
