"""The contract with upstream as JSON Schema, generated from the types that travel.

    python -m adapters.temporal.contracts [--check]

Writes a new version of each contract that has changed, beside the older ones, which stay as they
are: somebody builds on them. A change that old messages would not survive is not written at all.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from activities.boarding import Boarded
from adapters.temporal.compatibility import breaks
from domain.case.commands import CASE_ORDERS, AnyCaseOrder
from domain.case.view import CaseView
from domain.kernel.order import OperatorOrder
from domain.loan.commands import ORDERS, Order
from domain.loan.view import InstallmentView
from domain.loanclosure.commands import CLOSURE_ORDERS, AnyClosureOrder
from domain.loanclosure.view import ClosureView
from domain.payout.commands import PAYOUT_ORDERS, AnyPayoutOrder
from domain.payout.view import PayoutView
from ports.boarding import LoanApplication
from workflows.messages import Closure, Story

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "contracts"
_ORDERS: Mapping[str, type[OperatorOrder]] = MappingProxyType(
    {**ORDERS, **CASE_ORDERS, **PAYOUT_ORDERS, **CLOSURE_ORDERS}
)
"""Orders on any kind of subject; no two have one kind."""
WORDS = ("title", "description")
"""Keywords for people; a change of words alone is no new version."""


@dataclass(frozen=True, slots=True)
class Contract:
    """One message: its name, the type that carries it, and who says it.

    A message to us is closed (a field that we do not know is refused), one from us may grow.
    """

    name: str
    carried: Any
    from_us: bool = False

    def schema(self) -> dict[str, Any]:
        """The schema of today's type, without version."""
        schema: dict[str, Any] = TypeAdapter(self.carried).json_schema()
        whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_tidy(schema)}
        if not self.from_us:
            for part in (whole, *whole.get("$defs", {}).values()):
                if part.get("type") == "object":
                    part["additionalProperties"] = False
        if isinstance(self.carried, type) and issubclass(self.carried, OperatorOrder):
            _to_wire_form(whole, self.carried)
        for kind, ref in whole.get("discriminator", {}).get("mapping", {}).items():
            part = whole["$defs"][ref.rpartition("/")[2]]
            _to_wire_form(part, _ORDERS[kind])
            # Without a kind nobody can tell a hold from its end.
            part["required"] = ["kind", *part["required"]]
        return whole


def _to_wire_form(part: dict[str, Any], order: type[OperatorOrder]) -> None:
    """Take the fields out of the schema of an order that its receiver sets."""
    apart = order.set_by_receiver()
    part["properties"] = {k: v for k, v in part["properties"].items() if k not in apart}
    part["required"] = [name for name in part["required"] if name not in apart]


def contracts() -> tuple[Contract, ...]:
    """Every contract, in the order of the documentation."""
    signals = (
        Contract(f"signal-{kind.replace('_', '-')}", member) for kind, member in _ORDERS.items()
    )
    return (
        Contract("loan-application", LoanApplication),
        Contract("boarded", Boarded, from_us=True),
        Contract("installment-view", InstallmentView, from_us=True),
        Contract("story", Story, from_us=True),
        Contract("closure", Closure, from_us=True),
        *signals,
        Contract("override", Annotated[Order, Field(discriminator="kind")]),
        Contract("override-answer", InstallmentView, from_us=True),
        Contract("case-view", CaseView, from_us=True),
        Contract("case-override", Annotated[AnyCaseOrder, Field(discriminator="kind")]),
        Contract("case-override-answer", CaseView, from_us=True),
        Contract("payout-view", PayoutView, from_us=True),
        Contract("payout-override", Annotated[AnyPayoutOrder, Field(discriminator="kind")]),
        Contract("payout-override-answer", PayoutView, from_us=True),
        Contract("loan-closure-view", ClosureView, from_us=True),
        Contract("loan-closure-override", Annotated[AnyClosureOrder, Field(discriminator="kind")]),
        Contract("loan-closure-override-answer", ClosureView, from_us=True),
    )


def versions(name: str, folder: Path = FOLDER) -> list[Path]:
    """The files of one contract, the oldest first."""
    return sorted(folder.glob(f"{name}.v*.json"), key=_number)


def load(path: Path) -> dict[str, Any]:
    """The schema in a file."""
    return dict(json.loads(path.read_text(encoding="utf-8")))


def without_words(schema: Any) -> Any:  # noqa: ANN401 - any part of a JSON document
    """The schema without what is only for people to read; fields may be called like keywords."""
    match schema:
        case dict():
            kept = {key: without_words(value) for key, value in schema.items() if key != "$id"}
            return {
                key: value
                for key, value in kept.items()
                if key not in WORDS or not isinstance(value, str)
            }
        case list():
            return [without_words(item) for item in schema]
        case _:
            return schema


def renew(folder: Path = FOLDER, *, write: bool = True) -> tuple[list[str], list[str]]:
    """Bring the folder up to date; what changed, and what may not change.

    Returns:
        names of files written (or, with `write` False, that would be), and broken promises.
    """
    changed: list[str] = []
    broken: list[str] = []
    for contract in contracts():
        known = versions(contract.name, folder)
        schema = contract.schema()
        path = folder / f"{contract.name}.v{len(known) + 1}.json"
        if known:
            latest = load(known[-1])
            if without_words(latest) == without_words(schema):
                path = known[-1]
            else:
                found = breaks(latest, schema, from_us=contract.from_us)
                broken += [f"{contract.name}: {line}" for line in found]
                if found:
                    continue
        text = json.dumps({"$id": path.name, **schema}, indent=2, ensure_ascii=False) + "\n"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            changed.append(path.name)
            if write:
                path.write_text(text, encoding="utf-8")
    return changed, broken


def _number(path: Path) -> int:
    return int(path.stem.rpartition(".v")[2])


def _tidy(schema: Any) -> Any:  # noqa: ANN401 - any part of a JSON document
    """Without the titles that only repeat a field's name."""
    match schema:
        case dict():
            return {
                key: _tidy(value)
                for key, value in schema.items()
                if key != "title" or not isinstance(value, str)
            }
        case list():
            return [_tidy(item) for item in schema]
        case _:
            return schema


def main() -> int:
    """Renew the folder, or with `--check` only say what would change; 1 when anything is wrong."""
    check = "--check" in sys.argv[1:]
    changed, broken = renew(write=not check)
    for line in broken:
        sys.stderr.write(f"not compatible: {line}\n")
    for name in changed:
        sys.stdout.write(f"{'out of date' if check else 'written'}: docs/contracts/{name}\n")
    return 1 if broken or (check and changed) else 0


if __name__ == "__main__":
    raise SystemExit(main())
