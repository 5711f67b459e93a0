"""What an API server refuses in Go is refused here, at the very place, with what would be right."""

from __future__ import annotations

import pytest

from meshgen.catalog import Version
from meshgen.check.kinds import kind_problems
from meshgen.check.refused import refusals_of
from tests.check.refused.bad import BAD, Bad, steps
from tests.check.refused.badcluster import BAD_OF_CLUSTERS
from tests.check.refused.objects import Object, good, workload

NEW = "1.36"
EVERY = BAD + BAD_OF_CLUSTERS


def said(one: Object, kubernetes: str = NEW) -> list[str]:
    return [refusal.text for refusal in refusals_of(one, kubernetes)]


def test_good_objects_are_taken():
    for one in good():
        assert said(one) == [], one["kind"]
        assert said(one, "1.22") == [], one["kind"]


@pytest.mark.parametrize("bad", EVERY, ids=[f"{one.base} {one.path} {one.said}"[:90] for one in EVERY])
def test_a_bad_object_is_refused_at_the_place_and_no_schema_says_it(bad: Bad):
    made = bad.made()

    (found,) = refusals_of(made, NEW)

    assert (found.path, found.text) == (steps(bad.path), bad.said)
    assert found.hint
    assert list(kind_problems(made, NEW, Version.parse("1.30.3"))) == []


def test_what_a_newer_server_takes_is_refused_of_an_older_one_only():
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "1a"}, "spec": {"ports": [{"port": 80}]}}
    named = workload("Deployment")
    named["spec"]["template"]["spec"]["containers"][0]["env"][0]["name"] = "1 A"
    zoned = next(one for one in good() if one["kind"] == "CronJob")
    zoned["spec"]["schedule"] = "TZ=UTC 0 0 * * *"

    assert (said(service, "1.35"), said(service, "1.36")) == (['"1a" is no name of a Service'], [])
    assert (said(named, "1.31"), said(named, "1.32")) == (['"1 A" is no name of a variable'], [])
    assert (said(zoned, "1.28"), said(zoned, "1.29")) == ([], ["a schedule names no time zone"])


def test_an_indexed_job_that_says_no_numbers_is_one():
    one = next(one for one in good() if one["kind"] == "Job")
    del one["spec"]["completions"], one["spec"]["parallelism"]

    assert said(one) == []


def test_a_condition_of_a_cron_jobs_pods_has_no_default_in_older_servers():
    one = next(one for one in good() if one["kind"] == "CronJob")
    rule = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}
    one["spec"]["jobTemplate"]["spec"]["podFailurePolicy"] = {"rules": [rule]}

    assert said(one, "1.29") == ["it says no status, which has no default in a CronJob"]
    assert said(one, "1.30") == []


def test_what_an_older_server_drops_is_not_refused_of_it():
    space = next(one for one in good() if one["kind"] == "Namespace")
    space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = "strict"
    claiming = workload("Deployment")
    claiming["spec"]["template"]["spec"]["resourceClaims"] = []

    assert (len(said(space, "1.22")), len(said(space, "1.23"))) == (0, 1)
    assert (said(claiming, "1.33"), said(claiming, "1.34")) == ([], ['the pod has no claim "gpu"'])


def test_a_process_of_the_host_is_in_its_network():
    pod = {"containers": [{"name": "a", "image": "a:1"}], "securityContext": {"windowsOptions": {"hostProcess": True}}}
    one = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": pod}

    assert said(one) == ["a process of the host is in the host's network"]
    pod["hostNetwork"] = True
    assert said(one) == []


def test_a_port_of_nodes_outside_of_the_usual_range_is_a_warning():
    service = next(one for one in good() if one["metadata"]["name"] == "two")
    service["spec"]["ports"][0]["nodePort"] = 8080

    (found,) = refusals_of(service, NEW)

    assert (found.severity, found.text) == ("warning", "8080 is none that API servers give out")


def test_values_are_not_shown():
    one = workload("Deployment")
    one["metadata"]["labels"]["a"] = "hunter2!"
    one["spec"]["template"]["spec"]["containers"][0]["env"][1]["value"] = "hunter2"

    found = list(refusals_of(one, NEW))

    assert len(found) == 2
    assert "hunter2" not in f"{found}"


def test_kinds_of_others_have_names_of_others():
    crd_kind = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "A_b"}}
    aggregated = {"apiVersion": "user.openshift.io/v1", "kind": "User", "metadata": {"name": "kube:admin"}}

    assert said(crd_kind) == ['"A_b" is no DNS subdomain']
    assert said(aggregated) == []


@pytest.mark.parametrize(
    "schedule",
    [
        "* * * * ?",
        "@every 1h30m",
        "@daily",
        "0 0 1,15 * *",
        "5/15 * * * *",
        "0 0 * JAN-Mar Sun",
        "0-10/2 * * * *",
        "+5 * * * *",
    ],
)
def test_schedules_that_are_read(schedule: str):
    one = next(one for one in good() if one["kind"] == "CronJob")
    one["spec"]["schedule"] = schedule

    assert said(one) == []


@pytest.mark.parametrize(
    ("kind", "name", "hint"),
    [
        ("ConfigMap", "My_Config", "my-config"),
        ("Namespace", "a.b", "a-b"),
        ("Service", "-web-", "web"),
        ("ConfigMap", "한글", ""),
    ],
)
def test_a_wrong_name_is_said_with_one_that_would_be_right(kind: str, name: str, hint: str):
    one = next(one for one in good() if one["kind"] == kind)
    one["metadata"]["name"] = name

    (found,) = refusals_of(one, NEW)

    assert found.hint.partition(": ")[2] == hint


def test_an_older_ingress_names_its_backends_otherwise():
    paths = [{"backend": {"serviceName": "one", "servicePort": 80}}]
    older = {"apiVersion": "networking.k8s.io/v1beta1", "kind": "Ingress", "metadata": {"name": "one"}}

    assert said({**older, "spec": {"rules": [{"http": {"paths": paths}}]}}, "1.21") == []
    assert said({**older, "spec": {"backend": {"serviceName": "one", "servicePort": 80}}}, "1.21") == []
