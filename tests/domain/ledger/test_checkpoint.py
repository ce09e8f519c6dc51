"""Checkpoints as text: what is written is read back, and what breaks a rule is refused by name."""

import base64
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.ledger.checkpoint import (
    ED25519_COSIGNATURE,
    KEYS_MOST,
    NOTE_MOST_BYTES,
    SIGNATURES_MOST,
    Checkpoint,
    PublicKey,
    Signature,
    TreeHead,
    origin_of,
    read_checkpoint,
    read_public_keys,
    read_signatures,
)
from domain.ledger.merkle import SIZE_MOST

AT = datetime(2026, 3, 10, 4, 5, 6, 7, tzinfo=UTC)
ORIGIN = origin_of("b" * 32, "main")
HEAD = TreeHead(ORIGIN, 41, bytes(range(32)), "ab" * 32, AT)
SIGNED = Signature(ORIGIN, b"\x01\x02\x03\x04", b"s" * 64)
WRITTEN = Checkpoint(HEAD, (SIGNED,)).text()


def test_a_checkpoint_is_the_text_that_others_read() -> None:
    """The form is that of C2SP: origin, size, root, extension lines, empty line, signatures."""
    root = base64.b64encode(bytes(range(32))).decode()
    signature = base64.b64encode(b"\x01\x02\x03\x04" + b"s" * 64).decode()
    written = Checkpoint(HEAD, (SIGNED,)).text()
    assert written == (
        f"acquit/{'b' * 32}/main\n41\n{root}\nhead {'ab' * 32}\n"
        f"time 2026-03-10T04:05:06.000007Z\n\n\N{EM DASH} acquit/{'b' * 32}/main {signature}\n"
    )


@given(
    st.integers(1, SIZE_MOST),
    st.binary(min_size=32, max_size=32),
    st.datetimes(timezones=st.just(UTC)),
    st.lists(st.binary(min_size=4, max_size=4), min_size=1, max_size=SIGNATURES_MOST, unique=True),
)
def test_what_is_written_is_read_back(
    size: int, root: bytes, at: datetime, ids: list[bytes]
) -> None:
    """Nothing is lost and nothing is added."""
    signatures = tuple(Signature(ORIGIN, key_id, b"s" * 64) for key_id in ids)
    found = Checkpoint(TreeHead(ORIGIN, size, root, "0" * 64, at), signatures)
    assert read_checkpoint(found.text()) == found


