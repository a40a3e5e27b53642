"""Proof that a preview has the figures of a build of both sides, with dbt on DuckDB as the builder.

    python -m tests.proofs.previews PYTHON [--seconds 600] [--seed 1]

PYTHON is that of an environment with dbt and dbt-duckdb, which builds the demo's project once. A case edits
up to three of its models and its macro at random, previews them with all readers, and lets dbt build the
edited project into another schema. Prints each model with figures, or with columns of `--compare schema`,
that are not those of a diff of its two tables, each that differs without a preview, and each that fails in
one of both ways only; exits with 1 if there is one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import sqlglot
from sqlglot import exp

import recce_meta as api
from recce_meta.api.data.preview import FAILS_ABOVE
from recce_meta.cli.main import run_command_line
from recce_meta.data_diff.options import ValueOptions
from tests.proofs.clock import Clock

DEMO = Path(api.__file__).parent / "demo_data" / "project" / "base"
FIGURES = ("added", "removed", "common", "base_only", "current_only")
MOST = 3
"""Edits of a case."""
MACRO = "macros/cents_to_dollars.sql"
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_HIDDEN = re.compile(r'"?jinja_(\d+)_x"?')


ENGINE = """
import contextlib, json, sys
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
for line in sys.stdin:
    with contextlib.redirect_stdout(sys.stderr):
        done = dbtRunner().invoke(json.loads(line))
        # dbt keeps the file open, which locks it.
        DuckDBConnectionManager.close_all_connections()
    print(bool(done.success), flush=True)
