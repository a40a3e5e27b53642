"""Proof that the core finds the faults that the parts find: mutants of a package, and tests of them.

    python -m tests.proofs.mutants recce_meta/sql_lineage tests/unit/sql_lineage … [--seconds 600] [--seed 1]

A case changes one operator, constant or condition of one module in a copy of the checkout, and runs the core
tests of the named folders. If none finds it, all of their tests are run: a mutant that only these find is a
fault that the core has lost. Prints these and the mutants that nothing finds, of which some have the same
meaning; exits with 1 if there is one that the core has lost.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.proofs.clock import Clock

ROOT = Path(__file__).parents[2]
_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}


class Mutator(ast.NodeTransformer):
    """Change of the place *wanted* among those of a module that can change; annotations have none."""

    def __init__(self, wanted: int = -1) -> None:
        self.wanted, self.count = wanted, 0
        self.told = ""

    def _is_wanted(self, node: ast.AST) -> bool:
        self.count += 1
        if self.count - 1 != self.wanted:
            return False
        self.told = f"{getattr(node, 'lineno', 0)}: {ast.unparse(node)[:80]}"
        return True

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.value = None if node.value is None else self.visit(node.value)
        return node

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        other = _COMPARED[type(node.ops[0])]
        if self._is_wanted(node):
            node.ops[0] = other()
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        if self._is_wanted(node):
            node.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        other = _COMPUTED.get(type(node.op))
        if other is not None and self._is_wanted(node):
            node.op = other()
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return node.operand if isinstance(node.op, ast.Not) and self._is_wanted(node) else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        if self._is_wanted(node):
            node.body, node.orelse = node.orelse, node.body
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, bool):
            return ast.Constant(not node.value) if self._is_wanted(node) else node
        if isinstance(node.value, int):
            return ast.Constant(node.value + 1) if self._is_wanted(node) else node
        return node


def mutant(seed: int, package: Path) -> tuple[Path, str, str]:
    """Return a module of *package*, its text with one change, and the changed line as it was."""
    choose = random.Random(seed)
    modules = sorted(package.rglob("*.py"))
    while True:
        path = choose.choice(modules)
        text = path.read_text(encoding="utf-8")
        places = Mutator()
        places.visit(ast.parse(text))
        if places.count:
            changed = Mutator(choose.randrange(places.count))
            return path, ast.unparse(changed.visit(ast.parse(text))), changed.told


def find(copy: Path, folders: list[str], *options: str) -> bool:
    """Return True if a test in *folders* of *copy* fails."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-n",
        "0",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
    ]
    ran = subprocess.run(
        [*command, *options, *folders],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode not in (0, 1, 2, 3):
        raise RuntimeError(ran.stdout[-500:] + ran.stderr[-500:])
    return ran.returncode != 0


def lost(
    copy: Path, package: str, folders: list[str], seeds: Iterator[int], counts: Counter[str]
) -> Iterator[str]:
    """Yield each mutant that the core does not find, and count all of them by what finds them."""
    for seed in seeds:
        path, text, told = mutant(seed, ROOT / package)
        place = copy / path.relative_to(ROOT)
        before = place.read_text(encoding="utf-8")
        place.write_text(text, encoding="utf-8")
        by = "core" if find(copy, folders) else "parts" if find(copy, folders, "--all") else "nothing"
        place.write_text(before, encoding="utf-8")
        counts[by] += 1
        if by != "core":
            yield f"case {seed}, found by {by}: {path.relative_to(ROOT)}:{told}"


def main() -> None:
    """Run the cases and print what the core does not find."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", help="folder of modules")
    parser.add_argument("tests", nargs="+", help="folders of their tests")
    clock, given = Clock.of(parser)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "checkout")
        left_out = shutil.ignore_patterns(".git", "__pycache__", "node_modules", ".venv", ".emulators")
        shutil.copytree(ROOT, copy, ignore=left_out, symlinks=True)
        if find(copy, given.tests):
            sys.exit("The tests fail without a mutant")
        for told in lost(copy, given.package, given.tests, clock.seeds(), counts):
            print(told, flush=True)
    for by, count in sorted(counts.items()):
        print(f"{count:6} found by {by}")
    print(clock.report(counts["parts"]))
    sys.exit(counts["parts"] > 0)


if __name__ == "__main__":
    main()
