"""Where Flux takes the tree from: a GitRepository, or an OCIRepository, and the signatures that it asks for."""

from __future__ import annotations

from typing import Any

from meshgen.delivery.wiring import KubernetesObject

# Both kinds at v1: GitRepository is of Flux 2.0, OCIRepository of 2.6.
API_VERSION = "source.toolkit.fluxcd.io/v1"
DEFAULT_NAMESPACE = "flux-system"


def is_oci(flux: dict[str, Any]) -> bool:
    """Whether the tree is an OCI artifact."""
    return bool((flux.get("url") or "").startswith("oci://"))


def source_kind(flux: dict[str, Any]) -> str:
    """The kind of the source."""
    return "OCIRepository" if is_oci(flux) else "GitRepository"


def source(name: str, flux: dict[str, Any]) -> KubernetesObject:
    """The source of that name."""
    spec: dict[str, Any] = {"interval": "1m", "url": flux["url"], "ref": _ref(flux)}
    if flux.get("provider") not in (None, "generic"):
        spec["provider"] = flux["provider"]
    if flux.get("secretRef"):
        spec["secretRef"] = {"name": flux["secretRef"]}
    if flux.get("verify") is not None:
        spec["verify"] = _verify(flux["verify"], oci=is_oci(flux))
    return flux_object(API_VERSION, source_kind(flux), name, flux, spec)


def flux_object(api_version: str, kind: str, name: str, flux: dict[str, Any], spec: dict[str, Any]) -> KubernetesObject:
    """An object of Flux's in its namespace."""
    metadata = {"name": name, "namespace": flux.get("namespace") or DEFAULT_NAMESPACE}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def _ref(flux: dict[str, Any]) -> dict[str, Any]:
    ref = {key: value for key, value in (flux.get("ref") or {}).items() if value}
    if ref:
        return ref
    return {"tag": "latest"} if is_oci(flux) else {"branch": flux.get("branch") or "main"}


def _verify(verify: dict[str, Any], *, oci: bool) -> dict[str, Any]:
    spec: dict[str, Any] = {"provider": verify.get("provider") or "cosign"} if oci else {}
    if not oci:
        spec["mode"] = verify.get("mode") or "HEAD"
    if verify.get("secretRef"):
        spec["secretRef"] = {"name": verify["secretRef"]}
    identities = [one for one in (verify.get("identities") or {}).values() if one]
    if identities:
        spec["matchOIDCIdentity"] = [{"issuer": one["issuer"], "subject": one["subject"]} for one in identities]
    return spec
