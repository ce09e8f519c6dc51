"""Verifies an evidence bundle without Acquit: `python check_bundle.py BUNDLE PUBLIC_KEYS`.

Written from docs/evidence.md and docs/ledger.md; uses the standard library and `cryptography`. It
prints `proven` or the first thing that is wrong, and then ends with exit code 1.
"""

import base64
import hashlib
import json
import re
import struct
import sys
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NAMES = [
    "checkpoint",
    "journal.jsonl",
    "decisions.jsonl",
    "loan.json",
    "product.json",
    "attempts.jsonl",
    "notices.jsonl",
    "payments.jsonl",
    "lines.jsonl",
    "payouts.jsonl",
    "cases.jsonl",
    "certificate.json",
    "manifest.json",
    "manifest.sig",
]
MOST_SMALL, MOST_ROW, MOST_DEPTH = 1 << 16, 6 << 20, 16


class Wrong(Exception):
    """Something is not as the page says."""


def must(holds: object, what: str) -> None:
    """Stop at the first thing that is wrong."""
    if not holds:
        raise Wrong(what)


def archive(source: BinaryIO) -> zipfile.ZipFile:
    """The archive, if nothing but its members in their order is in the file."""
    size = source.seek(0, 2)
    must(size > 42, "no archive")
    source.seek(size - 42)
    tail = source.read()
    mark, disk, first, here, entries, length, start, comment = struct.unpack("<4s4H2LH", tail[20:])
    must(mark == b"PK\5\6" and tail[:4] != b"PK\6\7" and not (disk or first or comment), "the end")
    must(here == entries == len(NAMES) and length <= 4096, "the number of members")
    must(start + length + 22 == size, "bytes behind the directory")
    found, at = zipfile.ZipFile(source), 0
    for info, name in zip(found.infolist(), NAMES, strict=True):
        must(info.filename == name, f"member {name} is missing")
        odd = info.compress_type or info.flag_bits or info.extra or info.comment
        must(not odd and info.file_size == info.compress_size, f"{name} is not stored")
        must(info.header_offset == at, f"bytes before {name}")
        at += 30 + len(name) + info.file_size
    must(at == start, "bytes before the directory")
    return found


def rows(bundle: zipfile.ZipFile, name: str, count: int) -> Iterator[dict[str, Any]]:
    """The rows of a member, one at a time."""
    with bundle.open(name) as source:
        seen = 0
        while line := source.readline(MOST_ROW + 1):
            seen += 1
            must(len(line) <= MOST_ROW and line.endswith(b"\n"), f"a row of {name}")
            yield read(line, name)
    must(seen == count and (seen <= 1 or name.endswith(".jsonl")), f"the rows of {name}")


def read(line: bytes, name: str) -> dict[str, Any]:
    """One JSON object, each name once, no number with a point."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        must(len(dict(pairs)) == len(pairs), f"a name twice in {name}")
        return dict(pairs)

    def never(word: str) -> None:
        raise Wrong(f"the number {word} in {name}")

    found = json.loads(line, object_pairs_hook=once, parse_float=never, parse_constant=never)
    must(isinstance(found, dict), f"a row of {name}")
    return dict(found)


def is_signed(text: str, lines: str, origin: str, size: int, keys: str) -> bool:
    """Whether a listed key signed a text in the name of a ledger, while it was in use."""
    for key_line in filter(None, keys.splitlines()):
        written, _, upto = key_line.partition(" ")
        name, key_id, encoded = written.split("+", 2)
        key = base64.b64decode(encoded)
        if upto and size > int(upto):
            continue
        for line in lines.splitlines():
            _, signer, content = line.split(" ")
            signature = base64.b64decode(content)
            if signer == name == origin and signature[:4].hex() == key_id and key[:1] == b"\1":
                try:
                    Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], text.encode())
                except InvalidSignature:
                    continue
                return True
    return False


def sha256(content: bytes) -> bytes:
    """The digest that everything here is made with."""
    return hashlib.sha256(content).digest()


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that a path leads to (RFC 9162, 2.1.3.2); no bytes where its length is wrong."""
    last, found = size - 1, leaf
    for beside in path:
        if last == 0:
            return b""
        if index % 2 or index == last:
            found = sha256(b"\x01" + beside + found)
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
        else:
            found = sha256(b"\x01" + found + beside)
        index, last = index // 2, last // 2
    return found if last == 0 else b""


