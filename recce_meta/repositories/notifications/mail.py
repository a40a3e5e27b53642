"""Notifications by mail, through the SMTP server of the service's environment.

`RECCE_META_SMTP_URL` is `smtp://USER:PASSWORD@HOST:587`, whose connection is encrypted by STARTTLS unless the
host is this machine, or `smtps://USER:PASSWORD@HOST:465`. `RECCE_META_SMTP_FROM` is the sender.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from urllib.parse import unquote, urlsplit

from jinja2 import Environment
from msgspec import Struct

from recce_meta.errors import ConfigurationError, first_line, shorten
from recce_meta.repositories.notifications.messages import LINK, Notification, NotificationFailed

SMTP_URL = "RECCE_META_SMTP_URL"
SMTP_FROM = "RECCE_META_SMTP_FROM"
SMTP_SECONDS = 20.0
"""Time for each answer of the server."""
_PORTS = {"smtp": 587, "smtps": 465}
_MAILBOX = re.compile(r"[A-Za-z0-9_.+-]{1,64}@(?P<domain>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)")
_HINT = f"set {SMTP_URL} of the workers to smtp://USER:PASSWORD@HOST:PORT or smtps://…, percent-encoded"
_HTML = """\
<!doctype html>
<html><body>
<h2>{{ notification.title }}</h2>
<div style="white-space: pre-wrap">{{ notification.text }}</div>
{% if notification.url %}<p><a href="{{ notification.url }}">{{ link }}</a></p>
{% endif %}<p>{{ notification.source }}</p>
</body></html>
"""


class MailServer(Struct, frozen=True, kw_only=True):
    """SMTP server and sender; the repr omits the password."""

    host: str
    port: int
    is_tls: bool
    """Whether the connection is encrypted from its beginning."""
    user: str
    password: str
    sender: Address
    authorities: str | None
    """File of further certificate authorities."""

    def __repr__(self) -> str:
        return f"MailServer({self.host!r}, {self.port})"

    @property
    def is_local(self) -> bool:
        """Return True if the server is this machine, so that no network carries the mail to it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> MailServer:
        """Return the server that the environment names.

        Raises ConfigurationError, without the value of a variable, if one is missing or invalid.
        """
        given, sender = environ.get(SMTP_URL, "").strip(), environ.get(SMTP_FROM, "").strip()
        for name, value in ((SMTP_URL, given), (SMTP_FROM, sender)):
            if not value:
                raise ConfigurationError(f"No mail can be sent: {name} is not set", hint=f"set {name}")
        name, mailbox = parseaddr(sender)
        found = _MAILBOX.fullmatch(mailbox)
        if found is None or not sender.isprintable():
            raise ConfigurationError(
                f"{SMTP_FROM} is not a mail address", hint="use USER@HOST or NAME <USER@HOST>"
            )
        try:
            parts = urlsplit(given)
            port = parts.port or _PORTS[parts.scheme]
        except (ValueError, KeyError):
            raise ConfigurationError(f"{SMTP_URL} is invalid", hint=_HINT) from None
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        is_plain = given.isascii() and given.isprintable() and " " not in given
        is_other = parts.path not in ("", "/") or parts.query or parts.fragment
        # A null byte would separate the parts of a login, and a line break would end its line.
        is_wrong = bool(user) != bool(password) or not (user + password).isprintable()
        if not parts.hostname or not is_plain or is_other or is_wrong:
            raise ConfigurationError(f"{SMTP_URL} is invalid", hint=_HINT)
        return cls(
            host=parts.hostname,
            port=port,
            is_tls=parts.scheme == "smtps",
            user=user,
            password=password,
            sender=Address(display_name=name, addr_spec=mailbox),
            authorities=environ.get("GIT_SSL_CAINFO") or None,
        )


def build_mail(notification: Notification, *, sender: Address, recipient: str, salt: str) -> EmailMessage:
    """Return the mail to *recipient*, as plain text and as HTML.

    Its Message-ID depends on the event, the recipient and *salt*: mail programs show a repeated mail once.
    """
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    # No part has a line break: `read_notification` has removed them, and a recipient cannot have one.
    mail["From"] = sender
    mail["To"] = Address(addr_spec=recipient)
    mail["Subject"] = f"[recce_meta] {notification.title}"
    mail["Date"] = format_datetime(notification.at)
    identity = "\0".join((salt, notification.id, recipient))
    mail["Message-ID"] = f"<recce-meta.{hashlib.sha256(identity.encode()).hexdigest()[:40]}@{sender.domain}>"
    # Programs that are away on holiday do not answer it: RFC 3834, and Exchange's own header.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    paragraphs = (notification.title, notification.text, notification.url, f"-- \n{notification.source}")
    mail.set_content("\n\n".join(filter(None, paragraphs)) + "\n")
    html = Environment(autoescape=True).from_string(_HTML).render(notification=notification, link=LINK)
    mail.add_alternative(html, subtype="html")
    return mail


