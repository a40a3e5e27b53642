"""Checks of the state: its database and version, the key of its secrets, and its workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import RowMapping, select
from sqlalchemy.exc import SQLAlchemyError

from recce_meta._version import __version__
from recce_meta.errors import RecceMetaError, first_line, install_hint
from recce_meta.models.run import Check
from recce_meta.redaction import presentable
from recce_meta.repositories.state.database import VERSION, State, existing_state, stored_version
from recce_meta.repositories.state.secrets import KEY, KEY_FILE, key_file_of, read_keys, unseal
from recce_meta.repositories.state.tables import connection_secrets
from recce_meta.repositories.state.workers import STALE_SECONDS, list_workers, stale_workers


def check_state(url: str | None, environ: Mapping[str, str]) -> list[Check]:
    """Return the checks of the state at *url*, which is neither created nor migrated."""
    name = "state"
    try:
        state = existing_state(url, environ)
        if state is None:
            created = "recce-meta connection add URL creates it"
            return [Check(name, None, "no file of a state exists yet", created)]
        try:
            return _checked(state, environ)
        finally:
            state.close()
    except RecceMetaError as error:
        return [Check(name, False, error.message, error.hint)]
    except SQLAlchemyError as error:
        return [Check(name, False, presentable(first_line(error)), "check --state")]


def _checked(state: State, environ: Mapping[str, str]) -> list[Check]:
    version, where = stored_version(state), str(state.url)
    found = Check("state", True, where)
    if version is None:
        hint = "the next server, worker or connection add creates them"
        return [
            found,
            Check("migration", None, "the state has no tables yet", hint),
            *_key(state, environ, 0),
        ]
    if version > VERSION:
        hint = install_hint("server", "--upgrade ")
        return [found, Check("migration", False, f"version {version}; this recce-meta reads {VERSION}", hint)]
    if version < VERSION:
        hint = "back it up and stop older servers and workers; the next start migrates it"
        behind = f"version {version}; this recce-meta migrates it to {VERSION}"
        return [found, Check("migration", None, behind, hint)]
    return [
        found,
        Check("migration", True, f"version {version} is current"),
        *_key(state, environ, version),
        *_workers(state),
    ]


def _key(state: State, environ: Mapping[str, str], version: int) -> list[Check]:
    """Return a check that the key opens all secrets of the state; no key is created."""
    has_key = environ.get(KEY) or environ.get(KEY_FILE) or (state.file and key_file_of(state.file).exists())
    secrets: Sequence[RowMapping] = ()
    if version:
        with state.read() as session:
            secrets = session.execute(select(connection_secrets)).mappings().all()
    # Without this, a key file would be created.
    if not has_key and not secrets:
        hint = f"set {KEY} or {KEY_FILE}, or name variables with --token-env"
        detail = "no key is set, and no secret is stored"
        return [Check("key", None, detail, hint if state.file is None else "the first secret creates one")]
    try:
        keys = read_keys(environ, state)
        for row in secrets:
            unseal(keys, row["connection_id"], row["field"], row["sealed"])
    except RecceMetaError as error:
        return [Check("key", False, error.message, error.hint)]
    return [Check("key", True, f"{keys.source} opens {len(secrets)} of {len(secrets)} secrets")]


def _workers(state: State) -> list[Check]:
    stale = {worker.name for worker in stale_workers(state, STALE_SECONDS)}
    workers = list_workers(state)
    live = [worker for worker in workers if worker.name not in stale]
    if not live:
        return [Check("workers", None, "no worker runs, so jobs wait", "start recce-meta worker")]
    shown = ", ".join(sorted(worker.name for worker in live))
    others = sorted({worker.version for worker in live} - {__version__})
    hint = f"upgrade the workers of version {', '.join(others)}" if others else None
    return [Check("workers", None if others else True, f"{len(live)} live: {shown}", hint)]
