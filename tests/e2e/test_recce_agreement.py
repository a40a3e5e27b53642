"""Our answers against recce's, figure by figure: every recorded question, asked as a check.

Where they differ, `tests/data/recce/disagreements.yml` has the reason. A new difference fails, and so does
one that is gone.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import duckdb
import pytest
import yaml

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.checks import CheckRunner, run_check
from recce_meta.api.data.execution import open_data_diff_runner
from recce_meta.api.render import Templates
from recce_meta.api.runs import load_pair
from recce_meta.checks.file import read_check_file
from recce_meta.models.checks import CheckReport, CheckResult
from recce_meta.report import check_report_json

pytestmark = pytest.mark.extensive

RECORDED = Path(__file__).resolve().parents[1] / "data" / "recce"
PROJECTS = ("typed_shop", "jaffle_shop")


class Asked(NamedTuple):
    """One question, what recce answered, and what we did."""

    answer: Mapping[str, Any]
    check: CheckResult


class Difference(NamedTuple):
    """One figure that is not the same."""

    project: str
    number: int
    """Of the answer."""
    answer: Mapping[str, Any]
    figure: str
    recce: Any
    ours: Any

    def __str__(self) -> str:
        asked = json.dumps(self.answer["params"])
        return f"{self.project} {self.answer['type']} {asked} {self.figure}: {self.recce} / {self.ours}"[:500]


@pytest.fixture(scope="session")
def figures() -> ModuleType:
    """The translation of both sides' answers."""
    spec = spec_from_file_location("recce_figures", Path(__file__).with_name("recce_figures.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Workshop:
    """The recorded projects in folders of their own, each answered once, in whatever order tests come."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._answered: dict[str, list[Asked]] = {}

    def folder(self, project: str) -> Path:
        """Both sides' artifacts, the check file, and `<project>.duckdb` that holds their data."""
        recorded, folder = RECORDED / project, self._folder / project
        if folder.exists():
            return folder
        for side in ("target-base", "target"):
            (folder / side).mkdir(parents=True)
            for packed in (recorded / side).glob("*.gz"):
                (folder / side / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
        shutil.copy(recorded / "recce.yml", folder)
        with duckdb.connect(folder / f"{project}.duckdb") as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute((recorded / "data.sql").read_text(encoding="utf-8"))
        return folder

    def asked(self, project: str) -> list[Asked]:
        """Every recorded question with our answer, asked as users of recce ask: in a file of checks."""
        if project not in self._answered:
            self._answered[project] = list(_asked(self.folder(project)))
        return self._answered[project]


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Where the recorded projects are answered."""
    return Workshop(tmp_path_factory.mktemp("recce"))


@pytest.fixture(params=PROJECTS)
def project(request: pytest.FixtureRequest, workshop: Workshop) -> Path:
    """The folder of each recorded project."""
    return workshop.folder(request.param)


@pytest.fixture
def asked(project: Path, workshop: Workshop) -> list[Asked]:
    """Every question of the project, with recce's answer and ours."""
    return workshop.asked(project.name)


@cache
def recorded_answers(project: str) -> list[dict[str, Any]]:
    """What recce answered."""
    text = (RECORDED / project / "answers.json").read_text(encoding="utf-8")
    answers: list[dict[str, Any]] = json.loads(text)["answers"]
    return answers


@cache
def reasons() -> list[dict[str, Any]]:
    """Why answers may differ."""
    text = (RECORDED / "disagreements.yml").read_text(encoding="utf-8")
    entries: list[dict[str, Any]] = yaml.safe_load(text)
    return entries


def _asked(project: Path) -> Iterator[Asked]:
    answers = recorded_answers(project.name)
    path = project / "questions.yml"
    path.write_text(yaml.safe_dump({"checks": [_check(i, each) for i, each in enumerate(answers)]}))
    database = UnifiedSqlAdapter.from_url(f"duckdb:///{project / project.name}.duckdb")
    runs = load_pair(lambda: database, f"path:{project / 'target-base'}", f"path:{project / 'target'}")
    comparison = open_data_diff_runner(database, threads=2)
    runner = CheckRunner(comparison, runs, Templates(runs))
    try:
        for answer, check in zip(answers, read_check_file(path), strict=True):
            yield Asked(answer, run_check(check, runner))
    finally:
        comparison.close()
        database.close()


def _check(number: int, answer: Mapping[str, Any]) -> dict[str, Any]:
    kind = "lineage_diff" if answer["type"] == "change_analysis" else answer["type"]
    return {"name": str(number), "type": kind, "params": answer["params"]}


def differences(project: str, asked: list[Asked], figures: ModuleType) -> Iterator[Difference]:
    """Every figure that differs; of an answer that one side does not give, only that."""
    for number, (answer, check) in enumerate(asked):
        theirs, ours = figures.theirs(answer), figures.ours(check, answer)
        refused = [figures.is_refused(side) for side in (theirs, ours)]
        if all(refused):
            continue
        names = [figures.ANSWER] if any(refused) else list({**theirs, **ours})
        for name in names:
            recce, own = (side.get(name, "answers" if any(refused) else None) for side in (theirs, ours))
            if not figures.is_same(recce, own):
                yield Difference(project, number, answer, name, recce, own)


def explains(entry: Mapping[str, Any], difference: Difference) -> bool:
    """Whether *entry* of the list of reasons is about *difference*."""
    types = [entry["type"]] if isinstance(entry["type"], str) else entry["type"]
    said = {
        "asked": json.dumps(difference.answer["params"]),
        "figure": difference.figure,
        "recce": str(difference.recce),
        "ours": str(difference.ours),
    }
    return (
        difference.answer["type"] in types
        and difference.project in entry["answers"]
        and all(re.search(entry[name], text) for name, text in said.items() if name in entry)
    )


def test_every_difference_has_a_reason(project: Path, asked: list[Asked], figures: ModuleType) -> None:
    found = list(differences(project.name, asked, figures))
    unexplained = [str(each) for each in found if not any(explains(entry, each) for entry in reasons())]
    assert unexplained == []


def test_every_reason_explains_as_many_answers_as_it_says(
    project: Path, asked: list[Asked], figures: ModuleType
) -> None:
    explained: dict[int, set[int]] = defaultdict(set)
    for each in differences(project.name, asked, figures):
        place = next((i for i, entry in enumerate(reasons()) if explains(entry, each)), None)
        if place is not None:
            explained[place].add(each.number)
    entries = {i: entry for i, entry in enumerate(reasons()) if project.name in entry["answers"]}
    counts = {entry["reason"]: [] for entry in entries.values()}
    for i, entry in entries.items():
        counts[entry["reason"]].append((entry["answers"][project.name], len(explained[i])))
    wrong = {reason: pairs for reason, pairs in counts.items() if any(said != is_ for said, is_ in pairs)}
    assert wrong == {}


def test_most_answers_are_the_same_to_the_last_figure(
    project: Path, asked: list[Asked], figures: ModuleType
) -> None:
    differing = {each.number for each in differences(project.name, asked, figures)}
    kinds = Counter(answer["type"] for answer in recorded_answers(project.name))
    same = Counter(each.answer["type"] for i, each in enumerate(asked) if i not in differing)
    # Profiles of recce lack figures that ours have: hardly any is the same whole.
    few = {kind for kind in kinds if same[kind] < kinds[kind] / 2} - {"profile", "profile_diff", "row_count"}
    assert few <= {"lineage_diff", "change_analysis"}
    assert sum(same.values()) > 0.7 * len(asked)


@pytest.fixture
def report(project: Path, cli: Any) -> Mapping[str, Any]:
    """What `check run` writes of recce's own file, as it is."""
    ran = cli.within(project)(
        *("check", "run", "--base", "path:target-base", "--current", "path:target"),
        *("--url", f"duckdb:///{project.name}.duckdb", "--format", "json"),
    )
    assert ran.code == 0, ran.err
    found: Mapping[str, Any] = json.loads(ran.out)
    return found


def test_a_recce_yml_runs_as_it_is(project: Path, report: Mapping[str, Any]) -> None:
    written = yaml.safe_load((project / "recce.yml").read_text(encoding="utf-8"))["checks"]
    assert [check["name"] for check in report["checks"]] == [check["name"] for check in written]
    assert {check["status"] for check in report["checks"]} == {"passed"}
    assert not any(check["has_expectations"] for check in report["checks"])


def test_what_differs_is_what_recces_summary_shows(project: Path, report: Mapping[str, Any]) -> None:
    path = RECORDED / project.name / "summary.md"
    if not path.is_file():
        pytest.skip("no summary of this project is recorded")
    lines = path.read_text(encoding="utf-8").partition("### Checks of Data Mismatch")[2].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.count("|") > 3]
    names = {check["name"] for check in report["checks"]}
    summary = {name: nodes for name, _, nodes in rows if name in names}
    ours = {
        check["name"]: {one["name"] for one in check["findings"] if one["finding"] not in SAME_OR_SHOWN}
        for check in report["checks"]
        if check["type"] != "lineage_diff"  # recce never calls one a mismatch
    }
    assert {name for name, nodes in ours.items() if nodes} == set(summary)
    for name, nodes in summary.items():
        if nodes != "N/A":  # of a query
            assert ours[name] == set(nodes.split(", ")), name


SAME_OR_SHOWN = ("same", "shown", "not_compared")


def test_a_name_that_no_node_has_is_told_and_where_something_is_expected_an_error(
    project: Path, cli: Any
) -> None:
    counted = {"type": "row_count_diff", "params": {"node_names": ["orders_typo", *_any_model(project)]}}
    checks = [
        {"name": "told", **counted},
        {"name": "expected", **counted, "expect": {"row_count_change": "5%"}},
    ]
    (project / "typo.yml").write_text(yaml.safe_dump({"checks": checks}))
    ran = cli.within(project)(
        *("check", "run", "typo.yml", "--base", "path:target-base", "--current", "path:target"),
        *("--url", f"duckdb:///{project.name}.duckdb", "--format", "json"),
    )
    told, expected = json.loads(ran.out)["checks"]
    assert ran.code == 2  # one check cannot be run
    assert told["status"] == "passed"
    unknown, known = told["results"][0]["counts"]
    assert unknown["current_reason"] == "Node 'orders_typo' not found"
    assert known["current"] is not None
    assert (expected["status"], expected["message"]) == ("error", "Node 'orders_typo' not found")


def _any_model(project: Path) -> list[str]:
    return ["orders" if project.name == "jaffle_shop" else "order_lines"]


def test_json_has_recces_figures_under_plain_names(
    project: Path, asked: list[Asked], figures: ModuleType
) -> None:
    text = check_report_json(CheckReport(checks=tuple(check for _, check in asked)))
    differing = {each.number for each in differences(project.name, asked, figures)}
    compared = Counter[str]()
    for number, (each, shown) in enumerate(zip(asked, json.loads(text)["checks"], strict=True)):
        kind = each.answer["type"]
        if kind in IN_JSON and number not in differing and "result" in each.answer:
            theirs, ours = IN_JSON[kind](each.answer["result"], shown["results"][0])
            assert ours == theirs, each.answer
            compared[kind] += 1
    assert compared.keys() == IN_JSON.keys()


def _value_diff(recce: Any, ours: Any) -> tuple[Any, Any]:
    matched = {
        name: (int(count), None if share is None else float(share))
        for name, count, share in recce["data"]["data"]
    }
    figures = {each["name"]: (each["matched"], each["match_share"]) for each in ours["columns"]}
    return (recce["summary"], matched), ({name: ours[name] for name in recce["summary"]}, figures)


def _row_count_diff(recce: Any, ours: Any) -> tuple[Any, Any]:
    counted = {name: (each["base"], each["curr"]) for name, each in recce.items()}
    return counted, {each["subject"]["name"]: (each["base"], each["current"]) for each in ours["counts"]}


def _profile_diff(recce: Any, ours: Any) -> tuple[Any, Any]:
    names = ("row_count", "distinct_count", "not_null_proportion", "distinct_proportion")
    wanted = {
        (side, row["column_name"]): tuple(None if row[name] is None else float(row[name]) for name in names)
        for side, frame in recce.items()
        for row in (dict(zip((c["name"] for c in frame["columns"]), r, strict=True)) for r in frame["data"])
    }
    found = {
        (side, column["name"]): tuple(column[side][name] for name in names)
        for column in ours["columns"]
        for side in recce
        if column[side] is not None
    }
    return wanted, found


def _top_k_diff(recce: Any, ours: Any) -> tuple[Any, Any]:
    (column,) = ours["columns"]
    wanted = (recce["base"]["counts"], recce["current"]["counts"], recce["base"]["valids"])
    values = column["values"]
    found = ([each["base"] for each in values], [each["current"] for each in values], column["base_valid"])
    return wanted, found


def _histogram_diff(recce: Any, ours: Any) -> tuple[Any, Any]:
    (column,) = ours["columns"]
    wanted = (len(recce["bin_edges"]), recce["base"]["counts"], recce["current"]["total"])
    return wanted, (len(column["edges"]), column["base"], column["current_total"])


def _query(recce: Any, ours: Any) -> tuple[Any, Any]:
    rows = ours["rows"]
    found = (rows["columns"], rows["current_rows"], len(rows["rows"]))
    return ([c["name"] for c in recce["columns"]], recce["total_row_count"], len(recce["data"])), found


IN_JSON = {
    "value_diff": _value_diff,
    "row_count_diff": _row_count_diff,
    "profile_diff": _profile_diff,
    "top_k_diff": _top_k_diff,
    "histogram_diff": _histogram_diff,
    "query": _query,
}


def test_a_selection_without_packages_means_the_projects_own(workshop: Workshop, cli: Any) -> None:
    folder, work = workshop.folder("jaffle_shop"), cli.folder
    for side in ("target-base", "target"):
        (work / side).mkdir()
        manifest = json.loads((folder / side / "manifest.json").read_text(encoding="utf-8"))
        manifest["nodes"]["model.jaffle_shop.stg_stores"]["package_name"] = "lib"
        (work / side / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    asked = {"own": {}, "lib": {"packages": ["lib"]}, "all": {"packages": []}}
    named = {"node_names": ["stg_stores"]}
    kinds = ("row_count_diff", "lineage_diff")
    checks = [
        {"name": f"{kind} {name}", "type": kind, "params": params}
        for kind in kinds
        for name, params in asked.items()
    ]
    checks.append({"name": "named", "type": "row_count_diff", "params": named})
    (work / "checks.yml").write_text(yaml.safe_dump({"checks": checks}), encoding="utf-8")
    ran = cli(
        *("check", "run", "--base", "path:target-base", "--current", "path:target", "--format", "json"),
        *("--url", f"duckdb:///{folder / 'jaffle_shop.duckdb'}"),
    )
    found = {
        check["name"]: {one["name"] for one in check["findings"]} for check in json.loads(ran.out)["checks"]
    }
    assert found["row_count_diff lib"] == found["named"] == {"stg_stores"}
    assert found["row_count_diff all"] - found["row_count_diff own"] == {"stg_stores"}
    assert (found["lineage_diff lib"], found["lineage_diff own"]) == (set(), found["lineage_diff all"])
