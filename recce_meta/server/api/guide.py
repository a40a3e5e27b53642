"""Guide to the API as pages, and its rows for the documentation: both are made from the OpenAPI document."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from recce_meta.report.addresses import DEFAULT_STORE
from recce_meta.server.api.openapi import COMPONENTS
from recce_meta.server.site.rendering import Page

Schema = dict[str, Any]


class GuideField(NamedTuple):
    """Parameter of a route, or field of a schema."""

    name: str
    type: str
    """Type in words of JSON."""
    kinds: Sequence[str]
    """Names of the schemas that the type refers to."""
    text: str
    """Description, with its default and limits."""
    is_required: bool


class Operation(NamedTuple):
    """One route."""

    anchor: str
    method: str
    """Method of HTTP: GET, POST, …"""
    path: str
    title: str
    text: str
    """Further paragraphs of its description."""
    parameters: Sequence[GuideField]
    kinds: Sequence[str]
    """Names of the schemas of the answer, or of the items of its pages; empty for a file."""
    is_list: bool
    body: str | None
    """Name of the schema of the request's body; None without one."""
    example: str
    """Path and query of an example."""


class ExampleSubject(NamedTuple):
    """What a store has for the examples."""

    project: str | None = None
    """Project of the latest run if the store has several projects; selectors need it then."""
    node: str | None = None
    """Unique id of a node of the latest run."""
    lacks: tuple[str, ...] = ()
    """Contents that it does not have, by the part of the path after the store's name: `quality`, `tables`."""


class OperationGroup(NamedTuple):
    """Routes about one subject."""

    name: str
    operations: Sequence[Operation]


def operation_groups(document: Schema) -> list[OperationGroup]:
    """Return the routes of the OpenAPI *document* by subject, in their order."""
    found: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            found.setdefault(described["tags"][0], []).append(_operation(method, path, described))
    return [OperationGroup(name, operations) for name, operations in found.items()]


def _operation(method: str, path: str, described: Schema) -> Operation:
    title, _, text = described["description"].partition("\n\n")
    answer = next(one for status, one in described["responses"].items() if status.startswith("2"))
    # FastAPI adds a schema without contents to a file, such as a bundle.
    schema = answer["content"].get("application/json", {}).get("schema", {})
    is_list = "properties" in schema
    reference = schema["properties"]["items"]["items"] if is_list else schema
    body = described.get("requestBody")
    # Anchors are part of links: they must stay the same, and need no escapes.
    name = path.removeprefix("/api/").replace("/", "-").replace("{", "").replace("}", "")
    return Operation(
        anchor=name if method == "get" else f"{method}-{name}",
        method=method.upper(),
        path=path,
        title=title,
        text=text,
        # Parts of the path are in the path already.
        parameters=[_parameter(one) for one in described.get("parameters", ()) if one["in"] == "query"],
        kinds=[_name(one) for one in reference.get("anyOf", [reference]) if "$ref" in one],
        is_list=is_list,
        body=None if body is None else _name(body["content"]["application/json"]["schema"]),
        example=_example(path, described.get("parameters", ())),
    )


def failures_of(document: Schema) -> list[tuple[str, str]]:
    """Return status and description of all answers that are no success."""
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    found = {
        status: answer["description"]
        for one in operations
        for status, answer in one["responses"].items()
        if not status.startswith("2")
    }
    return sorted(found.items())


def _parameter(one: Schema) -> GuideField:
    schema = one["schema"]
    limits = [f"at least {schema['minimum']}"] if "minimum" in schema else []
    limits += [f"at most {schema['maximum']}"] if "maximum" in schema else []
    text = one.get("description", "").rstrip(".") + (f" ({', '.join(limits)})" if limits else "")
    text += "" if text.endswith("…") else "."
    if schema.get("default") is not None:
        text += f" Default: `{schema['default']}`."
    return GuideField(one["name"], type_text(schema), (), text, one.get("required", False))


def _example(path: str, parameters: Sequence[Schema]) -> str:
    """Return the address with an example of every required parameter."""
    given = {}
    for one in parameters:
        examples = one["schema"].get("examples") or [one.get("example", one["schema"].get("default"))]
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", str(examples[0]))
        elif one.get("required"):
            given[one["name"]] = examples[0]
    return path + (f"?{urlencode(given)}" if given else "")


