"""Counts every call to the bank and applies the fault that the call draws."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.responses import JSONResponse, Response

from simulator.codes import TEXTS, plain_answer
from simulator.cutting import CutResponse, HalfResponse
from simulator.dice import between, pick
from simulator.faults import BEFORE, Fault, call_fault
from simulator.timeline import catch_up
from simulator.world import World

Work = Callable[[int, int], Response]
"""Takes the present instant and the number of the call, returns the right answer."""


def answer(world: World, key: str, work: Work, order_no: str | None = None) -> Response:
    """Do the work of a call, unless its fault forbids it, and give the answer that the fault makes.

    The count of the call and its work are one transaction, over before a byte is sent.
    `order_no` is given where the answer is about an order, so that faults can speak its language.
    """
    with world.db.tx():
        now = catch_up(world)
        call = world.db.bump(key)
        fault = call_fault(world.rates, world.seed, key, call)
        right = None if fault in BEFORE else work(now, call)
    world.wake.set()
    if right is None:
        return _refused(world, fault, order_no, f"{key} {call}")
    return _spoiled(world, fault, right, order_no, f"{key} {call}")


def _refused(world: World, fault: Fault, order_no: str | None, key: str) -> Response:
    """Answer a call that had no effect."""
    match fault:
        case Fault.CUT_BEFORE:
            return CutResponse()
        case Fault.ERROR_BEFORE:
            return _upstream(world, key)
        case Fault.THROTTLED:
            wait = between(1, 30, world.seed, key, "retry after")
            return _coded("06", order_no, 429, {"Retry-After": str(wait)})
        case _:
            code = pick((("06", 3), ("02", 1)), world.seed, key, "busy")
            # Only a posted order speaks codes here: "busy" as the answer to an inquiry
            # would read as the order's own state.
            return _coded(code, order_no, 200 if key.startswith("POST ") else 503)


def _spoiled(
    world: World, fault: Fault, right: Response, order_no: str | None, key: str
) -> Response:
    """Answer a call whose work is done."""
    match fault:
        case Fault.CUT_AFTER:
            return CutResponse()
        case Fault.ERROR_AFTER:
            return _upstream(world, key)
        case Fault.HALF:
            return HalfResponse(right.body, right.status_code, media_type=right.media_type)
        case Fault.GARBLED:
            start = bytes(right.body)[: len(right.body) // 2] + b"\x00"
            return Response(start, right.status_code, media_type=right.media_type)
        case Fault.MASKED if order_no is not None:
            code = pick((("03", 3), ("04", 3), ("99", 1)), world.seed, key, "mask")
            return _coded(code, order_no, 200)
        case _:
            return right


def _upstream(world: World, key: str) -> Response:
    status = pick(((500, 1), (502, 1), (503, 2)), world.seed, key, "status")
    return Response("upstream error\n", status_code=status, media_type="text/plain")


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
