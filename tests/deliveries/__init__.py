"""Deliveries as the forges document them, and their signatures.

Each file has headers and body of one delivery. Signatures are computed by openssl, so that no code of ours is
compared with itself.
"""

from __future__ import annotations

import base64
import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.forge_names import Forge

FOLDER = Path(__file__).parent
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"fedcba9876543210fedcba9876543210").decode()
BEFORE, AFTER = "6113728f27ae82c7b1a177c8d03f9e96e0adf246", "59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5"
REPOSITORY_IDS = {
    Forge.GITHUB: "186853002",
    Forge.GITLAB: "15",
    Forge.BITBUCKET: "{673a6070-3421-46c9-9d48-90745f7bfe8e}",
    Forge.GITEA: "140",
}
HOSTS = {
    Forge.GITHUB: "github.com",
    Forge.GITLAB: "gitlab.com",
    Forge.BITBUCKET: "bitbucket.org",
    Forge.GITEA: "gitea.com",
}


class Recorded(NamedTuple):
    """A recorded delivery without its signature."""

    forge: Forge
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    def signed(self, secret: str = SECRET) -> dict[str, str]:
        """Return the headers with the signature of the forge."""
        return self.headers | signature(self.forge, self.body, secret)

    def changed(self, **fields: Any) -> Recorded:
        """Return the delivery with other fields in its body."""
        return self._replace(body=json.dumps({**json.loads(self.body), **fields}).encode())


def recorded(forge: Forge, name: str) -> Recorded:
    """Return the delivery in the file *name* of *forge*."""
    found = json.loads((FOLDER / forge.value / f"{name}.json").read_text(encoding="utf-8"))
    headers = {key.lower(): value for key, value in found["headers"].items()}
    # Compact, and with characters that are not ASCII, as the forges send it.
    body = json.dumps(found["body"], ensure_ascii=False, separators=(",", ":")).encode()
    return Recorded(forge, headers, body)


def all_recorded() -> list[tuple[Forge, str]]:
    """Return the forge and the name of each recorded delivery."""
    return [(Forge(file.parent.name), file.stem) for file in sorted(FOLDER.glob("*/*.json"))]


def signature(forge: Forge, body: bytes, secret: str) -> dict[str, str]:
    """Return the header with which *forge* signs *body*."""
    if forge is Forge.GITLAB:
        return {"x-gitlab-token": secret}
    digest = openssl(secret.encode(), body).hex()
    name, prefix = {
        Forge.GITHUB: ("x-hub-signature-256", "sha256="),
        Forge.BITBUCKET: ("x-hub-signature", "sha256="),
        Forge.GITEA: ("x-gitea-signature", ""),
    }[forge]
    return {name: prefix + digest}


def standard_signature(
    body: bytes, at: float, secret: str = SECRET, sent_id: str = "msg_1"
) -> dict[str, str]:
    """Return the headers of Standard Webhooks, which newer versions of GitLab send."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = openssl(key, f"{sent_id}.{at:.0f}.".encode() + body)
    signed = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": sent_id, "webhook-timestamp": f"{at:.0f}", "webhook-signature": signed}


@cache
def openssl(key: bytes, data: bytes) -> bytes:
    """Return the HMAC-SHA256 that openssl computes."""
    command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}", "-binary"]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout
