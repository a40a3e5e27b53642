"""Proof that no two different values are called equal: neighbouring values of each ordered pair of types.

    python -m tests.proofs.types ENGINE=URL … [bigquery] [--across] [--seconds 600] [--seed 1]

A case draws one number, one instant, one text and 40 ordered pairs of types. Each type gets the values next
to these that it can hold: the next number, the next microsecond or nanosecond, a trailing blank, a letter's
case or accent; columns of SQLite also get values of other types. With `--across`, base and current are in two
engines, in each order, and every second case compares the sums of parts before the rows.
For each pair of types, a table of all pairs of values is compared by key and as whole rows. What is then
called equal must be equal in Python's exact numbers, in nanoseconds, and letter for letter. Prints each
pair that is not, and exits with 1 if there is one.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import permutations, product
from typing import Any, NamedTuple
from uuid import uuid4

from pytest import MonkeyPatch

from recce_meta import UnifiedSqlAdapter
from recce_meta.api.data.execution import open_data_diff_runner
from recce_meta.api.data.jobs import details
from recce_meta.data_diff import across
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.plan import Answer, Plan, Queries, run_plan
from recce_meta.data_diff.source import Pair, SideRelation, table
from recce_meta.errors import RecceMetaError, UsageError, WarehouseError
from recce_meta.models.data_diff import DataSide, RowsDiff, Subject, ValueDetail
from recce_meta.warehouses.dialect import dialect_named
from tests.emulators.bigquery.judge import Judge
from tests.proofs.clock import Clock

NUMBERS = (0, 1, -1, 127, 255, 2**15, 2**24, 2**31, 2**53, 2**62, 10**15, 10**17, 12345, 99999999)
FRACTIONS = ("0", "0.1", "0.5", "0.001", "0.30000000000000004", "0.000000001")
TEXTS = ("a", "ab", "straße", "é", "Zoë", "1", "1.0", "true", "")
AT_ONCE = 40
"""Pairs of types of one case on each engine."""
EPOCH = datetime(1970, 1, 1)
DAY = 86_400 * 10**9
"""Nanoseconds."""
Runs = Callable[[Plan[Any]], Any]
"""Runs the queries of a data diff, and returns its result."""
Meaning = tuple[str, object]
"""Kind of a value, and the value: a Fraction, nanoseconds since 1970, a text."""


class Value(NamedTuple):
    """One value: how it is written in SQL, and what it means."""

    sql: str
    meaning: Meaning


class Types(NamedTuple):
    """Types of an engine: integers with their bits, decimals with their scale, and so on."""

    integers: dict[str, tuple[int, int]]
    decimals: dict[str, tuple[int, int]]
    floats: dict[str, str]
    instants: dict[str, tuple[int, bool]]
    """Digits of the fraction of a second; True with a zone."""
    dates: tuple[str, ...]
    texts: dict[str, bool]
    """True if the type ignores trailing blanks."""
    documents: tuple[str, ...] = ()
    times: tuple[tuple[str, int, bool], ...] = ()
    """Digits of the fraction of a second; True with an offset."""
    loose: tuple[str, ...] = ()
    """Types whose columns hold any value."""
    booleans: tuple[str, ...] = ()


def _signed(bits: int) -> tuple[int, int]:
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


ENGINES = {
    "duckdb": Types(
        {
            **{name: _signed(bits) for name, bits in (("TINYINT", 8), ("SMALLINT", 16), ("INTEGER", 32))},
            "BIGINT": _signed(64),
            "HUGEINT": _signed(127),
            "UBIGINT": (0, 2**64 - 1),
        },
        {"DECIMAL(18,3)": (15, 3), "DECIMAL(38,10)": (28, 10), "DECIMAL(38,0)": (38, 0)},
        {"REAL": "f", "DOUBLE": "d"},
        {
            "TIMESTAMP_S": (0, False),
            "TIMESTAMP_MS": (3, False),
            "TIMESTAMP": (6, False),
            "TIMESTAMP_NS": (9, False),
            "TIMESTAMPTZ": (6, True),
        },
        ("DATE",),
        {"VARCHAR": False},
        ("JSON",),
        (("TIME", 6, False), ("TIMETZ", 6, True), ("TIME_NS", 9, False)),
        booleans=("BOOLEAN",),
    ),
    "postgres": Types(
        {"SMALLINT": _signed(16), "INTEGER": _signed(32), "BIGINT": _signed(64)},
        {"NUMERIC(18,3)": (15, 3), "NUMERIC(38,10)": (28, 10), "NUMERIC": (60, 20)},
        {"REAL": "f", "DOUBLE PRECISION": "d"},
        {
            "TIMESTAMP(0)": (0, False),
            "TIMESTAMP(3)": (3, False),
            "TIMESTAMP": (6, False),
            "TIMESTAMPTZ": (6, True),
        },
        ("DATE",),
        {"TEXT": False, "VARCHAR(40)": False, "CHAR(40)": True},
        ("JSON", "JSONB"),
        (("TIME", 6, False), ("TIME(0)", 0, False), ("TIMETZ", 6, True)),
        booleans=("BOOLEAN",),
    ),
    "mysql": Types(
        {
            "TINYINT": _signed(8),
            "INT": _signed(32),
            "BIGINT": _signed(64),
            "BIGINT UNSIGNED": (0, 2**64 - 1),
        },
        {"DECIMAL(18,3)": (15, 3), "DECIMAL(38,10)": (28, 10), "DECIMAL(60,0)": (60, 0)},
        {"FLOAT": "f", "DOUBLE": "d"},
        {"DATETIME": (0, False), "DATETIME(3)": (3, False), "DATETIME(6)": (6, False)},
        ("DATE",),
        {"VARCHAR(40)": False, "TEXT": False, "CHAR(40)": True},
        ("JSON",),
        (("TIME", 0, False), ("TIME(6)", 6, False)),
    ),
    "sqlite": Types(
        {"INTEGER": _signed(64)},
        {},
        {"REAL": "d"},
        {},
        (),
        {"TEXT": False, "VARCHAR(40)": False},
        loose=("INT", "DECIMAL(18,3)", "BOOLEAN", "DATE", "DATETIME", "TIME", "BLOB"),
    ),
    "bigquery": Types(
        {"INT64": _signed(64)},
        {"NUMERIC": (29, 9), "BIGNUMERIC": (38, 38)},
        {"FLOAT64": "d"},
        {"DATETIME": (6, False), "TIMESTAMP": (6, True)},
        ("DATE",),
        {"STRING": False},
        ("JSON",),
    ),
}


def values_of(types: Types, engines: str, seed: int) -> dict[str, list[Value]]:
    """Return the values of each type next to the number, the instant and the text of case *seed*.

    *engines* names the engines that compare them.
    """
    draw = random.Random(seed)
    number = Fraction(draw.choice(NUMBERS) * draw.choice((1, 1, -1)))
    number += Fraction(draw.choice(FRACTIONS)) * draw.choice((1, 1, -1))
    instant = (draw.randrange(0, 2 * 10**9) * draw.choice((0, 1, 1)) - draw.choice((0, 0, 10**9))) * 10**9
    if "mysql" in engines:
        instant = abs(instant)
    text = draw.choice(TEXTS)
    found: dict[str, list[Value]] = {}
    for name, (least, most) in types.integers.items():
        whole_ones = [math.floor(number) + step for step in (-1, 0, 1, 2)]
        found[name] = [_number(str(n), Fraction(n)) for n in whole_ones if least <= n <= most]
    for name, (whole, scale) in types.decimals.items():
        unit = Fraction(1, 10**scale)
        near = {(number // unit + step) * unit for step in (-1, 0, 1)} | {Fraction(math.floor(number))}
        found[name] = [_number(_decimal(n, scale), n) for n in sorted(near) if abs(n) < 10**whole]
    for name, form in types.floats.items():
        found[name] = [_number(_float_text(x, form), Fraction(x)) for x in _near_floats(number, form)]
    for name, (digits, has_zone) in types.instants.items():
        unit_ns = 10 ** (9 - digits)
        near_ns = {(instant // unit_ns + step) * unit_ns for step in (-1, 0, 1)} | {instant // 10**9 * 10**9}
        found[name] = [
            Value(f"'{_instant(ns, digits)}{'+00' if has_zone else ''}'", ("instant", ns))
            for ns in sorted(near_ns)
        ]
    for name in types.dates:
        found[name] = [
            Value(f"'{_instant(ns, 0)[:10]}'", ("instant", ns))
            for ns in ((instant // DAY + step) * DAY for step in (-1, 0, 1))
        ]
    shown = [_decimal(number, 3), str(math.floor(number)), _instant(instant, 0), _instant(instant, 0)[:10]]
    for name, is_padded in types.texts.items():
        near_texts = dict.fromkeys([text, text + " ", text.swapcase(), text + "\u0301", *shown])
        found[name] = [
            Value(f"'{one}'", ("text", one.rstrip(" ") if is_padded else one)) for one in near_texts
        ]
    for name in types.documents:
        whole_number = math.floor(number)
        near_texts = dict.fromkeys([str(whole_number), str(whole_number + 1), json.dumps(text), "null"])
        found[name] = [
            Value(f"""'{{"a": {one}}}'""", ("document", json.dumps({"a": json.loads(one)})))
            for one in near_texts
        ]
    for name, digits, has_offset in types.times:
        unit_ns = 10 ** (9 - digits)
        near_ns = {(instant // unit_ns + step) * unit_ns % DAY for step in (-1, 0, 1)}
        found[name] = [
            _time(_instant(ns, digits)[11:], offset)
            for ns in sorted(near_ns)
            for offset in (("+00", "+02", "-07") if has_offset else ("",))
        ]
    for name in types.booleans:
        found[name] = [Value(word, ("boolean", word == "true")) for word in ("true", "false")]
    at = _instant(instant, 0)
    loose = [at, f"{at}.5", f"{at}.123456789", f"{at}+02:00", at[:10], at[11:], f"{at[11:]}.5", text]
    numbers = [str(math.floor(number)), _decimal(number, 3), f"{float(number)!r}", "2", "1", "0", "0.5"]
    for name in types.loose:
        written = [*map(_read_text, loose), *map(_read_number, numbers), Value("x'61'", ("blob", "61"))]
        found[name] = list(
            {one.meaning: one for one in (_as_stored(each, name) for each in written)}.values()
        )
    return {name: values for name, values in found.items() if values}


def _time(text: str, offset: str) -> Value:
    return Value(
        f"'{text}{offset}'", ("time", (text.rstrip("0").rstrip(".") if "." in text else text, offset))
    )


def _read_text(text: str) -> Value:
    """Return *text* with what it means in a column of any value: an instant, a time, or a text."""
    if re.fullmatch(r"\d\d:\d\d:\d\d(\.\d+)?", text):
        return _time(text, "")
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)( \d\d:\d\d:\d\d)?(?:\.(\d+))?", text)
    if found is None:
        return Value(f"'{text}'", ("text", text))
    at = datetime.fromisoformat(f"{found[1]}{found[2] or ''}") - EPOCH
    ns = (at.days * 86_400 + at.seconds) * 10**9 + int((found[3] or "0").ljust(9, "0"))
    return Value(f"'{text}'", ("instant", ns))


def _read_number(text: str) -> Value:
    if re.fullmatch(r"-?\d+", text) and abs(int(text)) < 2**63:
        return _number(text, Fraction(int(text)))
    # A double that is no integer of 64 bits stays a double: its shortest digits are the value.
    value = float(text)
    return _number(text, Fraction(value if value.is_integer() and abs(value) < 2**63 else repr(value)))


def _as_stored(value: Value, name: str) -> Value:
    """Return *value* as a column of the type *name* stores it: numbers are true or false, texts numbers."""
    kind, meaning = value.meaning
    if name == "BOOLEAN" and meaning in (0, 1):
        return Value(value.sql, ("boolean", bool(meaning)))
    if kind == "text" and name != "BLOB" and re.fullmatch(r"-?\d+(\.\d+)?", str(meaning)):
        return _read_number(str(meaning))
    return value


def is_same(one: Meaning, other: Meaning) -> bool:
    """Return True if two values are equal, exactly; a text equals a value that it spells."""
    if one[0] == other[0] or {one[0], other[0]} == {"boolean", "number"}:
        return one[1] == other[1]
    for text, value in ((one, other), (other, one)):
        if text[0] == "text":
            return _spells(str(text[1]).strip(), value)
    return False


def _spells(text: str, value: Meaning) -> bool:
    if value[0] == "number":
        return (
            re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", text, re.I) is not None and Fraction(text) == value[1]
        )
    if value[0] == "instant":
        found = re.fullmatch(
            r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d)(?:\.(\d+))?)?(?:\+00(?::00)?|Z)?", text
        )
        if found is None:
            return False
        at = datetime.fromisoformat(f"{found[1]} {found[2] or '00:00:00'}") - EPOCH
        return (at.days * 86_400 + at.seconds) * 10**9 + int((found[3] or "0").ljust(9, "0")) == value[1]
    return value[0] == "document" and text == value[1]


def _number(sql: str, value: Fraction) -> Value:
    return Value(sql, ("number", value))


def _decimal(value: Fraction, scale: int) -> str:
    scaled = math.floor(abs(value) * 10**scale)
    whole, rest = divmod(scaled, 10**scale)
    return f"{'-' if value < 0 else ''}{whole}{f'.{rest:0{scale}d}' if scale else ''}"


def _near_floats(number: Fraction, form: str) -> list[float]:
    width = {"f": "I", "d": "Q"}[form]
    (bits,) = struct.unpack(width, struct.pack(form, float(number)))
    steps = (bits + step for step in (-1, 0, 1) if bits + step >= 0)
    found = [
        struct.unpack(form, struct.pack(width, each))[0]
        for each in steps
        if each < 2 ** (8 * struct.calcsize(width))
    ]
    return sorted({x for x in found if math.isfinite(x) and (x == 0 or abs(x) > 1e-30)})


def _float_text(value: float, form: str) -> str:
    # Nine digits name each number of 32 bits, 17 each of 64 bits.
    return f"{value:.{8 if form == 'f' else 16}e}"


def _instant(ns: int, digits: int) -> str:
    seconds, rest = divmod(ns, 10**9)
    at = EPOCH + timedelta(seconds=seconds)
    return f"{at:%Y-%m-%d %H:%M:%S}" + (f".{rest // 10 ** (9 - digits):0{digits}d}" if digits else "")


class Engine:
    """One engine, with a table for each side."""

    def __init__(self, name: str, adapter: UnifiedSqlAdapter, at_once: int = AT_ONCE) -> None:
        self.name, self.adapter = name, adapter
        self._at_once = at_once
        self._table = f"types_{uuid4().hex[:8]}"
        self.pairs = self.compared = self.equal = 0
        """Pairs of values; those whose types are compared exactly; those of them that were called equal."""
        self._rows = 0

    def failures(self, seed: int) -> Iterator[str]:
        """Yield the pairs of different values that are called equal in case *seed*."""
        base, current = self._values(seed)
        pairs = list(product(base, current))
        for left, right in random.Random(seed).sample(pairs, min(len(pairs), self._at_once)):
            yield from self._of_pair(seed, left, base[left], right, current[right])

    def _values(self, seed: int) -> list[dict[str, list[Value]]]:
        """Return the values of both sides by their type."""
        return [values_of(ENGINES[self.name], self.name, seed)] * 2

    def close(self) -> None:
        """Drop both tables."""
        for side in ("base", "current"):
            self.adapter.execute(f"DROP TABLE IF EXISTS {self._table}_{side}")

    def _of_pair(
        self, seed: int, left: str, before: list[Value], right: str, after: list[Value]
    ) -> Iterator[str]:
        both = [(one, other) for one in before for other in after]
        base = self.fill("base", left, [one for one, _ in both])
        current = self.fill("current", right, [other for _, other in both])
        # A runner sees one moment, in which the next tables do not exist.
        runner = open_data_diff_runner(self.adapter, threads=1)
        try:
            pair = runner.places.pair(base, current)
            yield from self._of_tables(seed, runner.run, pair, both, left, right)
        finally:
            runner.close()

    def _of_tables(
        self, seed: int, run: Runs, pair: Pair, both: list[tuple[Value, Value]], left: str, right: str
    ) -> Iterator[str]:
        self._rows = len(both)
        for key in (("id",), ()):
            options = ValueOptions(key=key or None, limit=len(both) * 2)
            equal = self._equal(run, pair, options)
            self.pairs += len(both) if key else 0
            self.compared += len(both) if key and equal is not None else 0
            self.equal += len(equal or ()) if key else 0
            for at in sorted(equal or ()):
                one, other = both[at]
                if not is_same(one.meaning, other.meaning):
                    how = "by key" if key else "whole rows"
                    yield f"{self.name} case {seed} {how}: {left} {one.sql} = {right} {other.sql}"

    def _equal(self, run: Runs, pair: Pair, options: ValueOptions) -> set[int] | None:
        """Return the numbers of the rows that are called equal; None if the column was not compared."""
        try:
            found = run(details(pair, options))
        except UsageError:
            return None
        assert isinstance(found, (ValueDetail, RowsDiff)) and not found.is_cut
        if "v" in found.incomparable or "v" in found.rounded or "v" not in found.columns:
            return None
        places = [row.key[0] if options.key else (row.base or row.current or ())[0] for row in found.rows]
        count = found.base_rows if isinstance(found, RowsDiff) else None
        assert count in (None, self._rows)
        return set(range(self._rows)) - {int(str(place)) for place in places}

    def fill(self, side: str, kind: str, values: list[Value]) -> str:
        """Create the table of *side* with a column v of the type *kind*, and return its name."""
        self.adapter.execute(f"DROP TABLE IF EXISTS {self._table}_{side}")
        number = "INTEGER" if self.name != "mysql" else "INT"
        self.adapter.execute(f"CREATE TABLE {self._table}_{side} (id {number}, v {kind})")
        rows = ", ".join(f"({at}, {value.sql})" for at, value in enumerate(values))
        self.adapter.execute(f"INSERT INTO {self._table}_{side} VALUES {rows}")
        return f"{self._table}_{side}"


class Across(Engine):
    """Two engines, with base in the first one and current in the second."""

    def __init__(self, base: Engine, current: Engine, at_once: int = AT_ONCE // 5) -> None:
        self.name, self._base, self._current = f"{base.name}-{current.name}", base, current
        self._at_once = at_once
        self.pairs = self.compared = self.equal = 0

    def close(self) -> None:
        """Leave the tables to both engines."""

    def failures(self, seed: int) -> Iterator[str]:
        """Compare the sums of parts before the rows in every second case."""
        with MonkeyPatch.context() as patch:
            patch.setattr(across, "FEW_ROWS", seed % 2 * across.FEW_ROWS)
            yield from super().failures(seed)

    def _values(self, seed: int) -> list[dict[str, list[Value]]]:
        return [values_of(ENGINES[one.name], self.name, seed) for one in (self._base, self._current)]

    def _of_pair(
        self, seed: int, left: str, before: list[Value], right: str, after: list[Value]
    ) -> Iterator[str]:
        both = [(one, other) for one in before for other in after]
        base = self._base.fill("base", left, [one for one, _ in both])
        current = self._current.fill("current", right, [other for _, other in both])
        runner = open_data_diff_runner(self._current.adapter, self._base.adapter, threads=1)
        try:
            yield from self._of_tables(seed, runner.run, runner.places.pair(base, current), both, left, right)
        finally:
            runner.close()


class GoogleSql(Engine):
    """GoogleSQL's own evaluator, to which statements for BigQuery and the rows of both sides are given."""

    def __init__(self, judge: Judge, at_once: int = AT_ONCE) -> None:
        self.name, self._judge, self._at_once = "bigquery", judge, at_once
        self.pairs = self.compared = self.equal = 0

    def close(self) -> None:
        """End the evaluator."""
        self._judge.close()

    def _of_pair(
        self, seed: int, left: str, before: list[Value], right: str, after: list[Value]
    ) -> Iterator[str]:
        both = [(one, other) for one in before for other in after]
        rows = {
            "base": [_typed(one.sql, left) for one, _ in both],
            "current": [_typed(other.sql, right) for _, other in both],
        }
        tables = {
            side: " UNION ALL ".join(f"SELECT {at} AS id, {value} AS v" for at, value in enumerate(values))
            for side, values in rows.items()
        }
        kinds = {DataSide.BASE: left, DataSide.CURRENT: right}
        dialect = dialect_named("bigquery")
        base, current = (
            SideRelation(relation=table(dialect, side.value), dialect=dialect, side=side, name=side.value)
            for side in kinds
        )

        def ask(queries: Queries) -> list[Answer]:
            return [
                [("id", "INT64"), ("v", kinds[one.side])]
                if one.describes
                else [tuple(map(_read, row.values())) for row in self._judge.rows(one.sql, tables)]
                for one in queries
            ]

        pair = Pair(subject=Subject(name="t"), base=base, current=current)
        yield from self._of_tables(seed, lambda plan: run_plan(plan, ask), pair, both, left, right)


