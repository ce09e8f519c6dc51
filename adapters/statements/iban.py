"""Account numbers as banks write them: an IBAN may be followed by the currency of the account."""

import re

_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}", re.ASCII)


def account_of(text: str, currency: str = "") -> str:
    """The account as it is known by: an IBAN without blanks and without a currency behind it.

    Whatever is no IBAN with right check digits stays as the bank writes it.
    """
    account = text.strip().replace(" ", "")
    for bare in (account, account.removesuffix(currency)):
        if is_iban(bare):
            return bare
    return text.strip()


def is_iban(text: str) -> bool:
    """Whether the text is an IBAN whose check digits are right (ISO 13616)."""
    if not _IBAN.fullmatch(text):
        return False
    turned = text[4:] + text[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1
