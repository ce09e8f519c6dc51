"""Things that must never be read in a log or a trace, and a way to look for them."""

NAME = "Zhang Wei-Canary"
NAME_TIGHT = "ZhangWei.Canary"
NAME_CN = "张金丝雀"
PHONE = "13812345678"
PHONE_WORLD = "+44 7700 900123"
EMAIL = "canary.borrower@mail.example"
ACCOUNT = "6214830211113334447"
IBAN = "DE89370400440532013000"
CARD = "4111 1111 1111 1111"
IDENTITY = "11010519491231002X"
SECRET = "k-canary/Xy9+zz"
DB_PASSWORD = "pg-canary-77"

ALL = {
    "name": NAME, "name as one word": NAME_TIGHT, "name in Chinese": NAME_CN,
    "phone": PHONE, "phone abroad": PHONE_WORLD, "e-mail": EMAIL, "account": ACCOUNT,
    "iban": IBAN, "card": CARD, "identity": IDENTITY, "secret": SECRET,
    "database password": DB_PASSWORD,
}  # fmt: skip
SHAPED = {
    name: value
    for name, value in ALL.items()
    if "name" not in name and name not in {"secret", "database password"}
}
"""Those that are found by their shape, wherever they stand."""


def found_in(text: str) -> set[str]:
    """Which canaries can be read in a text, also without their blanks."""
    tight = text.replace(" ", "").replace("\\u0020", "")
    escaped = {name: value.encode("unicode_escape").decode() for name, value in ALL.items()}
    return {
        name
        for name, value in ALL.items()
        if value in text or value.replace(" ", "") in tight or escaped[name] in text
    }
