"""Build docs/images/serve.png: the page of a diff in a real browser, from the store of `recce-meta demo`.

    python scripts/build_serve_image.py [PAGE] [FILE]

PAGE is an address of the server, by default that of the demo's diff. Needs Chromium with chromedriver. The
colours are reduced to a palette, so that the file stays below 150 kB.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.e2e.browser import browser  # noqa: E402

WIDTH, HEIGHT = 1400, 900
LARGEST = 150_000
"""Bytes of the picture."""
DIFF = "/s/default/diff/base/current"
COMMAND = (sys.executable, "-m", "recce_meta")


def main(page: str = DIFF, file: str = str(ROOT / "docs" / "images" / "serve.png")) -> None:
    """Write the picture of *page* to *file*."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        subprocess.run(
            [*COMMAND, "demo", "--dir", str(folder)], check=True, stdout=subprocess.DEVNULL, cwd=ROOT
        )
        server = subprocess.Popen(
            [
                *COMMAND,
                "serve",
                "--url",
                f"duckdb:///{folder}/jaffle_shop.duckdb",
                "--port",
                "0",
                "--no-open",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split()[2].rstrip("/")
            with browser(folder) as session:
                session.look(WIDTH, height=HEIGHT)
                session.visit(address + page)
                session.picture(folder / "page.png", whole=False)
        finally:
            server.terminate()
            server.wait(timeout=20)
        picture = with_palette((folder / "page.png").read_bytes())
    if len(picture) > LARGEST:
        raise SystemExit(f"The picture has {len(picture):,} bytes, more than {LARGEST:,}")
    Path(file).write_bytes(picture)
    print(f"{file}: {len(picture):,} bytes")


def with_palette(png: bytes) -> bytes:
    """Return the picture *png*, of 8 bits per channel, with its 256 most frequent colours."""
    width, height, channels, data = _chunks(png)
    pixels = _unfiltered(data, width, height, channels)
    step = channels
    colours = [pixels[at : at + 3] for at in range(0, len(pixels), step)]
    palette = [colour for colour, _ in Counter(colours).most_common(256)]
    index = {colour: number for number, colour in enumerate(palette)}
    for colour in set(colours).difference(index):
        index[colour] = min(
            range(len(palette)),
            key=lambda number: sum((a - b) ** 2 for a, b in zip(palette[number], colour, strict=True)),
        )
    rows = bytearray()
    for start in range(0, len(colours), width):
        rows += b"\0" + bytes(index[colour] for colour in colours[start : start + width])
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = (b"IHDR", header), (b"PLTE", b"".join(palette)), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in parts)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _chunks(png: bytes) -> tuple[int, int, int, bytes]:
    """Return width, height, channels and filtered rows: https://www.w3.org/TR/png-3/"""
    at, data, shape = 8, b"", (0, 0, 0)
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        name, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        if name == b"IHDR":
            width, height, _, kind = struct.unpack(">IIBB", content[:10])
            shape = (width, height, {2: 3, 6: 4}[kind])
        elif name == b"IDAT":
            data += content
        at += size + 12
    return (*shape, zlib.decompress(data))


def _unfiltered(data: bytes, width: int, height: int, channels: int) -> bytes:
    size, found = width * channels, bytearray()
    above = bytearray(size)
    for row in range(height):
        kind, line = data[row * (size + 1)], bytearray(data[row * (size + 1) + 1 : (row + 1) * (size + 1)])
        for at in range(size) if kind else ():
            left = line[at - channels] if at >= channels else 0
            corner = above[at - channels] if at >= channels else 0
            line[at] = (line[at] + _predicted(kind, left, above[at], corner)) & 255
        found += line
        above = line
    return bytes(found)


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    """Return the value that a filter of *kind* 1 to 4 predicts: left, up, mean, or Paeth's."""
    if kind == 1:
        return left
    if kind == 2:
        return up
    if kind == 3:
        return (left + up) // 2
    guess = left + up - corner
    return min((left, up, corner), key=lambda value: abs(guess - value))


if __name__ == "__main__":
    main(*sys.argv[1:])
