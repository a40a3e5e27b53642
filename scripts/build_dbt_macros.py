"""List the macros of dbt and its adapters, from the source code in their wheels.

    pip download --no-deps --dest WHEELS dbt-adapters dbt-bigquery dbt-databricks dbt-spark dbt-duckdb \
        dbt-postgres dbt-redshift dbt-snowflake
    python scripts/build_dbt_macros.py WHEELS
Writes `recce_meta/models/dbt_macros.txt`: one name a line, without the prefix of an adapter, and the
materializations whose macros call it. A materialization stands once for each adapter, or with `default`.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path
from zipfile import ZipFile

from recce_meta.diff.run_by_dbt import LOOKED_UP
from recce_meta.extractors.jinja import blocks_of
from recce_meta.extractors.sql_project.inputs import macro_name
from recce_meta.models.adapters import base_name

OUTPUT = Path(__file__).parents[1] / "recce_meta" / "models" / "dbt_macros.txt"
BUILT = ("incremental", "materialized_view", "seed", "snapshot", "table", "test", "view")
_CALLED = re.compile(r"\bdispatch\(\s*['\"](\w+)|(\w+)\s*\(")


_TYPES = ("materialized_view", "table", "view")
_OF_TYPE = re.compile(r"get_(?:create|replace)_(\w+?)(?:_as)?_sql")
"""Names of macros that `get_create_sql` and `get_replace_sql` choose by the type of the relation."""


def _is_of(kind: str, name: str) -> bool:
    found = _OF_TYPE.fullmatch(name)
    return found is None or found[1] not in _TYPES or found[1] == kind


def main(folder: Path) -> None:
    """Read every wheel in *folder*, and write the list; names of an earlier list stay."""
    lines = OUTPUT.read_text("utf-8").splitlines() if OUTPUT.exists() else []
    found = {line.split()[0]: set(line.split()[1:]) for line in lines}
    calls: dict[str, set[str]] = defaultdict(set)
    for wheel in folder.glob("*.whl"):
        with ZipFile(wheel) as files:
            for file in files.namelist():
                if "/include/" not in file or not file.endswith(".sql"):
                    continue
                for block in blocks_of(files.read(file).decode()):
                    prefix = "" if block.kind == "macro" else f"{block.kind}_"
                    if block.kind == "materialization" and (own := macro_name(block)):
                        found[own] = set()
                    name = f"{prefix}{base_name(block.name)}"
                    calls[name].update(base_name(one or other) for one, other in _CALLED.findall(block.body))
    for name in calls:
        if not name.startswith("materialization_"):
            found.setdefault(name, set())
    for kind in BUILT:
        looked_up = LOOKED_UP.get(kind)
        waiting, seen = [name for name in calls if looked_up and looked_up.fits(name, None)], set[str]()
        waiting.append(f"materialization_{kind}")
        while waiting:
            name = waiting.pop()
            if name not in seen and name in calls:
                seen.add(name)
                waiting += [one for one in calls[name] if kind not in _TYPES or _is_of(kind, one)]
        for name in seen & found.keys():
            found[name].add(kind)
    text = "".join(f"{' '.join([name, *sorted(kinds)])}\n" for name, kinds in sorted(found.items()))
    OUTPUT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
