"""A proxy that makes PostgreSQL behave like Redshift: `python -m tests.emulators.redshift.proxy`.

It accepts the driver's start-up message, asks for a password, and opens a session in PostgreSQL. It rejects
or rewrites statements, rejects strings that are too long, and returns types and versions as Redshift does. It
prints its port, and stops when its standard input ends.

https://www.postgresql.org/docs/15/protocol-message-formats.html
"""

from __future__ import annotations

import argparse
import hashlib
import re
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tests.emulators.redshift.refusals import refuse
from tests.emulators.redshift.rewriting import rewritten
from tests.emulators.redshift.statement import Refused, Statement, original_place

PASSWORD = "redshift"
SSL_REQUEST = 80877103
LONGEST_TEXT = 65535
LONGEST_STATEMENT = 16 * 1024 * 1024
MOST_BINDS = 32767
LONG_INSERT = 10_000
BYTEA, VARBYTE, SUPER, JSONB, TEXT, VARCHAR = 17, 6551, 4000, 3802, 25, 1043
UNREADABLE = b"SELECT FROM WHERE\0"
SETUP = Path(__file__).parent / "setup.sql"
# Redshift treats a backslash in a string as an escape, and sorts by bytes.
SETTINGS = {
    "standard_conforming_strings": "off",
    "escape_string_warning": "off",
    "search_path": '"$user", public',
    "lc_messages": "C",
    # Hash joins, as Redshift has no indexes and these tables have no statistics.
    "enable_nestloop": "off",
    "jit": "off",
    "synchronous_commit": "off",
    "default_transaction_isolation": "repeatable read",
}


class Messages:
    """One direction of a conversation: complete messages, as they arrive."""

    def __init__(self, source: socket.socket) -> None:
        self._file = source.makefile("rb", buffering=1 << 16)

    def startup(self) -> bytes:
        """Return an initial message, which has no type."""
        (length,) = struct.unpack("!i", self._file.read(4))
        return self._file.read(length - 4)

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        while head := self._file.read(5):
            kind, length = struct.unpack("!ci", head)
            yield kind, self._file.read(length - 4)


def message(kind: bytes, body: bytes) -> bytes:
    """Return one encoded message."""
    return kind + struct.pack("!i", len(body) + 4) + body


def error(code: str, text: str, place: int | None = None) -> bytes:
    """Return an encoded error message."""
    fields = {"S": "ERROR", "V": "ERROR", "C": code, "M": text} | ({"P": str(place)} if place else {})
    return message(b"E", b"".join(f"{key}{value}\0".encode() for key, value in fields.items()) + b"\0")


EXPLAIN = "EXPLAIN "


