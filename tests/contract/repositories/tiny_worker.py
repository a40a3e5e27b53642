"""Worker whose stages only sleep: a process that tests kill at any moment.

python tiny_worker.py CONFIG, a JSON object with `state` (URL), `work`, `notes` (a folder), and `seconds` by
stage. Each stage appends lines to `notes/log`, and `store` writes one file for each run.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from recce_meta.repositories.extraction.workflow import STAGES, FolderGone, JobRun, Result, Retries
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.processes import run_process
from recce_meta.repositories.state.database import open_state
from recce_meta.repositories.state.types import Stage
from recce_meta.repositories.worker import Worker, WorkerSettings


async def run_stage(config: Mapping[str, Any], stage: Stage, run: JobRun) -> Result:
    """Sleep in a child process, and return what the later stages need."""
    notes = Path(config["notes"])
    note(notes, f"{run.job.id} {stage.value} begins")
    checkout = run.folder / "checkout"
    if stage in (Stage.DEPENDENCIES, Stage.PARSE, Stage.EXTRACT) and not checkout.exists():
        note(notes, f"{run.job.id} {stage.value} gone")
        raise FolderGone
    failures = notes / f"fail-{stage.value}"
    if failures.exists() and (left := int(failures.read_text())):
        failures.write_text(str(left - 1))
        can_retry = (notes / "heals").exists()
        raise GitFailure(GitFailureKind.NETWORK, f"{stage.value} failed", can_retry=can_retry)
    seconds = config.get("seconds", {}).get(stage.value, 0)
    if seconds:
        # The grandchild ignores signals and leaves the group.
        script = f"setsid sh -c 'trap \"\" TERM INT HUP; sleep {seconds}' & sleep {seconds}"
        await run_process(
            ["/bin/sh", "-c", f"{script}; : {config['mark']}"],
            env={"PATH": os.defpath, "MARK": config["mark"]},
            pid_file=run.pid_file(stage.value),
        )
    result = results(config, stage, run)
    note(notes, f"{run.job.id} {stage.value} ends")
    return result


def results(config: Mapping[str, Any], stage: Stage, run: JobRun) -> dict[str, Any]:
    """Return the result of the stage."""
    notes = Path(config["notes"])
    if stage is Stage.RESOLVE:
        head = notes / "heads" / run.job.branch.replace("/", "_")
        return {"commit_sha": head.read_text() if head.exists() else "c1"}
    if stage is Stage.CLONE:
        (run.folder / "checkout").mkdir(exist_ok=True)
        return {"figures": {"fetched": 10, "cpu_seconds": 0.5, "peak_memory": 100}}
    if stage is Stage.STORE:
        run_id = f"{run.job.connection_id}-{run.results['resolve']['commit_sha']}"
        file = notes / "runs" / run_id
        is_new = not file.exists()
        file.write_text(run.job.id)
        return {"run_id": run_id, "is_new": is_new, "tier": "GOLD", "counts": {"objects": 3}}
    return {}


def note(notes: Path, text: str) -> None:
    """Append a line to the log."""
    with (notes / "log").open("a") as file:
        file.write(f"{text}\n")


def main() -> None:
    """Run a worker until SIGTERM."""
    config = json.loads(sys.argv[1])
    state = open_state(config["state"], os.environ)
    settings = WorkerSettings(
        work=Path(config["work"]),
        name=config.get("name"),
        jobs=config.get("jobs", 2),
        retries=Retries(delays=(0.01, 0.02, 0.03)),
        spacing_seconds=config.get("spacing", 0),
        beat_seconds=0.2,
        stale_seconds=config.get("stale", 2),
        tick_seconds=0.1,
    )
    worker = Worker(state, {stage: partial(run_stage, config, stage) for stage in STAGES}, settings)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    worker.start()
    print(worker.name, flush=True)
    ended.wait()
    worker.stop()
    state.close()


if __name__ == "__main__":
    main()
