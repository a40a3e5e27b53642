"""Record dbt's results for the templates and profiles in tests/data/profiles/cases.yml.

    python scripts/build_profile_answers.py
needs dbt-core 1.11 (or 1.12, which also reads `.env`), dbt-duckdb and dbt-postgres in the interpreter's
environment. Writes `answers.json` next to the cases: the value or error name of each template, and the result
of each selection.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import yaml
from dbt.cli.flags import Flags
from dbt.cli.main import cli
from dbt.config.profile import Profile
from dbt.config.renderer import ProfileRenderer
from dbt.config.runtime import load_profile
from dbt.flags import set_flags
from dbt.version import __version__
from dbt_common.context import set_invocation_context

DATA = Path(__file__).parents[1] / "tests" / "data" / "profiles"


def main() -> None:
    """Evaluate every case, and write the answers."""
    cases = yaml.safe_load((DATA / "cases.yml").read_text(encoding="utf-8"))
    release = ".".join(__version__.split(".")[:2])
    selections = [case for case in cases["selections"] if case.get("since", release) <= release]
    answers = {
        "dbt": __version__,
        "templates": [answer_to_template(case, cases) for case in cases["templates"]],
        "selections": {case["name"]: answer_to_selection(case, cases["files"]) for case in selections},
    }
    text = json.dumps(answers, indent=1, ensure_ascii=False)
    (DATA / "answers.json").write_text(text + "\n", encoding="utf-8")
    print(f"{len(answers['templates'])} templates, {len(selections)} selections, dbt {__version__}")


def answer_to_template(case: Any, cases: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value with its type, or the error."""
    template, path = case, ()
    if isinstance(case, dict):
        template, path = case["template"], tuple(case.get("path", ()))
    shown = template.isoformat() if isinstance(template, date) else template
    with environment(cases["environment"]):
        renderer = ProfileRenderer(dict(cases["vars"]))
        try:
            value = renderer.render_data(nested(template, path))
            for key in path:
                value = value[key]
            json.dumps(value)
        except Exception as error:  # noqa: BLE001 - whatever dbt raises is its answer
            return {"template": shown, "path": path, "error": type(error).__name__}
    return {"template": shown, "path": path, "value": value}


def nested(value: Any, path: tuple[str, ...]) -> Any:
    """Return the item of *value* at *path*."""
    for key in reversed(path):
        value = {key: value}
    return value


def answer_to_selection(case: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, Any]:
    """Return dbt's connection if it is called in that place with those arguments."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve()
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        known = {"HOME": str(folder / "home"), **case.get("environment", {})}
        before = Path.cwd()
        os.chdir(folder / case.get("directory", "."))
        try:
            with environment(known):
                return chosen(case.get("arguments", []))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever dbt raises is its answer
            return {"error": type(error).__name__}
        finally:
            os.chdir(before)


def chosen(arguments: list[str]) -> dict[str, Any]:
    """Return the profile, target, type, threads and rendered fields."""
    rendered: dict[str, Any] = {}

    def credentials(data: dict[str, Any], *names: str) -> Any:
        rendered.update(data)
        return original(data, *names)

    original = Profile._credentials_from_profile
    load_dotenv()
    set_invocation_context(dict(os.environ))
    parent = cli.make_context("dbt", ["parse", *arguments])
    context = cli.commands["parse"].make_context("parse", list(arguments), parent=parent)
    flags = Flags(context)
    set_flags(flags)
    with patch.object(Profile, "_credentials_from_profile", staticmethod(credentials)):
        profile = load_profile(str(flags.PROJECT_DIR), flags.VARS, flags.PROFILE, flags.TARGET, flags.THREADS)
    kind = rendered.pop("type")
    return {
        "profile": profile.profile_name,
        "target": profile.target_name,
        "type": kind,
        "threads": profile.threads,
        "fields": rendered,
    }


def load_dotenv() -> None:
    """Load `.env`, as dbt's command does first since 1.12."""
    if "load_dotenv" in vars(sys.modules["dbt.cli.main"]):
        from dotenv import find_dotenv
        from dotenv import load_dotenv as load

        load(find_dotenv(usecwd=True), override=False)


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set the environment to *values* and Python's own needs in the block."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    with patch.dict(os.environ, {**kept, **values}, clear=True):
        set_invocation_context(dict(os.environ))
        yield


if __name__ == "__main__":
    main()
