"""Index of a recorded project: nodes by file, by `ref` and by `source`, macros, and known columns.

Everything is read from the store on demand, so that the server starts at once and needs little memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from recce_meta.api.run_reader import RunReader
from recce_meta.lsp.template import TagCall
from recce_meta.models import MacroMetadata, NodeMetadata, RunMetadata


class KnownColumns(Struct, frozen=True):
    """Columns of a node."""

    types: Mapping[str, str | None]
    """Type by name, in order; None for an unknown type."""
    are_all: bool
    """False if the node may have further columns."""


class ProjectIndex:
    """One recorded run of the project in *root*, and the run that it is compared with."""

    def __init__(self, reader: RunReader, root: Path, base: RunReader | None = None) -> None:
        """Create an index; nothing is read yet. *base* is the run to compare with, if there is one."""
        self.reader, self.root, self.base = reader, root, base

    @property
    def run(self) -> RunMetadata:
        """The recorded run."""
        return self.reader.run

    @cached_property
    def dialect(self) -> str:
        """Name of the dialect in sqlglot; empty for standard SQL."""
        raise NotImplementedError

    @property
    def names(self) -> Mapping[str, NodeMetadata]:
        """Every node by unique id, with few fields (see `RunReader.names`)."""
        return self.reader.names

    def node(self, unique_id: str) -> NodeMetadata | None:
        """Return the node with all fields; the last ones are cached."""
        raise NotImplementedError

    def node_of_file(self, path: Path) -> NodeMetadata | None:
        """Return the model, snapshot, analysis or singular test of the SQL file *path*; None without one."""
        raise NotImplementedError

    def ref(self, call: TagCall, package: str) -> NodeMetadata | None:
        """Return the node that a call of `ref` in *package* means, as dbt resolves it.

        One argument, or package and name; `v=` or `version=`. None for an unknown or non-literal name.
        https://docs.getdbt.com/reference/dbt-jinja-functions/ref
        """
        raise NotImplementedError

    def source(self, call: TagCall) -> NodeMetadata | None:
        """Return the source table that a call of `source` means; None for an unknown or non-literal name."""
        raise NotImplementedError

    def relation(self, call: TagCall | None, package: str, this: NodeMetadata | None) -> NodeMetadata | None:
        """Return the node of a table of the text: that of `ref`, of `source`, or *this*."""
        raise NotImplementedError

    def macro(self, name: str, package: str) -> MacroMetadata | None:
        """Return the macro that the dotted *name* means in *package*, as dbt resolves it."""
        raise NotImplementedError

    def macro_place(self, macro: MacroMetadata) -> tuple[Path, int] | None:
        """Return the file of *macro* and the offset of its definition; None if the file is missing."""
        raise NotImplementedError

    def file_of(self, node: NodeMetadata) -> Path | None:
        """Return the file that defines *node*, in the project or an installed package, if it exists."""
        raise NotImplementedError

    def columns(self, unique_id: str) -> KnownColumns:
        """Return the columns of a node: of its catalog or contract, else those of its SQL."""
        raise NotImplementedError

    def variable(self, name: str) -> tuple[object, Path | None, int] | None:
        """Return the value of a variable, its file and line from 0; None if the project does not set it."""
        raise NotImplementedError

    def refs(self, package: str) -> Sequence[tuple[str, NodeMetadata]]:
        """Return the names that `ref` accepts in *package*, sorted."""
        raise NotImplementedError

    def sources(self) -> Mapping[str, Sequence[NodeMetadata]]:
        """Return the tables of each source."""
        raise NotImplementedError

    def readers(self, unique_id: str) -> Sequence[NodeMetadata]:
        """Return the direct children of a node, tests excluded; exposures and metrics included."""
        raise NotImplementedError

    def column_readers(self, unique_id: str) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """Return for each column, in lower case, the nodes that read it, with their columns derived from it.

        The names of columns are empty for a node that only filters, joins or groups by the column.
        """
        raise NotImplementedError
