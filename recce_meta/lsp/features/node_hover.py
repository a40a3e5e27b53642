"""Markdown about the nodes, macros and variables that a template names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from recce_meta.lsp.features.markdown import (
    code,
    columns_block,
    counted,
    cut,
    escaped,
    fenced,
    listed,
    short_time,
)
from recce_meta.lsp.project.artifact_times import times_of
from recce_meta.lsp.project.macro_docs import macro_docs
from recce_meta.lsp.text.file_texts import columns_of
from recce_meta.models import NodeMetadata
from recce_meta.models.marks.annotation import Annotation
from recce_meta.redaction import MASK, is_secret, without_passwords

if TYPE_CHECKING:
    from recce_meta.lsp.documents import TextView
    from recce_meta.lsp.project.index import ProjectIndex
    from recce_meta.lsp.text.template import TagCall

MANIFEST = "manifest"
"""End of the id of a run that was read from dbt's manifest alone."""
LONGEST_WORDS = 80
"""Number of characters of the author and the subject of a commit to show."""
LONGEST_VALUE = 300
"""Number of characters of a variable's value to show."""


def of_call(view: TextView, call: TagCall) -> str | None:
    """Return the text about *call*; None if nothing is known about it."""
    name = call.name.removeprefix("builtins.")
    if name == "env_var":
        return _of_environment(call)
    index = view.index
    if index is None:
        return None
    if name in ("ref", "source", "this"):
        node = index.relation(call, view.package, view.node)
        if node is not None:
            return of_node(view, node)
        problem = index.problem(call, view.package)
        return None if problem is None else escaped("; ".join(filter(None, problem)))
    if name == "var":
        return _of_variable(index, call, view.package)
    if name == "config":
        return _of_config(view)
    return _of_macro(index, call.name, view.package)


def of_node(view: TextView, node: NodeMetadata) -> str | None:
    """Return the text about *node*, which may have few fields."""
    index = view.index
    found = index.node(node.unique_id) if index is not None else None
    if index is None or found is None:
        return None
    relation = code(found.relation_name) if found.relation_name else ""
    kind = " ".join(filter(None, [found.materialized or "", found.resource_type]))
    if found.materialized == found.resource_type:
        kind = found.resource_type
    name = f"{found.source_name}.{found.name}" if found.source_name else found.label
    parts = [" · ".join(filter(None, [f"**{code(name)}**", escaped(kind), relation]))]
    if found.description.strip():
        parts.append(escaped(found.description))
    types, are_all = columns_of(view, found.unique_id)
    if types:
        parts.append(columns_block(types.items()))
    if not are_all:
        parts.append("It may have further columns." if types else "Its columns are unknown.")
    parts.append(" · ".join(_figures(index, found)))
    parts += annotated(index.annotations(found.unique_id), None)
    parts += last_change(view, found)
    if found.package_name != index.run.project_name:
        parts.append(f"Package {code(found.package_name)}")
    age = types_as_of(index, found) if any(types.values()) else None
    parts.append(f"*{as_of_run(index)}{f'; types {age}' if age is not None else ''}*")
    return "\n\n".join(parts)


def as_of_run(index: ProjectIndex) -> str:
    """Return the note about the age of everything that is not in the text.

    The age of a manifest is that of dbt's run, which may be long before it was read.
    """
    written = times_of(index.run.run_id).manifest
    if written is None:
        return f"as of run {short_time(index.run.run_at)}"
    is_alone = index.run.run_id.endswith(f"-{MANIFEST}")
    rest = "" if is_alone else f", and the files that changed since, read {short_time(index.run.run_at)}"
    return f"as of run {short_time(written)} (dbt's manifest){rest}"


def types_as_of(index: ProjectIndex, node: NodeMetadata) -> str | None:
    """Return the age of the types of *node*, which has all fields, if they are older than the manifest."""
    times = times_of(index.run.run_id)
    is_older = times.catalog and times.manifest and times.catalog < times.manifest
    # Only dbt's nodes have a checksum; a property file has the types of others.
    is_dbts = node.checksum is not None or node.resource_type in ("source", "seed")
    if times.catalog is None or not (is_older and is_dbts):
        return None
    return f"as of the catalog of {short_time(times.catalog)}"


def last_change(view: TextView, node: NodeMetadata) -> Iterator[str]:
    """Yield the last commit of the file of *node*, and whether the file or its open text differ from it."""
    found = view.index.last_change(node) if view.index is not None else None
    if found is None:
        return
    if view.node is not None and node.unique_id == view.node.unique_id:
        is_edited = found.is_edited(view.document.text)
    else:
        other = view.others.get(node.unique_id)
        is_edited = found.is_edited(other.text or None if other is not None else None)
    commit = found.commit
    when = f"{commit.time:%Y-%m-%d} " if commit.time is not None else ""
    who = escaped(f"by {commit.author or 'unknown'}", LONGEST_WORDS)
    subject = f", “{escaped(commit.subject, LONGEST_WORDS)}”" if commit.subject else ""
    since = "; edited since" if is_edited else ""
    yield f"Last change of the file of {code(node.label)}: {when}{who}{subject} ({commit.sha[:7]}){since}"