def curl_command(
    address: str, *, method: str = "GET", body: str | None = None, has_token: bool = False
) -> str:
    """Return the command that sends a request to *address*; *body* names the schema of its file."""
    # Double quotes, because the shell must replace the variable: the token stays out of the history.
    header = ' -H "Authorization: Bearer $RECCE_META_TOKEN"' if has_token else ""
    verb = "" if method == "GET" else f" -X {method}"
    # `-T` streams the file, and `-d` would read a manifest of 200 MB into memory and drop line breaks.
    data = "" if body is None else f" -T {body}.json"
    return f"curl --compressed{verb}{header}{data} {shlex.quote(address)}"


def schema_fields(schema: Schema) -> list[GuideField]:
    """Return the fields of an object."""
    required = schema.get("required", ())
    return [
        GuideField(
            name, type_text(one), sorted(set(_kinds(one))), one.get("description", ""), name in required
        )
        for name, one in schema.get("properties", {}).items()
    ]


def type_text(schema: Schema) -> str:
    """Return the type of a value in words of JSON."""
    if "$ref" in schema:
        return _name(schema)
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return ", ".join(json.dumps(value) for value in schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(type_text(one) for one in schema[key]))
    if schema.get("type") == "array" and isinstance(schema.get("items"), dict):
        return f"array of {type_text(schema['items'])}"
    if isinstance(schema.get("type"), list):
        return " or ".join(schema["type"])
    return str(schema.get("type", "any"))


def _kinds(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield _name(schema)
        for value in schema.values():
            yield from _kinds(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _kinds(value)


def _name(reference: Schema) -> str:
    return str(reference["$ref"]).removeprefix(COMPONENTS)


_SELECTORS = {"run", "base", "measurement"}
"""Parameters that may match runs or measurements of several projects."""


def _own_example(one: Operation, store: str, subject: ExampleSubject) -> str:
    """Return the example of *one* for *subject* of *store*."""
    path, _, query = one.example.partition("?")
    given = dict(parse_qsl(query))
    # Without a default, the parameter is a filter, which matches runs of all projects.
    names = {parameter.name for parameter in one.parameters if "Default:" in parameter.text}
    if "node" in given and subject.node is not None:
        given["node"] = subject.node
    if subject.project is not None and names & _SELECTORS:
        given["project"] = subject.project
    path = path.replace(f"/api/stores/{DEFAULT_STORE}", f"/api/stores/{store}", 1)
    return path + (f"?{urlencode(given)}" if given else "")


def _has_example(one: Operation, subject: ExampleSubject) -> bool:
    """Return True if the example of *one* can be opened: a GET of contents that the store has."""
    of_store = one.path.partition("{store}/")[2].partition("/")[0]
    return one.method == "GET" and of_store not in subject.lacks


def guide_page(document: Schema, server: str, store: str | None, subject: ExampleSubject) -> Page:
    """Return the page that describes all routes; examples ask *server* for *subject* of *store*."""
    groups = operation_groups(document)
    examples = {
        one.anchor: _own_example(one, store or DEFAULT_STORE, subject)
        for group in groups
        for one in group.operations
    }
    commands = {
        one.anchor: curl_command(server + examples[one.anchor], method=one.method, body=one.body)
        for group in groups
        for one in group.operations
    }
    values = {
        "groups": groups,
        "examples": examples,
        "with_examples": {
            one.anchor for group in groups for one in group.operations if _has_example(one, subject)
        },
        "commands": commands,
        "kinds": sorted(document["components"]["schemas"]),
        "failures": failures_of(document),
        "with_token": curl_command(f"{server}/api/stores", has_token=True),
        "notes": [" ".join(note.split()) for note in document["info"]["description"].split("\n- ")],
    }
    return Page("api_guide.html", "API", values)


def schema_page(document: Schema, kind: str) -> Page | None:
    """Return the page of the schema *kind*; None if it does not exist."""
    schema = document["components"]["schemas"].get(kind)
    if schema is None:
        return None
    known = document["components"]["schemas"]
    values = {
        "schema": schema,
        # Split at words, so that the template can link those that are names of schemas.
        "fields": [(field, re.split(r"\b", field.type)) for field in schema_fields(schema)],
        "known": known,
        "options": sorted(set(_kinds(schema.get("oneOf") or schema.get("anyOf") or ()))),
        "type": type_text(schema),
    }
    return Page("api_schema.html", kind, values, crumbs=(("API", "/api/docs"),))
