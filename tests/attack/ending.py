"""How an attack ends: all news comes in, the calendar runs, people do what only they can do.

Then nothing may be in a transient state without a case (liveness), what the bank has is what the
books say, and every line that a person can name can be booked.
"""

from collections.abc import Iterator

from domain.kernel.change import Refusal
from domain.loan.lifecycle import State
from tests.attack.findings import Finding
from tests.attack.machine import Attack
from tests.attack.setup import CURRENCY
from tests.attack.truth import Named
from tests.support.doors import MatchLine, UndoMatch, Unhold

JUMPS = (1, 1, 1, 1, 2, 2, 3, 3, 5, 5, 7, 7, 10, 10, 15, 15)
LAST_JUMPS = (1, 2, 4, 7, 2, 5, 7, 10)
REST = frozenset({State.CLOSED, State.CANCELLED, State.DELINQUENT, State.WRITTEN_OFF})


def finish(attack: Attack) -> None:
    """Let everything come to its end, and judge it."""
    attack.trace.append("the end: all news comes, days pass")
    attack.is_mute = False
    for loan_id in attack.setup.loan_ids:
        for item in attack.books.loans[loan_id].installments:
            if item.hold is not None:
                attack.order(Unhold, loan_id, item.number)
    attack.batch()
    _pass_days(attack, JUMPS)
    _reconcile(attack)
    _pass_days(attack, LAST_JUMPS)
    for loan_id in attack.setup.loan_ids:
        for item in attack.books.loans[loan_id].installments:
            _check_rest(attack, loan_id, item.number)
    _check_truth(attack)


def _pass_days(attack: Attack, jumps: tuple[int, ...]) -> None:
    for jump in jumps:
        attack.wait_until_day(jump)
        attack.roll()
        for _ in range(3):
            attack.all_news()
            if not attack.work():
                break
        if not attack.bank.pending and _rests(attack):
            return


def _rests(attack: Attack) -> bool:
    """Whether nothing is in a transient state; a shared loan without payouts ends released."""
    ends = REST | {State.RELEASED} if attack.setup.parties > 1 else REST
    items = (item for loan in attack.books.loans.values() for item in loan.installments)
    return all(item.state in ends for item in items)


def _reconcile(attack: Attack) -> None:
    """A person matches every line that still waits to the money that it truly is.

    The largest come first: of two executions of an order, the smaller ones could leave no room for
    them. What one line is matched with may make room for another: the person goes through them
    again, and before that undoes what the books took for another execution of the order. At first
    a line is matched only with what it is certainly about.
    """
    if attack.oracle.is_lying:
        return
    lines = sorted(attack.bank.booked, key=lambda line: -abs(attack.bank.lines[line].amount_minor))
    for line_id in lines:
        for truth in attack.bank.truths[line_id]:
            _match(attack, line_id, truth, is_sure=True)
    for line_id in lines:
        if _is_left(attack, line_id):
            _undo(attack, attack.bank.truths[line_id])
    for line_id in lines:
        truths = attack.bank.truths[line_id]
        refused = [rule for truth in truths for rule in _match(attack, line_id, truth)]
        if _is_left(attack, line_id):
            left = attack.books.lines[line_id].open_minor
            raise Finding("line.never", f"{line_id}: {left} of {truths} stay open: {refused}")


def _is_left(attack: Attack, line_id: str) -> bool:
    """Whether something of a line is still to be explained, besides what is nobody's."""
    line, stray = attack.books.lines[line_id], attack.bank.strays.get(line_id, 0)
    is_known = bool(attack.bank.truths[line_id]) and line.currency == CURRENCY
    return is_known and line.open_minor != stray


def _undo(attack: Attack, truths: tuple[Named, ...]) -> None:
    """Undo the matches of returns of the same orders and references: one has another's room."""
    names = {name for truth in truths for name in (truth.order_no, truth.reference) if name}
    for line in list(attack.books.lines.values()):
        for match in line.matches:
            payment = attack.books.payments[match.payment]
            if match.minor < 0 and {payment.order_no, payment.reference} & names:
                order = {"line": line.id, "reference": match.payment}
                attack.order(UndoMatch, match.loan_id, 1, **order)


