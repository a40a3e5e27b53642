"""Size of the large proofs: the tests run a sample, and with RECCE_META_WHOLE_MATRIX=1 the whole."""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")

IS_WHOLE = bool(os.environ.get("RECCE_META_WHOLE_MATRIX"))


def sampled(whole: T, sample: T) -> T:
    """Return *whole* if the whole proof is asked for, else *sample*."""
    return whole if IS_WHOLE else sample
