"""Fields of one output in `profiles.yml`, read by name and type.

A warehouse reads the fields that it supports and declares the fields that only concern dbt. All remaining
fields are reported by name. Types are lenient (`port: "5432"` is a number), because `env_var()` returns
strings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from recce_meta.errors import ProfileError, quoted
from recce_meta.redaction import MASK, is_secret, passwords_in, redact

_OF_NO_SECRET = frozenset(["name", "persistent", "provider", "region", "scope", "type"])
"""Keys in an entry of DuckDB's `secrets` that are not secret."""

_NAMES_ENTRY = frozenset(["alias", "fs", "module", "protocol"])
"""Keys that identify an entry of DuckDB's `filesystems` or `plugins`."""

_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class Fields:
    """Fields of one output under their canonical names, which tracks the fields that were read."""

    def __init__(
        self,
        values: Mapping[str, object],
        *,
        aliases: Mapping[str, str] | None = None,
        where: str = "",
        base_dir: Path | None = None,
    ) -> None:
        self.where = where
        self._given, self._aliases = values, aliases or {}
        self._values = _canonical(values, self._aliases, where)
        self._base_dir = base_dir
        self._read: set[str] = set()
        self._meaningless: set[str] = set()
        self._ignored: set[str] = set()

    @property
    def meaningless(self) -> frozenset[str]:
        """Return the fields that only concern dbt."""
        return frozenset(self._meaningless)

    def text(self, name: str) -> str | None:
        """Return the field as a string; None if it is absent or null."""
        value = self._take(name)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, (Mapping, list)):
            raise self._mistake(name, value, "a string")
        return str(value)

    def required_text(self, name: str) -> str:
        """Return the field as a string. Raises ProfileError if it is absent, null or empty."""
        value = self.text(name)
        if not value:
            raise ProfileError(
                self._message(f"Field '{name}' is missing"), hint=f"add '{name}:' to this output"
            )
        return value

    def path(self, name: str) -> str | None:
        """Return the field as a file path; a relative one is relative to the project's directory, as in
        dbt.
        """
        value = self.text(name)
        return None if value is None else self.resolve(value)

    def choice(self, name: str, known: Sequence[str]) -> str | None:
        """Return the field. Raises ProfileError if it is not one of *known*."""
        value = self.text(name)
        if value is None or value in known:
            return value
        near = get_close_matches(value, known, n=1)
        raise ProfileError(
            self._message(f"Field '{name}' must be one of {', '.join(known)}, not '{value}'"),
            hint=f"did you mean '{near[0]}'?" if near else None,
        )

    def resolve(self, path: str) -> str:
        """Resolve *path* relative to the project's directory, as dbt does."""
        if self._base_dir is None or path.startswith("~"):
            return path
        # Joining leaves an absolute path unchanged.
        return str(self._base_dir / path)

    def integer(self, name: str, default: int | None = None) -> int | None:
        """Return the field as a whole number."""
        value = self._take(name)
        if value is None:
            return default
        try:
            return int(value) if isinstance(value, int) else int(str(value).strip())
        except ValueError:
            raise self._mistake(name, value, "a whole number") from None

    def boolean(self, name: str, default: bool = False) -> bool:
        """Return the field as a boolean."""
        value = self._take(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        raise self._mistake(name, value, "true or false")

    def mapping(self, name: str) -> Mapping[str, object]:
        """Return the field as a mapping; empty if it is absent."""
        value = self._take(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self._mistake(name, value, "a mapping")
        return {str(key): entry for key, entry in value.items()}

    def value(self, name: str) -> object:
        """Return the raw field, which may have several types."""
        return self._take(name)

    def sequence(self, name: str) -> Sequence[object]:
        """Return the field as a list; empty if it is absent."""
        value = self._take(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise self._mistake(name, value, "a list")
        return value

    def without_meaning_here(self, *names: str) -> None:
        """Mark *names* as read: they only concern dbt."""
        self._read.update(names)
        self._meaningless.update(names)

    def not_honoured(self, *names: str, because: str) -> tuple[str, ...]:
        """Return one warning for each of *names* that is set."""
        self._read.update(names)
        self._ignored.update(names)
        return tuple(
            self._message(f"Field '{name}' is not honoured: {because}")
            for name in names
            if self._values.get(name) not in (None, False, [], {})
        )

    def refuse(self, name: str, *, because: str, hint: str) -> None:
        """Raise ProfileError if *name* is set, since the connection would differ from dbt's."""
        self._read.add(name)
        if self._values.get(name) is not None:
            raise ProfileError(self._message(f"Field '{name}' is not supported: {because}"), hint=hint)

    def refuse_others(self, name: str, entry: Mapping[str, object], known: Sequence[str]) -> None:
        """Raise ProfileError if *entry*, an item of the list *name*, has a key that is not *known*."""
        for key in entry:
            if key not in known:
                near = get_close_matches(str(key), known, n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"use one of: {', '.join(known)}"
                raise ProfileError(self._message(f"Unknown '{key}' in an entry of '{name}'"), hint=hint)

    def leftovers(self) -> tuple[str, ...]:
        """Return one warning for each field that was not read."""
        return tuple(self._leftover(name) for name in self._values if name not in self._read)

    def shown(self, secrets: Sequence[str] = ()) -> dict[str, object]:
        """Return the fields with secrets masked, and with all values of unknown fields masked."""
        shown = masked(self._given, secrets)
        for name, value in shown.items():
            known = self._aliases.get(name, name)
            # An unknown field may be a misspelled secret.
            if known not in self._read and value is not None:
                shown[name] = MASK
            elif known in self._ignored or known == "filesystems":
                shown[name] = _masked_entries(value)
        return shown

    def secrets(self) -> tuple[str, ...]:
        """Return every value that must not appear in any message, except a password equal to the user
        or database.
        """
        shown = {str(self._values.get(name)) for name in ("user", "database", "host", "schema")}
        return tuple(value for value in secret_values(self._values) if value not in shown)

    def error(self, text: str, *, hint: str | None = None) -> ProfileError:
        """Return an error that names the location of these fields."""
        return ProfileError(self._message(text), hint=hint)

    def _take(self, name: str) -> object:
        self._read.add(name)
        return self._values.get(name)

    def _leftover(self, name: str) -> str:
        near = get_close_matches(name, self._read, n=1)
        guess = f"; did you mean '{near[0]}'?" if near else ""
        return self._message(f"Field '{name}' is unknown and ignored") + guess

    def _message(self, text: str) -> str:
        return f"{text} ({self.where})" if self.where else text

    def _mistake(self, name: str, value: object, kind: str) -> ProfileError:
        shown = quoted(_masked_value(name, value, ()))
        return ProfileError(self._message(f"Field '{name}' is not {kind}: {shown}"))


def masked(values: Mapping[str, object], secrets: Sequence[str] = ()) -> dict[str, object]:
    """Return *values* with secret fields and the strings in *secrets* masked, at any depth."""
    return {name: _masked_value(name, value, secrets) for name, value in values.items()}


def secret_values(values: Mapping[str, object]) -> Iterator[str]:
    """Yield every string below a field with a secret name, and passwords in other strings."""
    for name, value in values.items():
        if name == "secrets" and isinstance(value, list):
            entries = [entry for entry in value if isinstance(entry, Mapping)]
            yield from _texts([_without(entry, _OF_NO_SECRET) for entry in entries])
        elif is_secret(name):
            yield from _texts(value)
        elif isinstance(value, str):
            yield from passwords_in(value)
        elif isinstance(value, Mapping):
            yield from secret_values(value)
        elif isinstance(value, (list, tuple)):
            yield from secret_values({f"[{n}]": entry for n, entry in enumerate(value)})


def _masked_value(name: str, value: object, secrets: Sequence[str]) -> object:
    if is_secret(name) and value is not None:
        return MASK
    if isinstance(value, Mapping):
        return masked(value, secrets)
    if isinstance(value, list):
        return [_masked_value("", entry, secrets) for entry in value]
    if isinstance(value, str):
        return redact(value, secrets)
    return value


def _masked_entries(value: object) -> object:
    """Return *value* with every string in its mappings masked, except those that identify an entry.

    Entries of `filesystems` and `plugins` have arbitrary keys, so a secret cannot be found by its name.
    """
    if isinstance(value, Mapping):
        return {
            name: each if name in _NAMES_ENTRY and isinstance(each, str) else _masked_leaves(each)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_masked_entries(each) for each in value]
    return value


def _masked_leaves(value: object) -> object:
    if isinstance(value, Mapping):
        return _masked_entries(value)
    if isinstance(value, list):
        return [_masked_leaves(each) for each in value]
    return value if value is None or isinstance(value, bool) else MASK


def _without(values: Mapping[str, object], names: Iterable[str]) -> dict[str, object]:
    return {name: value for name, value in values.items() if name not in names}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for entry in value.values():
            yield from _texts(entry)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _texts(entry)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _canonical(values: Mapping[str, object], aliases: Mapping[str, str], where: str) -> dict[str, object]:
    canonical: dict[str, object] = {}
    for name, value in values.items():
        known = aliases.get(name, name)
        if known in canonical:
            both = " and ".join(f"'{key}'" for key in _spellings(known, aliases) if key in values)
            raise ProfileError(
                f"Fields {both} mean the same{where and f' ({where})'}",
                hint=f"keep '{known}' and remove the other",
            )
        canonical[known] = value
    return canonical


def _spellings(name: str, aliases: Mapping[str, str]) -> Iterable[str]:
    return (name, *(alias for alias, canonical in aliases.items() if canonical == name))
