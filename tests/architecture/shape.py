"""Measures of the package's shape: sizes, names, imports, handlers and words.

Each measure returns its offenders, such as the path of a module, each with a number. offenders.yml lists the
existing ones; test_shape.py fails on a new or worse offender, and on a listed one that is fixed.
`python -m tests.architecture.shape` writes the file again, and refuses to add or raise a line.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TypeGuard

import yaml

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "recce_meta"
KNOWN_OFFENDERS = Path(__file__).with_name("offenders.yml")

MOST_LINES_OF_A_MODULE = 800
MOST_LINES_OF_A_CLASS = 300
MOST_LINES_OF_A_FUNCTION = 60
MOST_LINES_OF_A_COMMAND = 20
FEW_LINES = 100
MOST_SHORT_MODULES = 0.14
WORDS_TO_SPARE = 5

LOADERS = {
    "lazy.py": "public names of a package, and a module that a string names, on first use",
    "plugins.py": "entry points of other packages, and one folder of many",
}
"""Modules that import the package's own modules inside functions, with what they load."""

BROAD = frozenset(("Exception", "BaseException"))
BROAD_HANDLERS = {
    "adapter/cancellation.py _run": "raised again in the thread of the caller",
    "adapter/connection.py transaction": "rolls back and raises it again",
    "adapter/connection.py _connect": "closes the connection and raises it again",
    "cli/wrapper.py run_and_record": "dbt's exit code counts; the failure to record is a warning",
    "cli/main.py _run": "reported as a bug",
    "repositories/worker.py _reported": "logged; a worker with a heartbeat must go on with its duties",
    "server/access/sessions.py __call__": "logged, and answered as a failure of the server",
    "server/stores/queries.py _run": "logged, and shown as the failure of the query",
    "sql_lineage/context.py run": "raised again in the thread of the caller",
    "sql_lineage/project/jobs.py attempt": "reported; only the columns of one node are lost",
    "plugins.py load_plugin": "reported as the failure of the other package",
    "plugins.py class_at": "reported as the failure of the other package",
    "plugins.py call_plugin": "reported as the failure of the other package",
    "server/api/call.py _answered": "answered as status 500, and logged",
    "warehouses/redshift/driver.py _watched": "invalidates the connection and raises it again",
    "warehouses/redshift/driver.py _connected": "raised as one class of the driver instead of many",
    "warehouses/snowflake/login.py _loaded": "cryptography has no public base class of its errors",
    "warehouses/snowflake/login.py _through_openssl": "the caller raises an error of ours",
}
"""Functions with a handler of every exception, and the reason; one handler each."""
MOST_BROAD_HANDLERS = 18

DISCOURAGED = re.compile(
    r"\b(told|tells?|nobody|whoever|likewise|where\s+there\s+(is|are)\s+no|as\s+far\s+as|beside|at\s+hand"
    r"|is\s+no\s+(?!longer\b)[a-z]+)",
    re.IGNORECASE,
)
"""Words with a plainer substitute: report, no node, the same, if there is no, next to, in memory, not a."""

Offenders = dict[str, int]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file of a package."""

    path: str
    """Path below the package, with slashes."""
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Return all nodes of the syntax tree."""
        return list(ast.walk(self.tree))

    @property
    def docstring(self) -> str | None:
        return ast.get_docstring(self.tree)

    @property
    def has_code(self) -> bool:
        """Return False for an `__init__.py` that has only a docstring, imports and `__all__`."""
        return not self.path.endswith("__init__.py") or not all(
            isinstance(statement, (ast.Import, ast.ImportFrom))
            or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
            or (isinstance(statement, ast.Assign) and _last_name(statement.targets[0]) == "__all__")
            for statement in self.tree.body
        )

    def functions(self) -> Iterator[Function]:
        """Yield every function, nested ones and methods included."""
        return (node for node in self.nodes if isinstance(node, Function))


@cache
def read_modules(package: Path = PACKAGE) -> tuple[Module, ...]:
    """Return all modules of *package*, sorted by path, each of which is parsed once."""
    paths = sorted(package.rglob("*.py"))
    return tuple(
        Module(path.relative_to(package).as_posix(), path.read_text(encoding="utf-8")) for path in paths
    )


def short_modules(modules: Sequence[Module]) -> Offenders:
    """Return the modules of fewer than 100 lines."""
    return {module.path: module.lines for module in modules if module.has_code and module.lines < FEW_LINES}


