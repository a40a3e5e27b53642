"""Kinds of data diffs and their options, each declared once.

Commands, requests of pages and of agents, forms, checks, words of reports and Python functions follow the
declaration. A door that lacks a kind or an option has a reason. A new kind needs an entry, a plan, a result
in `models.data_diff`, and a drawing of its body.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

from msgspec import Struct

from recce_meta.models.data_diff import PRECISIONS

MOST_SERVED = 1_000
"""Largest number of rows, values or bins of a request."""


class Door(str, Enum):
    """Way to ask for a data diff."""

    COMMAND = "command"
    REQUEST = "request"
    """Fields of `POST /s/STORE/queries`, and parameters of an address of the review."""
    FORM = "form"
    CHECK = "check"
    AGENTS = "agents"
    """Arguments of `compare_data`."""
    PYTHON = "Python"


class OptionType(str, Enum):
    """Type of the value of an option."""

    NAMES = "names"
    """Names of columns."""
    SQL = "sql"
    WHOLE = "whole"
    """Number from 1."""
    PERCENT = "percent"
    NUMBER = "number"
    """Number with the digits that are written."""
    CHOICE = "choice"
    """One of the words in `Option.choices`."""
    FLAG = "flag"
    CASTS = "casts"
    """Types by column: `price=decimal(12,2)`."""


class Option(NamedTuple):
    """Option of data diffs. *name* is that of the command, of requests and of Python."""

    name: str
    type: OptionType
    help: str
    """Help of the command."""
    label: str = ""
    """Label of a form's field; empty if no form has it."""
    noun: str = ""
    """What a kind lacks, in an error; *name* if empty."""
    default: int | None = None
    empty: str = ""
    """What an empty field of a form means, unless it is *default*."""
    most: int | None = None
    """Largest number; None for no limit except that of requests."""
    field: str = ""
    """Name in a form, an address and a request; *name* if empty."""
    checks: tuple[str, ...] = ()
    """Names in a file of checks, which is recce's; *name* if empty."""
    short: str = ""
    """Short form of the command's option."""
    choices: tuple[str, ...] = ()
    """Words of which an option of the type `CHOICE` is one."""
    lacks: Mapping[Door, str] = {}
    """Why a door lacks the option."""

    @property
    def field_name(self) -> str:
        """Name in a form, an address and a request."""
        return self.field or self.name


class Words(NamedTuple):
    """What reports call a type of data diff."""

    title: str
    claim: str = ""
    """Claim about nodes without a difference, after `with`; empty if no check has this type."""
    equal: str = ""
    """What is equal if no difference was found and everything was compared; the title if empty."""
    stored: str = ""
    """Name in a list of stored diffs; the title if empty."""


class Lack(NamedTuple):
    """Options of a kind that a door lacks, and why."""

    door: Door
    reason: str
    options: tuple[Option, ...] = ()
    """Empty if the door lacks the kind."""


class DiffKind(Struct, frozen=True, kw_only=True, eq=False):
    """Kind of data diff."""

    name: str
    title: str
    """Title of a result, before the name of the node."""
    label: str
    """Name in a list of kinds."""
    words: Words
    about: str = ""
    """What a diff of a node reads and shows, in one sentence; empty if the kind is not about a node."""
    options: tuple[Option, ...] = ()
    """Options in the order of the command."""
    number: Option | None = None
    """Number of values or bins that a kind of figures has; one of *options*."""
    form: tuple[Option, ...] = ()
    """Fields of a form, in their order."""
    shows_values: bool = False
    """True if it shows only values of columns."""
    lacks: tuple[Lack, ...] = ()
    diff: str
    """Type of the result and of its check: `top_k_diff`."""
    function: str = ""
    """Name of the Python function, if it is not *diff*."""
    command: str = ""
    """Name of the command: `top-k`."""
    help: str = ""
    """First line of the command's help, if the declaration makes the command."""

    def at(self, door: Door) -> tuple[Option, ...]:
        """Return the options at *door*."""
        return tuple(one for one in self.options if not self.reason(door, one))

    def reason(self, door: Door, option: Option | None = None) -> str:
        """Return why *door* lacks the kind, or one of its options; empty if it does not."""
        for lack in self.lacks:
            if lack.door is door and (not lack.options or option in lack.options):
                return lack.reason
        if option is None:
            return ""
        if door is Door.FORM and option not in self.form:
            return IN_REQUESTS
        return option.lacks.get(door, "")


