"""What an IstioOperator says, as the `istio` settings of a config."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from meshgen.build.istiooperator import API_VERSION, OWN_KEYS
from meshgen.check.settings import IGNORED
from meshgen.config.document import Document
from meshgen.config.problems import guess
from meshgen.finding import Finding
from meshgen.starter import label
from meshgen.values import value_at

# What `istioctl install` leaves on a cluster as a note to itself, and the operator ignores.
NOTE = "installed-state"
# What the API server, and those who apply, write into the metadata of every object.
_APPLIED = re.compile(
    r"kubectl\.kubernetes\.io/last-applied-configuration|argocd\.argoproj\.io/.*|kustomize\.toolkit\.fluxcd\.io/.*"
    r"|deployment\.kubernetes\.io/revision|config\.kubernetes\.io/origin|alpha\.config\.kubernetes\.io/.*"
)
_TAG = re.compile(r"v?(\d+\.\d+\.\d+(?:-(?:alpha|beta|rc)\.\d+)?)(?:-(?:distroless|debug))?")


def own_metadata(obj: dict[str, Any]) -> dict[str, Any]:
    """The name, namespace, labels and annotations that someone gave an object; not what a cluster added."""
    metadata = obj.get("metadata") or {}
    kept = {key: metadata[key] for key in ("name", "namespace") if metadata.get(key)}
    note = str(kept.get("name")).startswith(NOTE)
    for key in ("labels", "annotations"):
        own = {
            name: value
            for name, value in (metadata.get(key) or {}).items()
            # The mark by which the operator passes over istioctl's notes would stay with the new name.
            if not (_APPLIED.fullmatch(name) or (note and name == IGNORED))
        }
        if own:
            kept[key] = own
    return kept


def version_in(spec: dict[str, Any]) -> str | None:
    """The version of Istio that a spec's tag is, also of a variant such as `1.11.3-distroless`; None for any other."""
    for tag in (spec.get("tag"), value_at(spec, ("values", "global", "tag"))):
        if found := _TAG.fullmatch(str(tag)):
            return found[1]
    return None


def istio_settings(operator: dict[str, Any], spec: dict[str, Any], mesh: str, version: str) -> dict[str, Any]:
    """The settings that make the same IstioOperator again, in the order of the fields of its `spec`."""
    metadata = own_metadata(operator)
    if metadata.get("name") == mesh or str(metadata.get("name")).startswith(NOTE):
        metadata.pop("name", None)
    if metadata.get("namespace") == (spec.get("namespace") or "istio-system"):
        del metadata["namespace"]
    settings: dict[str, Any] = {"version": version}
    if metadata:
        settings["metadata"] = metadata
    settings.update({key: _as_text(key, value) for key, value in spec.items() if says_something(key, value)})
    return settings


# Fields that are texts: an empty one says nothing to istioctl.
_TEXTS = ("profile", "installPackagePath", "hub", "tag", "namespace", "revision", "compatibilityVersion")


def says_something(key: str, value: Any) -> bool:
    """Whether a field at the top of a spec says anything that a config can say: a null and an empty text do not."""
    return value is not None and not (value == "" and key in _TEXTS)


def _as_text(key: str, value: Any) -> Any:
    """A tag that is a number is the same tag as text."""
    return str(value) if key == "tag" and isinstance(value, int | float) and not isinstance(value, bool) else value


def check_form(operator: Document) -> Iterator[Finding]:
    """Why istioctl would refuse the outer form of an IstioOperator."""
    obj = operator.value
    if obj["apiVersion"] != API_VERSION:
        yield operator.finding("MG801", "this is no apiVersion of IstioOperator", "/apiVersion", hint=API_VERSION)
    for key in obj:
        if key not in _TOP:
            message = f"{key}: IstioOperator has no such field"
            yield operator.finding("MG205", message, f"/{key}", hint=guess(key, _TOP), at_key=True)
    for key in ("metadata", "spec"):
        if not isinstance(obj.get(key), dict | None):
            yield operator.finding("MG103", f"{key}: the value is not a map", f"/{key}", hint="write a map")
    metadata, spec = obj.get("metadata"), obj.get("spec")
    yield from _metadata(operator, metadata if isinstance(metadata, dict) else {})
    for key in OWN_KEYS.intersection(spec if isinstance(spec, dict) else ()):
        hint = "take it out, or say it in the config afterwards"
        yield operator.finding("MG205", f"spec.{key}: IstioOperator has no such field", f"/spec/{key}", hint=hint)


_TOP = ("apiVersion", "kind", "metadata", "spec", "status")


def _metadata(operator: Document, metadata: dict[str, Any]) -> Iterator[Finding]:
    for key in ("name", "namespace"):
        if not isinstance(metadata.get(key), str | None):
            message = f"metadata.{key}: the value is not a string"
            yield operator.finding("MG103", message, f"/metadata/{key}", hint="quote it")
    for key in ("labels", "annotations"):
        entries = metadata.get(key)
        if not isinstance(entries, dict | None):
            message = f"metadata.{key}: the value is not a map"
            yield operator.finding("MG103", message, f"/metadata/{key}", hint="write a map")
        elif any(not isinstance(value, str) for value in (entries or {}).values()):
            message = f"metadata.{key}: a value is not a string"
            yield operator.finding("MG103", message, f"/metadata/{key}", hint="quote it")


def mesh_name(operator: Document, folder: str) -> tuple[str, str | None]:
    """What to call the mesh of an IstioOperator, and the name that can't stay: a note of istioctl's."""
    name = own_metadata(operator.value).get("name")
    if name is None:
        return label(folder), None
    if name.startswith(NOTE):
        # With a revision in it, or the tool's own prefix: what is left is a name.
        return label(name.removeprefix(NOTE).strip("-") or folder), name
    return label(name), None
