"""Reader of one package's nodes, from its SQL, Python, CSV and property files."""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.errors import TemplateError
from recce_meta.extractors.jinja import (
    JinjaDependencies,
    ProjectMacros,
    TemplateFacts,
    blocks_of,
    read_template,
    template_text,
)
from recce_meta.extractors.project import file_hash, header_of
from recce_meta.extractors.sql_project.files import DbtRefusal, SourceFile, relation_name
from recce_meta.extractors.sql_project.inputs import Inputs, PackageFiles
from recce_meta.extractors.sql_project.settings import (
    UNSURE,
    Description,
    GenericTest,
    SourceTable,
    Variable,
    columns_of,
    configured,
    described_version,
    evaluated,
    folded,
    merge,
)
from recce_meta.models import Column, Json, MacroMetadata, NodeMetadata, code_hash
from recce_meta.models.node import BUILD_FAILURE, OWN_TESTS, SEED_HEADER, missing_argument
from recce_meta.profiles.discovery import PROJECT_FILE
from recce_meta.warehouses import Warehouse, warehouse_of_adapter
from recce_meta.warehouses.hooks import OPERATION

NOTHING = TemplateFacts(dependencies=JinjaDependencies((), (), False))
_EVERYTHING = "select * from {{ RELATION }}"
SECTIONS = {"model": "models", "seed": "seeds", "snapshot": "snapshots", "function": "functions"}
_OWN_HEADERS = {
    "unique": "(model, column_name)",
    "not_null": "(model, column_name)",
    "accepted_values": "(model, column_name, values, quote)",
    "relationships": "(model, column_name, to, field)",
}
_PARAMETERS = re.compile(r"[^(]*\(([^()\[\]{}'\"]*)\)[\s-]*", re.DOTALL)
_ANY_ARGUMENTS = re.compile(r"\b(?:kw|var)args\b")
_READ = frozenset(["dbt.ref", "dbt.source", "dbt.config", "dbt.config.get"])
"""Calls in Python models whose arguments dbt's parser reads."""
_DEFAULT = {kind: kind for kind in (*SECTIONS, "test")} | {"model": "view"}


class Draft(Struct, frozen=True, kw_only=True):
    """A node with unresolved references."""

    node: NodeMetadata
    facts: TemplateFacts
    is_enabled: bool = True
    is_latest: bool = True
    """Whether a `ref` without version resolves to this version of a model."""


