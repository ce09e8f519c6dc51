"""The policy of cases comes from a file, by kind, and a wrong file is named whole."""

from datetime import timedelta
from pathlib import Path

import pytest

from adapters.cases.policy import read_policy
from adapters.refusals import SourceRefused
from domain.case.kinds import CaseKind
from domain.case.policy import USUAL_POLICY, ServiceLevel
from domain.case.threshold import Measure, Threshold, ThresholdAction, Waits

ROOT = Path(__file__).resolve().parents[3]


def written(folder: Path, text: str) -> Path:
    path = folder / "cases.toml"
    path.write_text(text, encoding="utf-8")
    return path


def ruled(**terms: object) -> str:
    """A rule as it is written; what is not said is right."""
    whole = {"name": "r", "of": "lines", "measure": "count", "at_least": 3, **terms}
    lines = [f"{name} = {value!r}" for name, value in whole.items()]
    return "\n".join(["[[thresholds]]", *lines, ""])


def test_rules_addresses_and_announced_kinds_are_read(tmp_path: Path) -> None:
    """Everything that a file may say beside owners and clocks."""
    text = "[addresses]\noperations = ['a@x.example', 'b@x.example']\n"
    text += "[kinds.surplus]\nannounced = true\n" + ruled(of="cases", kind="surplus", name="s")
    text += ruled(measure="amount", currency="CNY", action="escalate")
    policy = read_policy(written(tmp_path, text))
    assert policy.addresses == {"operations": ("a@x.example", "b@x.example")}
    assert policy.announced == {CaseKind.SURPLUS}
    assert policy.thresholds == {
        "s": Threshold("s", Waits.CASES, Measure.COUNT, 3, CaseKind.SURPLUS),
        "r": Threshold("r", Waits.LINES, Measure.AMOUNT, 3, None, "CNY", ThresholdAction.ESCALATE),
    }


def test_a_kind_says_what_is_not_as_usual(tmp_path: Path) -> None:
    """Owner and clocks by kind; the rest as usual, and what the file leaves out as built in."""
    policy = read_policy(
        written(
            tmp_path,
            "[usual]\nresolution_hours = 48\nchain = ['shift-lead']\n"
            "[kinds.unmatched_line]\nowner = 'cash-desk'\nfirst_action_hours = 4\n",
        )
    )
    usual = ServiceLevel(resolution=timedelta(hours=48), chain=("shift-lead",))
    assert policy.usual == policy.level(CaseKind.SURPLUS) == usual
    line = policy.level(CaseKind.UNMATCHED_LINE)
    assert (line.first_action, line.resolution) == (timedelta(hours=4), timedelta(hours=48))
    assert policy.owner(CaseKind.UNMATCHED_LINE) == "cash-desk"
    assert policy.owner(CaseKind.SURPLUS) == "operations"
    assert read_policy(written(tmp_path, "")) == USUAL_POLICY


def test_a_team_has_a_chain_of_its_own(tmp_path: Path) -> None:
    """Cases that are transferred to it are handed up that one; an empty one hands nothing up."""
    policy = read_policy(
        written(tmp_path, "[teams.treasury]\nchain = ['cfo']\n[teams.desk]\nchain = []\n")
    )
    assert policy.chains == {"treasury": ("cfo",), "desk": ()}
    assert {"treasury", "desk", "cfo", "operations"} <= set(policy.teams)


@pytest.mark.parametrize(
    ("text", "field", "rule"),
    [
        ("[teams.desk]\n", "teams.desk.chain", "required"),
        ("[teams.desk]\nchain = ['A b']\n", "teams.desk.chain.0", "match pattern"),
        ("[teams.Desk]\nchain = []\n", "teams.Desk.[key]", "match pattern"),
        ("[usual]\nfirst_action_hours = 0\n", "usual.first_action_hours", "greater than"),
        ("[usual]\nfirst_action_hours = '4'\n", "usual.first_action_hours", "a valid integer"),
        ("[usual]\nchain = ['Team Lead']\n", "usual.chain.0", "match pattern"),
        (f"[usual]\nchain = {['a'] * 10}\n", "usual.chain", "at most 9"),
        ("[usual]\nowner = 'me'\n", "usual.owner", "no such field"),
        ("[kinds.surpluss]\nowner = 'me'\n", "kinds", "one of contradiction"),
        ("[kind.surplus]\nowner = 'me'\n", "kind", "no such field"),
        ("[usual\n", "content", "TOML in UTF-8"),
        ("[addresses]\noperations = ['nobody']\n", "addresses.operations.0", "match pattern"),
        ("[addresses]\noperations = []\n", "addresses.operations", "at least 1"),
        (ruled(of="loans"), "thresholds.0.of", "one of cases, lines"),
        (ruled(of="files", measure="amount"), "thresholds.0.measure", "one of count, age_hours"),
        (ruled(measure="sum"), "thresholds.0.measure", "one of count, amount, age_hours"),
        (ruled(measure="amount"), "thresholds.0.currency", "must be given"),
        (ruled(measure="amount", currency="ZZZ"), "thresholds.0.currency", "ISO 4217"),
        (ruled(of="messages", currency="CNY"), "thresholds.0.currency", "no money"),
        (ruled(kind="surplus"), "thresholds.0.kind", "only where of is cases"),
        (ruled(of="cases", kind="threshold"), "thresholds.0.kind", "no rule opens"),
        (ruled(of="cases", kind="odd"), "thresholds.0.kind", "one of contradiction"),
        (ruled(action="panic"), "thresholds.0.action", "one of nothing, escalate"),
        (ruled(at_least=0), "thresholds.0.at_least", "greater than"),
        (ruled(name="Too Many"), "thresholds.0.name", "match pattern"),
        (ruled() + ruled(), "thresholds.1.name", "named once"),
    ],
)
def test_a_wrong_file_is_named_by_field_value_and_rule(
    tmp_path: Path, text: str, field: str, rule: str
) -> None:
    """Nothing of it is taken."""
    with pytest.raises(SourceRefused) as refused:
        read_policy(written(tmp_path, text))
    [fault] = refused.value.faults
    assert (fault.field, rule in fault.rule) == (field, True), fault


def test_the_example_in_the_documentation_is_read(tmp_path: Path) -> None:
    """What operations.md shows is a policy."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    [shown] = [part for part in page.split("```")[1::2] if "first_action_hours" in part]
    policy = read_policy(written(tmp_path, shown.removeprefix("toml\n")))
    assert policy.level(CaseKind.UNMATCHED_LINE).first_action == timedelta(hours=4)


def test_the_examples_of_rules_and_addresses_are_read(tmp_path: Path) -> None:
    """What cases.md shows are policies."""
    page = (ROOT / "docs" / "cases.md").read_text(encoding="utf-8")
    shown = [part.removeprefix("toml\n") for part in page.split("```")[1::2]]
    policies = [read_policy(written(tmp_path, part)) for part in shown]
    assert [bool(policy.thresholds) for policy in policies] == [False, True, False]
    assert policies[2].announced == {CaseKind.STATEMENT_REFUSED}
    assert set(policies[2].addresses) == {"reconciliation", "team-lead"}
