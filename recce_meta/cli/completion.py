"""Completion in bash, zsh and fish: words for runs, nodes and selectors, and the shells' scripts.

It is click's machinery with two changes. Bash splits words at `:`, `=` and `@`, which selectors contain: the
words are joined again, and the answer omits the part that bash keeps. No space follows a word that is not
complete, such as `tag:`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

from recce_meta.cli.known_names import KnownNode, KnownRun, known_nodes, known_runs, location_of
from recce_meta.lazy import load

SELECTOR = "selector"
METHODS = {
    "access": "level of access", "config.materialized": "materialization", "exposure": "name", "file": "file",
    "fqn": "qualified name", "group": "group", "package": "package", "path": "folder or file",
    "resource_type": "type", "result": "status of the run", "selector": "YAML selector",
    "source": "source", "state": "change", "tag": "tag", "test_type": "type of test",
}  # fmt: skip
"""Methods of node selectors that are offered, each with the meaning of its value."""
FIXED: dict[str, Sequence[str]] = {
    "access": ("private", "protected", "public"),
    "result": ("success", "error", "fail", "warn", "skipped", "pass"),
    "state": ("modified", "modified.body", "modified.configs", "modified.contract", "modified.macros",
        "modified.persisted_descriptions", "modified.relation", "new", "old", "unmodified"),
    "test_type": ("data", "generic", "singular", "unit"),
}  # fmt: skip
"""Values of methods that do not depend on the project."""
TESTS = ("test", "unit_test")
_OPERATORS = re.compile(r"(?s)(?P<before>.*[\s,])?(?P<operator>@|\d*\+)?(?P<word>[^\s,]*)")
_SAFE_IN_BASH = re.compile(r"[\w./:+@~,=%-]+", re.ASCII)
MORE_FOLLOWS = (":", "=")
"""Ends of words that are not complete."""


def complete_runs(options: Mapping[str, Any], incomplete: str) -> list[CompletionItem[str]]:
    """Return the run selectors that begin with *incomplete*, and folders after `path:`."""
    if incomplete.startswith("path:"):
        return _folders(incomplete)
    return _items(_run_words(known_runs(location_of(options)), incomplete), incomplete)


def _run_words(runs: Sequence[KnownRun], incomplete: str) -> Iterator[tuple[str, str]]:
    # A dict keeps the order of the runs, so that recent names come first.
    for environment in dict.fromkeys(run.environment for run in runs):
        yield environment, "latest run of this environment"
    if runs:
        yield "latest", "latest run"
    for branch in dict.fromkeys(run.branch for run in runs):
        if branch:
            yield f"branch:{branch}", "latest run of this branch"
    yield "path:", "folder of artifacts"
    if incomplete:  # ids are many
        for run in runs:
            yield run.run_id, f"{run.environment}, {str(run.run_at)[:16]}"


def _folders(incomplete: str) -> list[CompletionItem[str]]:
    typed = incomplete.removeprefix("path:")
    # Path drops a final slash, which asks for the content of the folder itself.
    folder = Path(typed) if typed.endswith("/") else Path(typed).parent
    try:
        found = sorted(entry for entry in folder.iterdir() if entry.is_dir())
    except OSError:
        return []
    start = typed[: len(typed) - len(typed.rpartition("/")[2])]
    return _items(((f"path:{start}{entry.name}", "folder") for entry in found), incomplete)


def complete_adapters(options: Mapping[str, Any], incomplete: str) -> list[CompletionItem[str]]:
    """Return the adapters of dbt that begin with *incomplete*."""
    return _items(((name, "adapter") for name in load("recce_meta.warehouses:available")()), incomplete)


def complete_environments(options: Mapping[str, Any], incomplete: str) -> list[CompletionItem[str]]:
    """Return the environments that begin with *incomplete*."""
    runs = known_runs(location_of(options))
    return _items(((run.environment, "environment") for run in runs), incomplete)


def complete_projects(options: Mapping[str, Any], incomplete: str) -> list[CompletionItem[str]]:
    """Return the projects that begin with *incomplete*."""
    return _items(((run.project, "project") for run in known_runs(location_of(options))), incomplete)


def complete_nodes(options: Mapping[str, Any], incomplete: str) -> list[CompletionItem[str]]:
    """Return the nodes whose names begin with *incomplete*; tests only if something is typed."""
    nodes = known_nodes(location_of(options))
    return _items(_node_words(nodes, incomplete), incomplete)


def _node_words(nodes: Sequence[KnownNode], incomplete: str) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if incomplete or node.resource_type not in TESTS:
            yield node.label, node.resource_type


def complete_selectors(options: Mapping[str, Any], incomplete: str) -> list[CompletionItem[str]]:
    """Return node selectors that complete the last term of *incomplete*: methods, their values, and nodes."""
    found = _OPERATORS.fullmatch(incomplete)
    if found is None:
        return []
    start = (found["before"] or "") + (found["operator"] or "")
    words = _selector_words(options, found["word"])
    return _items(((start + word, text) for word, text in words), incomplete)


def _selector_words(options: Mapping[str, Any], word: str) -> Iterator[tuple[str, str]]:
    method, colon, _ = word.partition(":")
    if colon and method == SELECTOR:
        yield from ((f"{SELECTOR}:{text}", help) for text, help in _yaml_selector_words(options))
        return
    # Before the store is read, which takes most of the time.
    if colon and method in FIXED:
        yield from ((f"{method}:{value}", METHODS[method]) for value in FIXED[method])
        return
    nodes = known_nodes(location_of(options))
    if colon:
        values = _VALUES.get(method, _no_values)
        for value in dict.fromkeys(value for node in nodes for value in values(node) if value):
            yield f"{method}:{value}", METHODS[method]
        return
    # A source is selected by its method alone.
    yield from ((node.name, node.resource_type) for node in nodes if _is_named(node, word))
    yield from ((f"{name}:", f"by {meaning}") for name, meaning in METHODS.items())


def complete_yaml_selectors(options: Mapping[str, Any], incomplete: str) -> list[CompletionItem[str]]:
    """Return the YAML selectors that begin with *incomplete*."""
    return _items(_yaml_selector_words(options), incomplete)


def _yaml_selector_words(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    names = load("recce_meta.cli.yaml_selectors:names")(options.get("project_dir"))
    yield from ((name, METHODS[SELECTOR]) for name in names)


def _is_named(node: KnownNode, word: str) -> bool:
    # Tests are often more than models, and rarely typed by name.
    return node.source is None and (bool(word) or node.resource_type not in TESTS)


def _no_values(_: KnownNode) -> Iterable[str | None]:
    return ()


def _paths(node: KnownNode) -> Iterable[str]:
    parts = node.path.split("/") if node.path else []
    return ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]


_VALUES: Mapping[str, Callable[[KnownNode], Iterable[str | None]]] = {
    "config.materialized": lambda node: [node.materialized],
    "exposure": lambda node: [node.name] if node.resource_type == "exposure" else [],
    "file": lambda node: [node.path.rpartition("/")[2]],
    "fqn": lambda node: [node.name],
    "group": lambda node: [node.group],
    "package": lambda node: [node.package],
    "path": _paths,
    "resource_type": lambda node: [node.resource_type],
    "source": lambda node: [node.source, node.label] if node.source else [],
    "tag": lambda node: node.tags,
}
"""Function from a node to the values of a method that select it."""


def _items(words: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem[str]]:
    """Return the *words* that begin with *incomplete*, without those that a shell cannot show."""
    wanted: dict[str, str] = {}
    for word, text in words:
        if word.startswith(incomplete) and word.isprintable():
            wanted.setdefault(word, text)
    return [CompletionItem(word, help=text) for word, text in wanted.items()]


COMPLETERS: Mapping[str, Callable[[Mapping[str, Any], str], list[CompletionItem[str]]]] = {
    "adapters": complete_adapters,
    "environments": complete_environments,
    "nodes": complete_nodes,
    "projects": complete_projects,
    "runs": complete_runs,
    "selectors": complete_selectors,
    "yaml_selectors": complete_yaml_selectors,
}
"""Function that completes each kind of name."""


def complete(kind: str, context: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """Return the names of *kind* that begin with *incomplete*, for the options in *context*."""
    return COMPLETERS[kind](context.params, incomplete)


BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' line type value
    COMPREPLY=()
    while IFS=',' read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("$value") ;;
            open) compopt -o nospace; COMPREPLY+=("$value") ;;
        esac
    done < <(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD _RECCE_META_LINE="$COMP_LINE" \\
        _RECCE_META_BREAKS="$COMP_WORDBREAKS" %(complete_var)s=bash_complete $1 2>/dev/null)
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class RecceBash(BashComplete):
    """Completion in bash 4.4 and later."""

    name = "bash"
    source_template = BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the complete words and the incomplete word, joined where bash split them."""
        pieces = os.environ["COMP_WORDS"].split("\n")
        current = int(os.environ["COMP_CWORD"])
        # Words after the cursor do not matter, and an empty word at the end is missing.
        pieces = [*pieces[: current + 1], *[""] * (current + 1 - len(pieces))]
        # Only the line shows where blanks are: the pieces alone do not.
        words = joined_words(pieces, os.environ.get("_RECCE_META_LINE", " ".join(pieces)))
        self._kept = kept_by_bash(words[-1], pieces[-1], os.environ.get("_RECCE_META_BREAKS", "=:"))
        # The words still contain the quotes that the user typed.
        found = [(split_arg_string(word) or [""])[0] for word in words]
        return found[1:-1], found[-1]

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """Return type and value, without the part that bash keeps, and quoted for bash."""
        value = str(item.value).removeprefix(self._kept)
        # A name from a store could otherwise contain a command that the shell runs.
        if item.type == "plain" and value and not _SAFE_IN_BASH.fullmatch(value):
            value = "'" + value.replace("'", "'\\''") + "'"
        return f"{'open' if _is_open(item) else item.type},{value}"


