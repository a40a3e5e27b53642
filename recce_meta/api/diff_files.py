"""Diff of a project's source files and those of an earlier commit, without dbt, artifacts or a store."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from recce_meta.api.build_failures import with_name_clashes
from recce_meta.api.commit_files import files_at, files_folder, own_folder
from recce_meta.api.diff import DiffQuestion, whole_diff
from recce_meta.api.record_sql import SqlOptions, extract_sql_project
from recce_meta.diff.same_sql import target_of
from recce_meta.errors import ConfigurationError, ProfileError, UsageError, first_of, quoted
from recce_meta.extractors.history import CheckoutHistory
from recce_meta.extractors.project import project_above
from recce_meta.extractors.selector_file import SELECTORS_FILE
from recce_meta.extractors.sql_project.dbt_project import is_refused_file, refused
from recce_meta.extractors.sql_project.files import DbtRefusal, relation_name
from recce_meta.extractors.sql_project.inputs import INSTALLED
from recce_meta.extractors.sql_project.settings import (
    PACKAGE_FILES,
    DbtProjectFile,
    read_settings,
    refused_packages,
)
from recce_meta.models import NodeMetadata, Project
from recce_meta.models.change import RunDiff
from recce_meta.models.node import BUILD_FAILURE
from recce_meta.models.node_types import BUILT
from recce_meta.models.run import WORKING_TREE, ChosenRun, RunChoice
from recce_meta.profiles import load_profile
from recce_meta.profiles.discovery import PROFILES_FILE, PROJECT_FILE, with_dotenv
from recce_meta.profiles.project_file import read_project_settings
from recce_meta.warehouses.registry import folders_with

_NAMED = 5
_LOCK = "package-lock.yml"
_PACKAGES = (*PACKAGE_FILES, _LOCK)
_PLACED_BY = ("enabled", "alias", "schema", "database")
_DIALECTS = frozenset(folders_with("dialect"))
OF_FILES = "Only files were read: generic and unit tests, exposures and the semantic layer are not compared"
GUESSED = "No profile found, so the SQL dialect is a guess ({}): name it with --dialect"
OTHER_VERSIONS = "require-dbt-version changed, and whether the version of dbt in use fits is unknown: {}"
NEITHER = "dbt reads neither side: {}"
NOTHING_ELSE = "Nothing else is compared, because dbt reads nothing of the project"
OTHER_PROFILE = "Base is read with {}, because that of its own files cannot be read"
OTHER_CONNECTION = "Both sides connect in another way, and only names of relations are compared: {}"
OTHER_PACKAGES = "Both sides are read with the installed packages, although the files that name them changed"


def diff_files(
    directory: Path,
    question: DiffQuestion,
    *,
    environ: Mapping[str, str],
    revision: str | None = None,
    base_branch: str | None = None,
    options: SqlOptions | None = None,
) -> RunDiff:
    """Return the changes in the files of the dbt project around *directory* since a commit.

    *revision* names the commit as git does; default: the merge base with *base_branch*, or with the default
    branch. Files are read as in `extract_sql_project` with *options*, uncommitted ones included. Raises
    UsageError if the dbt project or the commit is missing.
    """
    root = project_above(directory)
    if root is None:
        raise UsageError(f"No {PROJECT_FILE} in {directory} or above", hint="pass --project-dir DIR")
    history = CheckoutHistory(root, environ, base_branch)
    sha, label = _commit(history, revision)
    # The copy of base lacks files that git ignores, such as `.env`.
    given = replace(options or SqlOptions(), environ=with_dotenv(environ, root.resolve()))
    files, links = files_at(history, sha)
    current = extract_sql_project(root, replace(given, environment=WORKING_TREE))
    notes = [OF_FILES]
    if not current.run.adapter_type:
        given = replace(given, dialect=_named_dialect(root))
        notes.append(GUESSED.format(given.dialect or "standard SQL"))
        if given.dialect:
            current = extract_sql_project(root, replace(given, environment=WORKING_TREE))
    with files_folder(files, root) as folder:
        of_base, other_connection = _options_of_base(given, root, folder, files)
        notes += other_connection
        base = extract_sql_project(folder, replace(of_base, environment=f"commit {sha[:7]}"))
        settings = [read_settings(one, []) for one in (folder, root)]
        variables = [_variables(one, given) for one in (folder, root)]
        packages = [
            {*refused_packages(folder, lambda path: history.has_file(sha, path))},
            {*refused_packages(root, lambda path: (root / path).is_file())},
        ]
    if settings[0].required != settings[1].required:
        notes.append(OTHER_VERSIONS.format(", ".join(settings[1].required) or "none"))
    notes += [NEITHER.format(one) for one in sorted(packages[0] & packages[1]) if one.unless is None]
    current = _with_refusals(current, packages[1] - packages[0])
    if refused_nodes := _refused_nodes(base, current):
        nodes = {one.unique_id: one for one in (*base.nodes, *refused_nodes)}
        current = replace(current, nodes=tuple(nodes.values()), groups=base.groups, macros=base.macros)
        notes.append(NOTHING_ELSE)
    current = with_name_clashes(current, base)
    base, current = _without_targets(base, current)
    base, current = _with_undeclared(base, current), _with_undeclared(current, base)
    notes += _not_compared(root, settings, files, links)
    notes += [f"{side.run.environment}: {text}" for side in (base, current) for text in side.warnings]
    base = replace(base, run=replace(base.run, git_sha=sha))
    diff = _compared(base, current, variables, question)
    before, after = (ChosenRun(run_id=None, selector=None, reason=one) for one in (label, WORKING_TREE))
    choice = RunChoice(base=before, current=after)
    return replace(diff, choice=choice, notes=(*diff.notes, *dict.fromkeys(notes)))


def _compared(
    base: Project, current: Project, variables: Iterable[dict[str, str] | None], question: DiffQuestion
) -> RunDiff:
    """Return the differences of two sides with these values of *variables*, which no answer has."""
    sides = [
        replace(side, run=replace(side.run, variables=known))
        for side, known in zip((base, current), variables, strict=True)
    ]
    return replace(whole_diff(sides[0], sides[1], question), base=base.run, current=current.run)


def _options_of_base(
    given: SqlOptions, root: Path, folder: Path, files: Container[str]
) -> tuple[SqlOptions, list[str]]:
    """Return the options that read base in *folder*, with its own profile if it has one, and notes.

    The profiles.yml of base is in *files* if it is the project's. Any other is that of both sides.
    """
    name, target, environ = given.profile, given.target_name, given.environ
    try:
        used = load_profile(
            given.profiles_dir, name, target, project_dir=root, environment=environ, directory=root
        )
    except ProfileError:
        (folder / PROFILES_FILE).unlink(missing_ok=True)
        return given, []
    path, project = used.path.resolve(), root.resolve()
    inside = path.relative_to(project).as_posix() if path.is_relative_to(project) else ""
    path = folder / inside if inside in files else path
    try:
        own = load_profile(path, name, target, project_dir=folder, environment=environ, directory=folder)
    except ProfileError:
        return replace(given, profiles_dir=used.path, profile=used.name), [OTHER_PROFILE.format(used.where)]
    differs = own.type != used.type or own.fields != used.fields
    return replace(given, profiles_dir=path), [OTHER_CONNECTION.format(inside or path)] * differs


def _variables(folder: Path, given: SqlOptions) -> dict[str, str] | None:
    """Return the value of each variable of the project in *folder*, by name; None if a file cannot be read.

    A variable that has not the same value in all packages has those of each package. Those of `--vars` are
    left out: they are equal on both sides, and may be secret.
    """
    try:
        settings = read_project_settings(folder, environment=given.environ)
    except ConfigurationError:
        return None
    packages, levels = [settings.name, *settings.packages], [settings.variables, *settings.packages.values()]
    scopes = [own for level in levels for one in packages if isinstance(own := level.get(one), Mapping)]
    found, missing = dict[str, str](), object()
    named = {str(name) for level in (*levels, *scopes) for name in level}
    for name in named.difference(given.variables or ()):
        values = {one: settings.variable(name, one, missing) for one in packages}
        texts = {one: repr(value) for one, value in values.items() if value is not missing}
        is_general = texts.keys() == values.keys() and len({*texts.values()}) == 1
        found[name] = texts[settings.name] if is_general else repr(texts)
    return found


def _without_targets(base: Project, current: Project) -> tuple[Project, Project]:
    """Return both projects without their targets if files gave them different ones: edits moved the nodes."""
    if target_of(base.run) == target_of(current.run):
        return base, current
    unknown = {"target_name": None, "target_database": None, "target_schema": None}
    return (
        replace(base, run=replace(base.run, **unknown)),
        replace(current, run=replace(current.run, **unknown)),
    )


def _with_undeclared(project: Project, other: Project) -> Project:
    """Return *project* with the sources that *other* only reads: no edit adds or removes what no file has."""
    known = {node.unique_id for node in (*project.nodes, *project.groups)}
    more = (one for one in other.nodes if one.resource_type == "source" and not one.path)
    return replace(project, nodes=(*project.nodes, *(one for one in more if one.unique_id not in known)))


def _with_refusals(project: Project, refusals: set[DbtRefusal]) -> Project:
    """Return *project* with a node for each file of *refusals*."""
    # The last of a file counts, which is a certain one if there is any.
    found = sorted(refusals, key=lambda one: (one.unless is None, one))
    more = {one.path: refused(one, project.run.project_name) for one in found}
    return replace(project, nodes=(*project.nodes, *more.values()))


def _refused_nodes(base: Project, current: Project) -> list[NodeMetadata]:
    """Return a node for each file because of which dbt refuses *current*, and not *base*.

    A file that dbt only may refuse is left out.
    """
    placed = {(node.unique_id, _place(node, base)) for node in base.nodes}
    before, after = (
        {
            (node.path, str(node.properties[BUILD_FAILURE])): node
            for node in (
                *filter(is_refused_file, side.nodes),
                *(refused(one, side.run.project_name) for one in _clashes(side, placed)),
            )
        }
        for side in (base, current)
    )
    found = [after[key] for key in sorted(after.keys() - before.keys())]
    return [node for node in found if "unless" not in node.properties[BUILD_FAILURE]]


def _place(node: NodeMetadata, project: Project) -> str:
    """Return the relation of *node*, or what it would be for an ephemeral model."""
    parts = node.database_name, node.schema_name, node.identifier or node.name
    return node.relation_name or relation_name(*parts, project.run.adapter_type)


def _clashes(project: Project, placed: Container[tuple[str, str]]) -> Iterator[DbtRefusal]:
    """Yield a refusal for each node with the relation of another one, if their files decide it.

    Nodes that base has where they are, which *placed* contains, have their relations first.
    """
    first: dict[str, NodeMetadata] = {}
    places = {node.unique_id: _place(node, project) for node in project.nodes}
    for node in sorted(project.nodes, key=lambda one: (one.unique_id, places[one.unique_id]) not in placed):
        if node.resource_type not in BUILT:
            continue
        # A setting that only rendering knows is absent.
        texts = (node.raw_code or "", *node.unrendered_config)
        if any(key not in node.config and any(key in text for text in texts) for key in _PLACED_BY):
            continue
        place = places[node.unique_id]
        other = first.setdefault(place, node)
        if other is not node:
            names = f"{other.label} and {node.label} are both {place}"
            yield DbtRefusal.of(node.path, f"{node.path}: {names}")


def _named_dialect(root: Path) -> str | None:
    """Return the only warehouse that the files of settings and packages name outside of comments."""
    files = (root / name for name in (PROJECT_FILE, *_PACKAGES))
    text = "\n".join(file.read_text("utf-8", "replace") for file in files if file.is_file()).lower()
    words = re.split(r"[^a-z]+", re.sub(r"#.*", "", text))
    found = _DIALECTS.intersection(words)
    return next(iter(found)) if len(found) == 1 else None


def _commit(history: CheckoutHistory, revision: str | None) -> tuple[str, str]:
    """Return the id of the commit to compare with, and how it was chosen."""
    if revision is not None:
        sha = history.commit_of(revision)
        if sha is None:
            raise UsageError(f"Unknown commit: {quoted(revision)}", hint="name a commit or branch of git")
        return sha, revision
    start = history.merge_base
    if start.sha is None:
        if history.head is None:
            raise UsageError(
                "The project is in no git repository with a commit",
                hint="commit the project, or compare two target folders: path:BASE path:CURRENT",
            )
        problem = start.problem or "the base branch is unknown"
        raise UsageError(f"No merge base: {problem}", hint=start.hint or "name a commit as BASE")
    return start.sha, start.label


def _local_packages(root: Path) -> list[str]:
    """Return the installed packages that are links to other folders, whose files may have changed."""
    folders = [root / name for name in INSTALLED if (root / name).is_dir()]
    return sorted(
        path.name
        for folder in folders
        for path in folder.iterdir()
        if path.is_symlink() and not own_folder(path, root)
    )


def _not_compared(
    root: Path, settings: Sequence[DbtProjectFile], files: Mapping[str, bytes], links: Sequence[str]
) -> Iterator[str]:
    """Yield notes on what is not compared between the *files* of base and *root*."""
    # `dbt deps` writes the lock, so a commit may lack it, and no edit added it to the folder.
    if _are_changed([name for name in _PACKAGES if name != _LOCK or name in files], root, files):
        yield OTHER_PACKAGES
    for text, names in (
        ("Changed, but not compared: {}", [*_changed_besides(settings, files)]),
        ("Local packages are not compared: {}", _local_packages(root)),
        ("Links out of the project are not compared: {}", links),
    ):
        if names:
            yield text.format(first_of(names, _NAMED))


def _changed_besides(settings: Sequence[DbtProjectFile], files: Mapping[str, bytes]) -> Iterator[str]:
    """Yield what dbt reads apart from nodes and differs from the *files* of base: a file, or a key of one."""
    base, current = settings
    for key in sorted({*base.others, *current.others}):
        if base.others.get(key) != current.others.get(key):
            yield f"{key} of {PROJECT_FILE}"
    if _are_changed([SELECTORS_FILE], current.root, files):
        yield SELECTORS_FILE


def _are_changed(names: Iterable[str], root: Path, files: Mapping[str, bytes]) -> bool:
    """Return True if a file of *names* differs between *root* and *files*."""
    paths = ((name, root / name) for name in names)
    return any((path.read_bytes() if path.is_file() else None) != files.get(name) for name, path in paths)
