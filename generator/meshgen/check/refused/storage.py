"""PersistentVolumes and StorageClasses.

Sources: ValidatePersistentVolumeSpec in k8s.io/kubernetes pkg/apis/core/validation, and pkg/apis/storage/validation.
"""

from __future__ import annotations

from meshgen.build.quantity import amount_of
from meshgen.check.refused.claims import modes_refusals
from meshgen.check.refused.names import SUBDOMAIN, is_qualified, misnamed
from meshgen.check.refused.refusal import Refusal, Refusals, given
from meshgen.config.problems import plain
from meshgen.policy.reading import Map, mapping, text

_SOURCES = (
    *("awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker"),
    *("gcePersistentDisk", "glusterfs", "hostPath", "iscsi", "local", "nfs", "photonPersistentDisk", "portworxVolume"),
    *("quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume"),
)
_POLICIES = ("Delete", "Retain")


def volume(obj: Map, minor: tuple[int, int]) -> Refusals:
    """What is wrong with a PersistentVolume."""
    spec, at = mapping(obj, "spec"), ("spec",)
    yield from modes_refusals(spec, at)
    capacity, here = mapping(spec, "capacity"), (*at, "capacity")
    size = amount_of(capacity.get("storage"))
    if "storage" not in capacity:
        yield Refusal(here if "capacity" in spec else at, "it says no size", "add capacity.storage, as 1Gi")
    elif size is not None and size <= 0:
        yield Refusal((*here, "storage"), "it has no size", "say a size such as 1Gi")
    said = given(spec, *_SOURCES)
    if len(said) != 1:
        what = f"it is {' and '.join(said)}" if said else "it does not say where its data is"
        yield Refusal(at, what, "say one type of volume, as csi", at_key=True)
    if said == ["local"] and not mapping(spec, "nodeAffinity").get("required"):
        hint = "add nodeAffinity.required, with the node's name"
        yield Refusal((*at, "local"), "it does not say on which node", hint, at_key=True)
    yield from misnamed(spec, at, "storageClassName", SUBDOMAIN)


def storage_class(obj: Map, minor: tuple[int, int]) -> Refusals:
    """What is wrong with a StorageClass."""
    provisioner = text(obj, "provisioner")
    if obj.get("provisioner") == "":
        yield Refusal(("provisioner",), "it says no provisioner", "say the name of its CSI driver")
    elif provisioner and not is_qualified(provisioner.lower()):
        yield Refusal(("provisioner",), "it is no name of a provisioner", "say the name of its CSI driver")
    policy = text(obj, "reclaimPolicy")
    if policy not in ("", *_POLICIES):
        hint = f"say {' or '.join(_POLICIES)}"
        yield Refusal(("reclaimPolicy",), f"a class does not {plain(policy)} volumes", hint)
