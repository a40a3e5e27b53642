"""Limits of the answer of the child that reads an upload."""

from __future__ import annotations

from pathlib import Path

import pytest

from recce_meta.errors import UsageError
from recce_meta.repositories.extraction import manifest_reader


def test_a_large_answer_is_refused_before_it_is_read(tmp_path: Path) -> None:
    answer = tmp_path / "answer.msgpack"
    with answer.open("wb") as file:
        file.truncate(manifest_reader.LARGEST_ANSWER + 1)
    with pytest.raises(UsageError, match="The upload is too large: as a run it has 268,435,457 bytes"):
        manifest_reader._read_answer(answer)
