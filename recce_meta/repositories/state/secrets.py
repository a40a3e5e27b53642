"""Encryption of stored secrets, the keys for it, and the removal of secrets from output.

A sealed value contains the row and the field that it belongs to: a value that was moved to another row does
not open there.
"""

from __future__ import annotations

import base64
import os
import stat
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sqlalchemy import func, select

from recce_meta.errors import ConfigurationError, MissingDriverError, StoreError, install_hint
from recce_meta.redaction import redact
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.tables import connection_secrets

if TYPE_CHECKING:
    from cryptography.fernet import Fernet, MultiFernet

KEY = "RECCE_META_KEY"
KEY_FILE = "RECCE_META_KEY_FILE"
SecretField = Literal["token", "private_key", "webhook_secret", "former_webhook_secret", "notify", "url"]
"""Secrets of a connection; `former_webhook_secret` is valid while the new one is set at the forge."""

_NEW_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
_HAS_MODES = os.name == "posix"


class Keys:
    """Keys of encryption, the newest first; the repr omits them."""

    def __init__(self, fernet: MultiFernet, source: str, file: Path | None, *, is_created: bool) -> None:
        self._fernet = fernet
        self.source = source
        """Variable or file that the keys come from."""
        self.file = file
        """File of the keys; None for keys in a variable."""
        self.is_created = is_created
        """Whether the file is new: `connection add` then names it."""

    def __repr__(self) -> str:
        return f"Keys({self.source!r})"

    def encrypt(self, value: str) -> str:
        """Return *value* encrypted with the newest key."""
        return str(self._fernet.encrypt(value.encode()), "ascii")

    def decrypt(self, token: str) -> str | None:
        """Return the value of *token*; None if none of the keys opens it."""
        # Imported late: the package belongs to the extra `server`, and most commands need no secrets.
        from cryptography.fernet import InvalidToken

        try:
            return str(self._fernet.decrypt(token.encode()), "utf-8")
        except InvalidToken:
            return None

    def renew(self, token: str) -> str | None:
        """Return *token* encrypted with the newest key; None if none of the keys opens it."""
        from cryptography.fernet import InvalidToken

        try:
            return str(self._fernet.rotate(token.encode()), "ascii")
        except InvalidToken:
            return None


def read_keys(environ: Mapping[str, str], state: State) -> Keys:
    """Return the keys for the secrets of *state*.

    They come from RECCE_META_KEY (several are separated by commas), else from the file that
    RECCE_META_KEY_FILE names (one key a line), else from the key file of a SQLite state, which is created if
    the state has no secrets yet. Raises ConfigurationError if no key is set, a key is invalid, or others may
    read the file.
    """
    if given := environ.get(KEY):
        return _keys(given.replace(",", "\n"), f"the variable {KEY}", None)
    if named := environ.get(KEY_FILE):
        return _read_file(Path(named).expanduser())
    if state.file is None:
        raise ConfigurationError(
            f"A state in PostgreSQL needs a key to store secrets: {KEY} is not set",
            hint=f"set {KEY} or {KEY_FILE} (a file of mode 0600) to the output of: {_NEW_KEY}",
        )
    file = key_file_of(state.file)
    if file.exists():
        return _read_file(file)
    return _create_file(file, state)


def key_file_of(state_file: Path) -> Path:
    """Return the key file of a SQLite state."""
    return state_file.with_name(f"{state_file.name}.key")


def seal(keys: Keys, row: str, field: str, value: str) -> str:
    """Return *value* encrypted for the *field* of a *row*, an id without `|`."""
    return keys.encrypt(f"{row}|{field}|{value}")


def unseal(keys: Keys, row: str, field: str, sealed: str) -> str:
    """Return the value that `seal` encrypted.

    Raises ConfigurationError if no key opens it, StoreError if it belongs to another row or field.
    """
    opened = keys.decrypt(sealed)
    if opened is None:
        raise wrong_key(keys, row, field)
    start = f"{row}|{field}|"
    # Encryption alone does not bind a value to its row: write access to the database could swap values.
    if not opened.startswith(start):
        raise StoreError(
            f"The {field} of connection {row} is that of another connection or field",
            hint="someone changed the state; set the value again with recce-meta connection set",
        )
    return opened[len(start) :]


