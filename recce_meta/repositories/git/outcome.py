"""Reading of what a git process printed: the answers of the server, and the cause of a failure."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from msgspec import Struct

from recce_meta.errors import shorten
from recce_meta.repositories.git.address import RepositoryAddress
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.processes import Completed

LONGEST_WAIT = 24 * 3600.0
"""Most seconds that a server may ask to wait for."""
_TRACED = re.compile(r"^\d\d:\d\d:\d\d\.\d+ \S+ +(.*)$")
_RECEIVED = "<= Recv header: "
_STATUS = re.compile(r"HTTP/[\d.]+ (\d{3})")
_LOUD = re.compile(r"^(?:fatal|error): (.+)$", re.M)
_LIMITS = re.compile(r"File too large|signal 25|[Oo]ut of memory|mmap failed|No space left on device")
_NO_REPOSITORY = re.compile(r"is this a git repository\?|not found: did you run|does not support shallow")
_NO_COMMIT = re.compile(
    r"not our ref|unadvertised object|couldn't find remote ref|does not allow request for"
)
_BROKEN_OFF = re.compile(r"unable to access|RPC failed|early EOF|unexpected disconnect|hung up|curl \d+")
_CERTIFICATE = re.compile(r"certificate|CAfile", re.I)
_ASKS_FOR_USER = re.compile(r"could not read (?:Username|Password)|Authentication failed")
_PLAIN_FILE = re.compile(r"Recv header: content-type: (?:text/plain|application/octet-stream)", re.I)
_HEAD_FILE = re.compile(r"Send header: GET \S+/HEAD HTTP/")
_DETAIL = 300


class Answers(Struct, frozen=True):
    """Answers of the server in one run of git."""

    status: int | None = None
    """Status of the last answer; None if there was none."""
    headers: Mapping[str, str] = {}
    """Headers of the last answer, with names in lower case."""


def read_answers(errors: str) -> Answers:
    """Return the last answer of the server in the trace of curl on standard error."""
    status: int | None = None
    headers: dict[str, str] = {}
    for line in errors.splitlines():
        traced = _TRACED.match(line)
        if traced is None or not traced[1].startswith(_RECEIVED):
            continue
        header = traced[1].removeprefix(_RECEIVED)
        if found := _STATUS.match(header):
            # A new answer: headers of the one before, such as a challenge of a proxy, do not count.
            status, headers = int(found[1]), {}
        else:
            name, _, value = header.partition(":")
            headers[name.strip().lower()] = value.strip()
    return Answers(status, headers)


def messages_of(errors: str) -> list[str]:
    """Return the messages of git about errors, without the trace."""
    return _LOUD.findall(errors)


def is_missing_commit(completed: Completed) -> bool:
    """Return True if the server does not give the commit, because its branch has moved or is gone."""
    return _NO_COMMIT.search(" ".join(messages_of(completed.errors))) is not None


def is_broken_off(completed: Completed) -> bool:
    """Return True if the connection to the server failed or broke."""
    return _BROKEN_OFF.search(completed.errors) is not None


def is_repository(errors: str) -> bool:
    """Return True if the last answer was one of git's smart protocol, and not a page or a folder of files."""
    return read_answers(errors).headers.get("content-type", "").startswith("application/x-git-")


def no_repository(address: RepositoryAddress, errors: str) -> GitFailure:
    """Return the failure of an address that leads to something else; *errors* is what git printed."""
    # The server gave the list of references as a plain file, and git asked for HEAD.
    if _PLAIN_FILE.search(errors) and _HEAD_FILE.search(errors):
        return _address(
            f"{address.url} is served by git's dumb HTTP protocol, which is not supported",
            "serve the repository with `git http-backend`, or by a forge",
        )
    return _address(f"{address.url} is not a git repository", "enter the address that `git clone` takes")


def no_reference(address: RepositoryAddress, reference: str) -> GitFailure:
    """Return the failure of a reference that the server does not have, or not yet."""
    return GitFailure(
        GitFailureKind.BRANCH,
        f"Reference {reference} not found in {address.url}",
        hint="check that the pull request and its branches exist",
        # Forges create the reference of a pull request a moment after they announce it.
        can_retry=True,
    )


def failure_of(completed: Completed, address: RepositoryAddress, *, has_token: bool) -> GitFailure:
    """Return the failure of a git process that has talked to the server of *address*."""
    text = "\n".join(messages_of(completed.errors))
    answers = read_answers(completed.errors)
    # Before all other signs: a killed process leaves messages that name wrong causes.
    if completed.is_late:
        return _network(address, f"did not finish within {completed.seconds:.0f} seconds")
    if completed.excess is not None:
        return too_large(f"{address.url} reached a limit of git: {completed.excess}")
    if _LIMITS.search(text):
        return _of_limits(address, text)
    if _ASKS_FOR_USER.search(text) or answers.status in (401, 407):
        return _of_token(address, answers, has_token=has_token)
    # Before the messages below, whose text differs between versions of git.
    if answers.status is not None and answers.status != 200:
        return failure_of_answers(address, answers, has_token=has_token)
    if _NO_REPOSITORY.search(text):
        return no_repository(address, completed.errors)
    if _NO_COMMIT.search(text):
        return GitFailure(
            GitFailureKind.BRANCH, f"The commit is not in {address.url}", hint="extract again", can_retry=True
        )
    detail = shorten(" ".join(text.split()) or f"git ended with code {completed.code}", _DETAIL)
    if _CERTIFICATE.search(text):
        return GitFailure(
            GitFailureKind.NETWORK,
            f"The certificate of {address.server} is not accepted: {detail}",
            hint="set GIT_SSL_CAINFO of the service to the file of your certificate authority",
        )
    return _network(address, f"failed: {detail}")


