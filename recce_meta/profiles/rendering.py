"""Renderer of Jinja in profiles.yml that follows dbt: `env_var`, `var`, native types, and hidden secrets.

A value with a single expression has the expression's type, and a value with several parts is joined to text.
The filters `as_number`, `as_bool`, `as_native` and `as_text` convert an expression. A secret
(`env_var('DBT_ENV_SECRET…')`) is a placeholder while Jinja runs and is inserted afterwards, so it never
reaches filters or error messages. https://docs.getdbt.com/reference/dbt-jinja-functions/env_var

A profile may also use undocumented functions. In practice only `fromjson` and `fromyaml` matter, for one
variable that holds several fields.
https://docs.getdbt.com/reference/dbt-jinja-functions/profiles-yml-context
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from hashlib import md5
from typing import TYPE_CHECKING, Any

from recce_meta.errors import ProfileError
from recce_meta.lazy import LazyModule
from recce_meta.profiles.yaml_file import BROKEN_VALUE, find_excess
from recce_meta.redaction import is_secret, redact

if TYPE_CHECKING:
    from recce_meta.profiles import bounds
else:
    bounds = LazyModule("recce_meta.profiles.bounds")  # imports Jinja, which most profiles do not need

_OF_TEMPLATES = (
    *(ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError),
)
"""Errors of Python in expressions."""


def fromjson(text: str, default: Any = None) -> Any:
    """Parse JSON as dbt's `fromjson`; return *default* for invalid text."""
    try:
        return json.loads(text)
    except ValueError:
        return default


def tojson(value: Any, default: Any = None, sort_keys: bool = False) -> Any:
    """Write JSON as dbt's `tojson`; return *default* if *value* cannot be written."""
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


def toyaml(value: Any, default: Any = None, sort_keys: bool = False) -> Any:
    """Write YAML as dbt's `toyaml`; return *default* if *value* cannot be written."""
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
    "fromjson": fromjson,
    "fromyaml": _fromyaml,
    "local_md5": lambda text: md5(text.encode("utf-8"), usedforsecurity=False).hexdigest(),
    "tojson": tojson,
    "toyaml": toyaml,
    "zip": _zip,
}


SECRET_PREFIX = "DBT_ENV_SECRET"

# Private-use characters: no filter changes them, and profiles do not contain them.
_PLACEHOLDER = re.compile("\ue0f0(\\d+)\ue0f1")
_JINJA = re.compile(r"\{[{%#]")
_UNSET = object()


