"""A new option of connections: one declaration shows it in the command line, the API, forms and the state."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import recce_meta
from recce_meta.repositories.options.connections import ConnectionOptions
from recce_meta.repositories.options.declaring import options_of
from recce_meta.repositories.state import database
from recce_meta.repositories.state.connections import add_connection
from tests.contract.server.small_store import file_url, record_side
from tests.support import states

ROOT = Path(__file__).parents[3]
DECLARED = '''
    keeps_history: bool = option(
        False,
        Flag("--keep-history/--drop-history keeps_history", "Keep its history."),
        Input("runs", "Keep its history", "It needs space."),
        since=({version}, "BOOLEAN DEFAULT FALSE NOT NULL"),
    )
    """Whether its history stays."""
    rest_minutes: float | None = option(
        7,
        Flag("--rest-minutes", "Minutes of rest."),
        Input("dbt", "Rest"),
        since=({version}, "FLOAT DEFAULT 9"),
    )
'''
"""Lines at the end of the class of options, which is the end of its module."""
PROGRAM = """
import importlib.util, json, sys
from pathlib import Path
import recce_meta.repositories.options as package

declared, folder = sys.argv[1], Path(sys.argv[2])
file = Path(package.__file__).with_name("connections.py")
spec = importlib.util.spec_from_file_location("recce_meta.repositories.options.connections", file)
sys.modules[spec.name] = importlib.util.module_from_spec(spec)
exec(compile(file.read_text() + declared, file, "exec"), vars(sys.modules[spec.name]))

from click.testing import CliRunner
from recce_meta.cli.main import cli
from recce_meta.repositories.options.declaring import MINUTES, options_of
from recce_meta.repositories.state import database
from recce_meta.repositories.state.connections import add_connection
from scripts.build_schemas import api_schemas
from tests.contract.server.connected_shop import API, CONNECTION, connected
from tests.contract.server.small_store import file_url, store_at

database.VERSION += 1
state = f"sqlite:///{folder / 'old.db'}"
found = {}

def called(*words):
    ran = CliRunner().invoke(cli, ["connection", *words])
    assert ran.exit_code == 0, (words, ran.output, ran.exception)
    return ran.stdout

def shown():
    text = called("show", "shop", "--state", state, "--format", "json")
    connection = json.loads(text)["connection"]
    return [connection["keeps_history"], connection["rest_minutes"]]

found["help"] = called("add", "--help")
found["migrated"] = shown()
called("set", "shop", "--state", state, "--keep-history", "--rest-minutes", "0")
found["set"] = shown()
found["table"] = called("list", "--state", state, "--format", "csv")
found["schemas"] = {
    name: schema["properties"]["keeps_history"]["type"]
    for name, schema in json.loads(api_schemas()).items()
    if "keeps_history" in schema.get("properties", {})
}
with connected(folder, store_at(file_url(folder / "shop.duckdb"))) as shop:
    one = f"{API}/connections/{CONNECTION}"
    new = shop.client.get(one).json()
    found["new"] = [new["keeps_history"], new["rest_minutes"]]
    answer = shop.client.patch(one, json={"keeps_history": True, "rest_minutes": 3})
    found["changed"] = [answer.status_code, answer.json()["keeps_history"], answer.json()["rest_minutes"]]
    refused = shop.client.patch(one, json={"keeps_history": "perhaps"})
    found["refused"] = [refused.status_code, refused.text]
    too_long = shop.client.patch(one, json={"rest_minutes": 1e6})
    found["too long"] = [too_long.status_code, too_long.text]
    form = f"/connections/{CONNECTION}/edit"
    found["form"] = shop.client.get(form).text
    sent = shop.client.post(form, data={"name": "shop", "rest_minutes": "5"})
    changed = shop.client.get(one).json()
    found["sent"] = [sent.status_code, changed["keeps_history"], changed["rest_minutes"]]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what a process shows of a state of the version before, if two options are declared."""
    folder = tmp_path_factory.mktemp("option")
    record_side(file_url(folder / "shop.duckdb"))
    with states.opened(f"sqlite:///{folder / 'old.db'}") as state:
        add_connection(state, states.shop())
    declared = DECLARED.format(version=database.VERSION + 1)
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, declared, folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.extensive
def test_the_command_line_has_the_option(found: Any) -> None:
    text = " ".join(found["help"].split())

    assert "--keep-history / --drop-history Keep its history. [default: --drop-history]" in text
    assert "--rest-minutes FLOAT RANGE Minutes of rest. [default: 7] [0<=x<=10080]" in text
    assert found["set"] == [True, None]
    assert {"keeps_history", "rest_minutes"} <= set(found["table"].splitlines()[0].split(","))


@pytest.mark.extensive
def test_the_state_has_its_column_also_after_a_migration(found: Any) -> None:
    assert found["migrated"] == [False, 9]
    assert found["new"] == [False, 7]


@pytest.mark.extensive
def test_the_api_has_it(found: Any) -> None:
    assert found["changed"] == [200, True, 3]
    assert found["refused"][0] == found["too long"][0] == 400
    assert "keeps_history" in found["refused"][1]
    assert "Invalid rest_minutes: 1e+06" in found["too long"][1]
    assert found["schemas"] == dict.fromkeys(
        ("connection_answer", "connection_change", "created_connection", "new_connection"), "boolean"
    )


@pytest.mark.extensive
def test_the_form_has_it(found: Any) -> None:
    assert re.search(r'name="keeps_history" type="checkbox" value="on" checked', found["form"])
    assert re.search(r'name="rest_minutes" type="text" value="3"', found["form"])
    assert found["sent"] == [303, False, 5]


def test_no_option_is_newer_than_the_state() -> None:
    versions = [one.since[0] for one in options_of(ConnectionOptions).values() if one.since is not None]

    assert max(versions) <= database.VERSION


@pytest.mark.parametrize("name", ["keeps_history", "rest_minutes"])
def test_no_other_file_names_it(name: str) -> None:
    package = Path(recce_meta.__file__).parent
    files = [*package.rglob("*.py"), *package.rglob("*.html"), *package.rglob("*.json")]

    assert [file for file in files if name in file.read_text(encoding="utf-8")] == []
