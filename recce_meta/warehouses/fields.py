"""The fields of one output in `profiles.yml`: read by name and kind, with nothing overlooked.

A warehouse reads what it honours and declares what has no meaning outside dbt; what is left over is
reported by name. Kinds are lenient (`port: "5432"` is a number), because `env_var()` gives text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from recce_meta.errors import ProfileError, quoted
from recce_meta.masking import MASK, is_secret, passwords_in, redact

_OF_NO_SECRET = frozenset(["name", "persistent", "provider", "region", "scope", "type"])
"""What stands in an entry of DuckDB's `secrets` and is not the secret."""

_NAMES_ENTRY = frozenset(["alias", "fs", "module", "protocol"])
"""What an entry of DuckDB's `filesystems` or `plugins` is called by."""

_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class Fields:
    """The fields of one output, under their canonical names; remembers which of them were read."""

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
        """The fields that were declared to steer dbt alone."""
        return frozenset(self._meaningless)

    def text(self, name: str) -> str | None:
        """The field as text; None where it is absent or null."""
        value = self._take(name)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, (Mapping, list)):
            raise self._mistake(name, value, "text")
        return str(value)

    def required_text(self, name: str) -> str:
        """The field as text; an error where it is absent, null or empty."""
        value = self.text(name)
        if not value:
            raise ProfileError(
                self._message(f"Field '{name}' is missing"), hint=f"add '{name}:' to this output"
            )
        return value

    def path(self, name: str) -> str | None:
        """The field as the path of a file; relative ones start at the project's directory, as in dbt."""
        value = self.text(name)
        return None if value is None else self.resolve(value)

    def choice(self, name: str, known: Sequence[str]) -> str | None:
        """The field as one of the texts *known*."""
        value = self.text(name)
        if value is None or value in known:
            return value
        near = get_close_matches(value, known, n=1)
        raise ProfileError(
            self._message(f"Field '{name}' is none of {', '.join(known)}: '{value}'"),
            hint=f"did you mean '{near[0]}'?" if near else None,
        )

    def resolve(self, path: str) -> str:
        """*path* as dbt, which works in the project's directory, would find it."""
        if self._base_dir is None or path.startswith("~"):
            return path
        return str(self._base_dir / path)

    def integer(self, name: str, default: int | None = None) -> int | None:
        """The field as a whole number."""
        value = self._take(name)
        if value is None:
            return default
        try:
            return int(value) if isinstance(value, int) else int(str(value).strip())
        except ValueError:
            raise self._mistake(name, value, "a whole number") from None

    def boolean(self, name: str, default: bool = False) -> bool:
        """The field as a truth value."""
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
        """The field as a mapping; empty where it is absent."""
        value = self._take(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self._mistake(name, value, "a mapping")
        return {str(key): entry for key, entry in value.items()}

    def value(self, name: str) -> object:
        """The field as it is given, for one that may be of several kinds."""
        return self._take(name)

    def sequence(self, name: str) -> Sequence[object]:
        """The field as a list; empty where it is absent."""
        value = self._take(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise self._mistake(name, value, "a list")
        return value

    def without_meaning_here(self, *names: str) -> None:
        """Take *names* as read: they steer how dbt runs, and change nothing for us."""
        self._read.update(names)
        self._meaningless.update(names)

    def not_honoured(self, *names: str, because: str) -> tuple[str, ...]:
        """One warning for each of *names* that is set."""
        self._read.update(names)
        self._ignored.update(names)
        return tuple(
            self._message(f"Field '{name}' is not honoured: {because}")
            for name in names
            if self._values.get(name) not in (None, False, [], {})
        )

    def refuse(self, name: str, *, because: str, hint: str) -> None:
        """Stop with an error if *name* is set: the connection would not be the one that dbt uses."""
        self._read.add(name)
        if self._values.get(name) is not None:
            raise ProfileError(self._message(f"Field '{name}' is not supported: {because}"), hint=hint)

    def refuse_others(self, name: str, entry: Mapping[str, object], known: Sequence[str]) -> None:
        """Stop with an error if *entry*, one of those in the list *name*, says more than is *known*."""
        for key in entry:
            if key not in known:
                near = get_close_matches(str(key), known, n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"it may say: {', '.join(known)}"
                raise ProfileError(self._message(f"Unknown '{key}' in an entry of '{name}'"), hint=hint)

    def leftovers(self) -> tuple[str, ...]:
        """One warning for each field that nobody asked for."""
        return tuple(self._leftover(name) for name in self._values if name not in self._read)

    def shown(self, secrets: Sequence[str] = ()) -> dict[str, object]:
        """Return the fields with secrets masked, and all values whose meaning is not known."""
        shown = masked(self._given, secrets)
        for name, value in shown.items():
            known = self._aliases.get(name, name)
            if known not in self._read and value is not None:
                shown[name] = MASK
            elif known in self._ignored or known == "filesystems":
                shown[name] = _masked_entries(value)
        return shown

    def secrets(self) -> tuple[str, ...]:
        """Every value that no message may show; not a password that is also the user or the database."""
        shown = {str(self._values.get(name)) for name in ("user", "database", "host", "schema")}
        return tuple(value for value in secret_values(self._values) if value not in shown)

    def error(self, text: str, *, hint: str | None = None) -> ProfileError:
        """An error about these fields, which says where they stand."""
        return ProfileError(self._message(text), hint=hint)

    def _take(self, name: str) -> object:
        self._read.add(name)
        return self._values.get(name)

    def _leftover(self, name: str) -> str:
        near = get_close_matches(name, self._read, n=1)
        guess = f"; did you mean '{near[0]}'?" if near else ""
        return self._message(f"Field '{name}' is not known and not used") + guess

    def _message(self, text: str) -> str:
        return f"{text} ({self.where})" if self.where else text

    def _mistake(self, name: str, value: object, kind: str) -> ProfileError:
        shown = quoted(_masked_value(name, value, ()))
        return ProfileError(self._message(f"Field '{name}' is not {kind}: {shown}"))


def masked(values: Mapping[str, object], secrets: Sequence[str] = ()) -> dict[str, object]:
    """*values* as they may be shown: secret fields and the texts in *secrets* replaced, at any depth."""
    return {name: _masked_value(name, value, secrets) for name, value in values.items()}


def secret_values(values: Mapping[str, object]) -> Iterator[str]:
    """Every text below a field that is secret by its name, and passwords in the texts of others."""
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
    """Return *value* with every text in its mappings masked, but those that name an entry.

    Entries of `filesystems` and `plugins` have any names: a secret cannot be found by its name.
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
