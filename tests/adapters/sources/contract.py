"""What every statement source has to hold, whatever bank it asks: one suite, run over each.

A source's test file subclasses `SourceContract` and gives the fixtures `bank`, whose debits have
made statements of `bank.account`, and `nobody`, a source of an account that the bank does not have.
"""

import hashlib
from dataclasses import dataclass
from datetime import date

import pytest

from ports.statementsource import SourceUnavailable, StatementFile, StatementSource


@dataclass(frozen=True)
class StatedBank:
    """A source with statements on offer for booking days from `first` to `last`.

    `hashes`: of the files, where the source does not announce them.
    """

    source: StatementSource
    account: str
    first: date
    last: date
    hashes: frozenset[str] = frozenset()


async def content_of(source: StatementSource, file: StatementFile) -> bytes:
    """A whole file."""
    async with source.open(file) as parts:
        return b"".join([part async for part in parts])


class SourceContract:
    """Tests in terms of the port only."""

    async def test_files_are_listed_and_come_byte_for_byte(self, bank: StatedBank) -> None:
        """The hash in the list, if one is, is the hash of the file; each is of the account."""
        listed = await bank.source.offered(bank.first, bank.last)
        assert listed
        assert {file.account for file in listed} == {bank.account}
        for file in listed:
            assert file.booked_on is None or bank.first <= file.booked_on <= bank.last
            content = await content_of(bank.source, file)
            hashed = hashlib.sha256(content).hexdigest()
            assert hashed == file.sha256 or (file.sha256 is None and hashed in bank.hashes)

    async def test_an_account_that_the_bank_does_not_have_has_no_files(
        self, bank: StatedBank, nobody: StatementSource
    ) -> None:
        """Asking for nothing gives nothing."""
        assert await nobody.offered(bank.first, bank.last) == ()

    async def test_a_file_that_is_not_there_is_no_empty_file(self, bank: StatedBank) -> None:
        """It is a missing answer, which may be asked for again."""
        with pytest.raises(SourceUnavailable):
            await content_of(bank.source, StatementFile("no-such-statement", bank.account))
