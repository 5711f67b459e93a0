"""What Istio's webhook refuses of a WasmPlugin, a TrafficExtension and a ProxyConfig.

Sources in istio/istio: ValidateWasmPlugin, ValidateTrafficExtension and ValidateProxyConfig in pkg/config/validation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from meshgen.check.istiovalidation.names import selector_problems
from meshgen.check.istiovalidation.resource import Resource, negative_problems, required_port_problems
from meshgen.check.istiovalidation.targets import target_problems
from meshgen.check.setting import Numbers, Problem, Setting

# The first version that has the check, at each of its patches.
_VARIABLES = (1, 14, 0)
_MATCHES = (1, 16, 0)
_LENGTHS = (1, 23, 0)
_SCHEMES = ("file", "http", "https", "oci")
# What Go surely reads as an address with a scheme.
_PLAIN_URL = re.compile(
    r"([a-zA-Z][-+.a-zA-Z0-9]*):(?://[-.a-zA-Z0-9]+(?::[0-9]+)?(?:/[-._/a-zA-Z0-9]*)?|[0-9][-./\w]*)"
)
_SUM = re.compile(r"[a-f0-9]{64}")
_LONGEST_CODE = 65536


def wasm_plugin_problems(plugin: Resource) -> Iterator[Problem]:
    """What is wrong with a WasmPlugin."""
    yield from target_problems(plugin)
    yield from _wasm(plugin.spec, plugin.istio)
    yield from _ports(plugin.spec.at("match"), plugin.istio)


def traffic_extension_problems(extension: Resource) -> Iterator[Problem]:
    """What is wrong with a TrafficExtension."""
    spec = extension.spec
    yield from target_problems(extension)
    wasm, lua = spec.at("wasm"), spec.at("lua")
    if (wasm.value is None) == (lua.value is None):
        yield spec.problem("an extension is either wasm or lua", "say one of them")
    code = lua.at("inlineCode")
    if isinstance(lua.value, dict) and code.is_blank:
        yield lua.problem("the extension has no code", "say inlineCode")
    if len((code.text or "").encode()) > _LONGEST_CODE:
        yield code.problem(f"the code is longer than {_LONGEST_CODE} bytes", "shorten it, or say wasm")
    if isinstance(wasm.value, dict):
        yield from _wasm(wasm, extension.istio)
    yield from _ports(spec.at("match"), extension.istio)


def proxy_config_problems(config: Resource) -> Iterator[Problem]:
    """What is wrong with a ProxyConfig."""
    yield from selector_problems(config.spec.at("selector", "matchLabels"))
    yield from negative_problems(config.spec.at("concurrency"))


def _wasm(wasm: Setting, istio: Numbers) -> Iterator[Problem]:
    url, digest = wasm.at("url"), wasm.at("sha256")
    scheme = _PLAIN_URL.fullmatch(url.text or "")
    if url.is_blank:
        yield wasm.problem("the module has no url", "say url, such as oci://REGISTRY/IMAGE:TAG")
    elif scheme and scheme[1].lower() not in _SCHEMES:
        hint = f"say one of {', '.join(_SCHEMES)} before ://; a registry with a port wants oci://"
        yield url.problem("a module can't be fetched by that scheme", hint)
    if digest.text and not _SUM.fullmatch(digest.text):
        yield digest.problem("the sum is not 64 hexadecimal digits in lower case", "say what sha256sum prints")
    if istio >= _LENGTHS:
        for key, longest in (("imagePullSecret", 253), ("pluginName", 256)):
            if len((wasm.at(key).text or "").encode()) > longest:
                yield wasm.at(key).problem(f"the name is longer than {longest} characters", "shorten it")
    if istio >= _VARIABLES:
        yield from _variables(wasm.at("vmConfig", "env"), istio)


def _variables(variables: Setting, istio: Numbers) -> Iterator[Problem]:
    seen: set[str] = set()
    for variable in variables.maps():
        name, value = variable.at("name"), variable.at("value")
        if name.is_blank:
            yield variable.problem("a variable has a name", "say name")
        elif name.text in seen:
            yield name.problem("another variable has this name", "take one of them out")
        seen.add(name.text or "")
        if istio >= _LENGTHS:
            if len((name.text or "").encode()) > 256:
                yield name.problem("the name is longer than 256 characters", "shorten it")
            if variable.at("valueFrom").text == "HOST" and not value.is_blank:
                yield value.problem("a variable of the host has its value from there", "say valueFrom: INLINE")


def _ports(matches: Setting, istio: Numbers) -> Iterator[Problem]:
    for match in matches.maps() if istio >= _MATCHES else ():
        for port in match.at("ports").maps():
            yield from required_port_problems(port.at("number"), port)
