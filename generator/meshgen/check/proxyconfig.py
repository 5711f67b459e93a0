"""What Istio refuses of a mesh config's `defaultConfig`, the ProxyConfig of every proxy.

Istio lays it over defaults that are right by themselves: only what is said can be wrong. Source in istio/istio:
ValidateMeshConfigProxyConfig in pkg/config/validation (up to 1.12 ValidateProxyConfig).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from meshgen.check.addresses import address_fault, is_port, shown_address
from meshgen.check.setting import MILLISECOND, SECOND, Numbers, Problem, Setting

# The first tag that has the check, by comparison of all tags.
_CUSTOM_TAGS = (1, 13, 3)
_PRIVATE_KEY_PROVIDER = (1, 14, 0)
_QAT = (1, 17, 0)
_SKIPPED_VERIFICATION = (1, 19, 0)
_REVOCATION_LIST = (1, 22, 0)
_AUTO_ALLOCATE = (1, 25, 0)
_CONFIG_MAP = (1, 26, 0)
_CONNECTION_SETTINGS = (1, 31, 0)
# The first tag that no longer has it.
_PARENT_SHUTDOWN_GONE = (1, 17, 0)
_CUSTOM_TAGS_GONE = (1, 14, 0)
_LONGEST_DRAIN_GONE = (1, 22, 0)

_HOUR = 3600 * SECOND
_ADDRESS_HINT = "say host:port, such as istiod.istio-system.svc:15012"
_REQUIRED = {"configPath": "config path", "binaryPath": "binary path", "discoveryAddress": "discovery address"}
_TLS_MODES = ("DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL")
# What asks for a verification, by mode.
_VERIFYING = {
    "SIMPLE": ("caCertificates", "credentialName", "subjectAltNames"),
    "MUTUAL": ("caCertificates", "subjectAltNames"),
}


def proxy_config_problems(proxy: Setting, version: Numbers) -> Iterator[Problem]:
    """What is wrong with `defaultConfig` of a mesh config, and what Istio warns of."""
    for key, name in _REQUIRED.items():
        if proxy.at(key).value == "":
            yield proxy.at(key).problem(f"the {name} must be set", "leave the key out for the default")
    if proxy.at("serviceCluster").value == "" and not proxy.at("tracingServiceName").value:
        yield proxy.at("serviceCluster").problem("the service cluster must be set", "leave the key out for the default")
    yield from _drain(proxy, version)
    yield from _addresses(proxy, version)
    yield from _tracing(proxy.at("tracing"), version)
    for key in ("proxyAdminPort", "statusPort"):
        yield from port_problems(proxy.at(key))
    yield from _authentication(proxy.at("controlPlaneAuthPolicy"))
    if version >= _PRIVATE_KEY_PROVIDER:
        yield from _private_key_provider(proxy.at("privateKeyProvider"), version)
    if version >= _AUTO_ALLOCATE:
        yield from _auto_allocation(proxy.at("proxyMetadata"))
    if version >= _CONNECTION_SETTINGS:
        yield from _connections(proxy.at("connectionSettings"))


def _auto_allocation(metadata: Setting) -> Iterator[Problem]:
    for key, entry in metadata.entries():
        if key == "ISTIO_META_DNS_AUTO_ALLOCATE":
            hint = "take it out; istiod allocates addresses by itself, PILOT_ENABLE_IP_AUTOALLOCATE is its switch"
            yield entry.problem(f"{key} is deprecated", hint, warns=True)


def port_problems(setting: Setting) -> Iterator[Problem]:
    """A port that is said and is none."""
    number = setting.number
    if number is not None and not is_port(number):
        yield setting.problem(f"port number {number} is not in the range 1..65535", "say a port, 1 to 65535")


def duration_problems(setting: Setting) -> Iterator[Problem]:
    """A duration that is said and is too short, or finer than Istio takes it."""
    time = setting.nanoseconds
    if time is not None and time < MILLISECOND:
        yield setting.problem("the duration must be 1ms at least", "say a longer one, such as 10s")
    elif time is not None and time % MILLISECOND:
        yield setting.problem("a duration has a precision of milliseconds", "say whole milliseconds")


def _drain(proxy: Setting, version: Numbers) -> Iterator[Problem]:
    drain, shutdown = proxy.at("drainDuration"), proxy.at("parentShutdownDuration")
    found = list(_seconds(drain, version))
    if version < _PARENT_SHUTDOWN_GONE:
        found += _seconds(shutdown, version)
        if not found and _time(shutdown, 60) <= _time(drain, 45):
            text = "the parent shutdown time must be greater than the drain time (by default 60s and 45s)"
            hint = "lengthen parentShutdownDuration, or shorten drainDuration"
            found = [(shutdown if shutdown.value else drain).problem(text, hint)]
    yield from found


def _time(setting: Setting, default: int) -> int:
    return default * SECOND if setting.nanoseconds is None else setting.nanoseconds


def _seconds(setting: Setting, version: Numbers) -> Iterator[Problem]:
    time = _time(setting, 1)
    if found := list(duration_problems(setting)):
        yield from found
    elif time % SECOND:
        yield setting.problem("this duration has a precision of seconds", "say whole seconds")
    elif time > _HOUR and version < _LONGEST_DRAIN_GONE:
        yield setting.problem("the duration is longer than 1h", "say 3600s or less")


def _addresses(proxy: Setting, version: Numbers) -> Iterator[Problem]:
    services = [proxy.at(key, "address") for key in ("envoyMetricsService", "envoyAccessLogService")]
    keys = ("discoveryAddress", "statsdUdpAddress", "envoyMetricsServiceAddress")
    for setting in (*(proxy.at(key) for key in keys), *services):
        if setting.text:
            yield from _address(setting, setting.text, version)


def _address(setting: Setting, text: str, version: Numbers) -> Iterator[Problem]:
    if (fault := address_fault(text, version)) is not None:
        yield setting.problem(f"{shown_address(text)} is no address: {fault}", _ADDRESS_HINT)


def _tracing(tracing: Setting, version: Numbers) -> Iterator[Problem]:
    for name in ("lightstep", "zipkin", "datadog"):
        address = tracing.at(name, "address")
        if isinstance(tracing.at(name).value, dict) and (text := address.text) is not None:
            # Each pod fills its node's address in.
            filled = text if name == "lightstep" else text.replace("$(HOST_IP)", "127.0.0.1", 1)
            yield from _address(address, filled, version)
    lightstep = tracing.at("lightstep")
    if isinstance(lightstep.value, dict) and lightstep.at("accessToken").text == "":
        yield lightstep.problem("an access token is required", "say accessToken")
    yield from client_tls_problems(tracing.at("tlsSettings"), version)
    if _CUSTOM_TAGS <= version < _CUSTOM_TAGS_GONE:
        for _, tag in tracing.at("customTags").entries():
            if tag.value is None:
                yield tag.problem("the custom tag has no value", "say what it is, or take it out")


def client_tls_problems(tls: Setting, version: Numbers, namespace: str | None = None) -> Iterator[Problem]:
    """What is wrong with the TLS settings of a client, in a mesh config or in a resource of this namespace."""
    mode = tls.at("mode").choice(_TLS_MODES)
    if version >= _CONFIG_MAP:
        yield from _config_map(tls.at("credentialName"), namespace)
    if version >= _SKIPPED_VERIFICATION and tls.at("insecureSkipVerify").value is True:
        yield from _exclusive(tls, _VERIFYING.get(mode, ()), "insecureSkipVerify: true")
    if mode in ("SIMPLE", "MUTUAL") and tls.at("credentialName").value:
        files = ("clientCertificate", "caCertificates", "privateKey", "caCrl")
        yield from _exclusive(tls, files if version >= _REVOCATION_LIST else files[:3], "credentialName")
    elif mode == "MUTUAL":
        for key in ("clientCertificate", "privateKey"):
            if tls.at(key).text == "":
                yield tls.problem(f"{key} is required for mutual TLS", f"say {key}")


def _config_map(credential: Setting, namespace: str | None) -> Iterator[Problem]:
    source = credential.text or ""
    if not source.startswith("configmap://"):
        return
    if namespace is None:
        yield credential.problem("a mesh config has no namespace to read a configmap:// from", "name a Secret")
    elif not re.match(rf"configmap://{re.escape(namespace)}/[^/]", source):
        hint = f"say configmap://{namespace}/NAME: it is read from the namespace of the resource alone"
        yield credential.problem("the configmap:// names no ConfigMap of the resource's own namespace", hint)


def _exclusive(tls: Setting, keys: tuple[str, ...], other: str) -> Iterator[Problem]:
    for key in keys:
        if tls.at(key).value:
            yield tls.at(key).problem(f"can't be said with {other}", "keep one of them")


def _authentication(policy: Setting) -> Iterator[Problem]:
    number = None if isinstance(policy.value, str) else policy.number
    if policy.value == "INHERIT" or number not in (None, 0, 1):
        yield policy.problem("the control plane has no such authentication policy", "say MUTUAL_TLS or NONE")


def _private_key_provider(provider: Setting, version: Numbers) -> Iterator[Problem]:
    if not isinstance(provider.value, dict):
        return
    names = ("cryptomb", "qat") if version >= _QAT else ("cryptomb",)
    named = [provider.at(name) for name in names if isinstance(provider.at(name).value, dict)]
    if not provider.value:
        yield provider.problem("the private key provider is not named", f"say {' or '.join(names)}")
    for one in named:
        delay = one.at("pollDelay")
        if delay.value is None or delay.nanoseconds == 0:
            yield one.problem("pollDelay is required, and not zero", "say pollDelay: 10ms")


# A connection setting with a limit: the least that it may be.
_LEAST = {
    "listenerPerConnectionBufferLimitBytes": 0,
    "clusterPerConnectionBufferLimitBytes": 0,
    "httpMaxConcurrentStreams": 1,
    "http2InitialStreamWindowSize": 65535,
    "http2InitialConnectionWindowSize": 65535,
    "listenerConnectionLimit": 1,
    "globalDownstreamConnectionLimit": 1,
}
_TIMES = (
    "httpIdleTimeout",
    "httpMaxConnectionDuration",
    "httpDrainTimeout",
    "httpRequestTimeout",
    "httpRequestHeadersTimeout",
    "httpStreamIdleTimeout",
    "httpMaxStreamDuration",
)


def _connections(settings: Setting) -> Iterator[Problem]:
    for key, least in _LEAST.items():
        number = settings.at(key).number
        if number is not None and number < least:
            yield settings.at(key).problem(f"the number must be {least} at least", f"say {least} or more")
    for key in _TIMES:
        time = settings.at(key).nanoseconds
        if time is not None and time < 0:
            yield settings.at(key).problem("the duration is negative", "say 0s or more")
