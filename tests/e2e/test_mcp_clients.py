"""`recce-meta mcp` as agents start it, over standard input and output: clients of SDK 2 and of SDK 1."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from recce_meta.api.demo import demo

pytestmark = pytest.mark.extensive

OF_SDK_1 = """
import asyncio, json, os, sys
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

async def main():
    command, *arguments = json.loads(sys.argv[1])
    parameters = StdioServerParameters(command=command, args=arguments, env={**os.environ})
    async with stdio_client(parameters) as streams:
        async with ClientSession(*streams) as session:
            await session.initialize()
            tools = await session.list_tools()
            answer = await session.call_tool("what_changed", {"select": "orders"})
            runs = await session.read_resource("recce-meta://runs")
            print(json.dumps([len(tools.tools), answer.content[0].text, runs.contents[0].text]))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the command of a server of the demo."""
    file = demo(tmp_path_factory.mktemp("demo")).database
    return [
        sys.executable,
        "-m",
        "recce_meta",
        "mcp",
        "--url",
        f"duckdb:///{file}",
        "--project",
        "jaffle_shop",
    ]


def test_an_agent_asks_over_standard_input_and_output(command: list[str], tmp_path: Path) -> None:
    parameters = StdioServerParameters(
        command=command[0], args=command[1:], cwd=tmp_path, env={**os.environ, "RECCE_META_VERBOSE": "1"}
    )

    async def ask() -> Any:
        async with Client(stdio_client(parameters)) as client:
            tools = await client.list_tools()
            return len(tools.tools), await client.call_tool("impact", {"target": "orders.amount"})

    count, answer = asyncio.run(ask())
    assert count == 8 and "lifetime_value" in answer.content[0].text


def test_the_server_ends_with_its_input(command: list[str], tmp_path: Path) -> None:
    done = subprocess.run(command, input=b"", capture_output=True, cwd=tmp_path, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, b"")


def test_a_line_that_is_no_message_is_answered(command: list[str], tmp_path: Path) -> None:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path) as server:
        assert server.stdin is not None and server.stdout is not None
        server.stdin.write(b'{"jsonrpc": "2.0", \n\xff\n')
        server.stdin.flush()
        answers = [json.loads(server.stdout.readline()) for _ in range(2)]
        server.stdin.close()
        assert server.wait(timeout=30) == 0

    assert [(one["id"], one["error"]["code"]) for one in answers] == [(None, -32700)] * 2


def test_the_server_ends_with_its_input_although_a_query_runs(command: list[str], tmp_path: Path) -> None:
    slow = "select sum(a.range * b.range * c.range) from range(100000) a, range(100000) b, range(1000) c"
    client = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    }
    messages = (
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": client},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
        | {"params": {"name": "preview", "arguments": {"sql": slow}, "_meta": {"progressToken": 1}}},
    )
    allowed = [*command, "--allow-queries", "--allow-values"]
    with subprocess.Popen(allowed, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path) as server:
        assert server.stdin is not None and server.stdout is not None
        for message in messages:
            server.stdin.write(json.dumps(message).encode() + b"\n")
            server.stdin.flush()
        while b"notifications/progress" not in server.stdout.readline():
            pass
        server.stdin.close()
        assert server.wait(timeout=5) == 0


def test_without_the_extra_the_error_says_what_to_install(tmp_path: Path) -> None:
    hidden = (
        "import sys; sys.modules['mcp'] = None; sys.argv = ['recce-meta', 'mcp', '--url', 'sqlite:///x.db'];"
        "from recce_meta.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", hidden], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 3 and "pip install '.[mcp]'" in done.stderr


@pytest.mark.network
def test_a_client_of_sdk_1_gets_the_same_answers(command: list[str], tmp_path: Path) -> None:
    uv = shutil.which("uv")
    venv.create(tmp_path / "sdk1", with_pip=uv is None)
    python = tmp_path / "sdk1" / "bin" / "python"
    install = [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install"]
    subprocess.run([*install, "-q", "mcp>=1.26,<2"], check=True, capture_output=True)
    done = subprocess.run(
        [python, "-c", OF_SDK_1, json.dumps(command)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    count, answer, runs = json.loads(done.stdout)
    assert count == 8 and "amount modified" in answer and '"environment":"base"' in runs
