"""Hooks of the documentation site (mkdocs.yml).

    pip install '.[docs]' && mkdocs build

Pages in docs/ link to each other and to files of the repository by relative paths, so that they also work
where the repository is browsed. The hooks copy each linked file outside docs/ into the site, publish
CONTRIBUTING.md, SECURITY.md and CHANGELOG.md as pages, and warn about Markdown that the site renders
differently from GitHub. The build is strict: each warning fails it.
"""

from __future__ import annotations

import logging
import os
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

from recce_meta.store.sql_files import dialects, rendered_script

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)")
FENCE = re.compile(r"^( *)(`{3,}).*?^\1\2", re.MULTILINE | re.DOTALL)
ITEM = re.compile(r"^ *(?:[-*]|\d+\.) ")

PUBLISHED = {
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
}
"""Files at the root of the repository that are pages of the site."""

SQL_PAGE = "reference/sql.md"
SCRIPT = "files/sql/{}.sql.txt"
"""The SQL of the store for one warehouse, which the build of the package renders."""

log = logging.getLogger("mkdocs.hooks.docs_site")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages and files that lie outside docs/."""
    for name, page in PUBLISHED.items():
        text = LINK.sub(lambda link: posixpath.relpath(link[1], "docs"), _text(ROOT / name))
        files.append(File.generated(config, page, content=text))
    for file in list(files.documentation_pages()):
        for link in LINK.findall(FENCE.sub("", file.content_string)):
            path = _outside(file.src_uri, link)
            copy = f"files/{path}.txt"
            if path and (ROOT / path).is_file() and copy not in files.src_uris:
                files.append(File.generated(config, copy, content=(ROOT / path).read_bytes()))
    for dialect in dialects():
        files.append(File.generated(config, SCRIPT.format(dialect), content=rendered_script(dialect)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Point links to files outside docs/ at their copies, and check the page's form."""
    _check(markdown, page.file.src_uri)
    if page.file.src_uri == SQL_PAGE:
        links = ", ".join(f"[{dialect}](../{SCRIPT.format(dialect)})" for dialect in dialects())
        markdown += f"\n\n## All SQL by warehouse\n\n{links}\n"

    def replace(link: re.Match[str]) -> str:
        path = _outside(page.file.src_uri, link[1])
        if path is None:
            return link[1]
        target = PUBLISHED.get(path) or {"README.md": "index.md"}.get(path) or f"files/{path}.txt"
        return posixpath.relpath(target, posixpath.dirname(page.file.src_uri))

    return LINK.sub(replace, markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Show `\\|` within code of tables as GitHub does, as `|`."""
    return re.sub(r"<code>[^<]*</code>", lambda code: code[0].replace("\\|", "|"), html)


def _outside(page: str, link: str) -> str | None:
    """The path in the repository of *link* on *page*; None if it leads to a file in docs/."""
    path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), link))
    return None if path.startswith("docs/") else path


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _check(markdown: str, page: str) -> None:
    """Warn about a page without exactly one title, without links, or with lists that Markdown would join."""
    prose = FENCE.sub("", markdown)
    titles = len(re.findall(r"^# ", prose, re.MULTILINE))
    if titles != 1:
        log.warning("%s has %s titles", page, titles)
    if not LINK.search(prose):
        log.warning("%s has no link to another page", page)
    previous = ""
    for line in prose.splitlines():
        if (
            ITEM.match(line)
            and previous.strip()
            and not previous.startswith(" ")
            and not ITEM.match(previous)
        ):
            log.warning("%s: a list needs an empty line above it: %s", page, line)
        previous = line


os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
