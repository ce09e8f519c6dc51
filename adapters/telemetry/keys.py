"""Names of fields whose values must not be logged: secrets and personal data."""

import re
from functools import lru_cache
from typing import Literal

Sort = Literal["secret", "personal", "open"]

_SECRET_PARTS = (
    "password", "passwd", "passphrase", "secret", "token", "authorization", "credential",
    "cookie", "apikey", "privatekey", "accesskey", "encryptionkey", "signature",
    "密码", "密钥", "口令",
)  # fmt: skip
_SECRET_WORDS = frozenset({"pwd", "cvv", "cvc", "otp", "pin", "dsn"})
_PERSONAL_WORDS = frozenset({
    "phone", "mobile", "tel", "telephone", "msisdn", "fax", "email", "mailbox", "iban", "pan",
    "card", "passport", "ssn", "nric", "holder", "debtor", "borrower", "payer", "customer",
    "guarantor", "contact", "recipient", "addressee", "account", "acct", "surname", "forename",
    "birthday", "birthdate", "dob", "street", "postcode", "person", "nickname",
})  # fmt: skip
_PERSONAL_WHOLE = frozenset({
    "name", "to", "address", "full_name", "first_name", "last_name", "middle_name", "given_name",
    "family_name", "maiden_name", "user_name", "display_name", "legal_name", "mail", "e_mail",
    "id_no", "id_number", "id_card", "identity_number", "identity_no", "national_id", "tax_id",
    "home_address", "mail_address", "postal_address", "date_of_birth", "birth_date",
})  # fmt: skip
_PERSONAL_PARTS = (
    "姓名", "户名", "手机", "电话", "邮箱", "身份证", "证件号", "卡号", "账号", "帐号", "账户",
    "地址", "住址", "联系人", "收件人",
)  # fmt: skip
_IDENTIFIERS = frozenset({
    "workflow_id", "run_id", "workflow_run_id", "activity_id", "loan_id", "order_no", "command_id",
    "trace_id", "span_id", "message_id", "temporalworkflowid", "temporalrunid",
    "temporalactivityid", "stream", "temporalupdateid",
})  # fmt: skip
_MACHINES = ("db.", "messaging.", "service.", "server.", "telemetry.", "otel.", "code.", "thread.")
"""First parts of OpenTelemetry's own attributes: a `name` or `address` there is a machine's."""
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GAP = re.compile(r"[^\w]+|_+")


@lru_cache(maxsize=4096)
def sort_of(key: str) -> Sort:
    """What the value under `key` is by its name, however that is spelled.

    `api_key`, `apiKey` and `API-KEY` are one name; of a dotted name the last part speaks as well.
    """
    words = [word.lower() for word in _GAP.split(_CAMEL.sub("_", key)) if word]
    joined = "".join(words)
    if any(part in joined for part in _SECRET_PARTS) or _SECRET_WORDS.intersection(words):
        return "secret"
    whole = "_".join(words)
    last = _GAP.split(key.rpartition(".")[2].lower())
    if key.startswith(_MACHINES):
        return "open"
    if whole in _PERSONAL_WHOLE or "_".join(last) in _PERSONAL_WHOLE:
        return "personal"
    if _PERSONAL_WORDS.intersection(words) or any(part in joined for part in _PERSONAL_PARTS):
        return "personal"
    return "open"


def is_identifier(key: str) -> bool:
    """Whether the value under `key` is an identifier of ours or of Temporal: it has long numbers.

    Whatever looks like a telephone, a card or an identity number is masked there all the same.
    """
    return key.rpartition(".")[2].lower() in _IDENTIFIERS
