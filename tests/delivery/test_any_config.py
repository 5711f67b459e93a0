"""The wiring and releases of any config: objects that Flux and Argo CD accept, under names that Kubernetes accepts."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings

from meshgen.layout.identity import identity
from meshgen.render import build_mesh, render
from tests.configs import Config, configs
from tests.delivery.crds import problems
from tests.objects import read_yaml
from tests.test_invariant import write

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


@pytest.mark.upstream
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(configs())
def test_engines_accept_the_wiring_of_any_config(cases: Path, config: Config):
    with TemporaryDirectory() as folder:
        rendering = render(write(Path(folder), config))
    for cluster in rendering.clusters:
        for directory in cluster.wiring.values():
            objects = [
                obj
                for path, text in rendering.files.items()
                if path.startswith(f"{directory}/") and not path.endswith("/kustomization.yaml")
                for obj in read_yaml(text.decode())
            ]
            assert len({identity(obj) for obj in objects}) == len(objects) >= 2
            for obj in objects:
                assert problems(cases / "gitops-crds", obj) == []
                assert _NAME.fullmatch(obj["metadata"]["name"])
                assert len(obj["metadata"]["name"]) <= 63


@pytest.mark.upstream
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(configs())
def test_flux_accepts_the_releases_of_any_config(cases: Path, config: Config):
    with TemporaryDirectory() as folder:
        built = build_mesh(write(Path(folder), config))
    for one in built.clusters:
        for obj in one.built.objects:
            if ".toolkit.fluxcd.io/" in obj["apiVersion"]:
                assert problems(cases / "gitops-crds", obj) == []
                assert len(obj["metadata"]["name"]) <= 53
