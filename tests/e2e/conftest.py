"""What is started once for many tests: see each module of this folder for what it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import tools
from tests.e2e.scene import Scene, argocd_scene, flux_scene

_SCENES = {"Flux": flux_scene, "Argo CD": argocd_scene}


@pytest.fixture(scope="session")
def crds(cases: Path) -> Path:
    """The folder of Flux's and Argo CD's own CRDs; by then all tools are there, for an isolated network brings none."""
    tools.main()
    return cases / "gitops-crds"


@pytest.fixture(scope="module", params=_SCENES)
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, crds: Path) -> Iterator[Scene]:
    """The example, about to be delivered: by Flux to dev, by Argo CD to production."""
    with _SCENES[request.param](tmp_path_factory.mktemp("scene"), crds) as made:
        yield made