def _of_limits(address: RepositoryAddress, text: str) -> GitFailure:
    if "No space left" in text:
        return GitFailure(
            GitFailureKind.DISK,
            "The disk of the work folder is full",
            hint="free space, or choose another work folder",
            can_retry=True,
        )
    if "memory" in text or "mmap" in text:
        return too_large(f"{address.url} needs more memory than git may use")
    return too_large(f"{address.url} has a file beyond the limit of a fetch")


def _of_token(address: RepositoryAddress, answers: Answers, *, has_token: bool) -> GitFailure:
    if answers.status == 407:
        return GitFailure(
            GitFailureKind.NETWORK, "The proxy asks for a password", hint="set https_proxy of the service"
        )
    if has_token:
        return GitFailure(
            GitFailureKind.TOKEN,
            f"The server refuses the token of {address.url}",
            hint="it may be expired or revoked: create one that reads this repository, and replace it "
            "with `recce-meta connection set NAME --ask-token`",
        )
    return GitFailure(
        GitFailureKind.TOKEN,
        f"{address.url} does not exist, or is private",
        hint="check the address; for a private repository give a token with --ask-token",
    )


def failure_of_answers(address: RepositoryAddress, answers: Answers, *, has_token: bool) -> GitFailure:
    """Return the failure for the status of the last answer."""
    status = answers.status or 0
    wait = wait_of(answers.headers)
    is_exhausted = answers.headers.get("x-ratelimit-remaining") == "0"
    # A server may answer 403 both for its limits and for missing rights.
    if status == 429 or (status == 403 and (wait is not None or is_exhausted)):
        return GitFailure(
            GitFailureKind.RATE_LIMIT,
            f"{address.server} asks for fewer requests (status {status})",
            hint="the next attempt waits; a longer polling interval or a token of its own helps",
            can_retry=True,
            retry_after=wait,
        )
    if status == 403:
        return GitFailure(
            GitFailureKind.TOKEN,
            f"The server forbids access to {address.url}",
            hint="give the token the permission to read the contents of this repository"
            if has_token
            else "give a token with --ask-token",
        )
    if status in (404, 410):
        # Forges answer 404 for private repositories, to hide that they exist.
        also = ", and that the token may read it" if has_token else ""
        return _address(f"Repository not found: {address.url}", f"check the address{also}")
    if 300 <= status < 400:
        target = shorten(answers.headers.get("location", "another address"), _DETAIL)
        target = target.partition("?")[0].removesuffix("/info/refs")
        return _address(f"{address.url} redirects to {target}", "enter the new address if you trust it")
    failure = _network(address, f"answered with status {status}", retry_after=wait)
    failure.can_retry = status >= 500 or status == 408
    return failure


def wait_of(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the server asks to wait for; None if it does not."""
    asked, reset = headers.get("retry-after", ""), _reset_of(headers)
    seconds: float | None = None
    if asked.isdecimal():
        seconds = float(asked)
    elif asked:
        try:
            seconds = parsedate_to_datetime(asked).timestamp() - time.time()
        except (TypeError, ValueError):
            seconds = None
    elif reset.isdecimal():
        seconds = float(reset) - time.time()
    # A wrong clock gives negative or huge times.
    return None if seconds is None else min(max(seconds, 1.0), LONGEST_WAIT)


def _reset_of(headers: Mapping[str, str]) -> str:
    """Return the time at which requests are allowed again, if none is left now."""
    for prefix in ("x-ratelimit", "ratelimit"):
        if headers.get(f"{prefix}-remaining") == "0":
            return headers.get(f"{prefix}-reset", "")
    return ""


def _address(message: str, hint: str) -> GitFailure:
    return GitFailure(GitFailureKind.ADDRESS, message, hint=hint)


def too_large(message: str) -> GitFailure:
    """Return the failure of a limit."""
    return GitFailure(
        GitFailureKind.LIMIT, message, hint="remove large files, or raise the limits of the service"
    )


def _network(address: RepositoryAddress, problem: str, *, retry_after: float | None = None) -> GitFailure:
    return GitFailure(
        GitFailureKind.NETWORK,
        f"{address.server} {problem}",
        hint="check the network and the status page of the server; the next attempt may succeed",
        can_retry=True,
        retry_after=retry_after,
    )
