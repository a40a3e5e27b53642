"""Notifications of commands: the options that name receivers, and what is sent to them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from msgspec import Struct

from recce_meta.cli.console import warn
from recce_meta.cli.options import server_pages
from recce_meta.errors import RecceMetaError, plural
from recce_meta.lazy import load

if TYPE_CHECKING:
    from recce_meta.report.review.notices import Notice


class Receivers(Struct, frozen=True, kw_only=True):
    """Options that name receivers of notifications."""

    notify: tuple[str, ...]
    notify_file: Path | None

    def read(self) -> Outbox:
        """Return where to send notices.

        Raises UsageError or NotificationFailed, without the address, for one that cannot be used.
        """
        if not self.notify and self.notify_file is None:
            return Outbox(addresses=())
        addresses = load("recce_meta.cli.run.connection:read_addresses")(self.notify, self.notify_file)
        sending = load("recce_meta.repositories.notifications.sending")
        # Before the command, which may take an hour.
        for address in addresses:
            sending.check_address(address, os.environ)
        return Outbox(addresses=addresses)


class Outbox(Struct, frozen=True, kw_only=True):
    """Addresses that notices are sent to."""

    addresses: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Outbox({len(self.addresses)})"

    def send(self, maker: str, *results: Any) -> int:
        """Send the notice that the function *maker*, given as `module:name`, makes of *results*, if any.

        Return the number of failures, each of which is a warning.
        """
        if not self.addresses:
            return 0
        notice: Notice | None = load(maker)(*results)
        if notice is None:
            return 0
        pages = server_pages() if len(notice.runs) == 2 else None
        payload = {
            "id": f"{notice.kind}:{notice.key or uuid4().hex}",
            "kind": notice.kind,
            "connection": notice.project,
            "branch": notice.environment,
            "title": notice.title,
            "text": "\n".join(notice.lines),
            "url": None if pages is None else pages.diff(*notice.runs),
        }
        sending = load("recce_meta.repositories.notifications.sending")
        failures = asyncio.run(sending.send_to(self.addresses, os.environ, payload))
        for failure in failures:
            warn(f"Notification not sent: {failure.message}" + (f" ({failure.hint})" if failure.hint else ""))
        return len(failures)

    def refuse(self, unsent: int) -> None:
        """Raise RecceMetaError if notifications could not be sent."""
        if unsent:
            raise RecceMetaError(
                f"{unsent} of {plural(len(self.addresses), 'notification')} could not be sent"
            )