def long_modules(modules: Sequence[Module]) -> Offenders:
    """Return the modules of more than 800 lines."""
    return {module.path: module.lines for module in modules if module.lines > MOST_LINES_OF_A_MODULE}


def long_classes(modules: Sequence[Module]) -> Offenders:
    """Return the classes of more than 300 lines, decorators excluded."""
    return {
        f"{module.path} {node.name}": length
        for module in modules
        for node in module.nodes
        if isinstance(node, ast.ClassDef) and (length := _length([node])) > MOST_LINES_OF_A_CLASS
    }


def long_functions(modules: Sequence[Module]) -> Offenders:
    """Return the functions of more than 60 lines, decorators excluded."""
    return {
        f"{module.path} {function.name}": length
        for module in modules
        for function in module.functions()
        if (length := _length([function])) > MOST_LINES_OF_A_FUNCTION
    }


def long_commands(modules: Sequence[Module]) -> Offenders:
    """Return the click commands of `cli` whose bodies have more than 20 lines, docstrings excluded."""
    return {
        f"{module.path} {function.name}": length
        for module in modules
        if module.path.startswith("cli/")
        for function in module.functions()
        if _is_command(function) and (length := _length(_body(function))) > MOST_LINES_OF_A_COMMAND
    }


def _is_command(function: Function) -> bool:
    decorators = [node.func if isinstance(node, ast.Call) else node for node in function.decorator_list]
    return any(_last_name(decorator) in ("command", "group") for decorator in decorators)


def _body(function: Function) -> list[ast.stmt]:
    return function.body[1:] if ast.get_docstring(function) is not None else function.body


def _length(statements: Sequence[ast.stmt]) -> int:
    return (statements[-1].end_lineno or 0) - statements[0].lineno + 1 if statements else 0


def repeated_class_names(modules: Sequence[Module]) -> Offenders:
    """Return the names of several classes, private ones included; each warehouse may have its `Driver`."""
    names = Counter(
        node.name
        for module in modules
        if not module.path.startswith("warehouses/")
        for node in module.nodes
        if isinstance(node, ast.ClassDef)
    )
    return {name: count for name, count in names.items() if count > 1}


def deferred_imports(modules: Sequence[Module]) -> Offenders:
    """Return the modules that import modules of the package inside functions, without the loaders.

    A call of `import_module` counts unless it names modules of other packages only.
    """
    counts = {module.path: _deferred(module) for module in modules if module.path not in LOADERS}
    return {path: count for path, count in counts.items() if count}


def _deferred(module: Module) -> int:
    """Return the number of own imports inside functions."""
    nodes = {node for function in module.functions() for node in ast.walk(function)}
    return sum(_is_own_import(node) for node in nodes)