def wrong_key(keys: Keys, row: str, field: str) -> ConfigurationError:
    """Return the error for a value that none of *keys* opens."""
    return ConfigurationError(
        f"The {field} of connection {row} cannot be decrypted: wrong key in {keys.source}",
        hint=f"set {KEY} to the key it was encrypted with, or set the value again: recce-meta connection set",
    )


def _keys(text: str, source: str, file: Path | None, *, is_created: bool = False) -> Keys:
    fernet, multi = _fernets()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    try:
        keys = [fernet(line.encode()) for line in lines]
    except ValueError:
        keys = []
    if not keys:
        raise ConfigurationError(
            f"Invalid key in {source}", hint=f"use 32 bytes in URL-safe base64, the output of: {_NEW_KEY}"
        )
    return Keys(multi(keys), source, file, is_created=is_created)


def _fernets() -> tuple[type[Fernet], type[MultiFernet]]:
    try:
        from cryptography.fernet import Fernet, MultiFernet
    except ImportError:
        raise MissingDriverError("encryption", "cryptography", hint=install_hint("server")) from None
    return Fernet, MultiFernet


def _read_file(file: Path, *, is_created: bool = False) -> Keys:
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigurationError(
            f"The key file {file} cannot be read: {error.strerror}", hint=f"check {KEY_FILE} and the user"
        ) from None
    # Refused and not repaired: the key may have been read already, which the user has to judge.
    if _HAS_MODES and stat.S_IMODE(mode) & 0o077:
        raise ConfigurationError(
            f"Other users may read the key file {file} (mode {stat.S_IMODE(mode):04o})",
            hint=f"chmod 600 {file}",
        )
    return _keys(text, f"the file {file}", file, is_created=is_created)


def _create_file(file: Path, state: State) -> Keys:
    """Write a new key to *file* unless another process was first; the state's lock decides."""
    with state.write() as connection:
        if file.exists():
            return _read_file(file)
        # A new key would hide the loss of the old one until the first secret is needed.
        if connection.scalar(select(func.count()).select_from(connection_secrets)):
            raise ConfigurationError(
                f"The key file {file} does not exist, but the state has encrypted secrets",
                hint=f"restore the file, or set {KEY} to its key",
            )
        # A rename is atomic, so that other processes never read half a key.
        key = _fernets()[0].generate_key().decode()
        _draft(file, f"{key}\n").replace(file)
    return _read_file(file, is_created=True)


def _draft(file: Path, text: str) -> Path:
    """Return a new file of mode 0600 with *text*, in the folder of *file*."""
    # It creates files with mode 0600, whatever the umask.
    with tempfile.NamedTemporaryFile(
        "w", dir=file.parent, prefix=f".{file.name}.", delete=False, encoding="ascii"
    ) as draft:
        draft.write(text)
    return Path(draft.name)


class Scrubber:
    """Removal of known secrets from logs and messages; the repr omits them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Use *secrets*; each line of one with several, such as a private key, is a secret too."""
        lines = {line.strip() for secret in secrets for line in (secret, *secret.splitlines())}
        # Shorter ones occur in ordinary text, and their removal would make messages unreadable.
        given = {line for line in lines if len(line) >= _SHORTEST_LINE}
        self.spellings = tuple(given | {part for line in given for part in _in_base64(line)})
        """The secrets, also in base64."""

    def __repr__(self) -> str:
        return f"Scrubber({len(self.spellings)} spellings)"

    def scrub(self, text: str) -> str:
        """Return *text* with the secrets, also in base64 or escaped for URLs, and other passwords masked."""
        return redact(text, self.spellings)


_SHORTEST_LINE = 4


def _in_base64(secret: str) -> Iterable[str]:
    """Yield the text of *secret* in the base64 of a longer text, for each position that it may have there."""
    raw = secret.encode()
    for offset in range(3):
        padded = bytes(offset) + raw
        encoded = base64.b64encode(padded[: len(padded) // 3 * 3]).decode()
        # The first characters also depend on the bytes before the secret, so they differ each time.
        inner = encoded[(0, 2, 3)[offset] :]
        if len(inner) >= _SHORTEST_LINE * 2:
            yield inner
            # The alphabet of URLs, as in JSON web tokens.
            yield inner.translate(str.maketrans("+/", "-_"))
