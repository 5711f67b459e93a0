"""What Flux patches is said by values for engines that can't patch, or it is told."""

from __future__ import annotations

from typing import Any

import pytest

from meshgen.build.charts import istio_releases
from meshgen.build.nativevalues import said_by_values
from meshgen.build.translate import translate
from meshgen.catalog import release_of
from tests.objects import Object


def said(k8s: Object, version: str = "1.30.3") -> tuple[Object, list[str]]:
    """The values of istiod, and the messages."""
    istio = {"version": version, "components": {"pilot": {"k8s": k8s}}}
    known = release_of(istio)
    releases, _ = istio_releases(translate(istio, hub=known.hub), istio, known)
    istiod = next(one for one in releases if one.chart.name == "istiod")
    assert istiod.patches
    release, remarks = said_by_values(istiod, "Argo CD")
    assert release.patches == ()
    return release.values["pilot"], [remark.message for remark in remarks]


@pytest.mark.parametrize(
    ("k8s", "values"),
    [
        ({"nodeSelector": {"disk": "ssd"}}, {"nodeSelector": {"disk": "ssd"}}),
        ({"resources": {"requests": {"memory": "2Gi"}}}, {"resources": {"requests": {"memory": "2Gi"}}}),
        ({"env": [{"name": "A", "value": "b"}]}, {"env": {"A": "b"}}),
        (
            {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
            {"envVarFrom": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
        ),
        ({"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}, {"rollingMaxSurge": 1}),
        ({"podDisruptionBudget": {"maxUnavailable": 1}}, {"pdb": {"maxUnavailable": 1}}),
        ({"service": {"ipFamilyPolicy": "PreferDualStack"}}, {"ipFamilyPolicy": "PreferDualStack"}),
        (
            {
                "hpaSpec": {
                    "minReplicas": 2,
                    "metrics": [
                        {
                            "type": "Resource",
                            "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}},
                        }
                    ],
                }
            },
            {"autoscaleMin": 2, "cpu": {"targetAverageUtilization": 60}},
        ),
    ],
)
def test_settings_that_the_chart_has_a_value_for_become_that_value(k8s: Object, values: Object) -> None:
    pilot, messages = said(k8s)

    assert messages == []
    assert {key: pilot[key] for key in values} == values


@pytest.mark.parametrize(
    ("k8s", "field"),
    [
        ({"readinessProbe": {"periodSeconds": 3}}, "readinessProbe"),
        ({"imagePullPolicy": "Always"}, "imagePullPolicy"),
        ({"securityContext": {"fsGroup": 1}}, "securityContext"),
        ({"strategy": {"type": "Recreate"}}, "strategy.type"),
        ({"hpaSpec": {"metrics": [{"type": "Pods"}]}}, "hpaSpec.metrics"),
        ({"service": {"sessionAffinity": "ClientIP"}}, "service.sessionAffinity"),
        # The chart writes these itself, after the values'.
        ({"env": [{"name": "PILOT_TRACE_SAMPLING", "value": "10"}]}, "env.PILOT_TRACE_SAMPLING"),
        ({"podAnnotations": {"prometheus.io/port": "1"}}, "podAnnotations.prometheus.io/port"),
        # The chart puts it between quotes as it is.
        ({"env": [{"name": "A", "value": 'say "b"'}]}, "env.A"),
    ],
)
def test_what_no_value_says_is_named(k8s: Object, field: str) -> None:
    pilot, messages = said(k8s)

    assert messages == [f"istio.components: Argo CD can't patch objects, and chart istiod has no value for k8s.{field}"]
    assert not {"readinessProbe", "imagePullPolicy", "securityContext", "env", "podAnnotations"} & pilot.keys()


def test_a_value_that_an_older_chart_lacks_is_named() -> None:
    k8s: dict[str, Any] = {"podDisruptionBudget": {"minAvailable": 2}}

    assert said(k8s, "1.26.8")[1] != []
    assert said(k8s, "1.27.9")[1] == []


@pytest.mark.parametrize(
    ("version", "unsound"),
    [("1.24.6", True), ("1.25.4", True), ("1.25.5", False), ("1.26.3", True), ("1.26.4", False), ("1.27.0", True)],
)
def test_a_gateway_chart_that_breaks_its_own_schema_is_known(version: str, unsound: bool) -> None:
    istio = {"version": version}
    known = release_of(istio)
    releases, _ = istio_releases(translate(istio, hub=known.hub), istio, known)

    assert {one.chart.name: one.chart.unsound for one in releases} == {
        "base": False,
        "istiod": False,
        "gateway": unsound,
    }
