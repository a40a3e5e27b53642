"""The files of `examples/deploy`: valid for their programs, and their commands are ours."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from recce_meta.cli.main import cli

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "deploy"
MANIFESTS = sorted((FOLDER / "kubernetes").glob("*.yaml"))
UNITS = sorted((FOLDER / "systemd").glob("*.service"))
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
GUIDE = (ROOT / "docs" / "guides" / "deploy.md").read_text(encoding="utf-8")


def objects(file: Path) -> list[dict[str, Any]]:
    """Return the objects of a manifest."""
    return list(yaml.safe_load_all(file.read_text(encoding="utf-8")))


def containers() -> Iterator[dict[str, Any]]:
    """Yield the containers of all manifests."""
    for file in MANIFESTS:
        for one in objects(file):
            if one["kind"] in ("Deployment", "StatefulSet"):
                yield from one["spec"]["template"]["spec"]["containers"]


def commands() -> Iterator[list[str]]:
    """Yield the arguments of each command in the files."""
    for service in COMPOSE["services"].values():
        if "command" in service:
            yield service["command"]
    yield from (one["args"] for one in containers())
    for unit in UNITS:
        (line,) = re.findall(r"^ExecStart=(.+)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
        yield shlex.split(line)[1:]


def parsed(arguments: list[str]) -> dict[str, Any]:
    """Return the options of a command line; an option that does not exist is an error."""
    command = cli.get_command(click.Context(cli), arguments[0])
    assert command is not None
    # The format of the log would change the output of this process.
    options = [one for one in arguments[1:] if one not in ("--log-format", "json")]
    return command.make_context(arguments[0], options).params


@pytest.mark.drivers("kubernetes_validate")
@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.name)
def test_manifests_follow_the_schemas_of_kubernetes(file: Path) -> None:
    import kubernetes_validate

    for one in objects(file):
        kubernetes_validate.validate(one, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.drivers("kubernetes_validate")
def test_a_wrong_manifest_would_be_found() -> None:
    import kubernetes_validate

    (deployment,) = [
        one for one in objects(FOLDER / "kubernetes" / "server.yaml") if one["kind"] == "Deployment"
    ]
    deployment["spec"]["template"]["spec"]["hostUser"] = False
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, kubernetes_validate.latest_version(), strict=True)


def test_commands_have_options_that_exist() -> None:
    found = [parsed(arguments) for arguments in commands()]
    assert len(found) == 6
    assert [one["web_only"] for one in found if "web_only" in one] == [True] * 3


def test_servers_and_workers_have_limits_of_memory_and_processors() -> None:
    """Those of the compose file, of Kubernetes and of systemd are alike."""
    found = {
        name: {(one["cpus"], one["mem_limit"].removesuffix("g"))}
        for name in ("server", "worker")
        for one in [COMPOSE["services"][name]]
    }
    for one in containers():
        limits = one["resources"]["limits"]
        found[one["name"]].add((int(limits["cpu"]), limits["memory"].removesuffix("Gi")))
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        (share,) = re.findall(r"^CPUQuota=(\d+)%$", text, re.MULTILINE)
        (memory,) = re.findall(r"^MemoryMax=(\d+)G$", text, re.MULTILINE)
        found[unit.stem.removeprefix("recce-meta-")].add((int(share) // 100, memory))
    assert found == {"server": {(1, "6")}, "worker": {(2, "6")}}


def test_probes_and_ports_are_those_of_the_commands() -> None:
    for one in containers():
        ports = {port["name"]: port["containerPort"] for port in one["ports"]}
        options = parsed(one["args"])
        assert ports == ({"http": options["port"]} if "port" in options else {"metrics": 9100})
        paths = {one[name]["httpGet"]["path"] for name in one if name.endswith("Probe")}
        assert paths == ({"/healthz", "/readyz"} if "port" in options else {"/metrics"})


def test_nothing_runs_as_root_or_writes_to_its_image() -> None:
    for one in containers():
        context = one["securityContext"]
        assert context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"]
        assert context["capabilities"] == {"drop": ["ALL"]}
    for name in ("server", "worker"):
        service = COMPOSE["services"][name]
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
    dockerfile = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^USER (.+)$", dockerfile, re.MULTILINE) == ["10001:10001"]
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE):
        assert [name for name in sources.split() if not (ROOT / name).exists()] == []


def test_the_guide_sets_each_variable_of_compose() -> None:
    text = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(re.findall(r"^([A-Z_]+)=", GUIDE, re.MULTILINE))
