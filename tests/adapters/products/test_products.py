"""Product files: strict shapes, exact numbers, every fault with its field and rule."""

import json
from datetime import time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from adapters.calendars import load_calendar
from adapters.products import files
from adapters.products.files import read_product, read_products
from adapters.refusals import SourceRefused
from adapters.sql.readrows import read_product as read_kept
from adapters.sql.rows import product_row
from adapters.validation import faults_of
from domain.calendar import Adjust
from domain.kernel.canonical import digest
from domain.loan.product import Payee, Routing
from domain.loan.waterfall import Direction, Future
from domain.matching.model import Tolerance
from domain.pricing.amounts import Component
from domain.pricing.caps import Cap, CapRules, Fees, Measure, legal_caps
from domain.pricing.frequency import Frequency
from domain.pricing.schedule_terms import Method

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "products"
PERSONAL = (EXAMPLES / "cn-personal.toml").read_text(encoding="utf-8")


def refused(tmp_path: Path, text: str) -> SourceRefused:
    """Read a product that must be refused."""
    path = tmp_path / "product.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceRefused) as caught:
        read_product(path)
    assert caught.value.source == str(path)
    return caught.value


def test_every_field_of_a_product_comes_from_its_file() -> None:
    """What the file says is what the domain gets, exactly."""
    found = read_product(EXAMPLES / "cn-personal.toml")
    product = found.product
    assert product.ref == "cn-personal@1"
    assert (product.currency, product.timezone, product.calendar) == ("CNY", "Asia/Shanghai", "CN")
    assert product.adjust is Adjust.FOLLOWING
    assert (product.rail, product.funder, product.account) == (
        "simbank",
        "funder-1",
        "ACCT-FUNDER-1-CNY",
    )
    assert (product.language, product.present_at, product.grace_days) == ("zh-CN", time(9, 30), 3)
    assert product.waterfall.order[0] is Component.COST
    assert product.waterfall.direction is Direction.HORIZONTAL
    assert product.waterfall.future is Future.ADVANCE
    assert product.shares.parties == ("funder-1",)
    assert product.reminders.allowed.opens == time(8)
    assert product.reminders.allowed.timezone == "Asia/Shanghai"
    assert product.reminders.delivery_report_within == timedelta(hours=20)
    assert product.retry.wait_banking_days == (1, 3)
    assert product.closure.return_window_banking_days == 2
    assert product.penalty is not None
    assert product.penalty.annual_rate_percent == Decimal(18)
    assert product.penalty.cap_fraction == Fraction(1, 4)
    assert product.penalty.grace_days == product.grace_days
    assert found.schedule.method is Method.EQUAL_INSTALLMENT


def test_the_personal_products_remind_once_three_days_ahead() -> None:
    """The happy path has exactly one reminder, at ten in the morning, over two channels."""
    for name in ("cn-personal", "us-personal"):
        (rule,) = read_products(EXAMPLES)[name].product.reminders.rules
        assert (rule.days_before, rule.at, len(rule.channels)) == (3, time(10), 2)


def test_every_sample_names_a_calendar_that_exists() -> None:
    """A product whose calendar nobody has could board nothing."""
    for found in read_products(EXAMPLES).values():
        assert load_calendar(found.product.calendar).name == found.product.calendar


def test_products_are_found_by_version_and_the_latest_by_name(tmp_path: Path) -> None:
    """Loans are pinned to a version; new ones get the latest."""
    (tmp_path / "a.toml").write_text(PERSONAL, encoding="utf-8")
    (tmp_path / "b.toml").write_text(
        PERSONAL.replace("version = 1", "version = 2"), encoding="utf-8"
    )
    found = read_products(tmp_path)
    assert set(found) == {"cn-personal", "cn-personal@1", "cn-personal@2"}
    assert found["cn-personal"].product.version == 2
    (tmp_path / "c.toml").write_text(PERSONAL, encoding="utf-8")
    with pytest.raises(SourceRefused, match="one file for each version"):
        read_products(tmp_path)


