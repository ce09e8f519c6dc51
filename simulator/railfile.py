"""Reads the file that says which rails there are: a table `[rails.<name>]` for each, in TOML."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from simulator.world import RAIL_SETTINGS

NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
SECRETS = ("api_secret", "webhook_secret")
DEMANDED = ("merchant_id", "api_secret")


def read_rails(path: str) -> dict[str, dict[str, str]]:
    """Return settings by the rail's name; raise ValueError or OSError where the file breaks a rule.

    A secret stands in the file, or in another that `<secret>_file` names, absolutely or from the
    folder of this one.
    """
    tables = tomllib.loads(Path(path).read_text(encoding="utf-8")).get("rails")
    if not isinstance(tables, dict) or not tables:
        msg = f"{path}: rails: must be tables [rails.<name>], one at least"
        raise ValueError(msg)
    return {name: _rail(Path(path), name, table) for name, table in tables.items()}


def _rail(path: Path, name: str, table: object) -> dict[str, str]:
    if not NAME.fullmatch(name) or not isinstance(table, dict):
        raise _fault(path, name, "must be a table whose name is of a-z, 0-9 and -, a letter first")
    files = {f"{secret}_file": secret for secret in SECRETS}
    found: dict[str, str] = {}
    for key, value in table.items():
        if key not in {*RAIL_SETTINGS, *files}:
            raise _fault(path, f"{name}.{key}", "no such field")
        if not isinstance(value, str) or not value:
            raise _fault(path, f"{name}.{key}", "must be text")
        if key in files:
            secret = path.parent / value
            found[files[key]] = secret.read_text(encoding="utf-8").rstrip("\r\n")
        else:
            found[key] = value
    for key in DEMANDED:
        if not found.get(key):
            raise _fault(path, f"{name}.{key}", "must be given")
    return found


def _fault(path: Path, field: str, rule: str) -> ValueError:
    return ValueError(f"{path}: rails.{field}: {rule}")
