"""Runs of other tools, each in its own environment, on the same tables.

    python -m venv recce && recce/bin/pip install recce==1.69.1 'dbt-core<1.12' dbt-duckdb
    python -m venv reladiff && reladiff/bin/pip install reladiff==0.6.0 duckdb psycopg2-binary
    export RECCE_META_BENCH_RECCE=$PWD/recce RECCE_META_BENCH_RELADIFF=$PWD/reladiff
If a variable is not set, the figures that need the tool are skipped. Nothing is sent: the tools' home is a
scratch folder, with tracking switched off.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import Clock, Timing, command

SIDES = {"base": "target-base", "current": "target"}
"""Schema of each side, also the name of its target, and recce's folder of its artifacts."""
WORKER = """
import json, os, sys, time
from recce import event
from recce.apis.run_func import create_task
from recce.core import RecceContext, set_default_context
from recce.models.types import RunType
event._collector.schedule_flush = lambda: None
answers, sys.stdout = sys.stdout, sys.stderr
set_default_context(RecceContext.load(
    target="current", target_path="target", target_base_path="target-base", project_dir=".", profiles_dir="."
))
for _ in sys.stdin:
    task = create_task(RunType(sys.argv[1]), json.loads(sys.argv[2]))
    wall, cpu = time.perf_counter(), time.process_time()
    task.execute()
    print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]), file=answers, flush=True)
"""


def environment_of(tool: str) -> Path | None:
    """Return the virtual environment of *tool* from its environment variable; print a note if it is not
    set.
    """
    variable = f"RECCE_META_BENCH_{tool.upper()}"
    folder = os.environ.get(variable)
    if not folder:
        print(f"skipped {tool}: {variable} does not name its virtual environment", file=sys.stderr)
        return None
    return Path(folder).resolve()


class Recce:
    """A dbt project of one model, `wide`, whose tables exist already."""

    def __init__(self, environment: Path, folder: Path, database: Path) -> None:
        self.environment = environment
        self.folder = folder
        self.database = folder / "warehouse.duckdb"
        if not folder.exists():
            self._write(database)

    def _write(self, database: Path) -> None:
        (self.folder / "models").mkdir(parents=True)
        shutil.copy(database, self.database)
        (self.folder / "models" / "wide.sql").write_text("select 1 as id\n")
        (self.folder / "dbt_project.yml").write_text(
            json.dumps({"name": "bench", "profile": "bench", "models": {"+materialized": "table"}})
        )
        outputs = {side: {"type": "duckdb", "path": str(self.database), "schema": side} for side in SIDES}
        profile = {"bench": {"target": "current", "outputs": outputs}}
        (self.folder / "profiles.yml").write_text(json.dumps(profile))
        (self.folder / ".recce").mkdir()
        (self.folder / ".recce" / "profile.yml").write_text("user_id: '0'\nanonymous_tracking: false\n")
        for side, target in SIDES.items():
            self._dbt("docs", "generate", "--target", side, "--target-path", target)

    def _dbt(self, *arguments: str) -> None:
        subprocess.run(
            [str(self.environment / "bin" / "dbt"), "--quiet", *arguments],
            cwd=self.folder,
            env=self.variables,
            check=True,
            stdout=sys.stderr,
        )

    @property
    def variables(self) -> dict[str, str]:
        """Return the environment of its processes."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DBT_", "RECCE_"))}
        return {**kept, "HOME": str(self.folder), "DO_NOT_TRACK": "1", "DBT_PROFILES_DIR": str(self.folder)}

    @contextmanager
    def task(self, kind: str, parameters: dict[str, object]) -> Iterator[Clock]:
        """Yield a clock for a recce task in a process with a loaded project and an open connection."""
        program = [str(self.environment / "bin" / "python"), "-c", WORKER, kind, json.dumps(parameters)]
        with (self.folder / "task.log").open("w") as log:
            worker = subprocess.Popen(
                program,
                cwd=self.folder,
                env=self.variables,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

        def reading() -> Timing:
            assert worker.stdin is not None and worker.stdout is not None
            worker.stdin.write("\n")
            worker.stdin.flush()
            line = worker.stdout.readline()
            if not line:
                raise RuntimeError(f"recce has given up: see {self.folder / 'task.log'}")
            return Timing(*json.loads(line))

        try:
            yield reading
        finally:
            worker.communicate()

    def run(self, checks: list[dict[str, object]]) -> Clock:
        """Return a clock for a whole `recce run` of *checks*."""
        (self.folder / "recce.yml").write_text(json.dumps({"checks": checks}))
        program = [str(self.environment / "bin" / "recce"), "run", "--target", "current"]
        return command(program, says="[Success]", cwd=self.folder, env=self.variables)


def reladiff(environment: Path, url: str, base: str, current: str, key: str) -> Clock:
    """Return a clock for a whole `reladiff`: rows joined in the database, every column, only figures."""
    program = [str(environment / "bin" / "reladiff"), url, base, current]
    return command(
        [*program, "-k", key, "-c", "%", "--algorithm", "joindiff", "--stats"], says="rows unchanged"
    )
