"""What databases have in common that are reached by a URL alone."""

from __future__ import annotations

from recce_meta.errors import ProfileError
from recce_meta.warehouses.base import ConnectionPlan, UrlParts, Warehouse
from recce_meta.warehouses.fields import Fields, secret_values


class UrlDatabase(Warehouse):
    """A database for comparing data, without the store."""

    has_store = False

    def plan(self, fields: Fields) -> ConnectionPlan:
        """There is no profile for it."""
        raise ProfileError(f"{self.name} is reached by a URL alone", hint="use --url URL")

    def grant_to_create_schema(self, database: str | None, role: str | None) -> str | None:
        """Nothing is ever created there."""
        return None

    def grant_to_create_table(self, schema: str | None, role: str | None) -> str | None:
        """Likewise."""
        return None

    def grant_to_write(self, schema: str | None, role: str | None) -> str | None:
        """Likewise."""
        return None

    def grant_to_read(self, schema: str | None, role: str | None) -> str | None:
        """Each has words of its own for it."""
        return None


def url_secrets(url: UrlParts) -> tuple[str, ...]:
    """What no message may show of *url*: its password, and those among its parameters."""
    named = (url.password, *secret_values(dict(url.query)))
    return tuple(secret for secret in named if secret and secret != url.username)
