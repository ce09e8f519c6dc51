"""`/v1/loans`: board one, get, list, schedule, story."""

from dataclasses import replace
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from api.doors import After, Bound, Calling, Doors, Limit, Ports
from api.idempotent import KeyHeader
from api.money import ComponentOut, Currency, MoneyIn, MoneyOut, components, money
from api.problems import ALWAYS, ON_WRITES, Problem, documented
from domain.access.rights import Right
from domain.errors import Conflict, InvalidInput
from domain.kernel.canonical import bounded
from domain.kernel.change import Refused
from domain.loan.aggregate import Installment, Loan
from domain.loan.boarding import BoardLoan
from domain.money import decimal_text
from domain.story.words import in_words
from ports.boarding import LoanApplication

ID = r"^[A-Za-z0-9._-]{1,80}$"
LoanId = Annotated[str, Path(pattern=ID, description="The id that upstream gave it.")]
Number = Annotated[int, Path(ge=1, le=1200, description="In the schedule, from 1.")]
Token = Annotated[str, Field(min_length=1, max_length=120)]
LINES_MOST = 1200

router = APIRouter(prefix="/v1/loans", tags=["loans"])


class LineIn(BaseModel):
    """A row of a schedule that was agreed upstream."""

    model_config = ConfigDict(extra="forbid")

    due_on: date
    principal: MoneyIn
    interest: MoneyIn
    fee: MoneyIn | None = None


class LoanIn(BaseModel):
    """A loan to board: its terms, whom it debits, and tokens in place of persons and accounts."""

    model_config = ConfigDict(extra="forbid")

    loan_id: Annotated[str, Field(pattern=ID)]
    borrower: Token
    product: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,80}(@[0-9]{1,6})?$")]
    principal: MoneyIn
    annual_rate: Annotated[str, Field(pattern=r"^[0-9]{1,4}(\.[0-9]{1,6})?$")]
    periods: Annotated[int, Field(ge=1, le=LINES_MOST)]
    disbursed_on: date
    first_due_on: date | None = None
    installment: MoneyIn | None = None
    mandate_ref: Token
    account_token: Token
    mandate_cap: MoneyIn | None = None
    mandate_valid_to: date | None = None
    past: Annotated[str, Field(pattern=r"^(refuse|ignore|owed)$")] = "refuse"
    schedule: Annotated[list[LineIn], Field(max_length=LINES_MOST)] = []


class LoanBoarded(BaseModel):
    """A loan that is on the books."""

    loan_id: str
    product: str
    principal: MoneyOut
    installments: int


class InstallmentBrief(BaseModel):
    """An installment as far as a loan shows it."""

    number: int
    due_on: date
    state: str
    asked: MoneyOut


class LoanOut(BaseModel):
    """A loan."""

    loan_id: str
    borrower: str
    product: str
    principal: MoneyOut
    disbursed_on: date
    version: int
    installments: list[InstallmentBrief]


class LoanListed(BaseModel):
    """A loan in a list."""

    loan_id: str
    product: str
    version: int


class LoanPage(BaseModel):
    """A page of loans."""

    items: list[LoanListed]
    next: str | None


class ScheduleLineOut(BaseModel):
    """An installment by component: as scheduled, and as it is owed now."""

    number: int
    due_on: date
    state: str
    scheduled: list[ComponentOut]
    owed: list[ComponentOut]
    forgiven: list[ComponentOut]
    written_off: list[ComponentOut]


class ScheduleOut(BaseModel):
    """The schedule of a loan."""

    loan_id: str
    currency: Currency
    installments: list[ScheduleLineOut]


class StoryEventOut(BaseModel):
    """What one command did, in words; `at` in the zone of the loan."""

    at: str
    number: int | None
    what: str
    actor: str
    approver: str
    reason: str
    command: str
    effects: list[str]


class StoryPage(BaseModel):
    """A page of a story."""

    items: list[StoryEventOut]
    next: str | None


@router.post(
    "",
    status_code=201,
    summary="Board one loan",
    responses=documented(
        *ALWAYS, *ON_WRITES, "resource.unknown", "order.refused", "resource.conflict"
    ),
)
async def board(
    body: LoanIn, caller: Calling, doors: Ports, response: Response, key: KeyHeader = None
) -> LoanBoarded:
    """Put a loan on the books; the same loan again is answered in the same way."""
    product = body.product.partition("@")[0]
    portfolio = await doors.portfolios.of_product(product)
    await doors.check(caller, Right.BOARD, portfolio, f"loan {body.loan_id}")

    async def work(name: str) -> LoanBoarded:
        command = _command(body, doors)
        named = bounded(f"{caller.door}/board/{name}")
        command = replace(command, id=named, actor=caller.actor, reason="boarded by the API")
        try:
            answer = await doors.books.apply(command)
        except Conflict:
            raise Problem("resource.conflict", field="loan_id") from None
        if isinstance(answer, Refused):
            raise Problem("order.refused", rule=answer.rule, detail=answer.reason)
        return LoanBoarded(
            loan_id=command.loan_id,
            product=command.product.ref,
            principal=money(command.principal_minor, command.currency),
            installments=len(command.schedule),
        )

    asked = body.model_dump(mode="json")
    done = await doors.once.do(caller, key, asked, "POST /v1/loans", work)
    response.headers["Location"] = f"/v1/loans/{body.loan_id}"
    return done