class NodeReader:
    """Reader of the nodes of one package."""

    def __init__(
        self, inputs: Inputs, package: PackageFiles, library: ProjectMacros, known: Mapping[str, NodeMetadata]
    ) -> None:
        self.inputs, self.package, self.library = inputs, package, library
        self.known = known
        """Nodes of the previous reading, if everything except the node's own file is unchanged."""
        self.variable: Variable = inputs.variable_of(package.name)
        self.fold = partial(template_text, variable=self.variable, target=inputs.target)
        self.reused: set[str] = set()
        """Unique ids of the nodes with unchanged files."""
        self._versions = {
            str(one.get("defined_in") or f"{description.name}_v{one['v']}"): (description, one)
            for (section, _), description in package.properties.described.items()
            if section == "models"
            for one in description.versions
        }

    def drafts(self) -> Iterator[Draft]:
        """Yield every node of the package except its sources; of generic tests, those that fail."""
        found = [*self._of_files()]
        yield from found
        yield from self._failing_tests({one.node.name for one in (*found, *self.sources()) if one.is_enabled})

    def _of_files(self) -> Iterator[Draft]:
        for file in self.package.models:
            yield self._draft("model", file, *self._named(file.name))
        for file in self.package.snapshots:
            for block in blocks_of(file.text):
                if block.kind == "snapshot":
                    inner = SourceFile(path=file.path, text=block.body)
                    yield self._draft("snapshot", inner, block.name, None)
        for relative, entry in self.package.properties.snapshots:
            yield self._draft("snapshot", _yaml_snapshot(relative, entry), str(entry["name"]), None)
        package = self.package
        others = {"analysis": package.analyses, "test": package.tests, "function": package.functions}
        for kind, files in others.items():
            for file in files:
                yield self._draft(kind, file, file.name, None)
        for key, texts in self.package.settings.hooks.items():
            for number, text in enumerate(texts):
                name = f"{self.package.name}-{key}-{number}"
                yield self._draft(OPERATION, SourceFile(path=PROJECT_FILE, text=text), name, None)
        for relative, path in self.package.seeds:
            yield self._seed(relative, path)

    def _failing_tests(self, subjects: Container[str]) -> Iterator[Draft]:
        """Yield the generic tests of *subjects* that no file defines, or whose arguments dbt refuses."""
        found: dict[str, Draft] = {}
        for file, name, properties in _failing(self.package.properties.tests, self.inputs.macros, subjects):
            draft = self._draft("test", file, name, None)
            # Without a language, it is not rendered.
            language = None if BUILD_FAILURE in properties else draft.node.language
            node = replace(draft.node, language=language, properties={**draft.node.properties, **properties})
            found[node.unique_id] = replace(draft, node=node)
        yield from found.values()

    def sources(self) -> Iterator[Draft]:
        """Yield every source table that the package declares."""
        for table in self.package.properties.tables:
            node, is_enabled = self._source(table)
            yield Draft(node=node, facts=NOTHING, is_enabled=is_enabled)

    def _named(self, stem: str) -> tuple[str, dict[str, Json] | None]:
        """Return the model's name, and the entry of its version, if it has versions."""
        versioned = self._versions.get(stem)
        if versioned is not None:
            return versioned[0].name, versioned[1]
        description = self.package.properties.described.get(("models", stem))
        if description is not None and description.versions:
            latest = _latest(description)
            return stem, next(one for one in description.versions if str(one["v"]) == latest)
        return stem, None

    def _draft(self, kind: str, file: SourceFile, name: str, version: dict[str, Json] | None) -> Draft:
        number = None if version is None else str(version["v"])
        unique_id = ".".join([kind, self.package.name, name, *([f"v{number}"] if number else [])])
        description = self.package.properties.described.get((SECTIONS.get(kind, ""), name))
        is_latest = version is None or description is None or _latest(description) == number
        found = self.known.get(unique_id)
        if found is not None and found.path == file.path and found.raw_code == file.text:
            self.reused.add(unique_id)
            return Draft(node=found, facts=NOTHING, is_latest=is_latest)
        is_python = file.path.endswith(".py")
        facts = self._python(file) if is_python else self._facts(file)
        folders = Path(file.path).parts[1:-1] if kind in SECTIONS else Path(file.path).parts[:-1]
        fqn = (self.package.name, *folders, name, *([f"v{number}"] if number else []))
        config, templates = self._config(kind, fqn, description, version, facts)
        described = described_version(description, version)
        node = self._node(kind, unique_id, name, fqn, config, described, file.path)
        dynamic = {"dynamic": list(facts.reasons)} if facts.dependencies.dynamic else {}
        latest = {"latest_version": _latest(description)} if version and description else {}
        node = replace(
            node,
            language="python" if is_python else "sql",
            raw_code=file.text,
            code_hash=code_hash(file.text),
            unrendered_config=templates,
            version=number,
            macros=facts.macros,
            properties={**node.properties, **dynamic, **latest},
        )
        return Draft(
            node=node, facts=facts, is_enabled=config.get("enabled") is not False, is_latest=is_latest
        )

    def _facts(self, file: SourceFile) -> TemplateFacts:
        try:
            return read_template(
                file.text,
                variable=self.variable,
                target=self.inputs.target,
                macros=self.library,
                package=self.package.name,
            )
        except TemplateError as error:
            self.inputs.warnings.append(f"{file.path}: {error.message}")
            return TemplateFacts(dependencies=JinjaDependencies((), (), True), reasons=(error.message,))

    def _python(self, file: SourceFile) -> TemplateFacts:
        """Return the references and settings of a Python model, from its `dbt.…` calls."""
        refs: dict[Any, None] = {}
        sources: dict[Any, None] = {}
        config: dict[str, Json] = {}
        reasons: list[str] = []
        tree = _python_tree(file, self.inputs.warnings, is_model=file in self.package.models)
        for call in _python_calls(tree):
            called = ast.unparse(call.func) if isinstance(call.func, ast.Attribute) else ""
            try:
                args = [ast.literal_eval(arg) for arg in call.args]
                named = {str(pair.arg): ast.literal_eval(pair.value) for pair in call.keywords}
            except (ValueError, TypeError):
                if called in ("dbt.ref", "dbt.source"):
                    reasons.append(f"line {call.lineno}: {called}() of a name that only running knows")
                continue
            version = named.get("version") or named.get("v")
            if called == "dbt.ref" and args:
                package = str(args[0]) if len(args) > 1 else None
                refs[(package, str(args[-1]), None if version is None else str(version))] = None
            elif called == "dbt.source" and len(args) == 2:
                sources[(str(args[0]), str(args[1]))] = None
            elif called == "dbt.config":
                config |= named
        dependencies = JinjaDependencies(tuple(refs), tuple(sources), bool(reasons))
        return TemplateFacts(dependencies=dependencies, reasons=tuple(reasons), config=config)

    def _config(
        self,
        kind: str,
        fqn: tuple[str, ...],
        description: Description | None,
        version: Mapping[str, Json] | None,
        facts: TemplateFacts,
    ) -> tuple[dict[str, Json], dict[str, Json]]:
        """Return the node's settings by all files, and templates of others that need rendering."""
        described = description.config if description else {}, _config_of(version or {}, ("access",))
        found, templates = evaluated([*self._levels(SECTIONS.get(kind, ""), fqn), *described], self.fold)
        merge(found, facts.config)
        # The setting of one branch must not look like that of the node.
        for name in facts.unsure:
            found.pop(name, None)
        if kind in _DEFAULT:
            unsure = "materialized" in facts.unsure
            found.setdefault("materialized", None if unsure else _DEFAULT[kind])
        return found, templates

    def _levels(self, section: str, fqn: tuple[str, ...]) -> Iterator[dict[str, Json]]:
        """Yield the settings of dbt_project.yml for the node with *fqn*, the deciding ones last."""
        # The root project overrides the settings of an installed package.
        own = () if self.package is self.inputs.root else (self.package.settings,)
        for settings in (*own, self.inputs.root.settings):
            yield from configured(settings.trees.get(section), fqn)

    def _node(
        self,
        kind: str,
        unique_id: str,
        name: str,
        fqn: tuple[str, ...],
        config: dict[str, Json],
        description: Description | None,
        path: str,
    ) -> NodeMetadata:
        # dbt's own `generate_alias_name` appends the version.
        version = f"_{fqn[-1]}" if fqn[-1] != name else ""
        identifier = str(config.get("alias") or f"{name}{version}")
        # dbt uses this schema without adding that of the target.
        custom = config.get("target_schema") if kind == "snapshot" else None
        place = self.inputs.place
        schema = str(custom) if custom else place.schema_of(_text(config.get("schema")))
        database = _text(config.get("database")) or _text(config.get("target_database")) or place.database
        # A function has a name, but is not a relation.
        is_relation = kind in SECTIONS.keys() - {"function"} and config.get("materialized") != "ephemeral"
        tags = config.get("tags") or ()
        columns = description.columns if description else ()
        return NodeMetadata(
            unique_id=unique_id,
            name=name,
            resource_type=kind,
            package_name=self.package.name,
            path=path,
            fqn=fqn,
            database_name=database if kind in SECTIONS else None,
            schema_name=schema if kind in SECTIONS else None,
            identifier=identifier,
            relation_name=relation_name(database, schema, identifier, self.inputs.dialect)
            if is_relation
            else None,
            materialized=_text(config.get("materialized")),
            config=config,
            columns=columns,
            columns_from="manifest" if columns else None,
            description=description.text if description else "",
            tags=tuple(map(str, [tags] if isinstance(tags, str) else tags)),
            meta=config["meta"] if isinstance(config.get("meta"), dict) else {},
            access=_text(config.get("access")),
            group_name=_text(config.get("group")),
            contract=contract if (contract := _contract(config.get("contract"))) else None,
            properties={"patch_path": description.patch_path, **description.properties}
            if description
            else {},
        )

    def _seed(self, relative: str, path: Path) -> Draft:
        name = path.stem
        fqn = (self.package.name, *Path(relative).parts[1:-1], name)
        description = self.package.properties.described.get(("seeds", name))
        config, templates = self._config("seed", fqn, description, None, NOTHING)
        unique_id = f"seed.{self.package.name}.{name}"
        node = self._node("seed", unique_id, name, fqn, config, description, relative)
        columns, code = self._seed_columns(path, relative, config, node.columns)
        properties = {**node.properties, SEED_HEADER: [column.name for column in columns]} if code else {}
        node = replace(
            node,
            columns=columns,
            columns_from="catalog" if columns else None,
            code_hash=code,
            unrendered_config=templates,
            properties=properties or node.properties,
        )
        return Draft(node=node, facts=NOTHING, is_enabled=config.get("enabled") is not False)

    def _seed_columns(
        self, path: Path, relative: str, config: Mapping[str, Json], documented: tuple[Column, ...]
    ) -> tuple[tuple[Column, ...], str | None]:
        """Return the columns in the file's header, with their documentation, and the file's hash."""
        known = {column.name.lower(): column for column in documented}
        types = config.get("column_types") if isinstance(config.get("column_types"), dict) else {}
        try:
            names, code = header_of(path, config), file_hash(path)
        except (OSError, csv.Error) as error:
            self.inputs.warnings.append(f"{relative} cannot be read: {error}")
            return documented, None
        return tuple(
            known.get(name.lower()) or Column(name=name, type=_text((types or {}).get(name)))
            for name in names
        ), code

    def _source(self, table: SourceTable) -> tuple[NodeMetadata, bool]:
        block, entry = table.block, table.entry
        given = {**_config_of(block), **_config_of(entry)}
        fqn = (self.package.name, *Path(table.path).parts[1:-1], table.source, table.table)
        config, templates = evaluated([*self._levels("sources", fqn), given], self.fold)
        schema = self._folded(block.get("schema")) or table.source
        named = entry.get("database") or block.get("database")
        # A name that cannot be rendered is another one than that of the target.
        database = self._folded(named) if named else self.inputs.place.database
        identifier = self._folded(entry.get("identifier")) or table.table
        columns = columns_of(entry)
        tags = [tag for one in (block, entry, config) for tag in _as_list(one.get("tags"))]
        is_enabled = config.get("enabled") is not False
        # Of a disabled node, only what is written is compared.
        written = {"unrendered_database": named, "unrendered_schema": block.get("schema")}
        node = NodeMetadata(
            unique_id=f"source.{self.package.name}.{table.source}.{table.table}",
            name=table.table,
            resource_type="source",
            package_name=self.package.name,
            path=table.path,
            fqn=fqn,
            database_name=database,
            schema_name=schema,
            identifier=identifier,
            relation_name=_source_relation(self.inputs, table, (database, schema, identifier)),
            config=config,
            unrendered_config=templates,
            columns=columns,
            columns_from="manifest" if columns else None,
            description=str(entry.get("description") or ""),
            tags=tuple(dict.fromkeys(map(str, tags))),
            source_name=table.source,
            properties=_source_properties(block, entry) | ({} if is_enabled else written),
        )
        return node, is_enabled

    def _folded(self, value: Json) -> str | None:
        text = folded(value, self.fold) if isinstance(value, str) else value
        return None if text is None or text is UNSURE else str(text)


