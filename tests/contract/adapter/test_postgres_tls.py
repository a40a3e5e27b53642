"""TLS as a profile asks for it, on a PostgreSQL of our own with certificates of our own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from socket import socket

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import AuthenticationFailed, ConnectionFailed, ProfileError

EXTENSIONS = "basicConstraints=critical,CA:TRUE"


def binaries() -> Path | None:
    """Where PostgreSQL's own programs are."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).parent
    return next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


def run(*command: str | Path, as_postgres: bool = False) -> None:
    if as_postgres and os.geteuid() == 0:  # the server does not run as root
        command = ("runuser", "-u", "postgres", "--", *command)
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def authority(folder: Path, name: str) -> Path:
    """A root certificate of that name, with its key beside it."""
    certificate = folder / f"{name}.crt"
    run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"),
        *("-addext", EXTENSIONS, "-keyout", folder / f"{name}.key", "-out", certificate),
    )
    return certificate


def signed(folder: Path, root: Path, name: str, common_name: str, alternative: str) -> tuple[Path, Path]:
    """A certificate for *common_name*, signed by *root*, and its key."""
    key, request, certificate = (folder / f"{name}.{kind}" for kind in ("key", "csr", "crt"))
    extensions = folder / f"{name}.ext"
    extensions.write_text(f"subjectAltName={alternative}\n" if alternative else "")
    run(
        *("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={common_name}"),
        *("-keyout", key, "-out", request),
    )
    run(
        *("openssl", "x509", "-req", "-in", request, "-CA", root, "-CAkey", root.with_suffix(".key")),
        *("-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", certificate),
    )
    key.chmod(0o600)
    return certificate, key