@router.get("", summary="List loans", responses=documented(*ALWAYS, "request.cursor"))
async def list_loans(
    caller: Calling, doors: Ports, after: After = "", limit: Limit = 50
) -> LoanPage:
    """Loans of the portfolios that the caller sees, by their ids."""
    seen = await doors.seen(caller, Right.READ_LOANS, "loans")
    bound = Bound("loans", (), seen)
    page = await doors.lists.loan_rows(seen, bound.take(after), limit)
    items = [
        LoanListed(loan_id=r.loan_id, product=r.product, version=r.version) for r in page.items
    ]
    return LoanPage(items=items, next=bound.give(page.after))


_ONE = documented(*ALWAYS, "resource.unknown")


@router.get("/{loan_id}", summary="Get a loan", responses=_ONE)
async def get_loan(loan_id: LoanId, caller: Calling, doors: Ports) -> LoanOut:
    """A loan with its installments."""
    loan = await loan_of(doors, caller, loan_id)
    return LoanOut(
        loan_id=loan.id,
        borrower=loan.borrower,
        product=loan.product.ref,
        principal=money(loan.principal_minor, loan.currency),
        disbursed_on=loan.disbursed_on,
        version=loan.version,
        installments=[
            InstallmentBrief(
                number=item.number,
                due_on=item.due_on,
                state=item.state,
                asked=money(asked_minor(item), loan.currency),
            )
            for item in loan.installments
        ],
    )


@router.get("/{loan_id}/schedule", summary="Get a schedule", responses=_ONE)
async def get_schedule(loan_id: LoanId, caller: Calling, doors: Ports) -> ScheduleOut:
    """What is scheduled, owed, forgiven and written off, by component."""
    loan = await loan_of(doors, caller, loan_id)
    return ScheduleOut(
        loan_id=loan.id,
        currency=loan.currency,
        installments=[
            ScheduleLineOut(
                number=item.number,
                due_on=item.due_on,
                state=item.state,
                scheduled=components(item.scheduled, loan.currency),
                owed=components(item.owed, loan.currency),
                forgiven=components(item.forgiven, loan.currency),
                written_off=components(item.written_off, loan.currency),
            )
            for item in loan.installments
        ],
    )


@router.get(
    "/{loan_id}/story",
    summary="Read what happened to a loan",
    responses=documented(*ALWAYS, "resource.unknown", "request.cursor"),
)
async def get_story(
    loan_id: LoanId, caller: Calling, doors: Ports, after: After = "", limit: Limit = 50
) -> StoryPage:
    """What commands did to a loan, causes before effects."""
    return await story_page(doors, await loan_of(doors, caller, loan_id), None, after, limit)


async def loan_of(doors: Doors, caller: Calling, loan_id: str) -> Loan:
    """A loan that the caller may read.

    Raises:
        Problem: there is none in what it sees.
    """
    await doors.check_loan(caller, Right.READ_LOANS, loan_id)
    loan = await doors.drivers.loan(loan_id)
    if loan is None:
        raise Problem("resource.unknown")
    return loan


async def story_page(
    doors: Doors, loan: Loan, number: int | None, after: str, limit: int
) -> StoryPage:
    """A page of the story of a loan or of one installment."""
    bound = Bound("story", (loan.id, number), frozenset())
    page = await doors.console.story(loan.id, number, bound.take(after), limit)
    told = in_words(page.items, ZoneInfo(loan.product.timezone), loan.currency)
    items = [
        StoryEventOut(
            at=one.at,
            number=one.number,
            what=one.what,
            actor=one.actor,
            approver=one.approver,
            reason=one.reason,
            command=one.command,
            effects=list(one.effects),
        )
        for one in told
    ]
    return StoryPage(items=items, next=bound.give(page.after))


def asked_minor(item: Installment) -> int:
    """What an installment asks for now: what is scheduled until it falls due, then what is owed."""
    return (item.owed if item.fell_due else item.scheduled).total


def _command(body: LoanIn, doors: Doors) -> BoardLoan:
    currency = body.principal.currency

    def text(amount: MoneyIn | None, field: str) -> str:
        if amount is None:
            return ""
        if amount.currency != currency:
            raise Problem("request.invalid", field=f"{field}.currency", rule="that of principal")
        return decimal_text(amount.amount_minor, currency)

    def day(value: date | None) -> str:
        return "" if value is None else value.isoformat()

    try:
        return doors.boarding.command(
            LoanApplication(
                tenant=doors.tenant,
                loan_id=body.loan_id,
                borrower=body.borrower,
                product=body.product,
                principal=text(body.principal, "principal"),
                annual_rate=body.annual_rate,
                periods=str(body.periods),
                disbursed_on=day(body.disbursed_on),
                mandate_ref=body.mandate_ref,
                account_token=body.account_token,
                currency=currency,
                first_due_on=day(body.first_due_on),
                installment=text(body.installment, "installment"),
                mandate_cap=text(body.mandate_cap, "mandate_cap"),
                mandate_valid_to=day(body.mandate_valid_to),
                past="" if body.past == "refuse" else body.past,
                schedule=tuple(
                    (
                        day(line.due_on),
                        text(line.principal, "schedule.principal"),
                        text(line.interest, "schedule.interest"),
                        text(line.fee, "schedule.fee") or "0",
                    )
                    for line in body.schedule
                ),
            )
        )
    except InvalidInput as fault:
        raise Problem("request.invalid", field=fault.field, rule=fault.rule) from None
