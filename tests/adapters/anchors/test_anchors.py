"""Witnesses of checkpoints: what they give is verified, and what goes wrong is said in words."""

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from cryptography import x509

from adapters.anchors import calls
from adapters.anchors.folder import FolderAnchor
from adapters.anchors.http import HttpAnchor
from adapters.anchors.rfc3161 import TimestampAnchor
from adapters.signing.ed25519 import signed
from domain.errors import Conflict
from domain.ledger.checkpoint import (
    ED25519_COSIGNATURE,
    NOTE_MOST_BYTES,
    Checkpoint,
    PublicKey,
    TreeHead,
)
from ports.anchors import ANSWER_MOST_BYTES, Anchor, AnchorFailed
from tests.support.forging import a_signer
from tests.support.witnesses import NAME, SEEN_AT, Authority, Reply, plain_line, served, timed_line

AT = datetime(2026, 3, 2, 4, tzinfo=UTC)
WITNESS = a_signer(9)
PLAIN = PublicKey(NAME, WITNESS.public)
TIMED = PublicKey(NAME, WITNESS.public, None, ED25519_COSIGNATURE)


def checkpoint(size: int = 41, root: bytes = b"r" * 32) -> Checkpoint:
    head = TreeHead("acquit/b/main", size, root, "ab" * 32, AT)
    return Checkpoint(head, (signed(head.text(), head.origin, a_signer()),))


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of our own."""
    async with httpx.AsyncClient(trust_env=False) as made:
        yield made


# --- a folder -------------------------------------------------------------------------------------


async def test_a_folder_keeps_each_checkpoint_once(tmp_path: Path) -> None:
    """Whole, under its size, never replaced; the same again is the same testimony."""
    anchor: Anchor = FolderAnchor("vault", tmp_path)
    first = await anchor.witness(checkpoint(41))
    await anchor.witness(checkpoint(100))
    assert (await anchor.witness(checkpoint(41))) == first
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"acquit.b.main.{size:019d}.checkpoint" for size in (41, 100)]
    assert (tmp_path / names[0]).read_text() == checkpoint(41).text()
    digest = hashlib.sha256(checkpoint(41).text().encode()).hexdigest()
    assert first.content.decode() == f"{names[0]} sha256 {digest}\n"
    assert first.witnessed_at is None


async def test_a_folder_that_holds_another_checkpoint_contradicts(tmp_path: Path) -> None:
    """Two roots at one size are what a witness is there to show; its file stays."""
    anchor = FolderAnchor("vault", tmp_path)
    await anchor.witness(checkpoint())
    with pytest.raises(Conflict, match="anchor vault holds another checkpoint"):
        await anchor.witness(checkpoint(root=b"x" * 32))
    (file,) = tmp_path.iterdir()
    assert file.read_text() == checkpoint().text()


async def test_a_file_that_is_longer_contradicts(tmp_path: Path) -> None:
    """It is read up to the most that a checkpoint has."""
    anchor = FolderAnchor("vault", tmp_path)
    await anchor.witness(checkpoint())
    (file,) = tmp_path.iterdir()
    file.chmod(0o644)
    file.write_bytes(checkpoint().text().encode() + b"x" * NOTE_MOST_BYTES)
    with pytest.raises(Conflict):
        await anchor.witness(checkpoint())


async def test_a_folder_that_is_gone_is_no_witness(tmp_path: Path) -> None:
    """It is not made: a share that is not mounted would be written to the disk below."""
    with pytest.raises(AnchorFailed, match="anchor vault: its folder cannot be written"):
        await FolderAnchor("vault", tmp_path / "gone").witness(checkpoint())
    assert list(tmp_path.iterdir()) == []


# --- a server that signs --------------------------------------------------------------------------


async def test_a_server_signs_what_it_was_sent(client: httpx.AsyncClient) -> None:
    """The text goes as it is, with its digest as key; the answer is kept as it came."""
    with served(lambda content, _: (200, plain_line(content, WITNESS))) as witness:
        anchor: Anchor = HttpAnchor("partner", witness.url, [PLAIN], client)
        first = await anchor.witness(checkpoint())
        assert await anchor.witness(checkpoint()) == first
    content = checkpoint().text().encode()
    assert first.content == plain_line(content, WITNESS)
    assert first.witnessed_at is None
    assert [asked for asked, _ in witness.asked] == [content] * 2
    keys = {headers["idempotency-key"] for _, headers in witness.asked}
    assert keys == {hashlib.sha256(content).hexdigest()}


async def test_a_signature_with_a_time_says_when(client: httpx.AsyncClient) -> None:
    """As witnesses of transparency logs sign: the time is part of what is signed."""
    with served(lambda content, _: (200, timed_line(content, WITNESS))) as witness:
        seen = await HttpAnchor("w", witness.url, [PLAIN, TIMED], client).witness(checkpoint())
    assert seen.witnessed_at == datetime.fromtimestamp(SEEN_AT, UTC) == AT


BAD = {
    "another status": (lambda _c, _h: (503, b""), "answered with status 503"),
    "a redirect": (lambda _c, _h: (302, b""), "answered with status 302"),
    "nothing": (lambda _c, _h: (200, b""), "without a signature"),
    "something else": (lambda _c, _h: (200, b"<html>"), "something else than signatures"),
    "no text": (lambda _c, _h: (200, b"\xff"), "something else than signatures"),
    "too much": (lambda _c, _h: (200, b"x" * (ANSWER_MOST_BYTES + 1)), "more than"),
    "a stranger": (lambda c, _h: (200, plain_line(c, a_signer(5))), "without a signature"),
    "another text": (
        lambda _c, _h: (200, plain_line(checkpoint(7).text().encode(), WITNESS)),
        "not genuine",
    ),
    "another time": (
        lambda c, _h: (200, timed_line(c, WITNESS)[:-20] + timed_line(c, WITNESS, 1)[-20:]),
        "not genuine",
    ),
}


@pytest.mark.parametrize("name", BAD)
async def test_an_answer_that_proves_nothing_is_a_failure(
    client: httpx.AsyncClient, name: str
) -> None:
    """It says which anchor and why, and shows nothing of the answer."""
    reply, why = BAD[name]
    with served(reply) as witness, pytest.raises(AnchorFailed, match=why) as failed:
        await HttpAnchor("partner", witness.url, [PLAIN, TIMED], client).witness(checkpoint())
    assert failed.value.anchor == "partner"
    assert "html" not in str(failed.value)


async def test_an_answer_that_is_packed_is_refused_and_none_is_asked_for(
    client: httpx.AsyncClient,
) -> None:
    """A few kilobytes may unpack to gigabytes: the answer is asked for and taken as it is only."""
    reply: Reply = lambda _c, _h: (200, b"x", {"Content-Encoding": "gzip"})  # noqa: E731
    with served(reply) as witness, pytest.raises(AnchorFailed, match="encoding"):
        await HttpAnchor("partner", witness.url, [PLAIN], client).witness(checkpoint())
    ((_, headers),) = witness.asked
    assert headers["accept-encoding"] == "identity"


async def test_an_answer_that_never_ends_is_a_failure(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole answer has a time, not only each part of it."""
    monkeypatch.setattr(calls, "ANSWER_MOST_S", 0.0)
    with (
        served(lambda content, _: (200, plain_line(content, WITNESS))) as witness,
        pytest.raises(AnchorFailed, match="no whole answer"),
    ):
        await HttpAnchor("partner", witness.url, [PLAIN], client).witness(checkpoint())


