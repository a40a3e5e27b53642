"""Links from comments, commit statuses and notifications to the pages of the server."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from msgspec import Struct

from recce_meta.errors import UsageError
from recce_meta.report.addresses import Addresses, segment, server_addresses
from recce_meta.repositories.state.types import ExtractionJob

PUBLIC_URL = "RECCE_META_PUBLIC_URL"

log = logging.getLogger(__name__)


class PageLinks(Struct, frozen=True, kw_only=True):
    """Addresses of pages; none without a public address of the server."""

    server: str | None = None
    """Address of the server, such as `https://recce.example.com`."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> PageLinks:
        """Return the links to the server in RECCE_META_PUBLIC_URL; an invalid one is ignored and logged."""
        given = environ.get(PUBLIC_URL)
        if not given:
            return cls()
        try:
            return cls(server=server_addresses(given).server)
        except UsageError as error:
            log.warning("no links to %s: %s", PUBLIC_URL, error.message)
            return cls()

    def store(self, name: str) -> Addresses | None:
        """Return the pages of the store *name*."""
        return None if self.server is None else Addresses(name, self.server)

    def diff(self, store: str, base: str, current: str) -> str | None:
        """Return the page of the diff of two runs of *store*."""
        pages = self.store(store)
        return None if pages is None else pages.diff(base, current)

    def run(self, store: str, run_id: str) -> str | None:
        """Return the page of a run of *store*."""
        pages = self.store(store)
        return None if pages is None else pages.run(run_id)

    def job(self, job: ExtractionJob) -> str | None:
        """Return the page of *job*."""
        if self.server is None:
            return None
        return f"{self.server}/connections/{segment(job.connection_id)}/jobs/{segment(job.id)}"
