"""Random sample of mutants: random places that an operator of cosmic-ray can change, then a change of each.

A place is drawn first since cosmic-ray has eleven changes of one `+` and seven of one `==`. Most of them
raise TypeError and so say little about tests. VARIANTS has the changes that are likely to keep types.
"""

from __future__ import annotations

import ast
import difflib
import random
import re
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cosmic_ray.plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

from scripts.mutation.child import PACKAGES

COMPARISONS = {
    **{"Eq": ["NotEq"], "NotEq": ["Eq"], "Is": ["IsNot"], "IsNot": ["Is"]},
    **{"Lt": ["LtE", "GtE"], "LtE": ["Lt", "Gt"], "Gt": ["GtE", "LtE"], "GtE": ["Gt", "Lt"]},
}
BINARY = {
    **{
        "Add": ["Sub"],
        "Sub": ["Add"],
        "Mul": ["Add"],
        "Div": ["Mul"],
        "FloorDiv": ["Mul"],
        "Mod": ["FloorDiv"],
    },
    **{"Pow": ["Mul"], "BitOr": ["BitAnd"], "BitAnd": ["BitOr"], "BitXor": ["BitOr"]},
    **{"LShift": ["RShift"], "RShift": ["LShift"]},
}
VARIANTS: dict[str, list[str]] = {
    **{old: [f"ReplaceComparisonOperator_{old}_{new}" for new in each] for old, each in COMPARISONS.items()},
    **{old: [f"ReplaceBinaryOperator_{old}_{new}" for new in each] for old, each in BINARY.items()},
    "not": ["ReplaceUnaryOperator_Delete_Not"],
    "minus": ["ReplaceUnaryOperator_Delete_USub"],
    "loop": ["ZeroIterationForLoop"],
    **{name: [name] for name in ("AddNot", "NumberReplacer", "ExceptionReplacer", "RemoveDecorator")},
    **{f"{old}{new}": [f"Replace{old}With{new}"] for old, new in (("And", "Or"), ("Or", "And"))},
    **{f"{old}{new}": [f"Replace{old}With{new}"] for old, new in (("True", "False"), ("False", "True"))},
    **{f"{a}{b}": [f"Replace{a}With{b}"] for a, b in (("Break", "Continue"), ("Continue", "Break"))},
}
"""Operators of cosmic-ray by what they change. Left out are those of variables, which need their names."""
TYPES = frozenset("str int float bool bytes list dict tuple set frozenset object type None".split())
ABOUT_TYPES = frozenset("abstractmethod override overload final runtime_checkable".split())
ABOUT_SPEED = frozenset("cache lru_cache".split())
DECLARATIONS = frozenset(("dataclass", *ABOUT_SPEED))

Position = tuple[int, int]


@dataclass(frozen=True)
class Mutant:
    """One change of one file, and the lines of its statement."""

    file: str
    line: int
    column: int
    operator: str
    occurrence: int
    first: int
    last: int
    at_import: bool
    """Whether the statement runs when the module is imported, as all tests may do."""
    diff: str

    @property
    def key(self) -> tuple[str, str, int]:
        return self.file, self.operator, self.occurrence

    def as_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)


def draw(root: Path, seed: int, count: int) -> tuple[list[Mutant], int]:
    """Return *count* mutants, or all, in random order, and the number of places."""
    places = sorted(each for package in PACKAGES for each in _places(root, root / "recce_meta" / package))
    generator = random.Random(seed)
    generator.shuffle(places)
    mutants: list[Mutant] = []
    for file, position, _, occurrences in places:
        if len(mutants) == count:
            break
        operator, occurrence = generator.choice(occurrences)
        text = (root / file).read_text(encoding="utf-8")
        changed = mutated(text, operator, occurrence)
        if changed is not None:
            first, last, at_import = statement(ast.parse(text), position[0])
            mutants.append(
                Mutant(
                    file, *position, operator, occurrence, first, last, at_import, _diff(file, text, changed)
                )
            )
    return mutants, len(places)


def mutated(text: str, operator: str, occurrence: int) -> str | None:
    """Return the changed module, None if it has no other meaning or is not Python."""
    changed: str | None = mutate_code(text, cosmic_ray.plugins.get_operator(operator)(), occurrence)
    if changed is None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compile(changed, "mutant", "exec")
    except (SyntaxError, SyntaxWarning):
        return None
    return changed if ast.dump(ast.parse(changed)) != ast.dump(ast.parse(text)) else None


