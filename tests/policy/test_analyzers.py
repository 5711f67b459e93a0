"""What `istioctl analyze` finds, by its own cases: the policy flags the same objects, and leaves the clean ones alone.

Each case is an input of one analyzer with the messages that it gives. docs/policy.md has the table of what is found;
what is not is listed here, message by message, with its reason.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from meshgen.errors import InputError
from meshgen.render import build_mesh
from tests.tools import PROJECT, tool

# The rules by which each analyzer's messages are found.
RULES: dict[str, dict[str, tuple[str, ...]]] = {
    "annotations.K8sAnalyzer": {
        "IST0107": ("MG574",),
        "IST0108": ("MG574",),
        "IST0125": ("MG574",),
        "IST0135": ("MG575",),
    },
    "authz.AuthorizationPoliciesAnalyzer": {"IST0101": ("MG581",), "IST0127": ("MG581",)},
    "deployment.ApplicationUIDAnalyzer": {"IST0144": ("MG589",)},
    "deployment.ServiceAssociationAnalyzer": {"IST0116": ("MG583",), "IST0117": (), "IST0137": ("MG583",)},
    "deprecation.FieldAnalyzer": {"IST0002": ("MG575",)},
    "destinationrule.CaCertificateAnalyzer": {"IST0128": ("MG585",), "IST0129": ("MG585",)},
    "gateway.CertificateAnalyzer": {"IST0138": ("MG578",)},
    "gateway.ConflictingGatewayAnalyzer": {"IST0145": ("MG578",)},
    "gateway.IngressGatewayPortAnalyzer": {"IST0101": ("MG577",), "IST0104": ("MG576",)},
    "gateway.SecretAnalyzer": {"IST0101": ("MG577",)},
    "injection.Analyzer": {"IST0102": ("MG579",), "IST0103": (), "IST0123": ("MG527",)},
    "injection.ImageAnalyzer": {"IST0105": ("MG589",)},
    "injection.ImageAutoAnalyzer": {"IST0146": ("MG589",), "IST0147": ("MG589",)},
    "multicluster.MeshNetworksAnalyzer": {"IST0126": ()},
    # A route of nothing but repeated matches is told once: that it is not reached.
    "schemaValidation.CollectionValidationAnalyzer": {"IST0130": ("MG547",), "IST0131": ("MG547", "MG586")},
    "service.PortNameAnalyzer": {"IST0118": ("MG580",)},
    "serviceentry.ProtocolAdressesAnalyzer": {"IST0134": ("MG587",)},
    "sidecar.DefaultSelectorAnalyzer": {"IST0111": ("MG549",)},
    "sidecar.SelectorAnalyzer": {"IST0101": ("MG581",), "IST0110": ("MG549",)},
    "virtualservice.ConflictingMeshGatewayHostsAnalyzer": {"IST0109": ("MG546",)},
    "virtualservice.DestinationHostAnalyzer": {"IST0101": ("MG582",), "IST0112": ("MG582",), "IST0140": ("MG588",)},
    "virtualservice.DestinationRuleAnalyzer": {"IST0101": ("MG542",)},
    "virtualservice.GatewayAnalyzer": {"IST0101": ("MG545",), "IST0132": ("MG545",)},
    "virtualservice.RegexAnalyzer": {"IST0122": ("MG424",)},
    "webhook.Analyzer": {"IST0139": ("MG527",)},
}
ELSEWHERE = "the workloads of the whole mesh, or of a namespace of which the tree has none, may be in any other tree"
WORKERS = "a workload without a Service is no fault: Istio itself dropped the message in 1.20"
CLUSTERS = "which clusters there are only their Secrets say, which are in no tree"
# (case, code, object): how many messages of it are not found, and why.
NOT_FOUND: dict[tuple[str, str, str], tuple[int, str]] = {
    ("authorizationpolicies", "IST0127", "AuthorizationPolicy istio-system/meshwide-httpbin-v1"): (1, ELSEWHERE),
    ("authorizationpolicies", "IST0127", "AuthorizationPolicy httpbin-empty/httpbin-empty-namespace-wide"): (
        1,
        ELSEWHERE,
    ),
    ("gatewayCustomIngressGatewayBadPort", "IST0104", "Gateway default/httpbin-gateway"): (
        1,
        "it names the port that the pods listen on, which works: later versions of istioctl accept it too",
    ),
    ("istioInjection", "IST0103", "Pod default/noninjectedpod"): (
        1,
        "it is about a running pod: in a manifest no pod has its sidecar yet",
    ),
    ("serviceMultipleDeployments", "IST0117", "Deployment bookinfo/no-services"): (1, WORKERS),
    ("serviceMultipleDeployments", "IST0117", "Deployment injection-disabled-ns/ann-enabled-ns-disabled"): (1, WORKERS),
    ("unknown service registry in mesh networks", "IST0126", "MeshNetworks istio-system/meshnetworks"): (2, CLUSTERS),
    ("webook", "IST0139", "MutatingWebhookConfiguration default/istio-sidecar-injector-missing-overlap"): (
        1,
        "that it takes the pods of another is told; the Service that it names may be another tree's",
    ),
}
# What the injector's ConfigMap of these cases says is a setting of the mesh.
SETTINGS = {
    "istioInjectionProxyImageMismatch": ", tag: 1.3.1",
    "istioInjectionProxyImageMismatchAbsolute": ", tag: 1.3.1",
}
Found = Counter[tuple[str, str]]


def analyzer_of(case: Mapping[str, Any]) -> str:
    named = re.match(r"&?([\w.]+)", case["analyzer"])
    assert named
    return named[1]


def origin(text: str) -> str:
    """An object as `KIND NAMESPACE/NAME`; what says no namespace is applied in the default one."""
    kind, _, named = text.partition(" ")
    name, _, namespace = named.partition(".")
    return f"{kind} {namespace or 'default'}/{name}"


def expected(case: Mapping[str, Any]) -> Found:
    return Counter((message["code"], origin(message["origin"])) for message in case["expected"])


def flagged(config: Path, rules: Iterable[str]) -> Found:
    """How often each rule of some flags each object."""
    try:
        findings = build_mesh(config).findings
    except InputError as error:
        findings = tuple(error.findings)
    found: Found = Counter()
    for finding in findings:
        said = re.match(r"(\w+) (\S+?)(?: in (\S+?))?: ", finding.message)
        if finding.rule in rules and said:
            found[finding.rule, f"{said[1]} {said[3] or 'default'}/{said[2]}"] += 1
    return found


def config_of(case: Mapping[str, Any], folder: Path, cases: Path) -> Path:
    """A config whose resources are the case's inputs, in their place."""
    inputs = [cases / "istio-1.11.3" / "analyzers" / name for name in case["inputs"]]
    resources = ", ".join(f"part-{index}: {{path: {json.dumps(str(path))}}}" for index, path in enumerate(inputs))
    config = folder / "meshgen.yaml"
    config.write_text(
        "apiVersion: meshgen.dev/v1\nkind: Mesh\nmetadata: {name: analyzed}\n"
        f"istio: {{version: 1.11.3{SETTINGS.get(case['name'], '')}}}\nresources: {{{resources}}}\n",
        encoding="utf-8",
    )
    return config


