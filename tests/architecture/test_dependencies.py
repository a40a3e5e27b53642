"""The dependencies: all used, none missing, and none that would move a version that dbt needs."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path, PurePath

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.architecture.shape import read_modules

ROOT = Path(__file__).parents[2]
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PINS: dict[str, dict[str, str]] = json.loads(
    (ROOT / "tests" / "data" / "dbt_pins.json").read_text(encoding="utf-8")
)["requires"]
"""What releases of dbt and its adapters require of packages that we require, too."""

MODULES = {"duckdb-engine": "duckdb_engine", "pyyaml": "yaml", "python-dotenv": "dotenv"}
"""Import names that are not the package's own."""
FOR_OTHERS = {"pytz": "duckdb imports it to return TIMESTAMPTZ"}
BROUGHT_ALONG = {
    "markupsafe": "Jinja2 requires it, and returns its Markup",
    "pydantic": "mcp requires it, and raises its errors for arguments of wrong types",
}
"""Modules of packages that a dependency always installs."""
STANDARD = {"recce_meta", "__future__"}

KNOWN_CONFLICTS = {
    ("sqlalchemy", "databricks-sql-connector 2.9"),
    ("redshift-connector", "dbt-redshift 1.5"),
    ("redshift-connector", "dbt-redshift 1.6"),
    ("redshift-connector", "dbt-redshift 1.7"),
    ("redshift-connector", "dbt-redshift 1.8"),
}
"""Where recce-meta, or its redshift extra, needs its own environment: see docs/internals/decisions.md."""


def listed(table: str) -> list[Requirement]:
    """The requirements in the first array called *table* in pyproject.toml."""
    found = re.search(rf"^{table} = \[(.*?)\]$", PROJECT, re.MULTILINE | re.DOTALL)
    assert found is not None, table
    return [Requirement(text) for text in re.findall(r'"([^"]+)"', found[1])]


BASE = listed("dependencies")
EXTRAS = [
    one
    for name in ("snowflake", "bigquery", "redshift", "databricks", "data", "server", "lsp", "mcp")
    for one in listed(name)
]


def canonical(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


OF_EXTRAS = {
    "snowflake": {"snowflake", "cryptography", "OpenSSL"},
    "bigquery": {"google", "requests", "sqlalchemy_bigquery"},
    "redshift": {"redshift_connector", "sqlalchemy_redshift", "requests"},
    "databricks": {"databricks", "pyarrow", "requests", "urllib3"},
    "mysql": {"pymysql"},
    "duckdb": {"fsspec"},
}
"""What drivers may import besides, by how their files' names begin: extras bring it."""


OF_DATA_FRAMES = {"tables/arrow.py", "models/rows.py"}
"""Modules that may import the packages of the extra `data`."""
OF_SERVER = {"fastapi", "prometheus_client", "pygments", "starlette", "uvicorn"}
"""Packages that only modules of the server may import: the extra `server` brings them."""
OF_LSP = {"lsprotocol", "pygls"}
"""Packages that only modules of the language server may import: the extra `lsp` brings them."""
OF_REPOSITORIES = {"cryptography", "dbos", "uv"}
"""Packages that only modules of repositories may import: the extra `server` brings them."""
PURE = {"connection", "dialect", "catalog"}
"""Modules of a warehouse that import no driver."""


@cache
def imported(below: str = "") -> set[str]:
    """Every top-level module that recce_meta, or the file or folder *below* it, imports."""
    found: set[str] = set()
    chosen = (module for module in read_modules() if PurePath(module.path).is_relative_to(below))
    for node in (node for module in chosen for node in module.nodes):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def have_common_version(ours: SpecifierSet, theirs: SpecifierSet) -> bool:
    """Whether some version fits both; bounds and the neighbours of bounds are tried."""
    versions = {
        version
        for specifier in (*ours, *theirs)
        for bound in [Version(specifier.version.replace(".*", ""))]
        for version in (bound, Version(f"{bound}.1"), Version(f"{bound}.post1"), _before(bound))
    }
    return not versions or any(version in ours and version in theirs for version in versions)


def _before(bound: Version) -> Version:
    parts = list(bound.release)
    for index in range(len(parts) - 1, -1, -1):
        if parts[index]:
            parts[index] -= 1
            return Version(".".join(map(str, [*parts[: index + 1], *[9999] * (len(parts) - index - 1)])))
    return bound


@pytest.mark.parametrize("requirement", BASE, ids=lambda one: one.name)
def test_every_dependency_is_used(requirement: Requirement) -> None:
    name = canonical(requirement.name)

    assert name in FOR_OTHERS or MODULES.get(name, name) in imported()


@pytest.mark.extensive
def test_nothing_is_imported_that_is_not_a_dependency() -> None:
    import sys

    declared = {MODULES.get(canonical(one.name), canonical(one.name)) for one in BASE}
    declared |= STANDARD | set(BROUGHT_ALONG) | set(sys.stdlib_module_names)
    for path in sorted((ROOT / "recce_meta").rglob("*.py")):
        below = path.relative_to(ROOT / "recce_meta")
        allowed = set(declared)
        if below.parts[0] == "warehouses" and len(below.parts) > 2 and path.stem not in PURE:
            allowed |= OF_EXTRAS.get(below.parts[1], set())
        if below.as_posix() in OF_DATA_FRAMES:
            allowed |= {"pyarrow", "polars"}
        if below.parts[0] == "server":
            allowed |= OF_SERVER
        if below.parts[0] == "lsp":
            allowed |= OF_LSP
        if below.parts[0] == "mcp":
            allowed |= {"mcp", "mcp_types", "anyio"}  # which mcp requires
        if below.parts[0] == "repositories":
            allowed |= OF_REPOSITORIES

        assert imported(str(below)) <= allowed, below


def test_ci_installs_the_lowest_version_of_every_dependency() -> None:
    lines = (ROOT / ".ci" / "oldest.txt").read_text(encoding="utf-8").splitlines()
    tried = {
        canonical(one.name): one.specifier
        for line in lines
        if line[:1].isalpha()
        for one in [Requirement(line)]
    }

    for requirement in [*BASE, *listed("data")]:
        lowest = min(Version(one.version) for one in requirement.specifier if one.operator == ">=")
        assert [Version(one.version) for one in tried[canonical(requirement.name)]] == [lowest], (
            requirement.name
        )


def test_some_version_of_every_dependency_suits_dbt_where_no_conflict_is_known() -> None:
    conflicts = {
        (canonical(requirement.name), release.rpartition(".")[0])
        for requirement in [*BASE, *EXTRAS]
        for release, theirs in PINS.items()
        if (pin := theirs.get(canonical(requirement.name))) is not None
        and not have_common_version(requirement.specifier, SpecifierSet(pin))
    }

    assert conflicts == KNOWN_CONFLICTS


@pytest.mark.parametrize(
    ("ours", "theirs", "common"),
    [
        (">=2.1.8", "==2.0.913", False),
        (">=2.1.8", "<2.2,>=2.1.3", True),
        (">=8.1", "<9.0,>=8.3.0", True),
        (">=1.0,<2.0", ">=2.0", False),
        (">=1.0", "<1.0", False),
        (">1.0", "<=1.0.1", True),
        (">=1.5", "", True),
    ],
)
def test_the_test_itself_tells_ranges_apart(ours: str, theirs: str, common: bool) -> None:
    assert have_common_version(SpecifierSet(ours), SpecifierSet(theirs)) is common