@lru_cache(maxsize=1000)
def translation(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return *text* for PostgreSQL, and the original offsets of its parts. Raises Refused like Redshift."""
    if text.startswith("INSERT") and "'" not in text and len(text) > LONG_INSERT:
        return re.sub(r"\bARRAY\(", "SUPER_ARRAY(", text), [(0, 0)]  # only parameters, thousands of them
    if text.startswith(EXPLAIN):  # sqlglot takes what follows for one token
        inner, places = translation(text[len(EXPLAIN) :])
        return EXPLAIN + inner, [(0, 0), *((new + len(EXPLAIN), old + len(EXPLAIN)) for new, old in places)]
    statement = Statement(text)
    for token in statement.tokens:
        if token.end - token.start > LONGEST_TEXT and len(token.text.encode()) > LONGEST_TEXT:
            raise Refused(
                "String literal exceeds the maximum length of 65535 bytes", token.start + 1, "22001"
            )
    refuse(statement)
    return rewritten(statement)


class Session:
    """One connection of the driver, and its connection to PostgreSQL."""

    def __init__(
        self, client: socket.socket, server: tuple[str, int], database: str, super_type: int
    ) -> None:
        self.client, self.database, self.super_type = client, database, super_type
        self.from_client = Messages(client)
        self.server = socket.create_connection(server)
        self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.from_server = Messages(self.server)
        self.refusal: Refused | None = None
        self.places: list[tuple[int, int]] = [(0, 0)]
        self.text_binds: list[int] = []
        self.byte_columns: list[int] = []
        self.is_ready = threading.Event()

    def run(self) -> None:
        """Serve until one side disconnects."""
        try:
            if self.log_in():
                thread = threading.Thread(target=self.answer, daemon=True)
                thread.start()
                for kind, body in self.from_client:
                    self.server.sendall(self.asked(kind, body))
        except (OSError, struct.error):
            pass
        finally:
            for end in (self.client, self.server):
                end.close()

    def log_in(self) -> bool:
        """Ask for the password, and open the session with the start-up parameters that PostgreSQL knows."""
        first = self.from_client.startup()
        if struct.unpack("!i", first[:4])[0] == SSL_REQUEST:
            self.client.sendall(b"N")
            first = self.from_client.startup()
        words = first[4:].split(b"\0")
        told = dict(zip(words[::2], words[1::2], strict=False))
        self.client.sendall(message(b"R", struct.pack("!i", 3)))
        _, password = next(iter(self.from_client))
        user = told.get(b"user", b"").decode()
        if password.rstrip(b"\0").decode() != PASSWORD:
            self.client.sendall(error("28000", f'password authentication failed for user "{user}"'))
            return False
        if told.get(b"database", b"").decode() != self.database:
            name = told.get(b"database", b"").decode()
            self.client.sendall(error("3D000", f'database "{name}" does not exist'))
            return False
        kept = {key: told[key] for key in (b"user", b"database", b"application_name") if told.get(key)}
        body = (
            struct.pack("!i", 196608)
            + b"".join(key + b"\0" + value + b"\0" for key, value in kept.items())
            + b"\0"
        )
        self.server.sendall(struct.pack("!i", len(body) + 4) + body)
        return True

    def asked(self, kind: bytes, body: bytes) -> bytes:
        """Return the message for PostgreSQL in place of the driver's message."""
        if kind == b"P":
            return message(kind, self.parsed(body))
        if kind == b"B":
            self.check_binds(body)
            if self.refusal is not None:  # an error of PostgreSQL, replaced by ours
                return message(kind, b"\0no such statement\0" + struct.pack("!hhh", 0, 0, 0))
        return message(kind, body)

    def parsed(self, body: bytes) -> bytes:
        name, rest = body.split(b"\0", 1)
        text, types = rest.split(b"\0", 1)
        (count,) = struct.unpack("!h", types[:2])
        oids = struct.unpack(f"!{count}i", types[2 : 2 + 4 * count])
        self.text_binds = [place for place, oid in enumerate(oids) if oid in (705, TEXT, VARCHAR)]
        try:
            new = self.translated(text.decode(), count)
        except Refused as refusal:
            self.refusal = refusal
            return name + b"\0" + UNREADABLE + struct.pack("!h", 0)
        known = [BYTEA if oid == VARBYTE else self.super_type if oid == SUPER else oid for oid in oids]
        return name + b"\0" + new.encode() + b"\0" + struct.pack(f"!h{count}i", count, *known)

    def translated(self, text: str, binds: int) -> str:
        if len(text.encode()) > LONGEST_STATEMENT:
            raise Refused("Statement is too large. Statement Size: over 16777216 bytes", 1, "54000")
        if binds > MOST_BINDS:
            raise Refused("too many parameters", 1, "54000")
        new, self.places = translation(text)
        return new

    def check_binds(self, body: bytes) -> None:
        """Reject a string that does not fit any VARCHAR."""
        place = body.index(b"\0", body.index(b"\0") + 1) + 1
        (formats,) = struct.unpack_from("!h", body, place)
        place += 2 + 2 * formats
        (count,) = struct.unpack_from("!h", body, place)
        place += 2
        for bind in range(count):
            (length,) = struct.unpack_from("!i", body, place)
            place += 4 + max(0, length)
            if length > LONGEST_TEXT:
                self.refusal = Refused(
                    f"String value of parameter {bind + 1} exceeds the max size of 65535 bytes", 0, "22001"
                )

    def answer(self) -> None:
        """Forward PostgreSQL's messages."""
        try:
            out = bytearray()
            for kind, body in self.from_server:
                out += self.told(kind, body)
                if kind in b"ZERK" or len(out) > 1 << 16:
                    self.client.sendall(out)
                    out.clear()
            self.client.sendall(out)
        except (OSError, struct.error, ValueError):
            pass
        finally:
            for end in (self.client, self.server):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    def told(self, kind: bytes, body: bytes) -> bytes:
        """Return the message for the driver in place of PostgreSQL's message."""
        if kind == b"S" and body.startswith(b"server_version\0"):
            body = b"server_version\x008.0.2\0"
        elif kind == b"T":
            body = self.described(body)
        elif kind == b"D" and self.byte_columns:
            body = self.row(body)
        elif kind == b"E":
            return self.failed(body)
        return message(kind, body)

    def failed(self, body: bytes) -> bytes:
        if self.refusal is not None:
            refusal, self.refusal = self.refusal, None
            return error(refusal.code, refusal.message, refusal.place)
        fields = {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}
        if "P" in fields:
            fields["P"] = str(original_place(int(fields["P"]), self.places))
        return message(b"E", b"".join(f"{key}{value}\0".encode() for key, value in fields.items()) + b"\0")

    def described(self, body: bytes) -> bytes:
        """Return columns with Redshift's type numbers."""
        out = bytearray(body)
        (count,) = struct.unpack_from("!h", body)
        place = 2
        self.byte_columns = []
        for column in range(count):
            place = body.index(b"\0", place) + 1
            (oid,) = struct.unpack_from("!i", body, place + 6)
            told = {self.super_type: SUPER, JSONB: SUPER, BYTEA: VARBYTE, TEXT: VARCHAR}.get(oid, oid)
            if oid == BYTEA:
                self.byte_columns.append(column)
            struct.pack_into("!i", out, place + 6, told)
            place += 18
        return bytes(out)

    def row(self, body: bytes) -> bytes:
        """Return a row whose bytes are hexadecimal digits, without PostgreSQL's prefix."""
        (count,) = struct.unpack_from("!h", body)
        out, place = bytearray(body[:2]), 2
        for column in range(count):
            (length,) = struct.unpack_from("!i", body, place)
            value = body[place + 4 : place + 4 + max(0, length)]
            place += 4 + max(0, length)
            if column in self.byte_columns and value.startswith(b"\\x"):
                value = value[2:]
                length = len(value)
            out += struct.pack("!i", length) + value
        return bytes(out)


def set_up(url: str, database: str) -> int:
    """Create the database unless it is up to date; return the number of its type for SUPER."""
    mark = hashlib.sha256(SETUP.read_bytes() + repr(SETTINGS).encode()).hexdigest()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(5439)")
        found = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [database]
        ).fetchone()
        if found != (mark,):
            name = sql.Identifier(database)
            make_database(connection, name, url, database)
            connection.execute(
                sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, sql.Literal(mark))
            )  # last: without it, the database is created again
    with psycopg.connect(url, dbname=database) as inside:
        row: Any = inside.execute("SELECT 'super'::regtype::oid::int").fetchone()
    return int(row[0])


