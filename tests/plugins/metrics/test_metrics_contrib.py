"""The dashboard can be imported, and the alert rules fire when they should."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CONTRIB = Path(__file__).parents[3] / "contrib"
RULES = CONTRIB / "prometheus" / "ccod.rules.yml"

if not RULES.exists():
    pytest.skip("contrib is in the source tree", allow_module_level=True)


@pytest.fixture(scope="module")
def dashboard() -> Any:
    return json.loads((CONTRIB / "grafana" / "ccod.json").read_text())


def test_the_dashboard_asks_where_its_figures_are(dashboard: Any) -> None:
    (wanted,) = dashboard["__inputs"]
    assert (wanted["name"], wanted["type"], wanted["pluginId"]) == ("DS_PROMETHEUS", "datasource", "prometheus")
    assert dashboard["id"] is None
    assert dashboard["schemaVersion"] >= 30
    (job,) = dashboard["templating"]["list"]
    assert (job["name"], job["type"], job["query"]["query"]) == ("job", "query", "label_values(ccod_build_info, job)")
    kinds = {panel["type"] for panel in dashboard["panels"]} - {"row"}
    assert kinds <= {need["id"] for need in dashboard["__requires"] if need["type"] == "panel"}


def test_every_panel_has_its_place_and_asks_one_job_of_one_source(dashboard: Any) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not taken & cells, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
        assert panel["type"] == "row" or panel["targets"], panel["title"]
        for target in panel.get("targets", ()):
            assert target["datasource"] == panel["datasource"] == {"type": "prometheus", "uid": "${DS_PROMETHEUS}"}
            assert target["expr"].count('{job=~"$job"') == target["expr"].count("{"), target["expr"]


def promtool(*arguments: str) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_takes_the_rules_and_the_configuration() -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", str(RULES))
    promtool("check", "config", str(RULES.with_name("prometheus.yml")))


def test_promtool_sees_the_rules_fire(tmp_path: Path) -> None:
    cases = Path(__file__).with_name("rules.test.yml").read_text()
    (tmp_path / "rules.test.yml").write_text(cases.replace("RULES", str(RULES)))
    promtool("test", "rules", str(tmp_path / "rules.test.yml"))


def test_promtool_understands_every_query_of_the_dashboard(dashboard: Any, tmp_path: Path) -> None:
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    groups = {"groups": [{"name": "all", "rules": [_rule(number, query) for number, query in enumerate(queries)]}]}
    (tmp_path / "queries.yml").write_text(json.dumps(groups))  # YAML is JSON and more
    promtool("check", "rules", str(tmp_path / "queries.yml"))


def _rule(number: int, query: str) -> dict[str, str]:
    whole = query.replace("$__rate_interval", "5m").replace("$__range", "1d").replace("$job", "ccod")
    return {"record": f"query:{number}", "expr": whole}
