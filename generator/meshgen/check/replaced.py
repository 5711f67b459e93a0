"""Settings whose place is another by now, as istioctl says up to 1.23."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from meshgen.build.stage import Remark
from meshgen.catalog.fields import GO, Fields, Replacement, ever_replaced
from meshgen.config.problems import dotted
from meshgen.values import value_at
from meshgen.yaml import pointer

# Addons by the names that IstioOperator had for them.
_ADDONS = {"grafana": "grafana", "kiali": "kiali", "prometheus": "prometheus", "tracing": "jaeger"}
# Values that Istio's proto marks as deprecated, and the settings of components that say the same, as long as the
# operator's translation made the ones of the others.
_MESSAGES = {
    "pilot": ("values.PilotConfig", "components.pilot.k8s"),
    "gateways.istio-ingressgateway": ("values.IngressGatewayConfig", "components.ingressGateways[].k8s"),
    "gateways.istio-egressgateway": ("values.EgressGatewayConfig", "components.egressGateways[].k8s"),
}
_SAME = ("nodeSelector", "podAnnotations", "replicaCount", "resources", "tolerations")


def deprecated_remarks(spec: dict[str, Any], fields: Fields) -> Iterator[Remark]:
    """What this version's istioctl warns of or refuses because there is another place for it."""
    for path, replacement in fields.replacements.items():
        parts = path.split(".")
        value = value_at(spec, parts)
        if value is None or _same(value, replacement.default) or not _known(parts, fields):
            continue
        at = ["istio", *parts]
        message, hint = f"{dotted(at)} is deprecated", _instead(parts, replacement)
        if replacement.effect == "error":
            yield Remark("MG217", message, pointer(at), hint, at_key=True)
        else:
            yield Remark("MG217", message, pointer(at), hint, "warning", at_key=True)
    if fields.version.numbers < GO:
        yield from _marked(spec.get("values"), fields)


def _marked(values: Any, fields: Fields) -> Iterator[Remark]:
    for path, (message, settings) in _MESSAGES.items():
        parts = path.split(".")
        found = value_at(values, parts)
        for name in _SAME if isinstance(found, dict) else ():
            if found.get(name) and name in fields.of(message) and fields.of(message)[name].deprecated:
                at = ["istio", "values", *parts, name]
                hint = f"use {settings}.{name} instead"
                yield Remark("MG217", f"{dotted(at)} is deprecated", pointer(at), hint, "info", at_key=True)


def instead_of(path: Sequence[str | int], value: Any) -> str | None:
    """What to say instead of an unknown setting, or of what is inside it; None where no istioctl says."""
    wanted = ".".join(str(part) for part in path)
    for listed, replacement in ever_replaced().items():
        inside = listed.removeprefix(f"{wanted}.").split(".")
        if listed == wanted or (listed.startswith(f"{wanted}.") and value_at(value, inside) is not None):
            return _instead(listed.split("."), replacement)
    return None


def _instead(parts: Sequence[str], replacement: Replacement) -> str:
    if replacement.instead == "addons":
        return f"use addons: {{{_ADDONS[parts[1]]}: {{}}}} instead"
    return f"use {replacement.instead} instead"


def _known(parts: Sequence[str], fields: Fields) -> bool:
    """Whether this version has the setting at all: of one that it does not know there is more to say."""
    kind = f"@{fields.root}"
    for part in parts:
        if kind.startswith("{}"):
            kind = kind[2:]
            continue
        field = fields.of(kind[1:]).get(part) if kind.startswith("@") else None
        if field is None:
            return not kind.startswith("@")
        kind = field.type
    return True


def _same(value: Any, default: Any) -> bool:
    # False is no 0: istioctl compares the types too.
    return type(value) is type(default) and bool(value == default)
