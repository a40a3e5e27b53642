"""What each block of profiles.example.yml connects with, and says first; reviewed in `expected.yml`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from recce_meta.profiles import load_profile
from recce_meta.warehouses import Fields, warehouse_named

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[2] / "profiles.example.yml"


def test_what_the_example_connects_with(check_golden: Callable[[Path, str], None], tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    environment = {name: name.lower() for name in re.findall(r"env_var\('(\w+)'\)", text)}
    found = {
        target: planned(target, environment, tmp_path)
        for target in yaml.safe_load(text)["jaffle_shop"]["outputs"]
    }

    check_golden(HERE / "expected.yml", yaml.safe_dump(found, sort_keys=True, width=110))


def planned(target: str, environment: Mapping[str, str], folder: Path) -> dict[str, Any]:
    profile = load_profile(EXAMPLE, "jaffle_shop", target, environment=environment, directory=folder)
    warehouse = warehouse_named(profile.type)
    plan = warehouse.plan(Fields(profile.fields, aliases=warehouse.aliases))
    url = plan.url
    return {
        "url": [url.scheme, url.username, url.host, url.port, url.database, dict(url.query)],
        "place": [plan.database, plan.schema],
        "connect_args": msgspec.to_builtins(dict(plan.connect_args), enc_hook=vars),
        "engine_args": dict(plan.engine_args),
        "statements": list(plan.statements),
        "secrets": list(plan.secrets),
    }
