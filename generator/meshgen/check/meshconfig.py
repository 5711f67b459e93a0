"""What istioctl refuses of a mesh config and warns of, at `meshConfig` and at `values.meshConfig`.

Source in istio/istio: ValidateMeshConfig in pkg/config/validation, called by pkg/config/mesh over Istio's defaults.
What Istio says of extension providers is not here: istioctl hides it at every version.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from meshgen.build.stage import Remark
from meshgen.check.addresses import is_trust_domain, is_wildcard_host, shown_address
from meshgen.check.localities import locality_problems
from meshgen.check.proxyconfig import duration_problems, port_problems, proxy_config_problems
from meshgen.check.setting import MILLISECOND, SECOND, Numbers, Problem, Setting
from meshgen.check.trafficpolicy import traffic_policy_problems
from meshgen.config.problems import dotted
from meshgen.finding import Severity
from meshgen.values import merged, value_at
from meshgen.yaml import pointer

# The first tag that has the check, by comparison of all tags.
_MESH_TLS = (1, 18, 0)
_TRAFFIC_POLICY = (1, 31, 0)
# From 1.24 on `meshConfig` is laid over `values.meshConfig` before either is looked at.
_LAID_OVER = (1, 24, 0)
# The longest connect timeout was 30s; 1.20.6 and 1.21.2 made it 1h.
_LONG_TIMEOUTS = ((1, 20, 6), (1, 21, 2))
# pkg/config/security: the curves that it knows, and since when.
_CURVES = {
    **dict.fromkeys(("", "P-224", "P-256", "P-384", "P-521", "X25519"), (1, 18, 0)),
    "X25519Kyber768Draft00": (1, 23, 0),
    "X25519MLKEM768": (1, 26, 0),
}
_OLD_CURVE = ("CECPQ2", (1, 23, 0))


def mesh_config_remarks(istio: dict[str, Any], version: Numbers) -> Iterator[Remark]:
    """Everything that the istioctl of a version says of the mesh configs in resolved `istio` settings."""
    own, below = istio.get("meshConfig"), value_at(istio, ("values", "meshConfig"))
    said = {}
    for problem in mesh_config_problems(own, version):
        said[problem] = _remark(["istio", "meshConfig"], problem)
    yield from said.values()
    if version >= _LAID_OVER and isinstance(own, dict) and isinstance(below, dict):
        below = merged(below, own)
    for problem in mesh_config_problems(below, version):
        if version < _LAID_OVER or problem not in said:
            yield _remark(["istio", "values", "meshConfig"], problem)


def mesh_config_problems(config: Any, version: Numbers) -> Iterator[Problem]:
    """What Istio has against a mesh config; paths lead into it. What has a wrong type is passed over."""
    if not config:
        # Istio's defaults are right by themselves.
        return
    mesh = Setting(config)
    yield from port_problems(mesh.at("proxyListenPort"))
    yield from _connect_timeout(mesh.at("connectTimeout"), version)
    detection = mesh.at("protocolDetectionTimeout")
    if (detection.nanoseconds or 0) % MILLISECOND:
        yield detection.problem("a duration has a precision of milliseconds", "say whole milliseconds")
    # Istio looks for this key as it is spelled in JSON alone.
    proxy = Setting(config.get("defaultConfig") if isinstance(config, dict) else None, ("defaultConfig",))
    yield from proxy_config_problems(proxy, version)
    yield from locality_problems(mesh, version)
    yield from _hosts(mesh)
    yield from _trust_domains(mesh)
    if version >= _MESH_TLS:
        yield from _tls(mesh, version)
    if version >= _TRAFFIC_POLICY:
        yield from traffic_policy_problems(mesh.at("defaultTrafficPolicy"))


def _remark(root: list[str | int], problem: Problem) -> Remark:
    path = [*root, *problem.path]
    rule = "MG219" if problem.warns else "MG218"
    severity: Severity = "warning" if problem.warns else "error"
    return Remark(rule, f"{dotted(path)}: {problem.text}", pointer(path), problem.hint, severity)


def _connect_timeout(setting: Setting, version: Numbers) -> Iterator[Problem]:
    found = list(duration_problems(setting))
    early, late = _LONG_TIMEOUTS
    long = version >= late or early <= version < (1, 21, 0)
    longest = 3600 if long else 30
    if not found and (setting.nanoseconds or 0) > longest * SECOND:
        found = [setting.problem(f"the duration is longer than {longest}s", f"say {longest}s or less")]
    yield from found


def _hosts(mesh: Setting) -> Iterator[Problem]:
    for entry in mesh.at("serviceSettings").each():
        for host in entry.at("hosts").each():
            if host.text is not None and not is_wildcard_host(host.text):
                text = f"{shown_address(host.text)} is not a domain name, nor one with a wildcard before it"
                yield host.problem(text, "say a host such as *.foo.svc.cluster.local")


def _trust_domains(mesh: Setting) -> Iterator[Problem]:
    hint = "say a domain such as cluster.local"
    for setting in (mesh.at("trustDomain"), *mesh.at("trustDomainAliases").each()):
        if setting.value == "":
            yield setting.problem("an empty domain name is not allowed", hint)
        elif setting.text and not is_trust_domain(setting.text):
            yield setting.problem("the value is not a trust domain", hint)


def _tls(mesh: Setting, version: Numbers) -> Iterator[Problem]:
    own = mesh.at("meshMTLS", "ecdhCurves")
    if list(own.each()):
        yield own.problem("mesh TLS does not support ECDH curves", "say tlsDefaults.ecdhCurves, or take it out")
    curves = [one for one in mesh.at("tlsDefaults", "ecdhCurves").each() if isinstance(one.value, str)]
    seen: Counter[str] = Counter()
    for curve in curves:
        seen[curve.value] += 1
        if not _is_curve(curve.value, version):
            yield curve.problem("this is an unrecognized ECDH curve", "take it out", warns=True)
        elif seen[curve.value] == 2:
            yield curve.problem("this ECDH curve is a duplicate", "take one out", warns=True)


def _is_curve(name: str, version: Numbers) -> bool:
    old, gone = _OLD_CURVE
    return version < gone if name == old else name in _CURVES and version >= _CURVES[name]