def test_a_folder_without_products_is_refused(tmp_path: Path) -> None:
    """Boarding without rules is a mistake of the installation, reported at once."""
    with pytest.raises(SourceRefused, match="product files"):
        read_products(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "field", "rule"),
    [
        ('rail = "simbank"', 'raill = "simbank"', "raill", "no such field"),
        ('rail = "simbank"', "", "rail", "must be given"),
        ("grace_days = 3", 'grace_days = "3"', "grace_days", "integer"),
        ("grace_days = 3", "grace_days = 91", "grace_days", "90"),
        ('"following"', '"sideways"', "adjust", "'following'"),
        ('"Asia/Shanghai"', '"Asia/Nowhere"', "timezone", "IANA"),
        ('currency = "CNY"', 'currency = "cny"', "currency", "ISO 4217"),
        ('every = "1m"', 'every = "1y"', "schedule.every", "half-month"),
        ('every = "1m"', "every = 1", "schedule.every", "half-month"),
        ('cap_fraction = "1/4"', 'cap_fraction = "5/4"', "penalty.cap_fraction", "1"),
        ('cap_fraction = "1/4"', 'cap_fraction = "1/0"', "penalty.cap_fraction", "fraction"),
        (
            "annual_rate_percent = 18",
            'annual_rate_percent = "x"',
            "penalty.annual_rate_percent",
            "decimal",
        ),
        (
            "annual_rate_percent = 18",
            "annual_rate_percent = true",
            "penalty.annual_rate_percent",
            "decimal",
        ),
        ('cap_fraction = "1/4"', "cap_fraction = true", "penalty.cap_fraction", "fraction"),
        ("day_basis = 360", "day_basis = 364", "day_basis", "360 or 365"),
        ("opens = 08:00:00", "opens = 22:00:00", "reminders.allowed", "before closes"),
        ("at = 10:00:00", "at = 07:00:00", "reminders", "outside the allowed hours"),
        ('["sms", "email"]', "[]", "reminders.rules.0.channels", "at least 1"),
        ('["sms", "email"]', '["pigeon"]', "reminders.rules.0.channels.0", "'sms'"),
        ("attempts_max = 3", "attempts_max = 0", "retry.attempts_max", "1"),
        ("paydays = [10, 15, 25]", "paydays = [32]", "retry.paydays.0", "31"),
        ('["cost", "fee",', '["cost", "cost",', "order", "once"),
        ("[penalty]", "[caps]\n[penalty]", "caps", "at least one ceiling"),
        ("[penalty]", '[caps]\nlegal = ["cn-25"]\n[penalty]', "legal", "cn-institutions-24"),
        (
            "[penalty]",
            '[caps]\nlegal = ["cn-private-4xlpr"]\n[penalty]',
            "one_year_lpr_percent",
            "given for cn-private-4xlpr",
        ),
        (
            "[penalty]",
            '[[caps.own]]\nrule = "x"\npercent = 24\nmeasure = "yearly"\n[penalty]',
            "caps.own.0.measure",
            "'nominal'",
        ),
        (
            "[penalty]",
            '[[caps.own]]\nrule = "x"\npercent = -1\nmeasure = "total"\n[penalty]',
            "cap",
            "percent a year",
        ),
        ('future = "advance"', 'future = "next"', "waterfall.future", "must be advance"),
        ('future = "advance"', 'future = "last"', "waterfall.future", "must be advance"),
        ('future = "advance"', 'future = "reduce"', "waterfall.future", "must be advance"),
        (
            'future = "advance"',
            'future = "advance"\nin_advance = ["principal"]',
            "waterfall.in_advance",
            "no such field",
        ),
        ('"equal-installment"', '"balloon"', "schedule.method", "no balloon and no rows"),
        ('"equal-installment"', '"explicit"', "schedule.method", "no balloon and no rows"),
        (
            'method = "equal-installment"',
            'method = "interest-only"\nround_installment_to_minor = 100',
            "schedule",
            "must be 0 for method interest-only",
        ),
        (
            "[penalty]",
            '[caps]\nlegal = ["uk-high-cost"]\neach_fraction = 2\n[penalty]',
            "caps.each_fraction",
            "1",
        ),
    ],
)
def test_each_fault_names_field_and_rule(
    tmp_path: Path, old: str, new: str, field: str, rule: str
) -> None:
    """Whether the shape or the domain refuses, the answer has one form."""
    assert old in PERSONAL
    faults = refused(tmp_path, PERSONAL.replace(old, new, 1)).faults
    assert field in {fault.field for fault in faults}
    assert any(rule in fault.rule for fault in faults), faults