BROKEN: dict[str, tuple[str, str]] = {
    "nothing": ("", "checkpoint"),
    "no signatures": (HEAD.text(), "checkpoint"),
    "no line of signature": (HEAD.text() + "\n", "checkpoint"),
    "a line too many": (WRITTEN.replace("\n\n", "\nmore\n\n"), "checkpoint"),
    "too long": (WRITTEN + "x" * NOTE_MOST_BYTES, "checkpoint"),
    "a name with a space": (WRITTEN.replace("acquit/", "a b/", 1), "checkpoint origin"),
    "a name with a plus": (WRITTEN.replace("acquit/", "a+b/", 1), "checkpoint origin"),
    "a name with an escape": (WRITTEN.replace("acquit/", "a\x1b[2J/", 1), "checkpoint origin"),
    "a long name": (WRITTEN.replace("acquit/", "a" * 200, 1), "checkpoint origin"),
    "a size of zero": (WRITTEN.replace("\n41\n", "\n0\n"), "checkpoint size"),
    "a negative size": (WRITTEN.replace("\n41\n", "\n-41\n"), "checkpoint size"),
    "a size with a zero before": (WRITTEN.replace("\n41\n", "\n041\n"), "checkpoint size"),
    "an endless size": (WRITTEN.replace("\n41\n", f"\n{'9' * 19}\n"), "checkpoint size"),
    "a size in other digits": (WRITTEN.replace("\n41\n", "\n\u0664\u0661\n"), "checkpoint size"),
    "a root that is no base64": (WRITTEN.replace("AAEC", "A?EC", 1), "checkpoint root"),
    "a short root": (WRITTEN.replace("AAEC", "", 1), "checkpoint root"),
    "loose bits in a root": (WRITTEN.replace("Hh8=", "Hh9="), "checkpoint root"),
    "a head in capitals": (WRITTEN.replace("ab" * 32, "AB" * 32), "checkpoint head"),
    "another word for the head": (WRITTEN.replace("head ", "last "), "checkpoint head"),
    "no time": (WRITTEN.replace("time 2026-03-10T04:05:06.000007Z", "time now"), "checkpoint time"),
    "a time without a zone": (WRITTEN.replace("07Z", "07"), "checkpoint time"),
    "another word for the time": (WRITTEN.replace("time ", "when "), "checkpoint time"),
    "a signature that is no base64": (WRITTEN.replace("AQIDBHNz", "AQID?HNz"), "signature"),
    "a short signature": (
        HEAD.text() + "\n" + replace(SIGNED, content=b"s" * 60).line(),
        "signature",
    ),
    "no dash": (WRITTEN.replace("\N{EM DASH} ", "- "), "signature"),
    "a signature of nobody": (
        WRITTEN.replace(f"\N{EM DASH} {ORIGIN}", "\N{EM DASH} "),
        "signature",
    ),
    "half a line": (WRITTEN[:-1], "signatures"),
    "the same signature twice": (WRITTEN + SIGNED.line(), "signatures"),
    "too many signatures": (
        HEAD.text()
        + "\n"
        + "".join(
            replace(SIGNED, key_id=bytes([n] * 4)).line() for n in range(SIGNATURES_MOST + 1)
        ),
        "signatures",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_a_rule_is_refused_by_name(name: str) -> None:
    """The error says which line, shows a part of it, and what would be right."""
    text, field = BROKEN[name]
    with pytest.raises(InvalidInput) as refused:
        read_checkpoint(text)
    assert refused.value.field == field
    assert len(str(refused.value.value)) <= 80


KEY = PublicKey(ORIGIN, b"k" * 32)


def test_a_key_is_written_as_notes_write_keys_and_read_back() -> None:
    """One line: name, id and key; a key that is used no more says up to which size it counts."""
    retired, witness = (
        replace(KEY, content=b"r" * 32, upto=40),
        PublicKey("w", b"w" * 32, None, ED25519_COSIGNATURE),
    )
    text = f"# keys\n\n{KEY.text()}\n  {retired.text()}\n{witness.text()}\n"
    assert read_public_keys(text) == (KEY, retired, witness)
    assert KEY.text().startswith(f"{ORIGIN}+{KEY.key_id(ORIGIN).hex()}+AWtr")
    assert retired.text().endswith(" 40")
    assert PublicKey(None, b"k" * 32).text().startswith("+")


def test_the_id_of_a_key_is_the_one_that_others_compute() -> None:
    """The published example of `signed-note`: PeterNeumann's key."""
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert read_public_keys(text)[0].text() == text


@pytest.mark.parametrize(
    ("key", "size", "matching"),
    [
        (KEY, 41, True),
        (PublicKey(None, KEY.content), 41, True),
        (replace(KEY, upto=41), 41, True),
        (replace(KEY, upto=40), 41, False),
        (replace(KEY, content=b"o" * 32), 41, False),
        (replace(KEY, algorithm=ED25519_COSIGNATURE), 41, False),
        (PublicKey("other", KEY.content), 41, False),
    ],
)
def test_a_key_counts_for_its_own_name_and_up_to_its_size(
    key: PublicKey, size: int, matching: bool
) -> None:
    """A key that was replaced signs no later tree, and nobody signs in another's name."""
    signed = Signature(ORIGIN, KEY.key_id(ORIGIN), b"s" * 64)
    assert key.matches(signed, size) is matching


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "public keys"),
        ("# nothing\n", "public keys"),
        (f"{KEY.text()}\n{KEY.text()} 40\n", "public keys"),
        (
            "".join(f"{PublicKey('a', n.to_bytes(32)).text()}\n" for n in range(KEYS_MOST + 1)),
            "public keys",
        ),
        ("name", "public key"),
        ("name+00000000+QUJD", "public key"),
        (f"+{KEY.text().partition('+')[2]}", "public key"),
        (KEY.text().replace("+AWtr", "+A?tr"), "public key"),
        (KEY.text().replace("+AWtr", "+CWtr"), "public key"),
        (f"{'n' * 200}{KEY.text()}", "public key"),
        (KEY.text().replace("acquit/", "other/"), "public key id"),
        (f"{KEY.text()} 0", "public key limit"),
        (f"{KEY.text()} many", "public key limit"),
    ],
)
def test_a_key_that_breaks_a_rule_is_refused_by_name(text: str, field: str) -> None:
    """No line is passed over in silence."""
    with pytest.raises(InvalidInput) as refused:
        read_public_keys(text)
    assert refused.value.field == field


def test_no_signatures_are_none() -> None:
    """An empty text holds no line."""
    assert read_signatures("") == ()