def _diff(file: str, text: str, changed: str) -> str:
    return "\n".join(difflib.unified_diff(text.splitlines(), changed.splitlines(), file, file, "", "", 1, ""))


def _places(root: Path, package: Path) -> Iterator[tuple[str, Position, str, list[tuple[str, int]]]]:
    for path in package.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        ignored = list(_ignored(ast.parse(text)))
        nodes = list(ast_nodes(get_ast(text)))
        lines = text.split("\n")
        for kind, operators in VARIANTS.items():
            found: dict[Position, list[tuple[str, int]]] = {}
            for name in operators:
                operator = cosmic_ray.plugins.get_operator(f"core/{name}")()
                places = (start for node in nodes for start, _ in operator.mutation_positions(node))
                for occurrence, (line, column) in enumerate(places):
                    position = (line, len(lines[line - 1][:column].encode()))  # `ast` counts bytes
                    found.setdefault(position, []).append((f"core/{name}", occurrence))
            for position, occurrences in found.items():
                if not any(first <= position < last for first, last in ignored):
                    yield path.relative_to(root).as_posix(), position, kind, occurrences


def _ignored(tree: ast.Module) -> Iterator[tuple[Position, Position]]:
    """Yield what no test can or should see: types, and declarations about types, speed or immutability."""
    for node in ast.walk(tree):
        match node:
            case ast.arg(annotation=ast.expr() as annotation) | ast.AnnAssign(annotation=annotation):
                yield _span(annotation)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield _span(node)
            case ast.BinOp(op=ast.BitOr()) if any(map(_is_type, _operands(node))):
                yield _span(node)
            case ast.Call(func=ast.Name(id="cast" | "TypeVar"), args=[first, *_]):
                yield _span(first)
            case ast.keyword(arg="copy", value=value):  # sqlglot's, about speed
                yield _span(value)
            case ast.ClassDef(keywords=keywords):  # msgspec's, such as `frozen`
                yield from (_span(keyword.value) for keyword in keywords)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
            yield _span(node.returns)
        for decorator in getattr(node, "decorator_list", ()):
            name = ast.unparse(decorator).partition("(")[0].rpartition(".")[2]
            (line, column), end = _span(decorator)
            if name in ABOUT_TYPES | ABOUT_SPEED:
                yield (line, column - 1), end
            elif name in DECLARATIONS:
                yield (line, column), end


def _operands(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        yield from _operands(node.left)
        yield from _operands(node.right)
    else:
        yield node


def _is_type(node: ast.expr) -> bool:
    match node:
        case ast.Subscript(value=value):
            return _is_type(value)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in TYPES or re.match(r"_?[A-Z].*[a-z]", name) is not None
    return isinstance(node, ast.Constant) and node.value is None


def _span(node: ast.expr | ast.stmt) -> tuple[Position, Position]:
    return (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)


def statement(tree: ast.Module, line: int) -> tuple[int, int, bool]:
    """Return the first and last line of the innermost statement, and True if an import runs it."""
    node: Any = tree
    at_import = True
    while inner := [each for each in _blocks(node) if _first_line(each) <= line <= _last_line(each)]:
        (node,) = inner
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            at_import = at_import and line < _first_line(node.body[0])
    first = _first_line(node) if node is not tree else line
    heads = [_first_line(each) for each in _blocks(node)]
    last = max(first, min(heads) - 1) if heads else _last_line(node)
    return (first, last, at_import) if first <= line <= last else (line, line, at_import)


def _blocks(node: Any) -> list[Any]:
    """Return the statements, handlers and cases inside of a statement."""
    parts = ("body", "handlers", "orelse", "finalbody", "cases")
    return [each for part in parts for each in getattr(node, part, ())]


def _first_line(node: Any) -> int:
    head: Any = getattr(node, "pattern", node)
    lines: list[int] = [head.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))]
    return min(lines)


def _last_line(node: Any) -> int:
    last: Any = node.body[-1] if isinstance(node, ast.match_case) else node
    return int(last.end_lineno)
