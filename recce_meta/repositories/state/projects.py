"""Owners of projects: within a store, the runs of a project in an environment come from one repository.

A repository is an address with a folder, and all its connections share what it owns. The first run of a
project makes the repository of its connection the owner. Runs of pull requests belong to the environment of
their connection, and own nothing: a fork chooses the name of its project.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import RowMapping, delete, insert, select
from sqlalchemy.exc import IntegrityError

from recce_meta.errors import RecceMetaError
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.tables import project_owners
from recce_meta.repositories.types import Forge, RepositoryConnection, connection_environment_of


class OtherRepository(RecceMetaError):
    """The project belongs to another repository in this store and environment."""

    def __init__(self, connection: RepositoryConnection, key: Mapping[str, str], owner: RowMapping) -> None:
        """Create the error for the *connection* that is refused; *key* names the project."""
        super().__init__(
            f"The project '{key['project']}' in the environment {key['environment']} of the store "
            f"'{key['store']}' belongs to {owner['repository']}",
            hint="choose another --environment or --store; or hand the project over: recce-meta connection "
            f"claim {connection.name} {key['project']}",
        )
        self.may_share = not owner["is_handed_over"]
        """Whether a connection with earlier runs of the project continues to record it."""


def repository_of(connection: RepositoryConnection) -> str:
    """Return the repository of *connection*, with the folder of its project.

    Two spellings of one address are equal. A connection without an address is a repository of its own.
    """
    address = connection.repo_url
    if not address:
        return f"uploads to the connection {connection.id}"
    # Forges ignore the case of names; another server may have two repositories.
    if connection.type is not Forge.GIT:
        address = address.lower()
    return f"{address} ({connection.subdirectory})" if connection.subdirectory else address


def claim_project(state: State, connection: RepositoryConnection, project: str, environment: str) -> None:
    """Make the repository of *connection* the owner of *project*, if it has none.

    *environment* is that of the run. Raises OtherRepository if the project belongs to another repository.
    """
    usual = connection_environment_of(environment)
    key = {"store": connection.store, "project": project, "environment": usual}
    own = repository_of(connection)
    try:
        with state.write() as session:
            owner = session.execute(select(project_owners).filter_by(**key)).mappings().first()
            if owner is None and usual == environment:
                values = key | {"repository": own, "is_handed_over": False, "since": state.now()}
                session.execute(insert(project_owners).values(values))
    except IntegrityError:
        # Another process was first.
        claim_project(state, connection, project, environment)
        return
    if owner is not None and owner["repository"] != own:
        raise OtherRepository(connection, key, owner)


def check_owner(state: State, connection: RepositoryConnection, project: str) -> None:
    """Raise OtherRepository if *project* belongs to another repository than that of *connection*."""
    key = {"store": connection.store, "project": project, "environment": connection.environment}
    with state.read() as session:
        owner = session.execute(select(project_owners).filter_by(**key)).mappings().first()
    if owner is not None and owner["repository"] != repository_of(connection):
        raise OtherRepository(connection, key, owner)


@contextmanager
def holding_project(
    state: State, connection: RepositoryConnection, project: str, environment: str, *, is_shared: bool
) -> Iterator[None]:
    """Hold what `claim_project` gave within the block: meanwhile no project is handed over.

    *is_shared* permits another owner to whom the project was not handed over. Raises OtherRepository if the
    project was handed over since, and StoreLocked if one is handed over for too long.
    """
    with state.lock_owners(is_exclusive=False):
        try:
            claim_project(state, connection, project, environment)
        except OtherRepository as error:
            if not (is_shared and error.may_share):
                raise
        yield


def hand_over_project(state: State, connection: RepositoryConnection, project: str) -> None:
    """Make the repository of *connection* the only owner of *project* in its store and environment.

    Waits until the runs that are written at this moment are stored. Raises StoreLocked if that takes too
    long.
    """
    key = {"store": connection.store, "project": project, "environment": connection.environment}
    values = {"repository": repository_of(connection), "is_handed_over": True}
    with state.lock_owners(is_exclusive=True), state.write() as session:
        session.execute(delete(project_owners).filter_by(**key))
        session.execute(insert(project_owners).values(key | values | {"since": state.now()}))


def owned_projects(state: State, connection: RepositoryConnection) -> frozenset[str]:
    """Return the projects that the repository of *connection* owns in its store, in any environment."""
    query = select(project_owners.c.project).filter_by(
        store=connection.store, repository=repository_of(connection)
    )
    with state.read() as session:
        return frozenset(session.scalars(query))