def test_all_faults_of_a_file_are_reported_together(tmp_path: Path) -> None:
    """Nobody mends a file one error at a time."""
    text = PERSONAL.replace("version = 1", "version = 0").replace('"simbank"', '"no such rail!"')
    assert {fault.field for fault in refused(tmp_path, text).faults} == {"version", "rail"}


def test_numbers_with_a_point_never_pass_through_a_float(tmp_path: Path) -> None:
    """18.1 is exactly 18.1."""
    path = tmp_path / "p.toml"
    path.write_text(
        PERSONAL.replace("annual_rate_percent = 18", "annual_rate_percent = 18.1").replace(
            '"1/4"', "0.1"
        ),
        encoding="utf-8",
    )
    penalty = read_product(path).product.penalty
    assert penalty is not None
    assert (penalty.annual_rate_percent, penalty.cap_fraction) == (
        Decimal("18.1"),
        Fraction(1, 10),
    )


def test_shares_steps_and_hours_of_another_place_are_read(tmp_path: Path) -> None:
    """Several payees, penalty steps, and quiet hours that follow the borrower."""
    text = PERSONAL.replace(
        'remainder_party = "funder-1"',
        'remainder_party = "funder-1"\n[[shares.rules]]\nparty = "platform"\n'
        'component = "interest"\nfraction = "2/100"\ncap_minor = 500',
    )
    text = text.replace("closes = 21:00:00 }", 'closes = 21:00:00, timezone = "Asia/Urumqi" }')
    path = tmp_path / "p.toml"
    path.write_text(
        text + '[[payees]]\nparty = "platform"\nrouting = "pooled"\n'
        "[[penalty.steps]]\nfrom_dpd = 30\nannual_rate_percent = 24\n",
        encoding="utf-8",
    )
    product = read_product(path).product
    assert product.shares.parties == ("funder-1", "platform")
    assert product.payees == (
        Payee("funder-1", Routing.DIRECT, "ACCT-FUNDER-1-CNY"),
        Payee("platform", Routing.POOLED),
    )
    assert product.shares.rules[0].fraction == Fraction(1, 50)
    assert product.reminders.allowed.timezone == "Asia/Urumqi"
    assert product.penalty is not None
    assert product.penalty.steps == ((30, Decimal(24)),)


def test_a_product_may_do_without_penalty(tmp_path: Path) -> None:
    """The table is left out, and nothing accrues."""
    path = tmp_path / "p.toml"
    path.write_text(PERSONAL.partition("# 12 %")[0], encoding="utf-8")
    assert read_product(path).product.penalty is None


def test_ceilings_of_law_and_of_the_lender_are_pinned_with_their_fees() -> None:
    """What the sample says of the guarantor's product is what loans are held to."""
    caps = read_product(EXAMPLES / "cn-guaranteed.toml").product.caps
    own = Cap("price list 2026: personal loans with a guarantor", Decimal("23.5"), Measure.NOMINAL)
    assert caps == CapRules(
        caps=(*legal_caps("cn-institutions-24"), own),
        every=Frequency(1, "month"),
        each_fraction=Fraction(2, 1000),
    )


