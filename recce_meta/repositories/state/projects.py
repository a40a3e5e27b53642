"""Owners of projects: within a store, the runs of a project in an environment come from one repository.

A repository is an address with a folder, and all its connections share what it owns. The first run of a
project makes the repository of its connection the owner. Runs of pull requests belong to the environment of
their connection. If that has no owner, the first repository owns the environment of the pull request alone:
a fork chooses the name of its project.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec.structs import replace
from sqlalchemy import Connection, RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from recce_meta.errors import RecceMetaError
from recce_meta.plugins import GIT
from recce_meta.repositories.state.audit import AuditAction, note
from recce_meta.repositories.state.connections import list_connections
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.tables import project_owners
from recce_meta.repositories.state.types import RepositoryConnection, connection_environment_of


class OtherRepository(RecceMetaError):
    """The project belongs to another repository in this store and environment."""

    def __init__(self, connection: RepositoryConnection, owner: RowMapping, *, is_new: bool = False) -> None:
        """Create the error for *connection*, which is refused; it is not stored yet if it *is_new*."""
        self.owner: str = owner["repository"]
        claim = "add --claim" if is_new else f"claim {connection.name} {owner['project']}"
        super().__init__(
            f"The project '{owner['project']}' in the environment {owner['environment']} of the store "
            f"'{owner['store']}' belongs to {self.owner}",
            hint="choose another --environment or --store; or hand the project over, such as after a move of "
            f"the repository: recce-meta connection {claim}",
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
    if connection.type != GIT:
        address = address.lower()
    return f"{address} ({connection.subdirectory})" if connection.subdirectory else address


def claim_project(state: State, connection: RepositoryConnection, project: str, environment: str) -> None:
    """Make the repository of *connection* the owner of *project*, if it has none.

    *environment* is that of the run. Raises OtherRepository if the project belongs to another repository.
    """
    key = {"store": connection.store, "project": project}
    own = repository_of(connection)
    try:
        with state.write() as session:
            # A run of a pull request belongs to the owner of its connection's environment, if there is one.
            for one in dict.fromkeys((connection_environment_of(environment), environment)):
                owner = _owner(session, key | {"environment": one})
                if owner is not None and owner["repository"] != own:
                    raise OtherRepository(connection, owner)
            # For each pull request: of two repositories without an owner, one records it.
            if owner is None:
                values = {"environment": environment, "repository": own, "is_handed_over": False}
                session.execute(insert(project_owners).values(key | values | {"since": state.now()}))
    except IntegrityError:
        # Another process was first.
        claim_project(state, connection, project, environment)


def _owner(session: Connection, key: Mapping[str, str]) -> RowMapping | None:
    return session.execute(select(project_owners).filter_by(**key)).mappings().first()


def check_owner(state: State, connection: RepositoryConnection, project: str) -> None:
    """Raise OtherRepository if *project* belongs to another repository than that of the new *connection*."""
    key = {"store": connection.store, "project": project, "environment": connection.environment}
    with state.read() as session:
        owner = _owner(session, key)
    if owner is not None and owner["repository"] != repository_of(connection):
        raise OtherRepository(connection, owner, is_new=True)


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
    key = {"store": connection.store, "project": project}
    values = {"repository": repository_of(connection), "is_handed_over": True}
    usual = connection.environment
    try:
        with state.lock_owners(is_exclusive=True), state.write() as session:
            owned = session.scalars(select(project_owners.c.environment).filter_by(**key)).all()
            of_usual = [one for one in owned if connection_environment_of(one) == usual]
            removed = delete(project_owners).filter_by(**key)
            session.execute(removed.where(project_owners.c.environment.in_(of_usual)))
            row = key | values | {"environment": usual, "since": state.now()}
            session.execute(insert(project_owners).values(row))
            note(
                state,
                session,
                AuditAction.CLAIM_PROJECT,
                project,
                after=key | values | {"environment": usual},
            )
    except IntegrityError:
        # A job has claimed it meanwhile; it records nothing after the hand-over.
        hand_over_project(state, connection, project)


def follow_folder(state: State, connection: RepositoryConnection, project: str, owner: str) -> bool:
    """Return True if *project* has moved with *connection* from another folder of its repository.

    That is so if *owner* is the former folder, and no connection follows it. Then the folder of *connection*
    becomes the owner in its place.
    """
    address = repository_of(replace(connection, subdirectory=""))
    others = {repository_of(one) for one in list_connections(state)}
    if owner in others or not (owner == address or owner.startswith(f"{address} (")):
        return False
    key = {"store": connection.store, "project": project, "repository": owner}
    with state.lock_owners(is_exclusive=True), state.write() as session:
        moved = update(project_owners).filter_by(**key).values(repository=repository_of(connection))
        return session.execute(moved).rowcount > 0


def follow_login(
    state: State, before: RepositoryConnection, connection: RepositoryConnection, project: str
) -> None:
    """Let *project* of a database go on with its new login, unless another connection has the old one."""
    owner, own = repository_of(before), repository_of(connection)
    if connection.database is None or owner == own:
        return
    if owner in {repository_of(one) for one in list_connections(state)}:
        return
    key = {"store": before.store, "project": project, "repository": owner}
    with state.lock_owners(is_exclusive=True), state.write() as session:
        session.execute(update(project_owners).filter_by(**key).values(repository=own))


def owned_projects(state: State, connection: RepositoryConnection) -> frozenset[str]:
    """Return the projects that the repository of *connection* owns in its store, in any environment.

    Pull requests do not count: a fork chooses the name of its project.
    """
    return frozenset(
        project
        for project, environment in _owned(state, connection)
        if connection_environment_of(environment) == environment
    )


def owned_environments(state: State, connection: RepositoryConnection, project: str) -> frozenset[str]:
    """Return the environments of *project* that the repository of *connection* may record in its store.

    They are those of its connections, and those that it has recorded.
    """
    own = repository_of(connection)
    found = [one for one in list_connections(state) if one.store == connection.store]
    followed = {one.environment for one in found if repository_of(one) == own}
    recorded = {environment for name, environment in _owned(state, connection) if name == project}
    return frozenset(followed | recorded)


def _owned(state: State, connection: RepositoryConnection) -> Sequence[tuple[str, str]]:
    """Return the projects with their environments that the repository of *connection* owns in its store."""
    query = select(project_owners.c.project, project_owners.c.environment).filter_by(
        store=connection.store, repository=repository_of(connection)
    )
    with state.read() as session:
        return [(row.project, row.environment) for row in session.execute(query)]
