"""Each pass of the pure matcher: what it takes, what it leaves, and what it never chooses."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.errors import InvalidInput
from domain.matching.model import Expectation, Key, Pass, Piece, Tolerance
from domain.matching.passes import SHARED_MOST, match
from domain.matching.result import Cause, LineResult, Results, Status

DAY = date(2026, 3, 10)
TODAY = date(2026, 3, 20)
E2E = Pass.END_TO_END


def money(
    name: str, minor: int = 100, key: str = "", by: Pass = E2E, **changes: object
) -> Expectation:
    """Money that is expected on the day, and missing two days later."""
    keys = (Key(by, key),) if key else ()
    made = Expectation(name, minor, "CNY", DAY, DAY + timedelta(days=2), keys)
    return replace(made, **changes)  # type: ignore[arg-type]


def piece(name: str, minor: int = 100, key: str = "", by: Pass = E2E, **changes: object) -> Piece:
    """A line of that day."""
    keys = (Key(by, key),) if key else ()
    return replace(Piece(name, "ACCT-1", minor, "CNY", DAY, keys), **changes)  # type: ignore[arg-type]


def run(expected: Sequence[Expectation], pieces: Sequence[Piece], today: date = TODAY) -> Results:
    """Match, in either order of what is given: it must play no part."""
    found = match(expected, pieces, today)
    assert match(expected[::-1], pieces[::-1], today) == found
    return found


def stands(results: Results) -> dict[str, tuple[Status, Pass | None, Cause | None]]:
    """Status, pass and cause of each line."""
    return {name: (it.status, it.by, it.cause) for name, it in results.lines.items()}


@pytest.mark.parametrize("by", [E2E, Pass.BANK_REFERENCE, Pass.STRUCTURED, Pass.MANDATE])
def test_one_key_and_amount_is_one_money(by: Pass) -> None:
    """A line and an expectation of one key, amount and currency are matched by that pass."""
    results = run([money("e", key="K", by=by)], [piece("l", key="K", by=by)])
    assert results.lines["l"] == LineResult(Status.MATCHED, by, None, "l", 0, posts=True)
    assert (results.expectations["e"].status, results.expectations["e"].group) == (
        Status.MATCHED,
        "l",
    )


@pytest.mark.parametrize(
    "other",
    [
        piece("l", key="OTHER"),
        piece("l", key="K", by=Pass.BANK_REFERENCE),
        piece("l", key="K", currency="EUR"),
        piece("l", -100, key="K"),
    ],
)
def test_another_key_currency_or_direction_is_no_match(other: Piece) -> None:
    """Nothing is matched by its amount: key, currency and direction must agree."""
    results = run([money("e", key="K")], [other])
    assert results.lines["l"].status is Status.UNIDENTIFIED
    assert results.expectations["e"].status is Status.MISSING


def test_an_amount_alone_names_nothing() -> None:
    """A line without references is not matched, though just its amount is expected that day."""
    results = run([money("e", key="K")], [piece("l")])
    assert stands(results) == {"l": (Status.UNIDENTIFIED, None, Cause.NAMES_NOTHING)}


def test_what_is_not_shown_is_expected_until_its_day_has_passed() -> None:
    """The day by which money is expected decides between expected and missing."""
    for today, status in ((DAY + timedelta(2), Status.EXPECTED), (TODAY, Status.MISSING)):
        assert run([money("e", key="K")], [], today).expectations["e"].status is status


@pytest.mark.parametrize(
    ("expected", "shown"), [([100], [60, 40]), ([60, 40], [100]), ([70, 30], [50, 50])]
)
def test_several_of_one_key_are_matched_by_their_sum(expected: list[int], shown: list[int]) -> None:
    """Several lines for one expectation, one for n, and n for m, within one key."""
    wanted = [money(f"e{at}", minor, "K") for at, minor in enumerate(expected)]
    results = run(wanted, [piece(f"l{at}", minor, "K") for at, minor in enumerate(shown)])
    assert {it.status for it in results.lines.values()} == {Status.MATCHED}
    assert {it.group for it in results.expectations.values()} == {"l0"}


def test_amounts_of_one_key_that_agree_are_matched_before_the_rest() -> None:
    """Of one key, the amounts that agree are taken, and the rest is over or under by itself."""
    wanted = [money("e1", 100, "K"), money("e2", 50, "K")]
    results = run(wanted, [piece("l1", 100, "K"), piece("l2", 20, "K")])
    assert stands(results) == {
        "l1": (Status.MATCHED, E2E, None),
        "l2": (Status.UNDER, E2E, Cause.AMOUNT_DIFFERS),
    }
    assert results.expectations["e2"].status is Status.UNDER


def test_more_under_a_key_of_which_all_is_shown_is_over() -> None:
    """Of two lines of one key the fitting one is the money; the other one is more than it names."""
    results = run([money("e", key="K")], [piece("l1", key="K"), piece("l2", 20, "K")])
    assert results.expectations["e"].group == "l1"
    assert stands(results)["l2"] == (Status.OVER, E2E, Cause.AMOUNT_DIFFERS)


@pytest.mark.parametrize(("minor", "status"), [(60, Status.UNDER), (140, Status.OVER)])
def test_another_amount_under_the_key_is_under_or_over(minor: int, status: Status) -> None:
    """A line that names money of another amount is a break about it, and matches nothing else."""
    wanted = [money("e", key="K"), money("other", minor, "B", Pass.BANK_REFERENCE)]
    shown = piece("l", minor, "K")
    shown = replace(shown, keys=(*shown.keys, Key(Pass.BANK_REFERENCE, "B")))
    results = run(wanted, [shown])
    assert stands(results) == {"l": (status, E2E, Cause.AMOUNT_DIFFERS)}
    assert results.expectations["other"].status is Status.MISSING


def test_two_that_fit_alike_are_never_chosen_between() -> None:
    """One line and two expectations of its key and amount: none is taken."""
    results = run([money("e1", key="K"), money("e2", key="K")], [piece("l", key="K")])
    assert stands(results) == {"l": (Status.UNIDENTIFIED, None, Cause.SEVERAL_FIT)}


def test_a_later_pass_resolves_what_an_earlier_one_left_open() -> None:
    """Of two with one reference, the bank's own reference says which is meant."""
    first, second = money("e1", key="K"), money("e2", key="K")
    second = replace(second, keys=(*second.keys, Key(Pass.BANK_REFERENCE, "B")))
    shown = replace(piece("l"), keys=(Key(E2E, "K"), Key(Pass.BANK_REFERENCE, "B")))
    results = run([first, second], [shown])
    assert stands(results) == {"l": (Status.MATCHED, Pass.BANK_REFERENCE, None)}
    assert results.expectations["e1"].status is Status.MISSING


