"""The edge of the bank: every call is counted, and answered as its fault has it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.responses import JSONResponse, Response

from simulator.codes import TEXTS
from simulator.cutting import CutResponse, HalfResponse
from simulator.dice import between, pick
from simulator.faults import BEFORE, Fault, call_fault
from simulator.orders import plain_answer
from simulator.timeline import catch_up
from simulator.world import World

Work = Callable[[int, int], Response]
"""Takes the present instant and the number of the call, returns the right answer."""


def answer(world: World, key: str, work: Work, order_no: str | None = None) -> Response:
    """Do the work of a call, unless its fault forbids it, and answer as the fault has it.

    The count of the call and its work are one transaction, over before a byte is sent.
    `order_no` is given where the answer is about an order, so that faults can speak its language.
    """
    with world.db.tx():
        now = catch_up(world)
        call = world.db.bump(key)
        fault = call_fault(world.rates, world.seed, key, call)
        right = None if fault in BEFORE else work(now, call)
    world.wake.set()
    return _spoil(world, fault, right, order_no, f"{key} {call}")


def _spoil(
    world: World, fault: Fault, right: Response | None, order_no: str | None, key: str
) -> Response:
    if fault in {Fault.CUT_BEFORE, Fault.CUT_AFTER}:
        return CutResponse()
    if fault in {Fault.ERROR_BEFORE, Fault.ERROR_AFTER}:
        status = pick(((500, 1), (502, 1), (503, 2)), world.seed, key, "status")
        return Response("upstream error\n", status_code=status, media_type="text/plain")
    if fault is Fault.THROTTLED:
        wait = between(1, 30, world.seed, key, "retry after")
        return _coded("06", order_no, 429, {"Retry-After": str(wait)})
    if fault is Fault.BUSY:
        code = pick((("06", 3), ("02", 1)), world.seed, key, "busy")
        return _coded(code, order_no, 503 if order_no is None else 200)
    if right is None:
        msg = f"no answer prepared for {fault}"
        raise AssertionError(msg)
    if fault is Fault.MASKED and order_no is not None:
        code = pick((("03", 3), ("04", 3), ("99", 1)), world.seed, key, "mask")
        return _coded(code, order_no, 200)
    if fault is Fault.HALF:
        return HalfResponse(right.body, right.status_code, media_type=right.media_type)
    if fault is Fault.GARBLED:
        text = bytes(right.body).decode("utf-8", "replace")
        return Response(text[: len(text) // 2] + "\x00", right.status_code, None, right.media_type)
    return right


def _coded(
    code: str, order_no: str | None, status: int, headers: dict[str, str] | None = None
) -> Response:
    if order_no is None:
        return JSONResponse({"code": code, "text": TEXTS[code]}, status, headers)
    state = "PENDING" if code in {"03", "04"} else "ERROR"
    return JSONResponse(plain_answer(order_no, code, state), status, headers)


def refuse(code: str, status: int, detail: str = "") -> Response:
    """Return a refusal with code and text."""
    text = f"{TEXTS[code]}: {detail}" if detail else TEXTS[code]
    return JSONResponse({"code": code, "text": text}, status)


def read_object(raw: bytes) -> dict[str, Any] | None:
    """Return the JSON object of a body, or None where it is none."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
