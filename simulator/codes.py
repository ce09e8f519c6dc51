"""Answer codes of the bank: numbers after the UnionPay collection list, texts our own."""

from __future__ import annotations

from typing import Any

TEXTS = {
    "00": "success",
    "A6": "success with a defect",
    "42": "success, later than agreed",
    "03": "time-out, please inquire",
    "04": "state unclear, please inquire",
    "05": "accepted",
    "83": "the payer's bank is processing",
    "34": "no such order",
    "12": "order number used before with other content",
    "64": "insufficient funds",
    "90": "balance too low",
    "33": "amount over limit",
    "81": "monthly limit reached",
    "61": "card number not valid",
    "62": "card state does not allow this",
    "66": "card expired",
    "77": "not signed up, or mandate ended",
    "38": "refused for risk",
    "02": "system closed",
    "06": "system busy",
    "39": "outside service hours",
    "01": "declined",
    "30": "declined, ask the payer's bank",
    "99": "general error",
    "10": "message not readable",
    "11": "signature not valid",
    "13": "field missing or not valid",
}

INSUFFICIENT = frozenset({"64", "90"})

DECLINES = (("33", 15), ("81", 10), ("61", 10), ("62", 20), ("66", 15), ("38", 10), ("01", 20))
"""Other reasons than insufficient funds, with weights."""

RETURN_REASONS = (("AM04", 50), ("MD06", 20), ("MS03", 20), ("AC06", 10))
"""ISO external return reasons, as in RtrInf/Rsn/Cd, with weights."""


def plain_answer(order_no: str, code: str, status: str = "ERROR") -> dict[str, Any]:
    """Return an answer of the common shape that carries no order."""
    return {
        "order_no": order_no,
        "code": code,
        "text": TEXTS[code],
        "status": status,
        "amount_minor": 0,
        "executed_minor": 0,
        "bank_ref": None,
        "executed_at": None,
        "batch_ref": None,
    }
