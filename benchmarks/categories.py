"""Classification of a change of one real model, compared with two parses of its text.

`python -m benchmarks.categories` prints the table for the current Python. Models are those of
`benchmarks.columns`; the change is one more column and a comment.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from random import Random
from statistics import median

from benchmarks.columns import ROUNDS, Schemas, queries, sqlglot_name
from benchmarks.measure import Figure, Timing, in_turns, markdown
from tests.property.harmless_edits import KINDS

LAST_SELECT = re.compile(r"(?is)^(.*\bselect\b)(?!\s+distinct\b)(.*)$")


def edited(sql: str) -> str:
    """Return *sql* with one more column in its last select."""
    return LAST_SELECT.sub(r"\1 1 as one_more, -- a comment\n\2", sql)


def timed(sql: str, dialect: str, schemas: Schemas) -> list[Timing]:
    """Time the classification of a change of *sql*, and sqlglot's parse of both texts; empty if sqlglot
    fails.
    """
    import sqlglot

    from recce_meta.sql_diff import classify_change

    changed = edited(sql)

    def parsed() -> object:
        return [sqlglot.parse_one(text, dialect=dialect) for text in (sql, changed)]

    try:
        parsed()
    except sqlglot.errors.SqlglotError:
        return []
    if classify_change(sql, changed, dialect, schemas) == "unknown":
        return []
    return in_turns(lambda: classify_change(sql, changed, dialect, schemas), parsed, rounds=ROUNDS)


def harmless() -> Iterator[Figure]:
    """Yield, by kind, the share of harmless edits of the same models that are classified as `none`."""
    import sqlglot

    from recce_meta.sql_diff import classify_change

    called: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for number, (sql, dialect, schemas) in enumerate(queries()):
        try:
            tree = sqlglot.parse_one(sql, dialect=dialect)
        except sqlglot.errors.SqlglotError:
            continue
        written, random = tree.sql(dialect), Random(number)
        for kind, edit in KINDS.items():
            made = edit(tree, random)
            if made is not None:
                called[kind][classify_change(written, made.sql(dialect), dialect, schemas)] += 1
    called["all of these"] = sum(called.values(), Counter())
    for kind, numbers in ((kind, one) for kind, one in called.items() if one):
        share = numbers["none"] / numbers.total()
        what = f"harmless edits called `none`: {kind}"
        yield Figure(
            what, f"{numbers['none']} of {numbers.total()}", "–", f"{share:.2f}", "≥ 0.80", share >= 0.8
        )


def run() -> list[Figure]:
    """Measure real models of 100 to 200 lines, each against two parses of the same text."""
    pairs = [pair for query in queries() if (pair := timed(*query))]
    ours, floors = [pair[0].cpu for pair in pairs], [pair[1].cpu for pair in pairs]
    ratio = median(mine / theirs for mine, theirs in zip(ours, floors, strict=True))
    return [
        *harmless(),
        Figure(
            f"category of a change of a model of 100 to 200 lines, median of {len(pairs)} ({sqlglot_name()})",
            f"{median(ours) * 1e3:.1f} ms of cpu",
            f"parse of both texts: {median(floors) * 1e3:.1f} ms",
            f"{ratio:.2f} (of the sums {sum(ours) / sum(floors):.2f})",
        ),
    ]


if __name__ == "__main__":
    print(markdown(run()))