def make_database(connection: psycopg.Connection[Any], name: sql.Identifier, url: str, database: str) -> None:
    """Create a database with the features of Redshift that PostgreSQL lacks."""
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
    options = sql.SQL("TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'")
    connection.execute(sql.SQL("CREATE DATABASE {} {}").format(name, options))
    with psycopg.connect(url, dbname=database) as inside:
        inside.execute("SET allow_system_table_mods = on")
        inside.execute(SETUP.read_text(encoding="utf-8"))
    for setting, value in SETTINGS.items():
        words = sql.SQL("ALTER DATABASE {} SET {} TO {}")
        # A list of schemas has one string for each; these names need no quotes.
        words = words.format(
            name, sql.Identifier(setting), sql.SQL(value) if "," in value else sql.Literal(value)
        )
        connection.execute(words)


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", default="postgresql://postgres@127.0.0.1:5432/postgres")
    parser.add_argument("--database", default="redshift_emulator")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    super_type = set_up(options.postgres, options.database)
    place = urlsplit(options.postgres)
    server = (place.hostname or "127.0.0.1", place.port or 5432)
    listener = socket.create_server(("127.0.0.1", options.port), backlog=64)

    def listen() -> None:
        while True:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            session = Session(client, server, options.database, super_type)
            threading.Thread(target=session.run, daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
