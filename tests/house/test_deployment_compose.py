"""docker-compose.yml: valid, complete, without defaults for secrets, and true to the code."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer
import yaml

from cli.tree import build
from sandbox.topologyparts import (
    APP_ROLE,
    RAIL_FILES,
    SECRET_VARIABLES,
    WORKERS,
    Ports,
    Secrets,
    Site,
    parts_of,
    server_variables,
    worker_variables,
    write_rails,
)
from simulator.railfile import read_rails as simulator_rails
from tests.support.tree import ROOT
from workers.processes import output_of
from workers.rails import read_rails
from workers.runner import roles_of
from workers.settings import Settings

COMPOSE_GO = "github.com/compose-spec/compose-go/v2@v2.16.2"
"""The module that carries the specification's JSON schema; read from Go's module cache."""
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
OURS = [name for name, it in SERVICES.items() if str(it["image"]).startswith("acquit")]
ONE_SHOT = {"temporal-schema", "temporal-namespace", "migrate"}
RAILS = tomllib.loads((ROOT / "deploy/rails.toml").read_text(encoding="utf-8"))["rails"]
PLAYED = tomllib.loads((ROOT / "deploy/simulator.toml").read_text(encoding="utf-8"))["rails"]
NOT_ASKED = {"prune"}
"""Nobody waits for it and nothing is lost while it is away: it does its work the next time."""
SHELL_LESS = {"otel-collector", "temporal-ui", "grafana"}
"""Images that have no program to ask them with, or that only people look at."""


def env_of(name: str) -> dict[str, str | None]:
    return dict(SERVICES[name].get("environment") or {})


async def test_file_is_valid_by_the_compose_specification() -> None:
    """Checked against the published JSON schema."""
    if (go := shutil.which("go")) is None:
        pytest.skip("no Go, whose module cache carries the schema of the compose specification")
    answer = await output_of(go, "mod", "download", "-json", COMPOSE_GO, timeout_s=60)
    if answer is None:
        pytest.skip(f"{COMPOSE_GO} cannot be fetched here")
    path = Path(json.loads(answer)["Dir"]) / "schema" / "compose-spec.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [f"{e.json_path}: {e.message}" for e in validator.iter_errors(FILE)] == []


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_bounded_logged_and_restarted(name: str) -> None:
    """Limits of memory, processor and processes, rotated logs, a restart rule, no new rights."""
    it = SERVICES[name]
    limits = it["deploy"]["resources"]["limits"]
    assert {"cpus", "memory", "pids"} <= set(limits)
    assert it["logging"]["options"]["max-size"]
    assert it["restart"] == ("on-failure:5" if name in ONE_SHOT else "unless-stopped")
    assert "no-new-privileges:true" in it["security_opt"]
    assert ("healthcheck" in it) == (name not in ONE_SHOT | SHELL_LESS | NOT_ASKED)


@pytest.mark.parametrize("name", OURS)
def test_our_containers_can_change_nothing_but_their_scratch_space(name: str) -> None:
    """Read-only, no capabilities, and more time to end than a debit needs."""
    it = SERVICES[name]
    assert it["read_only"] is True
    assert it["cap_drop"] == ["ALL"]
    assert it["tmpfs"] == ["/tmp"]
    grace = int(it["stop_grace_period"].removesuffix("s"))
    assert grace > int(env_of("worker-books")["ACQUIT_DRAIN_TIMEOUT_S"] or 0)


def test_statement_files_are_read_from_a_disk() -> None:
    """A file may be larger than the memory of the container, and /tmp there is memory."""
    [mounted] = SERVICES["worker-books"]["volumes"]
    assert mounted.partition(":")[2] == env_of("worker-books")["TMPDIR"]


@pytest.mark.parametrize("name", [*WORKERS, "codec"])
def test_our_processes_are_asked_whether_they_can_work(name: str) -> None:
    """The health check calls /readyz on the port on which the process answers."""
    port = env_of(name)["ACQUIT_HEALTH_PORT"]
    assert SERVICES[name]["healthcheck"]["test"][-1] == f"http://127.0.0.1:{port}/readyz"


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_waits_for_exists_and_can_be_waited_for(name: str) -> None:
    """`service_healthy` needs a health check, `completed` a service that ends."""
    for other, how in SERVICES[name].get("depends_on", {}).items():
        match how["condition"]:
            case "service_healthy":
                assert "healthcheck" in SERVICES[other]
            case "service_completed_successfully":
                assert other in ONE_SHOT
            case unknown:
                pytest.fail(f"{name} waits for {other} in an unknown way: {unknown}")


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_are_declared_granted_and_files(name: str) -> None:
    """Every secret a service names by path is granted to it, and every grant is declared."""
    granted = set(SERVICES[name].get("secrets", ()))
    assert granted <= set(FILE["secrets"])
    named = {
        str(value).removeprefix("/run/secrets/")
        for value in env_of(name).values()
        if str(value).startswith("/run/secrets/")
    }
    assert named <= granted
    for secret in granted - named:  # read by a script of the service, or named in a file it reads
        files = [path.read_text() for path in (*_scripts(name), *_configs(name))]
        assert any(secret in text for text in files), secret


def test_secrets_have_no_default() -> None:
    """Without the folder of secrets the file is refused; none is written into it."""
    files = [secret["file"] for secret in FILE["secrets"].values()]
    assert all(
        file == f"{file.split('/')[0]}/{name}"
        for name, file in zip(FILE["secrets"], files, strict=True)
    )
    assert files[0].startswith("${ACQUIT_SECRETS:?")
    plain = [
        key
        for name in SERVICES
        for key, value in env_of(name).items()
        if re.search("PASSWORD|SECRET|TOKEN|KEYS|PWD", key)
        and not str(value).startswith("/run/secrets/")
    ]
    assert plain == []


def test_every_file_that_is_mounted_or_run_exists() -> None:
    """Paths on the host side of volumes, and our scripts inside the image."""
    for name, it in SERVICES.items():
        for volume in it.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in FILE["volumes"] or (ROOT / source).exists(), volume
        assert all(path.is_file() for path in _scripts(name))
    ignore = (ROOT / "deploy/Dockerfile.dockerignore").read_text().splitlines()
    inside = set(re.findall(r"/app/(deploy/[\w.]+)", TEXT + _text("deploy/Dockerfile")))
    assert {f"!{path}" for path in inside} <= set(ignore)
    copied = re.findall(r"^COPY (?!--from)(\S+) ", _text("deploy/Dockerfile"), re.MULTILINE)
    assert all(path == "." or (ROOT / path).exists() for path in copied)


@pytest.mark.parametrize("name", OURS)
def test_our_variables_are_settings(name: str) -> None:
    """A variable that nothing reads would be a promise that is not kept."""
    known = {f"ACQUIT_{field.upper()}" for field in Settings.model_fields}
    given = {key.removesuffix("_FILE") for key in env_of(name) if key.startswith("ACQUIT_")}
    assert given <= known
    values = {
        key.removeprefix("ACQUIT_").lower(): _filled(value)
        for key, value in env_of(name).items()
        if key.startswith("ACQUIT_") and not key.endswith("_FILE") and value is not None
    }
    Settings.model_validate(values)


def test_every_variable_of_the_host_is_optional_or_demanded_with_a_reason() -> None:
    """`docker compose` never warns of a blank string: there is a default, or a message."""
    first = {match[0] for match in re.findall(r"\$\{(\w+)(:[?-])", TEXT)}
    assert set(re.findall(r"\$\{(\w+)\}", TEXT)) <= first


def test_commands_are_ours() -> None:
    """Workers play known roles, and the command line takes the rest as it stands."""
    for name, role in WORKERS.items():
        assert SERVICES[name]["command"] == ["worker", role]
        assert role == "api" or roles_of(role, tuple(RAILS))
    group, verb, *options = SERVICES["migrate"]["command"]
    tree: Any = typer.main.get_command(build())
    context = tree.make_context("acquit", [group])
    found = tree.get_command(context, group).get_command(context, verb)
    assert found.make_context(verb, options).params["grant_to"] == APP_ROLE
    group, verb, *options = SERVICES["prune"]["command"]
    found = tree.get_command(context, group).get_command(context, verb)
    assert found.make_context(verb, options).params["every_hours"] == 6
    module = SERVICES["codec"]["entrypoint"][-1]
    assert (ROOT / Path(*module.split("."))).with_suffix(".py").is_file()


def test_addresses_between_services_fit() -> None:
    """Who is called listens under that name and port."""
    workers = env_of("worker-workflows")
    assert workers["TEMPORAL_ADDRESS"] == "temporal:7233"
    bank = SERVICES["simulator"]["command"]
    assert {"--http-port=8600", f"--smtp-port={_filled(workers['ACQUIT_SMTP_PORT'])}"} <= set(bank)
    assert SERVICES["api"]["ports"] == ["127.0.0.1:${ACQUIT_API_PORT:-8080}:8080"]
    assert env_of("api")["ACQUIT_API_PORT"] == "8080"
    scraped = yaml.safe_load(_text("deploy/prometheus/prometheus.yml"))["scrape_configs"]
    targets = [
        target for job in scraped for it in job["static_configs"] for target in it["targets"]
    ]
    assert {target.split(":")[0] for target in targets} <= set(SERVICES)
    reported = yaml.safe_load(_text("deploy/otel/collector.yaml"))["exporters"]["prometheus"]
    assert f"otel-collector:{reported['endpoint'].split(':')[1]}" in targets
    published = [port for it in SERVICES.values() for port in it.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_every_rail_has_its_worker_its_alarm_and_its_place_at_the_simulator() -> None:
    """One debit worker for each; the simulator plays it under its name and shares its secrets."""
    debits = {name for name in SERVICES if name.startswith("worker-debit-")}
    assert debits == {f"worker-debit-{name}" for name in RAILS} <= set(WORKERS)
    assert set(PLAYED) == set(RAILS)
    alarms = _text("deploy/prometheus/alerts.yml")
    for name, rail in RAILS.items():
        assert f'task_queue="debit.{name}"' in alarms
        shared = {key for key in rail if key.endswith("_file")} | {"merchant_id"}
        assert {key: rail[key] for key in shared} == {key: PLAYED[name][key] for key in shared}
        assert rail["url"] == f"http://simulator:8600/rails/{name}"
        assert PLAYED[name]["webhook_url"] == f"http://api:8080/webhooks/{name}"
        secrets = {Path(rail[key]).name for key in shared if key.endswith("_file")}
        assert secrets <= set(SERVICES["worker-workflows"]["secrets"])
    assert env_of("worker-workflows")["ACQUIT_RAILS"] == "/etc/acquit/rails.toml"
    assert "--rails=/etc/acquit/simulator.toml" in SERVICES["simulator"]["command"]


def test_rails_of_the_native_topology_are_those_that_are_deployed(tmp_path: Path) -> None:
    """The same files with the addresses of the place; both programs take them."""
    ports, keys = Ports(), tmp_path / "secrets"
    Secrets().write(keys, ports)
    write_rails(ROOT / "deploy", tmp_path, keys, ports)
    ours, theirs = (tmp_path / name for name in RAIL_FILES)
    assert set(read_rails(ours)) == set(RAILS)
    assert set(simulator_rails(str(theirs))) == set(RAILS)
    assert "simulator:8600" not in ours.read_text() + theirs.read_text()


def test_native_topology_plays_the_same_parts_with_the_same_variables(tmp_path: Path) -> None:
    """What the topology test kills is what is deployed."""
    ports = Ports()
    site = Site(root=ROOT, home=tmp_path, tools=tmp_path, secrets_dir=tmp_path, environ={})
    parts = parts_of(site, ports, shards=16, seed=1, more={})
    native = {part.name: part for part in parts}
    people = {"postgres", "temporal-ui", "codec", "otel-collector", "prometheus", "grafana"}
    assert set(SERVICES) - people == set(native) - {"postgres-roles"}
    server = set(env_of("temporal")) - {"PROMETHEUS_ENDPOINT"}
    assert set(server_variables(ports, ROOT, 16)) == server
    passed_on = {
        "ACQUIT_ANCHORS",
        "ACQUIT_BUILD_ID",
        "ACQUIT_CASE_POLICY",
        "ACQUIT_OTLP_ENDPOINT",
        "ACQUIT_SIGNING_KEY",
        "ACQUIT_SOURCES",
        "ACQUIT_STATEMENT_MAPS",
    }
    common = set(env_of("worker-workflows")) - passed_on
    assert set(worker_variables(ports, tmp_path, tmp_path)) == common
    assert {f"/run/secrets/{file}" for file in SECRET_VARIABLES.values()} <= set(
        env_of("worker-workflows").values()
    )
    for name in ("temporal-schema", "temporal-namespace"):
        assert set(env_of(name)) <= set(native[name].env)
        assert Path(SERVICES[name]["entrypoint"][1]).name == Path(native[name].argv[1]).name
    for name in ("migrate", "prune"):
        command = tuple(SERVICES[name]["command"])
        assert native[name].argv[-len(command) :] == command


def _configs(name: str) -> list[Path]:
    """Files of ours that a service reads."""
    sources = [grant["source"] for grant in SERVICES[name].get("configs") or ()]
    return [ROOT / _filled(FILE["configs"][source]["file"]) for source in sources]


def _scripts(name: str) -> list[Path]:
    """Scripts of ours that a service runs or hands to its image."""
    it = SERVICES[name]
    words = [*(it.get("entrypoint") or []), *(it.get("command") or [])]
    mounts = dict(volume.split(":")[1::-1] for volume in it.get("volumes", ()))
    found = []
    for word in words:
        if word.startswith("/app/deploy/"):
            found.append(ROOT / word.removeprefix("/app/"))
        elif word.startswith("/deploy/"):
            found.append(ROOT / mounts["/deploy"] / word.removeprefix("/deploy/"))
    found += [ROOT / source for source in mounts.values() if source.endswith(".sh")]
    return found


def _text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _filled(value: str | None) -> str:
    """A value with the defaults of its variables."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))


def test_only_the_simulators_image_holds_the_simulator() -> None:
    """Production is built from the stage that has no simulator, nor what only that one needs."""
    targets = {name: SERVICES[name]["build"]["target"] for name in OURS}
    assert targets.pop("simulator") == "simulator"
    assert set(targets.values()) == {"production"}
    stages = re.split(r"^(?=FROM )", _text("deploy/Dockerfile"), flags=re.MULTILINE)
    by_name = {stage.split()[3]: stage for stage in stages if stage.startswith("FROM ")}
    assert "rm -r simulator" in by_name["build-production"]
    assert re.findall(r"--from=(\S+)", by_name["production"]) == ["build-production"] * 2
    assert [name for name, text in by_name.items() if "-r requirements/simulator" in text] == [
        "build-simulator"
    ]
