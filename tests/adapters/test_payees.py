"""The file of payees: what it says is the policy, and every fault is named at once."""

from datetime import time
from pathlib import Path

import pytest

from adapters.payees import read_payees
from adapters.refusals import SourceRefused
from domain.payout.policy import NO_TENANT, PayeePolicy, RefundPolicy

WHOLE = """
tenant = "main"

[payees.funder-1]
beneficiary = "acct-of-funder-1"
channel = "simbank"
calendar = "CN"
timezone = "Asia/Shanghai"
cut_off = 16:00:00
minimum_minor = 10000
approve_within_minor = 5000000
fees_borne_by = "funder-1"
"""


def test_a_file_is_read_as_it_is_written(tmp_path: Path) -> None:
    """What it leaves out is as usual; its version follows from what it says."""
    policy = read_payees(_written(tmp_path, WHOLE), {"simbank"}, {"CN"})
    assert policy.tenant == "main"
    assert policy.payees == {
        "funder-1": PayeePolicy(
            party="funder-1",
            beneficiary="acct-of-funder-1",
            channel="simbank",
            calendar="CN",
            timezone="Asia/Shanghai",
            cut_off=time(16),
            minimum_minor=10000,
            approve_within_minor=5000000,
            fees_borne_by="funder-1",
        )
    }
    other = read_payees(_written(tmp_path, WHOLE.replace("10000", "1")), {"simbank"}, {"CN"})
    assert len(policy.version) == 16
    assert other.version != policy.version
    plain = read_payees(
        _written(tmp_path, WHOLE.replace('tenant = "main"', "")), {"simbank"}, {"CN"}
    )
    assert plain.tenant == NO_TENANT


def _written(folder: Path, text: str) -> Path:
    file = folder / "payees.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("old", "new", "fields"),
    [
        ('"simbank"', '"other"', ["payees.funder-1.channel"]),
        ('"CN"', '"XX"', ["payees.funder-1.calendar"]),
        ('"Asia/Shanghai"', '"Asia/Nowhere"', ["payees.funder-1.timezone"]),
        ("minimum_minor = 10000", "minimum_minor = -1", ["payees.funder-1.minimum_minor"]),
        ("minimum_minor = 10000", "minimum_minor = 1.5", ["payees.funder-1.minimum_minor"]),
        ('beneficiary = "acct-of-funder-1"', "", ["payees.funder-1.beneficiary"]),
        ("minimum_minor", "least", ["payees.funder-1.least"]),
        (WHOLE, "", ["payees"]),
    ],
)
def test_every_fault_is_named_by_its_field(
    tmp_path: Path, old: str, new: str, fields: list[str]
) -> None:
    """Nothing is guessed, and nothing of a faulty file is taken."""
    with pytest.raises(SourceRefused) as refused:
        read_payees(_written(tmp_path, WHOLE.replace(old, new)), {"simbank"}, {"CN"})
    assert [fault.field for fault in refused.value.faults] == fields


REFUNDS = """
[refunds]
channel = "simbank"
calendar = "CN"
timezone = "Asia/Shanghai"
approve_within_minor = 100000
"""


def test_refunds_have_a_table_of_their_own(tmp_path: Path) -> None:
    """A file may name refunds without a payee; its faults are named like those of payees."""
    policy = read_payees(_written(tmp_path, REFUNDS), {"simbank"}, {"CN"})
    refunds = RefundPolicy("simbank", "CN", "Asia/Shanghai", approve_within_minor=100000)
    assert (dict(policy.payees), policy.refunds) == ({}, refunds)
    without = read_payees(_written(tmp_path, WHOLE), {"simbank"}, {"CN"})
    both = read_payees(_written(tmp_path, WHOLE + REFUNDS), {"simbank"}, {"CN"})
    assert without.refunds is None
    assert without.version != both.version
    with pytest.raises(SourceRefused) as wrong:
        read_payees(_written(tmp_path, REFUNDS.replace("simbank", "x")), {"simbank"}, {"CN"})
    assert [fault.field for fault in wrong.value.faults] == ["refunds.channel"]
    with pytest.raises(SourceRefused):
        read_payees(_written(tmp_path, 'tenant = "main"'), {"simbank"}, {"CN"})
