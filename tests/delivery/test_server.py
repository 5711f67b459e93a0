"""A real API server takes the wiring of fleets: its names, and what the CRDs' own rules ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.apiserver import api_server, wait_for_crds
from tests.objects import Object, mesh, overlay, render_config

SOURCE: Object = {"url": "https://example.com/mesh.git"}
WAVES: Object = {"canary": {"order": 1, "clusters": ["a"]}, "rest": {"order": 2}}
CLUSTERS: Object = {name: {"server": f"https://{name}.example.com"} for name in ("a", "b", "prod")}
CRDS = (
    "kustomize.toolkit.fluxcd.io_kustomizations.yaml",
    "source.toolkit.fluxcd.io_gitrepositories.yaml",
    "notification.toolkit.fluxcd.io_alerts.yaml",
    "notification.toolkit.fluxcd.io_providers.yaml",
    "application-crd.yaml",
    "applicationset-crd.yaml",
    "appproject-crd.yaml",
)


@pytest.mark.realtools
@pytest.mark.upstream
def test_an_api_server_takes_the_wiring_of_fleets(cases: Path, tmp_path: Path):
    alerts = {"ops": {"type": "slack", "secretRef": "slack"}}
    ways: dict[str, Object] = {
        "hub": {"flux": {**SOURCE, "kubeConfig": {}, "alerts": alerts, "shard": "one", "decryption": {}}},
        "roots": {"argocd": SOURCE},
        "set": {"argocd": {**SOURCE, "applicationSet": True, "selfManaged": False}},
    }
    with api_server() as server:
        for crd in CRDS:
            server.kubectl("create", "-f", str(cases / "gitops-crds" / crd))
        wait_for_crds(server.kubectl, "crd", "--all")
        for namespace in ("flux-system", "argocd"):
            server.kubectl("create", "namespace", namespace)
        for way, delivery in ways.items():
            config = mesh(istio={"version": "1.30.3"}, delivery={**delivery, "waves": WAVES})
            tree = render_config(tmp_path / way, config, overlay("prod", clusters=CLUSTERS))
            engine = next(iter(delivery))
            homes = [tree.output / "environments/prod" / engine, *tree.wiring()]
            homes += [tree.output / f"environments/prod/flux/waves/{wave}" for wave in WAVES if engine == "flux"]
            for home in homes:
                said = server.kubectl("apply", "--server-side", "--dry-run=server", "-k", str(home))

                assert "serverside-applied" in said