def test_a_line_that_names_two_things_takes_neither() -> None:
    """Two references of one line that lead to different money prove nothing."""
    by = Pass.STRUCTURED
    wanted = [money("e1", key="A", by=by), money("e2", key="B", by=by)]
    results = run(wanted, [piece("l", keys=(Key(by, "A"), Key(by, "B"))), piece("m", key="A")])
    assert results.lines["l"].cause is Cause.SEVERAL_FIT
    assert {it.status for it in results.expectations.values()} == {Status.MISSING}


def test_two_lines_alike_for_one_expectation_are_duplicates() -> None:
    """Which of them shows the money is for a person to say: the expectation stays open."""
    results = run([money("e", key="K")], [piece("l1", key="K"), piece("l2", key="K")])
    assert set(stands(results).values()) == {(Status.DUPLICATE, E2E, Cause.SEVERAL_LINES)}
    assert results.expectations["e"].status is Status.MISSING


@pytest.mark.parametrize("is_proven", [True, False])
def test_what_is_shown_already_and_comes_again_is_a_duplicate(is_proven: bool) -> None:
    """A further line of the same key and amount is a duplicate, in this run or a later one."""
    known = money("e", key="K", is_proven=is_proven)
    first = [] if is_proven else [piece("l1", key="B", by=Pass.BANK_REFERENCE)]
    known = replace(known, keys=(*known.keys, Key(Pass.BANK_REFERENCE, "B")))
    again = piece("l2", keys=(Key(Pass.STRUCTURED, "B"), Key(Pass.BANK_REFERENCE, "B")))
    results = run([known], [*first, *([again] if is_proven else [])])
    if is_proven:
        assert stands(results) == {"l2": (Status.DUPLICATE, None, Cause.SHOWN_BEFORE)}
        assert results.expectations == {}
    else:
        assert results.lines["l1"].status is Status.MATCHED


