"""Files that mean harm, or were hurt on the way."""

import tracemalloc
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from adapters.statements.camt import CamtReader
from adapters.statements.guarded import Limits
from domain.statement.statement import Statement, StatementLine
from ports.statements import StatementRefused
from tests.adapters.statements import camt_writer
from tests.adapters.statements.endless import Endless

DAY = date(2026, 1, 5)
ROOT = f'<Document xmlns="{camt_writer.NAMESPACE.format(8)}"><BkToCstmrStmt><Stmt>'
LINE = StatementLine("", "A", DAY, DAY, 1, "CNY", "REF")


def refusal(file: bytes, limits: Limits | None = None) -> StatementRefused:
    with pytest.raises(StatementRefused) as caught:
        list(CamtReader(limits).pages(BytesIO(file)))
    return caught.value


def test_a_billion_laughs_never_reach_the_parser() -> None:
    """A document type with exploding entities is refused at its first word."""
    entities = '<!ENTITY a0 "lol">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)
    )
    file = f"<?xml version='1.0'?>\n<!DOCTYPE Document [{entities}]>\n{ROOT}<Id>&a9;</Id>"
    refused = refusal(file.encode())
    assert (refused.field, refused.line) == ("DOCTYPE", 2)


def test_an_external_entity_is_never_fetched(tmp_path: Path) -> None:
    """Naming a local file gets nothing but a refusal."""
    secret = tmp_path / "secret"
    secret.write_text("do not read me")
    file = f'<!DOCTYPE Document [<!ENTITY x SYSTEM "{secret.as_uri()}">]>{ROOT}<Id>&x;</Id>'
    refused = refusal(file.encode())
    assert refused.field == "DOCTYPE"
    assert "do not read me" not in str(refused)


def test_a_document_type_behind_a_long_comment_and_in_utf_16_is_found() -> None:
    """Neither padding over several reads nor another encoding hides it."""
    file = f"<!--{'x' * 200_000}--><!DOCTYPE Document><Document/>"
    assert refusal(file.encode()).field == "DOCTYPE"
    assert refusal(file.encode("utf-16")).field == "DOCTYPE"


def test_deep_nesting_is_refused() -> None:
    """Elements inside elements stop at the limit of depth."""
    assert "inside each other" in refusal((ROOT + "<a>" * 100_000).encode()).rule


def test_a_text_without_end_is_refused_while_it_is_small() -> None:
    """One element of 20 MiB is refused after 2 MiB, in bounded memory."""
    file = (ROOT + "<Id>" + "x" * (20 << 20)).encode()
    tracemalloc.start()
    refused = refusal(file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.field == "file"
    assert peak < 12 << 20


def test_siblings_without_end_are_refused() -> None:
    """A million balances before the first entry are not collected."""
    assert refusal((ROOT + "<Bal/>" * 1_000_000).encode()).field == "file"


def test_many_small_elements_before_the_entries_do_not_slow_each_entry() -> None:
    """A head of thousands of siblings is refused at the first entry, not searched for each one."""
    file = f"{ROOT}<Id>S</Id><Acct><Id><IBAN>A</IBAN></Id><Ccy>CNY</Ccy></Acct>{'<X/>' * 2000}"
    assert refusal((file + camt_writer.entry(LINE)).encode()).field == "XML"


def test_details_before_the_amount_are_refused_wherever_the_file_is_cut() -> None:
    """The order of the message is asked for, so that the size of a read changes no answer."""
    moved = camt_writer.amount(1, "CNY")
    file = camt_writer.document(Statement("S", "A", "CNY", 1, DAY, 0, 1, (LINE,))).decode()
    head, _, tail = file.partition(f"<Ntry>{moved}")
    late = f"{head}<Ntry>{tail}".replace("</NtryDtls>", f"<TxDtls/></NtryDtls>{moved}")
    assert refusal(late.encode()).field == "Ntry/Amt"


def test_size_statements_entries_and_items_have_limits() -> None:
    """Each limit of its own is refused by the name of what is too much."""
    file = camt_writer.document(Statement("S", "A", "CNY", 1, DAY, 0, 3, (LINE,) * 3))
    assert refusal(file, Limits(size_bytes=len(file) - 1)).field == "file"
    assert refusal(file, Limits(entries=2)).field == "Ntry"
    one = Statement("S", "A", "CNY", 1, DAY, 0, 0)
    assert refusal(camt_writer.document(one, one, one), Limits(statements=2)).rule == (
        "at most 2 statements in a file"
    )
    assert (
        len(list(CamtReader(Limits(statements=2)).pages(BytesIO(camt_writer.document(one, one)))))
        == 2
    )
    batch = file.replace(b"</NtryDtls>", b"<TxDtls/><TxDtls/></NtryDtls>")
    assert refusal(batch, Limits(items=1)).field == "Ntry/NtryDtls"
    assert len(list(CamtReader(Limits(size_bytes=len(file))).pages(BytesIO(file)))) == 1


def test_a_file_cut_off_anywhere_is_refused() -> None:
    """No prefix of a file is taken for a statement."""
    file = camt_writer.document(Statement("S", "A", "CNY", 1, DAY, 0, 1, (LINE,)))
    for length in range(len(file)):
        refused = refusal(file[:length])
        assert refused.field in {"XML", "BkToCstmrStmt/Stmt"}


@pytest.mark.parametrize(
    "file",
    [
        b"\x00\x01\x02",
        b"{}",
        b"<Document/>",
        b'<?xml version="1.0" encoding="klingon"?><Document/>',
        b"<html><body/></html>",
        b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.008.001.02"/>',
        b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.01"/>',
        b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.%s"/>' % (b"9" * 10_000),
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.\u00b2"/>'.encode(),
    ],
)
def test_what_is_no_statement_is_refused(file: bytes) -> None:
    """Noise, other formats and other messages end in a refusal, never in another error."""
    assert refusal(file).rule


def test_a_refusal_shows_only_the_beginning_of_a_long_value() -> None:
    """A refusal goes to logs and pages: it never carries a whole remittance text."""
    file = f"{ROOT}<Id>{'9' * 5000}</Id></Stmt></BkToCstmrStmt></Document>"
    assert len(str(refusal(file.encode()).value)) <= 80


def test_memory_does_not_grow_with_the_file() -> None:
    """20,000 entries from a stream that cannot seek need no more room than a few pages."""
    statement = Statement("S", "A", "CNY", 1, DAY, 0, 20_000, (LINE,) * 20_000)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    source = cast("BinaryIO", Endless(camt_writer.parts((statement,))))
    lines = sum(len(page.lines) for page in CamtReader().pages(source))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lines == 20_000
    assert peak - before < 6 << 20


def test_a_stream_that_cannot_seek_is_refused_without_a_line() -> None:
    """Where the file cannot be read again, the refusal still names field and rule."""
    parts = iter([ROOT, "<Id>S</Id></Stmt></BkToCstmrStmt></Document>"])
    with pytest.raises(StatementRefused) as caught:
        list(CamtReader().pages(cast("BinaryIO", Endless(parts))))
    assert (caught.value.field, caught.value.line) == ("Stmt/Acct/Ccy", None)