def _match(attack: Attack, line_id: str, truth: Named, *, is_sure: bool = False) -> list[str]:
    """Try what a person can say of a line; the rules by which it was refused.

    Once all of it is matched, the rest of the line is about other money. `is_sure`: of several
    executions of an order only one that the line is certainly about is tried.
    """
    refused: list[str] = []
    for ref in _certain(attack, truth) if is_sure else _names_of(attack, truth):
        for minor, fee in (
            *_said(truth, _left_of(attack, line_id, truth)),
            *_rest(attack, truth, ref),
        ):
            order = {"line": line_id, "reference": ref, "amount_minor": minor, **fee}
            loan, number = _where(attack, truth, ref)
            answer = attack.order(MatchLine, loan, number, **order)
            if not isinstance(answer, Refusal):
                if minor == abs(truth.minor) and (fee or not truth.fee_minor):
                    return refused
                break
            refused.append(answer.rule)
    return refused


def _names_of(attack: Attack, truth: Named) -> list[str]:
    """What a person may call the payment that a line is about, the likeliest first."""
    if truth.order_no:
        return [*_executions_of(attack, truth), truth.order_no]
    if not truth.reference:
        return []
    # The very payment by our id, since its payer's reference may be that of others too.
    refs = sorted(
        (r for r in attack.books.payments if _is_meant(attack, truth, r)),
        key=lambda r: attack.books.payments[r].value_on != truth.value_on,
    )
    if truth.reference in attack.books.payments:
        # A payer wrote what is the id of another payment: a person names theirs by its own id.
        refs += [r for r in attack.books.payments if _is_called(attack, truth, r)]
    else:
        refs.append(truth.reference)
    # What was recorded first may have been withdrawn.
    return [*dict.fromkeys(refs), f"{truth.reference}-again"]


def _certain(attack: Attack, truth: Named) -> list[str]:
    """Names of what a line is certainly about; all names where an order was executed once.

    Else the booking that the bank names on it, or the one execution of which just so much wants
    proof.
    """
    names, wants = _names_of(attack, truth), _wanting(attack, truth)
    if len(wants) < 2:
        return names
    named = [r for r in wants if _is_booking(attack, truth, r)]
    exact = [r for r in wants if wants[r] == abs(truth.minor)]
    return named or (exact if len(exact) == 1 else [])


def _executions_of(attack: Attack, truth: Named) -> list[str]:
    """The payments of an order: the execution that the bank names, then what wants such proof."""
    wants = _wanting(attack, truth)
    return sorted(
        wants,
        key=lambda r: (
            not _is_booking(attack, truth, r),
            not wants[r],
            wants[r] != abs(truth.minor),
        ),
    )


def _wanting(attack: Attack, truth: Named) -> dict[str, int]:
    """The payments of an order, and how much of each, or of its return, no line proves."""
    tally = attack.oracle.tally
    return {
        r: tally.unproven(truth.loan, r, is_return=truth.minor < 0)
        for r in tally.of_loan[truth.loan]
        if truth.order_no and tally.order_of.get((truth.loan, r)) == truth.order_no
    }


def _is_booking(attack: Attack, truth: Named, name: str) -> bool:
    """Whether a name is the id of the payment of the very booking that the bank means."""
    known = attack.books.payments.get(name)
    return known is not None and None is not known.bank_ref == truth.booking


def _is_meant(attack: Attack, truth: Named, portion: str) -> bool:
    """Whether a payment of a line's reference has its amount, and no line proves so much of it."""
    if not _is_called(attack, truth, portion):
        return False
    known = attack.books.payments[portion]
    if known.amount_minor != abs(truth.minor):
        return False
    if truth.minor > 0:
        return not (known.settled_minor or known.returned_minor)
    return not known.return_settled_minor


def _where(attack: Attack, truth: Named, name: str) -> tuple[str, int]:
    """The loan and installment that a person looks at: of a transfer for several, one it pays."""
    payments = attack.books.payments
    called = (p for p in payments.values() if truth.reference and p.reference == truth.reference)
    meant = [payments[name]] if name in payments else list(called)
    if not meant or any(truth.loan in payment.loans for payment in meant):
        return truth.loan, truth.number
    return meant[0].loans[0], 1


def _is_called(attack: Attack, truth: Named, portion: str) -> bool:
    """Whether a payment was recorded under the reference of a line, and stands."""
    known = attack.books.payments.get(portion)
    if known is None or known.is_withdrawn:
        return False
    return known.reference == truth.reference


def _left_of(attack: Attack, line_id: str, truth: Named) -> int:
    """What of a line is still to be explained, without what is truly nobody's.

    Of a line that nets to zero it is what waits in the direction that is meant.
    """
    line, stray = attack.books.lines[line_id], attack.bank.strays.get(line_id, 0)
    if line.amount_minor or stray:
        return line.open_minor - stray
    return sum(item.minor for item in line.waiting if item.minor * truth.minor > 0)