def _figures(index: ProjectIndex, node: NodeMetadata) -> Iterator[str]:
    if node.resource_type not in ("source", "seed"):
        yield counted(len(node.parents), "parent")
    yield counted(len(index.readers(node.unique_id)), "reader")
    tests = index.tests(node.unique_id)
    if tests:
        counts = Counter(map(_kind_of_test, tests))
        kinds = [
            f"{count}× {code(kind)}" if count > 1 else code(kind) for kind, count in counts.most_common()
        ]
        yield f"{counted(len(tests), 'test')}: {listed(kinds)}"
    if node.tags:
        yield f"tags: {listed([code(tag) for tag in node.tags])}"


def _kind_of_test(test: NodeMetadata) -> str:
    metadata = test.properties.get("test_metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else test.name


def annotated(annotations: Sequence[Annotation], column: str | None) -> Iterator[str]:
    """Yield the owners, tags and note that people gave to *column*, or to the node if it is None."""
    for one in annotations:
        if one.parent_id is not None or (one.column_name or "").lower() != (column or "").lower():
            continue
        if one.owners:
            yield f"Owner: {listed([escaped(owner, 80) for owner in one.owners])}"
        if one.tags:
            yield f"Tags of users: {listed([escaped(tag, 80) for tag in one.tags])}"
        if one.note:
            yield f"Note: {escaped(one.note)}"


def _of_macro(index: ProjectIndex, name: str, package: str) -> str | None:
    macro = index.macro(name, package)
    if macro is None:
        return None
    docs = macro_docs(index, macro)
    parts = [fenced(cut(f"macro {docs.signature}", 1_000), "jinja")]
    if docs.description:
        parts.append(escaped(docs.description))
    arguments = [
        f"- {code(one.name)}"
        + (f" {code(one.type)}" if one.type else "")
        + (f": {escaped(one.description, 200)}" if one.description else "")
        for one in docs.arguments
    ]
    if arguments:
        parts.append("\n".join(arguments))
    place = index.macro_place(macro)
    file = place[0] if place is not None else None
    if file is not None and file.is_relative_to(index.root):
        file = file.relative_to(index.root)
    where = f"Package {code(macro.package_name)}"
    parts.append(f"{where} · {code(file.as_posix())}" if file is not None else where)
    return "\n\n".join(parts)


def _of_variable(index: ProjectIndex, call: TagCall, package: str) -> str | None:
    given = [argument.value for argument in call.arguments if argument.name is None]
    name = given[0] if given else None
    if not isinstance(name, str):
        return None
    title = f"**{code(name)}** · variable"
    known = index.variable(name, package)
    if known is None:
        has_default = len(given) > 1 or any(argument.name == "default" for argument in call.arguments)
        default = "The default of the call counts, unless `--vars` sets it." if has_default else ""
        return "\n\n".join(filter(None, [title, "Not set in dbt\\_project.yml.", default]))
    value, path, line = known
    parts = [title, fenced(_value_text(name, value), "yaml")]
    if path is not None:
        file = path.relative_to(index.root) if path.is_relative_to(index.root) else path
        parts.append(f"Set in {code(file.as_posix())}, line {line + 1:,}. `--vars` may replace it.")
    return "\n\n".join(parts)


def _value_text(name: str, value: object) -> str:
    if is_secret(name):
        return MASK
    encoded = msgspec.json.encode(value, enc_hook=str).decode("utf-8", "replace")
    return cut(without_passwords(value if isinstance(value, str) else encoded), LONGEST_VALUE)


def _of_environment(call: TagCall) -> str | None:
    name = call.arguments[0].value if call.arguments else None
    if not isinstance(name, str):
        return None
    return f"**{code(name)}** · environment variable\n\nIts value is not shown."


def _of_config(view: TextView) -> str | None:
    if view.index is None or view.node is None:
        return None
    node = view.node
    settings = [
        f"materialized: {code(node.materialized)}" if node.materialized else "",
        f"schema: {code(node.schema_name)}" if node.schema_name else "",
        f"alias: {code(node.identifier)}" if node.identifier and node.identifier != node.name else "",
        f"tags: {listed([code(tag) for tag in node.tags])}" if node.tags else "",
    ]
    shown = " · ".join(filter(None, settings))
    return f"Configuration of {code(node.label)}\n\n{shown}\n\n*{as_of_run(view.index)}*" if shown else None
