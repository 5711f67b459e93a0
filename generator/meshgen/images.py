"""Every image that a mesh pulls: those of its objects, and those that Istio's installer will start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from meshgen.build.containerimages import container_images, volume_images
from meshgen.build.istiooperator import enabled_by_profile
from meshgen.catalog import release_of
from meshgen.config.problems import guess
from meshgen.delivery.wiring import deployments
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.render import BuiltMesh

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


def images_of(built: BuiltMesh, clusters: Sequence[str] = ()) -> dict[str, list[str]]:
    """The sorted images of each cluster, by its name. Raises InputError for a cluster that is not there."""
    known = {one.cluster.name: one for one in built.clusters}
    for name in clusters:
        if name not in known:
            hint = guess(name, known)
            raise InputError([Finding("MG701", "error", f'there is no cluster "{name}"', hint=hint)])
    found = {}
    for name in clusters or known:
        one = known[name]
        images = {image for obj in one.built.objects for image in container_images(obj, _CONTAINERS)}
        images.update(volume_images(one.built.objects))
        images.update(_istio_images(one.cluster.settings))
        found[name] = sorted(images)
    return found


def _istio_images(settings: dict[str, Any]) -> Iterator[str]:
    """What Istio's own installer starts, by the hub and the tag that the charts will see."""
    istio = settings["istio"]
    known = release_of(istio)
    values = (istio.get("values") or {}).get("global") or {}
    hub = values.get("hub") or istio.get("hub") or known.hub
    tag = values.get("tag") or istio.get("tag") or istio["version"]
    variant = f"-{values['variant']}" if values.get("variant") else ""
    components = istio.get("components") or {}
    enabled = enabled_by_profile(istio, known)
    names = {"pilot": "pilot", "cni": "install-cni", "ztunnel": "ztunnel"}
    for component, image in names.items():
        chosen = components.get(component) or {}
        wanted = chosen.get("enabled")
        if component in enabled if wanted is None else wanted:
            yield f"{chosen.get('hub') or hub}/{image}:{chosen.get('tag') or tag}{variant}"
    if deployments(istio):
        yield f"{hub}/proxyv2:{tag}{variant}"
