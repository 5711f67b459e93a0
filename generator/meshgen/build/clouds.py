"""What the clouds' load balancers need to be told by annotation."""

from __future__ import annotations

import re
from typing import Any

# Each pair from the provider's own documentation of its Service controller. On AWS the older in-tree controller and the
# AWS Load Balancer Controller read different keys, and the second is internal unless told otherwise.
_INTERNAL = {
    "azure": {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"},
    "aws": {
        "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
        "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
    },
    "gcp": {"networking.gke.io/load-balancer-type": "Internal"},
}
_PUBLIC = {"aws": {"service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing"}}

# What a cloud can't be told: the key of `expose`, what to do instead, and whether going on would open what should stay
# closed.
UNSAYABLE: dict[str, dict[str, tuple[str, bool]]] = {
    "generic": {
        "internal": (
            "name the cluster's cloud (azure, aws, gcp), or set loadBalancerClass or your load balancer's annotation",
            True,
        ),
    },
    "aws": {
        "loadBalancerIP": (
            "AWS takes no address: set annotations with aws-load-balancer-eip-allocations or -private-ipv4-addresses",
            False,
        ),
    },
}


def cloud_annotations(cloud: str, service_type: str, exposure: dict[str, Any]) -> dict[str, str]:
    """The annotations that make a load balancer internal or public on that cloud."""
    if service_type != "LoadBalancer":
        return {}
    return dict((_INTERNAL if exposure.get("internal") else _PUBLIC).get(cloud, {}))


_BALANCER_WORDS = re.compile(r"load-?balancer|balancer|internal|private|kube-vip|metallb|lb-?ipam|address-pool", re.I)


def speaks_of_balancers(annotation: str) -> bool:
    """Whether an annotation's key looks like one by which a load balancer is told what to be."""
    return _BALANCER_WORDS.search(annotation) is not None
