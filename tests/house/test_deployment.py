"""What is deployed agrees with the code, is pinned, and carries no password."""

from __future__ import annotations

import re

from sandbox.serverbinary import CLI_VERSION, MODULE, PACKAGE
from tests.support.tree import ROOT
from workers.settings import Settings
from workflows.names import SEARCH_ATTRIBUTES

COMPOSE = ROOT / "docker-compose.yml"


def test_production_and_development_register_the_same_search_attributes() -> None:
    """A query that works on the dev server works on the cluster."""
    script = (ROOT / "deploy" / "temporal-server" / "namespace.sh").read_text()
    pairs = dict(re.findall(r"\b([A-Z]\w+):(Keyword|Bool|Datetime|Int)\b", script))
    assert pairs == SEARCH_ATTRIBUTES


def test_images_are_pinned_to_a_release() -> None:
    """No image floats: each names a full version, or is our own or a stage of its file."""
    images = re.findall(r"^\s*image: (\S+)", COMPOSE.read_text(), flags=re.MULTILINE)
    stages = (ROOT / "deploy" / "Dockerfile").read_text()
    known = set(re.findall(r"^FROM \S+ AS (\S+)", stages, re.MULTILINE))
    images += [it for it in re.findall(r"^FROM (\S+)", stages, re.MULTILINE) if it not in known]
    floating = [name for name in images if not re.search(r":(v?\d+\.\d+|\$\{ACQUIT_VERSION)", name)]
    assert len(images) >= 6
    assert floating == []


def test_compose_file_holds_no_password() -> None:
    """Secrets are files outside the tree; their variables name paths only."""
    found = re.findall(
        r"^\s*(\S*(?:PASSWORD|SECRET|PWD)\S*): *(\S.*)$", COMPOSE.read_text(), re.MULTILINE
    )
    assert found
    assert [value for _, value in found if not value.startswith("/run/secrets/")] == []


def test_go_module_pins_the_release_we_look_for() -> None:
    """The cache name, the download and the build are one release of the Temporal CLI."""
    module = (MODULE / "go.mod").read_text()
    assert f"require github.com/temporalio/cli v{CLI_VERSION}\n" in module
    assert f"tool {PACKAGE}\n" in module
    assert (MODULE / "go.sum").is_file()


def test_example_environment_names_existing_settings_only() -> None:
    """A variable in .env.example that nothing reads would be a promise that is not kept."""
    known = {f"ACQUIT_{name.upper()}" for name in Settings.model_fields}
    named = set(
        re.findall(r"^#?(ACQUIT_[A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    )
    assert named
    assert named - known == set()
