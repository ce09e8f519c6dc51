"""A file of rails of the simulator's kind, as an installation has it."""

from collections.abc import Sequence
from pathlib import Path

from workers.stackfile import RailRecord


def rails_file(
    folder: Path, simulator: str, names: Sequence[str] = ("simbank",), secret: str = "a secret"
) -> Path:
    """Write the file into `folder`, with one secret for everything; gives its path."""
    (folder / "rail-secret").write_text(secret, encoding="utf-8")
    lines = []
    for name in names:
        lines += [f"[rails.{name}]", 'kind = "simbank"', 'merchant_id = "ACQUIT"']
        lines += [f'{key} = "{value}"' for key, value in addresses(simulator, name).items()]
        lines += [f'{it}_file = "rail-secret"' for it in ("api_secret", "webhook_secret")]
    path = folder / "rails.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def addresses(simulator: str, name: str) -> dict[str, str]:
    """Base addresses of a rail that a simulator plays."""
    return {"url": f"{simulator}/rails/{name}", "bank_url": f"{simulator}/bank"}


def recorded(simulator: str, *names: str) -> dict[str, RailRecord]:
    """Rails of a simulator as the record of a stack has them."""
    return {name: RailRecord("simbank", "ACQUIT", addresses(simulator, name)) for name in names}
