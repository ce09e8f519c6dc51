"""Waterfalls under the names that other systems and people write."""

import pytest

from domain.errors import InvalidInput
from domain.loan.named_waterfalls import WATERFALLS, named
from domain.pricing.amounts import Component


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("mifos-standard-strategy", "mifos-standard"),
        ("principal-interest-penalties-fees-order-strategy", "principal-interest-penalties-fees"),
        ("interest-principal-penalties-fees-order-strategy", "interest-principal-penalties-fees"),
        ("rbi-india-strategy", "rbi-india"),
        ("early-repayment-strategy", "early-repayment"),
        ("heavensfamily-strategy", "heavensfamily"),
        ("creocore-strategy", "creocore"),
        ("CN-Civil-Code", "cn-civil-code"),
        *((name, name) for name in WATERFALLS),
    ],
)
def test_a_waterfall_is_found_by_its_full_name(text: str, name: str) -> None:
    """As Apache Fineract's API takes them, with `-strategy` or `-order-strategy` at the end."""
    assert named(text) is WATERFALLS[name]


def test_components_may_be_written_in_capitals() -> None:
    """As Fineract's advanced payment allocation writes them; a plural is no component."""
    wanted = (Component.PENALTY, Component.FEE, Component.PRINCIPAL, Component.INTEREST)
    assert named("PENALTY, FEE, PRINCIPAL, INTEREST").order == wanted
    with pytest.raises(InvalidInput, match="'penalties,fees' is refused"):
        named("penalties,fees")