def test_the_mandate_counts_with_day_and_amount_alone() -> None:
    """Debits of one mandate are told apart by day and amount; another day or amount is none."""
    by = Pass.MANDATE
    wanted = [money("e1", key="M", by=by), money("e2", 70, "M", by)]
    shown = [
        piece("l1", 70, "M", by),
        piece("l2", 100, "M", by, on=DAY + timedelta(days=1)),
        piece("l3", 99, "M", by),
    ]
    results = run(wanted, shown)
    assert results.expectations["e2"].group == "l1"
    assert {results.lines[name].status for name in ("l2", "l3")} == {Status.UNIDENTIFIED}


def batch(*minors: int) -> list[Expectation]:
    """Orders of one batch."""
    return [money(f"e{at}", minor, "B", Pass.BATCH) for at, minor in enumerate(minors)]


@pytest.mark.parametrize(
    ("shown", "count", "stands_as", "cause"),
    [
        (100, 2, Status.MATCHED, None),
        (100, None, Status.MATCHED, None),
        (100, 3, Status.UNIDENTIFIED, Cause.COUNT_DIFFERS),
        (90, 2, Status.UNDER, Cause.AMOUNT_DIFFERS),
        (110, 2, Status.OVER, Cause.AMOUNT_DIFFERS),
    ],
)
def test_a_batch_needs_its_count_and_sum(
    shown: int, count: int | None, stands_as: Status, cause: Cause | None
) -> None:
    """One line is its whole batch when count and sum agree, and never a part of it."""
    line = piece("l", shown, "B", Pass.BATCH, batch_count=count)
    results = run(batch(60, 40), [line])
    assert (results.lines["l"].status, results.lines["l"].cause) == (stands_as, cause)


@pytest.mark.parametrize("count", [None, 2])
def test_a_batch_in_several_lines_counts_only_without_a_number_of_orders(count: int | None) -> None:
    """Two lines whose sum is that of the batch are it, unless one claims to be all of its orders.

    Two lines of another sum are unclear.
    """
    lines = [piece(f"l{at}", 50, "B", Pass.BATCH, batch_count=count) for at in (0, 1)]
    results = run(batch(60, 40), lines)
    assert results.lines["l0"].status is (Status.UNIDENTIFIED if count else Status.MATCHED)
    more = run(batch(60, 41), lines)
    assert more.lines["l0"].cause is Cause.SEVERAL_FIT


def test_a_split_must_lie_on_its_accounts() -> None:
    """A sum that is right on other accounts is a break of both sides; on the right ones a match."""
    wanted = money("e", key="K", legs=(("ACCT-1", 60), ("ACCT-2", 40)))
    right = [piece("l1", 60, "K"), piece("l2", 40, "K", account="ACCT-2")]
    assert run([wanted], right).lines["l1"].status is Status.MATCHED
    wrong = [piece("l1", 50, "K"), piece("l2", 50, "K", account="ACCT-2")]
    results = run([wanted], wrong)
    assert stands(results)["l2"] == (Status.SPLIT_MISMATCH, E2E, Cause.ACCOUNTS_DIFFER)
    assert results.expectations["e"].status is Status.SPLIT_MISMATCH


@pytest.mark.parametrize(
    ("expected", "shown", "fee"), [(100, 98, 2), (100, 97, 0), (-50, -53, 3), (-50, -54, 0)]
)
def test_a_fee_within_the_rule_explains_a_difference(expected: int, shown: int, fee: int) -> None:
    """Less came, or more went, by no more than the rule says: matched, with the fee named."""
    tolerance = Tolerance(fee_most_minor=2 if expected > 0 else 3)
    results = run([money("e", expected, "K", tolerance=tolerance)], [piece("l", shown, "K")])
    assert results.lines["l"].fee_minor == fee
    assert results.lines["l"].is_proposal is bool(fee)


