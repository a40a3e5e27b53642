"""Git repositories behind a small HTTPS server: `git http-backend`, tokens, faults, and a GitHub App.

    def test_a_commit_is_found(git_server: GitServer) -> None:
        sha = git_server.create_repository("shop", {"dbt_project.yml": "name: shop\nversion: '1.0'\n"})
        git_server.require("shop", "a-token")
        run(["recce-meta", "connection", "add", git_server.url("shop")], env=git_server.environ)
        newer = git_server.commit("shop", "main", {"models/a.sql": "select 1 as id"})
        assert git_server.count("shop") > 0

Import the fixtures into a conftest.py: `from tests.support.git_server import git_backend, git_server`. The
server is shared by all tests of a process: give repositories names of their own
(`git_server.unused_name()`).
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import itertools
import json
import random
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tests.support.needs import missing

File = str | bytes | tuple[str, str] | None
"""Content of a file, `(mode, content)` such as `("120000", "target")`, or None to delete the file.

The content of a submodule, of mode 160000, is its commit."""

OTHER_HOST = "git.example.com"
"""Host name that the certificate has as well, and that no name server knows."""


@dataclass(frozen=True)
class Request:
    """A request that the server has answered."""

    method: str
    repository: str
    service: str
    """`git-upload-pack` for git, or the path of the API."""
    authorization: str | None
    host: str
    address: str
    """Address that the client has connected to."""


@dataclass
class Answer:
    """What the server answers instead of the repository."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_endless: bool = False
    """Whether *body* is repeated until the client leaves."""
    is_cut: bool = False
    """Whether the connection is closed before the end of the body."""
    pause: float = 0
    """Seconds before every part of the body."""
    times: int | None = None
    """Number of requests that are answered so; None for all."""
    method: str | None = None
    """Method of these requests; None for any."""