def test_ceilings_of_every_kind_and_all_fees_are_read(tmp_path: Path) -> None:
    """Legal ones first, in the order of the file; the prime rate is the product's."""
    path = tmp_path / "p.toml"
    path.write_text(
        PERSONAL + '[caps]\nlegal = ["cn-private-4xlpr", "uk-high-cost"]\n'
        "one_year_lpr_percent = 3.0\nupfront_fraction = 0.01\nupfront_minor = 5\neach_minor = 7\n"
        '[[caps.own]]\nrule = "x"\npercent = 26.82\nmeasure = "effective"\n',
        encoding="utf-8",
    )
    caps = read_product(path).product.caps
    assert caps is not None
    assert [(cap.percent, cap.measure) for cap in caps.caps] == [
        (Decimal("12.0"), Measure.NOMINAL),
        (Decimal(100), Measure.TOTAL),
        (Decimal("0.8"), Measure.DAILY),
        (Decimal("26.82"), Measure.EFFECTIVE),
    ]
    assert caps.fees_on(10_000) == Fees(upfront=105, each=7)


def test_a_released_product_keeps_its_digest_and_is_read_back_with_caps_and_without() -> None:
    """Books that pinned a product before there were caps know it again; those with caps do, too."""
    products = read_products(EXAMPLES)
    before = "fe0ecf015ce6cca4"
    assert digest(products["cn-personal@1"].product).startswith(before)
    body = json.loads(product_row(products["cn-personal@1"].product)["body"])
    del body["caps"]
    assert read_kept(json.dumps(body)) == products["cn-personal@1"].product
    for found in products.values():
        row = product_row(found.product)
        assert read_kept(row["body"]) == found.product
        assert digest(read_kept(row["body"])) == row["digest"]


def test_what_is_no_toml_or_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is named, not a line of ours."""
    assert refused(tmp_path, "id = ").faults[0].field == "content"
    monkeypatch.setattr(files, "MOST_BYTES", 3)
    assert refused(tmp_path, PERSONAL).faults[0].field == "size"


def test_long_values_are_shortened_and_hidden_ones_not_shown() -> None:
    """An error must not become a leak or a page."""
    from pydantic import BaseModel, ValidationError  # noqa: PLC0415

    class Shape(BaseModel):
        word: int
        secret: int

    with pytest.raises(ValidationError) as caught:
        Shape.model_validate({"word": "x" * 500, "secret": "hunter2"})
    faults = {fault.field: str(fault) for fault in faults_of(caught.value, {"secret"})}
    assert len(faults["word"]) < 200
    assert "hunter2" not in faults["secret"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('routing = "direct"\n', "", "payees.0.routing"),
        ('routing = "direct"', 'routing = "pooled"', "pooled names none"),
        ('routing = "direct"\naccount = "ACCT-FUNDER-1-CNY"', 'routing = "direct"', "direct names"),
        ('[[payees]]\nparty = "funder-1"', '[[payees]]\nparty = "other"', "payees.party"),
    ],
)
def test_how_a_party_is_paid_is_said_and_never_inferred(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    """Without a routing, with a contradiction in it, or for somebody who has no share: refused."""
    assert old in PERSONAL
    path = tmp_path / "p.toml"
    path.write_text(PERSONAL.replace(old, new), encoding="utf-8")
    with pytest.raises(SourceRefused, match=said):
        read_product(path)


def test_a_waterfall_names_every_component(tmp_path: Path) -> None:
    """What no money could pay would be debited again and again, and wait as a surplus."""
    whole = '"cost", "fee", "penalty", "interest", "principal"'
    assert whole in PERSONAL
    path = tmp_path / "p.toml"
    path.write_text(PERSONAL.replace(whole, '"interest", "principal"'), encoding="utf-8")
    with pytest.raises(SourceRefused, match=r"waterfall\.order: 'interest,principal' is refused"):
        read_product(path)


def test_what_bank_lines_may_differ_by_is_read(tmp_path: Path) -> None:
    """Fee, days, likeness and whether it posts; left out, nothing is tolerated."""
    path = tmp_path / "p.toml"
    table = "[matching]\nfee_most_minor = 300\ndays = 3\nsimilarity = 85\nposts = true\n"
    path.write_text(PERSONAL + table, encoding="utf-8")
    assert read_product(path).product.matching == Tolerance(300, 3, 85, posts=True)
    path.write_text(PERSONAL, encoding="utf-8")
    assert read_product(path).product.matching == Tolerance()
