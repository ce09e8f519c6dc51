"""Files of MT940: cut off, hostile, of old systems, and those that others made."""

from io import BytesIO
from pathlib import Path

import pytest

from adapters.statements.anyfile import StatementFileReader
from adapters.statements.guarded import Limits
from adapters.statements.mt940 import SwiftReader
from domain.statement.statement import (
    Fault,
    FaultRule,
)
from tests.adapters.statements.swift_messages import faults, message, refused

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "data" / "statements" / "mt940"


def test_what_is_no_message_is_refused() -> None:
    """Text without a message, a message that begins in its middle, entries before a balance."""
    assert refused("hello\r\nworld\r\n").field == ":20:"
    assert refused("hello\r\n" * 30).field == ":20:"
    assert refused(":28C:1\r\n:25:A1\r\n").rule == "a message begins with :20:"
    early = message().replace(":60F:", ":61:260105C1,NTRFX\r\n:60F:")
    assert refused(early).rule == "an opening balance before the entries"


def test_a_file_cut_off_anywhere_is_refused_or_says_what_is_missing() -> None:
    """No prefix of a statement that ends before its closing balance is taken for one."""
    whole = message(
        ":61:2601050105C1,00NTRFNONREF//B", ":86:166?20EREF+E1", closes="C260105EUR101,00"
    )
    end = whole.index(":62F:") + len(":62F:C260105EUR101")
    for length in range(end):
        assert refused(whole[:length]).field
    assert faults(whole) == [()]


def test_hostile_files_are_refused_within_limits() -> None:
    """NUL bytes, endless lines and fields, too many statements and entries, UTF-16, archives."""
    entry = ":61:2601050105C1,00NTRFNONREF"
    assert refused(message(entry + "\x00")).value == "a NUL byte"
    assert refused(message(":86:" + "x" * 100_000)).field == "line"
    assert refused(message(entry, ":86:x", *["y"] * 600)).field == ":86:"
    assert refused(message(entry, ":86:x", *["y" * 40_000] * 2)).field == ":86:"
    assert refused(message() * 3, Limits(statements=2)).field == ":20:"
    assert refused(message(entry, entry, entry), Limits(entries=2)).field == ":61:"
    assert refused(message(), Limits(size_bytes=50)).field == "file"
    assert refused(message(*[f":{n}X:a" for n in range(10, 99)] * 3)).rule
    assert refused(message().encode("utf-16")).value == "UTF-16"
    assert refused(b"PK\x03\x04" + message().encode()).field == "format"


def test_ends_of_lines_and_letters_of_old_files() -> None:
    """CR LF, LF and CR, letters in Windows-1252 or UTF-8, and a mark at the end, read alike."""
    text = message(":61:2601050105C1,00NTRFNONREF//B", ":86:166?20SVWZ+Müller & Söhne")
    texts = set()
    for end in ("\r\n", "\n", "\r"):
        for encoding in ("utf-8", "cp1252", "utf-8-sig"):
            content = text.replace("\r\n", end).encode(encoding) + b"\x1a"
            (one,) = StatementFileReader().read(BytesIO(content))
            texts.add(one.lines[0].text)
    assert texts == {"Müller & Söhne"}


needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="sample statements are not here")


@needs_samples
def test_a_german_file_of_many_accounts_reads_as_its_bank_meant_it() -> None:
    """Twenty accounts, five of them on several pages, 97 lines, every balance right."""
    with (SAMPLES / "betterplace-sepa_mt9401.sta").open("rb") as source:
        survey = StatementFileReader().survey(source)
    assert survey.format == "MT940"
    assert len(survey.statements) == 26
    assert len({one.head.account for one in survey.statements}) == 20
    assert sum(one.lines for one in survey.statements) == 97
    assert [one.faults for one in survey.statements] == [()] * 26
    first = survey.statements[0]
    assert (first.head.opening_minor, first.sum_minor) == (-123_471_836, -290_987)
    with (SAMPLES / "betterplace-sepa_mt9401.sta").open("rb") as source:
        lines = [line for one in StatementFileReader().read(source) for line in one.lines]
    reasons = [found.return_reason for line in lines for found in line.items]
    assert {reason for reason in reasons if reason} == {"AC01", "AC06", "MS03"}
    assert [line.amount_minor for line in lines if line.reversal] == [-20_488, -20_488]
    batches = [line.batch_ref for line in lines if line.batch_ref]
    assert "TFNr 01005 PayId CTSc-01 EBB" in batches


@needs_samples
def test_the_dutch_files_read_and_say_what_does_not_add_up() -> None:
    """Both were made from other figures: a balance and totals that differ are faults."""
    with (SAMPLES / "jejik-abnamro.sta").open("rb") as source:
        whole, page = SwiftReader().survey(source).statements
    assert (whole.head.account, whole.head.id, whole.lines) == ("517852257", "2011-19321", 8)
    assert whole.faults == (Fault(FaultRule.BALANCE_DIFFERS, "2011-19321", 87_684, 292_384),)
    assert (page.head.is_last_page, page.sum_minor, page.faults) == (False, -2_449, ())
    with (SAMPLES / "jejik-ing.sta").open("rb") as source:
        (one,) = SwiftReader().survey(source).statements
    assert (one.head.account, one.lines, one.sum_minor) == ("0001234567", 7, -4_559)
    assert (one.head.opening_minor, one.head.closing_minor) == (0, 347)
    assert [fault.rule for fault in one.faults] == [
        FaultRule.BALANCE_DIFFERS,
        FaultRule.SUMMARY_COUNT_DIFFERS,
        FaultRule.SUMMARY_SUM_DIFFERS,
    ]


@needs_samples
def test_the_30th_of_february_is_refused_with_its_reason() -> None:
    """A day that does not exist is not moved to one that does."""
    found = refused((SAMPLES / "self-provided-february_30.sta").read_bytes())
    assert (found.field, found.value, found.line) == (":61: value date", "160230", 6)
    assert found.rule == "a date that exists, as YYMMDD"


def test_dialects_that_begin_otherwise_are_read() -> None:
    """A line `:940:` before each message (Rabobank), and messages that begin with the account."""
    entry = ":61:2601050105C1,00NTRFNONREF//B"
    plain = message(entry, closes="C260105EUR101,00")
    begins, _, rest = plain.partition(":25:")
    assert begins.startswith(":20:")
    bare = f":25:{rest}"
    for text in (f":940:\r\n{plain}", f":940:\r\n{plain.removesuffix('-')}:940:\r\n{plain}", bare):
        found = list(StatementFileReader().read(BytesIO(text.encode())))
        assert {(one.id, one.account, len(one.lines)) for one in found} == {
            (found[0].id, found[0].account, 1)
        }
        assert len(found) == text.count(":25:")


def test_a_booking_day_without_year_is_one_of_the_statement() -> None:
    """Valued nine months before, in another year: the period of the statement says which."""
    opens, closes = "C260101EUR100,00", "C260105EUR101,00"
    text = message(":61:2504010102C1,00NTRFNONREF//B", opens=opens, closes=closes)
    (one,) = SwiftReader().read(BytesIO(text.encode()))
    assert [line.booked_on.isoformat() for line in one.lines] == ["2026-01-02"]
