"""Takes statement files from their sources: keeps what is new and whole, and has it read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from domain.errors import InvalidInput
from domain.kernel import canonical
from domain.kernel.command import Actor
from domain.statement.broken import EndStatementBreak, RecordStatementBreak, StatementBreak
from domain.statement.expected import LOOK_BACK
from domain.text import cleaned
from ports.archive import Archive, Look
from ports.books import Books
from ports.clock import Clock
from ports.drivers import Starter
from ports.statementsource import SourceUnavailable, StatementFile, StatementSource

COLLECTOR = Actor("system", "collector")
FILES_MOST = 500
"""Files of one account that one look fetches; later ones are fetched by the next."""
FAULTS_MOST = 500
_SUBJECT_MOST = 160


@dataclass(frozen=True, slots=True)
class Collected:
    """Statement files: on offer, started to be read, and what could not be fetched."""

    offered: int = 0
    started: int = 0
    faults: tuple[str, ...] = ()


class Collector:
    """Fetches from the sources of bank accounts. Whatever fails holds up nothing behind it.

    A file is kept before it is read. A process that dies between the two leaves a file that is kept
    and still on offer: the next look has it read. Only then is it moved out of the way.
    """

    def __init__(
        self,
        sources: Mapping[str, StatementSource],
        archive: Archive,
        books: Books,
        starter: Starter,
        clock: Clock,
    ) -> None:
        self._sources, self._archive, self._books = sources, archive, books
        self._starter, self._clock = starter, clock
        self._failed: dict[str, frozenset[tuple[str, str]]] = {}
        """By account, the files that could not be opened at the last look, with their stamps."""

    async def collect(self, tenant: str, account: str, last: date, done: Collected) -> Collected:
        """Take what the source of one account offers for booking days up to `last`."""
        source = self._sources.get(account)
        if source is None:
            return _with_fault(done, f"{account}: no source of statements")
        try:
            files = await source.offered(last - LOOK_BACK, last)
        except (SourceUnavailable, InvalidInput) as error:
            return _with_fault(done, f"{account}: {error}")
        done = replace(done, offered=done.offered + len(files))
        looks = await self._looks(account, files)
        hashes = {file.id: _hash_of(file, looks) for file in files}
        kept = await self._archive.kept([name for name in hashes.values() if name is not None])
        fetched, failed = 0, self._failed.get(account, frozenset())
        still = set[tuple[str, str]]()
        # Those that failed come last: however many there are, they hold up none that can be read.
        for file in sorted(files, key=lambda it: (_name_of(it) in failed, _place(it))):
            sha256, look = hashes[file.id], looks.get(file.id)
            if sha256 is not None and sha256 in kept:
                is_read = kept[sha256]
                done = await self._again(
                    tenant, source, account, file, sha256, done, is_read=is_read
                )
            elif look is None or self._is_whole(source, look):
                fetched += 1
                if fetched > FILES_MOST:
                    still |= {_name_of(file)} & failed
                    continue
                faults = len(done.faults)
                done = await self._fetch(tenant, source, account, file, look, done)
                if len(done.faults) > faults:
                    still.add(_name_of(file))
        self._failed[account] = frozenset(still)
        if fetched > FILES_MOST:
            left = f"{fetched - FILES_MOST} files of {account} wait for the next look"
            done = _with_fault(done, left)
        return done

    async def _looks(self, account: str, files: Sequence[StatementFile]) -> Mapping[str, Look]:
        """What is remembered of the files that may still be growing; of the others nothing is."""
        stamps = {file.id: file.stamp for file in files if file.stamp}
        if len(stamps) < len(files):  # they announce their hashes
            return {}
        return await self._archive.look_at(account, stamps)

    def _is_whole(self, source: StatementSource, look: Look) -> bool:
        """Whether a file has looked the same for long enough, and is none that was refused."""
        since = (self._clock.now() - look.since).total_seconds()
        return not look.is_refused and since >= source.settle_s

    async def _again(
        self,
        tenant: str,
        source: StatementSource,
        account: str,
        file: StatementFile,
        sha256: str,
        done: Collected,
        *,
        is_read: bool,
    ) -> Collected:
        """Have a kept file read that is not, and move it out of the way if it lies there still."""
        if not is_read:
            started = await self._starter.start_statement(tenant, sha256, account)
            done = replace(done, started=done.started + started)
        return await self._moved(source, file, done) if file.stamp else done

    async def _fetch(
        self,
        tenant: str,
        source: StatementSource,
        account: str,
        file: StatementFile,
        look: Look | None,
        done: Collected,
    ) -> Collected:
        try:
            async with source.open(file) as parts:
                sha256 = await self._archive.keep("statement", parts, account)
        except SourceUnavailable as error:
            return _with_fault(done, f"{file.id}: {error}")
        except InvalidInput as error:
            return await self._refuse(source, account, file, look, error, done)
        except OSError as error:  # of our own disk, such as one that is full
            return _with_fault(done, f"{file.id}: it cannot be kept: {error.strerror}")
        if file.sha256 is not None and sha256 != file.sha256:
            done = _with_fault(done, f"{file.id}: its content is not what the bank announced")
        if look is not None:
            if look.refused:
                await self._came_after_all(account, file, sha256)
            await self._archive.looked(account, file.id, replace(look, sha256=sha256, refused=""))
        is_read = look is not None and (await self._archive.kept([sha256]))[sha256]
        return await self._again(tenant, source, account, file, sha256, done, is_read=is_read)

    async def _moved(
        self, source: StatementSource, file: StatementFile, done: Collected
    ) -> Collected:
        try:
            await source.taken(file)
        except SourceUnavailable as error:
            return _with_fault(done, f"{file.id}: it is kept and stays where it is: {error}")
        return done

    async def _refuse(
        self,
        source: StatementSource,
        account: str,
        file: StatementFile,
        look: Look | None,
        error: InvalidInput,
        done: Collected,
    ) -> Collected:
        """A file that no later look can take either is a case; the other files go on."""
        subject = _subject(account, file)
        command = RecordStatementBreak(
            id=f"break/not_fetched/{canonical.digest((subject, file.stamp, str(error)))[:16]}",
            actor=COLLECTOR,
            reason="a statement file could not be fetched",
            what=StatementBreak.FILE_NOT_FETCHED,
            subject=subject,
            text=cleaned(f"statement {file.id} of {account} is on offer: {error}"),
        )
        await self._books.apply(command)
        done = _with_fault(done, f"{file.id}: {error}")
        if look is None:
            return done
        await self._archive.looked(account, file.id, replace(look, refused=look.stamp))
        try:
            await source.put_aside(file)
        except SourceUnavailable as fault:
            return _with_fault(done, f"{file.id}: it stays where it is: {fault}")
        return done

    async def _came_after_all(self, account: str, file: StatementFile, sha256: str) -> None:
        """A file that could not be taken has come under its name with another content."""
        subject = _subject(account, file)
        command = EndStatementBreak(
            id=f"break/fetched/{canonical.digest((subject, file.stamp, sha256))[:16]}",
            actor=COLLECTOR,
            reason="a statement file could be fetched",
            what=StatementBreak.FILE_NOT_FETCHED,
            subject=subject,
            text=f"it is kept as {sha256}",
        )
        await self._books.apply(command)


def _place(file: StatementFile) -> tuple[date, int, str]:
    return (file.booked_on or date.min, file.sequence, file.id)


def _name_of(file: StatementFile) -> tuple[str, str]:
    return (file.id, file.stamp)


def _hash_of(file: StatementFile, looks: Mapping[str, Look]) -> str | None:
    look = looks.get(file.id)
    return file.sha256 if look is None else look.sha256


def _subject(account: str, file: StatementFile) -> str:
    return cleaned(f"{account}/{file.id}")[:_SUBJECT_MOST]


def _with_fault(done: Collected, fault: str) -> Collected:
    return replace(done, faults=(*done.faults, fault)[:FAULTS_MOST])
