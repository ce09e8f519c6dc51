"""What is past due of a tape is told by age, with what is to be debited and what cannot be."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.rails.codes import load_codes
from adapters.tapes.report.arrears import Arrears
from adapters.tapes.report.unknowncodes import UnknownCodes
from domain.loan.boarding import Past
from tests.support.progresstapes import CLASS_OF, LOAN, NEW, PRODUCTS, event, read_openings
from workers.accounts import accounts_of
from workers.compose import rulebook
from workers.rails import nearest_of, rails_of
from workers.settings import Settings

AT = datetime(2026, 5, 20, 9, tzinfo=UTC)
RAILS = rails_of(Settings(), None)
RULES = rulebook(RAILS, accounts_of(Settings(), RAILS, PRODUCTS))


def arrears_of(folder: Path, *rows: dict[str, str], **options: Any) -> Arrears:
    """What is past due of these rows, which are read on the day of their cut-over."""
    report = read_openings(folder, *rows, class_of=CLASS_OF, **options)
    assert report.fault_count == 0, report.faults
    arrears = Arrears(RULES, AT)
    for command in report.rows:
        arrears.add(command)
    return arrears


def test_loans_stand_in_the_bucket_of_their_oldest_installment_that_is_owed(
    tmp_path: Path,
) -> None:
    """On 20 May 10, 40, 71 and 99 days after the due dates, on banking days, of the first four."""
    through = ("2026-05-10", "2026-04-10", "2026-03-10", "2026-02-10")
    rows = [{**LOAN, "loan_id": f"L-{n}", "paid_through": day} for n, day in enumerate(through)]
    found = arrears_of(tmp_path, *rows, {**LOAN, "loan_id": "L-9"}).buckets
    assert [(it.days, it.loans, it.installments, it.minor) for it in found] == [
        ("0", 1, 0, 0),
        ("1-30", 1, 1, 10_900),
        ("31-60", 1, 2, 21_933),
        ("61-90", 1, 3, 32_960),
        ("over 90", 1, 4, 44_200),
    ]
    assert {it.currency for it in found} == {"CNY"}
    assert sum(it.asked for it in found) == 0


def test_what_the_tape_asks_to_be_debited_is_told_beside_what_is_past_due(tmp_path: Path) -> None:
    """One of two late loans says `owed`; of one that begins here all that is past counts."""
    late, owed = {**LOAN, "paid_through": "2026-04-10"}, {"past": "owed"}
    rows = ({**late, **owed}, {**late, "loan_id": "L-2"}, {**NEW, **owed, "loan_id": "L-3"})
    _, month, _, _, old = arrears_of(tmp_path, *rows).buckets
    assert (month.loans, month.minor, month.asked, month.asked_minor) == (2, 21_800, 1, 10_900)
    assert (old.loans, old.installments, old.asked, old.asked_minor) == (1, 4, 4, 44_200)


def test_what_a_loan_in_progress_owes_is_asked_for_by_its_own_row_alone(tmp_path: Path) -> None:
    """`--past owed` for the whole tape reaches loans that begin here, and no other."""
    late = {**LOAN, "paid_through": "2026-04-10"}
    rows = (late, {**late, "loan_id": "L-2", "past": "owed"}, {**NEW, "loan_id": "L-3"})
    report = read_openings(tmp_path, *rows, class_of=CLASS_OF, past=Past.OWED)
    assert [loan.past for loan in report.rows] == [Past.REFUSE, Past.OWED, Past.OWED]


def test_loans_of_which_nothing_is_past_are_not_counted(tmp_path: Path) -> None:
    """A loan that begins here and is ignored, and one of which nothing has fallen due."""
    new = {**NEW, "disbursed_on": "2026-05-18", "first_due_on": "2026-06-18"}
    assert arrears_of(tmp_path, new, {**NEW, "loan_id": "L-2", "past": "ignore"}).buckets == ()


def test_what_cannot_be_debited_since_the_plan_is_over_is_named(tmp_path: Path) -> None:
    """A code that nobody knows ends the plan: the loan says `owed`, and a person has to look."""
    tried = {"on": "2026-05-12", "amount": "109", "outcome": "declined"}
    rows = [event("attempt", 4, order_no="A1", code="ZZ9", **tried)]
    row = {**LOAN, "paid_through": "2026-04-10", "past": "owed"}
    arrears = arrears_of(tmp_path, row, history=rows)
    (found,) = arrears.not_debitable
    assert (found.loan_id, found.number) == ("L-1", 4)
    assert found.reason
    month = arrears.buckets[1]
    assert (month.not_debitable, month.not_debitable_minor, month.asked_minor) == (
        1,
        10_900,
        10_900,
    )
    soft = [event("attempt", 4, order_no="A1", code="51", outcome_class="NSF", **tried)]
    assert arrears_of(tmp_path, row, history=soft).not_debitable == []


def test_an_order_that_is_out_is_no_plan_that_is_over(tmp_path: Path) -> None:
    """The last presentment that the rail allows has no outcome yet: it may still succeed."""
    rows = [
        event("attempt", 4, on=f"2026-05-{day}", amount="109", order_no=f"A{day}", outcome=word)
        for day, word in enumerate(["declined"] * 9 + ["pending"], start=11)
    ]
    row = {**LOAN, "paid_through": "2026-04-10", "past": "owed"}
    arrears = arrears_of(tmp_path, row, history=rows)
    assert (arrears.not_debitable, arrears.buckets[1].asked) == ([], 1)


def test_unknown_codes_are_named_with_the_nearest_ones_of_their_rail(tmp_path: Path) -> None:
    """A former system wrote the rail's code with a zero before it; a return has its own list."""
    tried = {"on": "2026-05-12", "amount": "109"}
    known = next(iter(load_codes("unionpay").rows))
    rows = [
        event("attempt", 4, order_no="A1", outcome="declined", code=f"0{known}", **tried),
        event("attempt", 4, order_no="A2", outcome="declined", code=f"0{known}", **tried),
        event("attempt", 4, order_no="A3", outcome="returned", code="am-4", **tried),
        event("attempt", 4, order_no="A4", outcome="declined", code="64", **tried),
        event("attempt", 4, order_no="A5", outcome="declined", code="QQQQQ", **tried),
    ]
    row = {**LOAN, "paid_through": "2026-04-10"}
    codes = UnknownCodes(nearest_of(RAILS))
    for command in read_openings(tmp_path, row, history=rows, class_of=CLASS_OF).rows:
        codes.add(command)
    zero, odd, back = codes.found()
    assert (zero.code, zero.debits, zero.returned) == (f"0{known}", 2, False)
    assert zero.nearest[0].code == known
    assert (odd.code, odd.nearest) == ("QQQQQ", ())
    assert (back.returned, back.nearest[0].code) == (True, "AM04")
    assert nearest_of({})("simbank", "64", False) == ()
