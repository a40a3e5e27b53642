"""Measure how many of a random sample of mutants the tests detect.

    python -m scripts.mutation WORK [--seed 28] [--count 200] [--jobs 2] [--budget 1800] [--tests PATH …]
    python -m scripts.mutation WORK --retry NUMBER --tests PATH …

needs Linux, the extra `mutation` and a virtual environment with an editable install. A mutant is one change
of a random place in PACKAGES (see `sample`). First all tests run once, traced, in a copy of the checkout
and of the environment. Then each mutant runs the tests of the core that execute its statement, quick ones
first, until one fails. What they leave alive runs the remaining tests that execute it. Every test may
depend on a statement that runs at import: tests that execute other lines of the module run first, then all
others. A test that fails without the mutant as well does not count.

The same command continues after an interruption. WORK has `sample.json`, the mutants by number,
`tests.json`, `results.jsonl` and `result.json`. With `--retry`, the given tests of the checkout as it is
now run on one mutant. PostgreSQL keeps schemas of mutants that hang: RECCE_META_TEST_POSTGRES_URL names
another server.

cosmic-ray changes files, so processes that tests start run the mutant too. mutmut chooses mutants by a
variable of the environment, which most processes of these tests do not inherit.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import queue
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

from scripts.mutation.run import Copy, Suite, fingerprint
from scripts.mutation.sample import Mutant, draw, mutated
from scripts.mutation.trace import Traced, collect, record

ROOT = Path(__file__).resolve().parents[2]
OUTCOMES = ("killed by core", "killed by rest", "alive", "not executed", "not finished")


def arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.mutation", description="Test the tests with mutants."
    )
    parser.add_argument("work", type=Path, help="folder for copies, data and results")
    parser.add_argument("--seed", type=int, default=28, help="seed of the sample")
    parser.add_argument("--count", type=int, default=200, help="number of mutants")
    parser.add_argument("--jobs", type=int, default=2, help="number of concurrent mutants")
    parser.add_argument(
        "--budget", type=float, default=1800, help="seconds for the core, and again for the rest"
    )
    parser.add_argument("--tests", nargs="+", default=[], help="only these files and folders")
    parser.add_argument("--retry", type=int, help="number of a mutant on which to run --tests")
    return parser.parse_args()


def main() -> int:
    """Run what WORK lacks, then print the table."""
    given = arguments()
    work = given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    lock = (work / f"lock{'.retry' if given.retry is not None else ''}").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"another process uses {work}")
    copies = [
        Copy(ROOT, work / f"job{number}") for number in range(1 if given.retry is not None else given.jobs)
    ]
    if given.retry is not None:
        return retry(copies[0], sample(work, given)[given.retry], given.tests)
    state = {"sources": fingerprint(ROOT), "seed": given.seed, "count": given.count, "tests": given.tests}
    settings = work / "settings.json"
    if settings.exists() and json.loads(settings.read_text()) != state:
        sys.exit(f"{work} has results of other sources or options: use another folder")
    settings.write_text(json.dumps(state))
    mutants = sample(work, given)
    suite = Suite(given.tests, given.budget)
    if not (work / "core.json").exists():
        collect(copies[0], suite, work)
    if not (work / "tests.json").exists():
        record(copies[0], suite, work, given.jobs)
    run_all(copies, suite, Traced(work), mutants, work / "results.jsonl")
    return summarise(work, len(mutants))


def sample(work: Path, given: argparse.Namespace) -> list[Mutant]:
    """Return the sample; draw it if WORK has none."""
    path = work / "sample.json"
    if not path.exists():
        mutants, places = draw(ROOT, given.seed, given.count)
        print(f"{len(mutants)} mutants of {places} places", flush=True)
        path.write_text(json.dumps([mutant.as_json() for mutant in mutants], indent=1))
    return [Mutant(**fields) for fields in json.loads(path.read_text())]


def run_all(copies: list[Copy], suite: Suite, traced: Traced, mutants: list[Mutant], results: Path) -> None:
    """Run all mutants that have no result yet."""
    done = (
        {json.loads(line)["number"] for line in results.read_text().splitlines()}
        if results.exists()
        else set()
    )
    free: queue.SimpleQueue[Copy] = queue.SimpleQueue()
    for copy in copies:
        free.put(copy)

    def one(number: int) -> None:
        copy = free.get()
        try:
            result = {"number": number, **outcome(copy, suite, traced, mutants[number])}
        finally:
            free.put(copy)
        with results.open("a") as file:
            file.write(json.dumps(result) + "\n")
        place = f"{mutants[number].file}:{mutants[number].line}"
        print(
            f"{number} {place}: {result['outcome']} ({result['test'] or 'no test'}, {result['seconds']} s)",
            flush=True,
        )

    with ThreadPoolExecutor(len(copies)) as pool:
        for _ in pool.map(one, [number for number in range(len(mutants)) if number not in done]):
            pass


def outcome(copy: Copy, suite: Suite, traced: Traced, mutant: Mutant) -> dict[str, Any]:
    """Return how the core, then the rest of the tests judge a mutant."""
    start = monotonic()
    groups = dict(zip(("core", "rest"), traced.tests_of(mutant), strict=True))
    counts = {group: sum(map(len, stages)) for group, stages in groups.items()}
    found: dict[str, Any] = {
        "outcome": "alive" if any(counts.values()) else "not executed",
        "test": None,
        "how": None,
    }
    with copy.mutant(mutant):
        for group, stages in groups.items():
            ended = copy.judge(suite, stages, traced.seconds, mutant)
            if ended.failed:
                found = {"outcome": f"killed by {group}", "test": ended.failed, "how": ended.how}
                break
            if not ended.is_finished:
                found["outcome"] = "not finished"
                break
    seconds = round(monotonic() - start, 1)
    return {**mutant.as_json(), **found, **counts, "seconds": seconds}


def retry(copy: Copy, mutant: Mutant, tests: list[str]) -> int:
    """Run the given tests on one mutant, which is applied to the checkout as it is."""
    print(mutant.diff, flush=True)
    if mutated((ROOT / mutant.file).read_text(encoding="utf-8"), mutant.operator, mutant.occurrence) is None:
        sys.exit(f"{mutant.file} no longer has this place")
    with copy.mutant(mutant):
        code = copy.pytest("-n0", "-q", "-x", *tests)
    print(*(copy.folder / "output.log").read_text().splitlines()[-3:], sep="\n")
    print("killed" if code else "alive")
    return 0


def summarise(work: Path, count: int) -> int:
    """Write `result.json` and print the table and what is alive."""
    results = [json.loads(line) for line in (work / "results.jsonl").read_text().splitlines()]
    results.sort(key=lambda result: result["number"])
    counts = Counter(result["outcome"] for result in results)
    killed = counts["killed by core"] + counts["killed by rest"]
    (work / "result.json").write_text(json.dumps({"counts": counts, "mutants": results}, indent=1))
    for result in results:
        if result["outcome"] != "killed by core":
            print(f"\n{result['number']} {result['outcome']} {result['test'] or ''}\n{result['diff']}")
    print(
        "\n| mutants |", " | ".join(OUTCOMES), "| core of killed |\n" + "| --- " * (len(OUTCOMES) + 2) + "|"
    )
    share = f"{counts['killed by core'] / killed:.1%}" if killed else "-"
    print(f"| {len(results)} |", " | ".join(str(counts[name]) for name in OUTCOMES), f"| {share} |")
    return int(len(results) < count)


if __name__ == "__main__":
    sys.exit(main())
