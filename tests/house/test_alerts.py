"""Dashboards, alerts and run books name nothing that is not there."""

from __future__ import annotations

import asyncio
import json
import re
import runpy
import shutil
from asyncio.subprocess import PIPE
from itertools import combinations
from typing import Any

import pytest
import yaml

from adapters.telemetry.catalogue import CORE, CORE_LABELS, METRICS, Label, Metric
from tests.support.tree import ROOT

ALERTS = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))
RULES: list[dict[str, Any]] = [rule for group in ALERTS["groups"] for rule in group["rules"]]
BOARD = json.loads((ROOT / "deploy/dashboards/acquit.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
QUERIES = {
    **{rule["alert"]: [rule["expr"]] for rule in RULES},
    **{panel["title"]: [it["expr"] for it in panel["targets"]] for panel in PANELS},
}
RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))

SERIES: dict[str, Metric] = {name: it for it in (*METRICS, *CORE) for name in it.series}
EVERYWHERE = (Label("instance"), Label("job"), Label("acquit_role"), Label("le"))
"""Labels that Prometheus or the exporters add."""
WORDS = {"by", "without", "on", "ignoring", "or", "and", "unless", "bool", "offset"}
TOKEN = re.compile(
    r"""(?P<text>"[^"]*")|(?P<range>\[[^\]]*\])|(?P<name>[A-Za-z_:][\w:]*)|(?P<number>[\d.]+)"""
    r"""|(?P<op>=~|!~|!=|==|>=|<=|[-+*/%^<>=(){},])|(?P<blank>\s+)""",
)


def tokens(query: str) -> list[tuple[str, str]]:
    """The words of a PromQL query with their kinds; a character that belongs to none fails."""
    found, at = [], 0
    while at < len(query):
        match = TOKEN.match(query, at)
        assert match is not None, f"{query!r} at {at}"
        if match.lastgroup != "blank":
            found.append((match.lastgroup or "", match[0]))
        at = match.end()
    return found


