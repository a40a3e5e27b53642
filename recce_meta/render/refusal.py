"""What a template cannot have here, because only a database or a running dbt knows it."""

from __future__ import annotations

from typing import Any, NoReturn

from recce_meta.errors import TemplateError
from recce_meta.render.attributes import TemplateObject

ASK_DATABASE = frozenset(
    [
        *("run_query", "statement", "noop_statement", "load_result", "store_result", "store_raw_result"),
        *("get_columns_in_query", "get_column_schema_from_query", "get_empty_schema_sql_from_query"),
        *("get_relations_by_pattern", "get_relations_by_prefix", "run_hooks", "load_agate_table"),
        "submit_python_job",
    ]
)
"""Names, some of them macros of dbt's, that ask the database."""
BELONG_TO_DBT = frozenset("write metric api_client defer_relation sql_now".split())
"""Names that need the whole of a running dbt."""


def database_error(name: str) -> TemplateError:
    """The error for *name*, which asks the database."""
    return TemplateError(
        f"'{name}' asks the database, and templates are rendered without one",
        name=name,
        needs_database=True,
        hint="compile the node with dbt (dbt compile) and use its compiled code, or write the answer "
        "into the template",
    )


def not_recorded(problem: str, name: str) -> TemplateError:
    """The error for what a catalog would tell, were there one."""
    return TemplateError(
        problem,
        name=name,
        needs_database=True,
        hint="record the run with its catalog.json (dbt docs generate)",
    )


def dbt_error(name: str) -> TemplateError:
    """The error for *name*, which only dbt itself has."""
    return TemplateError(
        f"'{name}' is known to a running dbt only",
        name=name,
        hint="compile the node with dbt (dbt compile) and use its compiled code",
    )


class Refused(TemplateObject):
    """A name that exists in dbt and not here: whatever is done with it is the same clear error."""

    __slots__ = ("error",)

    def __init__(self, error: TemplateError) -> None:
        self.error = error

    def _raise(self, *_: Any, **__: Any) -> NoReturn:
        raise self.error

    __call__ = __str__ = __iter__ = __bool__ = __len__ = __getitem__ = __eq__ = __contains__ = _raise

    __hash__ = TemplateObject.__hash__

    def refuse(self, name: str) -> TemplateError:
        """The same error."""
        return self.error
