"""What Istio's validation webhook refuses of its own resources, at a version of Istio.

`istiod` asks the same functions as `istioctl validate`: pkg/config/validation in istio/istio. A check is here where it
is sure at each version that has it; what the webhook only warns of is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshgen.catalog.kinds import Api
from meshgen.check.istiovalidation.annotations import annotation_problems
from meshgen.check.istiovalidation.authentication import (
    peer_authentication_problems,
    request_authentication_problems,
)
from meshgen.check.istiovalidation.authorization import authorization_problems
from meshgen.check.istiovalidation.destinations import destination_rule_problems
from meshgen.check.istiovalidation.entries import service_entry_problems, workload_entry_problems
from meshgen.check.istiovalidation.envoyfilters import envoy_filter_problems
from meshgen.check.istiovalidation.extensions import (
    proxy_config_problems,
    traffic_extension_problems,
    wasm_plugin_problems,
)
from meshgen.check.istiovalidation.gateways import gateway_problems
from meshgen.check.istiovalidation.groups import workload_group_problems
from meshgen.check.istiovalidation.resource import Check, resource_of
from meshgen.check.istiovalidation.routing import virtual_service_problems
from meshgen.check.istiovalidation.sidecars import sidecar_problems
from meshgen.check.istiovalidation.telemetry import telemetry_problems
from meshgen.check.setting import Numbers, Problem

_NETWORKING: Mapping[str, Check] = {
    "DestinationRule": destination_rule_problems,
    "EnvoyFilter": envoy_filter_problems,
    "Gateway": gateway_problems,
    "ProxyConfig": proxy_config_problems,
    "ServiceEntry": service_entry_problems,
    "Sidecar": sidecar_problems,
    "VirtualService": virtual_service_problems,
    "WorkloadEntry": workload_entry_problems,
    "WorkloadGroup": workload_group_problems,
}
_CHECKS: Mapping[str, Mapping[str, Check]] = {
    "networking.istio.io": _NETWORKING,
    "security.istio.io": {
        "AuthorizationPolicy": authorization_problems,
        "PeerAuthentication": peer_authentication_problems,
        "RequestAuthentication": request_authentication_problems,
    },
    "telemetry.istio.io": {"Telemetry": telemetry_problems},
    "extensions.istio.io": {
        "TrafficExtension": traffic_extension_problems,
        "WasmPlugin": wasm_plugin_problems,
    },
}


def istio_problems(obj: dict[str, Any], istio: Numbers) -> Iterator[Problem]:
    """What the webhook of a version refuses of an object; paths lead into it. What has a wrong type is passed over."""
    api = Api(str(obj.get("apiVersion")), str(obj.get("kind")))
    check = _CHECKS.get(api.group, {}).get(api.kind)
    if check is None:
        return
    resource = resource_of(obj, istio)
    yield from annotation_problems(resource, api.kind)
    yield from check(resource)
