"""Seed files, hashed: dbt does not look into those over 1 MiB, and to it CRLF is a change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace

from recce_meta.models import NodeMetadata

CHUNK = 1 << 20


def hash_seeds(
    nodes: Iterable[NodeMetadata], project_dir: Path | None, roots: Mapping[str, str]
) -> list[NodeMetadata]:
    """*nodes*, each seed with the `code_hash` of its file where that file is at hand.

    A seed that dbt hashed counts only where its file still has the content that dbt saw. *roots* says
    where each seed's package lay when dbt parsed it.
    """
    return [
        _hashed(node, project_dir, roots.get(node.unique_id)) if node.resource_type == "seed" else node
        for node in nodes
    ]


def _hashed(seed: NodeMetadata, project_dir: Path | None, root: str | None) -> NodeMetadata:
    path = next((path for path in _candidates(seed, project_dir, root) if path.is_file()), None)
    if path is None:
        return seed
    try:
        if seed.checksum_rule == "path" or _is_what_dbt_saw(seed, path):
            return replace(seed, code_hash=file_hash(path))
    except OSError:
        return seed  # unreadable is as good as not at hand
    return seed


def _candidates(seed: NodeMetadata, project_dir: Path | None, root: str | None) -> Iterator[Path]:
    if project_dir is not None:
        for packages in ("dbt_packages", "dbt_modules"):
            yield project_dir / packages / seed.package_name / seed.path
        yield project_dir / seed.path
    if root is not None:
        yield Path(root) / seed.path


def file_hash(path: Path) -> str:
    """SHA-256, in hex, of the text at *path* with LF line ends and no white space at its end."""
    digest = sha256()
    held = b""  # what may yet turn out to be the end of the file, or half of a CRLF
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            chunk = (held + chunk).replace(b"\r\n", b"\n")
            kept = chunk.rstrip()
            digest.update(kept)
            held = chunk[len(kept) :]
    return digest.hexdigest()


def _is_what_dbt_saw(seed: NodeMetadata, path: Path) -> bool:
    """Whether dbt's checksum is that of the file, by any of dbt's rules (see `checksum_rule`)."""
    if seed.checksum is None or path.stat().st_size > 2 * CHUNK:
        return False
    data = path.read_bytes()
    rules: tuple[Callable[[bytes], bytes], ...] = (
        bytes,
        bytes.strip,
        lambda text: text.replace(b"\r\n", b"\n").strip(),
        lambda text: b" ".join(text.split()),
    )
    return any(sha256(rule(data)).hexdigest() == seed.checksum for rule in rules)