def used(query: str) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Metrics of a query, each with its matchers (label, operator, value)."""
    words = tokens(query)
    found: list[tuple[str, list[tuple[str, str, str]]]] = []
    depth = 0
    for at, (kind, word) in enumerate(words):
        after = words[at + 1][1] if at + 1 < len(words) else ""
        depth += (word == "{") - (word == "}")
        plain = word not in WORDS and after not in {"(", "by", "without"}
        if kind == "name" and not depth and plain and not _in_grouping(words, at):
            found.append((word, []))
        if kind == "name" and depth:
            found[-1][1].append((word, words[at + 1][1], words[at + 2][1].strip('"')))
    return found


def groupings(query: str) -> list[str]:
    """Labels by which a query groups."""
    words = tokens(query)
    return [
        word for at, (kind, word) in enumerate(words) if kind == "name" and _in_grouping(words, at)
    ]


def _in_grouping(words: list[tuple[str, str]], at: int) -> bool:
    """Whether a word stands between the parentheses after `by`."""
    while at > 0 and words[at - 1][1] not in {"(", ")", "{", "}"}:
        at -= 1
    return at > 1 and words[at - 1][1] == "(" and words[at - 2][1] in WORDS


def labels_of(metric: Metric) -> dict[str, Label]:
    """What a metric may be asked for."""
    own = CORE_LABELS if metric in CORE else metric.labels
    return {label.name: label for label in (*own, *EVERYWHERE)}


@pytest.mark.parametrize("title", QUERIES)
def test_queries_ask_for_metrics_labels_and_values_that_exist(title: str) -> None:
    """A metric that was renamed would leave an alert that can never fire.

    That the catalogue is what is really exposed is held by the tests of telemetry.
    """
    for query in QUERIES[title]:
        assert tokens(query).count(("op", "(")) == tokens(query).count(("op", ")"))
        asked = used(query)
        assert asked, query
        for name, matchers in asked:
            assert name in SERIES, name
            labels = labels_of(SERIES[name])
            for label, operator, value in matchers:
                assert label in labels, (name, label)
                for one in value.split("|") if operator in {"=~", "!~"} else [value]:
                    assert not labels[label].values or one in labels[label].values, (name, one)
        known = [labels_of(SERIES[name]) for name, _ in asked]
        assert all(any(label in labels for labels in known) for label in groupings(query)), query


def test_reader_of_queries_sees_what_is_wrong() -> None:
    """The check itself: a misspelt metric, label and group are found in any place of a query."""
    query = 'sum by (rial) (rate(acquit_atempts_total{stat=~"A|B", rail="x"}[5m])) > 0.2 * max(y)'
    assert used(query) == [
        ("acquit_atempts_total", [("stat", "=~", "A|B"), ("rail", "=", "x")]),
        ("y", []),
    ]
    assert groupings(query) == ["rial"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_alert_is_whole(rule: dict[str, Any]) -> None:
    """Known fields, a severity that somebody answers to, a summary, and labels that it has."""
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert set(rule["annotations"]) == {"summary", "runbook"}
    assert re.fullmatch(r"\d+[smhd]", rule.get("for", "0s"))
    reported = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    matched = {label for _, matchers in used(rule["expr"]) for label, _, _ in matchers}
    assert reported <= {*groupings(rule["expr"]), *matched}


def test_every_alert_has_its_run_book_and_every_run_book_its_alert() -> None:
    """Under the alert's name, with the four questions of somebody who was just woken."""
    pages = {path.name: path.read_text(encoding="utf-8") for path in RUNBOOKS}
    index = pages.pop("README.md")
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    assert {rule["annotations"]["runbook"] for rule in RULES} == {
        f"docs/runbooks/{name}" for name in pages
    }
    for rule in RULES:
        name = rule["annotations"]["runbook"].rpartition("/")[2]
        kebab = re.sub(r"(?<=.)([A-Z])", r"-\1", rule["alert"]).lower()
        assert name == f"{kebab}.md"
        row = f"| {rule['alert']} | {rule['labels']['severity']} | [{kebab}]({name}) |"
        assert row in index
        assert re.findall(r"^#+ (.*)$", pages[name], re.MULTILINE) == [
            rule["alert"],
            "What it means",
            "How to look",
            "What to do",
            "When to escalate",
        ]


def commands_in(text: str, program: str) -> list[list[str]]:
    """What is to be typed: in code, indented or between backticks."""
    blocks = re.sub(r"```sql.*?```", "", text, flags=re.DOTALL)
    typed = re.findall(r"^    (.*)$", blocks, re.MULTILINE) + re.findall(r"`([^`]+)`", blocks)
    return [line.split() for line in typed if line.startswith(f"{program} ")]


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
async def test_commands_of_temporal_in_run_books_exist(path: Any, temporal_binary: Any) -> None:
    """Whoever follows a page at night finds every command of Temporal's that it names."""
    from workers.processes import output_of  # noqa: PLC0415

    for words in commands_in(path.read_text(encoding="utf-8"), "temporal"):
        if words[1] == "...":
            continue
        verb = [word for word in words[1:3] if not word.startswith("-")]
        reported = await output_of(temporal_binary, *verb, "--help", timeout_s=20)
        assert reported is not None, words
        assert f"temporal {' '.join(verb)}" in reported
        assert all(word in reported for word in words if word.startswith("--")), words


async def test_sql_in_run_books_runs_on_the_books(postgres_url: str) -> None:
    """Each statement reads tables and columns that are there, and changes nothing."""
    from sqlalchemy import text  # noqa: PLC0415

    from adapters.sql.engine import books_engine  # noqa: PLC0415
    from adapters.sql.schema.migrate import upgrade  # noqa: PLC0415

    await upgrade(postgres_url)
    engine = books_engine(postgres_url)
    statements = [
        statement
        for path in RUNBOOKS
        for statement in re.findall(
            r"```sql\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL
        )
    ]
    assert statements
    async with engine.connect() as conn:
        for statement in statements:
            assert statement.startswith("SELECT")
            await conn.execute(text(statement))
    await engine.dispose()


