"""Commands `worker` and `runner build`, which extract connected repositories."""

from __future__ import annotations

import click

from recce_meta.cli.commands.connection import show_help, state_option
from recce_meta.cli.lazy import lazy, packed
from recce_meta.cli.options import DIRECTORY, connecting, log_format_option

ENGINES = ("docker", "podman")
_SECONDS = click.FloatRange(min=1)
_GIGABYTES = click.FloatRange(min=0, min_open=True)

engine_option = click.option(
    "--container-engine",
    type=click.Choice(ENGINES),
    default=ENGINES[0],
    show_default=True,
    help="Program that runs containers.",
)
image_option = click.option(
    "--runner-image",
    metavar="NAME",
    default="recce-meta-runner",
    show_default=True,
    help="Name of the images with dbt, without a tag; one with a slash is pulled from its registry.",
)
work_option = click.option(
    "--work-dir",
    type=DIRECTORY,
    help="Folder of checkouts, mirrors and environments of dbt. [default: in the user's cache folder]",
)
worker_options = packed(
    "extraction",
    "recce_meta.cli.run.worker:WorkerOptions",
    click.option(
        "--worker-name", metavar="NAME", help="Unique name of the worker. [default: host name and a number]"
    ),
    click.option(
        "--jobs",
        "concurrent_jobs",
        type=click.IntRange(1, 64),
        default=2,
        show_default=True,
        help="Number of extractions that the worker runs at the same time.",
    ),
    work_option,
    click.option(
        "--repository-size",
        type=_GIGABYTES,
        default=2,
        show_default=True,
        help="Gigabytes of one repository at most.",
    ),
    click.option(
        "--mirrors-size",
        type=_GIGABYTES,
        default=20,
        show_default=True,
        help="Gigabytes of mirrors and packages of all repositories at most; the oldest are removed.",
    ),
    click.option(
        "--environments-size",
        type=_GIGABYTES,
        default=8,
        show_default=True,
        help="Gigabytes of all environments of dbt at most; the least recently used are removed.",
    ),
    click.option(
        "--parse-cpu",
        type=_SECONDS,
        default=600,
        show_default=True,
        help="Seconds of CPU of dbt parse at most; forks get a quarter.",
    ),
    click.option(
        "--deps-cpu",
        type=_SECONDS,
        default=120,
        show_default=True,
        help="Seconds of CPU of dbt deps at most; forks get a quarter.",
    ),
    engine_option,
    image_option,
    click.option(
        "--metrics-address",
        metavar="HOST:PORT",
        help="Address at which metrics for Prometheus need no token. [default: none]",
    ),
    click.option(
        "--package-hub", metavar="URL", help="Address of the hub of dbt packages. [default: dbt's own]"
    ),
)
"""Decorator that adds the options of a worker."""


@click.command()
@connecting
@state_option
@worker_options
@log_format_option
@lazy("recce_meta.cli.run.worker:worker")
def worker() -> None:
    """Run extractions of connected repositories, until Ctrl-C.

    Start any number of workers, also on other machines if the state is in PostgreSQL. They share the jobs,
    and take over those of a worker that stops. Runs are recorded in the store of the connection options, or
    in those of `stores` in recce_meta.yml.
    """


@click.group(invoke_without_command=True)
@click.pass_context
def runner(context: click.Context) -> None:
    """Build the container images in which workers run dbt."""
    show_help(context)


@runner.command()
@click.option("--dbt", "minor", metavar="MINOR", required=True, help="Minor version of dbt, such as 1.10.")
@click.option("--adapter", metavar="NAME", required=True, help="Adapter of dbt, such as snowflake.")
@engine_option
@image_option
@lazy("recce_meta.cli.run.worker:build")
def build() -> None:
    """Build the image for one minor version of dbt and one adapter.

    The Dockerfile is part of recce-meta. The tag of the image is dbtMINOR-ADAPTER.
    """
