"""What a file of checks asks, and what came of it.

A check is one diff with thresholds. `params` and `expect` are read by `extractors.check_file`, the diff is
made by whoever runs the check, and `diff.expectations` says what of its answer is not as expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct, field

from recce_meta.models.change import RunDiff
from recce_meta.models.check_expect import Expect
from recce_meta.models.check_params import CheckParams
from recce_meta.models.data_diff import AnyDataDiff, Failed

CheckAnswer: TypeAlias = AnyDataDiff | RunDiff
"""One answer to a check: a data diff, or a lineage diff."""


class CheckStatus(str, Enum):
    """What came of a check."""

    PASSED = "passed"
    """It ran, and all is as expected; without `expect` everything is."""
    FAILED = "failed"
    """It ran, and at least one expectation does not hold."""
    ERROR = "error"
    """It could not be read, or could not run."""
    SKIPPED = "skipped"
    """It could not run and is optional, or there is nothing to run."""

    def __str__(self) -> str:
        return str(self.value)


class DataCheck(Struct, frozen=True, kw_only=True):
    """One check, as its file says it."""

    name: str
    """Unique within the file."""
    description: str = ""
    type: str
    """value_diff, row_count_diff, …: a key of `extractors.check_types.TYPES`."""
    params: CheckParams
    expect: Expect | None = None
    """None: the check reports, and passes whenever it could run."""
    optional: bool = False
    """Whether the check may be impossible to run; a threshold that does not hold fails it all the same."""
    view_options: Mapping[str, Any] = field(default_factory=dict)
    """How recce shows the result; kept, and not used."""
    path: Path
    line: int
    """Where the check begins, from 1."""

    @property
    def where(self) -> str:
        """`checks.yml:12`."""
        return f"{self.path}:{self.line}"


class Problem(Struct, frozen=True):
    """One thing that is wrong with a check in its file."""

    message: str
    """With file and line."""
    hint: str | None = None


class BrokenCheck(Struct, frozen=True, kw_only=True):
    """A check that cannot be run as its file has it; the others go on."""

    name: str
    """As in the file, or `check 3` where it has no usable one."""
    description: str = ""
    type: str = ""
    """As in the file, whether known or not; empty where there is none."""
    problems: tuple[Problem, ...]
    """At least one."""
    path: Path
    line: int

    @property
    def where(self) -> str:
        """`checks.yml:12`."""
        return f"{self.path}:{self.line}"


AnyCheck: TypeAlias = DataCheck | BrokenCheck


class CheckResult(Struct, frozen=True, kw_only=True):
    """What came of one check."""

    name: str
    type: str
    """As in the file; empty where it gives none."""
    status: CheckStatus
    description: str = ""
    message: str = ""
    """The first violation, what could not be done, or a note; one line, but for a warehouse's answers."""
    hint: str | None = None
    """What to do next, for checks that did not pass."""
    results: tuple[CheckAnswer, ...] = ()
    """What was seen. One answer, but for `schema_diff`, which has one for each node."""
    violations: tuple[str, ...] = ()
    """Each expectation that does not hold, in one sentence with figures."""
    seconds: float = 0.0
    optional: bool = False
    has_expectations: bool = False
    """False: the check only reports, so that having passed says no more than that it ran."""
    where: str = ""
    """`checks.yml:12`."""

    @property
    def result(self) -> CheckAnswer | None:
        """The answer that stands for all: the only one, or the first."""
        return self.results[0] if self.results else None

    @property
    def failures(self) -> tuple[Failed, ...]:
        """The diffs within the check that could not be made."""
        return tuple(answer for answer in self.results if isinstance(answer, Failed))


class CheckReport(Struct, frozen=True, kw_only=True):
    """What came of all checks of a file, in its order."""

    checks: tuple[CheckResult, ...]
    path: str = ""
    """The file, as it was named."""
    seconds: float = 0.0
    """From the first check's start to the last one's end."""

    @property
    def is_passed(self) -> bool:
        """Whether none failed and all ran, but for optional ones."""
        return not any(check.status in (CheckStatus.FAILED, CheckStatus.ERROR) for check in self.checks)

    def count(self, status: CheckStatus) -> int:
        """How many checks have *status*."""
        return sum(check.status is status for check in self.checks)
