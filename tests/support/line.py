"""TCP proxy that tests can disconnect or freeze."""

from __future__ import annotations

import ctypes
import socket
import struct
import threading
from contextlib import suppress

SO_ATTACH_FILTER = 26
BPF_RETURN = 0x06


class Line:
    """TCP proxy to a server that can be disconnected, frozen, or made a black hole."""

    def __init__(
        self, host: str, port: int, *, most_bytes: int | None = None, freeze_at: int | None = None
    ) -> None:
        """Connect to *host* and *port*; disconnect after *most_bytes* were sent, freeze after *freeze_at*."""
        self._target = (host, port)
        self._most_bytes = most_bytes
        self._freeze_at = freeze_at
        self._flow = threading.Event()
        self._flow.set()
        self.frozen = threading.Event()
        self._sent = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self._held: tuple[socket.socket, ...] = ()
        self._release = threading.Event()
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Close every connection without notice."""
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def freeze(self) -> None:
        """Stop forwarding, and keep every connection open; new connections are accepted and frozen too."""
        self._flow.clear()
        self.frozen.set()

    def hold(self, seconds: float) -> None:
        """Stop forwarding on the existing connections for *seconds*; new ones work."""
        self._release.clear()
        self._held = tuple(self._ends)
        threading.Timer(seconds, self._release.set).start()

    def thaw(self) -> None:
        """Forward the data that was held back, and everything that follows."""
        self.frozen.clear()
        self._flow.set()

    def swallow(self) -> None:
        """Drop every packet that arrives, so that not even the kernel answers (Linux)."""
        drop_all = ctypes.create_string_buffer(struct.pack("HBBI", BPF_RETURN, 0, 0, 0))
        program = struct.pack("HP", 1, ctypes.addressof(drop_all))
        for end in (self._listener, *self._ends[::2]):
            end.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)

    def close(self) -> None:
        """Stop accepting connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.thaw()
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
                self._flow.wait()
                if source in self._held:
                    self._release.wait()
                sink.sendall(data)
                if sink.getpeername() == self._target:
                    self._sent += len(data)
                    if self._freeze_at is not None and self._sent > self._freeze_at:
                        self._freeze_at = None
                        self.freeze()
                if self._most_bytes is not None and self._sent > self._most_bytes:
                    self._most_bytes = None
                    self.cut()
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
