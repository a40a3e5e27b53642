"""A Chromium that tests drive, by a few calls of the W3C WebDriver protocol: no package is needed for it."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STARTED_WITHIN = 120.0
"""Seconds."""
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
]


def programs() -> tuple[str, str] | None:
    """The browser and its driver; None where one is missing."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


class Browser:
    """One session. Paths and results are those of https://www.w3.org/TR/webdriver2/."""

    def __init__(self, address: str, binary: str, profile: Path) -> None:
        self._address = address
        options = {"binary": binary, "args": [*ARGUMENTS, f"--user-data-dir={profile}"]}
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        answer = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._address += f"/session/{answer['sessionId']}"

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._address + path, data=data, method=method, headers={"Content-Type": "application/json"}
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            request, timeout=120
        ) as answer:
            return json.loads(answer.read())["value"]

    def command(self, name: str, **parameters: Any) -> Any:
        """A command of the Chrome DevTools Protocol."""
        return self._ask("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def look(self, width: int, *, dark: bool = False, media: str = "", height: int = 900) -> None:
        """The size of the window in CSS pixels, the colour scheme, and the medium."""
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def open(self, page: Path) -> None:
        """*page*, when it is complete."""
        self.visit(page.as_uri())

    def visit(self, address: str) -> None:
        """Open *address*, and return when the page is complete."""
        self._ask("POST", "/url", {"url": address})

    def run(self, script: str, *arguments: Any) -> Any:
        """What *script* returns."""
        return self._ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, script: str, *arguments: Any) -> Any:
        """Return what *script* passes to its last argument, a function."""
        return self._ask("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def press(self, keys: str) -> None:
        """*keys* on the keyboard."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._ask("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def console(self) -> list[str]:
        """Every message of the console since the last call, with those of the security policy."""
        return [entry["message"] for entry in self._ask("POST", "/se/log", {"type": "browser"})]

    def requests(self) -> list[str]:
        """Every address that was asked for since the last call."""
        entries = self._ask("POST", "/se/log", {"type": "performance"})
        messages = [json.loads(entry["message"])["message"] for entry in entries]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """A PNG of the page."""
        shot = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def end(self) -> None:
        """Close the browser."""
        self._ask("DELETE", "")


@contextmanager
def browser(scratch: Path) -> Iterator[Browser]:
    """A browser with a profile in *scratch*; it and its driver end with the block."""
    found = programs()
    assert found is not None
    log = scratch / "chromedriver.log"
    driver = subprocess.Popen(
        [found[1], "--port=0", f"--log-path={log}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        session = Browser(f"http://127.0.0.1:{_port_of(driver)}", found[0], scratch / "profile")
        try:
            yield session
        finally:
            session.end()
    finally:
        driver.terminate()
        driver.wait(timeout=60)
        if driver.stdout:
            driver.stdout.close()


def _port_of(driver: subprocess.Popen[str]) -> int:
    """The port that the driver chose, which it prints when it listens."""
    assert driver.stdout is not None
    until = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < until:
        line = driver.stdout.readline()
        if "successfully on port " in line:
            return int(line.rstrip().rstrip(".").rpartition(" ")[2])
        if not line and driver.poll() is not None:
            break
    raise AssertionError("chromedriver did not start")
