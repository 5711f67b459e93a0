"""`meshgen diff` as it is called: exit codes, formats, clusters; and a fleet of 200 clusters in seconds."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from meshgen.errors import InputError
from tests.diff.repositories import PERSON, commit, fleet, run
from tests.objects import mesh, meshgen, overlay, write_config


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config that opens a Service since its last commit."""
    fleet(tmp_path, addons={"kiali": {}})
    commit(tmp_path)
    return fleet(tmp_path, addons={"kiali": {}}, expose={"kiali": {}})


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ((), 0),
        (("--exit-code",), 1),
        (("--fail-on", "exposure"), 1),
        (("--fail-on", "cosmetic"), 1),
        (("HEAD..HEAD", "--exit-code"), 0),
        (("HEAD..HEAD", "--fail-on", "cosmetic"), 0),
    ],
)
def test_status_says_whether_there_is_a_difference_as_it_was_asked(config: Path, options: tuple[str, ...], status: int):
    result = run("-c", config, *options)

    assert result.exception is None
    assert result.return_value == status


def test_a_lower_risk_than_asked_for_does_not_fail(tmp_path: Path):
    fleet(tmp_path)
    commit(tmp_path)
    config = fleet(tmp_path, istio={"version": "1.11.3", "meshConfig": {"accessLogFile": "x"}})

    assert run("-c", config, "--fail-on", "restart").return_value == 0
    assert run("-c", config, "--fail-on", "traffic").return_value == 1


def test_text_has_risk_object_stage_clusters_reason_and_fields(config: Path):
    result = run("-c", config, "-q")

    assert result.stdout == (
        "HEAD -> working tree, 4 cluster(s) on both sides: 1 exposure\n"
        "\n"
        "exposure (1)\n"
        "  changed Service istio-system/kiali (addons), all 4 clusters\n"
        "    the Service opens to every address: a LoadBalancer that is neither internal nor has sourceRanges\n"
        '    - spec.ports[port=9090,protocol=TCP]: {"name": "http-metrics", "port": 9090, "protocol": "TCP"}\n'
        "    + spec.type: LoadBalancer\n"
    )


def test_warnings_that_only_the_new_side_has_go_to_stderr(config: Path):
    result = run("-c", config)

    assert "MG501" in result.stderr
    assert "MG501" not in result.stdout
    assert "MG501" not in run("-c", config, "-q").stderr


@pytest.mark.parametrize("output", ["json", "sarif"])
def test_machines_read_stdout_whole(config: Path, output: str):
    assert json.loads(run("-c", config, "-o", output).stdout)


def test_clusters_are_chosen_by_name(config: Path):
    report = json.loads(run("-c", config, "-o", "json", "--cluster", "dev-0", "--cluster", "prod-1").stdout)

    assert [one["clusters"] for one in report["changes"]] == [["dev-0", "prod-1"]]


def test_a_cluster_that_no_side_has_is_an_error_with_a_guess(config: Path):
    result = run("-c", config, "--cluster", "dev-00")

    assert isinstance(result.exception, InputError)
    assert 'did you mean "dev-0"?' in (result.exception.findings[0].hint or "")


def test_argo_cds_objects_are_grouped_although_they_bear_the_names_of_clusters(tmp_path: Path):
    clusters = {name: {"server": f"https://{name}.example.com"} for name in ("a", "b", "c")}
    argocd = {"url": "https://example.com/mesh.git"}
    config = write_config(tmp_path, mesh(delivery={"argocd": argocd}), overlay("dev", clusters=clusters))
    commit(tmp_path)
    write_config(tmp_path, mesh(delivery={"argocd": {**argocd, "selfHeal": False}}), overlay("dev", clusters=clusters))

    report = json.loads(run("-c", config, "-o", "json").stdout)

    applications = {one["name"]: one for one in report["changes"] if one["kind"] == "Application"}
    assert "msa-CLUSTER-istio" in applications
    assert all(one["clusters"] == ["a", "b", "c"] for one in applications.values())
    single = run("-c", config, "--cluster", "b").stdout
    assert "Application argocd/msa-b-istio" in single


def test_charts_that_only_argo_cd_installs_are_compared_as_releases(tmp_path: Path):
    delivery = {"argocd": {"url": "https://example.com/mesh.git"}}
    config = write_config(tmp_path, mesh(istio={"version": "1.30.2"}, delivery=delivery))
    commit(tmp_path)
    write_config(tmp_path, mesh(istio={"version": "1.30.3"}, delivery=delivery))

    report = json.loads(run("-c", config, "-o", "json").stdout)

    releases = {one["name"]: one for one in report["changes"] if one["kind"] == "HelmChartRelease"}
    assert {"istiod", "istio-base"} <= releases.keys()
    assert {"path": "spec.version", "action": "changed", "old": "1.30.2", "new": "1.30.3", "lines": []} in releases[
        "istiod"
    ]["fields"]


@pytest.mark.slow
def test_a_line_of_an_overlay_changes_a_fleet_of_200_clusters_in_one_group_and_in_seconds(tmp_path: Path):
    def write(log: str) -> Path:
        overlays = [
            overlay(
                name, clusters={f"{name}-{n}": {} for n in range(50)}, patch={"expose": {"kiali": {"internal": True}}}
            )
            for name in ("a", "b", "c", "d")
        ]
        for one in overlays:
            one["clusters"] = {name: {"cloud": "azure"} for name in one["clusters"]}
        overlays[0]["patch"]["istio"] = {"meshConfig": {"accessLogFile": log}}
        addons: dict[str, object] = {"prometheus": {}, "grafana": {}, "jaeger": {}, "kiali": {}}
        flux = {"url": "https://example.com/mesh.git"}
        return write_config(tmp_path, mesh(addons=addons, delivery={"flux": flux}), *overlays)

    write("/dev/stdout")
    commit(tmp_path)
    write("/dev/stderr")

    start = time.perf_counter()
    done = meshgen("diff", "-o", "json", cwd=tmp_path, env=PERSON)
    took = time.perf_counter() - start

    assert done.returncode == 0, done.stderr
    (change,) = json.loads(done.stdout)["changes"]
    assert len(change["clusters"]) == 50
    assert [one["path"] for one in change["fields"]] == ["spec.meshConfig.accessLogFile"]
    assert took < 3