def _failing(
    tests: Mapping[GenericTest, str], macros: Sequence[MacroMetadata], subjects: Container[str]
) -> Iterator[tuple[SourceFile, str, dict[str, Json]]]:
    """Yield the call, name and properties of each of *tests* of *subjects* that dbt cannot build."""
    # The project's own macros come first, and are called instead of those of a package.
    known = {macro.name: macro for macro in reversed(macros)}
    for test, path in tests.items():
        name = f"test_{test.name}"
        is_known = name in known or test.name in OWN_TESTS
        refused = _refused_arguments(test, known.get(name)) if is_known else []
        missing = None if name in known else missing_argument(test.name, test.arguments)
        problem = f"it passes '{refused[0]}', which is no argument of {name}" if refused else missing
        # Those of a package have its name, and a package may not be installed.
        if not test.name.isidentifier() or test.subject not in subjects or (is_known and not problem):
            continue
        properties: dict[str, Json] = {"test_metadata": {"name": test.name, "kwargs": {}}}
        if problem:
            properties[BUILD_FAILURE] = {"problem": problem, "place": path}
        text = f"{name}({', '.join(refused)})"
        call = SourceFile(path=path, text=text if problem else f"{{{{ {text} }}}}")
        yield call, "_".join([test.name, test.subject, *refused]), properties


