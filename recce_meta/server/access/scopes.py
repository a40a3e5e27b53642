"""Scope that each route needs, and what a request may do.

Every scope includes `read`, and `admin` includes all. Rules come first: a GET request may render SQL of the
user or keep a query alive. Without a rule, a request that may change something needs `admin`, and others
`read`.

A token that is bound to one connection reaches only the routes in BOUND, and through them only its own
connection: others do not exist for it, see `RepositoryService.limited_to`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from starlette.routing import compile_path

from recce_meta.plugins import forge_names
from recce_meta.redaction import presentable
from recce_meta.repositories.state.tokens import ApiToken, TokenScope, allows
from recce_meta.server.access.problems import NotAllowed


@dataclass(frozen=True)
class Permissions:
    """What users of the pages may do in addition to reading the store."""

    queries: bool = False
    """They may run statements that read data: `serve --allow-queries`."""
    writes: bool = False
    """They may write reviews, notes and results of data diffs to the store: `serve --allow-writes`."""

    def require_queries(self) -> None:
        """Raise NotAllowed unless users may start queries."""
        if not self.queries:
            raise NotAllowed(
                "This server runs no queries for its users", hint="start it with serve --allow-queries"
            )

    def require_writes(self) -> None:
        """Raise NotAllowed unless users may write to the store."""
        if not self.writes:
            raise NotAllowed(
                "This server does not write to the store", hint="start it with serve --allow-writes"
            )


READ_ONLY = Permissions()


class ScopeRule(NamedTuple):
    """Scope of the requests with one method to the paths of one route."""

    method: str
    path: str
    """Path as routes have it: `{job:path}` may contain slashes."""
    scope: TokenScope

    @property
    def shown_path(self) -> str:
        """Path for readers."""
        return self.path.replace(":path}", "}")


SAFE = frozenset(["GET", "HEAD", "OPTIONS"])
"""Methods that change nothing, which need `read` without a rule."""
CONNECTIONS = "/api/metadata/connections"
WORKSPACES = "/api/metadata/workspaces"
EXCHANGE = "/api/metadata/sync"
RULES = (
    ScopeRule("POST", CONNECTIONS, TokenScope.WRITE),
    ScopeRule("PATCH", f"{CONNECTIONS}/{{id}}", TokenScope.WRITE),
    ScopeRule("DELETE", f"{CONNECTIONS}/{{id}}", TokenScope.WRITE),
    ScopeRule("POST", f"{CONNECTIONS}/{{id}}/extract", TokenScope.EXTRACT),
    ScopeRule("POST", f"{CONNECTIONS}/{{id}}/extractions/{{job:path}}/cancel", TokenScope.EXTRACT),
    ScopeRule("POST", f"{CONNECTIONS}/{{id}}/manifest", TokenScope.UPLOAD),
    ScopeRule("POST", f"{CONNECTIONS}/{{id}}/test", TokenScope.WRITE),
    ScopeRule("POST", "/api/stores/{store}/annotations", TokenScope.WRITE),
    ScopeRule("POST", "/api/metadata/sync-from-ide", TokenScope.UPLOAD),
    ScopeRule("POST", f"{EXCHANGE}/lacking", TokenScope.READ),
    ScopeRule("POST", f"{EXCHANGE}/objects", TokenScope.READ),
    ScopeRule("POST", f"{EXCHANGE}/pieces", TokenScope.READ),
    ScopeRule("POST", WORKSPACES, TokenScope.UPLOAD),
    ScopeRule("PATCH", f"{WORKSPACES}/{{id}}", TokenScope.UPLOAD),
    ScopeRule("POST", "/api/webhooks/{forge}/setup", TokenScope.WRITE),
    ScopeRule("GET", "/connections/{id}/upload", TokenScope.UPLOAD),
    ScopeRule("POST", "/connections/{id}/upload", TokenScope.UPLOAD),
    ScopeRule("GET", "/s/{store}/diff/{base}/{current}/query", TokenScope.QUERY),
    ScopeRule("POST", "/s/{store}/notes", TokenScope.WRITE),
    ScopeRule("GET", "/s/{store}/runs/{run}/query", TokenScope.QUERY),
    ScopeRule("GET", "/s/{store}/queries", TokenScope.QUERY),
    ScopeRule("GET", "/s/{store}/queries.csv", TokenScope.QUERY),
    ScopeRule("GET", "/s/{store}/queries.json", TokenScope.QUERY),
    ScopeRule("GET", "/s/{store}/queries/{job}", TokenScope.QUERY),
    ScopeRule("GET", "/s/{store}/queries/{job}.json", TokenScope.QUERY),
    ScopeRule("POST", "/s/{store}/queries", TokenScope.QUERY),
    ScopeRule("POST", "/s/{store}/queries/preview", TokenScope.QUERY),
    ScopeRule("POST", "/s/{store}/queries/{job}/cancel", TokenScope.QUERY),
    ScopeRule("POST", "/s/{store}/queries/{job}/lease", TokenScope.QUERY),
    ScopeRule("POST", "/s/{store}/queries/{job}/save", TokenScope.WRITE),
    ScopeRule("POST", "/s/{store}/reviews", TokenScope.WRITE),
    ScopeRule("POST", "/s/{store}/checklist", TokenScope.WRITE),
    ScopeRule("POST", "/s/{store}/checklist/again", TokenScope.WRITE),
    ScopeRule("POST", "/s/{store}/checklist/remove", TokenScope.WRITE),
)
"""Rules of the requests that need another scope than `read` for GET and `admin` for the rest."""
DELIVERIES = frozenset(f"/api/webhooks/{forge}" for forge in forge_names())
"""Paths to which forges send signed deliveries by POST, without a token."""
BOUND = (
    ("GET", "/api/metadata/token"),
    ("GET", CONNECTIONS),
    ("GET", "/api/metadata/extractions/active"),
    ("GET", f"{CONNECTIONS}/{{id}}"),
    ("GET", f"{CONNECTIONS}/{{id}}/progress"),
    ("GET", f"{CONNECTIONS}/{{id}}/extractions"),
    ("GET", f"{CONNECTIONS}/{{id}}/extractions/{{job:path}}"),
    ("GET", f"{CONNECTIONS}/{{id}}/stats"),
    ("GET", f"{CONNECTIONS}/{{id}}/lineage"),
    ("GET", f"{CONNECTIONS}/{{id}}/impact"),
    ("POST", f"{CONNECTIONS}/{{id}}/extract"),
    ("POST", f"{CONNECTIONS}/{{id}}/extractions/{{job:path}}/cancel"),
    ("POST", f"{CONNECTIONS}/{{id}}/manifest"),
    ("GET", WORKSPACES),
    ("GET", f"{WORKSPACES}/{{id}}/lineage"),
    ("POST", WORKSPACES),
    ("PATCH", f"{WORKSPACES}/{{id}}"),
    ("POST", "/api/metadata/sync-from-ide"),
)
"""Methods and paths that a token of one connection reaches: a new route is closed until it is listed."""


class Grant(NamedTuple):
    """Who sends a request, and what it may do."""

    name: str
    """Name of the token, or address of the client."""
    scopes: frozenset[TokenScope] = frozenset([TokenScope.ADMIN])
    has_token: bool = False
    """True if the request itself has a valid token, which no page of another site could send."""
    connection: str | None = None
    """Id of the only connection that the request may be about; None for everything."""
    token_id: str | None = None
    """Id of the stored token; None without one."""
    author: str | None = None
    """Name of a stored token, which signs what the request writes; None if the request gives a name."""

    @property
    def is_admin(self) -> bool:
        """True if the request may do everything."""
        return TokenScope.ADMIN in self.scopes

    def allows(self, needed: TokenScope) -> bool:
        """Return True if the request may do what *needed* allows."""
        return allows(self.scopes, needed)

    def reaches(self, method: str, path: str) -> bool:
        """Return True unless the token is bound to a connection, and the route is closed to such tokens."""
        if self.connection is None:
            return True
        asked = _asked(method)
        return any(asked == one and _pattern(route).match(path) for one, route in BOUND)


def sender(address: str, grant: Grant) -> str:
    """Return who sends a request from *address*.

    >>> sender("10.0.0.7", Grant("token ci"))
    '10.0.0.7, token ci'
    """
    # Without a token, the name of the grant is the address again.
    return ", ".join(dict.fromkeys(presentable(name) or "unknown address" for name in (address, grant.name)))


def is_named(by: str) -> bool:
    """Return True if the sender *by* has a token or a session, and not only an address.

    >>> is_named("10.0.0.7, token ci"), is_named("127.0.0.1")
    (True, False)
    """
    return ", " in by


def grant_of(token: ApiToken) -> Grant:
    """Return what the requests with *token* may do."""
    return Grant(
        f"token {token.name}",
        frozenset(token.scopes),
        has_token=True,
        connection=token.connection_id,
        token_id=token.id,
        author=token.name,
    )


def scope_of(method: str, path: str) -> TokenScope:
    """Return the scope that a request needs.

    >>> scope_of("GET", "/api/stores").value, scope_of("POST", "/connections").value
    ('read', 'admin')
    """
    asked = _asked(method)
    # The patterns of Starlette, as for its routes: a path must never match a route and miss its rule.
    matching = (rule.scope for rule in RULES if rule.method == asked and _pattern(rule.path).match(path))
    # A new route that changes something is closed until a rule opens it.
    return next(matching, TokenScope.READ if method in SAFE else TokenScope.ADMIN)


def _asked(method: str) -> str:
    return "GET" if method in SAFE else method  # HEAD does the work of GET


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return compile_path(path)[0]
