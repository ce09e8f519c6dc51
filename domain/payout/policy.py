"""When and how each payee gets its shares: cut-off, minimum, approval, channel, fees."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from types import MappingProxyType

from domain.calendar import ONE_DAY, Adjust, BankingCalendar, local_day, local_instant
from domain.kernel import canonical
from domain.ledger.bankaccount import US

NO_TENANT = "none"
"""The tenant of a payout where the policy names none."""


@dataclass(frozen=True, slots=True)
class PayeePolicy:
    """How one party gets what is due to it. Amounts in minor units.

    Attributes:
        beneficiary: stands for the payee's account at the channel; no account number enters here.
        channel: the name of the payout channel that sends it.
        calendar, timezone, cut_off: on each banking day of the calendar, at this local time, what
            is open is requested.
        minimum_minor: less than this is not requested, until an item of it has been open for
            `wait_banking_days`.
        approve_within_minor: up to this amount the machine approves; above it two people do.
        line_within_banking_days: how long the line of an executed payout may take.
        fees_borne_by: who bears what the bank keeps, a party or us.
    """

    party: str
    beneficiary: str
    channel: str
    calendar: str
    timezone: str
    cut_off: time
    minimum_minor: int = 0
    wait_banking_days: int = 5
    approve_within_minor: int = 0
    line_within_banking_days: int = 3
    fees_borne_by: str = US

    def cut_off_before(self, at: datetime, calendar: BankingCalendar) -> date:
        """The banking day whose cut-off was the last one at an instant."""
        today = local_day(at, self.timezone)
        passed = at >= local_instant(today, self.cut_off, self.timezone)
        return calendar.adjust(today if passed else today - ONE_DAY, Adjust.PRECEDING)

    def is_too_little(
        self, minor: int, oldest_on: date | None, day: date, calendar: BankingCalendar
    ) -> bool:
        """Whether an open amount is below the minimum and has not waited long enough for `day`."""
        if minor >= self.minimum_minor:
            return False
        if oldest_on is None:
            return True
        return calendar.add_banking_days(oldest_on, self.wait_banking_days) > day


@dataclass(frozen=True, slots=True)
class RefundPolicy:
    """How money goes back to its payers. Amounts in minor units.

    Attributes:
        channel: the name of the payout channel that sends it.
        calendar, timezone: by which banking days its deadlines count.
        after_banking_days: how long the machine waits after the last line of a payment, so that a
            return of it or of its twin may come first.
        within_banking_days: from the request on, by when a line shows that it has left.
        approve_within_minor: up to this amount the machine approves; above it two people do.
        fees_borne_by: who bears what the bank keeps, a party or us.
    """

    channel: str
    calendar: str
    timezone: str
    after_banking_days: int = 1
    within_banking_days: int = 5
    approve_within_minor: int = 0
    fees_borne_by: str = US


@dataclass(frozen=True, slots=True)
class RemittancePolicy:
    """The policy of each payee by its party; a party that is not in it is paid nothing.

    `refunds` is how payers get back what is theirs; without it nothing is refunded.
    """

    payees: Mapping[str, PayeePolicy] = field(default_factory=dict)
    tenant: str = NO_TENANT
    refunds: RefundPolicy | None = None

    @property
    def version(self) -> str:
        """What names this content of the policy: 16 characters of its digest."""
        return canonical.digest((self.tenant, dict(self.payees), self.refunds))[:16]


NO_REMITTANCE = RemittancePolicy(MappingProxyType({}))
"""Where no policy of payees is given."""
RELOOK = timedelta(hours=1)
"""How long a payout waits for money on its account before it is looked at again."""