def _refused_arguments(test: GenericTest, macro: MacroMetadata | None) -> list[str]:
    """Return the arguments of *test* that *macro*, or else dbt's own test, does not have."""
    header = macro.macro_sql.partition("%}")[0] if macro else _OWN_HEADERS[test.name]
    found = _PARAMETERS.fullmatch(header)
    # A body with `kwargs` accepts any, and defaults with parentheses or commas are not read.
    if found is None or (macro and _ANY_ARGUMENTS.search(macro.macro_sql)):
        return []
    parameters = {one.partition("=")[0].strip() for one in found[1].split(",")}
    return sorted(test.arguments - parameters)


def _python_tree(file: SourceFile, warnings: list[str], *, is_model: bool) -> ast.Module:
    """Return the code of *file*; an empty one, and a warning, if it is not valid."""
    try:
        tree = ast.parse(file.text, file.path)
    except (SyntaxError, ValueError, RecursionError) as error:
        text = f"{file.path} is not valid Python: {error}"
        is_refused = isinstance(error, SyntaxError) and is_model
        warnings.append(DbtRefusal.of(file.path, text) if is_refused else text)
        return ast.Module(body=[], type_ignores=[])
    if is_model and tree.body and (problem := _refused_python(tree)):
        warnings.append(DbtRefusal.of(file.path, f"{file.path} {problem}"))
    return tree


