"""Only the folders of forges name a forge: a new one adds a folder and changes no other module."""

from __future__ import annotations

import re
from collections.abc import Sequence

from recce_meta.plugins import forge_names
from tests.architecture.shape import Module, read_modules

NAMES = re.compile("|".join((*forge_names(), "forgejo", "codeberg")), re.IGNORECASE)
NEUTRAL = re.compile(r"https?://\S+|github[ _-]?apps?|forges\.github\.app", re.IGNORECASE)
"""Links, and GitHub Apps: a login that connections offer."""
EXCEPTIONS = {
    "cli/console.py": "workflow commands of GitHub Actions",
    "cli/options.py": "formats of remarks",
    "cli/run/diff.py": "formats of remarks",
    "extractors/git.py": "variables of CI",
    "extractors/job.py": "variables of CI",
    "redaction.py": "beginnings of tokens",
    "report/checks.py": "how a JUnit file is shown",
    "report/markdown.py": "how Markdown is shown",
    "report/mermaid.py": "how Mermaid is shown",
    "report/review/remarks.py": "formats of remarks",
    "report/terminal.py": "how Markdown is shown",
    "repositories/extraction/dbt/profile.py": "files of CI",
    "server/api/webhook_routes.py": "an example in the API's document",
}
"""Modules that may name a forge, with the reason."""


def naming(modules: Sequence[Module]) -> set[str]:
    """Return the paths of *modules* outside `forges` that name a forge."""
    return {
        module.path
        for module in modules
        if not module.path.startswith("repositories/forges/") and NAMES.search(NEUTRAL.sub("", module.text))
    }


def test_only_documented_modules_name_a_forge() -> None:
    assert naming(read_modules()) == set(EXCEPTIONS)


def test_a_forge_is_found_in_code_comments_and_strings() -> None:
    found = {
        "a.py": "class GitLabHooks: ...",
        "b.py": "# Bitbucket does not",
        "c.py": "x = 'gitea'",
        "d.py": "y = connection.github_app  # https://github.com/acme",
        "repositories/forges/api.py": "# GitLab",
    }
    assert naming([Module(path, text) for path, text in found.items()]) == {"a.py", "b.py", "c.py"}
