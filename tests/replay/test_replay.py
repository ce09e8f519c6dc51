"""Every recorded path replays with today's workflows: open drivers survive a release."""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from adapters.temporal.worker import WORKFLOWS, runner

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_recorded_history_replays(path: Path) -> None:
    """Commands come in the recorded order; an old file is never edited to make this pass."""
    replayer = Replayer(
        workflows=WORKFLOWS, data_converter=pydantic_data_converter, workflow_runner=runner()
    )
    history = WorkflowHistory.from_json(path.stem, path.read_text(encoding="utf-8"))
    await replayer.replay_workflow(history)


async def test_changed_order_of_commands_is_caught() -> None:
    """The test above can fail: a history whose events are not ours does not replay."""
    happy = next(path for path in HISTORIES if path.stem == "happy")
    text = happy.read_text(encoding="utf-8").replace("debits.present", "debits.inquire")
    replayer = Replayer(
        workflows=WORKFLOWS,
        data_converter=pydantic_data_converter,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    with pytest.raises(Exception, match=r"Nondeterminism|TMPRL1100"):
        await replayer.replay_workflow(WorkflowHistory.from_json("changed", text))


def test_every_path_that_can_be_recorded_is_recorded() -> None:
    """`record.py` names the paths; each has a file."""
    source = (Path(__file__).parent / "record.py").read_text(encoding="utf-8")
    named = {
        line.split("def ")[1].split("(")[0]
        for before, line in zip(source.splitlines(), source.splitlines()[1:], strict=False)
        if before == "@scenario"
    }
    assert named <= {path.stem for path in HISTORIES}
