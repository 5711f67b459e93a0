"""Prometheus's config: what it scrapes, and that Prometheus accepts it."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml

from meshgen.catalog import minors
from tests.build.addons import Object, build, config


@pytest.mark.realtools
@pytest.mark.parametrize("minor", minors())
def test_promtool_accepts_prometheus_config(tmp_path, minor):
    configuration = config(build(minor, "prometheus"), "prometheus.yml")
    for job in configuration["scrape_configs"]:
        # Debian's promtool is built without the discovery of Kubernetes.
        if discovery := job.pop("kubernetes_sd_configs", None):
            assert {item["role"] for item in discovery} <= {"pod", "node", "endpoints"}
            job["static_configs"] = [{"targets": [f"{job['job_name']}:1"]}]
        # Files of the service account, which only a pod has.
        if "bearer_token_file" in job:
            job["bearer_token_file"] = job["tls_config"]["ca_file"] = str(tmp_path / "file")
    (tmp_path / "file").write_text("")
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    done = subprocess.run(
        ["promtool", "check", "config", "--lint=all", "--lint-fatal", tmp_path / "prometheus.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


MERGED = {"scrape": "true", "path": "/stats/prometheus", "port": "15020"}
PODS = {
    "a sidecar": ("web", {"istio-proxy": "http-envoy-prom", "app": "http"}, MERGED),
    "a gateway": ("istio-ingressgateway", {"istio-proxy": "http-envoy-prom"}, MERGED),
    "istiod": ("istiod", {"discovery": ""}, {"scrape": "true", "port": "15014"}),
    "ztunnel": ("ztunnel", {"istio-proxy": "ztunnel-stats"}, {"scrape": "true", "port": "15020"}),
    "a sidecar beside an application's metrics": (
        "shop",
        {"istio-proxy": "http-envoy-prom", "app": "http"},
        {"scrape": "true", "port": "8080"},
    ),
    "a sidecar without annotations": ("old", {"istio-proxy": "http-envoy-prom"}, {}),
    "a pod outside of the mesh": ("cron", {"app": "http"}, {}),
}
SCRAPED = {
    "a sidecar": {"IP:15020/stats/prometheus"},
    "a gateway": {"IP:15020/stats/prometheus"},
    "istiod": {"IP:15014/metrics"},
    "ztunnel": {"IP:15020/metrics"},
    "a sidecar beside an application's metrics": {"IP:8080/metrics", "IP:15090/stats/prometheus"},
    "a sidecar without annotations": {"IP:15090/stats/prometheus"},
    "a pod outside of the mesh": set(),
}


@pytest.mark.parametrize("address", ["10.0.0.7", "fd00::7"])
@pytest.mark.parametrize("pod", PODS)
def test_prometheus_scrapes_each_pod_of_the_mesh_once(pod, address):
    app, ports, annotations = PODS[pod]
    host = f"[{address}]" if ":" in address else address
    scraped = []
    for job in config(build("1.30", "prometheus"), "prometheus.yml")["scrape_configs"]:
        if job.get("kubernetes_sd_configs") != [{"role": "pod"}]:
            continue
        found = set()
        for container, port in ports.items():
            meta = {
                "pod_name": app,
                "pod_ip": address,
                "pod_phase": "Running",
                "pod_label_app": app,
                "pod_container_name": container,
                "pod_container_port_name": port,
                **{f"pod_annotation_prometheus_io_{key}": value for key, value in annotations.items()},
            }
            labels = {f"__meta_kubernetes_{key}": value for key, value in meta.items()}
            labels |= {
                "__address__": f"{host}:15090" if port == "http-envoy-prom" else f"{host}:8000",
                "__metrics_path__": job.get("metrics_path", "/metrics"),
            }
            target = relabelled(labels, job["relabel_configs"])
            if target:
                assert target["pod"] == app
                found.add(target["__address__"].replace(host, "IP") + target["__metrics_path__"])
        scraped += found
    assert len(scraped) == len(set(scraped))
    assert set(scraped) == SCRAPED[pod]


def relabelled(labels: dict[str, str], rules: list[Object]) -> dict[str, str] | None:
    """What Prometheus does with a target's labels; None drops the target."""
    for rule in rules:
        value = ";".join(labels.get(label, "") for label in rule.get("source_labels", []))
        regex = re.compile(str(rule.get("regex", "(.*)")))
        replacement = re.sub(r"\$([0-9])", r"\\g<\1>", rule.get("replacement", "$1"))
        match = regex.fullmatch(value)
        action = rule.get("action", "replace")
        if (action == "keep" and not match) or (action == "drop" and match):
            return None
        if action == "replace" and match:
            labels = labels | {rule["target_label"]: match.expand(replacement)}
        if action == "labelmap":
            found = {label: regex.fullmatch(label) for label in labels}
            labels = labels | {hit.expand(replacement): labels[label] for label, hit in found.items() if hit}
    return labels
