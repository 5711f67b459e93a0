"""What Istio's webhook refuses of a WorkloadGroup.

Sources in istio/istio: ValidateWorkloadGroup and validateReadinessProbe in pkg/config/validation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from meshgen.check.istiovalidation.names import label_problems
from meshgen.check.istiovalidation.resource import Resource, negative_problems, required_port_problems
from meshgen.check.setting import Numbers, Problem, Setting

_COUNTS = ("periodSeconds", "initialDelaySeconds", "timeoutSeconds", "successThreshold", "failureThreshold")
# The first version that has the check, at each of its patches.
_HEADER_NAMES = (1, 23, 0)
_HEADER = re.compile(r"[-_A-Za-z0-9]+")
_WITHOUT_UNDERSCORES = (1, 25, 0)


def workload_group_problems(group: Resource) -> Iterator[Problem]:
    """What is wrong with a WorkloadGroup."""
    if group.spec.at("template").value is None:
        yield group.spec.problem("a WorkloadGroup has a template", "add template")
    yield from label_problems(group.spec.at("metadata", "labels"))
    probe = group.spec.at("probe")
    if isinstance(probe.value, dict):
        yield from _probe(probe, group.istio)


def _probe(probe: Setting, istio: Numbers) -> Iterator[Problem]:
    for key in _COUNTS:
        yield from negative_problems(probe.at(key))
    http, tcp, command = probe.at("httpGet"), probe.at("tcpSocket"), probe.at("exec")
    if isinstance(http.value, dict):
        yield from required_port_problems(http.at("port"), http)
        if http.at("scheme").text not in ("", None, "HTTP", "HTTPS"):
            yield http.at("scheme").problem("there is no such scheme", "say HTTP or HTTPS")
        for header in http.at("httpHeaders").maps():
            yield from _header(header, istio)
    elif isinstance(tcp.value, dict):
        yield from required_port_problems(tcp.at("port"), tcp)
    elif isinstance(command.value, dict):
        if command.at("command").is_blank:
            yield command.problem("the probe runs no command", "say command")
    elif probe.at("grpc").value is not None:
        # The field is one of proxies; the webhook has not learnt it in any release so far.
        yield probe.at("grpc").problem("it knows no probe by gRPC", "say httpGet, tcpSocket or exec")
    elif all(probe.at(key).value is None for key in ("httpGet", "tcpSocket", "exec")):
        yield probe.problem("the probe asks nothing", "say httpGet, tcpSocket or exec")


def _header(header: Setting, istio: Numbers) -> Iterator[Problem]:
    name = header.at("name").text
    if name == "":
        yield header.problem("a header has a name", "say name")
    elif name and istio >= _HEADER_NAMES and not _is_header(name, istio):
        yield header.at("name").problem("the name is none of a header", "say letters, digits and - alone")


def _is_header(name: str, istio: Numbers) -> bool:
    return bool(_HEADER.fullmatch(name)) and ("_" not in name or istio < _WITHOUT_UNDERSCORES)
