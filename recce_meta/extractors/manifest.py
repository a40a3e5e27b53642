"""manifest.json of any version, v1 to v12 and v20, as nodes, macros and groups.

What differs between versions is found by field, never by the header, which lies in real files.
Source of every rule: the corpus described in docs/artifacts.md.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import md5, sha256
from operator import attrgetter
from pathlib import Path

from msgspec import Raw, Struct, ValidationError
from msgspec.json import Decoder

from recce_meta.errors import ArtifactError
from recce_meta.extractors.artifact import (
    Metadata,
    RawManifest,
    RawNode,
    decode,
    foreign_header,
    not_a,
    read_artifact,
    refusing,
)
from recce_meta.extractors.nodes import (
    SECTIONS,
    Shared,
    checksum_of,
    definitions_of,
    macro_of,
    node_of,
    source_code,
    source_of,
)
from recce_meta.models import LineageEdge, MacroMetadata, NodeMetadata, code_hash

KNOWN_VERSIONS = frozenset([*(f"v{number}" for number in range(1, 13)), "v20"])
"""There is no v13 to v19: dbt's Rust engine wrote v20 until it came back to v12."""


class Manifest(Struct, frozen=True, kw_only=True):
    """A manifest, read; nodes, macros and groups sorted by unique id."""

    schema_version: str | None
    dbt_version: str | None
    generated_at: str | None
    started_at: str | None
    """When the invocation started, from dbt 1.10 on."""
    invocation_id: str | None
    project_name: str
    adapter_type: str | None
    nodes: tuple[NodeMetadata, ...]
    macros: tuple[MacroMetadata, ...]
    groups: tuple[NodeMetadata, ...]
    seed_roots: dict[str, str]
    """Where each seed's package lay when dbt parsed it; never stored."""


@contextmanager
def paused_collector() -> Iterator[None]:
    """Without Python's cyclic garbage collector, which would walk a million new objects and find nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def extract_from_manifest(path: str | Path) -> tuple[list[NodeMetadata], list[LineageEdge]]:
    """The nodes and edges of the manifest at *path* (gzip or not), each sorted.

    Raises ArtifactError where it is missing, damaged, not a manifest, or of an unknown version.
    """
    nodes = read_manifest(Path(path)).nodes
    return list(nodes), [LineageEdge(node.unique_id, parent) for node in nodes for parent in node.parents]


def read_manifest(path: Path) -> Manifest:
    """The manifest at *path*, with everything in it that is kept."""
    with paused_collector(), refusing(path, "manifest.json"):
        return _manifest(path)


def _manifest(path: Path) -> Manifest:
    raw = decode(read_artifact(path), path, "manifest.json", RawManifest)
    if raw.nodes is None:
        raise not_a("manifest.json", path, "it has no 'nodes'")
    header = raw.metadata or Metadata()
    version = schema_version(header, path)
    entries = Entries(path)
    nodes = list(entries.nodes(raw.nodes))
    nodes += entries.sources(raw.sources or {})
    nodes += entries.nodes(raw.functions or {})
    groups = definitions_of(raw.groups, "group")
    for section, resource_type in SECTIONS.items():
        nodes += definitions_of(getattr(raw, section), resource_type)
    return Manifest(
        schema_version=version,
        dbt_version=header.dbt_version,
        generated_at=header.generated_at,
        started_at=header.invocation_started_at,
        invocation_id=header.invocation_id,
        project_name=_project_name(header, nodes),
        adapter_type=header.adapter_type,
        nodes=tuple(sorted(nodes, key=attrgetter("unique_id"))),
        macros=tuple(macro_of(unique_id, macro) for unique_id, macro in sorted((raw.macros or {}).items())),
        groups=tuple(sorted(groups, key=attrgetter("unique_id"))),
        seed_roots=entries.seed_roots,
    )


class Entries:
    """Decodes one entry at a time, so that a manifest is never in memory twice."""

    def __init__(self, path: Path) -> None:
        self.seed_roots: dict[str, str] = {}
        self._path = path
        self._shared = Shared()

    def nodes(self, section: dict[str, Raw]) -> Iterator[NodeMetadata]:
        """The entries of `nodes` or `functions`."""
        rule = checksum_rule(
            self._decoded(unique_id, entry)
            for unique_id, entry in section.items()
            if unique_id.startswith(("model.", "snapshot."))
        )
        for unique_id, entry in section.items():
            raw = self._decoded(unique_id, entry)
            if raw.root_path and unique_id.startswith("seed."):
                self.seed_roots[unique_id] = raw.root_path
            yield node_of(unique_id, raw, rule, self._shared)

    def sources(self, section: dict[str, Raw]) -> Iterator[NodeMetadata]:
        """The entries of `sources`."""
        for unique_id, entry in section.items():
            yield source_of(unique_id, self._decoded(unique_id, entry), self._shared)

    def _decoded(self, unique_id: str, entry: Raw) -> RawNode:
        try:
            return _NODE.decode(entry)
        except ValidationError as error:
            raise not_a("manifest.json", self._path, f"{unique_id}: {error}") from None


_NODE = Decoder(RawNode)


def schema_version(header: Metadata, path: Path) -> str | None:
    """`v12` of a *header* that names manifest v12; None where it names nothing.

    Raises ArtifactError where it names another artifact, or a version that is not known.
    """
    if not header.dbt_schema_version:
        return None
    kind, version = header.kind_and_version or ("", "")
    if kind != "manifest":
        raise foreign_header("manifest.json", path, header)
    if version not in KNOWN_VERSIONS:
        raise ArtifactError(
            f"{path} is a manifest {version}, which this version of recce-meta does not know",
            hint="pip install --upgrade recce-meta (v1 to v12 and v20 are known)",
        )
    return version


def checksum_rule(nodes: Iterable[RawNode]) -> str | None:
    """How this dbt computes checksums, told from the checksums themselves.

    dbt hashed the bytes of the file until 1.4 (`file`), the stripped text until 1.11 (`stripped`), and
    collapses white space since 1.12 (`collapsed`). A model whose white space tells the three apart is
    evidence; None where no node is.
    """
    votes: Counter[str] = Counter()
    for node in nodes:
        code, written = source_code(node), checksum_of(node.checksum)
        if not code or not written:
            continue
        stripped, collapsed = (
            sha256(code.strip().encode("utf-8", "surrogatepass")).hexdigest(),
            code_hash(code),
        )
        if stripped == collapsed:
            continue
        votes["collapsed" if written == collapsed else "stripped" if written == stripped else "file"] += 1
        if votes.total() >= 25:
            break
    return votes.most_common(1)[0][0] if votes else None


def _project_name(header: Metadata, nodes: list[NodeMetadata]) -> str:
    """`metadata.project_name` (v10 on), else the package that the header's md5 names, else the largest."""
    if header.project_name:
        return header.project_name
    packages = Counter(node.package_name for node in nodes if node.package_name)
    for package in packages:
        if header.project_id == md5(package.encode(), usedforsecurity=False).hexdigest():
            return package
    return packages.most_common(1)[0][0] if packages else "unknown"
