"""What a terminal is told of data: the rules that golden files cannot show alone."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.models.data_diff import (
    ROUNDED_DOUBLE,
    AnyDataDiff,
    ColumnDelta,
    ColumnValues,
    DataSide,
    DetailRow,
    Example,
    Failed,
    HistogramDiff,
    KeyCounts,
    NotCompared,
    Profile,
    ProfileDiff,
    QueryDiff,
    RowCount,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    Subject,
    TopKDiff,
    ValueDiff,
    rounded_label,
)
from recce_meta.models.data_diff import ColumnHistogram as Histogram
from recce_meta.models.data_diff import ColumnProfile as Column
from recce_meta.report import data_markdown, data_text, html_report
from recce_meta.report.data.figures import column_differs
from recce_meta.report.data.summary import data_verdict, summarise_nodes
from recce_meta.report.data.verdicts import Outcome, figures_word, verdict
from recce_meta.report.values import (
    are_same,
    cell_text,
    change_percent,
    figure,
    figures_apart,
    pair_text,
    percent,
)
from recce_meta.store.data_diffs import headline_of

SUBJECT = Subject(name="n", base="a.n", current="b.n")


def value_diff(columns: int, **figures: int) -> ValueDiff:
    return ValueDiff(
        subject=SUBJECT,
        key=("id",),
        key_source="option",
        base=KeyCounts(rows=100),
        current=KeyCounts(rows=100),
        common=100,
        columns=tuple(
            ColumnValues(
                name=f"column_{index:04}",
                base_type="INT",
                current_type="INT",
                matched=99,
                mismatched=1,
                examples=(Example(key=(index,), base=index, current=index + 1),) * 3,
            )
            for index in range(columns)
        ),
        **figures,
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "NULL"),
        ("NULL", "'NULL'"),
        ("null", "'null'"),
        ("", "''"),
        (" a", "' a'"),
        ("it's", "it's"),
        ("'a'", "'\\'a\\''"),
        ("a\tb", "'a\\tb'"),
        ("a\\nb", "a\\nb"),
        ("12", "'12'"),
        ("2026-11-19", "'2026-11-19'"),
        ("12 Main Street", "12 Main Street"),
        (["a", None], "['a', NULL]"),
    ],
)
def test_a_text_is_bare_only_where_nothing_else_reads_like_it(value: object, shown: str) -> None:
    assert cell_text(value) == shown


def test_long_texts_are_shown_where_they_part() -> None:
    assert pair_text("a" * 5_000 + "x" + "b" * 99, "a" * 5_000 + "y" + "b" * 99, 10) == (
        "…aaaaxbbb…",
        "…aaaaybbb…",
    )


@pytest.mark.parametrize(
    ("share", "shown"), [(0.999999, ">99.9%"), (1, "100%"), (0.0000001, "<0.1%"), (0, "0%"), (None, "–")]
)
def test_rounding_never_hides_a_difference(share: float | None, shown: str) -> None:
    assert percent(share) == shown


def test_a_tiny_change_keeps_its_sign() -> None:
    assert (change_percent(0.00001), change_percent(-0.00001), change_percent(0.0)) == (
        "+<0.1%",
        "-<0.1%",
        "",
    )


def test_two_figures_that_differ_read_differently() -> None:
    assert figures_apart(0.1, 0.1 + 1e-12) == ("0.1", "0.100000000001")
    assert figure(-1234.5) == "-1,234.5"


def test_an_average_that_differs_by_its_rounding_alone_does_not_differ() -> None:
    sides = [
        Profile(type="DOUBLE", row_count=3, not_null_count=3, avg=average) for average in (0.1, 0.1 + 1e-16)
    ]

    assert not column_differs(Column(name="c", base=sides[0], current=sides[1]))


def test_an_average_of_nothing_is_not_an_average_of_zero() -> None:
    sides = [Profile(type="DOUBLE", row_count=3, not_null_count=3, avg=average) for average in (None, 0.0)]

    assert column_differs(Column(name="c", base=sides[0], current=sides[1]))


def test_a_figure_that_one_side_could_not_compute_is_no_difference() -> None:
    late = "no figures in current: the time budget is used up"
    whole = Profile(type="INTEGER", row_count=2, not_null_count=2, distinct_count=2, min=1, max=2)
    part = Profile(type="INTEGER", row_count=2, not_null_count=2)
    result = ProfileDiff(
        subject=SUBJECT, columns=(Column(name="id", base=whole, current=part, reason=late),), notes=(late,)
    )
    text = data_text([result], width=0, color=False)

    assert not column_differs(result.columns[0])
    assert verdict(result).outcome is Outcome.NOT_COMPARED
    assert "1 of 1 column differs" not in text and late in text
    more = replace(part, row_count=3)
    assert column_differs(Column(name="id", base=whole, current=more, reason=late))


@pytest.mark.parametrize("unread", [(DataSide.BASE,), tuple(DataSide)])
def test_a_column_that_could_not_be_read_is_neither_equal_nor_different(unread: tuple[DataSide, ...]) -> None:
    figures = Profile(type="INTEGER", row_count=2, not_null_count=2)
    column = Column(
        name="n", current=None if len(unread) == 2 else figures, reason="no figures in base: x", unread=unread
    )
    equal = Column(name="id", base=figures, current=figures)
    other = Column(name="id", base=figures, current=replace(figures, row_count=3))
    result = ProfileDiff(subject=SUBJECT, columns=(equal, column))

    assert verdict(result) == (
        Outcome.PARTIAL,
        "no difference found in the profile of 1 column; 1 column without a result",
    )
    for text in (data_text([result], width=0, color=False), data_markdown([result])):
        assert "1 column not compared: " in text and "only in" not in text
    assert "not compared: no figures in base: x" in (page := html_report("profile", None, [result]))
    assert "only in" not in page
    assert (headline_of(result).is_equal, headline_of(result).differing_columns) == (None, 1)
    assert verdict(replace(result, columns=(column,))).outcome is Outcome.NOT_COMPARED
    assert verdict(replace(result, columns=(other, column))) == (
        Outcome.DIFFERENT,
        "1 of 2 columns differs, 1 column not compared",
    )


def test_a_thousand_columns_stay_readable() -> None:
    wide = value_diff(1_000, changed=1)

    text = data_text([wide], width=100, color=False)

    assert len(text.splitlines()) < 300
    assert "… and 940 more (--details lists all)" in text
    assert len(data_markdown([wide])) < 65_536
    assert "column_0199" in html_report("wide", None, [wide])


def test_what_keeps_two_sides_from_being_equal_is_said() -> None:
    result = value_diff(0)
    odd = ValueDiff(
        subject=SUBJECT,
        key=("id",),
        key_source="option",
        base=KeyCounts(rows=101, null_keys=1),
        current=KeyCounts(rows=100),
        common=100,
    )

    assert verdict(result).outcome is Outcome.EQUAL
    assert verdict(odd) == (Outcome.DIFFERENT, "number of NULL keys differs, 1 row not compared")


@pytest.mark.parametrize(
    ("columns", "is_said"),
    [((), True), ((ColumnDelta(name="old", status="removed", base_type="INT", base_position=1),), False)],
)
def test_columns_of_one_side_are_said_once(columns: tuple[ColumnDelta, ...], is_said: bool) -> None:
    values = replace(value_diff(1), changed=1, base_only=("old",))
    results = [SchemaDiff(subject=SUBJECT, columns=columns, source="stored"), values]
    (node,) = summarise_nodes(results)

    assert any("only in base" in text for text in node.texts("values")) is is_said
    assert "old" in data_text(results, width=0, color=False)


def test_two_empty_sides_are_equal_and_said_to_be_empty() -> None:
    none = KeyCounts(rows=0)
    result = ValueDiff(subject=SUBJECT, key=("id",), key_source="option", base=none, current=none)

    assert verdict(result) == (Outcome.EQUAL, "both sides are empty")
    assert headline_of(result).is_equal is True


def test_repeated_keys_come_before_the_rows_that_could_be_compared() -> None:
    once, repeated = KeyCounts(rows=30), KeyCounts(rows=120, duplicate_keys=28, duplicate_rows=118)
    result = ValueDiff(
        subject=SUBJECT, key=("id",), key_source="option", base=once, current=repeated, common=2, changed=1
    )

    text = verdict(result).text
    assert text.startswith("repeated keys: 0 → 28 (30 → 120 rows), 1 of 2 rows changed, ")
    assert "%" not in text


def test_rows_that_were_not_compared_are_not_called_the_same() -> None:
    repeated = KeyCounts(rows=100, duplicate_keys=5, duplicate_rows=100)
    result = ValueDiff(subject=SUBJECT, key=("status",), key_source="option", base=repeated, current=repeated)

    assert verdict(result) == (
        Outcome.NOT_COMPARED,
        "no rows compared; 100 rows not compared: NULL or repeated keys",
    )


@pytest.mark.parametrize("missing", ["base", "current"])
def test_a_side_without_a_relation_is_no_difference_of_rows(missing: str) -> None:
    sides: dict[str, KeyCounts | None] = {
        "base": KeyCounts(rows=5),
        "current": KeyCounts(rows=5),
        missing: None,
    }
    result = ValueDiff(subject=SUBJECT, key=("id",), key_source="option", added=5, **sides)

    other = "current" if missing == "base" else "base"
    assert verdict(result) == (Outcome.ONE_SIDED, f"only in {other}: 5 rows")


def test_an_ephemeral_model_is_not_on_one_side_only() -> None:
    reason = "ephemeral: it has no relation"
    one = RowCount(subject=Subject(name="e", unique_id="m.e"), base_reason=reason, current_reason=reason)
    diff = RowCountDiff(counts=(one,))

    assert data_markdown([diff]).startswith("### ⚪ 1 node without a table or view\n")
    assert "one side only" not in data_text([diff], width=100, color=False)


def test_a_node_that_was_not_compared_is_not_counted_again_as_stale() -> None:
    stale, other = (replace(SUBJECT, name=name, current_stale="its build failed") for name in ("a", "b"))
    counted = RowCountDiff(counts=(RowCount(subject=other, base=1, current=1),))
    gap = NotCompared(subject=stale, diff="value_diff", reason="no key")

    assert data_verdict(summarise_nodes([gap])).text == "values of 1 node not compared"
    found = data_verdict(summarise_nodes([gap, counted])).text
    assert found == "values of 1 of 2 nodes not compared, 1 node without the data of the run"


@pytest.mark.parametrize(
    "result",
    [
        ProfileDiff(subject=Subject(name="o"), columns=()),
        TopKDiff(subject=Subject(name="o"), columns=(), k=1),
        QueryDiff(subject=Subject(name="o"), base_sql="a", current_sql="b"),
    ],
)
def test_a_heading_is_never_empty(result: Any) -> None:
    assert data_markdown([result]).splitlines()[0].endswith(" 1 node not compared")


def test_no_results_are_no_lines() -> None:
    assert data_text([], width=80, color=True) == ""


def test_figures_are_not_cut_where_names_can_be() -> None:
    counted = RowCountDiff(
        counts=tuple(
            RowCount(
                subject=Subject(name=f"a_rather_long_name_of_a_model_{index}"),
                base=10**12,
                current=10**12 + index,
            )
            for index in range(3)
        )
    )
    results: list[AnyDataDiff] = [counted]

    text = data_text(results, width=70, color=False)

    assert text.count("1,000,000,000,000") == 3
    assert "a_rather_lo" in text


def equal_values(name: str, rows: int = 100) -> ValueDiff:
    side = KeyCounts(rows=rows)
    return ValueDiff(
        subject=Subject(name=name, unique_id=name, base="a", current="b"),
        key=("id",),
        key_source="option",
        base=side,
        current=side,
        common=rows,
    )


def changed_values(name: str, changed: int) -> ValueDiff:
    return replace(equal_values(name), changed=changed)


MIXED: list[AnyDataDiff] = [
    *(equal_values(f"equal_{number}") for number in range(12)),
    changed_values("little", 2),
    changed_values("much", 90),
    NotCompared(
        subject=Subject(name="skipped", unique_id="s", base="a", current="b"),
        diff="value_diff",
        reason="too large",
    ),
    Failed(
        subject=Subject(name="broken", unique_id="x", base="a", current="b"),
        diff="value_diff",
        error="connection lost",
    ),
]


@pytest.mark.parametrize("width", [0, 40, 80, 120])
def test_what_failed_or_differs_comes_first_and_equal_nodes_share_a_line(width: int) -> None:
    text = data_text(MIXED, width=width, color=False)
    overview = text.partition("\n\n")[0]

    places = [overview.index(name) for name in ("! broken", "~ much", "~ little", "? skipped", "equal_0")]
    assert places == sorted(places)
    assert "12 nodes with equal data" in overview and "too large" in overview
    assert "equal_0 · values" not in text
    assert text.index("much · values") < text.index("little · values")


def test_details_show_equal_nodes_as_well() -> None:
    text = data_text(MIXED, width=100, color=False, details=True)

    for number in range(12):
        assert f"= equal_{number} " in text and f"equal_{number} · values" in text
    assert "100 rows, all equal" in text


def test_no_line_is_surer_than_its_headline() -> None:
    (column,) = value_diff(1).columns
    exact = replace(column, matched=100, mismatched=0, examples=())
    equal = replace(value_diff(0), columns=(exact,))
    rounded = replace(equal, key=("column_0000",), columns=(replace(exact, compared_as=ROUNDED_DOUBLE),))

    def formats(result: AnyDataDiff) -> dict[str, str]:
        return {
            "text": data_text([result], width=0, color=False),
            "markdown": data_markdown([result]),
            "html": html_report("n", None, [result]),
        }

    assert "  = 1 of 1 column equal in every row" in formats(equal)["text"]
    for name, text in formats(rounded).items():
        assert "100 equal to 15 digits" in text, name
        assert "equal to 15 digits in every compared row" in text, name
        assert "different keys may be one" in text, name
        assert "100 equal," not in text and "= 1 of 1" not in text, name
    # A rounded column that differs says nothing of the others.
    other = replace(exact, name="other", compared_as=ROUNDED_DOUBLE, matched=24, mismatched=76)
    beside = replace(equal, changed=76, columns=(exact, other))
    assert "  = 1 of 2 columns equal in every row" in formats(beside)["text"]
    # Of columns without a difference, each says how it was rounded; the line itself says it only of all.
    moment = replace(exact, name="at", compared_as=rounded_label("timestamp"))
    beside = replace(equal, columns=(exact, replace(other, matched=100, mismatched=0), moment))
    text = formats(beside)["text"]
    assert "3 of 3 columns equal in every compared row: column_0000, other (as doubles, to 15 digits)" in text
    assert "at (to the microsecond)" in text and "= 3 of 3" not in text
    text = formats(replace(beside, columns=(moment,)))["text"]
    assert "1 of 1 column equal to the microsecond in every compared row" in text and "digits" not in text
    text = formats(replace(equal, tolerance=0.5))["text"]
    assert "1 of 1 column equal as compared in every compared row" in text


def test_a_histogram_says_which_columns_it_left_out() -> None:
    counts = {"edges": (0, 1), "base": (3,), "current": (3,), "base_total": 3, "current_total": 3}
    result = HistogramDiff(subject=SUBJECT, columns=(Histogram(name="n", **counts),), left_out=("status",))  # type: ignore[arg-type]

    assert verdict(replace(result, left_out=())).outcome is Outcome.EQUAL
    assert verdict(result).outcome is Outcome.PARTIAL
    assert "1 column (status) not compared" in verdict(result).text


def test_no_report_calls_a_column_equal_of_which_figures_are_missing() -> None:
    whole = Profile(type="INTEGER", row_count=2, not_null_count=2, distinct_count=2)
    estimate = replace(whole, is_approximate=True)
    columns = (
        Column(name="whole", base=whole, current=whole),
        Column(name="partial", base=whole, current=whole, reason="median: out of memory"),
        Column(name="estimated", base=estimate, current=estimate),
    )
    result = ProfileDiff(subject=SUBJECT, columns=columns)
    exact = replace(result, columns=columns[:2])

    texts = [data_text([exact], width=100, color=False), data_markdown([exact])]
    assert all("1 column with equal figures: " in text for text in texts)
    limited = [data_text([result], width=100, color=False), data_markdown([result])]
    assert all("2 columns with equal figures as compared: " in text for text in limited)
    assert [figures_word(column) for column in columns] == [
        "same figures", "no difference found", "no difference found"
    ]  # fmt: skip


def test_figures_equal_only_when_rounded_are_not_called_the_same() -> None:
    own = Profile(type="DOUBLE", row_count=5, not_null_count=5, avg=3.0, median=3.0)

    def found(name: str, value: float) -> ProfileDiff:
        other = replace(own, **{name: value})
        return ProfileDiff(subject=SUBJECT, columns=(Column(name="v", base=own, current=other),))

    assert verdict(found("avg", 3.0)) == (Outcome.EQUAL, "same profile in 1 column")
    near = found("avg", 3.0000000001)
    text = "no difference found in the profile of 1 column; avg of 1 column (v) equal to 9 digits only"
    assert verdict(near) == (Outcome.PARTIAL, text)
    for report in (data_text([near], width=0, color=False), data_markdown([near])):
        assert text in report
        assert "1 column with equal figures as compared" in report
    assert "equal to 9 digits only" in html_report("shop", None, [near])
    # A median does not depend on the order of rows.
    for value in (3.0000000001, 3.00000000000001):
        assert verdict(found("median", value)).outcome is Outcome.DIFFERENT


def test_equal_values_of_other_types_are_not_marked() -> None:
    pairs: list[tuple[Any, Any]] = [
        (Decimal("1.10"), 1.1),
        (date(2025, 1, 1), datetime(2025, 1, 1)),
        (datetime(2025, 1, 1), datetime(2025, 1, 1, tzinfo=timezone.utc)),
        ("1", 1),
    ]
    for before, after in pairs:
        sides = [Profile(type="T", row_count=1, not_null_count=1, min=one) for one in (before, after)]
        assert not column_differs(Column(name="v", base=sides[0], current=sides[1]))
        row = DetailRow(status="removed", key=(), base=(before,), current=(after,), base_count=2)
        text = data_text(
            [
                RowsDiff(
                    subject=SUBJECT, columns=("amount",) * 9, base_rows=2, current_rows=1, limit=10,
                    removed=1, rows=(replace(row, base=row.base * 9, current=row.current * 9),),
                )
            ],
            width=40, color=False,
        )  # fmt: skip
        assert " → " not in text.partition("×2 → ×1")[2]
        # The row is named even if no value of it differs.
        assert f"amount: {cell_text(after)}" in text
    different: list[tuple[Any, Any]] = [
        (Decimal("1.1000000001"), 1.1),
        (date(2025, 1, 1), datetime(2025, 1, 1, 0, 0, 1)),
        ("01", 1),
        (2**53 + 1, float(2**53)),
    ]
    assert not any(are_same(*pair) for pair in different)


def test_equal_values_of_other_types_have_a_remark() -> None:
    types = (("VARCHAR", "INTEGER", "text"), ("INTEGER", "BIGINT", None))
    columns = tuple(
        ColumnValues(
            name=name, base_type=base, current_type=current, compared_as=common, matched=100, mismatched=0
        )
        for name, (base, current, common) in zip("nb", types, strict=True)
    )
    result = replace(value_diff(0), columns=columns)

    text = data_text([result], width=0, color=False)

    assert verdict(result) == (Outcome.EQUAL, "100 rows, all equal; 1 column of other types")
    assert "n (VARCHAR → INTEGER), b" in text
    assert "1 node with equal data of other types: `n`" in data_markdown([result])