def joined_words(pieces: Sequence[str], line: str) -> list[str]:
    """Return the words of *line*, which bash split into *pieces* at blanks and at other characters.

    >>> joined_words(["x", "-s", "tag", ":", "n"], "x -s tag:n")
    ['x', '-s', 'tag:n']
    """
    words: list[str] = []
    end = 0
    for piece in pieces:
        start = line.find(piece, end)
        # Without a blank between them, bash has split one word.
        if piece and words and start == end:
            words[-1] += piece
        else:
            words.append(piece)
        end = max(start, end) + len(piece)
    return words


def kept_by_bash(word: str, piece: str, breaks: str) -> str:
    """Return the beginning of *word* that bash does not replace: all up to its last piece.

    >>> kept_by_bash("tag:n", "n", "=:"), kept_by_bash("tag:", ":", "=:"), kept_by_bash("--key=t", "t", "=:")
    ('tag:', 'tag:', '')
    """
    # Bash inserts the answer after a piece of break characters, and in place of any other.
    kept = word if piece and not piece.strip(breaks) else word[: len(word) - len(piece)]
    # After `=`, click completes the value without the option's name.
    return kept.partition("=")[2] if kept.startswith("-") else kept


def _is_open(item: CompletionItem[Any]) -> bool:
    return item.type == "plain" and str(item.value).endswith(MORE_FOLLOWS)