class RowOptions(Struct, frozen=True, kw_only=True):
    """Options that choose what a comparison of rows compares, and which differences it ignores."""

    columns: tuple[str, ...] = ()
    """Columns to compare in addition to the key; empty for all."""
    exclude_columns: tuple[str, ...] = ()
    """Columns not to compare."""
    where: str | None = None
    """Condition on the rows of both sides, in the warehouse's SQL, sent unchanged."""
    sample: float | None = None
    """Share of keys to compare, in per cent; the same keys on both sides."""
    tolerance: float | Decimal | None = None
    """Absolute tolerance for equal numbers; None for 0."""
    relative_tolerance: float | Decimal | None = None
    """Relative tolerance for equal numbers, as a share of the larger one, as in PEP 485."""
    timestamp_precision: str | None = None
    """Unit to which points in time are truncated: one of PRECISIONS."""
    ignore_case: bool = False
    """True to compare texts in lower case, except those of the key."""
    ignore_trailing_blanks: bool = False
    """True to compare texts without trailing spaces."""
    cast: Mapping[str, str] | Sequence[tuple[str, str]] = ()
    """Types as which columns are compared, by column: `{"price": "decimal(12,2)"}`. Both sides are cast."""


def row_options(given: RowOptions) -> dict[str, Any]:
    """Return the options of *given* that choose what is compared, by name."""
    return {name: getattr(given, name) for name in RowOptions.__struct_fields__}


IN_REQUESTS = "a form has the fields that most comparisons need; a request has all"
_BY_SQL = "the query selects, filters, rounds and casts"
_PAGES = "an answer has pages of rows"
_SAYS_WHEN = "the answer says when its counts were stored"
_ALWAYS_NOW = "it always queries"

KEY = Option(
    "key",
    OptionType.NAMES,
    "Columns that identify a row: -k id, or -k order_id,line. [default: the project's key]",
    label="Key columns",
    empty="as the project declares",
    checks=("primary_key", "primary_keys"),
    short="-k",
)
COLUMNS = Option(
    "columns",
    OptionType.NAMES,
    "Only these columns: -c id,status, or -c id -c status.",
    label="Columns",
    empty="all",
    field="column",
    checks=("columns", "column_name"),
    short="-c",
)
EXCLUDE_COLUMNS = Option("exclude_columns", OptionType.NAMES, "Skip these columns.", noun="excluded columns")
WHERE = Option(
    "where",
    OptionType.SQL,
    "Only rows that meet this condition, in the warehouse's SQL.",
    label="Rows where (SQL)",
    noun="condition",
    empty="all rows",
)
LIMIT = Option(
    "limit",
    OptionType.WHOLE,
    "Maximum number of rows to show.",
    label="Number of rows",
    default=100,
    lacks={Door.AGENTS: _PAGES},
)
CHECKED_ROWS = 1_000
"""Rows of `value_diff_detail` in a file of checks: those of recce, whose files are read unchanged."""
RESULT_ROWS = 2_000
"""Rows of a query's result, or of differing rows, in a file of checks: those of recce."""
LIVE = Option(
    "live",
    OptionType.FLAG,
    "Query base now, even if its run has stored statistics.",
    lacks={
        Door.REQUEST: _SAYS_WHEN,
        Door.AGENTS: _SAYS_WHEN,
        Door.CHECK: _ALWAYS_NOW,
        Door.PYTHON: _ALWAYS_NOW,
    },
)
WHY = Option(
    "why",
    OptionType.FLAG,
    "Explain rows that differ: conditions that they meet and others do not, parents, and edits one by one.",
    noun="explanation",
)
_IGNORED = (
    Option(
        "tolerance",
        OptionType.NUMBER,
        "Largest absolute difference at which two numbers are equal. [default: 0]",
    ),
    Option(
        "relative_tolerance",
        OptionType.NUMBER,
        "Largest relative difference, as a share of the larger number, at which two numbers are equal. "
        "[default: 0]",
        noun="relative tolerance",
    ),
    Option(
        "timestamp_precision",
        OptionType.CHOICE,
        "Unit to truncate times to before comparing.",
        noun="precision of timestamps",
        choices=PRECISIONS,
    ),
    Option("ignore_case", OptionType.FLAG, "Compare strings in lower case.", noun="case"),
    Option(
        "ignore_trailing_blanks",
        OptionType.FLAG,
        "Ignore trailing spaces of strings.",
        noun="trailing blanks",
    ),
    Option(
        "cast",
        OptionType.CASTS,
        "Compare a column as another type, to which both sides cast it: price=decimal(12,2).",
    ),
)
LENIENT = tuple(sorted(one.name for one in _IGNORED))
"""Names of the options by which unequal values may count as equal."""
_SAMPLE = Option("sample", OptionType.PERCENT, "Percentage of the keys to compare: 10%.")
_ROWS = (KEY, COLUMNS, EXCLUDE_COLUMNS, WHERE, _SAMPLE, LIMIT, *_IGNORED)
_FIGURES = (COLUMNS, EXCLUDE_COLUMNS, WHERE)