@dataclass(frozen=True)
class Server:
    """A running server and the certificates around it."""

    port: int
    root: Path
    other_root: Path
    client: tuple[Path, Path]

    def connect(self, folder: Path, *, host: str = "localhost", **fields: object) -> UnifiedSqlAdapter:
        """An adapter from a profile with these fields."""
        output = {"type": "postgres", "host": host, "port": self.port, "user": "postgres", "password": "x"}
        output |= {"dbname": "postgres", "schema": "public", **fields}
        lines = "\n".join(f"      {name}: {str(value)!r}" for name, value in output.items())
        (folder / "profiles.yml").write_text(f"p:\n  outputs:\n    default:\n{lines}\n")
        return UnifiedSqlAdapter.from_dbt_profile(folder, "p", "default")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A PostgreSQL that takes encrypted connections alone, and a certificate from the user `certified`."""
    programs = binaries()
    if programs is None or shutil.which("openssl") is None:
        pytest.skip("initdb or openssl is not installed: TLS is not tried")
    certificates = tmp_path_factory.mktemp("certificates")
    root, other = authority(certificates, "root"), authority(certificates, "other")
    certificate, key = signed(certificates, root, "server", "localhost", "DNS:localhost")
    client = signed(certificates, root, "client", "certified", "")
    folder = Path(tempfile.mkdtemp(prefix="recce_meta_tls_"))  # where another user gets to, too
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    run(programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "-N", as_postgres=True)
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name, source in (("server.crt", certificate), ("server.key", key), ("root.crt", root)):
        shutil.copy(source, data / name)
        (data / name).chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(data / name, "postgres")
    with (data / "postgresql.conf").open("a") as file:
        file.write(
            f"\nport={port}\nlisten_addresses='127.0.0.1'\nunix_socket_directories='{data}'\nssl=on\n"
            "ssl_ca_file='root.crt'\nfsync=off\n"
        )
    (data / "pg_hba.conf").write_text(
        "local all all trust\nhostssl all certified 127.0.0.1/32 cert\nhostssl all all 127.0.0.1/32 trust\n"
    )
    run(programs / "pg_ctl", "-D", data, "-w", "-l", data / "log", "start", as_postgres=True)
    made = Server(port, root, other, client)
    try:
        with made.connect(certificates, sslmode="require") as adapter:
            adapter.execute("CREATE ROLE certified LOGIN")
        yield made
    finally:
        run(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop", as_postgres=True)
        shutil.rmtree(folder)


IS_ENCRYPTED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@pytest.mark.parametrize(
    ("mode", "host", "root"),
    [
        ("prefer", "127.0.0.1", None),
        ("require", "127.0.0.1", None),
        ("verify-ca", "127.0.0.1", "root"),
        ("verify-full", "localhost", "root"),
    ],
)
def test_a_connection_is_encrypted_and_checked(
    server: Server, tmp_path: Path, mode: str, host: str, root: str | None
) -> None:
    fields = {} if root is None else {"sslrootcert": server.root}

    with server.connect(tmp_path, host=host, sslmode=mode, **fields) as adapter:
        assert adapter.execute(IS_ENCRYPTED)[1] == [(True,)]


@pytest.mark.parametrize(
    ("mode", "host", "message"),
    [
        ("verify-ca", "localhost", "certificate verify failed"),
        ("verify-full", "localhost", "certificate verify failed"),
        ("require", "localhost", "certificate verify failed"),  # a root certificate makes it verify-ca
    ],
)
def test_a_server_of_another_authority_is_refused(
    server: Server, tmp_path: Path, mode: str, host: str, message: str
) -> None:
    with (
        server.connect(tmp_path, host=host, sslmode=mode, sslrootcert=server.other_root) as adapter,
        pytest.raises(ConnectionFailed, match=message),
    ):
        adapter.execute("SELECT 1")


def test_a_server_of_another_name_is_refused(server: Server, tmp_path: Path) -> None:
    with (
        server.connect(tmp_path, host="127.0.0.1", sslmode="verify-full", sslrootcert=server.root) as adapter,
        pytest.raises(ConnectionFailed, match=r'does not match host name "127\.0\.0\.1"'),
    ):
        adapter.execute("SELECT 1")


def test_a_server_that_wants_encryption_refuses_plain_text(server: Server, tmp_path: Path) -> None:
    with (
        server.connect(tmp_path, host="127.0.0.1", sslmode="disable") as adapter,
        pytest.raises(AuthenticationFailed, match=r"no pg_hba\.conf entry"),
    ):
        adapter.execute("SELECT 1")


def test_a_clients_certificate_is_shown(server: Server, tmp_path: Path) -> None:
    certificate, key = server.client
    fields = {"user": "certified", "sslmode": "verify-full", "sslrootcert": server.root}

    with server.connect(tmp_path, **fields, sslcert=certificate, sslkey=key) as adapter:
        assert adapter.execute("SELECT current_user")[1] == [("certified",)]
    with (
        server.connect(tmp_path, **fields) as adapter,
        pytest.raises(ConnectionFailed, match="client certificate"),
    ):
        adapter.execute("SELECT 1")


@pytest.mark.parametrize("field", ["sslcert", "sslkey", "sslrootcert"])
def test_a_file_that_cannot_be_read_is_named(server: Server, tmp_path: Path, field: str) -> None:
    certificate, key = server.client
    files = {"sslcert": certificate, "sslkey": key, "sslrootcert": server.root, field: "nowhere.pem"}

    with (
        server.connect(tmp_path, sslmode="verify-full", **files) as adapter,
        pytest.raises(ProfileError, match=rf"Cannot read the file of '{field}': .*nowhere\.pem"),
    ):
        adapter.execute("SELECT 1")


def test_a_key_that_others_may_read_is_refused(server: Server, tmp_path: Path) -> None:
    certificate, key = server.client
    loose = tmp_path / "loose.key"
    shutil.copy(key, loose)
    loose.chmod(0o644)

    with (
        server.connect(tmp_path, sslmode="require", sslcert=certificate, sslkey=loose) as adapter,
        pytest.raises(ConnectionFailed, match=r"private key file .* has group or world access"),
    ):
        adapter.execute("SELECT 1")
