"""Proof that a planned build has the data of a whole build, with dbt on DuckDB as the builder of both.

    python -m tests.proofs.plans PYTHON [--seconds 600] [--seed 1]

PYTHON is that of an environment with dbt and dbt-duckdb, which builds the demo project once. A case edits up
to three of its models and its macro at random. dbt builds all of the edited project into one schema, and what
`recce-meta plan` prints into another one, which is empty before. Prints each model that differs between the
whole build and the planned one, where base stands for models that are not planned, and each plan that is not
what dbt selects; exits with 1 if there is one.
"""

from __future__ import annotations

import json
import random
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

import duckdb

from recce_meta.cli.main import run_command_line
from tests.proofs.previews import Shop, run_cases


class PlannedShop(Shop):
    """The demo's project, with planned builds in the schema `plan`."""

    def case(self, seed: int) -> list[str]:
        """Edit, build all, and build what is planned; return what differs."""
        with self.edited(random.Random(seed)) as changed:
            self.dbt("run", "pr_42", "target_pr", "--full-refresh")
            with duckdb.connect(str(self.database)) as connection:
                connection.execute("drop schema if exists plan cascade")
            self.dbt("compile", "plan", "target_plan")
            words = self.command()
            planned: set[str] = set()
            if words:
                self.dbt("run", "plan", "target_plan", *words)
                planned = set(self.states("target_plan"))
                named = {term.rpartition(".")[2] for term in words[1 : words.index("--indirect-selection")]}
                if planned != named - {"orders_are_paid_once"}:
                    return [f"{', '.join(changed)}: {sorted(named)} is planned, and {sorted(planned)} built"]
            return [f"{', '.join(changed)}: {one}" for one in self.differing(planned)]

    def command(self) -> list[str]:
        """Return the arguments of the printed command."""
        state = self.root / "state"
        out, err = StringIO(), StringIO()
        words = ["plan", "--base", f"path:{self.root / 'target'}", "--format", "command"]
        words += ["--current", f"path:{self.root / 'target_plan'}", "--state-dir", str(state)]
        words += ["--project-dir", str(self.root), "-o", str(self.root / "command")]
        (self.root / "command").unlink(missing_ok=True)
        with redirect_stdout(out), redirect_stderr(err):
            code = run_command_line(words)
        assert code == 0, err.getvalue()
        if not (self.root / "command").exists():
            return []
        return shlex.split((self.root / "command").read_text())[2:]

    def states(self, folder: str) -> dict[str, str]:
        """Return the status of each model that dbt ran last."""
        ran = json.loads((self.root / folder / "run_results.json").read_bytes())["results"]
        return {one["unique_id"].rpartition(".")[2]: one["status"] for one in ran}

    def differing(self, planned: set[str]) -> list[str]:
        """Return each model of the whole build that the planned build does not have."""
        found = []
        with duckdb.connect(str(self.database)) as connection:
            for name, state in self.states("target_pr").items():
                self.counts["planned" if name in planned else "not planned"] += 1
                if state != "success":
                    continue
                one, other = f'pr_42."{name}"', f'{"plan" if name in planned else "prod"}."{name}"'
                columns = [connection.execute(f"describe {place}").fetchall() for place in (one, other)]
                if [column[:2] for column in columns[0]] != [column[:2] for column in columns[1]]:
                    found.append(f"{name}: other columns")
                    continue
                rows = f"(from {one} except all from {other}) union all (from {other} except all from {one})"
                (number,) = connection.execute(f"select count(*) from ({rows})").fetchone() or (0,)
                found += [f"{name}: {number} rows"] if number else []
        return found


if __name__ == "__main__":
    sys.exit(run_cases(__doc__, PlannedShop))
