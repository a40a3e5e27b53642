"""Which columns are private by their names, and what is said of errors."""

from __future__ import annotations

import pytest

from recce_meta.errors import MissingRelation, QueryTimeout, UsageError, WarehouseError
from recce_meta.quality.privacy import (
    Privacy,
    failure_reason,
    is_private_name,
    read_patterns,
    unused_patterns,
)

PRIVATE = """
    email EMAIL e_mail eMail customer_email emailAddress user_emails mail_address contactEMail email2 "e-mail"
    phone phone_number phoneNumber homePhone PHONE_1 telephone mobile mobile_no
    token access_token accessToken refreshTokens tokenHash api_token_2 x.token
    password user_password passwordHash passwd pwd secret client_secret SECRETS
    api_key apiKey APIKey apikey x_api_key API-Key
    ssn SSN social_security socialSecurityNumber iban customerIBAN card_number cardNumber credit_card_no cvv
    address billing_address addressLine1 ADDR street ip ip_address ipAddress clientIP birth birth_date
    birthdate dateOfBirth birthday dob
"""
PLAIN = """
    tokenizer_version description shipping zip ship_date zipper name phoneme telephony_kind_id
    immobile secretary cardinality embirth addressable addressed pinned spinner mailing_list company recipient
    credit_card_amount clip tipped ribanese id status order_count emailed emails_not e mail_id
""".replace("emails_not", "")


def test_names_of_private_columns_are_known() -> None:
    names = [name.strip('"') for name in PRIVATE.split()]
    assert names and [name for name in names if not is_private_name(name)] == []


def test_other_names_are_not_caught_by_accident() -> None:
    names = PLAIN.split()
    assert names and [name for name in names if is_private_name(name)] == []


def test_patterns_are_the_users_to_choose() -> None:
    privacy = Privacy(patterns=("last name", "note*", "token", "!token count"))

    withheld = [name for name in ("lastName", "LASTNAME", "notebook", "key_note") if privacy.withholds(name)]
    assert withheld == ["lastName", "LASTNAME", "notebook", "key_note"]
    assert privacy.withholds("token_hash") and not privacy.withholds("token_counts")
    assert not privacy.withholds("email") and not privacy.withholds("name")
    assert not Privacy(patterns=("", " _ ")).withholds("anything")


def test_patterns_may_be_listed_with_commas_and_none_is_nothing() -> None:
    assert read_patterns(["zip, notes", "!token count"]) == ("zip", "notes", "!token count")
    assert unused_patterns(("zip", "surnmae", "!token count"), ["home_zip", "surname"]) == ["surnmae"]
    for text in ("", "(", "zip,", "!"):
        with pytest.raises(UsageError, match="Pattern of private columns invalid"):
            read_patterns([text])


def test_what_is_said_of_a_column_goes_before_its_name() -> None:
    chosen = {"Email": False, "name": True}

    assert not Privacy().withholds("email", chosen)
    assert Privacy().withholds("NAME", chosen)
    assert Privacy().withholds("phone", chosen)
    assert Privacy(keeps_values=False).withholds("email", chosen)


def test_errors_that_may_quote_a_value_are_told_by_their_code() -> None:
    quoting = WarehouseError("Could not convert 'ann@example.com'\nLINE 1: …", code="22P02")

    assert failure_reason(quoting, is_withheld=False) == "Could not convert 'ann@example.com'"
    assert failure_reason(quoting, is_withheld=True).startswith("the query failed (22P02);")
    assert "ann" not in failure_reason(quoting, is_withheld=True)
    for safe in (MissingRelation("no table x"), QueryTimeout("too slow")):
        assert failure_reason(safe, is_withheld=True) == safe.message
