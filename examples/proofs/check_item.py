"""Verifies a proof of items without Acquit: `python check_item.py PROOF CHECKPOINT PUBLIC_KEYS`.

Python's standard library and the `openssl` program are all it uses. It prints the bytes of each
item that is proven, and ends with exit code 1 where something is not.
"""

import base64
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ED25519_DER = bytes.fromhex("302a300506032b6570032100")
"""What stands before the 32 bytes of an Ed25519 key in DER."""


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


def is_signed(note: str, keys: str) -> bool:
    """Whether one of the keys signed the text of a checkpoint in the name of its origin."""
    text, _, signatures = note.partition("\n\n")
    origin = text.split("\n")[0]
    for line in keys.splitlines():
        name, key_id, encoded = line.split(" ")[0].split("+", 2)
        key = base64.b64decode(encoded)
        for signature in signatures.splitlines():
            _, signer, content = signature.split(" ")
            signed = base64.b64decode(content)
            named = signer == name == origin and signed[:4].hex() == key_id
            if named and key[:1] == b"\x01" and openssl(key[1:], f"{text}\n", signed[4:]):
                return True
    return False


def openssl(key: bytes, text: str, signature: bytes) -> bool:
    """Whether openssl finds a signature genuine."""
    with tempfile.TemporaryDirectory() as folder:
        files = {"key": ED25519_DER + key, "text": text.encode(), "signature": signature}
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        words = "openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey key -in text"
        done = subprocess.run(  # noqa: S603
            [*words.split(), "-sigfile", "signature"], cwd=folder, capture_output=True, check=False
        )
    return done.returncode == 0


def main(proof: str, checkpoint: str, keys: str) -> int:
    """Verify one file; the exit code."""
    note = Path(checkpoint).read_text(encoding="utf-8")
    if not is_signed(note, Path(keys).read_text(encoding="utf-8")):
        print("the checkpoint is not signed by these keys")
        return 1
    size, root = int(note.split("\n")[1]), base64.b64decode(note.split("\n")[2])
    for item in json.loads(Path(proof).read_text(encoding="utf-8"))["items"]:
        content = base64.b64decode(item["content"])
        chained = sha256(b"s64:" + item["previous"].encode() + content)
        path = [base64.b64decode(value) for value in item["path"]]
        leaf, index = sha256(b"\x00" + chained), item["number"] - 1
        numbered = b"s3:seqi%d:%d" % (len(str(item["number"])), item["number"])
        if root_of(leaf, index, size, path) != root or numbered not in content[:40]:
            print(f"item {item['number']} is not proven")
            return 1
        print(f"item {item['number']} is proven: {content.decode()}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: python check_item.py PROOF CHECKPOINT KEYS")
    sys.exit(main(*sys.argv[1:]))
