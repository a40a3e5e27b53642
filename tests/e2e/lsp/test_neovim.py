"""The server in Neovim, a client that shares no code with it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.lsp.editor import COMMAND, variables
from tests.support.needs import missing

NEOVIM = shutil.which("nvim")
SESSION = Path(__file__).with_name("neovim.lua")


@pytest.mark.journey
def test_neovim_shows_hovers_definitions_and_diagnostics(shop: Path, tmp_path: Path) -> None:
    if NEOVIM is None:
        missing("Neovim")
    result = tmp_path / "result.json"
    (tmp_path / "home").mkdir()
    session = {
        "LSP_COMMAND": json.dumps(COMMAND),
        "LSP_FILE": str(shop / "models/staging/stg_payments.sql"),
        "LSP_ROOT": str(shop),
        "LSP_RESULT": str(result),
    }

    ran = subprocess.run(
        [NEOVIM, "--headless", "--clean", "-n", "-c", f"luafile {SESSION}"],
        cwd=shop,
        env={**variables(tmp_path / "home"), **session},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert result.exists(), ran.stderr
    found = json.loads(result.read_text())
    assert "failure" not in found, (found, ran.stderr)
    assert "raw_payments" in found["hover"]
    assert found["definition"] == (shop / "seeds/raw_payments.csv").as_uri()
    assert found["before"] in ([], {})
    assert any("amount" in message and "int_order_payments" in message for message in found["after"])
    assert found["messages"][0].startswith("recce_meta read 10 models of jaffle_shop")
