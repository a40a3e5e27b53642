"""Implementation of the commands `note` and `notes`."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from msgspec import Struct

from recce_meta.api.public.notes import NoteEdit, edit_note, find_events
from recce_meta.api.public.runs import LATEST
from recce_meta.cli.connections import Connection
from recce_meta.cli.options import show
from recce_meta.cli.run.store import one_run
from recce_meta.errors import UsageError
from recce_meta.extractors.git import git_author
from recce_meta.models.marks.annotation import Annotation, annotations_of
from recce_meta.models.rows import ResultList
from recce_meta.profiles import find_project_dir


class EditOptions(Struct, frozen=True, kw_only=True):
    """Changes to make, as given on the command line."""

    delete: bool
    tags: tuple[str, ...]
    untag: tuple[str, ...]
    owners: tuple[str, ...]
    remove_owners: tuple[str, ...]
    author: str | None

    def edit(self, text: str | None) -> NoteEdit:
        """Return the changes, with the note *text*."""
        return NoteEdit(
            text=text,
            delete=self.delete,
            tags=self.tags,
            untag=self.untag,
            owners=self.owners,
            remove_owners=self.remove_owners,
        )


def note(
    connection: Connection,
    node: str,
    text: str | None,
    parent: str | None,
    options: EditOptions,
    selector: str | None,
    project: str | None,
    style: str,
) -> None:
    """Change the annotations of a node, a column or an edge, and print them."""
    with one_run(connection, selector, project, writes=True) as (connect, run, name):
        found = edit_note(
            connect,
            run,
            node,
            options.edit(text),
            parent=parent,
            author=options.author or default_author(connection.project_dir),
            project=name,
        )
    show(ResultList(Annotation, () if found is None else (found,)), style)


def default_author(project_dir: Path | None) -> str:
    """Return git's user in the folder of the project, else the login name. Raises UsageError without both."""
    folder = find_project_dir(project_dir) or project_dir or Path()
    found = git_author(folder, os.environ)
    if found is not None:
        return found
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        raise UsageError(
            "The author is unknown: git and the system name no user", hint="add --author"
        ) from None


def notes(
    connection: Connection,
    node: str | None,
    parent: str | None,
    history: bool,
    selector: str | None,
    project: str | None,
    style: str,
) -> None:
    """Print annotations, or with *history* all their values."""
    with connection.open_existing() as adapter:
        name = connection.project_of(project, None if node is None else selector)
        run = LATEST if node is None else connection.only_run(lambda: adapter, selector, name)
        events = find_events(lambda: adapter, run, node, parent=parent, with_history=history, project=name)
    show(events if history else ResultList(Annotation, annotations_of(events)), style)
