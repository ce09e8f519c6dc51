"""What a rail reports is on the books when it is answered with 200, read or not."""

from adapters.intake import BooksIntake
from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from ports.rail import UnparsedEvent


async def test_a_proven_report_that_nobody_can_read_is_kept_as_a_case(
    books: SqlBooks, queries: SqlQueries
) -> None:
    """The rail takes 200 for kept and sends no more: delivered twice, it is one case."""
    intake = BooksIntake(books)
    for _ in range(2):
        await intake.take("simbank", UnparsedEvent("wh_1", "order.reversed"))
    await intake.take("simbank", UnparsedEvent("wh_2", "unreadable"))
    cases = {case.key: case for case in (await queries.cases()).items}
    assert sorted(cases) == ["unparsed/simbank/wh_1", "unparsed/simbank/wh_2"]
    assert cases["unparsed/simbank/wh_1"].kind == "unparsed_event"
    assert "order.reversed" in cases["unparsed/simbank/wh_1"].text