def test_a_rule_that_posts_makes_no_proposal() -> None:
    """Only where the product's rule says so, what it tolerates is posted."""
    tolerance = Tolerance(fee_most_minor=2, posts=True)
    results = run([money("e", key="K", tolerance=tolerance)], [piece("l", 99, "K")])
    assert results.lines["l"].posts
    assert not results.lines["l"].is_proposal


def loan(
    name: str, due: int = 100, key: str = "RF1", by: Pass = Pass.LOAN_REFERENCE
) -> Expectation:
    """A loan to which money may come at any time."""
    return money(name, due, key, by, any_amount=True)


@pytest.mark.parametrize(
    ("minors", "status"),
    [
        ([100], Status.MATCHED),
        ([60, 40], Status.MATCHED),
        ([60], Status.UNDER),
        ([60, 60], Status.OVER),
        ([], Status.MISSING),
    ],
)
def test_money_for_a_loan_is_known_whatever_its_amount(minors: list[int], status: Status) -> None:
    """Every line with the reference is the loan's; what is due of it is compared with the sum."""
    by = Pass.LOAN_REFERENCE
    lines = [piece(f"l{at}", minor, "RF1", by) for at, minor in enumerate(minors)]
    results = run([loan("L")], lines)
    assert [it.loan for it in results.lines.values()] == ["L"] * len(minors)
    assert {it.group for it in results.lines.values()} == {it.id for it in lines}
    assert results.expectations["L"].status is status


def test_a_loan_of_which_nothing_is_due_is_never_missing() -> None:
    """Where nothing is due, or its day has not passed, nothing is missing."""
    assert run([loan("L", 0)], []).expectations["L"].status is Status.EXPECTED
    assert run([loan("L")], [], DAY).expectations["L"].status is Status.EXPECTED


def test_money_that_is_expected_goes_before_money_for_a_loan() -> None:
    """A payment that somebody reported under the loan's reference is shown by its line once."""
    known = money("P", key="RF1", by=Pass.STRUCTURED)
    shown = piece("l", keys=(Key(Pass.STRUCTURED, "RF1"), Key(Pass.LOAN_REFERENCE, "RF1")))
    assert run([known, loan("L")], [shown]).lines["l"].by is Pass.STRUCTURED
    # In doubt between two reported payments it is none of the loan's new money either.
    results = run([known, replace(known, id="P2"), loan("L")], [shown])
    assert stands(results) == {"l": (Status.UNIDENTIFIED, None, Cause.SEVERAL_FIT)}


def test_a_reference_of_two_loans_and_money_that_goes_are_nobodys() -> None:
    """Two loans that a line names are not chosen between; a debit line is no payment."""
    by = Pass.VIRTUAL_ACCOUNT
    two = [loan("L1", key="1", by=by), loan("L2", key="1", by=by)]
    assert run(two, [piece("l", 5, "1", by)]).lines["l"].cause is Cause.SEVERAL_FIT
    assert run(two[:1], [piece("l", -5, "1", by)]).lines["l"].status is Status.UNIDENTIFIED


NEAR = Tolerance(fee_most_minor=5, days=3)
LIKE = Tolerance(fee_most_minor=5, days=3, similarity=90)