def _refused_python(tree: ast.Module) -> str | None:
    """Return why dbt's parser refuses *tree*, the code of a model; None if it accepts it."""
    models = [node for node in _outside_functions(tree) if node.name == "model"]
    if len(models) != 1:
        return f"has {len(models)} functions 'model'" if models else "has no function 'model'"
    names, last = [one.arg for one in models[0].args.args], models[0].body[-1]
    if len(names) != 2 or names[0] != "dbt":
        return "has a function 'model' whose arguments are not dbt and a session"
    if not isinstance(last, ast.Return) or isinstance(last.value, ast.Tuple):
        return "has a function 'model' that does not end with the return of one data frame"
    for call in _python_calls(tree):
        called = ast.unparse(call.func) if isinstance(call.func, ast.Attribute) else ""
        try:
            for value in (*call.args, *(pair.value for pair in call.keywords)) if called in _READ else ():
                ast.literal_eval(value)
        except (ValueError, TypeError):
            return f"calls {called}() in line {call.lineno} with a value that only running knows"
    return None


def _outside_functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Yield the functions of *tree* that are not inside another one."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef):
            yield node
        else:
            waiting += ast.iter_child_nodes(node)


def _python_calls(tree: ast.Module) -> Iterator[ast.Call]:
    """Yield the calls of *tree* that dbt's parser finds: not all of those inside another call."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            yield node
            waiting += [one for one in _inside(node) if isinstance(one, ast.Call)]
        else:
            waiting += reversed([*ast.iter_child_nodes(node)])


def _inside(call: ast.Call) -> Iterator[ast.AST]:
    """Yield the arguments of *call*, the members of those, and the object of which it is a method."""
    for one in (*call.args, *(pair.value for pair in call.keywords)):
        yield one
        if isinstance(one, (ast.List, ast.Tuple)):
            yield from one.elts
        elif isinstance(one, ast.Dict):
            yield from one.values
        elif isinstance(one, ast.JoinedStr):
            yield from (part.value for part in one.values if isinstance(part, ast.FormattedValue))
    inner: ast.AST = call.func
    while isinstance(inner, ast.Attribute):
        inner = inner.value
    if inner is not call.func:
        yield inner


def _yaml_snapshot(path: str, entry: Mapping[str, Json]) -> SourceFile:
    """Return the SQL of a snapshot that YAML defines."""
    relation = str(entry["relation"])
    arguments = ", ".join(f"{key}={value!r}" for key, value in (entry.get("config") or {}).items())
    config = f"{{{{ config({arguments}) }}}}\n" if arguments else ""
    return SourceFile(path=path, text=config + _EVERYTHING.replace("RELATION", relation))


def _latest(description: Description) -> str | None:
    """Return the version for a `ref` without one: the declared latest version, else the highest."""
    if description.latest_version is not None:
        return description.latest_version
    numbers = [one["v"] for one in description.versions]
    # Numbers and text cannot be compared.
    return str(max(numbers, key=lambda number: (isinstance(number, (int, float)), number), default=None))


def _config_of(entry: Mapping[str, Json], keys: Sequence[str] = ("enabled", "meta")) -> dict[str, Json]:
    config = entry.get("config")
    return {
        **{key: entry[key] for key in keys if key in entry},
        **(config if isinstance(config, dict) else {}),
    }


def _source_properties(block: Mapping[str, Json], entry: Mapping[str, Json]) -> dict[str, Json]:
    found = {
        key: entry.get(key, block.get(key)) for key in ("loader", "loaded_at_field", "freshness", "quoting")
    }
    found |= {"source_description": block.get("description"), "external": entry.get("external")}
    return {key: value for key, value in found.items() if value}


def _source_relation(inputs: Inputs, table: SourceTable, parts: tuple[str | None, str, str]) -> str:
    """Return the relation's name, quoted as the table, its source, the project or else the adapter says."""
    default = (warehouse_of_adapter(inputs.dialect or "") or Warehouse).quotes_relations
    given = [one.get("quoting") for one in (inputs.root.settings.others, table.block, table.entry)]

    def is_quoted(part: str) -> bool:
        values = [one[part] for one in given if isinstance(one, dict) and isinstance(one.get(part), bool)]
        return values[-1] if values else default

    quoted = is_quoted("database"), is_quoted("schema"), is_quoted("identifier")
    return relation_name(*parts, inputs.dialect, quoted)


def _as_list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _contract(value: Json) -> dict[str, Json] | None:
    return value if isinstance(value, dict) and value.get("enforced") is True else None


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) and value else None
