"""Whatever is in a table, and whatever its columns are called, reports of data diffs stay what they are."""

from __future__ import annotations

import json
import math
import re
from datetime import timezone
from html.parser import HTMLParser
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recce_meta.models.data_diff import (
    AnyDataDiff,
    ColumnDelta,
    ColumnHistogram,
    ColumnProfile,
    ColumnTopK,
    ColumnValues,
    DetailRow,
    Example,
    Failed,
    HistogramDiff,
    KeyCounts,
    Profile,
    ProfileDiff,
    QueryDiff,
    RowCount,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    Subject,
    TopKDiff,
    TopValue,
    ValueDetail,
    ValueDiff,
)
from recce_meta.redaction import neutralise
from recce_meta.report import data_json, data_markdown, data_text, html_report, pull_request_markdown
from recce_meta.report.terminal import display_width
from recce_meta.report.values import cell_text, figure, pair_text, percent
from tests.proofs import sampled

FRAGMENTS = [
    "|", "\\|", "`", "```", "~~~", "\n", "\r\n", "\t", "\x1b[31m", "\x00", "\u202e", "\u2028", "<!--", "-->",
    "</details>", "<script>", "</script>", "@admin", "#12", "NULL", "'", '"', "&", "&lt;", "]]>", "数据", "é",
    "\\", "_", "$", "*", "=", "| --- |", "# x", "- x", "\ud800",
]  # fmt: skip
names = (
    st.lists(st.sampled_from(FRAGMENTS[:-1]) | st.text(max_size=4), max_size=5)
    .map("".join)
    .map(lambda text: text.encode("utf-8", "replace").decode())
)
hostile = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=4), max_size=5).map("".join)
atoms = (
    st.none()
    | st.booleans()
    | st.integers(-(2**140), 2**140)
    | st.floats()
    | st.decimals().filter(lambda number: not number.is_snan())
    | hostile
    | st.binary(max_size=8)
    | st.dates()
    | st.times()
    | st.datetimes()
    | st.datetimes(timezones=st.just(timezone.utc))
    | st.timedeltas()
    | st.uuids()
)
values = st.recursive(
    atoms,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(hostile, inner, max_size=2)
        | st.dictionaries(st.integers(), inner, max_size=2)
    ),
    max_leaves=4,
)
counts = st.integers(0, 10**12)
maybe_counts = st.none() | counts
texts = st.none() | names
few_names = st.lists(names, max_size=3).map(tuple)
subjects = st.builds(Subject, name=names, unique_id=texts, base=texts, current=texts)
common = {"subject": subjects, "notes": few_names}
sides = st.none() | st.builds(
    KeyCounts, rows=counts, null_keys=counts, duplicate_keys=counts, duplicate_rows=counts
)
moments = st.none() | st.datetimes(timezones=st.just(timezone.utc))
samples = st.none() | st.floats(0.01, 100)

row_counts = st.builds(
    RowCountDiff,
    counts=st.lists(
        st.builds(
            RowCount, subject=subjects, base=maybe_counts, current=maybe_counts, base_reason=texts,
            current_reason=texts, base_kept_at=moments, current_kept_at=moments,
        ),
        max_size=4,
    ).map(tuple),
    notes=few_names,
)  # fmt: skip
schemas = st.builds(
    SchemaDiff,
    **common,
    source=st.sampled_from(["live", "stored"]),
    columns=st.lists(
        st.builds(
            ColumnDelta,
            name=names,
            status=st.sampled_from(["added", "removed", "retyped", "moved", "unchanged"]),
            base_type=texts,
            current_type=texts,
            base_position=st.none() | st.integers(1, 99),
            current_position=st.none() | st.integers(1, 99),
        ),
        max_size=4,
    ).map(tuple),
)


