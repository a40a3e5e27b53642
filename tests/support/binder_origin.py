"""Process that forks binders, with the folder of `binder_process.py` and then its arguments.

It has DuckDB open. For each pair of pipes that it receives on standard input, it forks and answers the id.
"""

from __future__ import annotations

import os
import socket
import sys
from importlib import import_module

sys.path[:0] = [sys.argv.pop(1)]
import binder_process  # noqa: E402

sys.path.append(sys.argv[1])
world = binder_process.World(import_module("_duckdb"))
binder_process.World = lambda duckdb: world
with socket.socket(fileno=os.dup(0)) as caller:
    while pipes := socket.recv_fds(caller, 1, 2)[1]:
        if (forked := os.fork()) == 0:
            caller.close()
            for standard, pipe in enumerate(pipes):
                os.dup2(pipe, standard)
                os.close(pipe)
            binder_process.main()
            os._exit(0)
        for pipe in pipes:
            os.close(pipe)
        caller.send(str(forked).encode())
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
