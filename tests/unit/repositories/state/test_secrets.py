"""Sealed values, their keys, and the removal of secrets from output."""

from __future__ import annotations

import base64
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy

from recce_meta.errors import ConfigurationError, StoreError
from recce_meta.repositories.state import secrets
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.secrets import Keys, Scrubber
from recce_meta.repositories.state.tokens import ApiToken, TokenScope
from recce_meta.warehouses import warehouse_for_scheme
from tests.support.states import KEY, OTHER_KEY

CANARY = "ghp_canary+/0123456789canary0123456789abcd"


@pytest.fixture
def state() -> State:
    """Return a state that no test connects to."""
    engine = sqlalchemy.create_engine("postgresql+psycopg://nowhere/db")
    return State(engine, engine.url, warehouse_for_scheme("postgresql"), ())


@pytest.fixture
def keys(state: State) -> Keys:
    """Return keys of a variable."""
    return secrets.read_keys({secrets.KEY: KEY}, state)


def key_file(folder: Path, text: str, mode: int = 0o600) -> dict[str, str]:
    """Write a key file, and return the variable that names it."""
    file = folder / "keys"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return {secrets.KEY_FILE: str(file)}


def test_a_sealed_value_opens_for_its_row_and_field_alone(keys: Keys) -> None:
    sealed = secrets.seal(keys, "a", "token", CANARY)

    assert CANARY not in sealed
    assert secrets.unseal(keys, "a", "token", sealed) == CANARY
    for row, field in (("b", "token"), ("a", "webhook_secret"), ("", "a|token")):
        with pytest.raises(StoreError, match="another connection or field"):
            secrets.unseal(keys, row, field, sealed)


def test_a_changed_value_or_another_key_opens_nothing(keys: Keys, state: State) -> None:
    sealed = secrets.seal(keys, "a", "token", CANARY)
    other = secrets.read_keys({secrets.KEY: OTHER_KEY}, state)

    for given, text in ((other, sealed), (keys, sealed[:-4] + "AAA="), (keys, "nonsense"), (keys, "")):
        with pytest.raises(ConfigurationError, match="wrong key") as error:
            secrets.unseal(given, "a", "token", text)
        assert error.value.hint


def test_keys_come_from_the_variable_before_the_file(tmp_path: Path, state: State) -> None:
    environ = key_file(tmp_path, f"{OTHER_KEY}\n\n{KEY}\n")
    from_file = secrets.read_keys(environ, state)
    from_variable = secrets.read_keys(environ | {secrets.KEY: KEY}, state)

    assert from_file.source == f"the file {tmp_path / 'keys'}"
    assert from_variable.source == "the variable RECCE_META_KEY"
    sealed = secrets.seal(from_variable, "a", "token", CANARY)
    assert secrets.unseal(from_file, "a", "token", sealed) == CANARY
    with pytest.raises(ConfigurationError):
        secrets.unseal(from_variable, "a", "token", secrets.seal(from_file, "a", "token", CANARY))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, state: State, mode: int) -> None:
    environ = key_file(tmp_path, KEY, mode)

    with pytest.raises(ConfigurationError, match=f"mode {mode:04o}") as error:
        secrets.read_keys(environ, state)
    assert error.value.hint == f"chmod 600 {tmp_path / 'keys'}"


def test_a_key_file_that_does_not_exist_is_named(tmp_path: Path, state: State) -> None:
    with pytest.raises(ConfigurationError, match="nowhere cannot be read: No such file"):
        secrets.read_keys({secrets.KEY_FILE: str(tmp_path / "nowhere")}, state)


@pytest.mark.parametrize("text", ["canary", f"{KEY},canary", "ü", " ", f"{KEY[:-2]}="])
def test_an_invalid_key_is_not_shown(tmp_path: Path, state: State, text: str) -> None:
    for environ in ({secrets.KEY: text}, key_file(tmp_path, text.replace(",", "\n"))):
        with pytest.raises(ConfigurationError, match="Invalid key in the") as error:
            secrets.read_keys(environ, state)
        assert "Fernet.generate_key()" in str(error.value.hint)
        assert KEY[:10] not in str(error.value)
        assert "canary" not in str(error.value)


def test_keys_and_scrubbers_show_no_secret(keys: Keys) -> None:
    assert repr(keys) == "Keys('the variable RECCE_META_KEY')"
    assert "canary" not in repr(Scrubber([CANARY]))


@pytest.mark.parametrize("before", ["", "x", "xy", "x-access-token:"])
def test_a_secret_is_removed_in_every_spelling(before: str) -> None:
    scrub = Scrubber([CANARY]).scrub
    header = base64.b64encode(f"{before}{CANARY}".encode()).decode()
    url_safe = base64.urlsafe_b64encode(f"{before}{CANARY}".encode()).decode()

    for text in (CANARY, quote(CANARY, safe=""), repr({"token": CANARY}), header, url_safe):
        found = scrub(f"fatal: {text} refused")
        assert found.startswith("fatal: ")
        assert found.endswith(" refused")
        assert "canary" not in found
        assert base64.b64encode(b"canary")[1:-1].decode() not in found
        assert "***" in found


def test_each_line_of_a_private_key_is_removed() -> None:
    key = "-----BEGIN KEY-----\nMIIcanary1\n  MIIcanary2\n\n-----END KEY-----\n"

    found = Scrubber([key]).scrub("a MIIcanary2 b\nMIIcanary1")

    assert found == "a *** b\n***"


def test_other_text_stays() -> None:
    text = "Cloning into 'shop'...\ndone."

    assert Scrubber([]).scrub(text) == text
    assert Scrubber(["", "ab", CANARY]).scrub(text) == text


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        (TokenScope.READ, {"read"}),
        (TokenScope.WRITE, {"read", "upload", "write"}),
        (TokenScope.UPLOAD, {"read", "upload"}),
        (TokenScope.EXTRACT, {"read", "extract"}),
        (TokenScope.QUERY, {"read", "query"}),
        (TokenScope.ADMIN, {"read", "upload", "write", "extract", "query", "admin"}),
    ],
)
def test_every_scope_includes_read_and_admin_includes_all(given: TokenScope, allowed: set[str]) -> None:
    token = ApiToken(id="a", name="a", scopes=(given,), created_at=datetime.now(timezone.utc))

    assert {scope.value for scope in TokenScope if token.allows(scope)} == allowed