def rows_of(values_of: st.SearchStrategy[Any], size: int, width: int) -> st.SearchStrategy[Any]:
    cells = st.lists(values_of, min_size=width, max_size=width).map(tuple)
    key = st.lists(values_of, min_size=size, max_size=size).map(tuple)
    amounts = {"base_count": st.integers(1, 3), "current_count": st.integers(1, 3)}
    return st.one_of(
        st.builds(DetailRow, status=st.just("added"), key=key, current=cells, **amounts),
        st.builds(DetailRow, status=st.just("removed"), key=key, base=cells, **amounts),
        st.builds(DetailRow, status=st.just("changed"), key=key, base=cells, current=cells, **amounts),
    )


@st.composite
def value_diffs(draw: st.DrawFn) -> ValueDiff:
    key = draw(st.lists(names, min_size=1, max_size=2).map(tuple))
    examples = st.builds(
        Example,
        key=st.lists(values, min_size=len(key), max_size=len(key)).map(tuple),
        base=values,
        current=values,
    )
    columns = st.builds(
        ColumnValues, name=names, base_type=names, current_type=names, compared_as=texts, reason=texts,
        matched=maybe_counts, mismatched=maybe_counts, null_to_value=maybe_counts, value_to_null=maybe_counts,
        mean_difference=st.none() | st.floats(), largest_difference=st.none() | st.floats(),
        examples=st.lists(examples, max_size=3).map(tuple),
    )  # fmt: skip
    return draw(
        st.builds(
            ValueDiff,
            **common,
            key=st.just(key),
            key_source=names,
            base=sides,
            current=sides,
            added=counts,
            removed=counts,
            common=counts,
            changed=counts,
            columns=st.lists(columns, max_size=3).map(tuple),
            base_only=few_names,
            current_only=few_names,
            where=texts,
            sample=samples,
        )
    )


@st.composite
def value_details(draw: st.DrawFn) -> ValueDetail:
    key = draw(st.lists(names, min_size=1, max_size=2).map(tuple))
    columns = draw(st.lists(names, max_size=14).map(tuple))
    rows = st.lists(rows_of(values, len(key), len(columns)), max_size=3).map(tuple)
    return draw(
        st.builds(
            ValueDetail,
            **common,
            key=st.just(key),
            key_source=names,
            columns=st.just(columns),
            rows=rows,
            limit=counts,
            is_cut=st.booleans(),
        )
    )


@st.composite
def rows_diffs(draw: st.DrawFn) -> RowsDiff:
    columns = draw(st.lists(names, max_size=3).map(tuple))
    rows = st.lists(rows_of(values, 0, len(columns)), max_size=3).map(tuple)
    return draw(
        st.builds(
            RowsDiff,
            **common,
            columns=st.just(columns),
            base_rows=maybe_counts,
            current_rows=maybe_counts,
            common=counts,
            added=counts,
            removed=counts,
            base_only=few_names,
            current_only=few_names,
            incomparable=few_names,
            rows=rows,
            limit=counts,
            is_cut=st.booleans(),
            where=texts,
            sample=samples,
        )
    )


queries = st.builds(
    QueryDiff, **common, base_sql=names, current_sql=names, values=st.none() | value_diffs(),
    detail=st.none() | value_details(), rows=st.none() | rows_diffs(),
)  # fmt: skip
profile_sides = st.none() | st.builds(
    Profile, type=names, row_count=counts, not_null_count=counts, distinct_count=maybe_counts,
    is_approximate=st.booleans(), min=values, max=values, avg=values, median=values, true_count=maybe_counts,
    min_length=maybe_counts, max_length=maybe_counts, avg_length=st.none() | st.floats(),
)  # fmt: skip
profiles = st.builds(
    ProfileDiff,
    **common,
    columns=st.lists(
        st.builds(ColumnProfile, name=names, base=profile_sides, current=profile_sides), max_size=2
    ).map(tuple),
    base_kept_at=moments,
    current_kept_at=moments,
)
top_values = st.lists(st.builds(TopValue, value=values, base=counts, current=counts), max_size=3).map(tuple)
top_ks = st.builds(
    TopKDiff,
    **common,
    k=counts,
    columns=st.lists(
        st.builds(
            ColumnTopK, name=names, base_valid=maybe_counts, base_total=maybe_counts,
            current_valid=maybe_counts, current_total=maybe_counts, reason=texts, values=top_values,
        ),
        max_size=2,
    ).map(tuple),
)  # fmt: skip


