"""The real tools: built as they are pinned, whole or not at all, and gone when a test is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import tools
from tests.apiserver import KubectlFailed, api_server
from tests.e2e.processes import descendants, left_of, runs
from tests.tools import PROJECT, ToolMissing, istio_charts, kwok_stages, tool

KILLED = """
import os
from tests.apiserver import api_server
with api_server() as server:
    children = open(f"/proc/self/task/{os.getpid()}/children").read()
    print(children, flush=True)
    os.kill(os.getpid(), 9)
"""


def test_without_go_a_tool_is_an_error_that_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tools, "TOOLS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ToolMissing, match=r"install Go 1\.26"):
        tool("istioctl")
    with pytest.raises(ToolMissing, match=r"install Go 1\.26"):
        istio_charts()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.realtools
def test_go_builds_the_version_that_is_pinned_and_leaves_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tools, "TOOLS", tmp_path / "new")

    built = tool("etcd")

    said = subprocess.run([built, "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    assert f"go.etcd.io/etcd/server/v3 v{said} " in (PROJECT / "tests/go/etcd/go.mod").read_text()
    assert list((tmp_path / "new").iterdir()) == [built]


@pytest.mark.realtools
def test_a_failed_build_says_why_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tools, "TOOLS", tmp_path)
    monkeypatch.setitem(tools.FROM_GO, "etcd", tools.GoTool("etcd", "go.etcd.io/none", "go.etcd.io/etcd/server/v3"))

    with pytest.raises(ToolMissing, match=r"cannot find module providing package go\.etcd\.io/none"):
        tool("etcd")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.realtools
def test_two_runs_at_once_unpack_the_same_charts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tools, "TOOLS", tmp_path)

    with ThreadPoolExecutor(2) as pool:
        paths = [run.result() for run in [pool.submit(istio_charts), pool.submit(istio_charts)]]

    charts = "base istio-control/istio-discovery istio-cni ztunnel gateway gateways/istio-ingress gateways/istio-egress"
    assert [name for name in charts.split() if not (paths[0] / name / "Chart.yaml").is_file()] == []
    assert list(tmp_path.iterdir()) == [paths[0]]
    assert paths[0] == paths[1]


@pytest.mark.realtools
def test_kwoks_own_stages_build(kubectl: Path):
    built = subprocess.run([kubectl, "kustomize", kwok_stages() / "fast"], capture_output=True, text=True, check=True)

    assert {"name: node-initialize", "name: pod-ready"} <= {line.strip() for line in built.stdout.splitlines()}


@pytest.mark.realtools
def test_istioctl_knows_its_version():
    said = subprocess.run([tool("istioctl"), "version", "--remote=false"], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "client version: 1.31-dev"


@pytest.mark.realtools
def test_the_api_server_judges_objects_and_goes_without_a_trace():
    with api_server() as server:
        directory = server.kubeconfig.parent
        server.kubectl("create", "service", "clusterip", "kiali", "--tcp=20001")
        with pytest.raises(KubectlFailed, match=r"spec\.type: Unsupported value"):
            server.kubectl("patch", "service", "kiali", "--patch", '{"spec": {"type": "Loadbalancer"}}')
        assert server.kubectl("get", "service", "kiali", "-ojsonpath={.spec.type}") == "ClusterIP"
        _, *servers = descendants(os.getpid())
        assert len(servers) == 2

    assert not directory.exists()
    assert [server for server in servers if runs(server)] == []


@pytest.mark.realtools
def test_servers_go_with_a_run_that_is_killed(tmp_path: Path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}

    run = subprocess.run(
        [sys.executable, "-c", KILLED], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )

    assert run.returncode == -signal.SIGKILL, run.stderr
    servers = [int(child) for child in run.stdout.split()]
    assert len(servers) == 2
    assert left_of(servers) == []