"""


@contextmanager
def dbt_engine(python: str) -> Iterator[subprocess.Popen[str]]:
    """Yield a process that runs dbt commands, one per line, and closes the database after each."""
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([python, "-c", ENGINE], text=True, **streams) as engine:
        yield engine
        assert engine.stdin is not None
        engine.stdin.close()


def item(draw: random.Random, tree: exp.Expression, least: int = 1) -> tuple[exp.Select, exp.Expression]:
    """Return a named output of a query in *tree* with at least so many, and the query."""
    found = []
    for select in tree.find_all(exp.Select):
        named = [
            one
            for one in select.expressions
            if isinstance(one, (exp.Alias, exp.Column)) and not isinstance(one.this, exp.Star)
        ]
        found += [(select, one) for one in named] if len(named) >= least else []
    return draw.choice(found)


def value_of(output: exp.Expression) -> exp.Expression:
    """Return the expression of an output without its alias."""
    return output.this.copy() if isinstance(output, exp.Alias) else output.copy()


def add(draw: random.Random, tree: exp.Expression) -> None:
    item(draw, tree)[0].append(
        "expressions", exp.alias_(exp.Literal.number(1), f"added_{draw.randint(1, 99)}")
    )


def remove(draw: random.Random, tree: exp.Expression) -> None:
    item(draw, tree, 2)[1].pop()


def rename(draw: random.Random, tree: exp.Expression) -> None:
    output = item(draw, tree)[1]
    output.replace(exp.alias_(value_of(output), f"{output.alias_or_name}_new"))


def nullify(draw: random.Random, tree: exp.Expression) -> None:
    output = item(draw, tree)[1]
    inner = value_of(output)
    output.replace(exp.alias_(exp.func("NULLIF", inner, inner.copy()), output.alias_or_name))


def filter_rows(draw: random.Random, tree: exp.Expression) -> None:
    select, output = item(draw, tree)
    if output.find(exp.AggFunc, exp.Window):
        raise IndexError
    text = exp.cast(value_of(output), "varchar")
    select.where(exp.func("LENGTH", text) > draw.choice([1, 2, 3]), copy=False)


def move(draw: random.Random, tree: exp.Expression) -> None:
    select, output = item(draw, tree, 2)
    select.append("expressions", output.pop())


def aggregate(draw: random.Random, tree: exp.Expression) -> None:
    found = draw.choice(list(tree.find_all(exp.Sum)))
    found.replace(exp.Max(this=found.this.copy()))


def join(draw: random.Random, tree: exp.Expression) -> None:
    found = draw.choice([one for one in tree.find_all(exp.Join) if one.side == "LEFT"])
    found.set("side", None)


def distinct(draw: random.Random, tree: exp.Expression) -> None:
    item(draw, tree)[0].set("distinct", exp.Distinct())


def twice(draw: random.Random, tree: exp.Expression) -> None:
    cte = draw.choice(list(tree.find_all(exp.CTE)))
    cte.set("this", exp.union(cte.this.copy(), cte.this.copy(), distinct=False))


def wrap(draw: random.Random, tree: exp.Expression) -> None:
    cte = draw.choice(list(tree.find_all(exp.CTE)))
    cte.set("this", exp.select("*").from_(cte.this.copy().subquery("w")))


def misspell(draw: random.Random, tree: exp.Expression) -> None:
    draw.choice(list(tree.find_all(exp.Column))).replace(exp.column("no_such_column"))


def layout(_draw: random.Random, _tree: exp.Expression) -> None:
    """Change nothing: the text is written anew."""


EDITS: tuple[Callable[[random.Random, exp.Expression], None], ...] = (
    *(
        add,
        remove,
        rename,
        nullify,
        filter_rows,
        move,
        aggregate,
        join,
        distinct,
        twice,
        wrap,
        misspell,
        layout,
    ),
)


def edited(draw: random.Random, text: str) -> str:
    """Return *text* with a random edit of its SQL; its Jinja is hidden behind names meanwhile.

    Raises IndexError if the edit does not apply, SqlglotError for a text that Jinja cuts in pieces.
    """
    hidden: list[str] = []

    def hide(match: re.Match[str]) -> str:
        hidden.append(match.group(0))
        return f"jinja_{len(hidden) - 1}_x"

    config = re.match(r"\s*\{\{\s*config\(.*?\}\}", text, re.DOTALL)
    start = config.end() if config else 0
    tree = sqlglot.parse_one(_JINJA.sub(hide, text[start:]), read="duckdb")
    draw.choice(EDITS)(draw, tree)
    sql = _HIDDEN.sub(lambda match: hidden[int(match[1])], tree.sql("duckdb", pretty=True))
    return f"{text[:start]}\n{sql}"


class Shop:
    """The demo's project and its database, with base in the schema `prod`."""

    def __init__(self, folder: Path, engine: subprocess.Popen[str]) -> None:
        self.root, self._engine = folder / "shop", engine
        self.counts: Counter[str] = Counter()
        shutil.copytree(DEMO, self.root)
        self.database = folder / "jaffle_shop.duckdb"
        profiles = self.root / "profiles.yml"
        text = re.sub(r'path: ".*"', f"path: '{self.database}'", profiles.read_text())
        profiles.write_text(f"{text}    plan:\n      <<: *shop\n      schema: plan\n")
        self.texts = {
            path.relative_to(self.root).as_posix(): path.read_text()
            for path in [*self.root.glob("models/**/*.sql"), self.root / MACRO]
        }
        assert self.dbt("build", "prod", "target"), "base is built"
        assert self.dbt("seed", "pr_42", "target_pr"), "seeds are built"

    def dbt(self, command: str, target: str, folder: str, *options: str) -> bool:
        """Run dbt; return True if it succeeds."""
        assert self._engine.stdin is not None and self._engine.stdout is not None
        places = [
            "--project-dir",
            self.root,
            "--profiles-dir",
            self.root,
            "--target-path",
            self.root / folder,
        ]
        quiet = ["--no-send-anonymous-usage-stats", "--no-version-check", "--quiet"]
        words = [*quiet, command, *places, "--target", target, *options]
        self._engine.stdin.write(json.dumps([str(word) for word in words]) + "\n")
        self._engine.stdin.flush()
        return self._engine.stdout.readline().strip() == "True"

    def case(self, seed: int) -> list[str]:
        """Edit, preview and build; return what differs."""
        with self.edited(random.Random(seed)) as changed:
            shown, columns = self.preview(), self.preview("--compare", "schema")
            self.dbt("run", "pr_42", "target_pr", "--full-refresh")
            found = self.compare(shown) + self.compare_columns(columns)
            return [f"{', '.join(changed)}: {one}" for one in found]

    @contextmanager
    def edited(self, draw: random.Random) -> Iterator[dict[str, str]]:
        """Edit files at random within the block."""
        changed: dict[str, str] = {}
        while len(changed) < draw.randint(1, MOST):
            path = draw.choice(sorted(self.texts))
            try:
                if path == MACRO:
                    changed[path] = self.texts[path].replace("100.0", draw.choice(["10.0", "100.00"]))
                else:
                    changed[path] = edited(draw, self.texts[path])
            except (IndexError, sqlglot.errors.SqlglotError):
                continue
        for path, text in changed.items():
            (self.root / path).write_text(text)
        try:
            yield changed
        finally:
            for path in changed:
                (self.root / path).write_text(self.texts[path])

    def preview(self, *options: str) -> dict[str, Any]:
        """Return the results of a preview with all readers, by name."""
        out, err = StringIO(), StringIO()
        words = ["preview", *options, "--downstream", "--format", "json", "--project-dir", str(self.root)]
        words += ["--profiles-dir", str(self.root), "-o", str(self.root / "preview.json")]
        with redirect_stdout(out), redirect_stderr(err):
            code = run_command_line(words)
        assert code in (0, 2), err.getvalue()
        return {
            one["subject"]["name"]: one
            for one in json.loads((self.root / "preview.json").read_text())["results"]
        }

    def states(self) -> dict[str, str]:
        """Return the status of each model in the build of the edited project."""
        ran = json.loads((self.root / "target_pr" / "run_results.json").read_bytes())["results"]
        return {one["unique_id"].rpartition(".")[2]: one["status"] for one in ran}

    def compare_columns(self, shown: dict[str, Any]) -> list[str]:
        """Return each model that was built with other columns than the preview *shown* has."""
        found = []
        states = self.states()
        with api.UnifiedSqlAdapter.from_url(f"duckdb:///{self.database}") as adapter:
            for name in shown.keys() & {name for name, state in states.items() if state == "success"}:
                one = shown[name]
                built = api.schema_diff(adapter, f'prod."{name}"', f'pr_42."{name}"')
                columns = json.loads(msgspec.json.encode(built.columns))
                self.counts["described"] += 1
                if one["type"] != "schema_diff" or one["columns"] != columns:
                    found.append(f"{name}: columns {one.get('columns') or one.get('error')}, built {columns}")
        return found

    def compare(self, shown: dict[str, Any]) -> list[str]:
        """Return each model that the preview *shown* and the build judge differently."""
        found = []
        with api.UnifiedSqlAdapter.from_url(f"duckdb:///{self.database}") as adapter:
            for name, state in self.states().items():
                one = shown.get(name)
                if state != "success":
                    # dbt skips what reads a model that failed: its preview may fail for the same reason only.
                    self.counts[state] += 1
                    # A view that is read only later fails in its reader, which is not previewed then.
                    says = one is not None and (
                        one["type"] == "failed" or FAILS_ABOVE in one.get("reason", "")
                    )
                    is_wrong = state == "error" and not says
                    found += [f"{name}: dbt says {state}, the preview {one and one['type']}"] * is_wrong
                    continue
                key = None if one is None else one.get("key")
                tables = f'prod."{name}"', f'pr_42."{name}"'
                built = json.loads(
                    msgspec.json.encode(
                        api.value_diff(adapter, *tables, key=key, options=ValueOptions(limit=0)),
                        enc_hook=str,
                    )
                )
                self.counts["not affected" if one is None else "previewed"] += 1
                if one is None:
                    is_equal = not (
                        built["added"] or built["removed"] or built["base_only"] or built["current_only"]
                    )
                    found += [] if is_equal else [f"{name}: differs without a preview"]
                elif one["type"] != built["type"]:
                    found.append(f"{name}: {one['type']} {one.get('error') or one.get('reason')}")
                elif figures(one) != figures(built):
                    pairs = zip(figures(one).items(), figures(built).items(), strict=True)
                    found.append(f"{name}: {[pair for pair in pairs if pair[0] != pair[1]]}")
        return found