@st.composite
def column_histograms(draw: st.DrawFn) -> ColumnHistogram:
    bins = draw(st.integers(1, 4))
    edge = draw(
        st.sampled_from(
            [st.floats(), st.decimals(allow_nan=False), st.integers(), st.dates(), st.datetimes()]
        )
    )
    rows = st.none() | st.lists(counts, min_size=bins, max_size=bins).map(tuple)
    return draw(
        st.builds(
            ColumnHistogram,
            name=names,
            kind=st.sampled_from(["number", "date", "timestamp"]),
            unit=texts,
            edges=st.lists(edge, min_size=bins + 1, max_size=bins + 1).map(tuple),
            base=rows,
            current=rows,
            min=values,
            max=values,
            base_total=maybe_counts,
            current_total=maybe_counts,
            base_outside=counts,
            current_outside=counts,
            reason=texts,
        )
    )


histograms = st.builds(HistogramDiff, **common, columns=st.lists(column_histograms(), max_size=2).map(tuple))
failures = st.builds(Failed, **common, diff=names, error=names, hint=texts)
results = st.lists(
    st.one_of(
        row_counts, schemas, value_diffs(), value_details(), rows_diffs(), queries, profiles, top_ks,
        histograms, failures,
    ),
    max_size=3,
).map(tuple)  # fmt: skip
Results = tuple[AnyDataDiff, ...]


slow = settings(deadline=None, max_examples=sampled(40, 12), suppress_health_check=[HealthCheck.too_slow])


def is_clean(text: str, allowed: str) -> bool:
    return all(char.isprintable() or char in allowed + "\u200c\u200d" for char in text)


