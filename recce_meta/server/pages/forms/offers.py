"""Data diffs that a page offers for a node or a column, and why it offers none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from recce_meta.api.browse.run import default_base
from recce_meta.api.data.option_texts import list_field
from recce_meta.api.data.places import data_places
from recce_meta.api.data.requests import DataDiffRequest, refuse_request
from recce_meta.api.runs import RunPair
from recce_meta.data_diff.options import declared_keys
from recce_meta.errors import UsageError
from recce_meta.models import NodeMetadata, RunMetadata
from recce_meta.models.catalog import RELATIONS
from recce_meta.models.diff_kinds import (
    COLUMNS,
    FIGURE_KINDS,
    KINDS,
    MOST_SERVED,
    QUERY,
    VALUE,
    DiffKind,
    Door,
    OptionType,
)
from recce_meta.models.node_types import WITH_ROWS
from recce_meta.report.labels import moment, short_run_id
from recce_meta.server.stores.stores import StoreView

ALLOW = "recce-meta serve --allow-queries"
"""Command that allows users of the pages to start data diffs."""
FIRST_ROWS = "select * from {{{{ {relation} }}}} limit 100"
# A name with quotes or braces would end the template's string.
_PLAIN_NAME = re.compile(r"[\w .-]+")


class FormField(NamedTuple):
    """Field of a form that a user may leave empty."""

    name: str
    """Name of the field in the form of `POST /s/STORE/queries`."""
    label: str
    placeholder: str = ""
    most: int | None = None
    """Largest number; None if the field is not a number."""


class Offer(NamedTuple):
    """Data diff that a form starts."""

    kind: str
    """Value of the field `kind`."""
    label: str
    about: str
    """What it reads and shows, in one sentence."""
    options: Sequence[FormField] = ()


OFFERS = tuple(
    Offer(
        kind.name,
        kind.label,
        kind.about,
        tuple(
            FormField(
                one.field_name,
                one.label,
                one.empty or str(one.default),
                one.most or MOST_SERVED if one.type is OptionType.WHOLE else None,
            )
            for one in kind.form
        ),
    )
    for kind in KINDS.values()
    if kind.about and not kind.reason(Door.FORM)
)
"""Data diffs of a node."""
OF_COLUMN = tuple(name for name, kind in KINDS.items() if kind.about and COLUMNS in kind.form)
"""Data diffs of a column."""

OF_PROFILE = tuple(FIGURE_KINDS)
"""Data diffs that describe columns, without comparing rows."""


class StartForms(NamedTuple):
    """Forms that a page shows for one node or column, or the reason why it shows none."""

    action: str
    """Address that the forms are sent to."""
    hidden: Sequence[tuple[str, str]]
    """Fields that the page determines: runs, node, column."""
    offers: Sequence[Offer]
    sides: str
    """Compared runs in words."""
    reason: str = ""
    """Why the page offers nothing."""
    editor: str | None = None
    """Address of the query editor with `first_rows`."""
    first_rows: str = ""
    """Query for the first rows of the node; empty if SQL cannot name it, or users may not run queries."""
    is_allowed: bool = True
    allow: str = ALLOW
    """Command that allows users to start data diffs."""
    column: str | None = None
    """The only column that the forms compare; None for all."""


def forms_of_pair(
    view: StoreView,
    base: RunMetadata,
    current: RunMetadata,
    sides: tuple[NodeMetadata | None, NodeMetadata | None],
    column: str | None = None,
) -> StartForms:
    """Return the forms for a node, given on both *sides*, or for one *column* of it."""
    node = sides[1] or sides[0]
    hidden = [("base", base.run_id), ("current", current.run_id)]
    offers: Sequence[Offer] = ()
    # Checked first: a data diff that must fail is never offered.
    reason, query = reason_against(*sides, is_one_place=_is_one_place(view, base, current)), ""
    if node is not None:
        hidden.append(("node", node.unique_id))
        if not reason:
            run = current if sides[1] else base
            offers = _offers(view, node, run, column)
            query = "" if withheld_reason(view, QUERY) else first_rows(node)
    if column is not None:
        # The form's field is a list: a name with a comma must be in quotes.
        hidden.append(("column", list_field(column)))
    return StartForms(
        action=view.to.queries(),
        hidden=hidden,
        offers=offers,
        sides=f"Base is {run_words(base)}; current is {run_words(current)}.",
        reason=reason,
        editor=view.to.query_editor(base.run_id, current.run_id, sql=query) if query else None,
        first_rows=query,
        column=column,
        is_allowed=view.store.permissions.queries,
    )


def forms_in_diff(
    view: StoreView, base: RunMetadata, current: RunMetadata, unique_id: str, column: str | None = None
) -> StartForms:
    """Return the forms for a node of a diff, or for one *column* of it."""
    before, after = (view.reader(run).nodes([unique_id]).get(unique_id) for run in (base, current))
    return forms_of_pair(view, base, current, (before, after), column)


def forms_of_run(
    view: StoreView, run: RunMetadata, node: NodeMetadata, column: str | None = None
) -> StartForms:
    """Return the forms for a *node* of one *run*, which is compared with its default base."""
    found = default_base(view.adapter, run)
    if found is None:
        reason = reason_against(node, node, is_one_place=False) or (
            "The store has no other run to compare this run with."
        )
        return StartForms(view.to.queries(), (), (), "", reason, is_allowed=view.store.permissions.queries)
    base = view.run(found.run_id)
    # Its relation may differ, although the node has the same id.
    before = view.reader(base).nodes([node.unique_id]).get(node.unique_id)
    forms = forms_of_pair(view, base, run, (before, node), column)
    why = f"the previous run of {run.environment}" if found.is_previous else "the latest run of base"
    return forms._replace(sides=f"Base is {why}, {run_words(base)}; current is this run.")


def run_words(run: RunMetadata) -> str:
    """Return `prod 1f0a22c4 of 2026-11-19 08:00 UTC`."""
    return f"{run.environment} {short_run_id(run.run_id)} of {moment(run.run_at)}"


def reason_against(base: NodeMetadata | None, current: NodeMetadata | None, *, is_one_place: bool) -> str:
    """Return why the data of a node cannot be compared, in a sentence; empty if they can.

    With *is_one_place*, both runs have their data in one database.
    """
    node = current or base
    if node is None:
        return "Neither run has this node."
    if node.resource_type not in WITH_ROWS:
        return f"Nodes of the type {node.resource_type.replace('_', ' ')} have no rows to compare."
    # Before the check for a relation, so that the reason is exact.
    if node.is_ephemeral:
        return "dbt inlines this model into the SQL of its readers: it has no rows of its own to compare."
    if base is None or current is None:
        side = "base" if current is None else "current"
        return f"Only {side} has this node: the other run has no data to compare with."
    for name, side_node in (("base", base), ("current", current)):
        if side_node.relation_name is None:
            return f"In {name}, the node has no relation: it was not built, or is ephemeral."
    # Two runs of one environment overwrite the same table, whatever their code.
    if is_one_place and base.relation_name == current.relation_name:
        return (
            f"Both runs have the relation {current.relation_name}, which holds only its latest rows: "
            "a data diff would compare it with itself."
        )
    return ""


def _is_one_place(view: StoreView, base: RunMetadata, current: RunMetadata) -> bool:
    settings = view.store.queries.settings
    runs = RunPair(view.reader(base), view.reader(current))
    places = data_places(runs, settings.data_target, settings.base_target, settings.of_environment)
    return places.base == places.current


def withheld_reason(view: StoreView, kind: DiffKind, where: str | None = None) -> str:
    """Return why the server's privacy refuses data diffs of *kind*, in a sentence; empty if it does not."""
    try:
        # The rule for requests itself, so that pages never offer what it refuses.
        request = DataDiffRequest(kind=kind, base="", current="", where=where)
        refuse_request(request, view.store.queries.settings.rules.privacy)
    except UsageError as error:
        return f"{error.message}."
    return ""