def figures(result: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of a comparison that a build must have, too."""
    names = (
        *FIGURES,
        *(("changed", "base", "current") if "changed" in result else ("base_rows", "current_rows")),
    )
    found = {name: result.get(name) for name in names}
    columns = result.get("columns", ())
    for side in ("base", "current"):
        if isinstance(found.get(side), dict):
            found[side].pop("compared", None)  # computed from the others
    found["columns"] = [one if isinstance(one, str) else (one["name"], one["mismatched"]) for one in columns]
    return {name: value or None for name, value in found.items()}


def run_cases(about: str | None, kind: type[Shop]) -> int:
    """Run cases of a shop until the time is over; *about* is the help of the command line."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", help="interpreter with dbt-core and dbt-duckdb")
    clock, given = Clock.of(parser)
    for name in [name for name in os.environ if name.startswith("RECCE_META_")]:
        del os.environ[name]
    failed = 0
    with TemporaryDirectory() as folder, dbt_engine(given.python) as engine:
        shop = kind(Path(folder), engine)
        for seed in clock.seeds():
            for fault in shop.case(seed):
                failed += 1
                print(f"{seed}: {fault}", flush=True)
        print(", ".join(f"{number} {what}" for what, number in shop.counts.items()))
    print(clock.report(failed))
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(run_cases(__doc__, Shop))
