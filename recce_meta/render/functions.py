"""Implementations of dbt's functions that need neither a node nor a database.

https://docs.getdbt.com/reference/dbt-jinja-functions
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from hashlib import md5
from typing import Any

from jinja2.utils import Joiner
from jinja2.utils import Namespace as JinjaNamespace

from recce_meta.errors import TemplateError
from recce_meta.profiles.rendering import fromjson, tojson, toyaml
from recce_meta.profiles.yaml_file import BROKEN_VALUE, find_excess
from recce_meta.render.limits import bounded_range, re_module
from recce_meta.render.sandbox import Returned

_MOST_YAML = 20_000
_DEEPEST_YAML = 100
"""The parser's time grows with the square of the bracket depth."""
_MOST_COMBINED = 100_000


def _return(data: Any = None) -> Any:
    raise Returned(data)


def _fromyaml(text: str, default: Any = None) -> Any:
    import yaml

    # The parser runs outside of the budget, so the text must be known to be cheap.
    if len(text) > _MOST_YAML or "<<" in text or _depth(text) > _DEEPEST_YAML:
        raise TemplateError(
            "fromyaml() accepts only short text without merges (<<) and deep brackets", name="fromyaml"
        )
    # PyYAML may be installed without libyaml, its fast parser.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        # Aliases multiply a text, and deep nesting crashes libyaml's C stack.
        excess = find_excess(yaml.parse(text, Loader=loader))
        if excess is None:
            return yaml.load(text, Loader=loader)
    except (*BROKEN_VALUE, yaml.YAMLError):
        return default
    raise TemplateError(f"the text for fromyaml() {excess.problem}", hint=excess.hint, name="fromyaml")


def _depth(text: str) -> int:
    """Return the maximum bracket depth of *text*."""
    steps = (1 if sign in "[{" else -1 for sign in text if sign in "[]{}")
    return max(itertools.accumulate(steps), default=0)


def _set(values: Iterable[Any], default: Any = None) -> Any:
    try:
        return set(values)
    except TypeError:
        return default


def _zip(*values: Iterable[Any], default: Any = None) -> Any:
    try:
        return _zip_strict(*values)
    except TypeError:
        return default


def _zip_strict(*values: Iterable[Any]) -> list[tuple[Any, ...]]:
    return _bounded("zip", zip(*values, strict=False))


def _diff_of_two_dicts(
    first: Mapping[str, list[str]], second: Mapping[str, list[str]]
) -> dict[str, list[str]]:
    known = {key.casefold(): [value.casefold() for value in entries] for key, entries in second.items()}
    left = {
        key: [value for value in values if value.casefold() not in known.get(key.casefold(), ())]
        for key, values in first.items()
    }
    return {key: values for key, values in left.items() if values or key.casefold() not in known}


def _log(msg: Any = "", info: bool = False) -> str:
    return ""


def _local_md5(value: str) -> str:
    # Without the flag, a Python in FIPS mode refuses MD5.
    return md5(value.encode("utf-8"), usedforsecurity=False).hexdigest()


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "return": _return,
    "fromjson": fromjson,
    "tojson": tojson,
    "fromyaml": _fromyaml,
    "toyaml": toyaml,
    "set": _set,
    "set_strict": lambda values: set(values),
    "zip": _zip,
    "zip_strict": _zip_strict,
    # dbt writes these into its log, and nothing into the SQL.
    "log": _log,
    "print": _log,
    "debug": _log,
    "diff_of_two_dicts": _diff_of_two_dicts,
    "local_md5": _local_md5,
    "range": bounded_range,
    "dict": lambda *args, **kwargs: dict(*args, **kwargs),
    "namespace": JinjaNamespace,
    "joiner": Joiner,
}


def modules() -> dict[str, Any]:
    """Return `modules`: the safe parts of Python's datetime, re and itertools, and of pytz."""
    return {
        "datetime": {
            "date": date,
            "datetime": datetime,
            "time": time,
            "timedelta": timedelta,
            "timezone": timezone,
            "tzinfo": tzinfo,
        },
        "re": re_module(),
        "itertools": {name: _listed(name) for name in _ITERTOOLS},
        "pytz": _pytz(),
    }


# Only functions that end, unlike `count` and `cycle`.
_ITERTOOLS = ("chain", "islice", "product", "permutations", "combinations", "zip_longest", "starmap")


def _listed(name: str) -> Callable[..., list[Any]]:
    """Return a function of itertools that returns a list of bounded length."""
    function: Callable[..., Iterable[Any]] = getattr(itertools, name)

    def call(*args: Any, **kwargs: Any) -> list[Any]:
        return _bounded(f"itertools.{name}", function(*args, **kwargs))

    return call


def _bounded(name: str, values: Iterable[Any]) -> list[Any]:
    """Return *values* as a list; raise TemplateError if *name* produces too many, including nested ones."""
    found: list[Any] = []
    size = 0
    for value in values:
        # `product` and `permutations` yield tuples that may be long themselves.
        size += len(value) if isinstance(value, tuple) else 1
        if size > _MOST_COMBINED:
            raise TemplateError(f"{name}() of more than {_MOST_COMBINED:,} values", name=name.split(".")[-1])
        found.append(value)
    return found


def _pytz() -> dict[str, Any]:
    def zone(name: str) -> tzinfo:
        import pytz

        try:
            found: tzinfo = pytz.timezone(name)
        except pytz.UnknownTimeZoneError:
            raise TemplateError(f"Unknown time zone '{name}'", name=name) from None
        return found

    return {"timezone": zone, "utc": timezone.utc, "UTC": timezone.utc}
