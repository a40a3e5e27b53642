"""List the names of the macros of dbt and its adapters, from the source code in their wheels.

    pip download --no-deps --dest WHEELS dbt-adapters dbt-bigquery dbt-databricks dbt-spark dbt-duckdb \
        dbt-postgres dbt-redshift dbt-snowflake
    python scripts/build_dbt_macros.py WHEELS
Writes `recce_meta/render/dbt_macros.txt`, one name a line, without names that
contain `__`, those of implementations.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from zipfile import ZipFile

OUTPUT = Path(__file__).parents[1] / "recce_meta" / "render" / "dbt_macros.txt"
_MACRO = re.compile(r"\{%-?\s*macro\s+(\w+)")


def main(folder: Path) -> None:
    """Read every wheel in *folder*, and write the list; names of an earlier list stay."""
    found = set(OUTPUT.read_text("utf-8").split()) if OUTPUT.exists() else set()
    for wheel in folder.glob("*.whl"):
        with ZipFile(wheel) as files:
            for name in files.namelist():
                if "/include/" in name and name.endswith(".sql"):
                    found.update(_MACRO.findall(files.read(name).decode()))
    names = sorted(name for name in found if "__" not in name)
    OUTPUT.write_text("\n".join(names) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
