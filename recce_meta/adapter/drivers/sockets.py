"""TCP as drivers need it: keep-alive, a limit for data that is not acknowledged, and signs of life."""

from __future__ import annotations

import os
import socket
import struct

KEEPALIVE_IDLE = 30
KEEPALIVE_INTERVAL = 10
KEEPALIVE_COUNT = 3
USER_TIMEOUT = 60
"""Seconds, and a number of probes. A connection whose other end is gone ends after a minute at most.

The kernel of a busy server answers the probes, however long a statement runs.
"""

# https://www.postgresql.org/docs/current/protocol-message-formats.html: SSLRequest, the shortest question
# that every server answers, before any login.
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)


def keep_alive(connected: socket.socket) -> None:
    """Set keep-alive and the user timeout on *connected*, as far as the system knows them."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    limit_unanswered(connected)
    for names, value in (
        (("TCP_KEEPIDLE", "TCP_KEEPALIVE"), KEEPALIVE_IDLE),  # the second is the name on macOS
        (("TCP_KEEPINTVL",), KEEPALIVE_INTERVAL),
        (("TCP_KEEPCNT",), KEEPALIVE_COUNT),
    ):
        option = next((getattr(socket, name) for name in names if hasattr(socket, name)), None)
        if option is not None:
            connected.setsockopt(socket.IPPROTO_TCP, option, value)


def limit_unanswered(connected: socket.socket) -> None:
    """Set the time after which data that the other end does not acknowledge ends *connected*."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT * 1000)


def answers_postgres(host: str, port: int, seconds: float) -> bool:
    """Return False if the server at *host*, which speaks PostgreSQL's protocol, is silent for *seconds*.

    A refusal is an answer: the network is alive.
    """
    try:
        with socket.create_connection((host, port), timeout=seconds) as connected:
            connected.sendall(_SSL_REQUEST)
            connected.recv(1)
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def answers_http(url: str, seconds: float) -> bool:
    """Return False if the server at *url* is silent for *seconds*, or cannot be reached.

    A refusal or any TLS message is an answer. Returns True behind a proxy, which would answer in its place.
    """
    import ssl  # 30 ms with urllib.request, and most commands need neither
    from urllib.parse import urlsplit
    from urllib.request import getproxies, proxy_bypass

    place = urlsplit(url)
    host = place.hostname or ""
    if place.scheme in getproxies() and not proxy_bypass(host):
        return True
    is_tls = place.scheme == "https"
    try:
        with socket.create_connection((host, place.port or (443 if is_tls else 80)), seconds) as connected:
            if not is_tls:
                connected.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
                connected.recv(1)
                return True
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is sent
            context.wrap_socket(connected, server_hostname=host).close()
    except (ConnectionError, ssl.SSLError):
        return True
    except OSError:  # a timeout, or no way to the host
        return False
    return True


def shut(descriptor: int) -> None:
    """End the connection of *descriptor* in both directions: a thread that waits for data wakes up."""
    try:
        with socket.socket(fileno=os.dup(descriptor)) as duplicate:
            duplicate.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended by itself
