"""What the demo says of the rows of one model."""

from __future__ import annotations

import pytest

from recce_meta.api.demo import Rows


@pytest.mark.parametrize(
    ("rows", "differing"),
    [
        (Rows("orders", 900, 900, 76, 76), 76),
        (Rows("orders", 900, 905, 0, 5), 5),
        (Rows("orders", 900, 900, 0, 0), 0),
        (Rows("orders", 900, 900), None),
    ],
)
def test_rows_that_either_side_lacks_differ(rows: Rows, differing: int | None) -> None:
    assert rows.differing == differing
