"""Names of the package that are resolved late: in strings, after `load(…)`, and where mypy does not look."""

from __future__ import annotations

import ast
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from tests.architecture.shape import Function, read_modules

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"recce_meta(\.\w+)+(:[\w.]+)?")
"""A string that is the name of a module, or of an object of a module."""
OTHER_TEXTS = re.compile(
    r"recce_meta\.(config|db|duckdb|files|only_parsed|origins|schema\.json|yml(:\d+)?|dialects|exporters|record"
    r"|cli\.(open_option|yaml_selector))"
)
"""Texts that look like a name: files, keys of contexts, groups of entry points, a macro of dbt."""
PROGRAM = re.compile(
    r"^\s*from (recce_meta[\w.]*) import (\w+(?:, \w+)*)|; from (recce_meta[\w.]*) import (\w+)", re.M
)
"""An import in a program that a string holds."""
PREFIX = re.compile(r"recce_meta[\w.]*[.:]")
"""Beginning of a name that an f-string completes: it must be written as a whole."""
TABLES = ("recce_meta/cli/lazy.py",)
"""Modules that complete names from a table; test_lazy_commands.py imports all commands."""
LATE = ("load", "LazyModule", "import_module")
"""Functions whose argument is the name of a module or object, which they return."""
INNER = re.compile(r"`((?:[a-z_]+\.){2,}(?!yml)\w+)`")
"""A name below the package in a page about internals, such as `api.data.jobs.NodePair`."""


