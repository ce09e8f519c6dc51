"""docs/operations.md is as complete as the settings and services that it describes."""

from __future__ import annotations

import re
import tomllib

import pytest
import yaml

from adapters.rails.kinds import KINDS
from tests.support.tree import ROOT
from workers.settings import Settings
from workers.sourcesfile import _Elsewhere, _Expected, _FolderTable, _SftpTable

TEXT = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]


def test_every_setting_is_explained() -> None:
    """The table of settings names each of them, and nothing that is none."""
    table = TEXT.split("## 3. Settings")[1].split("### Rails")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == set(Settings.model_fields)


def test_every_field_of_a_rail_is_explained() -> None:
    """The table of a rail's fields names those of every kind, and nothing else; its sample too."""
    part = TEXT.split("### Rails")[1].split("### Bank accounts")[0]
    rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    fields = {"kind", "merchant_id"}
    for kind in KINDS.values():
        fields |= {*kind.addresses, *(f"{secret}_file" for secret in kind.secrets)}
    assert named == fields
    sample = tomllib.loads(part.split("```toml")[1].split("```")[0])
    assert {name for table in sample["rails"].values() for name in table} == fields
    assert all(f"`{name}`" in part for name in KINDS)


def test_every_field_of_a_source_is_explained() -> None:
    """The tables name the fields of every kind of source, and nothing else; its sample is one."""
    part = TEXT.split("### Statement sources")[1].split("## 4.")[0]
    rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    tables = (_Elsewhere, _FolderTable, _SftpTable, _Expected)
    fields = {name for table in tables for name in table.model_fields}
    assert named == fields - {"expected"}
    sample = tomllib.loads(part.split("```toml")[1].split("```")[0])["sources"]
    assert {name for table in sample.values() for name in table} <= fields
    kinds = {"folder", "sftp", "upload", "rail"}
    assert all(f"`{kind}`" in part for kind in kinds)


@pytest.mark.parametrize("field", ["workflow_cache", "drain_timeout_s", "tenant", "codec_port"])
def test_defaults_in_the_table_are_the_defaults(field: str) -> None:
    """A figure that was changed in the code is changed in the page."""
    row = next(line for line in TEXT.splitlines() if line.startswith("|") and f"`{field}`" in line)
    assert (
        f"{Settings.model_fields[field].default:g}" in row if field != "tenant" else "main" in row
    )


def test_every_service_is_explained() -> None:
    """The table of parts names each service of the compose file."""
    table = TEXT.split("## 1. Parts")[1].split("## 2.")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([\w-]+)`", row)} >= set(SERVICES)
