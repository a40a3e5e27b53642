"""The functions of dbt's that a profile may use beside `env_var` and `var`, which alone are documented.

They are of no use to connect, but for `fromjson` and `fromyaml` of one variable that holds several fields.
https://docs.getdbt.com/reference/dbt-jinja-functions/profiles-yml-context
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from hashlib import md5
from typing import Any

from recce_meta.profiles.yaml_file import BROKEN_VALUE, find_excess


def _fromjson(text: str, default: Any = None) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return default


def _tojson(value: Any, default: Any = None, sort_keys: bool = False) -> Any:
    try:
        return json.dumps(value, sort_keys=sort_keys)
    except ValueError:
        return default


def _fromyaml(text: str, default: Any = None) -> Any:
    import yaml

    try:
        excess = find_excess(yaml.parse(text, Loader=yaml.SafeLoader))
        if excess is None:
            return yaml.safe_load(text)
    except (*BROKEN_VALUE, yaml.YAMLError):
        return default
    raise ValueError(f"the text for fromyaml() {excess.problem}")


def _toyaml(value: Any, default: Any = None, sort_keys: bool = False) -> Any:
    import yaml

    try:
        return yaml.safe_dump(value, sort_keys=sort_keys)
    except (ValueError, yaml.YAMLError):
        return default


def _zip(*values: Iterable[Any], default: Any = None) -> Any:
    try:
        return zip(*values, strict=False)
    except TypeError:
        return default


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "fromjson": _fromjson,
    "fromyaml": _fromyaml,
    "local_md5": lambda text: md5(text.encode("utf-8"), usedforsecurity=False).hexdigest(),
    "tojson": _tojson,
    "toyaml": _toyaml,
    "zip": _zip,
}
