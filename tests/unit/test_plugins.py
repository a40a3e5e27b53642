"""What other packages register: found by name, and told apart from what does not serve."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recce_meta import UnifiedSqlAdapter, plugins
from recce_meta.api.demo import doctor
from recce_meta.errors import ConfigurationError, PluginError, UnknownNameError
from recce_meta.warehouses import clashing, warehouse_for_scheme, warehouse_named
from recce_meta.warehouses.catalog import catalog_of
from recce_meta.warehouses.dialect import dialect_named
from recce_meta.warehouses.driver import driver_for

CELLAR = """
from recce_meta.warehouses.driver import BaseDriver
from recce_meta.warehouses.dialect import Dialect
from recce_meta.warehouses.sqlite.dialect import SQLite
from recce_meta.warehouses import Warehouse
from recce_meta.warehouses.catalog import BaseCatalog

class Cellar(Warehouse):
    name = "cellar"
    dialect = "sqlite"
    driver = "{package}:Driver"
    catalog = "{package}:Catalog"
    url_schemes = ("cellar",)

class Driver(BaseDriver):
    pass

class Catalog(BaseCatalog):
    system_schemas = ("vault",)

class Doris(Dialect):
    name = "doris"
    has_nan = False

def export(run, path):
    return [path]

NOTHING = None
TEXT = "no class"
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts a package with one module and entry points on the path, as pip does."""
    monkeypatch.syspath_prepend(tmp_path)

    def put(package: str, group: str, code: str = CELLAR, **names: str) -> None:
        (tmp_path / f"{package}.py").write_text(code.replace("{package}", package), encoding="utf-8")
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", "utf-8")
        listed = "".join(f"{name} = {package}:{target}\n" for name, target in names.items())
        (info / "entry_points.txt").write_text(f"[{group}]\n{listed}", encoding="utf-8")
        plugins._entry_points.cache_clear()

    yield put
    plugins._entry_points.cache_clear()


def test_a_warehouse_brings_its_driver_and_its_catalog(install: Install) -> None:
    install("cellar_one", plugins.WAREHOUSES, cellar="Cellar")

    cellar = warehouse_named("cellar")

    assert (cellar.name, cellar.dialect) == ("cellar", "sqlite")
    assert type(driver_for(cellar)).__module__ == "cellar_one"
    assert catalog_of(cellar).system_schemas == ("vault",)
    assert warehouse_for_scheme("cellar+some_driver").name == "cellar"


def test_a_name_that_is_not_known_lists_what_is_installed(install: Install) -> None:
    install("cellar_two", plugins.WAREHOUSES, cellar="Cellar")

    with pytest.raises(UnknownNameError, match="Unknown warehouse type 'celler'") as told:
        warehouse_named("celler")
    assert told.value.hint == "did you mean 'cellar'?"
    with pytest.raises(UnknownNameError) as told:
        warehouse_named("q")
    assert "cellar" in told.value.known and "duckdb" in told.value.known
    with pytest.raises(UnknownNameError, match="Unknown database 'celler'"):
        warehouse_for_scheme("celler")


@pytest.mark.parametrize(
    ("target", "code", "cause"),
    [
        (
            "Cellar",
            "import nowhere_to_be_found",
            "ModuleNotFoundError: No module named 'nowhere_to_be_found'",
        ),
        ("Cellar", "1 / 0", "ZeroDivisionError: division by zero"),
        ("Gone", CELLAR, "AttributeError: .*Gone"),
        ("TEXT", CELLAR, "'no class' is not a subclass of recce_meta.warehouses.Warehouse"),
        ("Driver", CELLAR, "is not a subclass of recce_meta.warehouses.Warehouse"),
        ("Cellar", CELLAR.replace('name = "cellar"', 'name = "attic"'), "its name is 'attic'"),
        ("Cellar", CELLAR.replace('dialect = "sqlite"', ""), "it has no SQL dialect"),
    ],
)
def test_a_package_that_does_not_serve_is_named_with_the_cause(
    install: Install, request: pytest.FixtureRequest, target: str, code: str, cause: str
) -> None:
    package = f"broken_{abs(hash(request.node.name))}"
    install(package, plugins.WAREHOUSES, code, cellar=target)

    with pytest.raises(PluginError, match=f"Cannot use warehouse 'cellar' of {package}: .*{cause}") as told:
        warehouse_named("cellar")
    assert told.value.hint == f"update {package}, or uninstall it"
    assert isinstance(told.value, ConfigurationError)


def test_a_driver_or_a_catalog_that_is_not_there_is_named(install: Install) -> None:
    code = CELLAR.replace("{package}:Driver", "nowhere.at_all:Driver").replace(":Catalog", ":Catalogue")
    install("cellar_three", plugins.WAREHOUSES, code, cellar="Cellar")
    cellar = warehouse_named("cellar")

    with pytest.raises(PluginError, match=r"Cannot import nowhere\.at_all:Driver: ModuleNotFoundError"):
        driver_for(cellar)
    with pytest.raises(PluginError, match="Cannot import cellar_three:Catalogue: AttributeError"):
        catalog_of(cellar)


def test_two_packages_with_one_name_are_both_named(install: Install) -> None:
    install("cellar_four", plugins.WAREHOUSES, cellar="Cellar")
    install("cellar_five", plugins.WAREHOUSES, cellar="Cellar")

    with pytest.raises(PluginError, match="'cellar' is registered by two packages: cellar_five, cellar_four"):
        warehouse_named("cellar")


def test_a_class_that_keeps_an_inherited_name_takes_no_built_in_s_place(install: Install) -> None:
    code = (
        CELLAR
        + "\nclass Aside(SQLite):\n    pass\n\nfrom recce_meta.warehouses.duckdb.connection import DuckDB\n"
    )
    code += "\nclass Pond(DuckDB):\n    pass\n"
    install("cellar_ten", plugins.WAREHOUSES, code, cellar="Cellar")
    warehouse_named("cellar")

    assert type(dialect_named("sqlite")).__module__ == "recce_meta.warehouses.sqlite.dialect"
    assert type(warehouse_named("duckdb")).__module__ == "recce_meta.warehouses.duckdb.connection"


def test_what_is_built_in_stays_and_that_is_told(install: Install) -> None:
    install("cellar_six", plugins.WAREHOUSES, duckdb="Cellar", sqlite="Cellar", cellar="Cellar")

    assert type(warehouse_named("duckdb")).__module__ == "recce_meta.warehouses.duckdb.connection"
    assert clashing() == (
        "Plugin 'duckdb' of cellar_six is ignored: recce_meta has a warehouse of that name",
        "Plugin 'sqlite' of cellar_six is ignored: recce_meta has a warehouse of that name",
    )


def test_doctor_tells_of_what_is_not_used(install: Install) -> None:
    install("cellar_eleven", plugins.WAREHOUSES, duckdb="Cellar")
    install("cellar_twelve", plugins.DIALECTS, sqlite="Doris")
    install("cellar_thirteen", plugins.EXPORTERS, csv="export", cards="export")

    checks = doctor(lambda: UnifiedSqlAdapter.from_url("duckdb:///:memory:"))

    assert [(check.ok, check.detail) for check in checks if check.name == "plug-in"] == [
        (None, "Plugin 'duckdb' of cellar_eleven is ignored: recce_meta has a warehouse of that name"),
        (None, "Plugin 'sqlite' of cellar_twelve is ignored: recce_meta has a SQL dialect of that name"),
        (None, "Plugin 'csv' of cellar_thirteen is ignored: recce_meta has an exporter of that name"),
    ]


def test_a_built_in_name_is_found_without_looking_for_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(group: str) -> None:
        raise AssertionError(f"looked for {group}")

    monkeypatch.setattr(plugins, "_entry_points", refuse)

    assert warehouse_named("postgres").name == "postgres"
    assert warehouse_for_scheme("mysql+pymysql").name == "mysql"
    assert dialect_named("duckdb").name == "duckdb"


def test_a_dialect_stands_in_for_the_defaults_of_one_that_sqlglot_knows(install: Install) -> None:
    assert type(dialect_named("doris")).__name__ == "Doris"
    assert type(dialect_named("doris")).__module__ != "cellar_seven"
    install("cellar_seven", plugins.DIALECTS, doris="Doris")

    assert type(dialect_named("doris")).__module__ == "cellar_seven"
    install("cellar_eight", plugins.DIALECTS, drill="TEXT")
    with pytest.raises(PluginError, match="Cannot use SQL dialect 'drill' of cellar_eight"):
        dialect_named("drill")


def test_an_exporter_is_a_function_of_a_package(install: Install) -> None:
    install("cellar_nine", plugins.EXPORTERS, cards="export", broken="NOTHING", text="TEXT")

    assert plugins.exporter_named("cards")("run", Path("there")) == [Path("there")]
    with pytest.raises(PluginError, match="Cannot use exporter 'text' of cellar_nine"):
        plugins.exporter_named("text")
    with pytest.raises(UnknownNameError, match="Unknown format 'card'") as told:
        plugins.exporter_named("card", ("json", "csv", "text"))
    assert told.value.known == ("json", "csv", "text", "broken", "cards")
