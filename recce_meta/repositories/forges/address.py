"""Addresses of repositories, in the normal form of their forge."""

from __future__ import annotations

from msgspec.structs import replace

from recce_meta.plugins import forge_names
from recce_meta.repositories.forges.registry import forge_named
from recce_meta.repositories.git.address import AddressRules, RepositoryAddress, parse_repository
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind


def parse_address(text: str, rules: AddressRules | None = None) -> RepositoryAddress:
    """Return the normal form of an address, with the forge that its host shows.

    >>> parse_address("https://GitHub.com/dbt-labs/jaffle-shop.git/").url
    'https://github.com/dbt-labs/jaffle-shop'

    Raises
    ------
    GitFailure
        The address is not one of an HTTPS repository, contains credentials, or is a page.
    """
    address = parse_repository(text, rules)
    forge = next((one for one in map(forge_named, forge_names()) if one.hosts.fullmatch(address.host)), None)
    if forge is None:
        return address
    path = address.repository if forge.has_suffix else address.path
    hint = forge.path_hint(address.server, path)
    if hint is not None:
        message = f"The address is not one of a repository: {address.server}{path}"
        raise GitFailure(GitFailureKind.ADDRESS, message, hint=hint)
    return replace(
        address,
        path=path,
        forge=forge.name,
        has_suffix=forge.has_suffix,
        token_user=forge.token_user,
    )