@dataclass(frozen=True)
class App:
    """A GitHub App with one installation."""

    app_id: str
    installation_id: str
    private_key: str
    """PEM."""
    public_key: rsa.RSAPublicKey
    permissions: Mapping[str, str]
    """Permissions that the installation grants."""


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Create a certificate for localhost that signs itself; return its file and that of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = [
        x509.DNSName("localhost"),
        x509.DNSName(OTHER_HOST),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "server.pem", folder / "server.key"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate_file, key_file


Api = Callable[[str, str, Mapping[str, str], bytes], "Answer | None"]
"""Function from method, path with query, headers with names in lower case, and body; None for other paths."""


class GitServer:
    """Repositories in *folder*, served over HTTPS at 127.0.0.1; `is_plain` serves plain HTTP."""

    def __init__(self, folder: Path, *, is_plain: bool = False) -> None:
        self.folder = folder / "repositories"
        self.folder.mkdir(parents=True)
        self.ca_file, key_file = make_certificate(folder)
        self.scheme = "http" if is_plain else "https"
        self.requests: list[Request] = []
        self.rejected_jwts: list[str] = []
        self.issued_tokens: list[str] = []
        self.token_seconds = 3600
        """Life of the tokens of GitHub Apps."""
        self.clock_ahead = 0.0
        """Seconds by which the clock of the API of GitHub Apps is ahead."""
        self.old: set[str] = set()
        """Repositories that are served as servers before 2018 did: they only give commits of references."""
        self.issued_permissions: dict[str, Mapping[str, str]] = {}
        """Permissions of each token of a GitHub App."""
        self.issued_apps: dict[str, str] = {}
        """Id of the GitHub App of each token."""
        self.api: Api | None = None
        """Stand-in for the APIs of forges, which is asked before git."""
        self._tokens: dict[str, set[str]] = {}
        self._answers: dict[str, Answer] = {}
        self._apps: dict[str, App] = {}
        self._opened: dict[str, str] = {}
        """Repository of each installation."""
        self._numbers = itertools.count(1)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.git = self
        if not is_plain:
            self._server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._server.context.load_cert_chain(self.ca_file, key_file)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        """Return the address with its port."""
        return f"127.0.0.1:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        """Return the variables that make recce-meta and git trust this server."""
        return {
            "RECCE_META_ALLOWED_HOSTS": f"{self.host},localhost:{self.port}",
            "GIT_SSL_CAINFO": str(self.ca_file),
        }

    def url(self, name: str) -> str:
        """Return the address of a repository."""
        return f"{self.scheme}://{self.host}/{name}"

    def close(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def unused_name(self, prefix: str = "repository") -> str:
        """Return a name that no repository has."""
        return f"{prefix}-{next(self._numbers)}"

    def create_repository(
        self, name: str, files: Mapping[str, File] | None = None, *, branch: str = "main"
    ) -> str:
        """Create a repository with one commit of *files*; return its SHA."""
        path = self.folder / name
        self._git("init", "-q", "--bare", f"--initial-branch={branch}", str(path))
        return self.commit(name, branch, files if files is not None else {"README.md": name})

    def commit(self, name: str, branch: str, files: Mapping[str, File], *, base: str | None = None) -> str:
        """Add a commit that changes *files* to a branch; return its SHA.

        A branch that does not exist begins at the branch or commit *base*, by default without a parent.
        """
        ref, path = f"refs/heads/{branch}", self.folder / name
        stream = [f"commit {ref}\nmark :1\n".encode()]
        stream.append(f"committer Tester <t@example.com> {int(time.time())} +0000\n".encode())
        stream.append(b"data 6\nchange\n")
        if (path / ref).is_file() or ((path / "packed-refs").exists() and branch in self.branches(name)):
            stream.append(f"from {ref}^0\n".encode())
        elif base is not None:
            sha = self._git("rev-parse", f"{base}^{{commit}}", repository=name)
            stream.append(f"from {sha}\n".encode())
        for file, content in files.items():
            stream.extend(_change(file, content))
        stream.append(b"get-mark :1\n")
        return self._git("fast-import", "--quiet", "--force", repository=name, stdin=b"".join(stream))

    def head(self, name: str, branch: str = "main") -> str:
        """Return the commit of a branch."""
        return self._git("rev-parse", f"refs/heads/{branch}", repository=name)

    def branches(self, name: str) -> list[str]:
        """Return the names of the branches."""
        return self._git(
            "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads", repository=name
        ).split()

    def delete_branch(self, name: str, branch: str) -> None:
        """Delete a branch."""
        self._git("update-ref", "-d", f"refs/heads/{branch}", repository=name)

    def write_ref(self, name: str, ref: str, sha: str) -> None:
        """Create any reference, without the checks of git."""
        path = self.folder / name / ref
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{sha}\n")

    def allow_filters(self, name: str) -> None:
        """Let a repository answer fetches of commits without their files, as the forges do."""
        self._git("config", "uploadpack.allowFilter", "true", repository=name)

    def rename(self, name: str, new: str) -> None:
        """Rename a repository; its former address answers 404."""
        (self.folder / name).rename(self.folder / new)

    def require(self, name: str, *tokens: str) -> None:
        """Answer 401 unless the password of a request is one of *tokens*; none opens the repository."""
        if tokens:
            self._tokens[name] = set(tokens)
        else:
            self._tokens.pop(name, None)

    def answer(self, name: str, answer: Answer | None) -> None:
        """Give *answer* instead of a repository; None to end that."""
        if answer is None:
            self._answers.pop(name, None)
        else:
            self._answers[name] = answer

    def count(self, name: str, service: str | None = None, *, method: str | None = None) -> int:
        """Return the number of requests for a repository."""
        return sum(
            request.repository == name
            and service in (None, request.service)
            and method in (None, request.method)
            for request in list(self.requests)
        )

    def has_commit(self, name: str, sha: str) -> bool:
        """Return True if a repository has a commit."""
        with suppress(RuntimeError):
            return self._git("cat-file", "-t", sha, repository=name) == "commit"
        return False

    def add_app(self, repository: str, permissions: Mapping[str, str] | None = None) -> App:
        """Create a GitHub App whose installation tokens open *repository*, with the API below `/api/v3`."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        number = next(self._numbers)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        granted = {"contents": "read", "metadata": "read"} if permissions is None else permissions
        app = App(str(1000 + number), str(5000 + number), pem.decode(), key.public_key(), granted)
        self._apps[app.installation_id] = app
        self._tokens.setdefault(repository, set())
        self._opened[app.installation_id] = repository
        return app

    def issue_token(
        self, installation_id: str, bearer: str, body: bytes, *, method: str = "POST"
    ) -> tuple[int, dict[str, Any]]:
        """Return the status and body of `POST /app/installations/ID/access_tokens`, as GitHub gives them.

        The *method* GET is a request for the installation itself.
        """
        app = self._apps.get(installation_id)
        if app is None:
            return 404, {"message": "Not Found"}
        try:
            claims = jwt.decode(
                bearer,
                app.public_key,
                algorithms=["RS256"],
                options={"require": ["exp", "iat", "iss"], "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError as error:
            self.rejected_jwts.append(str(error))
            return 401, {"message": "A JSON web token could not be decoded"}
        now = time.time() + self.clock_ahead
        if claims["iss"] != app.app_id or not claims["iat"] <= now < claims["exp"] <= now + 600:
            self.rejected_jwts.append(f"claims {claims}")
            return 401, {"message": "'Expiration time' claim ('exp') is invalid"}
        if method == "GET":
            return 200, {"id": int(installation_id), "permissions": dict(app.permissions)}
        name, asked = self._opened[installation_id].rpartition("/")[2], json.loads(body)
        # No token of this service may reach further.
        assert set(asked) == {"repositories", "permissions"}, asked
        if asked["repositories"] != [name]:
            return 422, {"message": "There is at least one repository that does not exist"}
        for permission, level in asked["permissions"].items():
            if app.permissions.get(permission) not in (level, "write"):
                return 422, {"message": "The permissions requested are not granted to this installation."}
        token = f"ghs_{next(self._numbers):036d}"
        self.issued_tokens.append(token)
        self.issued_permissions[token] = asked["permissions"]
        self.issued_apps[token] = app.app_id
        if "contents" in asked["permissions"]:
            self._tokens[self._opened[installation_id]].add(token)
        ends = datetime.datetime.fromtimestamp(now + self.token_seconds, datetime.timezone.utc)
        return 201, {"token": token, "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%SZ"), "permissions": {}}

    def answer_for(self, name: str, method: str) -> Answer | None:
        """Return the answer that replaces the repository in this request."""
        found = self._answers.get(name)
        if found is None or found.method not in (None, method):
            return None
        if found.times is not None:
            if found.times <= 0:
                return None
            found.times -= 1
        return found

    def is_allowed(self, name: str, authorization: str | None) -> bool:
        """Return True if the request may read the repository."""
        tokens = self._tokens.get(name)
        if tokens is None:
            return True
        scheme, _, value = (authorization or "").partition(" ")
        if scheme.lower() != "basic":
            return False
        with suppress(ValueError):
            return base64.b64decode(value, validate=True).decode().partition(":")[2] in tokens
        return False

    def _git(self, *arguments: str, repository: str | None = None, stdin: bytes | None = None) -> str:
        where = [] if repository is None else [f"--git-dir={self.folder / repository}"]
        done = subprocess.run(
            ["git", *where, *arguments], input=stdin, capture_output=True, check=False, env=GIT_ENVIRON
        )
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace"))
        return done.stdout.decode().strip()


GIT_ENVIRON = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
}


def _change(path: str, content: File) -> Iterator[bytes]:
    quoted = '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if content is None:
        yield f"D {quoted}\n".encode()
        return
    mode, text = content if isinstance(content, tuple) else ("100644", content)
    if mode == "160000":
        yield f"M {mode} {text} {quoted}\n".encode()
        return
    data = text.encode() if isinstance(text, str) else text
    yield f"M {mode} inline {quoted}\ndata {len(data)}\n".encode()
    yield data + b"\n"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    context: ssl.SSLContext | None = None
    git: GitServer

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection; its thread does the handshake."""
        connection, address = super().get_request()
        if self.context is not None:
            try:
                connection.getpeername()
            except OSError:  # the client has left, and wrap_socket would leave an unclosed socket
                connection.close()
                raise
            connection = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that leave."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""

    def _serve(self) -> None:
        body = self._body()
        parts = urlsplit(self.path)
        name, service = self._names(parts.path)
        if service.startswith("info/refs"):
            service = parts.query.partition("service=")[2]
        git = self.server.git
        authorization = self.headers.get("Authorization")
        host = self.connection.getsockname()[0]
        git.requests.append(
            Request(self.command, name, service, authorization, self.headers.get("Host", ""), host)
        )
        if (answer := git.answer_for(name, self.command)) is not None:
            self._answer(answer)
        elif parts.path.startswith("/api/v3/app/installations/"):
            status, shape = git.issue_token(
                parts.path.split("/")[5],
                (authorization or "").partition(" ")[2],
                body,
                method=self.command,
            )
            self._answer(Answer(status, {"Content-Type": "application/json"}, json.dumps(shape).encode()))
        elif (answer := self._api_answer(body)) is not None:
            self._answer(answer)
        elif not git.is_allowed(name, authorization):
            self._answer(Answer(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"Unauthorized"))
        elif service != "git-upload-pack":
            self._answer(Answer(404, {}, b"Not found"))
        else:
            self._run_backend(parts.path, parts.query, body, is_old=name in git.old)

    def _api_answer(self, body: bytes) -> Answer | None:
        if self.server.git.api is None:
            return None
        headers = {name.lower(): value for name, value in self.headers.items()}
        return self.server.git.api(self.command, self.path, headers, body)

    def _names(self, path: str) -> tuple[str, str]:
        """Return the repository and the service of a path."""
        for service in ("/info/refs", "/git-upload-pack", "/git-receive-pack"):
            if path.endswith(service):
                return path.removesuffix(service).strip("/").removesuffix(".git"), service[1:]
        if path.startswith("/api/v3/app/installations/"):
            return f"api-{path.split('/')[5]}", path
        return path.strip("/"), path

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if not answer.is_endless:
            self.send_header("Content-Length", str(len(answer.body) + 1000 * answer.is_cut))
            self.end_headers()
            time.sleep(answer.pause)
            self.wfile.write(answer.body)
            self.close_connection |= answer.is_cut
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with suppress(OSError):
            while True:
                time.sleep(answer.pause)
                self._write_chunk(answer.body)

    def _write_chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.flush()

    def _run_backend(self, path: str, query: str, body: bytes, *, is_old: bool) -> None:
        environ = GIT_ENVIRON | {
            "GIT_PROJECT_ROOT": str(self.server.git.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": "" if is_old else self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": self.client_address[0],
        }
        with subprocess.Popen(
            ["git", "http-backend"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environ,
        ) as backend:
            assert backend.stdin is not None and backend.stdout is not None
            with suppress(OSError):
                backend.stdin.write(body)
                backend.stdin.close()
            try:
                self._pass_on(backend.stdout)
            finally:
                backend.kill()

    def _pass_on(self, output: Any) -> None:
        status, headers = 200, []
        while line := output.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            if name.lower() == "status":
                status = int(value.split()[0])
            else:
                headers.append((name, value.strip()))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while data := output.read1(65536):
            self._write_chunk(data)
        self.wfile.write(b"0\r\n\r\n")


def has_backend() -> bool:
    """Return True if git and its http-backend are installed."""
    if shutil.which("git") is None:
        return False
    done = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=False)
    return (Path(done.stdout.strip()) / "git-http-backend").is_file()


@pytest.fixture(scope="session")
def git_backend() -> None:
    """Skip the test if git or its http-backend is missing."""
    if not has_backend():
        missing("git")


@pytest.fixture(scope="session")
def git_server(git_backend: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    """Return a server of repositories over HTTPS."""
    server = GitServer(tmp_path_factory.mktemp("git-server"))
    yield server
    server.close()


def large_files(count: int, size: int) -> dict[str, File]:
    """Return *count* files of *size* bytes each that do not compress."""
    source = random.Random(count)
    return {f"data/{number}.bin": source.randbytes(size) for number in range(count)}
