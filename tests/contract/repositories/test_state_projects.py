"""Owners of projects in the state: one repository for each project and environment of a store."""

from __future__ import annotations

import random

import pytest

from recce_meta.repositories.state.connections import add_connection, remove_connection, update_connection
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.projects import (
    OtherRepository,
    check_owner,
    claim_project,
    follow_folder,
    hand_over_project,
    owned_environments,
    owned_projects,
    repository_of,
)
from recce_meta.repositories.state.types import (
    RepositoryConnection,
    base_environment_of,
    connection_environment_of,
    head_environment_of,
)
from tests.support.forge_names import Forge
from tests.support.states import at_once, shop


def owns(state: State, connection: RepositoryConnection, project: str, environment: str = "prod") -> bool:
    """Return True if *connection* may record *project*."""
    try:
        claim_project(state, connection, project, environment)
    except OtherRepository:
        return False
    return True


def test_the_first_repository_owns_a_project_in_its_store_and_environment(state: State) -> None:
    first, copy = shop(), shop(name="copy", repo_url="https://github.com/acme/copy")
    assert owns(state, first, "shop")
    assert not owns(state, copy, "shop")
    assert owns(state, copy, "shop", "dev")
    assert owns(state, shop(repo_url=copy.repo_url, store="other"), "shop")
    assert owns(state, copy, "another")
    assert owned_projects(state, first) == {"shop"}
    assert owned_projects(state, copy) == {"shop", "another"}
    with pytest.raises(OtherRepository, match=r"belongs to https://github\.com/acme/shop") as error:
        check_owner(state, copy, "shop")
    assert "recce-meta connection add --claim" in str(error.value.hint) and error.value.may_share
    with pytest.raises(OtherRepository) as error:
        claim_project(state, copy, "shop", "prod")
    assert "recce-meta connection claim copy shop" in str(error.value.hint)


def test_connections_of_one_repository_share_what_it_owns(state: State) -> None:
    assert owns(state, shop(), "shop")
    assert owns(state, shop(name="again"), "shop")
    assert owns(state, shop(repo_url="https://github.com/Acme/Shop"), "shop"), "forges ignore the case"
    assert not owns(state, shop(subdirectory="transform"), "shop"), "a folder is another project"
    assert not owns(state, shop(repo_url=""), "shop")
    server = "https://git.acme.com/a/Shop"
    assert repository_of(shop(type=Forge.GIT, repo_url=server)) == server


def test_a_project_is_handed_over(state: State) -> None:
    first, copy = shop(), shop(name="copy", repo_url="https://github.com/acme/copy")
    assert owns(state, first, "shop")
    hand_over_project(state, copy, "shop")
    assert owns(state, copy, "shop")
    with pytest.raises(OtherRepository) as error:
        claim_project(state, first, "shop", "prod")
    assert not error.value.may_share, "earlier runs of the first do not let it go on"
    assert owned_projects(state, first) == frozenset()


@pytest.mark.parametrize("usual", ["prod", "dev", "a pull-request-x"])
def test_runs_of_pull_requests_have_the_owner_of_their_environment_and_never_own_it(
    state: State, usual: str
) -> None:
    first, fork = shop(environment=usual), shop(environment=usual, repo_url="https://github.com/acme/fork")
    environments = [head_environment_of(7, usual), base_environment_of(7, usual)]
    assert {connection_environment_of(one) for one in environments} == {usual}
    assert owns(state, fork, "shop", environments[0]) and owned_projects(state, fork) == frozenset()
    assert not owns(state, first, "shop", environments[0]), "one of two is the first"
    assert owns(state, first, "shop", usual)
    assert [owns(state, fork, "shop", one) for one in environments] == [False, False]
    assert [owns(state, first, "shop", one) for one in environments] == [False, True]
    hand_over_project(state, first, "shop")
    assert [owns(state, fork, "shop", one) for one in environments] == [False, False]
    assert [owns(state, first, "shop", one) for one in environments] == [True, True]


def test_one_of_many_at_the_same_moment_is_first(state: State) -> None:
    addresses = iter([f"https://github.com/acme/shop-{number}" for number in range(8)])
    assert sum(at_once(8, lambda: owns(state, shop(repo_url=next(addresses)), "shop"))) == 1


def test_no_sequence_of_requests_lets_two_repositories_record_one_project(state: State) -> None:
    """Claims at random; between two hand-overs of a project, all its runs come from one repository."""
    choose = random.Random(20)
    connections = [
        shop(name=f"c{number}", repo_url=f"https://github.com/acme/r{number % 12}", environment=usual)
        for number in range(20)
        for usual in [choose.choice(["prod", "dev"])]
    ]
    recorded: dict[tuple[str, str], str] = {}
    counts = {True: 0, False: 0}
    for _ in range(400):
        connection, project = choose.choice(connections), choose.choice("abcd")
        usual, own = connection.environment, repository_of(connection)
        environment = choose.choice([usual, head_environment_of(1, usual)])
        if choose.random() < 0.03:
            hand_over_project(state, connection, project)
            recorded.pop((project, head_environment_of(1, usual)), None)
            recorded[project, usual] = own
            continue
        is_accepted = owns(state, connection, project, environment)
        counts[is_accepted] += 1
        is_expected = all(recorded.get((project, one), own) == own for one in (usual, environment))
        assert is_accepted == is_expected
        if is_accepted:
            recorded.setdefault((project, environment), own)
    assert min(counts.values()) > 20


def test_a_project_follows_its_connection_to_another_folder(state: State) -> None:
    """A former folder that another connection follows keeps what it owns."""
    before = add_connection(state, shop())
    assert owns(state, before, "shop") and owns(state, before, "shop", head_environment_of(1, "prod"))
    after = update_connection(state, before.id, subdirectory="transform")
    assert not owns(state, after, "shop")
    stays = add_connection(state, shop(name="stays"))
    assert not follow_folder(state, after, "shop", repository_of(before))
    remove_connection(state, stays.id)
    assert not follow_folder(
        state, shop(repo_url="https://github.com/acme/sho"), "shop", repository_of(before)
    )
    assert follow_folder(state, after, "shop", repository_of(before))
    assert owns(state, after, "shop") and owns(state, after, "shop", head_environment_of(1, "prod"))
    again = update_connection(state, before.id, subdirectory="dbt")
    assert follow_folder(state, again, "shop", repository_of(after)) and owns(state, again, "shop")


def test_environments_are_those_of_the_connections_of_a_repository(state: State) -> None:
    first = add_connection(state, shop())
    add_connection(state, shop(name="dev", environment="dev"))
    add_connection(state, shop(name="other", environment="staging", repo_url="https://github.com/acme/o"))
    add_connection(state, shop(name="store", environment="qa", store="other"))
    assert owns(state, first, "shop", "earlier") and owns(state, first, "another", "elsewhere")
    assert owned_environments(state, first, "shop") == {"prod", "dev", "earlier"}
