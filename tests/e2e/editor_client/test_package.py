"""The extension that users install: its own tests, and the contents of its file."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest

from recce_meta.lsp.client import STATUS
from recce_meta.lsp.server import COMMANDS, PREFIX
from tests.e2e.editor_client.conftest import ROOT, SOURCES, STATIC, BuiltClient

pytestmark = pytest.mark.network

LARGEST = 200_000
"""Bytes of the vsix."""
FILES = {
    "[Content_Types].xml",
    "extension.vsixmanifest",
    "extension/LICENSE.txt",
    "extension/changelog.md",
    "extension/package.json",
    "extension/readme.md",
    "extension/out/extension.js",
    "extension/out/graph.css",
    "extension/out/graph.js",
    "extension/out/page.css",
    "extension/out/page.js",
}
UNWANTED = r"sourceMappingURL|_authToken|-----BEGIN|/node_modules/|file:///"


@pytest.fixture(scope="module")
def files(client: BuiltClient) -> dict[str, bytes]:
    """Return the contents of the vsix by name."""
    with ZipFile(client.package) as package:
        return {name: package.read(name) for name in package.namelist()}


def test_types_are_right_and_the_modules_without_an_editor_pass_their_tests(client: BuiltClient) -> None:
    ran = subprocess.run(["npm", "test"], cwd=client.folder, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert int(re.findall(r"^# pass (\d+)$", ran.stdout, re.MULTILINE)[0]) > 30
    assert "# skipped 0" in ran.stdout


def test_the_package_has_exactly_the_expected_files(files: dict[str, bytes]) -> None:
    assert set(files) == FILES


def test_the_package_is_small(client: BuiltClient, capsys: pytest.CaptureFixture[str]) -> None:
    size = client.package.stat().st_size

    with capsys.disabled():
        print(f"\nvsix: {size:,} bytes")
    assert size < LARGEST


def test_the_package_has_no_source_maps_secrets_or_paths_of_this_machine(files: dict[str, bytes]) -> None:
    wanted = re.compile(f"{UNWANTED}|{re.escape(str(Path.home()))}/|{re.escape(str(ROOT))}/")
    found = {name: wanted.findall(text.decode("utf-8")) for name, text in files.items()}

    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize("name", ["graph.js", "graph.css"])
def test_the_graph_of_the_reports_is_used_unchanged(files: dict[str, bytes], name: str) -> None:
    assert files[f"extension/out/{name}"] == (ROOT / STATIC / name).read_bytes()


def test_the_package_needs_no_other_package(files: dict[str, bytes]) -> None:
    required = set(re.findall(r'\brequire\("([^"]+)"\)', files["extension/out/extension.js"].decode("utf-8")))
    built_in = {"child_process", "crypto", "fs", "net", "os", "path", "process", "readline", "url", "util"}

    assert {name.removeprefix("node:").split("/")[0] for name in required} <= built_in | {"vscode"}


def test_the_extension_opens_no_connection_of_its_own(files: dict[str, bytes]) -> None:
    sources = "".join(path.read_text("utf-8") for path in (SOURCES / "src").glob("*.ts"))

    assert not re.search(r"\bfetch\(|XMLHttpRequest|WebSocket|node:(http|https|net|tls)|telemetry", sources)
    assert "Content-Security-Policy" in sources


def test_the_server_knows_every_command_and_the_notification_of_the_client() -> None:
    source = (SOURCES / "src" / "protocol.ts").read_text("utf-8")
    used = re.findall(rf'"{PREFIX}(\w+)"', source)

    assert used
    assert set(used) <= set(COMMANDS)
    assert f'STATUS = "{STATUS}"' in source


def test_the_lock_names_no_host_of_packages() -> None:
    lock = json.loads((SOURCES / "package-lock.json").read_text("utf-8"))

    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []
