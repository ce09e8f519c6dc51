"""The contract with upstream: what is written down is what is read, and it only grows."""

import hashlib
import json
import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from adapters.temporal.compatibility import breaks
from adapters.temporal.contracts import FOLDER, contracts, load, renew, versions, without_words
from domain.case.commands import CASE_ORDERS
from domain.errors import InvalidInput
from domain.loanclosure.commands import CLOSURE_ORDERS
from domain.payout.commands import PAYOUT_ORDERS
from ports.boarding import LoanApplication
from tests.support.doors import ORDERS
from workflows.reading import read, read_order

Schema = dict[str, Any]
NAMES = [contract.name for contract in contracts()]
RELEASED = {
    "boarded.v1.json": "5892a7c837662b58",
    "case-override-answer.v1.json": "c8696f31ae73c415",
    "case-override.v1.json": "e26005543878385f",
    "case-view.v1.json": "c8696f31ae73c415",
    "closure.v1.json": "91f51fb8785408c1",
    "installment-view.v1.json": "fc8391b3e84c87c1",
    "loan-application.v1.json": "01fdc13565163513",
    "loan-closure-override-answer.v1.json": "e673ef3d90495b1c",
    "loan-closure-override.v1.json": "e7614d10ddbdabe2",
    "loan-closure-view.v1.json": "e673ef3d90495b1c",
    "override-answer.v1.json": "fc8391b3e84c87c1",
    "override.v1.json": "15d1daf1400b6680",
    "payout-override-answer.v1.json": "4b29bcabe968b6e5",
    "payout-override.v1.json": "d530dac3fdcb18e9",
    "payout-view.v1.json": "4b29bcabe968b6e5",
    "signal-approve-payout.v1.json": "0fae6f12e4be0803",
    "signal-assign-case.v1.json": "cf07d70e7d45fec3",
    "signal-cancel-payout.v1.json": "33d45f9251a272fa",
    "signal-cancel.v1.json": "6b4e0a691f7e8aa8",
    "signal-change-date.v1.json": "4aa79f13fdfade78",
    "signal-charge.v1.json": "f83717f647ffcd41",
    "signal-hold-closure.v1.json": "c24ba5328064695f",
    "signal-hold.v1.json": "2b826ead0cef15dd",
    "signal-match-line.v1.json": "94aba6f523566172",
    "signal-note-case.v1.json": "d18373a5f5bc6485",
    "signal-record-payment.v1.json": "781672740d326cbc",
    "signal-refuse-payout.v1.json": "83ffd8ead3725dba",
    "signal-reopen-case.v1.json": "e7f64f584d1053f8",
    "signal-resolve-case.v1.json": "f6d283f36cb52533",
    "signal-resume-closure.v1.json": "b4eeb7f9674ab5b0",
    "signal-retry-leg.v1.json": "4d2b0a4c1ab0e818",
    "signal-retry-now.v1.json": "19b7509f65c654e4",
    "signal-settle-payout.v1.json": "4e1f16813754eb5d",
    "signal-state-leg-done.v1.json": "1a31f92e00777fc3",
    "signal-state-outcome.v1.json": "462c04553b350405",
    "signal-transfer-case.v1.json": "d4780fbd72798867",
    "signal-undo-match.v1.json": "43d1484dedbdee61",
    "signal-unhold.v1.json": "1e02808987fd88a5",
    "signal-wait-case.v1.json": "f02275694d25c697",
    "signal-waive-leg.v1.json": "dec13124683c5aff",
    "signal-waive.v1.json": "17d79928017157fd",
    "signal-withdraw-debit.v1.json": "94f46eaa3664821c",
    "signal-withdraw-payment.v1.json": "e023c7c6836ff771",
    "signal-write-off.v1.json": "e858a47ed3b53fbc",
    "story.v1.json": "a28d7fa7991cae8a",
}
"""What has been published stays as it is; a new version gets a line of its own."""


def digest(path: Path) -> str:
    text = json.dumps(without_words(load(path)), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def first(name: str) -> Schema:
    return load(FOLDER / f"{name}.v1.json")


# --- what is committed ---------------------------------------------------------------------------


def test_committed_contracts_are_those_of_the_code() -> None:
    """A changed type without `python -m adapters.temporal.contracts` fails here, with the names."""
    assert renew(write=False) == ([], [])


def test_published_versions_are_never_edited() -> None:
    """Somebody builds on them; only their words may be improved."""
    assert {path.name: digest(path) for path in sorted(FOLDER.glob("*.json"))} == RELEASED


@pytest.mark.parametrize("name", NAMES)
def test_every_version_may_follow_the_one_before(name: str) -> None:
    """Old messages and histories are read by new code, for years."""
    from_us = next(item.from_us for item in contracts() if item.name == name)
    known = [load(path) for path in versions(name)]
    for old, new in zip(known, [*known[1:], known[-1]], strict=True):
        assert breaks(old, new, from_us=from_us) == ()


def test_every_file_belongs_to_a_contract_and_is_reported() -> None:
    """No file is left over from a message that no longer exists; the guide names each."""
    guide = (FOLDER.parent / "upstream.md").read_text(encoding="utf-8")
    stems = {re.sub(r"\.v\d+$", "", path.stem) for path in FOLDER.glob("*.json")}
    assert stems == set(NAMES)
    assert [name for name in NAMES if f"{name}.v" not in guide] == []


# --- the checker finds what must not happen ------------------------------------------------------

Change = Callable[[Schema], object]


def requires(name: str) -> Change:
    return lambda schema: schema["required"].append(name)


def becomes(name: str, **what: Any) -> Change:
    return lambda schema: schema["properties"].__setitem__(name, what)


def adds(name: str, **what: Any) -> Change:
    def change(schema: Schema) -> None:
        schema["properties"][name] = what
        if "default" not in what:
            schema["required"].append(name)

    return change


def within(definition: str, change: Change) -> Change:
    return lambda schema: change(schema["$defs"][definition])


def fewer(schema: Schema) -> None:
    schema["enum"] = schema["enum"][1:]


def more(schema: Schema) -> None:
    schema["enum"] = [*schema["enum"], "of_tomorrow"]


BREAKING: list[tuple[str, Change, str]] = [
    ("loan-application", lambda s: s["properties"].pop("mandate_cap"), "/mandate_cap: removed"),
    ("loan-application", adds("channel", type="string"), "/channel: a new field without a default"),
    ("loan-application", requires("currency"), "/currency: became required"),
    ("loan-application", becomes("principal", type="number"), "/principal: old has string"),
    ("loan-application", becomes("principal", type="string", maxLength=9), "/principal: maxLength"),
    ("loan-application", becomes("tenant", type="string", pattern="^a"), "/tenant: pattern"),
    ("loan-application", becomes("product", type="string", enum=["a"]), "/product: new takes an"),
    (
        "loan-application",
        lambda s: s["properties"]["schedule"]["items"].__setitem__("maxItems", 3),
        "/schedule[]: maxItems 3",
    ),
    ("signal-hold", lambda s: s["properties"].pop("what"), "/what: removed"),
    ("signal-hold", within("HoldKind", fewer), "/what: new does not take 'debit'"),
    ("signal-hold", becomes("approver", type="string"), "/approver: old has null"),
    ("signal-hold", within("Actor", lambda s: s["properties"].pop("id")), "/actor/id: removed"),
    ("override", within("Waive", adds("until", type="string")), "/until: a new field"),
    ("override", lambda s: s["oneOf"].pop(0), "/kind: new does not take 'hold'"),
    ("boarded", lambda s: s["properties"].pop("again"), "/again: removed"),
    ("boarded", adds("note", type="string"), "/note: a new field without a default"),
    ("boarded", becomes("installments", type="string"), "/installments: old has integer"),
    ("boarded", becomes("installments", type="number"), "/installments: new has number"),
    (
        "installment-view",
        within("Labels", becomes("rail", anyOf=[{"type": "string"}, {"type": "null"}])),
        "/labels/rail: new has null, old takes string",
    ),
    ("installment-view", within("Labels", lambda s: s["properties"].pop("code")), "/labels/code"),
    ("installment-view", within("Action", requires("more")), "/next_action/more: a new field"),
]


@pytest.mark.parametrize(("name", "change", "found"), BREAKING)
def test_checker_finds_what_breaks_a_promise(name: str, change: Change, found: str) -> None:
    """A removed field, a new required one, a narrower type: each is named with its path."""
    from_us = next(item.from_us for item in contracts() if item.name == name)
    new = deepcopy(first(name))
    change(new)
    lines = breaks(first(name), new, from_us=from_us)
    assert any(line.startswith(found) for line in lines), lines


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("loan-application", adds("channel", type="string", default="")),
        ("loan-application", becomes("periods", anyOf=[{"type": "string"}, {"type": "integer"}])),
        ("loan-application", lambda s: s["required"].remove("annual_rate")),
        ("signal-hold", within("HoldKind", more)),
        ("boarded", adds("note", type="string", default="")),
        ("installment-view", within("InstallmentDetail", adds("mood", type="string", default=""))),
        ("installment-view", within("Action", adds("where", type="string", default=""))),
    ],
)
def test_checker_lets_a_contract_grow(name: str, change: Change) -> None:
    """Additions with defaults, wider input, new members of an enumeration: all may follow."""
    from_us = next(item.from_us for item in contracts() if item.name == name)
    new = deepcopy(first(name))
    change(new)
    assert new != first(name)
    assert breaks(first(name), new, from_us=from_us) == ()


