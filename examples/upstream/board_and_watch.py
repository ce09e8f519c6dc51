"""A lender's system that has nothing but the Temporal client: boards a loan and watches over it.

    python examples/upstream/board_and_watch.py UP-1 --first-due-on 2026-12-15

Where Temporal is, say TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and the other variables of its client.
No type of Acquit is imported: what goes in and comes out is JSON, as in docs/contracts.
"""

import argparse
import asyncio
import hashlib
import json
import os
import sys
from datetime import date, timedelta
from typing import Any

from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDReusePolicy
from temporalio.envconfig import ClientConfig
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

TASK_QUEUE = "workflows"
US = {"kind": "upstream", "id": "core-banking"}
Json = dict[str, Any]
Handle = WorkflowHandle[Any, Any]


def application(loan_id: str, first_due_on: date) -> Json:
    """A loan of 12 months; every value is text, so that no digit is lost on the way."""
    return {
        "tenant": "demo",
        "loan_id": loan_id,
        "borrower": f"b-{loan_id}",  # a token: who it is, only the lender knows
        "product": "cn-personal",
        "principal": "12000.00",
        "annual_rate": "12",
        "periods": "12",
        "disbursed_on": (first_due_on - timedelta(days=30)).isoformat(),
        "first_due_on": first_due_on.isoformat(),
        "mandate_ref": f"M-{loan_id}",
        "account_token": f"acct-{loan_id}",
    }


async def board(client: Client, loan: Json) -> Json:
    """Have a loan boarded. Sent again, after a crash for example, it gives the same answer."""
    workflow_id = f"board/{loan['tenant']}/{loan['loan_id']}"
    digest = hashlib.sha256(json.dumps(loan, sort_keys=True).encode()).hexdigest()
    try:
        handle = await client.start_workflow(
            "BoardLoan",
            loan,
            id=workflow_id,
            task_queue=TASK_QUEUE,
            # A refused application may be corrected and sent again; a boarded one may not.
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            memo={"sent": digest},
        )
    except WorkflowAlreadyStartedError:
        handle = client.get_workflow_handle(workflow_id)
        if (await (await handle.describe()).memo()).get("sent") != digest:
            raise  # the id is taken by another loan: the server itself does not compare
    boarded: Json = await handle.result()
    return boarded


async def installment(client: Client, loan: Json, number: int, within_s: float = 30) -> Handle:
    """The driver of an installment, once there is one: it is opened some days before it is due."""
    workflow_id = f"installment/{loan['tenant']}/{loan['loan_id']}/{number}/1"
    handle = client.get_workflow_handle(workflow_id)
    async with asyncio.timeout(within_s):
        while True:  # ends when the driver is there, or by the time-out around it
            try:
                await handle.describe()
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                await asyncio.sleep(0.5)
            else:
                return handle


async def seen(handle: Handle) -> Json | None:
    """How an installment stands; None while its driver sleeps until its first action."""
    try:
        view: Json = await handle.query("view")
    except RPCError as error:
        if error.status is RPCStatusCode.FAILED_PRECONDITION:
            return None
        raise
    return view


async def override(
    handle: Handle, kind: str, request_id: str, reason: str, **more: str | int
) -> Json:
    """Order something and get the new view. The id makes it safe to send the same order again."""
    request = {"kind": kind, "id": request_id, "actor": US, "reason": reason, **more}
    view: Json = await handle.execute_update("override", request, id=request_id)
    return view


async def unhold(handle: Handle, request_id: str, reason: str, within_s: float = 30) -> Json:
    """End a hold by signal: nobody answers, so look until it is done."""
    await handle.signal("unhold", {"id": request_id, "actor": US, "reason": reason})
    async with asyncio.timeout(within_s):
        while True:  # ends when the hold has ended, or by the time-out around it
            view = await seen(handle)
            if view is not None and not view["detail"]["hold"]:
                return view
            await asyncio.sleep(0.2)


async def run(client: Client, loan: Json) -> None:
    """The whole walk: board, hold, look, unhold, call off, read the end."""
    loan_id = loan["loan_id"]
    print("boarded:", json.dumps(await board(client, loan)))
    first = await installment(client, loan, 1)
    before = await seen(first)
    print("before:", json.dumps(before))
    if before is not None and before["is_final"]:
        print("closed:", json.dumps(await first.result()))
        return
    view = await override(first, "hold", f"{loan_id}-hold", "the borrower disputes the amount")
    print("held:", view["state"], view["detail"]["hold"])
    view = await unhold(first, f"{loan_id}-unhold", "the dispute is settled")
    print("no longer held:", view["state"], "next:", json.dumps(view["next_action"]))
    for line in (await first.query("story"))["happened"]:
        print("  story:", line)
    try:
        await override(
            first, "waive", f"{loan_id}-waive", "a gift", component="principal", amount_minor="1"
        )
    except WorkflowUpdateFailedError as failed:
        print("refused:", why(failed.cause))
    await override(first, "cancel", f"{loan_id}-cancel", "the loan is refinanced elsewhere")
    print("closed:", json.dumps(await first.result()))


def why(cause: BaseException | None) -> str:
    """Type and details of a failure: `InvalidInput` has field, value, rule; `Refused` its rule."""
    if not isinstance(cause, ApplicationError):
        return str(cause)
    return f"{cause.type} {json.dumps(cause.details[0]) if cause.details else cause.message}"


async def main() -> int:
    """Exit code 0; 1 with the reason when the loan is refused, 69 when Temporal does not answer."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("loan_id")
    options.add_argument("--first-due-on", type=date.fromisoformat, required=True)
    options.add_argument("--product", default="cn-personal")
    given = options.parse_args()
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "localhost:7233")
    try:
        client = await Client.connect(**config)
    except RuntimeError as away:
        print(f"Temporal at {config['target_host']} (TEMPORAL_ADDRESS): {away}", file=sys.stderr)
        return 69
    loan = {**application(given.loan_id, given.first_due_on), "product": given.product}
    try:
        await run(client, loan)
    except WorkflowFailureError as failed:
        print("refused:", why(failed.cause), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    code = asyncio.run(main())
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of the client may outlive the loop and crash Python while it shuts down (sdk-python
    # issue 300): all work is done, so leave at once.
    os._exit(code)