def test_services_and_links_in_run_books_exist() -> None:
    """Names after `docker compose` are services, links lead to pages, settings are settings."""
    from workers.settings import Settings  # noqa: PLC0415

    settings = {f"ACQUIT_{name.upper()}" for name in Settings.model_fields}
    verbs = {"up", "stop", "ps", "logs", "run", "exec"}
    for path in RUNBOOKS:
        text = path.read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)]+)\)", text):
            assert (path.parent / link).is_file(), link
        for words in commands_in(text, "docker"):
            assert words[1] == "compose"
            assert words[2] in verbs
            named = [word.partition("=")[0] for word in words[3:] if not word.startswith("-")]
            services = [word for word in named if re.match(r"worker-|api|postgres|otel|prom", word)]
            assert set(services) - {"postgres"} <= set(COMPOSE["services"]), words
        assert set(re.findall(r"ACQUIT_[A-Z_]+", text)) <= settings


def test_dashboard_is_built_from_its_code() -> None:
    """Whoever changes a panel changes `build.py`."""
    build_file = ROOT / "deploy/dashboards/build.py"
    text = runpy.run_path(str(build_file))["text"]()
    assert text == (ROOT / "deploy/dashboards/acquit.json").read_text(encoding="utf-8")


def test_panels_lie_beside_each_other_and_ask_the_source_that_is_provisioned() -> None:
    """Inside of the page, none over another, each with a title of its own."""
    provisioned = ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml"
    [source] = yaml.safe_load(provisioned.read_text(encoding="utf-8"))["datasources"]
    assert len({panel["title"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    places = [panel["gridPos"] for panel in BOARD["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        under = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or under, (one, other)
    for panel in PANELS:
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert all(it == {"type": "prometheus", "uid": source["uid"]} for it in sources)


def test_alerts_and_dashboards_are_loaded_where_they_are_mounted() -> None:
    """A rule file that Prometheus does not read wakes nobody."""
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    mounts = dict(volume.split(":")[:2] for volume in COMPOSE["services"]["prometheus"]["volumes"])
    assert config["rule_files"] == [mounts["./deploy/prometheus/alerts.yml"]]
    grafana = dict(volume.split(":")[:2] for volume in COMPOSE["services"]["grafana"]["volumes"])
    providers = ROOT / "deploy/grafana/provisioning/dashboards/acquit.yml"
    [provider] = yaml.safe_load(providers.read_text(encoding="utf-8"))["providers"]
    assert provider["options"]["path"] == grafana["./deploy/dashboards"]


def test_table_of_metrics_in_the_operations_page_is_the_catalogue() -> None:
    """Name, kind, labels and help of each, in the catalogue's order, and nothing besides."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = [
        f"| `{one.exposed}` | {one.kind.value} | {labels} | {one.help} |"
        for one in METRICS
        for labels in [", ".join(f"`{label.name}`" for label in one.labels)]
    ]
    assert [line for line in page.splitlines() if line.startswith("| `acquit_")] == rows


async def test_alerts_fire_when_they_should_and_only_then() -> None:
    """Prometheus' own checker over the rules and over what they do with given series."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool on the path: queries are checked by our own reader only")
    folder = ROOT / "deploy" / "prometheus"
    for what in (("check", "rules", "alerts.yml"), ("test", "rules", "alerts.test.yml")):
        done = await asyncio.create_subprocess_exec(promtool, *what, cwd=folder, stdout=PIPE)
        reported, _ = await done.communicate()
        assert done.returncode == 0, reported.decode()


def test_every_rule_watches_and_every_gauge_is_watched_or_shown() -> None:
    """What is measured is looked at by somebody."""
    seen = {name for queries in QUERIES.values() for query in queries for name, _ in used(query)}
    unseen = [one.name for one in (*METRICS, *CORE) if not seen & set(one.series)]
    assert unseen == []