ROW_COUNT = DiffKind(
    name="row_count",
    title="Row count",
    label="Row count",
    words=Words("row counts", "equal row count", "row count", "row count"),
    about="Counts the rows of both sides.",
    options=(LIVE,),
    diff="row_count_diff",
    command="row-count",
)
VALUE = DiffKind(
    name="value",
    title="Value diff",
    label="Values",
    words=Words("values", "equal values", "data"),
    about="Matches rows by key and compares every column; without a key, compares whole rows.",
    options=(*_ROWS, WHY),
    form=(KEY, COLUMNS, WHERE),
    lacks=(Lack(Door.CHECK, "it counts rows; value_diff_detail lists them", (LIMIT,)),),
    diff="value_diff",
    command="value",
)
DETAIL = DiffKind(
    name="detail",
    title="Rows that differ",
    label="Differing rows",
    words=Words("rows that differ", "no row that differs", "data", "differing rows"),
    about="Shows the rows that differ with the values of both sides, matched by key.",
    options=_ROWS,
    form=(KEY, COLUMNS, LIMIT, WHERE),
    shows_values=True,
    diff="value_diff_detail",
    command="value",
)
PROFILE = DiffKind(
    name="profile",
    title="Profile",
    label="Profile",
    words=Words("profile", "equal figures"),
    about="Compares NULLs, distinct values and ranges of columns.",
    options=(
        *_FIGURES,
        LIVE,
        Option(
            "approximate",
            OptionType.FLAG,
            "Estimate distinct counts, with one scan per side.",
            noun="estimates",
            short="--approx",
            lacks={Door.CHECK: "an estimate can differ without a change"},
        ),
    ),
    form=(COLUMNS, WHERE),
    diff="profile_diff",
    command="profile",
)
_K = Option(
    "k",
    OptionType.WHOLE,
    "Number of most frequent values of each column.",
    label="Number of values",
    noun="number of values",
    default=10,
)
TOP_K = DiffKind(
    name="top_k",
    title="Most frequent values",
    label="Top values",
    words=Words("top values", "equal most frequent values"),
    about="Compares the most frequent values of columns.",
    options=(*_FIGURES, _K),
    number=_K,
    form=(COLUMNS, _K, WHERE),
    shows_values=True,
    diff="top_k_diff",
    command="top-k",
    help="Compare the most frequent values of columns.",
)
_BINS = Option(
    "bins",
    OptionType.WHOLE,
    "Approximate number of bins.",
    label="Number of bins",
    default=50,
    most=1_000,
    checks=("num_bins",),
)
HISTOGRAM = DiffKind(
    name="histogram",
    title="Histogram",
    label="Histogram",
    words=Words("histogram", "equal counts in all bins"),
    about="Compares the distribution of columns.",
    options=(*_FIGURES, _BINS),
    number=_BINS,
    form=(COLUMNS, _BINS, WHERE),
    shows_values=True,
    diff="histogram_diff",
    command="histogram",
    help="Compare the distribution of numbers, dates and timestamps.",
)
ALL_NODES = DiffKind(
    name="data",
    title="Comparison of all nodes",
    label="All nodes",
    words=Words("data"),
    lacks=(
        Lack(Door.AGENTS, "review_summary names the nodes whose data are worth a comparison"),
        Lack(Door.CHECK, "a check is of one kind"),
        Lack(Door.PYTHON, "diff_data compares all nodes"),
        Lack(Door.FORM, "a button of the review starts it"),
    ),
    diff="data_diff",
    command="diff",
)
"""All changed and affected nodes, as `diff --data` compares them."""
_SQL = (COLUMNS, EXCLUDE_COLUMNS, WHERE, _SAMPLE, *_IGNORED)
QUERY = DiffKind(
    name="query",
    title="Query diff",
    label="Query",
    words=Words("query", "equal rows", "result"),
    options=_ROWS,
    form=(KEY, LIMIT),
    shows_values=True,
    lacks=(
        Lack(Door.AGENTS, "preview runs a query"),
        Lack(Door.CHECK, _BY_SQL, _SQL),
        Lack(Door.CHECK, "as many rows as recce compares", (LIMIT,)),
        Lack(Door.PYTHON, _BY_SQL, _SQL),
    ),
    diff="query_diff",
    command="query-diff",
)
_FIRST = LIMIT._replace(default=20)
SAMPLE = DiffKind(
    name="sample",
    title="Sample rows",
    label="Sample rows",
    words=Words("rows", "", "data", "whole rows"),
    about="Shows the first rows of both sides together, matched by key if there is one.",
    options=(KEY, COLUMNS, WHERE, _FIRST),
    form=(KEY, COLUMNS, _FIRST, WHERE),
    shows_values=True,
    lacks=(
        Lack(Door.COMMAND, "query shows rows"),
        Lack(Door.CHECK, "rows without a verdict; query is a check"),
        Lack(Door.AGENTS, "preview reads rows"),
        Lack(Door.PYTHON, "an adapter reads rows"),
    ),
    diff="rows_diff",
)
VALUES, SCHEMA = "values", "schema"
COMPARE = Option(
    "compare",
    OptionType.CHOICE,
    "Compare values, or with schema names and types of columns only, without a scan. [default: values]",
    choices=(VALUES, SCHEMA),
    lacks={Door.PYTHON: "rows=None compares names and types of columns only"},
)
_NO_FILES = "a server has runs, and no working tree"
PREVIEW = DiffKind(
    name="preview",
    title="Preview",
    label="Preview",
    words=VALUE.words,
    about="Compares the SQL of edited files with that of base, over the relations of base.",
    options=(COMPARE, *_ROWS, WHY),
    lacks=(
        Lack(Door.REQUEST, _NO_FILES),
        Lack(Door.FORM, _NO_FILES),
        Lack(Door.CHECK, "a check compares what was built"),
    ),
    diff="value_diff",
    command="preview",
    function="preview_edits",
)
IGNORED = {one.name: one.noun for one in _IGNORED if one.type is OptionType.FLAG}
"""What the options ignore, in words."""
KINDS: Mapping[str, DiffKind] = {
    kind.name: kind
    for kind in (ROW_COUNT, VALUE, DETAIL, PREVIEW, PROFILE, TOP_K, HISTOGRAM, ALL_NODES, QUERY, SAMPLE)
}
REQUESTED_KINDS = {name: kind for name, kind in KINDS.items() if not kind.reason(Door.REQUEST)}
FIGURE_KINDS = {kind.name: kind for kind in (PROFILE, TOP_K, HISTOGRAM)}
"""Kinds that compare figures of columns."""
