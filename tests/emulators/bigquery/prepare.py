"""Compiler of GoogleSQL's module at installation, which takes half a minute; each start then takes 0.1 s."""

from __future__ import annotations

import sys
from pathlib import Path

from wasmtime import Config, Engine, Module
from zetasql.wasi import get_wasm_path

COMPILED = Path(sys.prefix) / "googlesql.module"


def new_engine() -> Engine:
    """Return an engine with the settings of the compiled module."""
    config = Config()
    config.shared_memory = True
    return Engine(config)


if __name__ == "__main__":
    COMPILED.write_bytes(Module.from_file(new_engine(), str(get_wasm_path())).serialize())