def _is_own_import(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(_is_own(alias.name) for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return node.level > 0 or _is_own(node.module or "")
    if _is_call_of(node, "import_module", "__import__"):
        names = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
        return not names or any(_is_own(str(name)) for name in names)
    return False


def _is_own(name: str) -> bool:
    return name.split(".")[0] in (PACKAGE.name, "")


def import_cycles(modules: Sequence[Module]) -> Offenders:
    """Return a cycle of modules, if there is one; imports for type checkers count as well."""
    names = {_name(module): module for module in modules}
    imported = {
        name: {_module_of(target, names) for target in _imported(module)} - {None, name}
        for name, module in names.items()
    }
    try:
        TopologicalSorter(imported).prepare()
    except CycleError as error:
        cycle = error.args[1]
        return {" < ".join(cycle): len(cycle) - 1}
    return {}


def _name(module: Module) -> str:
    path = Path(PACKAGE.name, module.path).with_suffix("")
    return ".".join(path.parent.parts if path.name == "__init__" else path.parts)


def _imported(module: Module) -> Iterator[str]:
    for node in module.nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _module_of(target: str, names: Container[str]) -> str | None:
    """Return the module that an import of *target* loads: itself, or the one that holds the name."""
    return next((name for name in (target, target.rpartition(".")[0]) if name in names), None)


def broad_handlers(modules: Sequence[Module]) -> Offenders:
    """Return the functions that handle every exception, with the number of handlers.

    Found are a bare `except`, `Exception` alone, in a tuple, or under another name of the module, and
    `suppress(Exception)`.
    """
    found: Counter[str] = Counter()
    for module in modules:
        broad = BROAD | {
            _last_name(target)
            for node in module.nodes
            if isinstance(node, ast.Assign) and isinstance(node.value, (ast.Name, ast.Tuple))
            for target in node.targets
            if _names(node.value) & BROAD
        }
        found.update(f"{module.path} {name}" for name in _broad_below(module.tree, broad, "<module>"))
    return dict(found)


def _broad_below(node: ast.AST, broad: frozenset[str], function: str) -> Iterator[str]:
    """Yield the name of the enclosing function for every broad handler below *node*."""
    for child in ast.iter_child_nodes(node):
        name = child.name if isinstance(child, Function) else function
        if isinstance(child, ast.ExceptHandler) and (child.type is None or _names(child.type) & broad):
            yield name
        if _is_call_of(child, "suppress") and any(_names(argument) & broad for argument in child.args):
            yield name
        yield from _broad_below(child, broad, name)


def _names(node: ast.AST) -> set[str]:
    """Return the names in an expression, without the modules before their dots."""
    return {name for part in ast.walk(node) if (name := _last_name(part))}


def _is_call_of(node: ast.AST, *names: str) -> TypeGuard[ast.Call]:
    """Return True for a call of a function with one of *names*, in any module."""
    return isinstance(node, ast.Call) and _last_name(node.func) in names


def _last_name(node: ast.AST) -> str:
    """Return the name of a variable, or the name after the last dot; "" for any other expression."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def discouraged_words(modules: Sequence[Module], pages: Sequence[Path]) -> Offenders:
    """Return the number of discouraged words by module and page.

    Of a module, strings, docstrings and comments count; of a page, everything.
    """
    texts = {f"{PACKAGE.name}/{module.path}": list(_prose(module)) for module in modules}
    texts |= {str(page): [page.read_text(encoding="utf-8")] for page in pages}
    counts = {name: sum(len(DISCOURAGED.findall(part)) for part in parts) for name, parts in texts.items()}
    return {name: count for name, count in counts.items() if count}


def _prose(module: Module) -> Iterator[str]:
    """Yield strings and comments."""
    for node in module.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
    if any(DISCOURAGED.search(line.partition("#")[2]) for line in module.text.splitlines()):
        for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
            if token.type == tokenize.COMMENT:
                yield token.string


def read_pages() -> list[Path]:
    """Return the README and all pages of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


MEASURES: dict[str, Callable[[Sequence[Module]], Offenders]] = {
    "modules of more than 800 lines": long_modules,
    "classes of more than 300 lines": long_classes,
    "functions of more than 60 lines": long_functions,
    "commands of more than 20 lines": long_commands,
    "class names of several classes": repeated_class_names,
    "imports of own modules inside functions": deferred_imports,
    "cycles of modules": import_cycles,
}
"""Rules whose offenders are listed in offenders.yml."""
WORDS = "discouraged words"

HEADER = """\
# Offenders against the rules of test_shape.py, with their numbers. Fix one, and remove or lower its line.
# Written by `python -m tests.architecture.shape`; a diff of this file may only remove or lower lines.
"""


def known_offenders() -> dict[str, Offenders]:
    """Return the listed offenders by rule; under "discouraged words" stands their budget as `total`."""
    listed: dict[str, Offenders] = yaml.safe_load(KNOWN_OFFENDERS.read_text(encoding="utf-8"))
    return listed


def worse(listed: Mapping[str, Offenders], known: Mapping[str, Offenders]) -> Iterator[str]:
    """Yield the offenders of *listed* that *known* lacks, or has with a lower number."""
    for rule, offenders in listed.items():
        for name, number in offenders.items():
            if number > known.get(rule, {}).get(name, 0):
                yield f"{rule}: {name}: {number}"


def main() -> None:
    """Write today's offenders into offenders.yml, and print each rule's total; refuse new and worse ones."""
    modules = read_modules()
    listed = {rule: dict(sorted(measure(modules).items())) for rule, measure in MEASURES.items()}
    listed[WORDS] = {"total": sum(discouraged_words(modules, read_pages()).values())}
    if refused := [*worse(listed, known_offenders())]:
        sys.exit("\n".join(("offenders.yml may only shrink:", *refused)))
    KNOWN_OFFENDERS.write_text(HEADER + yaml.safe_dump(listed, sort_keys=False), encoding="utf-8")
    for rule, offenders in listed.items():
        print(f"{rule}: {sum(offenders.values()) if rule == WORDS else len(offenders)}")


if __name__ == "__main__":
    main()
