"""Shares of the processes of pytest-xdist: what each collects, and which modules it runs, slow ones first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from tests import emulators

EXPENSIVE = (
    "test_against_python.py",
    "test_categories_by_execution.py",
    "test_ci_recipes.py",
    "test_cli_connection_worker.py",
    "test_cli_data.py",
    "test_cli_doctor_server.py",
    "test_cli_hook.py",
    "test_cli_log_format.py",
    "test_cli_metrics.py",
    "test_cli_serve.py",
    "test_cli_stop.py",
    "test_dbt_package.py",
    "test_dbt_package_failures.py",
    "test_dbt_package_statements.py",
    "test_dbt_parse.py",
    "test_durability.py",
    "test_every_page.py",
    "test_extraction.py",
    "test_frozen.py",
    "test_hook_with_dbt.py",
    "test_hostile_dbt.py",
    "test_html_report.py",
    "test_installs.py",
    "test_keyboard.py",
    "test_lineage_by_execution.py",
    "test_mcp.py",
    "test_not_compared.py",
    "test_pages_in_a_browser.py",
    "test_postgres_failures.py",
    "test_postgres_views.py",
    "test_recce_agreement.py",
    "test_rendering.py",
    "test_run_choice.py",
    "test_sqlmesh.py",
    "test_store_migrate.py",
    "test_store_prune.py",
    "test_store_record.py",
    "test_store_select.py",
    "test_stored_diff.py",
    "test_stored_effects.py",
    "test_stores.py",
    "test_workers.py",
)
"""Modules with few, slow tests: they begin first, so that no process is left alone with one in the end."""
TOGETHER = ("tests/architecture", "tests/e2e/server")
"""Folders of which one process runs all modules: they share the parsed package, or a server and a browser."""
EMULATED = re.compile(rf"^tests/contract/.*\[(?:.*-)?({'|'.join(emulators.NAMES)})[]-]")
"""Ids of tests on the emulator of a warehouse. One process runs them all: each process starts its own."""
FEWEST = 20
"""Modules of a process from which the collection is shared."""


def is_of_core(config: pytest.Config) -> bool:
    """Return True if this runs all tests of the core in the chosen folders."""
    others = ("--all", "--gate", "--part", "--warehouse", "-k", "-m", "lf")
    return not any(config.getoption(name, None) for name in others)


def left_to_others(files: Sequence[Path], process: int, processes: int) -> frozenset[Path]:
    """Return those of *files* that this process does not collect.

    Each has a row of folders, whose modules import much the same. Any process may take the expensive modules
    and, last, some of the others, so that all end at the same time. A process that replaces another one
    collects every module.
    """
    if process >= processes or len(files) < FEWEST * processes:
        return frozenset()
    others = [file for file in files if not _is_expensive(file.as_posix())]
    shared = [file for number, file in enumerate(others) if number % (processes + 1)]
    return frozenset(
        file for number, file in enumerate(shared) if number * processes // len(shared) != process
    )


def _is_expensive(module: str) -> bool:
    return Path(module).name in EXPENSIVE or any(folder in module for folder in TOGETHER)


class Scheduling(LoadScopeScheduling):
    """Scheduler that sends whole modules to a free process that collected them.

    All tests of a module run in one process, which creates the fixtures of the module once.
    """

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        self._is_of_core = is_of_core(config)
        self._positions: dict[WorkerController, dict[str, int]] = {}
        self._collected: dict[WorkerController, set[str]] = {}
        """Units that a process can run."""

    def _split_scope(self, nodeid: str) -> str:
        if not self._is_of_core and (emulated := EMULATED.match(nodeid)):
            return emulated[1]
        module = nodeid.partition("::")[0]
        return next((folder for folder in TOGETHER if f"{folder}/" in module), module)

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        """Keep the tests of a process by their position, since those of other processes differ."""
        self.registered_collections[node] = list(collection)
        self._positions[node] = {nodeid: position for position, nodeid in enumerate(collection)}
        self._collected[node] = {self._split_scope(nodeid) for nodeid in collection}

    def schedule(self) -> None:
        """Order the modules when all are collected, and send each process its first ones."""
        if self.collection is None:
            self.collection = [*dict.fromkeys(chain(*self.registered_collections.values()))]
            units: dict[str, dict[str, bool]] = {}
            for nodeid in self.collection:
                units.setdefault(self._split_scope(nodeid), {})[nodeid] = False
            self.workqueue.update(sorted(units.items(), key=lambda unit: self._order(unit[0])))
        for node in self.nodes:
            self._reschedule(node)

    def _order(self, scope: str) -> tuple[bool, bool, int]:
        collectors = sum(scope in scopes for scopes in self._collected.values())
        return scope not in emulators.NAMES, not _is_expensive(scope), collectors

    def _reschedule(self, node: WorkerController) -> None:
        """Send modules until more than two tests are left to run, and end a process for which none is left.

        Of a process that ended by itself, all its modules come back, also those that are done.
        """
        while not node.shutting_down and node in self._collected:
            assigned = self.assigned_work[node]
            if self._pending_of(assigned) > 2:
                return
            scope = next((scope for scope in self.workqueue if scope in self._collected[node]), None)
            if scope is None:
                node.shutdown()
                return
            assigned[scope] = self.workqueue.pop(scope)
            rest = [nodeid for nodeid, is_done in assigned[scope].items() if not is_done]
            node.send_runtest_some([self._positions[node][nodeid] for nodeid in rest])
