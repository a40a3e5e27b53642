"""Names of the forges that recce_meta has."""

from recce_meta.repositories.types import ForgeName as Forge

__all__ = ["FORGES", "Forge"]

FORGES = (Forge.GITHUB, Forge.GITLAB, Forge.BITBUCKET, Forge.GITEA)