def late_names(
    scope: ast.Module | Function | ast.Lambda, known: Mapping[str, frozenset[str]] | None = None
) -> Iterator[tuple[int, str]]:
    """Yield line and name, as `module:name`, of what *scope* names late or reads of modules.

    *known* are the modules and late objects of variables of outer scopes.
    """
    nodes, inner = _own_nodes(scope)
    known = _variables(nodes, known or {})
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    parts = {id(part): node for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "recce_meta":
            yield from ((node.lineno, f"{node.module}:{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Attribute):
            read = known.get(node.value.id, ()) if isinstance(node.value, ast.Name) else _targets(node.value)
            yield from ((node.lineno, _member(target, node.attr)) for target in read)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            if id(node) in parts and PREFIX.fullmatch(node.value):
                yield node.lineno, ast.unparse(parts[id(node)])
            elif NAME.fullmatch(node.value) and not OTHER_TEXTS.fullmatch(node.value):
                yield node.lineno, node.value
            for module, names, other, name in PROGRAM.findall(node.value):
                yield from ((node.lineno, f"{module or other}:{one}") for one in (names or name).split(", "))
    for function in inner:
        yield from late_names(function, known)


def _variables(nodes: Sequence[ast.AST], known: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
    """Return *known* with what the *nodes* of an inner scope assign."""
    bound = [binding for node in nodes for binding in _bindings(node)]
    if not bound and not known:
        return known
    stored = Counter(
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    stored.update(node.arg for node in nodes if isinstance(node, ast.arg))
    late = Counter(name for name, _ in bound)
    variables = {name: targets for name, targets in known.items() if name not in stored}
    for name, target in bound:
        # A variable that also has other values is not followed.
        if late[name] >= stored[name]:
            variables[name] = variables.get(name, frozenset()) | {target}
    return variables


def _own_nodes(scope: ast.AST) -> tuple[list[ast.AST], list[Function | ast.Lambda]]:
    """Return the nodes of *scope* without those of the functions in it, and these functions."""
    nodes: list[ast.AST] = []
    inner: list[Function | ast.Lambda] = []
    waiting = list(ast.iter_child_nodes(scope))
    for node in waiting:
        if isinstance(node, (Function, ast.Lambda)):
            inner.append(node)
        else:
            nodes.append(node)
            waiting += ast.iter_child_nodes(node)
    return nodes, inner


def _bindings(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield the names that *node* binds to modules of the package or to late objects."""
    if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "recce_meta":
        for alias in node.names:
            if _is_module(f"{node.module}.{alias.name}"):
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"
    elif isinstance(node, ast.Assign) and isinstance(target := node.targets[0], ast.Name):
        yield from ((target.id, found) for found in _targets(node.value))
    elif isinstance(node, ast.Assign) and isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
        for name, value in zip(target.elts, node.value.elts, strict=False):
            if isinstance(name, ast.Name):
                yield from ((name.id, found) for found in _targets(value))


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def _targets(value: ast.expr) -> Sequence[str]:
    """Return the name in `load("…")`, in `cast(…, LazyModule("…"))`, and in both branches of a condition."""
    if isinstance(value, ast.IfExp):
        return [*_targets(value.body), *_targets(value.orelse)]
    if not (isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.args):
        return ()
    argument = value.args[-1]
    if value.func.id == "cast":
        return _targets(argument)
    text = argument.value if isinstance(argument, ast.Constant) else None
    return [text] if value.func.id in LATE and isinstance(text, str) and NAME.fullmatch(text) else ()


def _member(target: str, name: str) -> str:
    return f"{target}.{name}" if ":" in target else f"{target}:{name}"


def _names_of_pages(text: str) -> Iterator[tuple[int, str]]:
    """Yield the names of a page that begin with the package, or with a package in it and have two dots."""
    for number, line in enumerate(text.splitlines(), 1):
        for found in re.finditer(r"(?<![\w./-])" + NAME.pattern + r"(?![\w./-])", line):
            if not OTHER_TEXTS.fullmatch(found[0]):
                yield number, found[0]
        for name in INNER.findall(line):
            if _is_module("recce_meta." + name.partition(".")[0]):
                yield number, f"recce_meta.{name}"


def missing(path: Path, found: Iterator[tuple[int, str]]) -> list[str]:
    """Return those of the names *found* in the file *path* that nothing has."""
    return [f"{path}:{line}: {name}" for line, name in dict.fromkeys(found) if not _exists(name)]


@cache
def _exists(name: str) -> bool:
    module, _, attributes = name.partition(":")
    try:
        pkgutil.resolve_name(name)
    except (AttributeError, ModuleNotFoundError, ValueError):
        # `from package import module` finds modules that are not attributes yet.
        return "." not in attributes and name.isascii() and _is_module(f"{module}.{attributes}")
    return True


@pytest.mark.drivers
@pytest.mark.parametrize("folder", ["recce_meta", "scripts", "benchmarks", "examples"])
def test_every_late_name_exists(folder: str) -> None:
    modules = read_modules(ROOT / folder)

    wrong = [
        name for module in modules for name in missing(Path(folder, module.path), late_names(module.tree))
    ]
    wrong = [name for name in wrong if not name.startswith(TABLES)]
    assert not wrong, "\n".join(wrong)
    assert len(modules) > 1


def test_every_name_in_pages_and_files_exists() -> None:
    pages = [
        ROOT / "pyproject.toml",
        *set(ROOT.glob("*.md")) - {ROOT / "CHANGELOG.md"},
        *(ROOT / "docs").rglob("*.md"),
    ]
    pages += [path for path in (ROOT / "examples" / "deploy").iterdir() if path.is_file()]

    wrong = [
        text
        for page in pages
        for text in missing(page.relative_to(ROOT), _names_of_pages(page.read_text("utf-8")))
    ]
    assert not wrong, "\n".join(wrong)


def test_lazy_names_of_packages_exist() -> None:
    for path in (ROOT / "recce_meta").rglob("__init__.py"):
        if "lazy_names(" in path.read_text("utf-8"):
            package = import_module(".".join(path.parent.relative_to(ROOT).parts))
            for name in dir(package):
                assert getattr(package, name) is not None


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('load("recce_meta.api.demo:demos")', "recce_meta.api.demo:demos"),
        ('load("recce_meta.api.demos")', "recce_meta.api.demos"),
        ('load("recce_meta.api.demo").demos()', "recce_meta.api.demo:demos"),
        ('load("recce_meta.api.demo:demo").demos()', "recce_meta.api.demo:demo.demos"),
        ('api = load("recce_meta.api.demo"); api.demos()', "recce_meta.api.demo:demos"),
        (
            'a, b = load("recce_meta.api.demo"), load("recce_meta.api"); a.demos()',
            "recce_meta.api.demo:demos",
        ),
        ('api = cast(Api, LazyModule("recce_meta.api.demo")); api.demos()', "recce_meta.api.demo:demos"),
        ('api = LazyModule("recce_meta.api.demo")\ndef f(): return api.demos', "recce_meta.api.demo:demos"),
        ('api = LazyModule(f"recce_meta.api.{name}")', "f'recce_meta.api.{name}'"),
        ('PROGRAM = "import sys; from recce_meta.api.demo import demos"', "recce_meta.api.demo:demos"),
        ("from recce_meta.api.demo import demos", "recce_meta.api.demo:demos"),
        ("from recce_meta.api import demo; demo.demos()", "recce_meta.api.demo:demos"),
    ],
)
def test_a_late_name_that_does_not_exist_is_reported_with_file_and_line(line: str, name: str) -> None:
    source = f"import sys\n{line}\n"

    assert missing(Path("a.py"), late_names(ast.parse(source))) == [
        f"a.py:{1 + line.count(chr(10)) + 1}: {name}"
    ]


@pytest.mark.parametrize(
    "source",
    [
        'load("recce_meta.api.demo").demo()',
        'api = load("recce_meta.api.demo")\ndef f(api): return api.demos',
        'def f(): api = load("recce_meta.api.demo")\ndef g(api): return api.demos',
        '"""recce_meta.api.demos"""\nfile = "recce_meta.yml"',
    ],
)
def test_other_names_are_not_reported(source: str) -> None:
    assert missing(Path("a.py"), late_names(ast.parse(source))) == []


def test_a_name_of_a_page_that_does_not_exist_is_reported() -> None:
    page = "`api.data.jobs.NodePairs` and recce_meta.api.demo.demo\nrecce-meta = recce_meta.cli.main:mains"

    assert missing(Path("a.md"), _names_of_pages(page)) == [
        "a.md:1: recce_meta.api.data.jobs.NodePairs",
        "a.md:2: recce_meta.cli.main:mains",
    ]
