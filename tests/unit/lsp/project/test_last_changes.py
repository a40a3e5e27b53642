"""A hover shows the last commit of a model's file, as git's history in real repositories has it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from lsprotocol.types import MarkupContent
from msgspec.structs import replace

from recce_meta.api.run_reader import StoredRunReader
from recce_meta.lsp.documents import TextView
from recce_meta.lsp.features.hover import hover
from recce_meta.lsp.project import last_changes
from recce_meta.lsp.project.cache import CachedStore, StoreUse, evict
from recce_meta.lsp.project.index import ProjectIndex
from recce_meta.lsp.project.last_changes import CHANGES, LastChanges, find_last_changes, update_last_changes
from recce_meta.lsp.project.live import Effect, LiveModel
from recce_meta.models.change import Category, ColumnChange, SqlChange, Status

A, B = "models/a.sql", "models/b.sql"
NOON = "2026-11-18T12:00:00+0000"
ViewOf = Callable[..., TextView]
RecordProject = Callable[[Path], ProjectIndex]


class Repository:
    """Repository in *root*, with the project in its folder *project*."""

    def __init__(self, root: Path, environ: Mapping[str, str], project: str = ".") -> None:
        self.root, self.environ, self.project = root, dict(environ), root / project
        self.project.mkdir(parents=True, exist_ok=True)

    def git(self, *arguments: str, **variables: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env={**self.environ, **variables},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.decode().strip()

    def write(self, path: str, text: str) -> None:
        file = self.project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())

    def commit(self, subject: str, files: Mapping[str, str], *, author: str = "Ann", date: str = NOON) -> str:
        for path, text in files.items():
            self.write(path, text)
        self.git("add", ".")
        self.git("commit", "-q", "-m", subject, GIT_AUTHOR_NAME=author, GIT_AUTHOR_DATE=date)
        return self.git("rev-parse", "HEAD")

    def found(self, known: LastChanges | None = None) -> LastChanges:
        return find_last_changes(self.project, self.environ, known or LastChanges())

    def subjects(self) -> dict[str, str]:
        """Return the subject of the last commit by path."""
        found = self.found()
        return {path: found.commits[file.commit].subject for path, file in found.files.items()}

    def edited(self) -> dict[str, bool | None]:
        return {path: file.is_edited for path, file in self.found().files.items()}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    home.mkdir()
    who = {
        f"GIT_{role}_{part}": "a@example.com"
        for role in ("AUTHOR", "COMMITTER")
        for part in ("NAME", "EMAIL")
    }
    return {"PATH": os.environ["PATH"], "HOME": str(home), **who}


@pytest.fixture
def repository(tmp_path: Path, environ: dict[str, str]) -> Repository:
    """Repository with one commit of two models."""
    found = Repository(tmp_path / "shop", environ)
    found.git("init", "-q", "-b", "main")
    found.commit("Start", {"dbt_project.yml": "name: shop\n", A: "select 1 as id\n", B: "select 2 as id\n"})
    return found


def test_each_file_has_the_newest_commit_that_changed_it(repository: Repository) -> None:
    sha = repository.commit("Change b", {B: "select 3 as id\n"}, author="Bob")
    repository.commit("Change neither", {"README.md": "x"})
    assert repository.subjects() == {A: "Start", B: "Change b"}
    change = repository.found().of(B)
    assert change is not None
    assert (change.commit.sha, change.commit.author) == (sha, "Bob")
    assert change.commit.time is not None
    assert change.commit.time.isoformat() == "2026-11-18T12:00:00+00:00"


def test_a_deleted_file_is_left_out_and_a_moved_one_was_changed_by_its_move(repository: Repository) -> None:
    repository.git("mv", A, "models/moved.sql")
    repository.git("rm", "-q", B)
    repository.commit("Move a", {})
    assert repository.subjects() == {"models/moved.sql": "Move a"}


def test_a_merged_branch_leaves_its_own_commit(repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "work")
    repository.commit("On the branch", {A: "select 5 as id\n"})
    repository.git("checkout", "-q", "main")
    repository.commit("On main", {B: "select 6 as id\n"})
    repository.git("merge", "-q", "--no-ff", "-m", "Merge the branch", "work")
    assert repository.subjects() == {A: "On the branch", B: "On main"}


def test_a_merge_that_combines_two_changes_is_the_last_change(repository: Repository) -> None:
    lines = [f"-- line {number}\n" for number in range(30)]
    repository.commit("Long", {A: "".join(lines)})
    repository.git("checkout", "-q", "-b", "work")
    repository.commit("At the end", {A: "".join([*lines, "-- end\n"])})
    repository.git("checkout", "-q", "main")
    repository.commit("At the start", {A: "".join(["-- start\n", *lines])})
    repository.git("merge", "-q", "--no-ff", "-m", "Merge both", "work")
    assert repository.subjects() == {A: "Merge both", B: "Start"}


def test_a_change_that_a_merge_discarded_does_not_count(repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "work")
    repository.commit("Discarded", {A: "select 5 as id\n"})
    repository.git("checkout", "-q", "main")
    repository.commit("On main", {B: "select 6 as id\n"})
    repository.git("merge", "-q", "-s", "ours", "-m", "Merge nothing", "work")
    assert repository.subjects() == {A: "Start", B: "On main"}


def test_a_file_whose_change_a_shallow_clone_lacks_is_unknown(
    repository: Repository, tmp_path: Path, environ: dict[str, str]
) -> None:
    repository.commit("Boundary", {B: "select 7 as id\n"})
    repository.commit("After it", {A: "select 8 as id\n"})
    clone = Repository(tmp_path / "clone", environ)
    clone.git("clone", "-q", "--depth", "2", f"file://{repository.root}", ".")
    assert clone.subjects() == {A: "After it"}
    clone.git("fetch", "-q", "--unshallow")
    assert clone.subjects() == {A: "After it", B: "Boundary"}


def test_a_limited_pass_leaves_older_files_unknown(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit("Change b", {B: "select 3 as id\n"})
    limited = tuple("--max-count=1" if "max-count" in word else word for word in last_changes._LOG)
    monkeypatch.setattr(last_changes, "_LOG", limited)
    assert repository.subjects() == {B: "Change b"}


def test_only_files_of_the_project_in_a_folder_of_the_repository_are_listed(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    repository = Repository(tmp_path / "all", environ, "data [a]*/dbt ü")
    repository.git("init", "-q", "-b", "main")
    repository.commit("Start", {A: "select 1 as id\n"})
    other = Repository(repository.root, environ)
    other.commit("Same name at the top", {A: "select 1 as id\n", "data a/dbt ü/models/a.sql": "select 1\n"})
    assert repository.subjects() == {A: "Start"}
    repository.git("config", "diff.relative", "true")
    assert repository.subjects() == {A: "Start"}


@pytest.mark.parametrize(
    "name",
    ["with space", "zürich-東京", 'quo"te', "it's", "tab\there", "line\nend", ":100644", "[ab]*?", "\\n"],
)
def test_any_name_of_a_file_is_found(repository: Repository, name: str) -> None:
    repository.commit("Odd name", {f"models/{name}.sql": "select 1 as odd\n"})
    assert repository.subjects()[f"models/{name}.sql"] == "Odd name"
    assert repository.edited()[f"models/{name}.sql"] is False


def test_a_name_that_is_not_utf8_hides_no_other_file(repository: Repository) -> None:
    path = os.fsencode(repository.project) + b"/models/\xff.sql"
    try:
        with open(path, "wb") as file:
            file.write(b"select 1\n")
    except OSError:
        pytest.skip("the file system has only names in Unicode")
    repository.commit("Odd bytes", {})
    assert repository.subjects() == {A: "Start", B: "Start"}


def test_names_and_subjects_are_text_and_never_entries(repository: Repository) -> None:
    subject = ":100644 100644 aaaa bbbb M\tmodels/a.sql"
    repository.commit(subject, {B: "select 3 as id\n"}, author="Ev\x1fil \x1b[31m")
    assert repository.subjects() == {A: "Start", B: subject}
    repository.git("commit", "-q", "--allow-empty", "--allow-empty-message", "-m", "")
    assert repository.subjects() == {A: "Start", B: subject}


def test_a_time_that_no_calendar_has_is_left_out(repository: Repository) -> None:
    repository.commit("Later", {B: "select 3 as id\n"}, date="@99999999999999 +0000")
    change = repository.found().of(B)
    assert change is not None
    assert change.commit.time is None


def test_no_configuration_of_the_repository_starts_a_program_or_changes_the_result(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit("Change b", {B: "select 3 as id\n"})
    before = repository.found()
    repository.write(A, "select 4 as id\n")
    mark = tmp_path / "started"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    program.chmod(0o755)
    settings = {
        "core.fsmonitor": program, "core.pager": program, "pager.log": program, "gpg.program": program,
        "log.showSignature": "true", "diff.external": program, "diff.x.textconv": program,
        "diff.x.command": program, "filter.x.clean": program, "filter.x.process": program,
        "diff.orderFile": "/missing", "log.showRoot": "false", "log.follow": "true", "diff.renames": "copies",
        "color.ui": "always", "log.date": "relative", "format.pretty": "oneline", "core.abbrev": "5",
        "i18n.logOutputEncoding": "UTF-16", "log.decorate": "full", "log.diffMerges": "separate",
    }  # fmt: skip
    for name, value in settings.items():
        repository.git("config", name, str(value))
    repository.write(".gitattributes", "*.sql diff=x filter=x\n")
    for hook in ("post-checkout", "pre-commit", "post-index-change"):
        (repository.root / ".git" / "hooks" / hook).write_bytes(program.read_bytes())
        (repository.root / ".git" / "hooks" / hook).chmod(0o755)
    found = repository.found()
    assert not mark.exists()
    assert found.commits == before.commits
    assert {path: file.commit for path, file in found.files.items()} == {
        path: file.commit for path, file in before.files.items()
    }
    # Only the filter could say whether the file differs.
    assert found.files[A].is_edited is None
    assert found.files[B].is_edited is False


def test_an_edited_file_is_reported_and_one_with_other_line_ends_is_not(repository: Repository) -> None:
    assert repository.edited() == {A: False, B: False}
    repository.write(A, "select 1 as id\r\n")
    repository.write(B, "select 2 as id, 3 as extra\n")
    assert repository.edited() == {A: False, B: True}
    repository.git("add", ".")
    assert repository.edited() == {A: False, B: True}


def test_without_commits_there_is_no_file_next_to_the_store(
    tmp_path: Path, environ: dict[str, str], repository: Repository
) -> None:
    store = tmp_path / "store.db"
    assert update_last_changes(repository.project, store, repository.environ).files
    assert store.with_suffix(CHANGES).exists()
    for name in ("plain", "empty"):
        other = Repository(tmp_path / name, {**environ, "GIT_CEILING_DIRECTORIES": str(tmp_path)})
        other.write(A, "select 1 as id\n")
        if name == "empty":
            other.git("init", "-q")
        assert update_last_changes(other.project, store, other.environ) == LastChanges()
        assert not store.with_suffix(CHANGES).exists()
    assert not find_last_changes(repository.project, {"PATH": str(tmp_path)}, LastChanges()).files


def test_a_known_commit_is_not_read_again_but_edits_are(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = repository.found()
    monkeypatch.setattr(last_changes, "_LOG", ("no-such-command",))
    repository.write(A, "select 9 as id\n")
    again = repository.found(first)
    assert again.commits == first.commits
    assert again.files[A].is_edited
    repository.commit("Next", {})
    assert not repository.found(first).files


def test_eviction_removes_the_last_changes_with_their_store(repository: Repository, tmp_path: Path) -> None:
    store, other = (CachedStore(path=tmp_path / "cache" / name) for name in ("one.db", "two.db"))
    store.path.parent.mkdir()
    StoreUse(store, repository.root).close()
    for one in (store, other):
        one.path.write_bytes(b"x" * 100)
    update_last_changes(repository.project, store.path, repository.environ)
    assert evict(other, most_bytes=150) == [store.path]
    assert [path.name for path in store.path.parent.iterdir() if path.name.startswith("one")] == []


def shown(view: TextView, marked: str) -> list[str]:
    """Return the lines about changes of the hover at the `|` in *marked*."""
    found = hover(view, view.document.text.index(marked.replace("|", "")) + marked.index("|"))
    assert found is not None
    assert isinstance(found.contents, MarkupContent)
    return [line for line in found.contents.value.splitlines() if "hange" in line]


@pytest.fixture
def indexed(repository: Repository, record_project: RecordProject) -> Callable[[], ProjectIndex]:
    """Function that records the project as indexing does."""
    repository.commit("Count `payments` once", {A: "select id from {{ ref('b') }}\n"})

    def index() -> ProjectIndex:
        found = record_project(repository.project)
        update_last_changes(repository.project, store_of(found), repository.environ)
        return found

    return index


def store_of(index: ProjectIndex) -> Path:
    assert isinstance(index.reader, StoredRunReader)
    path = index.reader.adapter.place.file_path()
    assert path is not None
    return path


def test_hovers_show_the_last_commit_of_the_file_of_a_model(
    repository: Repository, indexed: Callable[[], ProjectIndex], view_of: ViewOf
) -> None:
    index = indexed()
    sha = repository.git("rev-parse", "HEAD")
    (line,) = shown(view_of(path=A, index=index), "select i|d")
    own = f"Last change of the file of `a`: 2026-11-18 by Ann, “Count `payments` once” ({sha[:7]})"
    assert line == own
    (line,) = shown(view_of(path=A, index=index), "ref('|b')")
    assert line.startswith("Last change of the file of `b`: 2026-11-18 by Ann, “Start” (")
    (line,) = shown(view_of("select b.id as x, 1 as y from {{ ref('b') }} b", index=index), "b.i|d")
    assert "of `b`: 2026-11-18 by Ann, “Start”" in line
    edited = view_of("select id, 1 as more from {{ ref('b') }}\n", path=A, index=index)
    assert shown(edited, "select i|d") == [f"{own}; edited since"]


def test_an_edited_file_of_another_model_says_so_and_its_open_text_wins(
    repository: Repository, indexed: Callable[[], ProjectIndex], view_of: ViewOf
) -> None:
    repository.write(B, "select 3 as id\n")
    index = indexed()
    (line,) = shown(view_of(path=A, index=index), "ref('|b')")
    assert line.endswith("; edited since")
    live = LiveModel(unique_id="model.shop.b", text="select 2 as id\n")
    view = view_of(path=A, index=index)
    view.others["model.shop.b"] = live
    (line,) = shown(view, "ref('|b')")
    assert not line.endswith("; edited since")


def test_a_column_that_differs_from_base_shows_that_change_alone(
    indexed: Callable[[], ProjectIndex], view_of: ViewOf
) -> None:
    columns = (ColumnChange("id", Status.MODIFIED),)
    change = SqlChange(category=Category.PARTIAL_BREAKING, columns=columns, reasons=())
    view = view_of(path=A, index=indexed(), effect=Effect(change=change))
    (line,) = shown(view, "select i|d")
    assert line.startswith("Change: other values than base")


def test_words_of_a_commit_stay_text_and_are_cut(
    repository: Repository, indexed: Callable[[], ProjectIndex], view_of: ViewOf
) -> None:
    subject = "![x](http://x.io/a.png) <b>[click](command:x)</b> " + "long " * 40
    repository.commit(subject, {B: "select 4 as id\n"}, author="[Eve](http://x.io)")
    (line,) = shown(view_of(path=A, index=indexed()), "ref('|b')")
    assert "by \\[Eve\\](http\\://x.io), “!\\[x\\](http\\://x.io/a.png) \\<b\\>" in line
    assert len(line) < 250


def test_a_later_commit_is_shown_without_a_new_run_and_after_a_restart(
    repository: Repository, indexed: Callable[[], ProjectIndex], view_of: ViewOf
) -> None:
    index = indexed()
    view = view_of(path=A, index=index)
    assert "Start" in shown(view, "ref('|b')")[0]
    repository.commit("Next", {B: "select 5 as id\n"})
    update_last_changes(repository.project, store_of(index), repository.environ)
    assert "Next" in shown(view, "ref('|b')")[0]
    again = ProjectIndex(index.reader, index.root)
    assert "Next" in shown(view_of(path=A, index=again), "ref('|b')")[0]


@pytest.mark.cases(2)
@pytest.mark.parametrize("damage", [b"", b"{", b"\xff", b'{"files": {"models/b.sql": [7, "a", false]}}'])
def test_without_a_usable_file_the_line_is_absent(
    indexed: Callable[[], ProjectIndex], view_of: ViewOf, damage: bytes
) -> None:
    index = indexed()
    store_of(index).with_suffix(CHANGES).write_bytes(damage)
    assert shown(view_of(path=A, index=index), "ref('|b')") == []
    store_of(index).with_suffix(CHANGES).unlink()
    assert shown(view_of(path=A, index=index), "ref('|b')") == []


def test_a_package_has_no_last_change(indexed: Callable[[], ProjectIndex]) -> None:
    index = indexed()
    node = index.node("model.shop.b")
    assert node is not None
    assert index.last_change(node) is not None
    assert index.last_change(replace(node, package_name="tools")) is None