class RecceZsh(ZshComplete):
    """Completion in zsh."""

    name = "zsh"
    # `-S ''` adds no space after a word that is not complete.
    source_template = ZshComplete.source_template.replace(
        'elif [[ "$type" == "dir" ]]',
        'elif [[ "$type" == "open" ]]; then\n'
        "            compadd -U -S '' -- \"$key\"\n"
        '        elif [[ "$type" == "dir" ]]',
    )

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the complete words and the incomplete word."""
        words, incomplete = super().get_completion_args()
        self._option = option_of(incomplete)
        return words, incomplete

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Return type, value and help in one line each."""
        value = self._option + item.value
        if _is_open(item) or not item.help:
            # The script passes open words to `compadd` without a description.
            return f"{'open' if _is_open(item) else item.type}\n{value}\n_"
        escaped = value.replace(":", "\\:")  # the script joins value and help with a colon
        return f"{item.type}\n{escaped}\n{item.help}"


class RecceFish(FishComplete):
    """Completion in fish."""

    name = "fish"

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the complete words and the incomplete word."""
        words, incomplete = super().get_completion_args()
        self._option = option_of(incomplete)
        return words, incomplete

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Return type, value and help in one line."""
        whole = CompletionItem(self._option + item.value, type=item.type, help=item.help)
        return super().format_completion(whole)


def option_of(word: str) -> str:
    """Return the beginning of *word* up to `=` if it is an option: zsh and fish replace it with the value.

    >>> option_of("--select=ord"), option_of("ord=")
    ('--select=', '')
    """
    name, equals, _ = word.partition("=")
    return name + equals if equals and name.startswith("--") else ""


def register() -> None:
    """Use the shells of this module for click's completion."""
    for shell in (RecceBash, RecceZsh, RecceFish):
        add_completion_class(shell)