def test_a_mandate_within_days_and_amount_is_proposed() -> None:
    """Day and amount as tolerated, and the same mandate: a proposal with the fee."""
    by = Pass.MANDATE
    late = piece("l", 96, "M", by, on=DAY + timedelta(days=3))
    results = run([money("e", key="M", by=by, tolerance=NEAR)], [late])
    assert results.lines["l"] == LineResult(
        Status.MATCHED, Pass.NEAR_MANDATE, None, "l", 4, posts=False
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"minor": 94},
        {"minor": 101},
        {"on": DAY + timedelta(days=4)},
        {"on": DAY - timedelta(days=4)},
        {"currency": "EUR"},
        {"minor": -100},
        {"keys": (Key(Pass.MANDATE, "OTHER"),)},
    ],
)
def test_beyond_the_rule_nothing_is_proposed(changes: dict[str, object]) -> None:
    """Amount, day, currency, direction and mandate each keep a line out."""
    by = Pass.MANDATE
    line = piece("l", 99, "M", by, on=DAY + timedelta(days=1))
    wanted = money("e", key="M", by=by, tolerance=NEAR)
    assert run([wanted], [line]).lines["l"].status is Status.MATCHED
    changed = replace(line, **changes)  # type: ignore[arg-type]
    assert run([wanted], [changed]).lines["l"].status is Status.UNIDENTIFIED


def test_alike_names_within_the_rule_are_proposed() -> None:
    """A name that is written a little otherwise, with day and amount, is proposed."""
    wanted = money("e", tolerance=LIKE, text="Margarethe Huber")
    results = run([wanted], [piece("l", text="HUBER, Margarete rate maerz")])
    assert results.lines["l"].by is Pass.NEAR_NAME
    for text in ("Wang Xiaoming", "Huberta Magnus", ""):
        assert run([wanted], [piece("l", text=text)]).lines["l"].status is Status.UNIDENTIFIED


def test_without_a_likeness_in_the_rule_names_count_for_nothing() -> None:
    """A product that does not tolerate names gets no proposal by them."""
    wanted = money("e", tolerance=NEAR, text="Margarethe Huber")
    assert run([wanted], [piece("l", text="Margarethe Huber")]).lines["l"].status is (
        Status.UNIDENTIFIED
    )


@pytest.mark.parametrize("several", ["lines", "expectations"])
def test_a_proposal_needs_one_candidate_on_each_side(several: str) -> None:
    """Two lines for one expectation, or two expectations for one line, make no proposal."""
    wanted = [money("e1", tolerance=LIKE, text="Anna Schmidt")]
    lines = [piece("l1", text="Anna Schmidt")]
    if several == "lines":
        lines.append(piece("l2", 99, text="Anna Schmidt"))
    else:
        wanted.append(replace(wanted[0], id="e2"))
    results = run(wanted, lines)
    assert {it.cause for it in results.lines.values()} == {Cause.SEVERAL_FIT}


def test_the_beginning_of_a_word_that_very_many_have_brings_none_together() -> None:
    """Names are compared only where they share a word that few have, whatever their number."""
    wanted = [
        money(f"e{at}", 100 + 10 * at, tolerance=LIKE, text=f"Schmidt{at:03d}")
        for at in range(SHARED_MOST + 1)
    ]
    line = piece("l", text="Schmidt000")
    assert run(wanted[:-1], [line]).lines["l"].status is Status.MATCHED
    assert stands(run(wanted, [line])) == {"l": (Status.UNIDENTIFIED, None, Cause.NAMES_NOTHING)}


def test_a_line_in_doubt_gets_no_proposal() -> None:
    """What an exact pass found to be unclear is not settled by a tolerant one."""
    wanted = [money("e1", key="K"), money("e2", key="K")]
    wanted.append(money("e3", tolerance=LIKE, text="Anna Schmidt"))
    results = run(wanted, [piece("l", key="K", text="Anna Schmidt")])
    assert stands(results) == {"l": (Status.UNIDENTIFIED, None, Cause.SEVERAL_FIT)}


@pytest.mark.parametrize(
    "wrong", [{"fee_most_minor": -1}, {"days": -1}, {"similarity": 101}, {"similarity": -1}]
)
def test_a_tolerance_out_of_range_is_refused(wrong: dict[str, int]) -> None:
    """A rule that would mean nothing cannot be made."""
    with pytest.raises(InvalidInput):
        Tolerance(**wrong)  # type: ignore[arg-type]


def test_an_expectation_has_one_key_for_each_pass() -> None:
    """Two keys of one pass would let a line of either be a whole match."""
    with pytest.raises(InvalidInput):
        money("e", keys=(Key(E2E, "A"), Key(E2E, "B")))
