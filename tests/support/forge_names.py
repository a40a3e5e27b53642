"""Names of the forges that recce_meta has, and of a plain git server."""

from __future__ import annotations

from enum import Enum


class Forge(str, Enum):
    """Type of a connection."""

    GITHUB = "github"
    GITLAB = "gitlab"
    BITBUCKET = "bitbucket"
    GITEA = "gitea"
    GIT = "git"

    __str__ = str.__str__
    __format__ = str.__format__


FORGES = (Forge.GITHUB, Forge.GITLAB, Forge.BITBUCKET, Forge.GITEA)
