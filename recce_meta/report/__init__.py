"""Reports: results as text for a terminal, Markdown, JSON, HTML, CSV, TSV and JUnit XML.

Every function takes a result and returns text; none does I/O.
"""

from __future__ import annotations

from recce_meta.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__file__)