async def test_a_server_that_holds_another_checkpoint_contradicts(
    client: httpx.AsyncClient,
) -> None:
    """Status 409 is no failure to be tried again."""
    with served(lambda _c, _h: (409, b"")) as witness, pytest.raises(Conflict, match="partner"):
        await HttpAnchor("partner", witness.url, [PLAIN], client).witness(checkpoint())


async def test_a_server_that_is_away_is_a_failure(client: httpx.AsyncClient) -> None:
    """It is asked once; who calls decides about another try."""
    with served(lambda _c, _h: (200, b"")) as witness:
        url = witness.url
    with pytest.raises(AnchorFailed, match=r"gave no answer \(ConnectError\)"):
        await HttpAnchor("partner", url, [PLAIN], client).witness(checkpoint())


# --- a time stamping authority --------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Give an authority of `openssl ts` on this machine."""
    return Authority(tmp_path_factory.mktemp("tsa"))


def roots(authority: Authority) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(authority.roots.read_bytes())


async def test_a_stamp_is_verified_and_another_program_accepts_it(
    client: httpx.AsyncClient, authority: Authority
) -> None:
    """`openssl ts -verify` needs the checkpoint's file, the answer and the root."""
    with served(authority.reply) as witness:
        anchor: Anchor = TimestampAnchor("tsa", witness.url, roots(authority), client)
        seen = await anchor.witness(checkpoint())
    assert seen.witnessed_at is not None
    assert abs(datetime.now(UTC) - seen.witnessed_at) < timedelta(hours=1)
    (authority.folder / "one.checkpoint").write_text(checkpoint().text())
    (authority.folder / "one.tsr").write_bytes(seen.content)
    words = ("-data", "one.checkpoint", "-in", "one.tsr", "-CAfile", "ca.pem")
    assert "Verification: OK" in authority.run("ts", "-verify", *words)


async def test_a_stamp_of_another_authority_is_refused(
    client: httpx.AsyncClient, authority: Authority, tmp_path: Path
) -> None:
    """Only what leads to a root that was named is trusted."""
    stranger = Authority(tmp_path)
    with served(stranger.reply) as witness, pytest.raises(AnchorFailed, match="no valid stamp"):
        await TimestampAnchor("tsa", witness.url, roots(authority), client).witness(checkpoint())


async def test_a_stamp_of_another_request_is_refused(
    client: httpx.AsyncClient, authority: Authority
) -> None:
    """An old answer is given again: its number is not the one that was asked with."""
    answers = list[bytes]()

    def first_again(content: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        answers.append(authority.reply(content, headers)[1])
        return 200, answers[0]

    with served(first_again) as witness:
        anchor = TimestampAnchor("tsa", witness.url, roots(authority), client)
        await anchor.witness(checkpoint())
        with pytest.raises(AnchorFailed, match="no valid stamp"):
            await anchor.witness(checkpoint(7))


@pytest.mark.parametrize("body", [b"", b"nonsense", b"0\x80" * 2_000])
async def test_an_answer_that_is_no_stamp_is_a_failure(
    client: httpx.AsyncClient, authority: Authority, body: bytes
) -> None:
    """Whatever comes, it ends in words."""
    with served(lambda _c, _h: (200, body)) as witness:
        anchor = TimestampAnchor("tsa", witness.url, roots(authority), client)
        with pytest.raises(AnchorFailed, match="something else than a stamp"):
            await anchor.witness(checkpoint())
