"""Installs one spec of the table twice, with the real tools: as meshgen's HelmReleases, and as istioctl does."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from meshgen.layout.identity import Identity, identity
from tests.helmcontroller import as_rendered, install
from tests.installs.differences import NONE, Difference, compare, compare_all
from tests.installs.gateways import meaning
from tests.objects import Object, mesh, read_yaml, shown, text_of, write_config
from tests.tools import istio_charts, tool

SPECS = Path(__file__).parent / "specs"
NAMES = tuple(sorted(path.stem for path in SPECS.glob("*.yaml")))
# The oldest that Istio 1.31 supports: what istioctl takes a cluster for that it is not told of.
KUBERNETES = "1.32.0"
GATEWAY = "gateway"
COMPONENTS = {"base": "base", "istiod": "pilot", "cni": "cni", "ztunnel": "ztunnel"}
_RELEASE = "meta.helm.sh/release-name"


@dataclass(frozen=True)
class Proof:
    """What both ways make of a spec: values by component, how all objects but gateways differ, and gateways.

    `objects` are those that Helm brings.
    """

    helm_values: Mapping[str, Object]
    istioctl_values: Mapping[str, Object]
    objects: frozenset[Identity]
    differences: tuple[Difference, ...]
    gateway_differences: tuple[Difference, ...]


def settings(name: str) -> Object:
    """What a spec of the table says below `istio`."""
    (istio,) = read_yaml((SPECS / f"{name}.yaml").read_text(encoding="utf-8"))
    return istio


@cache
def prove(name: str) -> Proof:
    """Run all tools on a spec, once a session; the objects themselves are too many to keep."""
    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(1) as pool:
        folder = Path(directory)
        said = shown_by_meshgen(folder, settings(name))
        istioctl = pool.submit(by_istioctl, folder, said.operator)
        arrived = install(said.releases, said.sources, charts(), kubernetes=KUBERNETES)
        values, generated = istioctl.result()
    own, gateways = differ(arrived, generated, said.releases)
    return Proof(
        {COMPONENTS[_chart(one)]: one["spec"]["values"] for one in said.releases if _chart(one) != GATEWAY},
        values,
        frozenset(identity(obj) for obj in arrived),
        own,
        gateways,
    )


def differ(
    helm: Sequence[Object], istioctl: Sequence[Object], releases: Iterable[Object]
) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
    """How objects of these HelmReleases and istioctl's differ: all but gateways, and gateways by what they mean."""
    names = {release["metadata"]["name"] for release in releases if _chart(release) == GATEWAY}
    ours, our_gateways = _parted(helm, lambda obj: obj["metadata"].get("annotations", {}).get(_RELEASE) in names)
    theirs, their_gateways = _parted(istioctl, _of_gateway)
    own = compare_all(_rendered(ours), _rendered(theirs))
    left, right = meaning(map(as_rendered, our_gateways)), meaning(their_gateways)
    gateways = (
        found
        for name in dict.fromkeys((*left, *right))
        for found in compare("Gateway", name, left.get(name, NONE), right.get(name, NONE))
    )
    return tuple(own), tuple(gateways)


def _parted(objects: Iterable[Object], of_gateway: Callable[[Object], bool]) -> tuple[list[Object], list[Object]]:
    parts: tuple[list[Object], list[Object]] = ([], [])
    for obj in objects:
        parts[of_gateway(obj)].append(obj)
    return parts


def _of_gateway(obj: Object) -> bool:
    component = obj["metadata"].get("labels", {}).get("operator.istio.io/component")
    return component in ("IngressGateways", "EgressGateways")


def _rendered(objects: Iterable[Object]) -> dict[Identity, Object]:
    return {identity(obj): as_rendered(obj) for obj in objects}


def charts() -> dict[str, Path]:
    """The folders of Istio's published charts."""
    folder = istio_charts()
    names = {"base": "base", "istiod": "istio-control/istio-discovery", "cni": "istio-cni", "ztunnel": "ztunnel"}
    return {name: folder / path for name, path in {**names, GATEWAY: GATEWAY}.items()}


@dataclass(frozen=True)
class Shown:
    """What `meshgen show` gives for `istio` settings."""

    operator: Object
    sources: list[Object]
    releases: list[Object]


def shown_by_meshgen(folder: Path, istio: Object) -> Shown:
    """Show the objects of a mesh with these settings, which Flux delivers."""
    flux = {"flux": {"url": "https://example.com/mesh.git"}}
    write_config(folder, mesh(istio=istio, delivery=flux))
    entries = shown(folder)
    (operator,) = (entry["object"] for entry in entries if entry["stage"] is None)
    applied = [entry["object"] for entry in entries if entry["stage"]]
    sources = [obj for obj in applied if obj["kind"] in ("HelmRepository", "OCIRepository")]
    return Shown(operator, sources, [obj for obj in applied if obj["kind"] == "HelmRelease"])


def _chart(release: Object) -> str:
    name: str = release["spec"]["chart"]["spec"]["chart"]
    return name


def by_istioctl(folder: Path, operator: Object) -> tuple[dict[str, Object], list[Object]]:
    """The values that istioctl would give to Helm, by component, and the objects that it makes itself."""
    source, target = folder / "operator.yaml", folder / "translated"
    source.write_text(text_of(operator), encoding="utf-8")
    target.mkdir()
    _istioctl("manifest", "translate", "-f", source, "-o", target)
    values = {path.name.removesuffix("-values.yaml"): path for path in target.glob("*-values.yaml")}
    generated = _istioctl("manifest", "generate", "-f", source)
    return {name: read_yaml(path.read_text(encoding="utf-8"))[0] for name, path in values.items()}, read_yaml(generated)


def _istioctl(*args: str | Path) -> str:
    # An empty KUBECONFIG, so that no cluster of the user's is asked.
    run = subprocess.run(
        [tool("istioctl"), *args], env={"KUBECONFIG": "/dev/null"}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout
