"""What Flux installs from meshgen's HelmReleases is what istioctl installs from the same mesh's IstioOperator."""

from __future__ import annotations

import pytest

from tests.installs.differences import KNOWN, Known, unexplained
from tests.installs.gateways import KNOWN_OF_GATEWAYS
from tests.installs.proof import NAMES, prove

pytestmark = pytest.mark.realtools
# Where no control plane is installed there is less to compare.
KINDS: dict[str, set[str]] = {
    "profile-empty": set(),
    "profile-remote": {"ConfigMap", "MutatingWebhookConfiguration"},
    "multicluster-remote": {"ConfigMap", "MutatingWebhookConfiguration"},
}


@pytest.mark.parametrize("name", NAMES)
def test_charts_get_the_values_that_istioctl_translates(name: str):
    proof = prove(name)

    assert proof.helm_values == proof.istioctl_values


@pytest.mark.parametrize("name", NAMES)
def test_the_same_objects_arrive_but_for_known_differences(name: str):
    proof = prove(name)

    assert unexplained(proof.differences, KNOWN) == []
    assert {one.kind for one in proof.objects} >= KINDS.get(name, {"Deployment", "ConfigMap"})


@pytest.mark.parametrize("name", NAMES)
def test_gateways_mean_the_same_but_for_known_differences(name: str):
    assert unexplained(prove(name).gateway_differences, KNOWN_OF_GATEWAYS) == []


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: f"{known.kind}:{known.pointer}")
def test_each_known_difference_still_occurs(known: Known):
    assert any(known.covers(found) for name in NAMES for found in prove(name).differences)


@pytest.mark.parametrize("known", KNOWN_OF_GATEWAYS, ids=lambda known: known.pointer)
def test_each_known_difference_of_gateways_still_occurs(known: Known):
    assert any(known.covers(found) for name in NAMES for found in prove(name).gateway_differences)
