"""Prints a certificate of settlement as PDF/A-3b by typst, with a QR code by segno.

The signed JSON is attached. Fonts are those in the wheel of typst; Chinese needs one of Debian's
package `fonts-wqy-microhei`, and is refused without it. The same certificate prints the same bytes.
"""

import io
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Final

import segno
import typst

from adapters.certificates.files import certificate_json
from domain.errors import InvalidInput
from domain.loanclosure.certificate import Certificate, Settlement, read_settlement
from domain.money import amount_text

CHINESE_FONT, FONT_PACKAGE = "WenQuanYi Micro Hei", "fonts-wqy-microhei"
FONT_FOLDER = Path("/usr/share/fonts/truetype/wqy")
_STANDARD: Final = "a-3b"
LANGUAGES = ("en", "zh-CN")
"""Those of which there are words; another is printed in the first."""
_TEMPLATE = Path(__file__).parent / "settlement.typ"
_LOCK = Lock()
"""One compiler serves one document at a time."""
_WORDS = Path(__file__).parent / "words"


def pdf_of(certificate: Certificate, fonts: Path = FONT_FOLDER) -> bytes:
    """The document of a certificate.

    Raises:
        InvalidInput: it is to be printed in Chinese and the font is not installed.
    """
    settlement = read_settlement(certificate.text)
    known = _fonts(fonts)
    language = settlement.language if settlement.language in LANGUAGES else LANGUAGES[0]
    words = json.loads((_WORDS / f"{language}.json").read_text(encoding="utf-8"))
    is_chinese = language != LANGUAGES[0] or "\\u" in certificate.text
    if is_chinese and CHINESE_FONT not in known.families():
        raise InvalidInput("font", CHINESE_FONT, f"installed, by the package {FONT_PACKAGE}")
    inputs = {
        "said": json.dumps(_said(settlement, certificate.code, words, language)),
        "file": certificate_json(certificate),
        "qr": _qr(certificate.code),
    }
    with _LOCK:
        made = _compiler(fonts).compile(
            _TEMPLATE.read_bytes(),
            format="pdf",
            sys_inputs=inputs,
            pdf_standards=[_STANDARD],
            timestamp=int(certificate.issued_at.timestamp()),
        )
    if not isinstance(made, bytes):
        raise TypeError("typst gave no document")
    return made


def _said(
    settlement: Settlement, code: str, words: Mapping[str, str], language: str
) -> dict[str, object]:
    """What the template shows."""
    values = {
        "loan_id": settlement.loan_id,
        "borrower": settlement.borrower,
        "principal": amount_text(settlement.principal_minor, settlement.currency),
        "installments": str(settlement.installments),
        "disbursed_on": settlement.disbursed_on.isoformat(),
        "settled_on": settlement.settled_on.isoformat(),
        "issued_on": settlement.issued_on.isoformat(),
    }
    return {
        "title": words["title"],
        "issuer": settlement.issuer,
        "lang": language[:2],
        "sentence": words["sentence"],
        "rows": [[words[name], value] for name, value in values.items()],
        "how": words["how"],
        "code": code,
    }


def _qr(code: str) -> str:
    """The verification code as a QR code, in SVG."""
    out = io.BytesIO()
    segno.make(code, error="m").save(out, kind="svg", xmldecl=False, border=2)
    return out.getvalue().decode()


@cache
def _fonts(folder: Path) -> typst.Fonts:
    paths = [str(folder)] if folder.is_dir() else []
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=paths)


@cache
def _compiler(folder: Path) -> typst.Compiler:
    """A compiler with its fonts: looking for fonts costs more than printing."""
    return typst.Compiler(font_paths=_fonts(folder))
