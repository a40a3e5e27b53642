"""Processors and memory that this process may use, on a machine or in a container.

Control groups: https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MEMORY_FILE = Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Limit of memory of the container in version 1 of control groups."""
GROUPS = Path("/sys/fs/cgroup")
OWN_GROUP = Path("/proc/self/cgroup")


def machine_memory() -> int:
    """Return the bytes of memory of the machine, or of the control groups around this process."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for file in (*(folder / "memory.max" for folder in _groups()), MEMORY_FILE):
        # The file of a machine without a limit has the word max, or is missing.
        with suppress(OSError, ValueError):
            found.append(int(file.read_text()))
    return min(found)


def usable_cores() -> int:
    """Return the number of processors that this process may use at the same time, at least 1.

    It is limited by the affinity of the process (`taskset`) and by the quotas of its control groups (`docker
    run --cpus`, limits of a pod). A fraction of a processor does not count.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return max(1, min([cores, *_quotas()]))


def _quotas() -> Iterator[int]:
    """Yield the processors that the control groups around this process allow."""
    for folder in _groups():
        with suppress(OSError, ValueError):
            quota, period = (folder / "cpu.max").read_text().split()
            yield int(quota) // int(period)  # the word max is a ValueError: no limit
    with suppress(OSError, ValueError):
        quota = (GROUPS / "cpu" / "cpu.cfs_quota_us").read_text()  # version 1; -1 without a limit
        if int(quota) > 0:
            yield int(quota) // int((GROUPS / "cpu" / "cpu.cfs_period_us").read_text())


def _groups() -> Iterator[Path]:
    """Yield the folders of the control groups of this process, the root first."""
    yield GROUPS
    with suppress(OSError):
        for line in OWN_GROUP.read_text().splitlines():
            if line.startswith("0::"):  # version 2
                folder = GROUPS
                for part in Path(line.removeprefix("0::")).parts[1:]:
                    folder = folder / part
                    yield folder