class RenderingError(ProfileError):
    """A value that cannot be rendered; `path` is its key path from the root of the file."""

    def __init__(self, message: str, *, path: tuple[str | int, ...] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.path = path


class _Unfit(RenderingError):
    """A value that a filter cannot convert."""

    def __init__(self, name: str, value: str, wanted: str, *, hint: str | None = None) -> None:
        super().__init__(f"{name}: '{value}' is not {wanted}", hint=hint)
        self.without_value = f"{name}: the value is not {wanted}"


class _Number(str):
    """Text to convert to a number."""


class _Bool(str):
    """Text to convert to True or False."""


class _Native(str):
    """Text to parse as a Python literal; it stays text if that fails."""


class _PlainText(str):
    """Text without conversion."""


class _Variables:
    """The function `var`: values of dbt's `--vars` by name."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def __call__(self, name: str, default: object = _UNSET) -> object:
        if name in self._values:
            return self._values[name]
        if default is _UNSET:
            raise RenderingError(f"Variable '{name}' is not set", hint=f"pass --vars '{{{name}: …}}'")
        return default

    def has_var(self, name: str) -> bool:
        """Return True if the variable is set."""
        return name in self._values


class Renderer:
    """Renderer of values of profiles.yml; `secrets` collects the secrets that it inserts."""

    def __init__(self, environment: Mapping[str, str], variables: Mapping[str, object]) -> None:
        self._environment = environment
        self._variables = variables
        self._secrets: list[str] = []
        self._given: list[str] = []
        """Values of the environment variables that the current text has used."""
        self._jinja: bounds.BoundedEnvironment | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values of the secret environment variables that were used."""
        return tuple(secret for secret in self._secrets if secret)

    def render(self, value: object, path: tuple[str | int, ...] = ()) -> object:
        """Return *value* with all text in it rendered, at any depth; keys are unchanged."""
        if isinstance(value, Mapping):
            return {key: self.render(entry, (*path, str(key))) for key, entry in value.items()}
        if isinstance(value, list):
            return [self.render(entry, (*path, number)) for number, entry in enumerate(value)]
        # YAML reads an unquoted date as a date, but the fields of profiles are text.
        if isinstance(value, date):
            return value.isoformat()
        if not isinstance(value, str) or _JINJA.search(value) is None:
            return value
        return self._render_text(value, path)

    def _render_text(self, source: str, path: tuple[str | int, ...]) -> object:
        if not any(isinstance(key, str) and is_secret(key) for key in path):
            return self._render_expression(source, path)
        self._given.clear()
        try:
            return self._render_expression(source, path)
        except RenderingError as error:
            shown = redact(error.message, self._given)
            if isinstance(error.__context__, _Unfit):
                shown = error.__context__.without_value
            elif error.__cause__ is not None:  # a message of Jinja or Python may quote anything
                shown = f"Cannot render the value: {type(error.__cause__).__name__}"
            # The hint may quote a default or another value, too.
            hint = None if error.hint is None else redact(error.hint, self._given)
            raise RenderingError(shown, path=path, hint=hint) from None

    def _render_expression(self, source: str, path: tuple[str | int, ...]) -> object:
        from jinja2 import TemplateError, TemplateSyntaxError

        jinja = self._sandbox()
        jinja.begin()
        try:
            template = jinja.from_string(source)
            context = template.new_context({})
            return self._reveal(jinja.concat(template.root_render_func(context)))
        except TemplateSyntaxError as error:
            # A password may contain characters of Jinja by chance.
            if "password" in path:
                return source
            raise RenderingError(f"Not valid Jinja: {error.message}", path=path) from error
        except RenderingError as error:
            raise RenderingError(error.message, path=path, hint=error.hint) from None
        except TemplateError as error:
            raise RenderingError(
                str(error.message), path=path, hint="use only env_var() and var() in profiles.yml"
            ) from error
        except _OF_TEMPLATES as error:
            raise RenderingError(f"{type(error).__name__}: {error}", path=path) from error

    def _sandbox(self) -> bounds.BoundedEnvironment:
        if self._jinja is None:
            self._jinja = _sandbox({"env_var": self._env_var, "var": _Variables(self._variables)})
        return self._jinja

    def _env_var(self, name: str, default: str | None = None) -> str:
        value = self._environment.get(name)
        if value is None:
            if default is None:
                raise RenderingError(
                    f"Environment variable '{name}' is not set",
                    hint=f"set it, or add a default: env_var('{name}', '…')",
                )
            return default
        if not name.startswith(SECRET_PREFIX):
            self._given.append(value)
            return value
        self._secrets.append(value)
        return f"\ue0f0{len(self._secrets) - 1}\ue0f1"

    def _reveal(self, value: object) -> object:
        if isinstance(value, str):
            return _PLACEHOLDER.sub(lambda match: self._secrets[int(match[1])], value)
        if isinstance(value, list):
            # Functions such as `fromjson` may have put the placeholder into a container.
            return [self._reveal(entry) for entry in value]
        if isinstance(value, Mapping):
            return {key: self._reveal(entry) for key, entry in value.items()}
        return value


CONVERSIONS: Mapping[str, Callable[[str], str]] = {
    "as_number": _Number,
    "as_bool": _Bool,
    "as_native": _Native,
    "as_text": _PlainText,
}
"""Filters of dbt that set the type of a value."""


def _sandbox(functions: Mapping[str, Callable[..., object]]) -> bounds.BoundedEnvironment:
    """Return a sandboxed environment whose templates yield values instead of text."""
    from jinja2 import StrictUndefined
    from jinja2.nativetypes import NativeCodeGenerator

    sandbox = bounds.BoundedEnvironment(undefined=StrictUndefined, extensions=["jinja2.ext.do"])
    sandbox.code_generator_class = NativeCodeGenerator
    sandbox.concat = lambda parts: _combine(map(sandbox.charged, parts))  # type: ignore[assignment, return-value]
    sandbox.filters |= CONVERSIONS
    sandbox.globals.clear()
    sandbox.globals |= {**functions, **FUNCTIONS}
    sandbox.bound(CONVERSIONS)
    return sandbox


def _combine(parts: Iterable[Any]) -> object:
    """Combine a template's parts: none become empty text, one keeps its type, several are joined."""
    values = list(parts)
    if len(values) != 1:
        return "".join(str(value) for value in values)
    value = values[0]
    if isinstance(value, (_Number, _Bool, _Native)):
        return _converted(value)
    return str(value) if _needs_text(value) else value


def _needs_text(value: object) -> bool:
    from jinja2 import Undefined

    return isinstance(value, (_PlainText, Undefined))  # converting an undefined name to text raises its error


def _converted(text: _Number | _Bool | _Native) -> object:
    try:
        value = ast.literal_eval(text)
    except (MemoryError, RecursionError, SyntaxError, TypeError, ValueError):
        value = str(text)
    if isinstance(text, _Number) and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise _Unfit("as_number", text, "a number")
    if isinstance(text, _Bool) and not isinstance(value, bool):
        raise _Unfit("as_bool", text, "a truth value", hint="use as_bool only with True or False")
    return value
