"""Builds of images of dbt with the index and the certificates of a company: secrets, in no argument."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

from recce_meta.repositories.extraction.isolation.base import Settings
from recce_meta.repositories.extraction.isolation.docker import (
    IMAGE_FOLDER,
    Image,
    build_command,
    build_input,
)

INDEX = "https://user:it's-secret@packages.example.com/simple"


def test_without_settings_the_dockerfile_is_that_of_the_package(tmp_path: Path) -> None:
    environ = {"PIP_CONFIG_FILE": "/dev/null", "HOME": str(tmp_path), "PIP_FIND_LINKS": "/srv/wheels"}
    given = build_input(tmp_path, environ | {"SSL_CERT_FILE": str(tmp_path / "missing.pem")})
    assert (given.folder, given.secrets) == (IMAGE_FOLDER, {})
    assert list(tmp_path.iterdir()) == []


def test_index_and_certificates_are_files_that_a_shell_reads(tmp_path: Path) -> None:
    certificates = tmp_path / "company.pem"
    certificates.write_text("certificate")
    environ = {
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": INDEX,
        "PIP_EXTRA_INDEX_URL": "file:///srv/packages https://other.example.com/simple",
        "SSL_CERT_FILE": str(certificates),
        "UV_INDEX_COMPANY_PASSWORD": "also secret",
        "UV_CACHE_DIR": "/var/cache/uv",
        "APP_TOKEN": "canary",
    }

    given = build_input(tmp_path, environ)

    command = build_command(Settings(), Image("1.10", "snowflake"), given)
    assert command[-1] == str(given.folder)
    assert "secret@" not in " ".join(command) and "also secret" not in " ".join(command)
    assert f"id=index,src={given.secrets['index']}" in command
    assert f"id=certificates,src={certificates}" in command
    assert given.folder not in given.secrets["index"].parents, "the engine gets the whole folder"
    assert stat.S_IMODE(given.secrets["index"].stat().st_mode) == 0o600
    script = f". {given.secrets['index']} && env"
    read = subprocess.run(["/bin/sh", "-c", script], env={}, capture_output=True, text=True, check=True)
    found = dict(line.split("=", 1) for line in read.stdout.splitlines())
    assert {name: value for name, value in found.items() if name != "PWD"} == {
        "UV_DEFAULT_INDEX": INDEX,
        "PIP_INDEX_URL": INDEX,
        "UV_EXTRA_INDEX_URL": "https://other.example.com/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_INDEX_COMPANY_PASSWORD": "also secret",
        "SSL_CERT_FILE": "/run/secrets/certificates",
        "PIP_CERT": "/run/secrets/certificates",
    }
    text = (given.folder / "Dockerfile").read_text()
    assert text.count("--mount=type=secret,id=index") == 1
    assert ". /run/secrets/index && pip install" in text