def _said(truth: Named, left: int) -> Iterator[tuple[int, dict[str, int]]]:
    """What a person may say of the rest of a line: money with its fee, money, or a fee alone."""
    fee = {"fee_minor": truth.fee_minor} if truth.fee_minor else {}
    if fee and abs(left) == truth.fee_minor:
        yield 0, fee
    elif left * truth.minor > 0:
        yield abs(truth.minor), fee
        yield min(abs(left), abs(truth.minor)), {}


def _rest(attack: Attack, truth: Named, ref: str) -> Iterator[tuple[int, dict[str, int]]]:
    """What a person may say of the last return of a payment: what wants proof, the rest is a fee.

    A line that came before had its fee inside and was taken for a return of so much.
    """
    fees = {
        other.fee_minor
        for several in attack.bank.truths.values()
        for other in several
        if truth.order_no and other.order_no == truth.order_no
    }
    tally = attack.oracle.tally
    wanted = tally.back[(truth.loan, ref)] - tally.legs(truth.loan, ref)[1]
    if 0 < wanted < -truth.minor and -truth.minor - wanted in fees:
        yield wanted, {"fee_minor": -truth.minor - wanted}


def _check_rest(attack: Attack, loan: str, number: int) -> None:
    item = attack.books.item(number, loan)
    where = f"{loan}/{number} {item.state.value}"
    owed = attack.oracle.tally.total("owed", loan, number)
    if item.state in REST or (item.state is State.RELEASED and attack.setup.parties > 1):
        if item.state is State.DELINQUENT and not owed:
            raise Finding("live.owes_nothing", where)
        return
    if attack.oracle.cases(loan, number) or _names(attack, loan, number):
        return
    raise Finding(
        "live.stuck",
        f"{where}, owes {owed}, without a case; {attack.books.view(number, loan).missing}",
    )


def _names(attack: Attack, loan: str, number: int) -> bool:
    """Whether an open line is truly about the installment."""
    return any(
        (truth.loan, truth.number) == (loan, number)
        for case in attack.books.cases.values()
        if case.line is not None
        for truth in attack.bank.truths.get(case.line, ())
    )


def _check_truth(attack: Attack) -> None:
    """Cash is what the lines say; an order's money is what the bank has of it, or visibly open."""
    oracle = attack.oracle
    cash: dict[str, int] = {}
    for line_id in attack.bank.booked:
        line = attack.bank.lines[line_id]
        cash[line.account] = cash.get(line.account, 0) + line.amount_minor
    for account, minor in cash.items():
        if (held := oracle.tally.accounts[(f"bank/{account}",)]) != minor:
            raise Finding("bank.balance", f"{account}: {held} booked, {minor} by lines")
    if oracle.is_lying:
        return
    for order_no in oracle.sent:
        net = attack.bank.net_of(order_no)
        booked = oracle.tally.came[(order_no,)] - oracle.tally.back[(order_no,)]
        if net == booked or any(
            oracle.tally.accounts[(f"suspense/line/{line_id}",)]
            for line_id in attack.bank.booked
            if any(truth.order_no == order_no for truth in attack.bank.truths[line_id])
        ):
            continue
        about = oracle.cases(oracle.sent[order_no].loan, oracle.sent[order_no].number)
        if any(case.kind == "return_of_more" for case in about):
            continue  # of two executions the rail did not say which one it took back
        raise Finding("bank.order", f"{order_no}: the bank has {net}, {booked} are booked")
    _check_proven(attack)


def _check_proven(attack: Attack) -> None:
    """All lines have come and were matched: whatever is booked of money is proven by them."""
    tally = attack.oracle.tally
    foreign = any(line.currency != CURRENCY for line in attack.bank.lines.values())
    names = [sent.reference for sent in attack.bank.transfers]
    is_unclear = len(names) != len(set(names))  # a line may be of either payment of that reference
    for loan in () if foreign or is_unclear else attack.setup.loan_ids:
        for portion in tally.of_loan[loan]:
            key = (loan, portion)
            legs, booked = tally.legs(*key), (tally.came[key], tally.back[key])
            is_withdrawn = booked[0] == booked[1] and not any(legs)
            if legs != booked and not is_withdrawn:
                raise Finding("bank.unproven", f"{loan} {portion}: {booked} booked, {legs} proven")
        if stale := [c.key for c in attack.oracle.cases(loan) if c.kind == "unsettled"]:
            raise Finding("case.stale", f"{loan}: {stale} are open and all is proven")
