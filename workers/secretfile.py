"""Reads a secret from the file that a field of a configuration names."""

from pathlib import Path

from adapters.inputfile import read_text
from adapters.refusals import SourceRefused
from domain.errors import InvalidInput

SECRET_MOST_BYTES = 64 * 1024


def secret_in(folder: Path, field: str, name: str) -> str:
    """The content of a file of text, without line breaks at its end unless it is a PEM key.

    Args:
        folder: of the configuration; `name` is relative to it.
        field: that names the file, for the error.

    Raises:
        InvalidInput: it cannot be read, or is empty. The error never shows the content.
    """
    try:
        secret = read_text(folder / name, SECRET_MOST_BYTES)
    except SourceRefused as refusal:
        rule = f"a file that can be read: {refusal.faults[0].rule}"
        raise InvalidInput(field, name, rule) from None
    if not secret.strip():
        raise InvalidInput(field, name, "a file that is not empty")
    return secret if secret.startswith("-----") else secret.rstrip("\r\n")