def without_code(markdown: str) -> str:
    """*markdown* without its fenced blocks and code spans."""
    outside = re.sub(r"^(`{3,})\w+\n.*?^\1$", "", markdown, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", outside)


@given(results=results, width=st.sampled_from([0, 40, 80, 120]))
@slow
def test_a_terminal_gets_no_control_character_and_no_line_too_wide(results: Results, width: int) -> None:
    text = data_text(results, width=width, color=False)

    assert is_clean(text, "\n")
    assert not [line for line in text.splitlines() if width and display_width(line) > width]


@given(results=results)
@slow
def test_colours_are_the_only_escape_sequences(results: Results) -> None:
    without_colors = re.sub(r"\x1b\[\d*m", "", data_text(results, width=100, color=True))

    assert [line.rstrip() for line in without_colors.splitlines()] == data_text(
        results, width=100, color=False
    ).splitlines()


@given(results=results)
@slow
def test_every_row_of_a_markdown_table_has_the_cells_of_its_heading(results: Results) -> None:
    outside = without_code(data_markdown(results))

    wrong, expected = [], 0
    for line in outside.split("\n"):
        if not line.startswith("|"):
            expected = 0
        elif expected == 0:
            expected = line.count("|")
        elif line.count("|") != expected or not line.endswith("|"):
            wrong.append(line)
    assert wrong == []


@given(results=results)
@slow
def test_markdown_holds_no_foreign_tag_mention_or_control_character(results: Results) -> None:
    markdown = data_markdown(results)

    outside = without_code(markdown)
    assert is_clean(markdown, "\n\t")
    assert set(re.findall(r"<[A-Za-z/!][^>]*>?", outside)) <= {
        "<details>", "</details>", "<summary>", "</summary>", "<code>", "</code>", "<br>"
    }  # fmt: skip
    assert outside.count("<details>") == outside.count("</details>")
    assert "@" not in outside
    assert not re.search(r"(?<!&)#\d", outside)


@given(results=results, max_chars=st.integers(20_000, 24_000))
@slow
def test_markdown_stays_within_its_size(results: Results, max_chars: int) -> None:
    many = results * 12

    assert len(data_markdown(many, max_chars=max_chars)) <= max_chars
    assert len(pull_request_markdown(None, many, max_chars=max_chars)) <= max_chars


@given(results=results)
@slow
def test_json_can_be_read_by_any_reader(results: Results) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    document = json.loads(data_json(results), parse_constant=refuse)

    assert len(document["results"]) == len(results)
    assert document == msgspec.json.decode(data_json(results))
    assert all(abs(number) < 2**53 for number in integers_in(document))


def integers_in(tree: object) -> list[int]:
    if isinstance(tree, dict):
        return [number for item in tree.values() for number in integers_in(item)]
    if isinstance(tree, list):
        return [number for item in tree for number in integers_in(item)]
    return [tree] if isinstance(tree, int) and not isinstance(tree, bool) else []


class Structure(HTMLParser):
    """What a page consists of, as a reader of HTML finds it."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.told: list[str] = []
        self.misplaced: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _value in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.misplaced.append(tag)

    def handle_data(self, data: str) -> None:
        self.told.append(data)


VOID = {"br", "input", "link", "meta"}
TAGS = frozenset(
    "a article b body button code details div footer g h1 h2 h3 head header html input li link main meta nav "
    "p pre rect script section small span style summary svg table tbody td th thead title tr ul".split()
)
PLAIN = html_report("plain")


def structure_of(page: str) -> Structure:
    parser = Structure()
    parser.feed(page)
    parser.close()
    return parser


@given(title=names, results=results)
@slow
def test_no_value_becomes_markup_in_html(title: str, results: Results) -> None:
    page = html_report(title, None, results)

    found = structure_of(page)
    assert found.misplaced == [] and found.open == []
    assert found.tags <= TAGS
    assert not {name for name in found.attributes if name.startswith("on") or name == "style"}
    assert page.count("<script") == PLAIN.count("<script") == 1
    assert is_clean(page, "\n\t")


@given(name=names)
def test_a_name_is_read_in_html_as_it_is(name: str) -> None:
    page = html_report("plain", None, [Failed(subject=Subject(name=name), diff="value_diff", error="gone")])

    assert neutralise(name) in structure_of(page).told or not name


@given(value=values, width=st.integers(2, 60))
def test_a_cell_is_one_printable_line_of_its_width(value: Any, width: int) -> None:
    text = cell_text(value, width)

    assert is_clean(text, "")
    assert 0 < display_width(text) <= width


@given(value=hostile)
def test_a_text_is_never_taken_for_another_value(value: str) -> None:
    others = [None, True, False, 1, 1.0, math.nan, math.inf, b"", b"\x01", [], {}]

    assert cell_text(value, 0) not in {cell_text(other, 0) for other in others}


@given(one=hostile, other=hostile)
def test_different_texts_read_differently(one: str, other: str) -> None:
    assert (cell_text(one, 0) == cell_text(other, 0)) is (one == other)


@given(one=hostile, other=hostile, alike=st.integers(0, 200))
def test_a_pair_shows_where_it_parts(one: str, other: str, alike: int) -> None:
    pair = pair_text("x" * alike + one, "x" * alike + other, 24)

    assert all(display_width(text) <= 24 for text in pair)


@given(share=st.floats(0, 1))
def test_only_all_is_a_hundred_per_cent(share: float) -> None:
    assert (percent(share) == "100%") is (share == 1)
    assert (percent(share) == "0%") is (share == 0)


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_a_figure_is_near_its_number(number: float) -> None:
    assert math.isclose(float(figure(number).replace(",", "")), number, rel_tol=1e-5, abs_tol=1e-320)
