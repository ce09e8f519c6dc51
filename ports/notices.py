"""What a provider of messages does for us: send one notice to a person, say if it was taken."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from domain.errors import InvalidInput

Channel: TypeAlias = Literal["email", "sms"]
Language: TypeAlias = Literal["zh-CN", "en"]
Template: TypeAlias = Literal["reminder", "debit_failed", "paid", "closed", "reopened", "case"]

_COMMON = frozenset({"lender", "loan", "contact"})
NEEDED_VALUES: Mapping[Template, frozenset[str]] = {
    "reminder": _COMMON | {"installment", "amount_minor", "currency", "due_on"},
    "debit_failed": _COMMON | {"installment", "amount_minor", "currency", "failed_on"},
    "paid": _COMMON | {"installment", "amount_minor", "currency", "paid_on"},
    "closed": _COMMON | {"closed_on"},
    "reopened": _COMMON | {"reopened_on"},
    "case": frozenset({"lender", "case", "kind", "level", "owner", "age_hours", "link"}),
}
"""What each template shows; a notice that lacks one of these is not sent."""
OPTIONAL_VALUES: Mapping[Template, frozenset[str]] = {
    "reminder": frozenset(),
    "debit_failed": frozenset({"next_on"}),
    "paid": frozenset(),
    "closed": frozenset({"certificate"}),
    "reopened": frozenset({"certificate"}),
    "case": frozenset({"amount_minor", "currency"}),
}
"""What a template shows where it is given: the day of the next debit, the certificate's code."""

_MESSAGE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,119}")
_VALUE_MOST = 500


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to one person.

    Attributes:
        message_id: chosen by us, the same on every try; letters, digits and `._:/-`, up to 120.
        to: an address token. The address itself is looked up at the edge (`Contacts`) and never
            enters a history, a log or an error.
        values: what the template shows, as text: amounts as minor units with their `currency`,
            dates as YYYY-MM-DD; they are formatted for the reader's language at the edge.
    """

    message_id: str
    channel: Channel
    to: str
    language: Language
    template: Template
    values: Mapping[str, str]

    def __post_init__(self) -> None:
        if not _MESSAGE_ID.fullmatch(self.message_id):
            raise InvalidInput("message_id", self.message_id[:120], _MESSAGE_ID.pattern)
        for name, value in self.values.items():
            if len(value) > _VALUE_MOST:
                rule = f"at most {_VALUE_MOST} characters"
                raise InvalidInput(f"values.{name}", len(value), rule)


@dataclass(frozen=True, slots=True)
class Sent:
    """The carrier took it. Whether it arrives is reported later by a webhook, or never."""

    message_id: str
    provider_ref: str | None = None
    kind: Literal["sent"] = "sent"


@dataclass(frozen=True, slots=True)
class NotSent:
    """The carrier did not take it, or did not say.

    Attributes:
        reason: a short code, free of addresses and of the carrier's own words.
        retryable: the same notice may be tried again with the same message id.
        maybe_sent: the message may have left all the same (the answer was lost). Nobody reads it
            yet: the message is tried again, or fails, like any other.
    """

    message_id: str
    reason: str
    retryable: bool
    maybe_sent: bool = False
    kind: Literal["not_sent"] = "not_sent"


class Notices(Protocol):
    """Sends notices; idempotent by `message_id` as far as the carrier allows."""

    async def send(self, message: Notice) -> Sent | NotSent:
        """Send one notice.

        Raises:
            Conflict: the message id was used before for another notice.
        """
        ...


class Contacts(Protocol):
    """Looks up people's addresses, which are kept outside the books and the histories."""

    async def address(self, token: str, channel: Channel) -> str | None:
        """The address behind a token, or None when there is none for this channel."""
        ...