def allowed_offers(view: StoreView) -> list[Offer]:
    """Return the data diffs that the server's privacy allows, without conditions if it refuses SQL."""
    hides_sql = bool(withheld_reason(view, VALUE, "true"))
    return [
        offer._replace(options=[one for one in offer.options if not (hides_sql and one.name == "where")])
        for offer in OFFERS
        if not withheld_reason(view, KINDS[offer.kind])
    ]


def _offers(view: StoreView, node: NodeMetadata, run: RunMetadata, column: str | None) -> list[Offer]:
    allowed = allowed_offers(view)
    if column is not None:
        return [
            offer._replace(options=[one for one in offer.options if one.name != "column"])
            for offer in allowed
            if offer.kind in OF_COLUMN
        ]
    # The placeholder shows the key that an empty field means.
    keys = declared_keys(node, view.reader(run).tests_of([node.unique_id]))
    if not keys:
        return allowed
    declared = FormField("key", "Key columns", f"{list_field(*keys[0].columns)} ({keys[0].source})")
    return [
        offer._replace(options=[declared if one.name == "key" else one for one in offer.options])
        for offer in allowed
    ]


def first_rows(node: NodeMetadata) -> str:
    """Return the query for the first rows of *node*; empty if SQL cannot name it."""
    parts = [node.name, *filter(None, (node.source_name, node.version))]
    # Scanned relations have no `ref` or `source`.
    if node.resource_type in RELATIONS or not all(map(_PLAIN_NAME.fullmatch, parts)):
        return ""
    if node.resource_type == "source":
        return FIRST_ROWS.format(relation=f'source("{node.source_name}", "{node.name}")')
    version = f", v={node.version!r}" if node.version else ""
    return FIRST_ROWS.format(relation=f'ref("{node.name}"{version})')
