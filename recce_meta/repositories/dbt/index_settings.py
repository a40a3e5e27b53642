"""Settings of the package index for uv, from those of pip, because uv does not read pip's."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from configparser import ConfigParser, Error
from pathlib import Path

_SECTIONS = ("global", "install")
_NAMES = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_EXTRA_INDEX_URL", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "proxy": ("ALL_PROXY", " "),
}
"""uv's variable of each of pip's options, and what separates several values in it."""
_PASSED_ON = frozenset(
    ["PATH", "HOME", "TMPDIR", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR", "NETRC"]
    + [f"{kind}_PROXY" for kind in ("HTTP", "HTTPS", "ALL", "NO")]
    + [f"{kind}_proxy" for kind in ("http", "https", "all", "no")]
    + ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "LD_LIBRARY_PATH", "SYSTEMROOT"]
)


def uv_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the complete environment for uv: its own settings in *environ*, else those of pip.

    pip takes the best version of all its indexes, and uv of the first that has the package. uv gets pip's
    rule if the further indexes are pip's.
    """
    kept = {name: value for name, value in environ.items() if name in _PASSED_ON or name.startswith("UV_")}
    options = _pip_options(environ)
    for option, (name, separator) in _NAMES.items():
        values = options.get(option, "").split()
        if not values or name in kept or (option == "index-url" and "UV_INDEX_URL" in kept):
            continue
        kept[name] = separator.join(values)
        if option == "extra-index-url":
            kept.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return kept


def uv_index_options(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return options for `uv pip install` that have no variable: pip's `no-index`."""
    is_set = _pip_options(environ).get("no-index", "").lower() in ("1", "true", "yes", "on")
    return ("--no-index",) if is_set else ()


def _pip_options(environ: Mapping[str, str]) -> dict[str, str]:
    """Return pip's options from its files, and from its variables, which win."""
    options: dict[str, str] = {}
    for path in _pip_files(environ):
        parser = ConfigParser(interpolation=None)
        try:
            parser.read_string(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, Error):
            continue
        for section in _SECTIONS:
            if parser.has_section(section):
                options |= {key.replace("_", "-"): value for key, value in parser.items(section)}
    prefix = "PIP_"
    for name, value in environ.items():
        if name.startswith(prefix):
            options[name.removeprefix(prefix).lower().replace("_", "-")] = value
    # pip has one option with two names: PIP_DEFAULT_TIMEOUT is the documented variable.
    options.setdefault("timeout", options.get("default-timeout", ""))
    return options


def _pip_files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield pip's configuration files; later ones win. https://pip.pypa.io/en/stable/topics/configuration/"""
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return
    for folder in reversed(environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")):
        yield Path(folder, "pip", "pip.conf")
    yield Path("/etc/pip.conf")
    if home := environ.get("HOME"):
        yield Path(home, ".pip", "pip.conf")
        yield Path(environ.get("XDG_CONFIG_HOME") or Path(home, ".config"), "pip", "pip.conf")
    yield Path(sys.prefix, "pip.conf")
    if named:
        yield Path(named)
