"""Rows that the role may not see: no comparison of what remains is called equal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timezone
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.data.execution import DataDiffRunner, open_data_diff_runner
from recce_meta.api.quality_tables import TableRequest, measure_tables
from recce_meta.data_diff.detail import query_diff, value_diff_detail
from recce_meta.data_diff.histogram import histogram_diff
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.profile import profile_diff
from recce_meta.data_diff.row_count import row_counts
from recce_meta.data_diff.rows import rows_diff
from recce_meta.data_diff.sample import row_sample
from recce_meta.data_diff.stored import node_statistics
from recce_meta.data_diff.top_k import top_k_diff
from recce_meta.data_diff.value import value_diff
from recce_meta.models.data_diff import AnyDataDiff
from recce_meta.report.data.verdicts import Outcome, verdict

KEY = ValueOptions(key=("id",))


class Databases:
    """Two schemas with a policy, as their owner and as a role that the policy limits."""

    def __init__(self, url: str, stack: ExitStack, connections: int) -> None:
        self.name = f"seen_{uuid4().hex[:8]}"
        self.owner = stack.enter_context(UnifiedSqlAdapter.from_url(url))
        own = urlsplit(url)
        place = own._replace(netloc=f"{self.name}@{own.hostname}:{own.port or 5432}").geturl()
        self.owner.execute(f"CREATE ROLE {self.name} LOGIN CONNECTION LIMIT {connections}")
        stack.callback(self.owner.execute, f"DROP ROLE {self.name}")
        self.owner.execute(f"CREATE SCHEMA {self.name}")
        stack.callback(self.owner.execute, f"DROP SCHEMA {self.name} CASCADE")
        for table, hidden in (("a", 3), ("b", 99)):
            relation = f"{self.name}.{table}"
            self.owner.execute(f"CREATE TABLE {relation} AS SELECT 1 AS id, 'x' AS tenant, 1 AS v")
            self.owner.execute(f"INSERT INTO {relation} VALUES (2, 'y', {hidden})")
            self.owner.execute(f"ALTER TABLE {relation} ENABLE ROW LEVEL SECURITY")
            self.owner.execute(f"CREATE POLICY p ON {relation} USING (tenant = 'x')")
            view = f"CREATE VIEW {relation}_view WITH (security_invoker = true)"
            self.owner.execute(f"{view} AS SELECT * FROM {relation}")
            self.owner.execute(f"CREATE TABLE {relation}_open AS SELECT 1 AS id, 1 AS v")
        self.owner.execute(f"GRANT USAGE ON SCHEMA {self.name} TO {self.name}")
        self.owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {self.name} TO {self.name}")
        self.limited = stack.enter_context(UnifiedSqlAdapter.from_url(place))
        self.runner = open_data_diff_runner(self.limited, threads=1)
        stack.callback(self.runner.close)


@pytest.fixture(params=[9, 1], ids=["snapshot", "one connection"])
def databases(postgres_url: str, request: pytest.FixtureRequest) -> Iterator[Databases]:
    with ExitStack() as stack:
        yield Databases(postgres_url, stack, request.param)


def results_of(runner: DataDiffRunner, schema: str, suffix: str) -> list[AnyDataDiff]:
    pair = runner.places.pair(f"{schema}.a{suffix}", f"{schema}.b{suffix}")
    sql = f"SELECT * FROM {schema}.a{suffix}"
    queries = runner.places.queries(sql, f"{sql} WHERE true")
    return [
        runner.run(row_counts([pair])),
        runner.run(value_diff(pair, KEY)),
        runner.run(value_diff_detail(pair, KEY)),
        runner.run(rows_diff(pair, ValueOptions())),
        runner.run(query_diff(queries, ValueOptions(), base_sql=sql, current_sql=sql)),
        runner.run(profile_diff(pair)),
        runner.run(top_k_diff(pair, columns=["v"])),
        runner.run(histogram_diff(pair, columns=["v"])),
    ]


@pytest.mark.parametrize("suffix", ["", "_view"])
def test_rows_that_a_policy_hides_are_never_called_equal(databases: Databases, suffix: str) -> None:
    for result in results_of(databases.runner, databases.name, suffix):
        found = verdict(result)
        assert found.outcome is Outcome.PARTIAL, found
        assert f"row security of {databases.name}.a" in found.text, found
        assert f"for {databases.name})" in found.text, found


def test_a_policy_doubts_no_other_relation_and_no_exempt_role(databases: Databases) -> None:
    assert {verdict(one).outcome for one in results_of(databases.runner, databases.name, "_open")} == {
        Outcome.EQUAL
    }
    pairs = [databases.runner.places.pair(f"{databases.name}.a{end}", None) for end in ("", "_open")]
    limited, free = databases.runner.run(row_counts(pairs)).counts
    assert limited.subject.hidden is not None and free.subject.hidden is None

    exempt = open_data_diff_runner(databases.owner, threads=1)
    pair = exempt.places.pair(f"{databases.name}.a", f"{databases.name}.b")
    found = verdict(exempt.run(value_diff(pair, KEY)))
    exempt.close()
    assert (found.outcome, found.text) == (Outcome.DIFFERENT, "1 of 2 rows changed (50.0%)")


def test_figures_of_visible_rows_are_not_those_of_the_table(databases: Databases) -> None:
    pair = databases.runner.places.pair(None, f"{databases.name}.a")
    named = pair.subject.__class__(name="a", unique_id="model.p.a", current=pair.subject.current)
    pair = pair.__class__(subject=named, base=None, current=pair.current)
    counts, profile = databases.runner.run(row_counts([pair])), databases.runner.run(profile_diff(pair))
    (kept,) = node_statistics(counts, [profile], taken_at=datetime.now(timezone.utc))
    assert kept.row_count is None and not kept.columns
    assert "row security" in str(kept.reason) and "row security" in str(kept.profile_reason)

    sample = databases.runner.run(row_sample(pair, KEY))
    (quality,) = measure_tables(databases.limited, [TableRequest(relation=f"{databases.name}.a")], threads=1)
    assert any("row security" in note for note in sample.notes)
    assert any("row security" in note for note in quality.notes)
