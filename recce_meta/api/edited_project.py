"""Edited project: the run of base with the texts that the files of the working tree have now.

Base has what dbt rendered: relations, configuration, macros of packages. An edit of a model or of a macro
leaves these as they are. Only files are read, and only templates of edited nodes are rendered.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path, PurePosixPath

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.diff.code import jinja_names, jinja_pieces
from recce_meta.errors import TemplateError, UsageError, first_of
from recce_meta.extractors.jinja import blocks_of
from recce_meta.extractors.project import is_what_dbt_saw
from recce_meta.extractors.sql_project.files import find_files, read_source, relation_name
from recce_meta.extractors.sql_project.inputs import read_macros, with_calls
from recce_meta.extractors.sql_project.settings import PACKAGE_FILES, DbtProjectFile, read_settings
from recce_meta.graph import build_lineage_graph, reachable
from recce_meta.models import MacroMetadata, NodeMetadata, Project, code_hash
from recce_meta.models.adapters import is_builtin
from recce_meta.models.node_types import SELECTED
from recce_meta.profiles import ProjectSettings, read_project_settings
from recce_meta.profiles.discovery import PROJECT_FILE
from recce_meta.render import SimpleTemplateRenderer, TemplateContext

_NAMED = 5
_ENDINGS = (".sql", ".py")
_VARIABLES = {"var", "env_var"}
OTHER_SETTINGS = "Saved since dbt read base, and not considered: {}"
OTHER_CONFIG = "its config() changed, and base's is used"
GONE = "its file is gone"
PYTHON = "a Python model: it runs only in a build"
SNAPSHOT = "a snapshot: what it adds depends on the rows that it has"
SEED = "a seed: its new rows are in no table before dbt seed"


class EditedProject(Struct, frozen=True, kw_only=True):
    """Run of base, and the same run with the texts of edited files."""

    base: Project
    current: Project
    """Base with the edited nodes: their texts, and the SQL and parents of these."""
    edited: tuple[str, ...]
    """Nodes that the text of their file, or of a macro that they call, may change."""
    problems: Mapping[str, str]
    """Why an edited node has no SQL, by unique id."""
    remarks: Mapping[str, str]
    """What is not considered of an edited node, by unique id."""
    notes: tuple[str, ...]
    settings: ProjectSettings | None
    environ: Mapping[str, str] | None = None
    """Variables that `env_var()` sees; None for those of this process."""

    def sides(self, unique_id: str, inlined: Iterable[str]) -> tuple[str | None, str | None]:
        """Return the SQL of a node in base and in current over the relations of base.

        The nodes *inlined*, and nodes that base lacks, are common table expressions on both sides. A side
        without the node is None. Raises TemplateError.
        """
        wanted = {*inlined, *(one.unique_id for one in self.added)} - {unique_id}
        texts: list[str | None] = []
        for project in (self.base, self.current):
            nodes = {
                node.unique_id: replace(node, materialized="ephemeral") if node.unique_id in wanted else node
                for node in project.nodes
            }
            renderer = _renderer(project, nodes, self.settings, self.environ)
            texts.append(renderer.render_node(unique_id) if unique_id in nodes else None)
        return texts[0], texts[1]

    def reads_variables(self, unique_id: str, inlined: Iterable[str]) -> bool:
        """Return True if the SQL of `sides` may depend on `var()` or `env_var()`."""
        return any(
            _VARIABLES & _names_in(project, {unique_id, *inlined}) for project in (self.base, self.current)
        )

    @property
    def added(self) -> list[NodeMetadata]:
        """Nodes that only current has."""
        known = {node.unique_id for node in self.base.nodes}
        return [node for node in self.current.nodes if node.unique_id not in known]


def read_edited_project(base: Project, root: Path, *, read_at: datetime | None = None) -> EditedProject:
    """Return the run *base* with the texts that the files of the project in *root* have now.

    *read_at* is when dbt read the files of base, if that was in *root*: later property files have a note.
    Raises UsageError if *root* has another project, ConfigurationError if dbt_project.yml is invalid.
    """
    settings = read_settings(root, [])
    if settings.name != base.run.project_name:
        raise UsageError(
            f"The project in {root} is {settings.name}, but base is a run of {base.run.project_name}",
            hint="pass --project-dir DIR, or another run as --base",
        )
    return _EditedFiles(base, settings, read_at).edited_project()


def edits_between(base: Project, current: Project) -> EditedProject:
    """Return the run *current* as edits of the run *base*, over whose relations its SQL runs.

    Templates see no variables of the environment, and none of dbt_project.yml.
    """
    before = {node.unique_id: node for node in base.nodes}
    after = {node.unique_id: _in_place_of(before.get(node.unique_id), node) for node in current.nodes}
    gone = (node for one, node in before.items() if one not in after)
    problems = {node.unique_id: GONE for node in gone if node.resource_type == "model"}
    for one, node in after.items():
        was = before.get(one)
        if node.resource_type == "seed" and (was is None or was.checksum != node.checksum):
            problems[one] = SEED
        elif node.resource_type == "snapshot" and (was is None or was.raw_code != node.raw_code):
            problems[one] = SNAPSHOT
    run = replace(
        current.run,
        target_name=base.run.target_name,
        target_database=base.run.target_database,
        target_schema=base.run.target_schema,
    )
    return EditedProject(
        base=base,
        current=replace(current, run=run, nodes=tuple(after.values())),
        edited=tuple(problems),
        problems=problems,
        remarks={},
        notes=(),
        settings=None,
        environ={},
    )


def _in_place_of(was: NodeMetadata | None, node: NodeMetadata) -> NodeMetadata:
    """Return *node* with the relation of *was*; a source is another relation if its files say so."""
    if was is None or node.resource_type == "source":
        return node
    return replace(
        node,
        database_name=was.database_name,
        schema_name=was.schema_name,
        identifier=was.identifier,
        relation_name=was.relation_name,
    )


def _names_in(project: Project, ids: Iterable[str]) -> set[str]:
    """Return the names in the templates of *ids*, of ephemeral nodes that they read, and of their macros."""
    nodes = {node.unique_id: node for node in project.nodes}
    waiting, found = [*ids], dict[str, NodeMetadata]()
    while waiting:
        node = nodes.get(waiting.pop())
        if node is not None and node.unique_id not in found:
            found[node.unique_id] = node
            waiting += [one for one in node.parents if one in nodes and nodes[one].is_ephemeral]
    macros = {macro.unique_id: macro for macro in project.macros if not is_builtin(macro.package_name)}
    calls = {one: macro.macros for one, macro in macros.items()}
    called = reachable({one for node in found.values() for one in node.macros}, calls)
    texts = [node.raw_code or "" for node in found.values()]
    texts += [macros[one].macro_sql for one in called if one in macros]
    return {name for text in texts for name in jinja_names(text)}


class _EditedFiles:
    """Reading of the files of one project."""

    def __init__(self, base: Project, settings: DbtProjectFile, read_at: datetime | None) -> None:
        self._base, self._settings, self._root = base, settings, settings.root
        self._read_at = read_at
        self._nodes = {node.unique_id: node for node in base.nodes}
        self._edited: list[str] = []
        self._problems: dict[str, str] = {}
        self._remarks: dict[str, str] = {}
        self._macros, self._changed_macros = edited_macros(base, settings)

    def edited_project(self) -> EditedProject:
        files = {
            Path(os.path.relpath(path, self._root)).as_posix(): path
            for path in find_files(self._root, self._settings.paths["models"], _ENDINGS)
        }
        for node in self._base.nodes:
            if node.package_name == self._settings.name:
                self._read(node, files)
        listed = {node.path for node in (*self._nodes.values(), *self._base.groups)}
        for path, file in files.items():
            if path not in listed:
                self._add(path, file)
        self._edited += self._callers()
        used = read_project_settings(self._root)
        base = self._compiled(used)
        project = replace(self._base, nodes=self._sorted(), macros=self._macros)
        return EditedProject(
            base=base,
            current=self._rendered(project, used),
            edited=tuple(self._edited),
            problems=self._problems,
            remarks=self._remarks,
            notes=self._notes(),
            settings=used,
        )

    def _sorted(self) -> tuple[NodeMetadata, ...]:
        return tuple(self._nodes[one] for one in sorted(self._nodes))

    def _read(self, node: NodeMetadata, files: Mapping[str, Path]) -> None:
        """Read the file of *node*, and note if it differs."""
        file = self._root / node.path
        if node.resource_type == "model" and node.path.endswith(_ENDINGS):
            path = files.get(node.path)
            text = None if path is None else self._text(node, path)
            if path is None:
                del self._nodes[node.unique_id]
                self._edit(node, GONE)
            elif text is not None and not is_same_text(node, text):
                if _own_config(node.raw_code or "") != _own_config(text):
                    self._remarks[node.unique_id] = OTHER_CONFIG
                self._nodes[node.unique_id] = replace(node, raw_code=text, code_hash=code_hash(text))
                self._edit(node)
        elif node.resource_type == "seed" and node.path and file.is_file():
            if self._is_other_seed(node, file):
                self._edit(node, SEED)
        elif node.resource_type == "snapshot" and node.path.endswith(".sql") and file.is_file():
            text = self._text(node, file)
            blocks = [block for block in blocks_of(text or "") if block.name == node.name]
            if text is not None and not any(
                is_same_text(node, part) for block in blocks for part in (block.body, block.text)
            ):
                self._edit(node, SNAPSHOT)

    def _is_other_seed(self, node: NodeMetadata, file: Path) -> bool:
        """Return True if *file* certainly, or if dbt did not hash it perhaps, has other rows than base."""
        if node.checksum_rule == "path":
            return self._read_at is not None and _is_later(file, self._read_at)
        return node.checksum is not None and not is_what_dbt_saw(node, file)

    def _text(self, node: NodeMetadata, path: Path) -> str | None:
        """Return the text of the file of *node*; None, with a problem, if dbt cannot read it."""
        warnings: list[str] = []
        text = read_source(path, node.path, warnings)
        if warnings:
            self._edit(node, warnings[0])
            return None
        return text

    def _edit(self, node: NodeMetadata, problem: str | None = None) -> None:
        self._edited.append(node.unique_id)
        if node.language == "python" and problem is None:
            problem = PYTHON
        if problem is not None:
            self._problems[node.unique_id] = problem

    def _add(self, path: str, file: Path) -> None:
        """Add the model in a *file* that base lacks, which may have been moved from another folder."""
        name, run = PurePosixPath(path).stem, self._base.run
        unique_id = f"model.{self._settings.name}.{name}"
        was = next((node for node in self._base.nodes if node.unique_id == unique_id), None)
        if was is None:
            place = (run.target_database, run.target_schema, name)
            was = NodeMetadata(
                unique_id=unique_id,
                name=name,
                resource_type="model",
                package_name=self._settings.name,
                fqn=(self._settings.name, *PurePosixPath(path).with_suffix("").parts[1:]),
                language="python" if path.endswith(".py") else "sql",
                database_name=run.target_database,
                schema_name=run.target_schema,
                identifier=name,
                relation_name=relation_name(*place, run.adapter_type),
            )
        elif self._problems.get(unique_id) == GONE:
            del self._problems[unique_id]
            self._edited.remove(unique_id)
        node = replace(was, path=path)
        text = self._text(node, file)
        if text is None:
            return
        self._nodes[unique_id] = replace(node, raw_code=text, code_hash=code_hash(text))
        if was.raw_code is None or not is_same_text(was, text):
            self._edit(node)

    def _callers(self) -> Iterator[str]:
        """Yield the models that call a changed macro, or one whose name a changed macro may take over."""
        if not self._changed_macros:
            return
        known = {macro.unique_id: macro for macro in (*self._base.macros, *self._macros)}
        calls = {one: macro.macros for one, macro in known.items()}
        for unique_id, node in self._nodes.items():
            called = reachable(node.macros, calls)
            is_caller = any(one.rpartition(".")[2] in self._changed_macros for one in called)
            if node.resource_type == "model" and unique_id not in self._edited and is_caller:
                yield unique_id

    def _compiled(self, settings: ProjectSettings | None) -> Project:
        """Return base with the SQL of the models around edited ones that dbt did not compile.

        `dbt run --select` compiles the selected models only. Without SQL, their columns are unknown.
        """
        before = {node.unique_id: node for node in self._base.nodes}
        graph = build_lineage_graph(self._base.nodes)
        near = graph.upstream(graph.downstream(one for one in self._edited if one in before))
        lacking = [one for one in near if one in before and _lacks_sql(before[one])]
        if not lacking:
            return self._base
        renderer = _renderer(self._base, before, settings)
        for unique_id in lacking:
            try:
                sql = renderer.render_node(unique_id)
            except TemplateError:
                continue  # its columns stay unknown
            before[unique_id] = replace(before[unique_id], compiled_code=sql)
            if (node := self._nodes.get(unique_id)) is not None and node.compiled_code is None:
                self._nodes[unique_id] = replace(node, compiled_code=sql)
        return replace(self._base, nodes=tuple(before[one] for one in sorted(before)))

    def _rendered(self, project: Project, settings: ProjectSettings | None) -> Project:
        """Return *project* with the SQL of the edited models, and of those that inline them."""
        nodes = dict(self._nodes)
        renderer = _renderer(project, nodes, settings)
        for unique_id in (*self._edited, *self._inlining(project)):
            node = nodes.get(unique_id)
            if node is None or node.resource_type != "model" or node.language == "python":
                continue
            try:
                sql, parents = renderer.render_node(unique_id), renderer.parents
            except TemplateError as error:
                self._problems.setdefault(unique_id, f"not rendered: {error.message}")
                nodes[unique_id] = replace(node, compiled_code=None)
            else:
                nodes[unique_id] = replace(node, compiled_code=sql, parents=tuple(sorted(parents)))
        return replace(project, nodes=tuple(nodes[one] for one in sorted(nodes)))

    def _inlining(self, project: Project) -> list[str]:
        """Return the models that are not edited, and that contain the SQL of an edited ephemeral model."""
        nodes = {node.unique_id: node for node in project.nodes}
        inlined = {one for one in self._edited if one in nodes and nodes[one].is_ephemeral}
        graph = build_lineage_graph(project.nodes)
        below = graph.downstream(inlined, through=lambda one: one in nodes and nodes[one].is_ephemeral)
        return sorted({*below}.difference(self._edited))

    def _notes(self) -> tuple[str, ...]:
        if self._read_at is None:
            return ()
        later = files_changed_since(self._read_at, self._settings, PACKAGE_FILES)
        return (OTHER_SETTINGS.format(first_of(later, _NAMED)),) if later else ()


def edited_macros(base: Project, settings: DbtProjectFile) -> tuple[tuple[MacroMetadata, ...], set[str]]:
    """Return the macros of *base* with those that the project has now, and the names of those that differ.

    A name such as `default__cents` stands for `cents` also, which may call it.
    """
    own = {macro.unique_id: macro for macro in read_macros(settings, [])}
    before = {macro.unique_id: macro for macro in base.macros}
    changed = {one for one in own if one not in before or _code(before[one]) != _code(own[one])}
    gone = {
        macro.unique_id
        for macro in base.macros
        if macro.package_name == settings.name and macro.path.endswith(".sql") and macro.unique_id not in own
    }
    found = {one: macro for one, macro in before.items() if one not in gone}
    if changed:
        called = {one.unique_id: one for one in with_calls([*base.macros, *own.values()])}
        found |= {one: called[one] for one in changed}
    names = {one.rpartition(".")[2] for one in changed | gone}
    names |= {name.partition("__")[2] for name in names if "__" in name}
    return tuple(found[one] for one in sorted(found)), names


def files_changed_since(moment: datetime, settings: DbtProjectFile, names: Iterable[str] = ()) -> list[str]:
    """Return the paths of dbt_project.yml, of *names* and of property files that changed after *moment*."""
    kinds = ("models", "seeds", "snapshots", "analyses")
    folders = [place for kind in kinds for place in settings.paths[kind]]
    files = [
        *(settings.root / name for name in (PROJECT_FILE, *names)),
        *find_files(settings.root, folders, (".yml", ".yaml")),
    ]
    return [
        Path(os.path.relpath(file, settings.root)).as_posix() for file in files if _is_later(file, moment)
    ]


def _is_later(file: Path, moment: datetime) -> bool:
    try:
        return file.stat().st_mtime > moment.timestamp()
    except OSError:
        return False


def _renderer(
    project: Project,
    nodes: Mapping[str, NodeMetadata],
    settings: ProjectSettings | None,
    environ: Mapping[str, str] | None = None,
) -> SimpleTemplateRenderer:
    run = project.run
    context = TemplateContext(
        settings=settings,
        environ=os.environ if environ is None else environ,
        target={"name": run.target_name or "default"},
    )
    return SimpleTemplateRenderer(
        None, nodes, macros=project.macros, run=run, context=context, infer_variables=False
    )


def _lacks_sql(node: NodeMetadata) -> bool:
    is_model = node.resource_type in SELECTED and node.language != "python"
    return is_model and node.compiled_code is None and node.raw_code is not None


def _own_config(text: str) -> list[list[str]]:
    """Return the calls of `config` in *text*, as their words."""
    calls: list[list[str]] = []
    for _, value in jinja_pieces(text):
        if value.startswith(("{{", "{%")):
            calls.append([])
        elif calls:
            calls[-1].append(value)
    return [words for words in calls if words[:2] == ["config", "("]]


def _code(macro: MacroMetadata) -> str:
    return " ".join(macro.macro_sql.split())


def is_same_text(node: NodeMetadata, text: str) -> bool:
    """Return True if *text* is the code that dbt read: dbt strips it, and some versions change line ends."""
    if node.raw_code is not None:
        return _stripped(node.raw_code) == _stripped(text)
    return node.checksum in {
        sha256(form.encode("utf-8", "surrogatepass")).hexdigest() for form in _forms(text)
    }


def _forms(text: str) -> Iterator[str]:
    """Yield *text* in the forms that versions of dbt hash."""
    yield from (text, text.strip(), _stripped(text), " ".join(text.split()))


def _stripped(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