def values(content: bytes, depth: int = 0) -> list[Any]:
    """The values of the canonical encoding that stand one behind the other."""
    found: list[Any] = []
    at = 0
    must(depth <= MOST_DEPTH, "an item that is nested too deeply")
    while at < len(content):
        head = re.compile(rb"([a-z])([0-9]+):").match(content, at)
        end = head.end() + int(head[2]) if head else len(content) + 1
        if head is None or end > len(content):
            raise Wrong("the encoding of an item")
        found.append(value(head[1].decode(), content[head.end() : end], depth))
        at = end
    return found


def value(tag: str, inside: bytes, depth: int) -> Any:  # noqa: ANN401
    """One value by its tag."""
    if tag == "l":
        return values(inside, depth + 1)
    if tag in "om":
        parts = values(inside, depth + 1)
        named = parts[1:] if tag == "o" else parts
        start = {"kind": parts[0]} if tag == "o" and parts[0] else {}
        return start | dict(zip(named[::2], named[1::2], strict=True))
    plain: dict[str, Callable[[str], Any]] = {
        "n": lambda _: None,
        "i": int,
        "b": lambda text: text == "1",
    }
    return plain.get(tag, str)(inside.decode())


class Journal:
    """What the items say, for the comparison with what is stated."""

    def __init__(self, loan: str) -> None:
        self.loan, self.about = loan, 0
        self.states: dict[tuple[str, str], str] = {}
        self.orders: dict[str, str] = {}
        self.owed: defaultdict[int, int] = defaultdict(int)
        self.named: set[object] = set()

    def take(self, item: dict[str, Any]) -> dict[str, Any] | None:
        """Take an item; a decision where it is a command."""
        what = item["what"]
        self.named.add(("product", item["product"]))
        if "postings" in what:
            for one in what["postings"]:
                self.about += one["loan"] == self.loan
                self.named |= {one["payment"], (one["line"], one["payment"])}
                if one["account"].startswith(f"owed/{self.loan}/"):
                    self.owed[one["number"]] += one["minor"]
            return None
        self.about += what["loan_id"] == self.loan
        if "target" not in what:
            at = datetime.fromisoformat(item["at"]).astimezone(UTC).replace(tzinfo=None)
            return {
                "number": item["seq"],
                "command": what["kind"],
                "command_id": item["command_id"],
                "at": f"{at.isoformat(timespec='microseconds')}Z",
                "actor": f"{item['actor_kind']}/{item['actor_id']}",
                "approver": what["approver"] or "",
                "reason": item["reason"],
                "refused_by": what["rule"] or "",
            }
        if what["event"] == "reminder_queued":
            self.named.add(("message", what["detail"].split(" ")[-1]))
        if what["target"].isupper() and what["order_no"]:
            self.orders[what["order_no"]] = what["target"]
        elif what["target"].isupper():
            self.states[what["subject"]["kind"], what["subject"]["key"]] = what["target"]
        return None

    def check(self, name: str, row: dict[str, Any]) -> None:
        """Compare a stated row with the items."""
        agrees = False
        if name == "loan.json":
            agrees = row["loan"] == self.loan and all(
                self.states.get(("installment", f"{self.loan}/{one['number']}")) == one["state"]
                and self.owed[one["number"]] == one["owed_minor"]
                for one in row["installments"]
            )
        elif name == "attempts.jsonl":
            agrees = row["brought_over"] is True or self.orders.get(row["order_no"]) == row["state"]
        elif name == "lines.jsonl":
            agrees = all((row["line"], one["payment"]) in self.named for one in row["proves"])
        elif name in {"payouts.jsonl", "cases.jsonl"}:
            kind = name[:-7]
            agrees = self.states.get((kind, row[kind])) == row["state"]
        elif name == "payments.jsonl":
            agrees = row["payment"] in self.named
        elif name == "product.json":
            agrees = ("product", row["ref"]) in self.named
        elif name == "notices.jsonl":
            agrees = ("message", row["message_id"]) in self.named
        must(agrees, f"{name} is not what the items say")


