"""Handlers of pages: a function from a `Request` to a Page or a Listing, registered in a `PageSet`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request as HttpRequest

from recce_meta.errors import UsageError
from recce_meta.report.addresses import Addresses
from recce_meta.repositories.state.database import State
from recce_meta.server.access.sessions import read_form
from recce_meta.server.site.listing import Listing
from recce_meta.server.site.rendering import Page
from recce_meta.server.stores.stores import StoreView

MOST_PARAMETERS = 200
"""Number of parameters of an address."""


class Parameters(dict[str, str]):
    """Parameters of an address by name: the last value of each, and all values of those that are repeated."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.pairs = tuple(pairs)
        """Names and values in the order of the address."""
        super().__init__(self.pairs)

    def all(self, name: str) -> tuple[str, ...]:
        """Return all values of the parameter *name*."""
        return tuple(value for key, value in self.pairs if key == name)

    def without(self, *names: str) -> Parameters:
        """Return the parameters without *names*."""
        return Parameters((name, value) for name, value in self.pairs if name not in names)

    def encoded(self) -> str:
        """Return the parameters as the query of an address; empty if there are none."""
        return f"?{urlencode(self.pairs)}" if self.pairs else ""


@dataclass(frozen=True)
class Request:
    """Question of an address to one store."""

    view: StoreView
    path: str
    """Path of the address, without the suffix `.csv` or `.json`."""
    parts: Mapping[str, str]
    """Parts of the path by name, such as `run`, decoded."""
    query: Parameters
    """Parameters of the address."""
    form: Mapping[str, str] = field(default_factory=dict)
    """Fields of the form that an action received."""
    by: str = ""
    """Who sends the form: the address of the client, and its token or session if it has one."""
    author: str | None = None
    """Name of the sender's stored token, which signs what the form writes; None without one."""
    state: State | None = None
    """State of the server, whose audit an action is noted in; None without one."""

    @property
    def to(self) -> Addresses:
        """Addresses of the store's pages."""
        return self.view.to


class Redirect(NamedTuple):
    """Answer that sends the browser to another address."""

    address: str


class MovedTo(Exception):
    """Raised by a handler that reads: the page is at another address, which is the argument."""


class Download(NamedTuple):
    """Answer that is a file, which the browser saves."""

    name: str
    media_type: str
    file: BinaryIO
    """Open file, which is closed after it was sent."""
    size: int
    """Bytes."""


class Data(NamedTuple):
    """Answer that is a document of JSON."""

    value: object
    """Anything that msgspec encodes."""
    status: int = 200
    is_kept: bool = True
    """False for a document that changes without a write to the store."""


Answer: TypeAlias = "Page | Listing | Redirect | Download | Data"
Handler = Callable[..., Any]
"""Function of a Request, or of a `ConnectionRequest`, that returns an Answer, or a coroutine of one."""


class Registered(NamedTuple):
    """A handler with the paths below `/s/{store}` that it answers."""

    path: str
    handler: Handler
    suffixes: tuple[str, ...] = ("",)
    """Ends of the path, one for each format."""
    is_file: bool = False
    """Whether the handler returns a Download."""
    is_action: bool = False
    """Whether the handler answers POST, and may change something."""
    has_files: bool = False
    """Whether the handler reads a form with files itself."""


class PageSet:
    """Handlers of one module: `pages = PageSet()`, then `@pages.page("/runs/{run}")`."""

    def __init__(self) -> None:
        self.registered: list[Registered] = []

    def page(self, path: str) -> Callable[[Handler], Handler]:
        """Register a handler that returns a Page, for *path* below the store's address."""
        return self._register(path, ("",))

    def download(self, path: str) -> Callable[[Handler], Handler]:
        """Register a handler that returns a Download, for *path* below the store's address."""
        return self._register(path, ("",), is_file=True)

    def listing(self, path: str) -> Callable[[Handler], Handler]:
        """Register a handler that returns a Listing, for the page *path*, and *path* with .csv and .json."""
        return self._register(path, ("", ".csv", ".json"))

    def table(self, path: str) -> Callable[[Handler], Handler]:
        """Register a handler that returns a Listing, for *path* with .csv and .json only."""
        return self._register(path, (".csv", ".json"))

    def data(self, path: str) -> Callable[[Handler], Handler]:
        """Register a handler that returns Data, for *path*, which ends in .json."""
        return self._register(path, ("",))

    def action(self, path: str) -> Callable[[Handler], Handler]:
        """Register a handler of a form that is sent to *path* by POST.

        It returns a Redirect to the page that shows the outcome, or Data. Nothing that it returns is kept.
        """
        return self._register(path, ("",), is_action=True)

    def upload(self, path: str) -> Callable[[Handler], Handler]:
        """Register a handler of a form with files, which it reads itself from the request's `http`."""
        return self._register(path, ("",), is_action=True, has_files=True)

    def _register(self, path: str, suffixes: tuple[str, ...], **given: bool) -> Callable[[Handler], Handler]:
        def keep(handler: Handler) -> Handler:
            self.registered.append(Registered(path, handler, suffixes, **given))
            return handler

        return keep


def decoded(text: str) -> str:
    """Return *text* of an address. Raises UsageError for a character that no store can hold."""
    if "\0" in text:
        raise UsageError("The address contains a NUL character", hint="remove %00 and ~00 from it")
    return text


def query_of(http: HttpRequest) -> Parameters:
    """Return the parameters of the address that are not empty. Raises UsageError for malformed ones."""
    text = bytes(http.scope["query_string"]).decode("latin-1")
    return Parameters(_pairs(text, "address", "parameters"))


async def form_of(http: HttpRequest) -> dict[str, str]:
    """Return the fields of a form that are not empty. Raises UsageError for a large or malformed one."""
    body = await read_form(http, LARGEST_FORM)
    if body is None:
        raise UsageError("The form is too large", hint=f"send at most {LARGEST_FORM // 1024} kB")
    return dict(_pairs(body.decode("utf-8", "replace"), "form", "fields"))


def _pairs(text: str, place: str, noun: str) -> list[tuple[str, str]]:
    """Return the names and values in *text*, of a *place*. Raises UsageError for many or malformed ones."""
    try:
        given = parse_qsl(text, max_num_fields=MOST_PARAMETERS)
    except ValueError as error:
        raise UsageError(
            f"The {place} has more than {MOST_PARAMETERS} {noun}", hint="remove some of them"
        ) from error
    return [(decoded(name), decoded(value)) for name, value in given]


LARGEST_FORM = 256 * 1024
"""Bytes of a form; the text of a query is the largest field."""
