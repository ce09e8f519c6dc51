"""References by which money is known to be for one loan: each has check digits.

They are made of a digest of the loan's id, so that they are the same on every machine, and say
nothing of the borrower. A structured creditor reference follows ISO 11649 (`RF`, two check digits,
15 letters and digits); a virtual account is 16 digits and two check digits after ISO 7064
(MOD 97-10), behind the prefix that the bank gave us.
"""

from domain.kernel import canonical

VIRTUAL_DIGITS = 18
"""Digits of a virtual account behind its prefix."""
RF_LEAST, RF_MOST = 5, 25
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Letters and digits without I and O, which people take for digits."""
_RF_LENGTH = 15
_SERIAL_DIGITS = 16
_MODULUS = 97


def creditor_reference(loan_id: str) -> str:
    """The structured reference of a loan, such as `RF18` and 15 letters and digits."""
    number, text = _number("creditor_reference", loan_id), ""
    for _ in range(_RF_LENGTH):
        number, place = divmod(number, len(_ALPHABET))
        text += _ALPHABET[place]
    return f"RF{_check(_digits(text + 'RF')):02d}{text}"


def is_creditor_reference(text: str) -> bool:
    """Whether a text is a reference after ISO 11649 whose check digits are right."""
    plain = plain_reference(text)
    shape = plain.isascii() and plain.isalnum() and plain[2:4].isdigit()
    if not plain.startswith("RF") or not RF_LEAST <= len(plain) <= RF_MOST or not shape:
        return False
    return int(_digits(plain[4:] + plain[:4])) % _MODULUS == 1


def plain_reference(text: str) -> str:
    """A reference as it is compared: without spaces, in capitals."""
    return "".join(text.split()).upper()


def spaced(reference: str) -> str:
    """A reference as people read it: in groups of four."""
    return " ".join(reference[at : at + 4] for at in range(0, len(reference), 4))


def virtual_account(loan_id: str) -> str:
    """The virtual account of a loan, without the bank's prefix: 18 digits."""
    serial = _number("virtual_account", loan_id) % 10**_SERIAL_DIGITS
    text = f"{serial:0{_SERIAL_DIGITS}d}"
    return f"{text}{_check(text):02d}"


def virtual_part(number: str) -> str | None:
    """The last 18 digits of an account number, if its check digits say that it is virtual."""
    plain = plain_reference(number)
    text = plain[-VIRTUAL_DIGITS:]
    if len(text) < VIRTUAL_DIGITS or not (text.isascii() and text.isdigit()):
        return None
    return text if int(text) % _MODULUS == 1 else None


def _number(what: str, loan_id: str) -> int:
    return int(canonical.digest((what, loan_id)), 16)


def _check(digits: str) -> int:
    """The two check digits after ISO 7064, MOD 97-10."""
    return _MODULUS + 1 - int(digits + "00") % _MODULUS


def _digits(text: str) -> str:
    """Letters as numbers from 10 on, as ISO 7064 counts them."""
    return "".join(str(int(letter, 36)) for letter in text)
