"""Commands `note` and `notes`: annotations of nodes, columns and edges."""

from __future__ import annotations

import click

from recce_meta.cli.lazy import lazy, packed, together
from recce_meta.cli.options import connecting, format_option, project_option, run_option

parent_option = click.option(
    "--from", "parent", metavar="PARENT[.COLUMN]", help="Parent: the note is about the edge from it to NODE."
)
"""Option that names an edge by its parent; the argument is the node or column that reads it."""

editing = packed(
    "options",
    "recce_meta.cli.run.note:EditOptions",
    together(
        click.option("--delete", is_flag=True, help="Delete the note; tags and owners stay."),
        click.option("--tag", "tags", multiple=True, help="Tag to add. Repeatable."),
        click.option("--untag", multiple=True, metavar="TAG", help="Tag to remove. Repeatable."),
        click.option("--owner", "owners", multiple=True, help="Owner to add. Repeatable."),
        click.option(
            "--remove-owner",
            "remove_owners",
            multiple=True,
            metavar="OWNER",
            help="Owner to remove. Repeatable.",
        ),
        click.option("--author", help="Author of the change. [default: git's user, else the login name]"),
    ),
)
"""Decorator that adds the changes to make and passes them as one argument, `options`."""


@click.command()
@connecting
@click.argument("node", metavar="NODE[.COLUMN]")
@click.argument("text", required=False)
@parent_option
@editing
@run_option
@project_option
@format_option("table", "json")
@lazy("recce_meta.cli.run.note:note")
def note() -> None:
    """Set or delete the note, tags and owners of a node, column or edge.

    TEXT becomes the note. Prints what is stored now; without a change, it only prints. Annotations belong to
    the project, so later runs have them too. The argument is NODE, or NODE.COLUMN such as orders.amount.
    NODE is a name (orders, shop.raw_orders for a source) or a unique id.
    """


@click.command()
@connecting
@click.argument("node", required=False, metavar="[NODE[.COLUMN]]")
@parent_option
@click.option("--history", is_flag=True, help="List every value, also earlier and deleted ones.")
@run_option
@project_option
@format_option("table", "json")
@lazy("recce_meta.cli.run.note:notes")
def notes() -> None:
    """List the notes, tags and owners of nodes, columns and edges.

    NODE also lists those of its columns, and of the edges that lead to it. Nodes that no run has any more
    keep theirs.
    """
