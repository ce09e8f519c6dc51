"""The guide for systems upstream, run as it is written, on a stack of its own."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from sandbox import devserver
from sandbox.devserver import DevServer, DevServerOptions
from sandbox.local import LocalOptions, LocalStack
from tests.support.tree import ROOT, imported_modules
from workers.processes import free_port
from workers.settings import Settings

GUIDE = ROOT / "docs" / "upstream.md"
EXAMPLE = ROOT / "examples" / "upstream" / "board_and_watch.py"
APPLICATION = ROOT / "examples" / "upstream" / "application.json"

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Ran:
    """How a program ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Upstream:
    """A system upstream: it knows where Temporal is, and nothing else."""

    address: str
    namespace: str
    home: Path
    patience: float = 120.0

    async def run(self, *argv: str) -> Ran:
        """Run a program to its end, within two minutes unless it is given more.

        `acquit` is found where the reader of a guide has it: in the environment that runs.
        """
        env = {
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
            "HOME": os.environ.get("HOME", "/"),
            "TEMPORAL_ADDRESS": self.address,
            "TEMPORAL_NAMESPACE": self.namespace,
            "ACQUIT_HOME": str(self.home),
        }
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(
            *argv, cwd=ROOT, env=env, stdout=pipe, stderr=pipe
        )
        try:
            out, err = await asyncio.wait_for(child.communicate(), self.patience)
        except BaseException:
            child.kill()
            await child.wait()
            raise
        return Ran(child.returncode or 0, out.decode(), err.decode())

    async def example(self, loan_id: str, *more: str) -> Ran:
        """Run the worked example."""
        soon = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
        argv = (str(EXAMPLE), loan_id, "--first-due-on", soon, *more)
        return await self.run(sys.executable, *argv)


@pytest_asyncio.fixture(scope="module")
async def upstream(
    temporal_binary: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Upstream]:
    """Give a stack with real workers and a calm bank; programs are found as the guide says."""
    home = tmp_path_factory.mktemp("stack")
    async with LocalStack(Settings(home=home), LocalOptions(), lambda _line: None) as stack:
        assert stack.record is not None
        yield Upstream(stack.record.temporal_address, stack.record.temporal_namespace, home)


def test_worked_example_knows_nothing_of_ours() -> None:
    """It needs the Temporal client and the standard library."""
    outside = {name.partition(".")[0] for name in imported_modules(EXAMPLE)}
    assert outside - set(sys.stdlib_module_names) == {"temporalio"}


def test_the_guide_looks_where_a_stack_with_a_ui_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever copies its lines reaches what `make up` has started; tests run elsewhere."""
    monkeypatch.setattr(devserver, "free_port", lambda _host, wanted=0: wanted or 40404)
    assert DevServer(Path("temporal"), DevServerOptions()).address == "127.0.0.1:40404"
    server = DevServer(Path("temporal"), DevServerOptions(ui=True))
    assert f"${{TEMPORAL_ADDRESS:-{server.address}}}" in GUIDE.read_text(encoding="utf-8")
    assert server.ui_url == "http://127.0.0.1:8233"


async def test_worked_example_says_where_nobody_answers(tmp_path: Path) -> None:
    """One line with the address and the variable that named it, and a code of its own."""
    away = Upstream(f"127.0.0.1:{free_port()}", "acquit", tmp_path)
    ran = await away.example("UP-1")
    assert (ran.code, ran.out) == (69, "")
    assert ran.err.startswith(f"Temporal at {away.address} (TEMPORAL_ADDRESS): ")
    assert len(ran.err.splitlines()) == 1


async def test_worked_example_walks_to_the_end(upstream: Upstream) -> None:
    """Boarded, held by Update, unheld by signal, refused, called off; the results are read."""
    ran = await upstream.example("UP-1")
    assert (ran.code, ran.err) == (0, "")
    lines = dict(line.split(": ", 1) for line in ran.out.splitlines() if not line.startswith(" "))
    boarded = json.loads(lines["boarded"])
    assert (boarded["installments"], boarded["again"]) == (12, False)
    assert lines["held"].endswith(" all")
    assert json.loads(lines["no longer held"].partition("next: ")[2])["kind"]
    assert "hold by upstream: applied" in ran.out
    assert '"field": "amount_minor"' in lines["refused"]
    assert json.loads(lines["closed"])["state"] == "CANCELLED"

    again = await upstream.example("UP-1")
    assert (again.code, again.err) == (0, "")
    assert json.loads(again.out.splitlines()[0].partition(": ")[2]) == boarded


async def test_worked_example_tells_why_a_loan_is_refused(upstream: Upstream) -> None:
    """An unknown product ends the program with field, value and rule."""
    ran = await upstream.example("UP-3", "--product", "cn-persnal")
    assert ran.code == 1
    assert ran.err.startswith("refused: InvalidInput")
    assert '"field": "product", "value": "cn-persnal"' in ran.err


async def test_commands_of_the_guide_do_what_it_says(upstream: Upstream) -> None:
    """Every `sh` block in order, in one shell that stops at the first failure."""
    blocks = re.findall(
        r"^```sh\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) == 5
    ran = await upstream.run("bash", "-euo", "pipefail", "-c", "\n".join(blocks))
    assert ran.code == 0, ran.err
    said = (ran.out + ran.err).replace(" ", "")
    assert '"again":false' in said
    assert '"hold":"all"' in said
    assert "unholdbyupstream:applied" in said
    assert "borrower:''isrefused:mustbegiven" in said
    assert "refused,asitshouldbe" in said
    assert '"type":"InvalidInput"' in said
    assert "mandateM-UP-2ofUP-2issigned" in said
    assert "theevidenceiscomplete:closed[CLOSED]" in said


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"schedule": [["2026-12-01", "1", "1", "0"]] * 1201}, "schedule", "at most 1200 rows"),
        ({"product": "cn-personal@9"}, "product", "cn-personal@1"),
        ({"borrower": "Zhang Wei"}, "borrower", "matches"),
        ({"principal": "12,000"}, "principal", "a plain decimal number"),
    ],
)
async def test_rules_of_the_installation_are_reported_the_same_way(
    upstream: Upstream, change: dict[str, Any], field: str, rule: str
) -> None:
    """Products, calendars and limits are checked behind the workflow; the sender sees one form."""
    client = await Client.connect(upstream.address, namespace=upstream.namespace)
    loan = {**json.loads(APPLICATION.read_text(encoding="utf-8")), "loan_id": "UP-4", **change}
    handle = await client.start_workflow(
        "BoardLoan", loan, id="board/demo/UP-4", task_queue="workflows"
    )
    with pytest.raises(WorkflowFailureError) as failed:
        await asyncio.wait_for(handle.result(), 30)
    reason = failed.value.cause
    assert isinstance(reason, ApplicationError)
    assert reason.type == "InvalidInput"
    assert reason.details[0]["field"] == field
    assert reason.details[0]["rule"].startswith(rule)
    assert "Zhang" not in str(reason.details) + reason.message