def _read(value: object) -> object:
    # JSON has large integers, such as hashes, as texts.
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?\d{16,19}", value) else value


def _typed(sql: str, kind: str) -> str:
    if kind == "JSON":
        return f"JSON {sql}"
    text = sql if sql.startswith("'") else f"'{sql}'"
    return f"CAST({text} AS {kind})"


def failures(engines: Iterable[Engine], seeds: Iterable[int]) -> Iterator[str]:
    """Run the cases of *seeds* on each engine, and yield what is wrong."""
    listed = list(engines)
    for seed in seeds:
        for engine in listed:
            try:
                yield from engine.failures(seed)
            except (RecceMetaError, WarehouseError) as error:
                yield f"{engine.name} case {seed}: {error}"


def main() -> None:
    """Run the cases that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("engines", nargs="+", metavar="ENGINE=URL", help=", ".join(ENGINES))
    parser.add_argument("--across", action="store_true", help="Compare each pair of engines.")
    clock, given = Clock.of(parser)
    found = 0
    with ExitStack() as stack:
        engines: list[Engine] = []
        for text in given.engines:
            name, _, url = text.partition("=")
            engine = (
                GoogleSql(Judge())
                if name == "bigquery"
                else Engine(name, stack.enter_context(UnifiedSqlAdapter.from_url(url)))
            )
            stack.callback(engine.close)
            engines.append(engine)
        if given.across:
            engines = [Across(base, current) for base, current in permutations(engines, 2)]
        for failure in failures(engines, clock.seeds()):
            found += 1
            print(failure, flush=True)
        for engine in engines:
            print(
                f"{engine.name}: {engine.pairs:,} pairs of values, {engine.compared:,} of them compared"
                f" exactly, {engine.equal:,} equal"
            )
    print(clock.report(found))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
