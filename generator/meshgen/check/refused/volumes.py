"""Volumes of pods, and what of them containers mount.

Source: ValidateVolumes, ValidateVolumeMounts and ValidateVolumeDevices in k8s.io/kubernetes pkg/apis/core/validation.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.build.quantity import amount_of
from meshgen.check.refused.claims import claim_refusals
from meshgen.check.refused.names import LABEL, repeated, unnamed
from meshgen.check.refused.projections import projection_refusals
from meshgen.check.refused.refusal import Path, Refusal, Refusals, given
from meshgen.config.problems import guess, plain
from meshgen.policy.reading import Map, mapping, placed, text

Minor = tuple[int, int]
_SOURCES = (
    *("emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi"),
    *("glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc"),
    *("flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk"),
    *("storageos", "projected", "scaleIO", "csi", "ephemeral", "image"),
)
# Before, a gate that is off drops the field.
_EPHEMERAL, _RECURSIVE = (1, 21), (1, 31)


def volume_refusals(pod: Map, at: Path, minor: Minor) -> Refusals:
    """What is wrong with the volumes of a pod."""
    yield from repeated(pod, at, "volumes", "name", "volumes")
    for index, volume in placed(pod, "volumes"):
        here = (*at, "volumes", index)
        yield from unnamed(volume, here, "name", LABEL)
        said = given(volume, *_SOURCES)
        if len(said) > 1:
            yield Refusal((*here, said[1]), f"it is {' and '.join(said)}", "a volume has one source", at_key=True)
            continue
        for key in said:
            yield from _source(key, mapping(volume, key), (*here, key), minor)


def _source(key: str, source: Map, at: Path, minor: Minor) -> Refusals:
    match key:
        case "emptyDir":
            size = amount_of(source.get("sizeLimit"))
            if size is not None and size < 0:
                yield Refusal((*at, "sizeLimit"), "the size is negative", "say a size such as 500Mi")
        case "hostPath" if ".." in text(source, "path").split("/"):
            yield Refusal((*at, "path"), "the path leads up by ..", "say the path itself")
        case "nfs" if not text(source, "path").startswith("/"):
            yield Refusal((*at, "path"), "the path does not begin at the root", "begin it with /")
        case "secret" | "configMap" | "downwardAPI" | "projected":
            yield from projection_refusals(key, source, at)
        case "persistentVolumeClaim" if source.get("claimName") == "":
            yield Refusal((*at, "claimName"), "it names no PersistentVolumeClaim", "say its name")
        case "ephemeral" if minor >= _EPHEMERAL:
            if not isinstance(source.get("volumeClaimTemplate"), dict):
                yield Refusal(at, "it claims nothing", "add volumeClaimTemplate", at_key=True)
            else:
                claimed = mapping(source, "volumeClaimTemplate", "spec")
                yield from claim_refusals(claimed, (*at, "volumeClaimTemplate", "spec"))


def mounts_refusals(container: Map, at: Path, pod: Map, more: frozenset[str], minor: Minor) -> Refusals:
    """What a container mounts and can't; `more` are volumes that come with a StatefulSet's claims."""
    names = [text(one, "name") for _, one in placed(pod, "volumes")] + sorted(more)
    yield from _missing(container, at, "volumeMounts", names)
    yield from _missing(container, at, "volumeDevices", names)
    yield from _no_disks(container, at, pod, more)
    yield from _shared(container, at)
    for index, mount in placed(container, "volumeMounts"):
        here = (*at, "volumeMounts", index)
        yield from _sub_path(mount, here)
        propagation = text(mount, "mountPropagation")
        if propagation == "Bidirectional" and mapping(container, "securityContext").get("privileged") is not True:
            hint = "say HostToContainer, or take it out"
            yield Refusal((*here, "mountPropagation"), "only a privileged container may propagate its mounts", hint)
        if minor >= _RECURSIVE and text(mount, "recursiveReadOnly") in ("Enabled", "IfPossible"):
            if mount.get("readOnly") is not True:
                yield Refusal((*here, "recursiveReadOnly"), "the mount is not read-only itself", "add readOnly: true")
            if propagation not in ("", "None"):
                where, hint = (*here, "recursiveReadOnly"), "say mountPropagation: None, or take one of the two out"
                yield Refusal(where, "a mount that is propagated is not read-only below", hint)


def _missing(container: Map, at: Path, key: str, names: list[str]) -> Refusals:
    for index, mount in placed(container, key):
        name = text(mount, "name")
        if name and name not in names:
            hint = guess(name, names) or "add it to volumes, or take it out"
            yield Refusal((*at, key, index, "name"), f'the pod has no volume "{plain(name)}"', hint)


def _no_disks(container: Map, at: Path, pod: Map, more: frozenset[str]) -> Refusals:
    kinds = {text(one, "name"): given(one, *_SOURCES) for _, one in placed(pod, "volumes")}
    for index, device in placed(container, "volumeDevices"):
        name = text(device, "name")
        if name in kinds and name not in more and not {"persistentVolumeClaim", "ephemeral"} & set(kinds[name]):
            hint = "mount it instead, by volumeMounts"
            yield Refusal((*at, "volumeDevices", index, "name"), "the volume is no disk of its own", hint)


def _shared(container: Map, at: Path) -> Refusals:
    """Paths that two volumes of a container have, and volumes that are mounted and a device."""
    seen: set[str] = set()
    for key, field in (("volumeMounts", "mountPath"), ("volumeDevices", "devicePath")):
        for index, one in placed(container, key):
            path = text(one, field)
            if path and path in seen:
                yield Refusal((*at, key, index, field), f"{plain(path)} is taken already", "mount it elsewhere")
            seen.add(path)
    mounted = set(_names(container, "volumeMounts"))
    for index, one in placed(container, "volumeDevices"):
        if text(one, "name") in mounted:
            where = (*at, "volumeDevices", index, "name")
            yield Refusal(where, "the volume is mounted too", "keep it in volumeMounts or in volumeDevices")


def _names(container: Map, key: str) -> Iterator[str]:
    return (name for _, one in placed(container, key) if (name := text(one, "name")))


def _sub_path(mount: Map, at: Path) -> Refusals:
    for key in given(mount, "subPath", "subPathExpr"):
        path = text(mount, key)
        if path.startswith("/") or ".." in path.split("/"):
            yield Refusal((*at, key), "the path leads out of the volume", "say a relative path without ..")
    if mount.get("subPath") and mount.get("subPathExpr"):
        yield Refusal((*at, "subPathExpr"), "it has subPath too", "keep one of them", at_key=True)