def items(
    bundle: zipfile.ZipFile, count: int, size: int, root: bytes, journal: Journal
) -> Iterator[dict[str, Any]]:
    """Prove every item, and give the decisions among them."""
    last = 0
    for row in rows(bundle, "journal.jsonl", count):
        content, number = base64.b64decode(row["content"], validate=True), row["number"]
        must(last < number <= size and len(row["path"]) <= 64, "the numbers of items")
        last = number
        path = [base64.b64decode(one, validate=True) for one in row["path"]]
        must(all(len(one) == 32 for one in path), f"the path of item {number}")
        leaf = sha256(b"\x00" + sha256(b"s64:" + row["previous"].encode() + content))
        must(root_of(leaf, number - 1, size, path) == root, f"item {number} is not proven")
        (item,) = values(content)
        must(item["seq"] == number, f"item {number} stands elsewhere")
        decision = journal.take(item)
        if decision is not None:
            yield decision


def check(source: BinaryIO, keys: str) -> None:
    """Verify one bundle.

    Raises:
        Wrong: something is not as the page says.
    """
    bundle = archive(source)
    small = {
        name: bundle.open(name).read(MOST_SMALL)
        for name in ("checkpoint", "manifest.json", "manifest.sig")
    }
    manifest = read(small["manifest.json"], "manifest.json")
    must(set(manifest) == {"format", "loan", "origin", "size", "members"}, "the manifest")
    must(manifest["format"] == "acquit.bundle.v1", "the format")
    must([one["name"] for one in manifest["members"]] == NAMES[:-2], "the manifest's members")
    counts = {}
    for one in manifest["members"]:
        with bundle.open(one["name"]) as member:
            digest = hashlib.file_digest(member, "sha256").hexdigest()
        size = bundle.getinfo(one["name"]).file_size
        must((size, digest) == (one["size"], one["sha256"]), f"the bytes of {one['name']}")
        counts[one["name"]] = one["rows"]
    origin, size = manifest["origin"], manifest["size"]
    digest = hashlib.sha256(small["manifest.json"]).hexdigest()
    text = f"acquit.bundle.v1\n{origin}\n{size}\n{digest}\n"
    must(is_signed(text, small["manifest.sig"].decode(), origin, size, keys), "the signature")
    note, _, signatures = small["checkpoint"].decode().partition("\n\n")
    must(is_signed(f"{note}\n", signatures, origin, size, keys), "the checkpoint's signature")
    lines = note.split("\n")
    must(lines[0] == origin and lines[1] == str(size), "the checkpoint of the manifest")
    journal, root = Journal(manifest["loan"]), base64.b64decode(lines[2])
    decided = items(bundle, counts["journal.jsonl"], size, root, journal)
    stated = rows(bundle, "decisions.jsonl", counts["decisions.jsonl"])
    must(list(decided) == list(stated), "the decisions")
    must(journal.about, "no item is about the loan")
    for name in NAMES[3:-3]:
        for row in rows(bundle, name, counts[name]):
            journal.check(name, row)
    for row in rows(bundle, "certificate.json", counts["certificate.json"]):
        certified(row, manifest["loan"], keys)


def certified(row: dict[str, Any], loan: str, keys: str) -> None:
    """Verify the certificates of a bundle."""
    listed = [base64.b64decode(line.split(" ")[0].split("+", 2)[2]) for line in keys.splitlines()]
    must(row["certificates"], "no certificate")
    for one in row["certificates"]:
        key, text = bytes.fromhex(one["key"]), one["text"]
        must(b"\1" + key in listed and json.loads(text)["loan_id"] == loan, "a certificate")
        letters = base64.b32encode(sha256(text.encode())).decode()[:20]
        must(one["code"] == "-".join(letters[at : at + 4] for at in range(0, 20, 4)), "its code")
        try:
            signature = bytes.fromhex(one["signature"])
            Ed25519PublicKey.from_public_bytes(key).verify(signature, text.encode())
        except InvalidSignature:
            raise Wrong("the signature of a certificate") from None


def main(path: str, keys: str) -> int:
    """Verify a bundle; the exit code."""
    try:
        with open(keys, encoding="utf-8") as listed, open(path, "rb") as source:  # noqa: PTH123
            check(source, listed.read())
    except (Wrong, ValueError, LookupError, TypeError, RecursionError, zipfile.BadZipFile) as error:
        print(f"not proven: {error}")
        return 1
    print("proven")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
