"""APIs of GitHub, GitLab, Bitbucket and Gitea as stand-ins, for the repositories of a GitServer.

    def test_a_pull_request_gets_a_comment(forge_server: ForgeServer) -> None:
        shop = forge_server.create(Forge.GITHUB, {"dbt_project.yml": "name: shop\\n"})
        token = shop.add_token()                             # may do everything, and opens the repository
        limited = shop.add_token("pull_requests")            # may read pull requests, and write none
        number = shop.open_pull_request("feature", {"models/a.sql": "select 1 as id\\n"})
        add_connection(type=shop.forge, repo_url=shop.url, environ=forge_server.environ)
        shop.push(number, {"models/a.sql": "select 2 as id\\n"})
        shop.fail(Answer(503), times=2)                      # outage of two requests
        shop.limit_rate(seconds=30)                          # one request gets the forge's own refusal
        assert [comment.text for comment in shop.comments[number]] == [...]
        assert shop.statuses[-1].state == "failure"          # in the words of the forge
        shop.comments[number].clear()                        # a person deletes the comments
        shop.close_pull_request(number, is_merged=True)

The server, its port and its certificate are those of the GitServer, so the address of a repository leads to
its API: `/api/v3` for GitHub (as on GitHub Enterprise), `/api/v4` for GitLab, `/api/v1` for Gitea and `/2.0`
for Bitbucket. One repository belongs to one forge; to the others it does not exist. The heads of pull
requests have the references of the forge, also those of forks; on Bitbucket a fork is its own repository.
GitHub Apps: `git_server.add_app(shop.name, permissions={...})`.

Import the fixtures into a conftest.py: `from tests.support.forge_server import forge_server` and those of
git_server.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.support.forge_names import Forge
from tests.support.git_server import Answer, File, GitServer

RIGHTS = ("comment", "hook", "pull_requests", "status", "user")
"""What a token may do, besides reading the repository itself."""
BASES = {Forge.GITHUB: "/api/v3", Forge.GITLAB: "/api/v4", Forge.BITBUCKET: "/2.0", Forge.GITEA: "/api/v1"}


@dataclass
class Comment:
    """A comment of a pull request."""

    id: int
    user: int
    text: str
    app: str | None = None
    """Id of the GitHub App that has written it."""


@dataclass(frozen=True)
class Status:
    """A commit status, with the words of its forge."""

    sha: str
    state: str
    context: str
    description: str
    url: str | None


@dataclass
class Hook:
    """A webhook; `settings` is what the client has sent."""

    id: str
    settings: dict[str, Any]

    @property
    def url(self) -> str:
        """Return the address that is called."""
        found = self.settings.get("url") or self.settings["config"]["url"]
        return str(found)


@dataclass
class PullRequest:
    """A pull request, or merge request."""

    number: int
    title: str
    base: str
    head: str
    sha: str
    is_fork: bool = False
    fork: str | None = None
    """Name of the repository that has the head; None if the fork is deleted."""
    state: str = "open"
    updated_at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class ForgeRequest:
    """A request to an API."""

    method: str
    path: str
    """Below the base of the API, with the query."""
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Token:
    """A token of a repository."""

    user: int
    rights: frozenset[str]
    is_classic: bool = False
    """Whether GitHub hides what the token may not do."""
    app: str | None = None


@dataclass
class _Fault:
    answer: Answer
    times: int
    method: str | None
    part: str


class ForgeRepository:
    """A repository, with its pull requests, comments, statuses and webhooks."""

    def __init__(self, server: ForgeServer, forge: Forge, name: str, sha: str) -> None:
        self.server, self.forge, self.name = server, forge, name
        self.git = server.git
        self.sha = sha
        """First commit of main."""
        self.number = next(server.ids)
        self.pull_requests: dict[int, PullRequest] = {}
        self.comments: dict[int, list[Comment]] = {}
        self.statuses: list[Status] = []
        self.hooks: list[Hook] = []
        self.requests: list[ForgeRequest] = []
        self.tokens: dict[str, Token] = {}
        self.most_rows = 100
        """Most rows of a page."""
        self._faults: list[_Fault] = []

    @property
    def url(self) -> str:
        """Return the address of the repository."""
        return self.git.url(self.name)

    @property
    def id(self) -> str:
        """Return the id of the repository as its forge writes it."""
        return f"{{{self.number:032x}}}" if self.forge is Forge.BITBUCKET else str(self.number)

    def add_token(self, *rights: str, user: int = 7, is_classic: bool = False) -> str:
        """Create a token with *rights* of `RIGHTS`, by default all; the repository becomes private."""
        assert set(rights) <= {*RIGHTS, "none"}, rights
        token = f"token-{next(self.server.ids)}-of-{self.name.replace('/', '-')}"
        self.tokens[token] = Token(user, frozenset(rights or RIGHTS), is_classic)
        self.git.require(self.name, *self.tokens)
        return token

    def open_pull_request(
        self,
        head: str,
        files: Mapping[str, File],
        *,
        base: str = "main",
        title: str = "Change",
        is_fork: bool = False,
    ) -> int:
        """Open a pull request of a new branch with one commit, in a fork if *is_fork*; return its number."""
        number = len(self.pull_requests) + 1
        fork = f"fork-{number}-of-{self.name.replace('/', '-')}/{self.name.rpartition('/')[2]}"
        pull_request = PullRequest(number, title, base, head, "", is_fork, fork if is_fork else self.name)
        if is_fork and self.forge is Forge.BITBUCKET:
            shutil.copytree(self.git.folder / self.name, self.git.folder / fork)
        self.pull_requests[number] = pull_request
        self.comments[number] = []
        self.push(number, files)
        return number

    def push(self, number: int, files: Mapping[str, File], *, base: str | None = None) -> str:
        """Add a commit to the head of a pull request; return its SHA.

        With *base*, a branch or a commit, the head is pushed by force, and begins there.
        """
        found = self.pull_requests[number]
        where = self.name
        if found.is_fork and self.forge is Forge.BITBUCKET:
            where = str(found.fork)
        # Commits of forks arrive in the repository without a branch.
        branch = f"incoming-{number}" if found.is_fork and where == self.name else found.head
        if base is not None and branch in self.git.branches(where):
            self.git.delete_branch(where, branch)
        start = base or found.sha or found.base
        found.sha = self.git.commit(where, branch, files, base=start)
        found.updated_at = time.time()
        if ref := self.head_ref(number):
            self.git.write_ref(self.name, ref, found.sha)
        if branch != found.head:
            self.git.delete_branch(self.name, branch)
        return found.sha

    def head_ref(self, number: int) -> str | None:
        """Return the reference of the head of a pull request; Bitbucket has none."""
        if self.forge is Forge.GITLAB:
            return f"refs/merge-requests/{number}/head"
        return None if self.forge is Forge.BITBUCKET else f"refs/pull/{number}/head"

    def close_pull_request(self, number: int, *, is_merged: bool = False) -> None:
        """Close or merge a pull request."""
        self.pull_requests[number].state = "merged" if is_merged else "closed"
        self.pull_requests[number].updated_at = time.time()

    def add_comment(self, number: int, text: str, *, user: int = 8) -> Comment:
        """Add a comment, by default of another user than that of tokens."""
        comment = Comment(next(self.server.ids), user, text)
        self.comments[number].append(comment)
        return comment

    def fail(self, answer: Answer, *, times: int = 1, method: str | None = None, part: str = "") -> None:
        """Answer the next requests with *answer*, if their path contains *part*."""
        self._faults.append(_Fault(answer, times, method, part))

    def limit_rate(self, *, seconds: int = 30, times: int = 1, is_secondary: bool = False) -> None:
        """Refuse the next requests as the forge does beyond its limits."""
        reset = str(int(time.time()) + seconds)
        answer = _json(429, {"message": "429 Too Many Requests"}, {"Retry-After": str(seconds)})
        if self.forge is Forge.GITHUB and is_secondary:
            answer = _json(403, {"message": "You have exceeded a secondary rate limit."})
        elif self.forge is Forge.GITHUB:
            headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
            answer = _json(403, {"message": "API rate limit exceeded for user ID 7."}, headers)
        elif self.forge is Forge.GITLAB:
            answer.headers = {"RateLimit-Remaining": "0", "RateLimit-Reset": reset}
        self.fail(answer, times=times)

    def fault(self, method: str, path: str) -> Answer | None:
        """Return the answer that replaces that of the API, if any."""
        for fault in self._faults:
            if fault.times > 0 and fault.method in (None, method) and fault.part in path:
                fault.times -= 1
                return fault.answer
        return None

    def count(self, method: str, part: str = "") -> int:
        """Return the number of requests whose path contains *part*."""
        return sum(one.method == method and part in one.path for one in list(self.requests))


class ForgeServer:
    """The APIs of all forges on the port of *git*."""

    def __init__(self, git: GitServer) -> None:
        self.git = git
        self.ids = itertools.count(101)
        self.repositories: dict[str, ForgeRepository] = {}
        git.api = self.answer

    @property
    def environ(self) -> dict[str, str]:
        """Return the variables that make recce-meta and git trust this server."""
        return self.git.environ

    def create(self, forge: Forge, files: Mapping[str, File] | None = None) -> ForgeRepository:
        """Create a repository of a forge."""
        name = f"acme/{self.git.unused_name('shop')}"
        found = ForgeRepository(self, forge, name, self.git.create_repository(name, files))
        self.repositories[name] = found
        return found

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """Return the answer of the API that *target* belongs to; None for other paths."""
        parts = urlsplit(target)
        for forge, base in BASES.items():
            if parts.path.startswith(f"{base}/"):
                call = _Call(
                    self,
                    forge,
                    method,
                    target.removeprefix(base),
                    parts.path.removeprefix(base),
                    headers,
                    body,
                )
                return call.answer()
        return None


@dataclass
class _Call:
    """One request to an API."""

    server: ForgeServer
    forge: Forge
    method: str
    target: str
    path: str
    headers: Mapping[str, str]
    raw: bytes

    def answer(self) -> Answer:
        api = _APIS[self.forge](self)
        prefix = {Forge.GITLAB: "/projects/", Forge.BITBUCKET: "/repositories/"}.get(self.forge, "/repos/")
        if self.path == "/user":
            return api.user(self._token(self._known()))
        name, rest = self._split(prefix)
        repository = self.server.repositories.get(name)
        if repository is None or repository.forge is not self.forge:
            return api.refuse(404)
        body = json.loads(self.raw) if self.raw else None
        repository.requests.append(ForgeRequest(self.method, self.target, dict(self.headers), body))
        if (fault := repository.fault(self.method, self.target)) is not None:
            return fault
        if self.raw and self.headers.get("content-type") != "application/json":
            return api.refuse(415)
        if "user-agent" not in self.headers:
            return api.refuse(403)
        token = self._token(repository.tokens)
        if token is None:
            return api.refuse(401)
        api.repository, api.token, api.body = repository, token, body or {}
        return api.serve(rest)

    def _split(self, prefix: str) -> tuple[str, str]:
        """Return the name of the repository and the rest of the path."""
        segments = self.path.removeprefix(prefix).split("/")
        size = 1 if self.forge is Forge.GITLAB else 2
        return unquote("/".join(segments[:size])), "/".join(segments[size:])

    def _known(self) -> dict[str, Token]:
        every = [one.tokens for one in self.server.repositories.values() if one.forge is self.forge]
        return {token: value for tokens in every for token, value in tokens.items()}

    def _token(self, known: Mapping[str, Token]) -> Token | None:
        """Return the token of the request, in one of the forms that the forge accepts."""
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        schemes = {"bearer"} | ({"token"} if self.forge in (Forge.GITHUB, Forge.GITEA) else set())
        if scheme.lower() == "basic" and self.forge is not Forge.GITLAB:
            value = base64.b64decode(value).decode().partition(":")[2]
        elif scheme.lower() not in schemes:
            return None
        if (issued := self.server.git.issued_permissions.get(value)) is not None:
            return _of_app(issued, self.server.git, value)
        return known.get(value)

    def page(self, rows: Sequence[Any], size: str, default: int, most: int) -> tuple[list[Any], int, bool]:
        """Return the rows of the page, its number, and whether another follows."""
        query = parse_qs(urlsplit(self.target).query)
        number = int(query.get("page", ["1"])[0])
        count = min(int(query.get(size, [str(default)])[0]), most)
        start = (number - 1) * count
        return list(rows[start : start + count]), number, start + count < len(rows)


_OF_PERMISSION = {"pull_requests": "comment", "statuses": "status", "repository_hooks": "hook"}


def _of_app(permissions: Mapping[str, str], git: GitServer, token: str) -> Token:
    rights = {_OF_PERMISSION[name] for name, level in permissions.items() if level == "write"}
    rights |= {"pull_requests"} if "pull_requests" in permissions else set()
    return Token(9, frozenset(rights), app=git.issued_apps.get(token))


class _Api:
    """What all forges have in common; a subclass is one forge."""

    rights: ClassVar[Mapping[str, str]] = {}
    """Names of the rights of `RIGHTS` at the forge."""
    requests = "pulls"
    comments = r"issues/(\d+)/comments"
    changed_comment = r"issues/comments/(\d+)"
    statuses = r"statuses/(\w+)"
    changed_hook = r"hooks/(\d+)"
    change = "PATCH"
    """Method of a change."""

    def __init__(self, call: _Call) -> None:
        self.call = call
        self.repository: ForgeRepository
        self.token: Token
        self.body: dict[str, Any] = {}

    def routes(self) -> Sequence[tuple[str, str, str, Callable[..., Answer]]]:
        """Return method, pattern of the path, right and function of each request."""
        return (
            ("GET", "", "", lambda: _json(200, self.own())),
            ("GET", self.requests, "pull_requests", self.list_requests),
            ("GET", self.comments, "pull_requests", self.list_comments),
            ("POST", self.comments, "comment", self.add_comment),
            (self.change, self.changed_comment, "comment", self.change_comment),
            ("POST", self.statuses, "status", self.post_status),
            ("GET", "hooks", "hook", lambda: self.rows([self.hook(one) for one in self.repository.hooks])),
            ("POST", "hooks", "hook", self.post_hook),
            (self.change, self.changed_hook, "hook", self.change_hook),
            ("DELETE", self.changed_hook, "hook", self.remove_hook),
        )

    def own(self) -> dict[str, Any]:
        """Return the repository as the forge writes it."""
        return {"id": self.repository.number}

    def rows(self, rows: Sequence[Any]) -> Answer:
        """Return the page of *rows* that is asked for."""
        raise NotImplementedError

    def list_requests(self) -> Answer:
        """Return the open pull requests."""
        raise NotImplementedError

    def list_comments(self, number: str) -> Answer:
        """Return the comments of the pull request *number*."""
        found = self.repository.comments.get(int(number))
        return self.refuse(404) if found is None else self.some_comments([self.comment(one) for one in found])

    def some_comments(self, rows: Sequence[Any]) -> Answer:
        """Return the comments *rows*, with those that the forge adds."""
        return self.rows(rows)

    def post_status(self, sha: str) -> Answer:
        """Store the commit status of the request."""
        raise NotImplementedError

    def body_status(self, sha: str) -> Answer:
        """Store the commit status of the request, whose fields have the names of GitHub."""
        names = ("state", "context", "description", "target_url")
        return self.add_status(Status(sha, *(self.body[name] for name in names)))

    def post_hook(self) -> Answer:
        """Store the webhook of the request."""
        raise NotImplementedError

    def serve(self, rest: str) -> Answer:
        """Return the answer for the path below the repository."""
        for method, pattern, right, function in self.routes():
            found = re.fullmatch(pattern, rest)
            if found and method == self.call.method:
                if right and right not in self.token.rights:
                    return self.forbid(right)
                return function(*(unquote(value) for value in found.groups()))
        return self.refuse(404)

    def refuse(self, status: int, text: str = "") -> Answer:
        """Return a refusal as the forge writes it."""
        texts = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 415: "Unsupported Media Type"}
        return _json(status, {"message": text or texts[status]})

    def forbid(self, right: str) -> Answer:
        """Return the refusal of a token without a right."""
        return self.refuse(403)

    def user(self, token: Token | None) -> Answer:
        """Return the user of the token."""
        if token is None:
            return self.refuse(401)
        return _json(200, {"id": token.user}) if "user" in token.rights else self.forbid("user")

    def comment(self, comment: Comment) -> dict[str, Any]:
        """Return a comment as the forge writes it."""
        return {"id": comment.id, "body": comment.text, "user": {"id": comment.user}}

    def text(self) -> str:
        """Return the text of a comment in the request."""
        return str(self.body["body"])

    def too_long(self) -> Answer | None:
        """Return the refusal of the text of the request, if it is too long."""
        return None

    def add_comment(self, number: str) -> Answer:
        if int(number) not in self.repository.comments:
            return self.refuse(404)
        if (refusal := self.too_long()) is not None:
            return refusal
        comment = self.repository.add_comment(int(number), self.text(), user=self.token.user)
        comment.app = self.token.app
        return _json(201, self.comment(comment))

    def change_comment(self, *ids: str) -> Answer:
        for comment in itertools.chain(*self.repository.comments.values()):
            if str(comment.id) == ids[-1]:
                if comment.user != self.token.user:
                    return self.refuse(403)
                comment.text = self.text()
                return self.too_long() or _json(200, self.comment(comment))
        return self.refuse(404)

    def open_requests(self) -> list[PullRequest]:
        """Return the open pull requests; the last changed ones first."""
        found = [one for one in self.repository.pull_requests.values() if one.state == "open"]
        return sorted(found, key=lambda one: (one.updated_at, one.number), reverse=True)

    def hook(self, hook: Hook) -> dict[str, Any]:
        """Return a webhook as the forge writes it: without its secret."""
        config = {name: value for name, value in hook.settings["config"].items() if name != "secret"}
        return {**hook.settings, "config": config, "id": int(hook.id)}

    def add_hook(self) -> Answer:
        hook = Hook(str(next(self.call.server.ids)), dict(self.body))
        self.repository.hooks.append(hook)
        return _json(201, self.hook(hook))

    def change_hook(self, hook_id: str) -> Answer:
        for hook in self.repository.hooks:
            if hook.id == hook_id:
                hook.settings |= self.body
                return _json(200, self.hook(hook))
        return self.refuse(404)

    def remove_hook(self, hook_id: str) -> Answer:
        for hook in self.repository.hooks:
            if hook.id == hook_id:
                self.repository.hooks.remove(hook)
                return Answer(204)
        return self.refuse(404)

    def add_status(self, status: Status) -> Answer:
        self.repository.statuses.append(status)
        return _json(201, {"id": next(self.call.server.ids), "state": status.state})

    def has_commit(self, sha: str) -> bool:
        names = [
            self.repository.name,
            *(one.fork for one in self.repository.pull_requests.values() if one.fork),
        ]
        return any(
            (self.call.server.git.folder / name).exists() and self.call.server.git.has_commit(name, sha)
            for name in names
        )

    def linked(self, rows: Sequence[Any], size: str, default: int, most: int) -> Answer:
        """Return a page with a header `Link`."""
        most = min(most, self.repository.most_rows)
        found, number, has_more = self.call.page(rows, size, default, most)
        address = f"{self.call.server.git.url(self.call.path.strip('/'))}?page="
        links = [f'<{address}{number + 1}>; rel="next"'] if has_more else []
        links += [f'<{address}1>; rel="first"']
        return _json(200, found, {"Link": ", ".join(links), "X-Total-Count": str(len(rows))})


class _GitHub(_Api):
    rights: ClassVar[Mapping[str, str]] = {
        "comment": "issues=write; pull_requests=write",
        "hook": "repository_hooks=write",
        "pull_requests": "pull_requests=read",
        "status": "statuses=write",
        "user": "",
    }

    def refuse(self, status: int, text: str = "") -> Answer:
        texts = {401: "Bad credentials", 403: "Resource not accessible by personal access token"}
        shape = {
            "message": text or texts.get(status, "Not Found"),
            "documentation_url": "https://docs.github.com",
        }
        return _json(status, {**shape, "status": str(status)})

    def forbid(self, right: str) -> Answer:
        if self.token.is_classic:
            return self.refuse(404)
        answer = self.refuse(403, "Resource not accessible by integration" if self.token.app else "")
        return replace(
            answer, headers={**answer.headers, "X-Accepted-GitHub-Permissions": self.rights[right]}
        )

    def user(self, token: Token | None) -> Answer:
        # Fine-grained tokens need no permission for it.
        if token is not None and token.app is None:
            return _json(200, {"id": token.user, "login": f"user-{token.user}"})
        return self.refuse(401 if token is None else 403)

    def comment(self, comment: Comment) -> dict[str, Any]:
        via = {"performed_via_github_app": comment.app and {"id": int(comment.app)}}
        return super().comment(comment) | via

    def too_long(self) -> Answer | None:
        return (
            self._invalid("body is too long (maximum is 65536 characters)")
            if len(self.text()) > 65536
            else None
        )

    def _invalid(self, text: str) -> Answer:
        return _json(422, {"message": "Validation Failed", "errors": [{"code": "custom", "message": text}]})

    def rows(self, rows: Sequence[Any]) -> Answer:
        return self.linked(rows, "per_page", 30, 100)

    def list_requests(self) -> Answer:
        base = {"id": self.repository.number}
        return self.rows([
            {
                "number": one.number, "title": one.title, "state": "open",
                "updated_at": _time(one.updated_at),
                "html_url": f"{self.repository.url}/pull/{one.number}",
                "base": {"ref": one.base, "sha": self.repository.sha, "repo": base},
                "head": {"ref": one.head, "sha": one.sha, "repo": _side(one, base, {"id": 1})},
            }
            for one in self.open_requests()
        ])  # fmt: skip

    def post_status(self, sha: str) -> Answer:
        if not self.has_commit(sha):
            return _json(422, {"message": f"No commit found for SHA: {sha}"})
        if len(self.body["description"]) > 140:
            return self._invalid("description is too long (maximum is 140 characters)")
        assert self.body["state"] in ("error", "failure", "pending", "success")
        return self.body_status(sha)

    def post_hook(self) -> Answer:
        assert self.body["name"] == "web" and self.body["config"]["insecure_ssl"] == "0"
        if any(one.url == self.body["config"]["url"] for one in self.repository.hooks):
            return self._invalid("Hook already exists on this repository")
        return self.add_hook()


class _GitLab(_Api):
    requests = "merge_requests"
    comments = r"merge_requests/(\d+)/notes"
    changed_comment = rf"{comments}/(\d+)"
    change = "PUT"

    def refuse(self, status: int, text: str = "") -> Answer:
        texts = {401: "401 Unauthorized", 403: "403 Forbidden"}
        return _json(status, {"message": text or texts.get(status, "404 Not Found")})

    def forbid(self, right: str) -> Answer:
        text = "The request requires higher privileges than provided by the access token."
        scope = "api" if right not in ("pull_requests", "user") else "api read_api"
        return _json(403, {"error": "insufficient_scope", "error_description": text, "scope": scope})

    def comment(self, comment: Comment) -> dict[str, Any]:
        author = {"id": comment.user, "username": f"user-{comment.user}"}
        return {"id": comment.id, "body": comment.text, "author": author, "system": False}

    def too_long(self) -> Answer | None:
        text = "400 Bad request - Note is too long (maximum is 1000000 characters)"
        return self.refuse(400, text) if len(self.text()) > 1_000_000 else None

    def rows(self, rows: Sequence[Any]) -> Answer:
        answer = self.linked(rows, "per_page", 20, 100)
        answer.headers = {name: value for name, value in answer.headers.items() if name != "X-Total-Count"}
        return answer

    def some_comments(self, rows: Sequence[Any]) -> Answer:
        system = {"id": 1, "body": "added 1 commit", "author": {"id": 7}, "system": True}
        return self.rows([system, *rows])

    def list_requests(self) -> Answer:
        return self.rows([
            {
                "iid": one.number, "title": one.title, "state": "opened", "sha": one.sha,
                "web_url": f"{self.repository.url}/-/merge_requests/{one.number}",
                "updated_at": _time(one.updated_at), "source_branch": one.head, "target_branch": one.base,
                "target_project_id": self.repository.number,
                "source_project_id": _side(one, self.repository.number, 1),
            }
            for one in self.open_requests()
        ])  # fmt: skip

    def post_status(self, sha: str) -> Answer:
        if not self.has_commit(sha):
            return self.refuse(404, "404 Commit Not Found")
        if len(self.body["description"]) > 255:
            return _json(400, {"message": {"description": ["is too long (maximum is 255 characters)"]}})
        if len(self.body.get("target_url", "")) > 255:
            return _json(400, {"message": {"target_url": ["is too long (maximum is 255 characters)"]}})
        state, last = self.body["state"], [one for one in self.repository.statuses if one.sha == sha][-1:]
        assert state in ("pending", "running", "success", "failed", "canceled")
        if state == "pending" and last and last[0].state == "pending":
            reason = 'Reason(s): Status cannot transition via "enqueue"'
            return self.refuse(400, f"Cannot transition status via :enqueue from :pending ({reason})")
        return self.add_status(
            Status(sha, state, self.body["name"], self.body["description"], self.body.get("target_url"))
        )

    def post_hook(self) -> Answer:
        if not re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", self.body.get("signing_token", "")):
            return _json(422, {"message": {"signing_token": ["is invalid"]}})
        return self.add_hook()

    def hook(self, hook: Hook) -> dict[str, Any]:
        shown = {name: value for name, value in hook.settings.items() if not name.endswith("token")}
        flags = {"token_present": True, "signing_token_present": True, "alert_status": "executable"}
        return {**shown, **flags, "id": int(hook.id)}


class _Bitbucket(_Api):
    rights: ClassVar[Mapping[str, str]] = {
        "comment": "pullrequest", "hook": "webhook", "pull_requests": "pullrequest",
        "status": "repository:write", "user": "account",
    }  # fmt: skip

    requests = "pullrequests"
    comments = r"pullrequests/(\d+)/comments"
    changed_comment = rf"{comments}/(\d+)"
    statuses = r"commit/(\w+)/statuses/build"
    changed_hook = r"hooks/([^/]+)"
    change = "PUT"

    def refuse(self, status: int, text: str = "") -> Answer:
        texts = {401: "Token is invalid, expired, or not supported for this endpoint.", 403: "Access denied"}
        return _json(status, {"type": "error", "error": {"message": text or texts.get(status, "Not found")}})

    def forbid(self, right: str) -> Answer:
        detail = {"required": [self.rights[right]], "granted": ["repository"]}
        text = "Your credentials lack one or more required privilege scopes."
        return _json(403, {"type": "error", "error": {"message": text, "detail": detail}})

    def user(self, token: Token | None) -> Answer:
        if token is None or "user" not in token.rights:
            return super().user(token)
        return _json(200, {"uuid": f"{{user-{token.user}}}"})

    def comment(self, comment: Comment) -> dict[str, Any]:
        user = {"uuid": f"{{user-{comment.user}}}", "type": "user"}
        return {"id": comment.id, "content": {"raw": comment.text}, "user": user, "deleted": False}

    def text(self) -> str:
        return str(self.body["content"]["raw"])

    def too_long(self) -> Answer | None:
        return self.refuse(400, "content.raw: too long") if len(self.text()) > 32_768 else None

    def rows(self, rows: Sequence[Any], most: int = 100) -> Answer:
        most = min(most, self.repository.most_rows)
        found, number, has_more = self.call.page(rows, "pagelen", 10, most)
        address = self.call.server.git.url(self.call.path.strip("/"))
        more = {"next": f"{address}?page={number + 1}"} if has_more else {}
        return _json(200, {"values": found, "page": number, "pagelen": most, **more})

    def own(self, name: str | None = None) -> dict[str, Any]:
        uuid = self.repository.id if name is None else f"{{{name}}}"
        return {"uuid": uuid, "full_name": name or self.repository.name, "type": "repository"}

    def some_comments(self, rows: Sequence[Any]) -> Answer:
        inline = {**self.comment(Comment(1, 7, "inline")), "inline": {"path": "a.sql", "to": 1}}
        return self.rows([inline, *rows])

    def list_requests(self) -> Answer:
        own = self.own()
        return self.rows([
            {
                "id": one.number, "title": one.title, "state": "OPEN",
                "updated_on": _time(one.updated_at, True),
                "links": {"html": {"href": f"{self.repository.url}/pull-requests/{one.number}"}},
                "source": {
                    "branch": {"name": one.head}, "commit": {"hash": one.sha[:12]},
                    "repository": _side(one, own, self.own(one.fork)),
                },
                "destination": {
                    "branch": {"name": one.base}, "commit": {"hash": self.repository.sha[:12]},
                    "repository": own,
                },
            }
            for one in self.open_requests()
        ], most=50)  # fmt: skip

    def post_status(self, sha: str) -> Answer:
        if not self.has_commit(sha):
            return self.refuse(404, "Commit not found")
        assert self.body["state"] in ("INPROGRESS", "SUCCESSFUL", "FAILED", "STOPPED")
        if not self.body.get("url") or len(self.body["key"]) > 40:
            return self.refuse(400, "Bad request")
        return self.add_status(
            Status(sha, self.body["state"], self.body["key"], self.body["description"], self.body["url"])
        )

    def post_hook(self) -> Answer:
        hook = Hook(f"{{{next(self.call.server.ids):032x}}}", dict(self.body))
        self.repository.hooks.append(hook)
        return _json(201, self.hook(hook))

    def hook(self, hook: Hook) -> dict[str, Any]:
        shown = {name: value for name, value in hook.settings.items() if name != "secret"}
        return {**shown, "uuid": hook.id, "secret_set": True, "type": "webhook_subscription"}


class _Gitea(_Api):
    rights: ClassVar[Mapping[str, str]] = {
        "comment": "write:issue", "hook": "write:repository", "pull_requests": "read:repository",
        "status": "write:repository", "user": "read:user",
    }  # fmt: skip

    def forbid(self, right: str) -> Answer:
        needed = self.rights[right]
        text = f"token does not have at least one of required scope(s), required=[{needed}], token scope="
        return self.refuse(403, text)

    def rows(self, rows: Sequence[Any]) -> Answer:
        return self.linked(rows, "limit", 30, 50)

    def some_comments(self, rows: Sequence[Any]) -> Answer:
        # Gitea gives all comments at once.
        return _json(200, rows, {"X-Total-Count": str(len(rows))})

    def list_requests(self) -> Answer:
        own = self.repository.number
        return self.rows([
            {
                "number": one.number, "title": one.title, "state": "open",
                "updated_at": _time(one.updated_at),
                "html_url": f"{self.repository.url}/pulls/{one.number}",
                "base": {"label": one.base, "ref": one.base, "sha": self.repository.sha, "repo_id": own},
                "head": {
                    "label": one.head, "sha": one.sha, "repo_id": _side(one, own, 1) or -1,
                    "ref": one.head if one.fork else f"refs/pull/{one.number}/head",
                },
            }
            for one in self.open_requests()
        ])  # fmt: skip

    def post_status(self, sha: str) -> Answer:
        if not self.has_commit(sha):
            return self.refuse(404)
        assert self.body["state"] in ("pending", "success", "error", "failure", "warning")
        return self.body_status(sha)

    def post_hook(self) -> Answer:
        if self.body["type"] != "gitea" or self.body["config"]["content_type"] != "json":
            return _json(422, {"message": "Invalid hook type"})
        return self.add_hook()

    def change_hook(self, hook_id: str) -> Answer:
        # Gitea ignores the secret in a change: `editHook` in routers/api/v1/utils/hook.go.
        for hook in self.repository.hooks:
            if hook.id == hook_id:
                self.body["config"]["secret"] = hook.settings["config"]["secret"]
        return super().change_hook(hook_id)


_APIS: Mapping[Forge, type[_Api]] = {
    Forge.GITHUB: _GitHub,
    Forge.GITLAB: _GitLab,
    Forge.BITBUCKET: _Bitbucket,
    Forge.GITEA: _Gitea,
}


def _side(one: PullRequest, own: Any, other: Any) -> Any:
    """Return the repository of the head: *own*, *other* for a fork, or None for a deleted fork."""
    if not one.is_fork:
        return own
    return None if one.fork is None else other


def _time(seconds: float, is_exact: bool = False) -> str:
    shown = datetime.fromtimestamp(seconds, timezone.utc)
    return shown.isoformat() if is_exact else shown.strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(status: int, shape: Any, headers: Mapping[str, str] | None = None) -> Answer:
    data = json.dumps(shape).encode()
    return Answer(status, {"Content-Type": "application/json; charset=utf-8", **(headers or {})}, data)


@pytest.fixture(scope="session")
def forge_server(git_server: GitServer) -> ForgeServer:
    """Return the APIs of all forges, on the server of repositories."""
    return ForgeServer(git_server)