def test_generator_writes_a_new_version_and_leaves_the_old_one(tmp_path: Path) -> None:
    """What has grown becomes the next version; the old file is not touched."""
    old = first("loan-application")
    del old["properties"]["mandate_cap"]
    before = json.dumps(old)
    (tmp_path / "loan-application.v1.json").write_text(before, encoding="utf-8")
    written, broken = renew(tmp_path)
    assert broken == []
    assert "loan-application.v2.json" in written
    assert "mandate_cap" in load(tmp_path / "loan-application.v2.json")["properties"]
    assert (tmp_path / "loan-application.v1.json").read_text(encoding="utf-8") == before
    assert renew(tmp_path) == ([], [])


def test_generator_writes_no_version_that_breaks_a_promise(tmp_path: Path) -> None:
    """A field that an older version has and the code has not: reported, and nothing written."""
    old = first("boarded")
    old["properties"]["branch"] = {"type": "string"}
    (tmp_path / "boarded.v1.json").write_text(json.dumps(old), encoding="utf-8")
    written, broken = renew(tmp_path)
    assert broken == ["boarded: /branch: removed"]
    assert "boarded.v2.json" not in written


# --- what is written down is what is read --------------------------------------------------------


def example(schema: Schema, root: Schema) -> Any:
    """The smallest thing that a schema describes."""
    if "$ref" in schema:
        return example(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return example(schema["anyOf"][0], root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    match schema["type"]:
        case "object":
            return {name: example(schema["properties"][name], root) for name in schema["required"]}
        case "array":
            return []
        case "integer":
            return 1
        case _:
            return "2026-12-01" if schema.get("format") == "date" else "x"


def taken(name: str, sent: Any) -> object:
    data = json.dumps(sent).encode()
    if name == "loan-application":
        return read(data, LoanApplication, "application")
    kind = name.removeprefix("signal-").replace("-", "_")
    if name == "loan-closure-override" or kind in CLOSURE_ORDERS:
        every = name == "loan-closure-override"
        ours = CLOSURE_ORDERS if every else {kind: CLOSURE_ORDERS[kind]}
        return read_order(data, ours, {"loan_id": "L"}, "order")
    if name == "payout-override" or kind in PAYOUT_ORDERS:
        about = PAYOUT_ORDERS if name == "payout-override" else {kind: PAYOUT_ORDERS[kind]}
        return read_order(data, about, {"payout": "P"}, "order")
    if name == "case-override" or kind in CASE_ORDERS:
        mine = CASE_ORDERS if name == "case-override" else {kind: CASE_ORDERS[kind]}
        return read_order(data, mine, {"case": "surplus/R-1"}, "order")
    orders = ORDERS if name == "override" else {kind: ORDERS[kind]}
    return read_order(data, orders, {"loan_id": "L-1", "number": 1}, "order")


def refused(name: str, sent: Any) -> str:
    with pytest.raises(InvalidInput) as fault:
        taken(name, sent)
    return fault.value.field


@pytest.mark.parametrize("name", [item.name for item in contracts() if not item.from_us])
def test_what_the_schema_says_is_what_is_read(name: str) -> None:
    """The least that a schema asks for is taken; less, more and other types are refused."""
    schema = load(versions(name)[-1])
    parts = [schema]
    if "oneOf" in schema:
        parts = [schema["$defs"][one["$ref"].rpartition("/")[2]] for one in schema["oneOf"]]
    for part in parts:
        least = example(part, schema)
        assert taken(name, least)
        assert refused(name, {**least, "surplus": "1"}) == "surplus"
        for field, what in part["properties"].items():
            if field in part["required"]:
                lacking = {key: value for key, value in least.items() if key != field}
                assert refused(name, lacking) == field
            other: object = "1" if what.get("type") in ("integer", "array") else 1
            assert refused(name, {**least, field: other}).startswith(field)
            nullable = {"type": "null"} in what.get("anyOf", ())
            if not nullable:
                assert refused(name, {**least, field: None}).startswith(field)
