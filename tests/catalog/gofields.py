"""What Istio's Go code says of IstioOperator's fields: its structs from 1.24 on, and what the validation looks at."""

from __future__ import annotations

import re
from typing import Any

# From 1.24 on the structs of operator/pkg/apis/types.go take the place of the messages of these names.
STRUCTS = {
    "IstioOperatorSpec": "IstioOperatorSpec",
    "IstioComponentSpec": "IstioComponentSetSpec",
    "BaseComponentSpec": "BaseComponentSpec",
    "ComponentSpec": "ComponentSpec",
    "GatewayComponentSpec": "GatewaySpec",
    "KubernetesResources": "KubernetesResourcesSpec",
    "KubernetesOverlay": "K8sObjectOverlay",
    "Patch": "K8sObjectOverlay.PathValue",
}
_GROUPS = {"appsv1": "apps", "autoscaling": "autoscaling", "corev1": "core", "metav1": "meta", "policy": "policy"}
_WORDS = {"string": "string", "any": "any", "uint32": "uint32", "BoolValue": "bool", "json.RawMessage": "any"}

# Istio's words for what replaces a setting, where they are no setting themselves.
_INSTEAD = {
    "the PeerAuthentication resource": "a PeerAuthentication",
    "Gateway and other Istio networking resources, such as in samples/multicluster/": "Gateway and VirtualService",
    "the in-proxy DNS capturing (ISTIO_META_DNS_CAPTURE)": "ISTIO_META_DNS_CAPTURE in the proxy's metadata",
    "the affinity of k8s settings": "components.*.k8s.affinity",
    "the samples/addons/ deployments": "addons",
}
_DEFAULTS: dict[str, Any] = {"false": False, '""': "", '"third-party-jwt"': "third-party-jwt"}
_ENTRY = re.compile(r'\{\s*"([A-Za-z0-9.-]+)",\s*"([^"]*)",\s*([^\s,}]+),?\s*\}')


def structs(source: str) -> dict[str, dict[str, str]]:
    """The fields of each struct as a message, each with its type; an embedded struct's fields are its own."""
    bodies: dict[str, str] = dict(re.findall(r"^type (\w+) struct \{\n(.*?)^\}", source, re.M | re.S))
    return {f"operator.{name}": _fields(struct, bodies) for struct, name in STRUCTS.items()}


def _fields(struct: str, bodies: dict[str, str]) -> dict[str, str]:
    made: dict[str, str] = {}
    for line in bodies[struct].splitlines():
        if re.fullmatch(r"\s*\w+", line):
            made |= _fields(line.strip(), bodies)
        elif (match := re.match(r'\s*\w+\s+(\S+)\s+`json:"(\w+)', line)) is not None:
            made[match[2]] = _typed(match[1])
    return made


def _typed(text: str) -> str:
    if text.startswith("[]"):
        return "[]" + _typed(text[2:])
    if text.startswith("map[string]"):
        return "{}" + _typed(text.removeprefix("map[string]"))
    name = text.removeprefix("*")
    group, dot, kind = name.partition(".")
    if dot and group in _GROUPS:
        return f"@{_GROUPS[group]}.{kind}"
    return _WORDS[name] if name in _WORDS else f"@operator.{STRUCTS[name]}"


def strict_values(source: str) -> dict[str, str]:
    """The values that validation decodes as Kubernetes types: the dotted path of each, with its type."""
    calls = re.findall(r"runKube(List)?\(values((?:\.Get\w+\(\))+), &(\w+)\.(\w+)\{\}", source)
    return {
        ".".join(_json_name(getter) for getter in re.findall(r"Get(\w+)\(\)", getters)): (
            ("[]" if listed else "") + f"@{_GROUPS[group]}.{kind}"
        )
        for listed, getters, group, kind in calls
    }


def _json_name(getter: str) -> str:
    name = getter[0].lower() + getter[1:]
    return {"istioIngressgateway": "istio-ingressgateway", "istioEgressgateway": "istio-egressgateway"}.get(name, name)


def replacements(source: str) -> dict[str, dict[str, Any]]:
    """The settings that validation calls deprecated or refuses, each with what to say instead, its default and effect.

    Validation looks for a path in structs and maps: one whose first word is not a struct's field is never found.
    """
    made: dict[str, dict[str, Any]] = {}
    for name, effect in (("warningSettings", "warning"), ("failHardSettings", "error")):
        body = re.search(rf"\t{name} := \[\]deprecatedSettings\{{\n(.*?)^\t\}}", source, re.M | re.S)
        for old, new, default in _ENTRY.findall(body[1]) if body else []:
            if old[0].isupper():
                said = new.partition(". See")[0]
                entry = {"instead": _INSTEAD.get(said) or said.replace("Values.", "values."), "effect": effect}
                if default in _DEFAULTS:
                    entry["default"] = _DEFAULTS[default]
                made[re.sub(r"\.Enabled$", ".enabled", old[0].lower() + old[1:])] = entry
    return made


def minor_of(go_mod: str) -> int:
    """The minor of Kubernetes whose types are compiled in."""
    match = re.search(r"^\s*k8s\.io/api v0\.(\d+)\.", go_mod, re.M)
    assert match
    return int(match[1])
