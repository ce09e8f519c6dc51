"""Every text that can stand in an application: a command, or field, value and rule."""

from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.calendars import load_calendar
from adapters.products.files import read_products
from adapters.tapes.application.boarding import UpstreamBoarding
from adapters.tapes.files.mapping import CANONICAL_MAP
from adapters.tapes.loan.loans import BoardingRules
from domain.errors import InvalidInput
from ports.boarding import LoanApplication

PRODUCTS = Path(__file__).resolve().parents[2] / "examples" / "products"
BOARDING = UpstreamBoarding(BoardingRules(CANONICAL_MAP, read_products(PRODUCTS), load_calendar))
GOOD = LoanApplication(
    tenant="demo",
    loan_id="L-1",
    borrower="b-1",
    product="cn-personal",
    principal="12000.00",
    annual_rate="12",
    periods="12",
    disbursed_on="2026-11-02",
    mandate_ref="M-1",
    account_token="acct-1",
    first_due_on="2026-12-02",
)
TEXTS = [item.name for item in fields(LoanApplication) if item.name not in {"schedule", "opening"}]
ROW = ("2026-12-02", "12000.00", "120.00", "0.00")
DEAR = (("2026-12-02", "12000.00", "240.00", "1.00"),)
NASTY = st.sampled_from(
    ["0", "-1", "1e5", "NaN", "9999", "99999999999999999999", "9999-12-31", "0001-01-01",
     "2026-02-30", "20261202", "2026-W49-3", "\uff10\uff11", "1,200", "0.001", "x" * 5000,
     "\x00", " "]
)  # fmt: skip


def test_this_application_is_taken() -> None:
    """The other tests start from something good."""
    assert len(BOARDING.command(GOOD).schedule) == 12


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(st.sampled_from(TEXTS), NASTY | st.text(max_size=12), max_size=4))
def test_any_text_in_any_field_boards_or_is_refused_by_rule(changes: dict[str, str]) -> None:
    """Nothing else is raised: another error would be tried again and reported without a field."""
    application = replace(GOOD, **changes)  # type: ignore[arg-type]
    with suppress(InvalidInput):
        assert BOARDING.command(application).loan_id == application.loan_id


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(*[NASTY | st.sampled_from(ROW)] * 4), max_size=4),
    st.sampled_from(["cn-personal", "cn-guaranteed"]),
)
def test_any_row_of_a_schedule_is_taken_or_refused_by_rule(
    rows: list[tuple[str, str, str, str]], product: str
) -> None:
    """The same for schedules that were agreed upstream, with ceilings and without."""
    with suppress(InvalidInput):
        command = BOARDING.command(replace(GOOD, schedule=tuple(rows), product=product))
        assert sum(line.principal for line in command.schedule) == command.principal_minor


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"product": "cn-persnal"}, "product", "a product file: cn-business, "),
        ({"product": "cn-personal@7"}, "product", "cn-personal@1"),
        ({"schedule": (ROW,) * 1201}, "schedule", "at most 1200 rows"),
        ({"principal": "12,000"}, "principal", "a plain decimal number"),
        ({"product": "cn-guaranteed", "annual_rate": "30"}, "cost", "at most 24 % (CN jin-gui"),
        (
            {"product": "cn-guaranteed", "annual_rate": "0", "schedule": DEAR},
            "cost",
            "at most 24 % (CN jin-gui",
        ),
    ],
)
def test_rules_name_what_would_be_right(change: dict[str, object], field: str, rule: str) -> None:
    """Unknown products, other versions, too many rows: the sender learns what is known here."""
    with pytest.raises(InvalidInput) as fault:
        BOARDING.command(replace(GOOD, **change))  # type: ignore[arg-type]
    assert fault.value.field == field
    assert fault.value.rule.startswith(rule)


def test_the_rows_that_were_agreed_are_judged_and_not_those_of_the_terms() -> None:
    """A rate far above the ceiling means nothing where rows say what is to be paid."""
    cheap = (("2026-12-02", "12000.00", "120.00", "0.00"),)
    terms = replace(GOOD, product="cn-guaranteed", annual_rate="99", schedule=cheap)
    assert len(BOARDING.command(terms).schedule) == 1
