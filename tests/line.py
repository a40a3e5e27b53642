"""A line to a server that a test can cut."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Line:
    """A line to the server that can be cut."""

    def __init__(self, host: str, port: int, *, most_bytes: int | None = None) -> None:
        """To *host* and *port*; it is cut once *most_bytes* have been sent there, where that is given."""
        self._target = (host, port)
        self._most_bytes = most_bytes
        self._sent = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection, without a word."""
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def close(self) -> None:
        """Let nobody in any more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                there = socket.create_connection(self._target)
                self.connections += 1
                self._ends += [here, there]
                for source, sink in ((here, there), (there, here)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                sink.sendall(data)
                if sink.getpeername() == self._target:
                    self._sent += len(data)
                if self._most_bytes is not None and self._sent > self._most_bytes:
                    self._most_bytes = None
                    self.cut()
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
