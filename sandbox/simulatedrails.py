"""The rails of a sandbox: all of one kind, on one simulated bank, with fresh secrets each time."""

from __future__ import annotations

import json
import os
import secrets as randomness
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from adapters.rails.kinds import KINDS
from adapters.tapes.loan.loans import USUAL_MERCHANT
from domain.errors import InvalidInput
from workers.rails import USUAL_KIND, USUAL_RAIL, must_be_rail_name, secret_name
from workers.stackfile import RailRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from workers.settings import Settings
    from workers.stackfile import StackRecord

SMS_SECRET = "sms_secret"  # noqa: S105  (its name)
"""What we share with the simulated carrier of text messages."""


@dataclass(frozen=True, slots=True)
class SimulatedRails:
    """Names of the rails, and every secret that we share with the simulated services.

    Each secret is for one service only and kept under the name that the record of the stack has.
    """

    names: tuple[str, ...]
    secrets: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, asked: Iterable[str], earlier: StackRecord | None) -> Self:
        """The rails that are asked for and those of an earlier stack; the usual one if none is.

        Raises:
            InvalidInput: a name that no rail may have.
        """
        names = sorted({*asked, *(() if earlier is None else earlier.rails)}) or [USUAL_RAIL]
        for name in names:
            must_be_rail_name("rail", name)
        needed = [secret_name(rail, it) for rail in names for it in KINDS[USUAL_KIND].secrets]
        fresh = {name: randomness.token_hex(24) for name in (*needed, SMS_SECRET)}
        return cls(tuple(names), fresh)

    def records(self, simulator_url: str) -> dict[str, RailRecord]:
        """The rails as the record of the stack keeps them."""
        bank = f"{simulator_url}/bank"
        return {
            name: RailRecord(
                USUAL_KIND,
                USUAL_MERCHANT,
                {"url": f"{simulator_url}/rails/{name}", "bank_url": bank},
            )
            for name in self.names
        }

    def write(self, path: Path, doors: str) -> Path:
        """Write the file that the simulator reads, for its owner alone; gives its path.

        Args:
            path: of the file.
            doors: base address of the webhooks of all rails.
        """
        lines = []
        for name in self.names:
            settings = {"merchant_id": USUAL_MERCHANT, "webhook_url": f"{doors}/{name}"}
            settings |= {
                it: self.secrets[secret_name(name, it)] for it in KINDS[USUAL_KIND].secrets
            }
            lines.append(f"[rails.{name}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as output:
            output.write("\n".join(lines) + "\n")
        return path


def must_have_no_rails(settings: Settings) -> None:
    """See that a sandbox debits at its own rails: time in it is not that of any other.

    Raises:
        InvalidInput: the environment names rails.
    """
    if settings.rails is not None:
        rule = "unset for a sandbox, which has simulated rails of its own (--rail)"
        raise InvalidInput("ACQUIT_RAILS", str(settings.rails), rule)