def mail_recipient(mailbox: str) -> str:
    """Return *mailbox* with its domain in ASCII.

    >>> mail_recipient("data@bücher.example")
    'data@xn--bcher-kva.example'

    Raises NotificationFailed if it has no spelling in ASCII.
    """
    user, _, domain = mailbox.rpartition("@")
    try:
        recipient = f"{user}@{domain.encode('idna').decode()}"
    except UnicodeError:
        recipient = ""
    if not _MAILBOX.fullmatch(recipient):
        raise NotificationFailed("the address is not supported", hint="use one of ASCII characters")
    return recipient


def send_mail(
    server: MailServer, mail: EmailMessage, *, scrub: Callable[[str], str], seconds: float = SMTP_SECONDS
) -> None:
    """Send *mail*; *scrub* removes secrets from the answers of the server.

    Raises NotificationFailed if the server cannot be reached, or refuses the mail.
    """
    with _failures(server, scrub):
        client = _connected(server, seconds)
        try:
            client.send_message(mail)
        finally:
            # The mail is accepted or refused already: a failure now must not send it again.
            with suppress(smtplib.SMTPException, OSError):
                client.quit()
            client.close()


def _connected(server: MailServer, seconds: float) -> smtplib.SMTP:
    """Return a connection that is encrypted, and logged in if the server has a user."""
    context = ssl.create_default_context()
    if server.authorities is not None:
        context.load_verify_locations(server.authorities)
    name = _own_name()
    if server.is_tls:
        client: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, name, timeout=seconds, context=context
        )
    else:
        client = smtplib.SMTP(server.host, server.port, name, timeout=seconds)
    try:
        # Servers on this machine often have a certificate that nothing trusts.
        if not server.is_tls and not server.is_local:
            client.starttls(context=context)
        if server.user:
            client.login(server.user, server.password)
    except (smtplib.SMTPException, OSError):
        client.close()
        raise
    return client


def _own_name() -> str:
    """Return the name that the client gives to the server; no name server is asked, which takes long."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


@contextmanager
def _failures(server: MailServer, scrub: Callable[[str], str]) -> Iterator[None]:
    """Raise NotificationFailed in place of the errors of smtplib."""
    where = f"the mail server {server.host}"
    try:
        yield
    except smtplib.SMTPNotSupportedError:
        raise NotificationFailed(
            f"{where} does not offer STARTTLS, or a login that is supported",
            hint=f"use smtps:// in {SMTP_URL} if the server has a port for it",
        ) from None
    except smtplib.SMTPRecipientsRefused as error:
        code, answer = next(iter(error.recipients.values()))
        raise _refused(f"{where} refuses the recipient", code, answer, scrub) from None
    except smtplib.SMTPAuthenticationError as error:
        raise _refused(
            f"{where} refuses the login", error.smtp_code, error.smtp_error, scrub, hint=_HINT
        ) from None
    except smtplib.SMTPSenderRefused as error:
        hint = f"set {SMTP_FROM} to an address that the server accepts from this login"
        raise _refused(
            f"{where} refuses the sender", error.smtp_code, error.smtp_error, scrub, hint=hint
        ) from None
    except smtplib.SMTPResponseException as error:
        raise _refused(f"{where} refuses the mail", error.smtp_code, error.smtp_error, scrub) from None
    except ssl.SSLCertVerificationError:
        raise NotificationFailed(
            f"the certificate of {where} is not accepted",
            hint="set GIT_SSL_CAINFO of the workers to the file of your certificate authority",
        ) from None
    except (smtplib.SMTPException, OSError) as error:
        reason = "no answer in time" if isinstance(error, TimeoutError) else scrub(first_line(error))
        raise NotificationFailed(
            f"{where} cannot be reached: {shorten(reason, 200) or type(error).__name__}",
            hint="check the network of the workers; the next attempt may succeed",
            can_retry=True,
        ) from None


def _refused(
    what: str, code: int, answer: bytes | str, scrub: Callable[[str], str], *, hint: str | None = None
) -> NotificationFailed:
    """Return the failure for an answer of the server: 4yz is temporary, 5yz is not."""
    text = answer if isinstance(answer, str) else answer.decode(errors="replace")
    return NotificationFailed(
        f"{what}: {code} {shorten(scrub(first_line(text)), 200)}",
        hint=hint or "see the answer of the server",
        can_retry=not 500 <= code < 600,
    )
