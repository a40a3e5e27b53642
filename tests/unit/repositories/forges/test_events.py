"""Signatures of deliveries: right, wrong, missing, replayed and reordered ones."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recce_meta.repositories.forges.events import TOLERANCE, new_secret
from recce_meta.repositories.forges.registry import first_proven, is_signed
from tests.deliveries import OTHER_SECRET, SECRET, recorded, signature, standard_signature
from tests.support.forge_names import FORGES, Forge

NOW = 1_790_000_000.0
BODY = recorded(Forge.GITLAB, "push").body


def test_the_vector_of_github() -> None:
    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = {"x-hub-signature-256": f"sha256={digest}"}

    assert is_signed(Forge.GITHUB, headers, b"Hello, World!", "It's a Secret to Everybody", now=NOW)
    assert not is_signed(Forge.GITHUB, headers, b"Hello, World", "It's a Secret to Everybody", now=NOW)


def test_the_vector_of_standard_webhooks() -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'

    assert is_signed(Forge.GITLAB, headers, body, secret, now=1_614_265_330)


@pytest.mark.parametrize("forge", FORGES)
def test_a_right_signature_is_accepted_and_every_other_one_refused(forge: Forge) -> None:
    body = recorded(forge, "push").body
    right = signature(forge, body, SECRET)

    assert is_signed(forge, right, body, SECRET, now=NOW)
    assert not is_signed(forge, right, body, OTHER_SECRET, now=NOW)
    assert not is_signed(forge, right, body, None, now=NOW)
    assert not is_signed(forge, {}, body, SECRET, now=NOW)
    assert not is_signed(forge, dict.fromkeys(right, ""), body, SECRET, now=NOW)
    wrong = {name: value[:-1] + ("0" if value[-1] != "0" else "1") for name, value in right.items()}
    assert not is_signed(forge, wrong, body, SECRET, now=NOW)
    if forge is not Forge.GITLAB:  # its token says nothing about the body
        assert not is_signed(forge, right, body + b" ", SECRET, now=NOW)
        upper = {name: value.upper() for name, value in right.items()}
        assert not is_signed(forge, upper, body, SECRET, now=NOW)


def test_the_signature_of_one_forge_does_not_count_for_another() -> None:
    body = recorded(Forge.GITHUB, "push").body
    for forge in FORGES:
        for other in FORGES:
            if forge is not other:
                assert not is_signed(other, signature(forge, body, SECRET), body, SECRET, now=NOW)


def test_the_weaker_signature_of_github_does_not_count() -> None:
    body = recorded(Forge.GITHUB, "push").body
    headers = {"x-hub-signature": signature(Forge.GITHUB, body, SECRET)["x-hub-signature-256"]}

    assert not is_signed(Forge.GITHUB, headers, body, SECRET, now=NOW)


def test_forgejo_signs_as_gitea_does() -> None:
    body = recorded(Forge.GITEA, "push_forgejo").body
    value = signature(Forge.GITEA, body, SECRET)["x-gitea-signature"]

    assert is_signed(Forge.GITEA, {"x-forgejo-signature": value}, body, SECRET, now=NOW)
    assert not is_signed(
        Forge.GITEA, {"x-forgejo-signature": "0", "x-gitea-signature": value}, body, SECRET, now=NOW
    )


@pytest.mark.parametrize(
    ("late", "expected"),
    [(0, True), (TOLERANCE, True), (-TOLERANCE, True), (TOLERANCE + 1, False), (-TOLERANCE - 1, False)],
)
def test_a_standard_signature_is_valid_for_five_minutes(late: float, expected: bool) -> None:
    headers = standard_signature(BODY, NOW)

    assert is_signed(Forge.GITLAB, headers, BODY, SECRET, now=NOW + late) is expected


def test_one_of_several_standard_signatures_suffices_in_any_order() -> None:
    headers = standard_signature(BODY, NOW)
    right, other = headers["webhook-signature"], standard_signature(BODY, NOW, OTHER_SECRET)
    for order in ((right, other["webhook-signature"]), (other["webhook-signature"], "v1a,x", right)):
        sent = headers | {"webhook-signature": " ".join(order)}
        assert is_signed(Forge.GITLAB, sent, BODY, SECRET, now=NOW)
    sent = headers | {"webhook-signature": f"v2{right[2:]} {right[3:]} {right.replace(',', ' ')}"}
    assert not is_signed(Forge.GITLAB, sent, BODY, SECRET, now=NOW)
    many = " ".join(["v1,AAAA"] * 100_000 + [right])
    assert not is_signed(Forge.GITLAB, headers | {"webhook-signature": many}, BODY, SECRET, now=NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-timestamp": f"{NOW + 1:.0f}"},
        {"webhook-timestamp": f"{NOW:.0f}.0"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "9" * 5_000},
        {"webhook-timestamp": "١٧٩٠٠٠٠٠٠٠"},
        {"webhook-signature": ""},
    ],
)
def test_a_changed_header_of_a_standard_signature_is_refused(change: dict[str, str]) -> None:
    headers = standard_signature(BODY, NOW) | change

    assert not is_signed(Forge.GITLAB, headers, BODY, SECRET, now=NOW)


def test_the_token_does_not_replace_a_standard_signature_that_is_too_old() -> None:
    headers = standard_signature(BODY, NOW - 3_600) | signature(Forge.GITLAB, BODY, SECRET)

    assert not is_signed(Forge.GITLAB, headers, BODY, SECRET, now=NOW)


HEADERS = (
    *("x-hub-signature-256", "x-hub-signature", "x-gitlab-token", "webhook-signature"),
    *("webhook-id", "webhook-timestamp", "x-gitea-signature", "x-forgejo-signature"),
)


@given(
    st.sampled_from(FORGES),
    st.dictionaries(st.sampled_from(HEADERS), st.text()),
    st.binary(),
    st.sampled_from([SECRET, "", "whsec_%%%", "x", None]),
)
def test_no_header_makes_the_check_raise(
    forge: Forge, headers: dict[str, str], body: bytes, secret: str | None
) -> None:
    assert isinstance(is_signed(forge, headers, body, secret, now=NOW), bool)


def test_the_first_proven_secret_counts() -> None:
    body = recorded(Forge.GITHUB, "push").body
    headers = signature(Forge.GITHUB, body, SECRET)

    assert first_proven(Forge.GITHUB, headers, body, [OTHER_SECRET, None, SECRET], now=NOW) == 2
    assert first_proven(Forge.GITHUB, headers, body, [OTHER_SECRET, None], now=NOW) is None
    assert first_proven(Forge.GITHUB, headers, body, [], now=NOW) is None


def test_a_new_secret_has_the_form_that_gitlab_requires_and_is_never_the_same() -> None:
    secrets = {new_secret() for _ in range(100)}

    assert len(secrets) == 100
    for secret in secrets:
        headers = standard_signature(BODY, time.time(), secret)
        assert is_signed(Forge.GITLAB, headers, BODY, secret, now=time.time())
