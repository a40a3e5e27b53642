"""Keys and certificates on disk: whether they can be read, before a driver says less of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from recce_meta.errors import ProfileError


def refuse_unreadable(files: Mapping[str, object]) -> None:
    """Raise ProfileError for the first of *files*, paths by the field that has them, that cannot be read."""
    for field, value in files.items():
        path = Path(str(value)).expanduser()
        try:
            with path.open("rb"):
                continue
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ProfileError(
                f"The file of '{field}' cannot be read: {path} ({reason})",
                hint="name a file that this user can read; a relative path starts at the dbt project",
            ) from error
