"""Checks of a loan before it is boarded, the same for a tape and for upstream."""

from dataclasses import replace

from adapters.products.translate import ProductFile
from domain.errors import InvalidInput
from domain.loan.boarding import BoardLoan
from domain.pricing.costs import broken_caps, check_caps
from domain.pricing.schedule import Method

GAP_DAYS = 366
"""Days by which a due date may be later than its frequency says: grace, harvests, holidays."""


def check_cost(command: BoardLoan) -> None:
    """Refuse a loan that breaks a ceiling of its product, as the books would.

    Raises:
        InvalidInput: names the cost, the rule and its cap.
    """
    rules, principal = command.product.caps, command.principal_minor
    check_caps(broken_caps(rules, principal, command.disbursed_on, command.schedule))


def with_id(command: BoardLoan) -> BoardLoan:
    """The command under an id made of its loan and content.

    The same loan has the same id by whatever way it comes, and one that was refused can be
    corrected: its new content is a new command.
    """
    name = f"board/{command.tenant}/{command.loan_id}/{command.identity()[:20]}"
    return replace(command, id=name)


def check_gaps(
    command: BoardLoan, chosen: ProductFile, periods: int, first: str, unusual: int = 0
) -> None:
    """Refuse due dates further apart than the product's frequency and `GAP_DAYS` allow.

    Args:
        command: the loan.
        chosen: its product; the one line of a bullet may lie all its periods ahead.
        periods: how many the loan has.
        first: the field that gives the first due date.
        unusual: the number of a line that falls due on no regular day; 0 for none.

    Raises:
        InvalidInput: a due date that looks like a typing error, such as one ten years late.
    """
    how = chosen.schedule
    steps = periods if how.method is Method.BULLET else 1
    start = command.disbursed_on
    for line in command.schedule:
        if line.number == unusual:
            continue
        regular = how.every.date_at(start, steps)
        if (line.due_on - regular).days > GAP_DAYS:
            field = first if line.number == 1 else f"schedule[{line.number}].due_on"
            raise InvalidInput(field, line.due_on, f"at most {GAP_DAYS} days after {regular}")
        start = line.due_on
