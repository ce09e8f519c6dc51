"""Account numbers as banks write them: an IBAN may be followed by the currency of the account."""

import re

_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}", re.ASCII)


def without_currency(text: str, currency: str) -> str:
    """The account without a currency behind it, where an IBAN with right check digits remains."""
    account = text.strip().replace(" ", "")
    bare = account.removesuffix(currency)
    return bare if bare != account and is_iban(bare) else text.strip()


def is_iban(text: str) -> bool:
    """Whether the text is an IBAN whose check digits are right (ISO 13616)."""
    if not _IBAN.fullmatch(text):
        return False
    turned = text[4:] + text[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1