def compared(case: Mapping[str, Any], config: Path) -> tuple[Counter[tuple[str, str]], set[str]]:
    """How many of each message are not found, and the objects that are flagged without a message."""
    codes, wanted = RULES[analyzer_of(case)], expected(case)
    found = flagged(config, {rule for rules in codes.values() for rule in rules})
    missing: Found = Counter()
    for (code, obj), count in wanted.items():
        missing[code, obj] = max(0, count - sum(found[rule, obj] for rule in codes[code]))
    return +missing, {obj for _, obj in found} - {obj for _, obj in wanted}


@pytest.fixture(scope="session")
def table(cases: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Mapping[str, Any], Found, set[str]]]:
    """Each case with what is not found of it, and what is found besides."""
    listed = json.loads((cases / "istio-1.11.3" / "analyzers" / "cases.json").read_text(encoding="utf-8"))
    return [(case, *compared(case, config_of(case, tmp_path_factory.mktemp("case"), cases))) for case in listed]


@pytest.mark.upstream
def test_objects_that_istioctl_leaves_alone_are_left_alone(table: list[Any]) -> None:
    assert {case["name"]: extra for case, _, extra in table if extra} == {}


@pytest.mark.upstream
def test_every_message_is_found_but_those_with_a_reason(table: list[Any]) -> None:
    missing = {(case["name"], code, obj): count for case, left, _ in table for (code, obj), count in left.items()}

    assert missing == {key: count for key, (count, _) in NOT_FOUND.items()}


@pytest.mark.upstream
def test_the_document_has_the_table(table: list[Any]) -> None:
    asked: Counter[str] = Counter()
    told: Counter[str] = Counter()
    for case, left, _ in table:
        name, count = analyzer_of(case), sum(expected(case).values())
        asked[name] += count
        told[name] += count - sum(left.values())
    counted = [(name, asked[name], told[name], _rules(name)) for name in RULES]

    assert list(_rows()) == counted
    assert f"{sum(told.values())} of {sum(asked.values())} messages" in _document()


def _rules(analyzer: str) -> list[str]:
    return sorted({rule for rules in RULES[analyzer].values() for rule in rules})


def _document() -> str:
    return (PROJECT / "docs" / "policy.md").read_text(encoding="utf-8")


def _rows() -> Iterator[tuple[str, int, int, list[str]]]:
    """The rows of the document's table: analyzer, messages, how many are found, and by which rules."""
    row = re.compile(r"^\| `([\w.]+Analyzer)` \| (\d+) \| (\d+) \| (.+) \|$", re.MULTILINE)
    for name, asked, told, rules in row.findall(_document()):
        yield name, int(asked), int(told), re.findall(r"\[(MG\d{3})\]", rules)


# Without a cluster istioctl reads no objects but Istio's own: these are the rules that it can be asked about.
ASKED = {
    "MG545": ("IST0101", "IST0132"),
    "MG546": ("IST0109",),
    "MG547": ("IST0130",),
    "MG575": ("IST0002",),
    "MG578": ("IST0138",),
    "MG584": ("IST0106",),
    "MG585": ("IST0128",),
    "MG586": ("IST0131",),
    "MG587": ("IST0134",),
}


@pytest.mark.realtools
@pytest.mark.parametrize("rule", ASKED)
def test_istioctl_says_the_same_of_the_cases_of_a_rule(rule: str) -> None:
    assert analyzed(rule, "bad") >= set(ASKED[rule])
    assert not analyzed(rule, "good") & set(ASKED[rule])


def analyzed(rule: str, which: str) -> set[str]:
    """The codes of what istioctl finds in a case."""
    file = Path(__file__).parent / rule / which / "manifests.yaml"
    command = [tool("istioctl"), "analyze", "--use-kube=false", "--all-namespaces", "--output", "json", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return {message["code"] for message in json.loads(done.stdout)}
