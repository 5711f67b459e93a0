"""Each rule of the policy by a folder: what it finds (`bad`, with its message), and how it is set right (`good`).

A new rule is a new folder; `MESHGEN_UPDATE=1 pytest tests/policy` writes its message for you to read.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from meshgen.config.manifests import read_manifests
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.policy import subject_of
from meshgen.policy.registry import BUILT_ELSEWHERE, RULES, titles
from meshgen.render import build_mesh
from tests.tools import PROJECT

HERE = Path(__file__).parent
UPDATE = bool(os.environ.get("MESHGEN_UPDATE"))
CASES = sorted(path.name for path in HERE.iterdir() if path.is_dir() and path.name.startswith("MG"))
# Their objects are too long for a folder of files: test_sizes.py makes them.
LONG = {"MG571", "MG572"}
# Words that only stand in these cases as credentials.
SECRETS = ("xK9-mPq4vR7z", "hvs.CAESIJ9qRt7xW2")


def findings_of(config: Path) -> list[Finding]:
    """What the policy has against the clusters of a config."""
    try:
        findings = build_mesh(config).findings
    except InputError as error:
        findings = tuple(error.findings)
    return [finding for finding in findings if finding.rule in {rule.id for rule in RULES}]


def _text(finding: Finding) -> str:
    place = f"{finding.file}:{finding.line}:{finding.column}"
    return f"{place}: {finding.severity} {finding.rule}: {finding.message}\n  hint: {finding.hint}\n"


@pytest.mark.parametrize("rule", CASES)
def test_bad_gives_exactly_its_rule(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE / rule / "bad")

    findings = findings_of(Path("meshgen.yaml"))

    said = "".join(_text(finding) for finding in findings)
    message = HERE / rule / "bad" / "message.txt"
    if UPDATE:
        message.write_text(said, encoding="utf-8")
    assert {finding.rule for finding in findings} == {rule}
    assert said == message.read_text(encoding="utf-8")
    assert not any(secret in said for secret in SECRETS)


@pytest.mark.parametrize("rule", CASES)
def test_good_gives_nothing(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE / rule / "good")

    assert findings_of(Path("meshgen.yaml")) == []


def test_each_rule_has_its_cases() -> None:
    assert {rule.id for rule in RULES} == {*CASES, *LONG}


def test_ids_are_of_the_policy_and_stand_once() -> None:
    ids = [rule.id for rule in RULES]

    assert len(ids) == len(set(ids))
    assert all(one.startswith("MG5") for one in ids)
    assert not set(ids) & set(BUILT_ELSEWHERE)
    assert list(titles()) == sorted([*ids, *BUILT_ELSEWHERE])


def test_the_example_gets_what_a_reviewer_would_say() -> None:
    findings = findings_of(PROJECT / "meshgen.yaml")

    assert {(one.rule, one.severity) for one in findings} == {("MG524", "info"), ("MG554", "info")}


SEED = """\
apiVersion: meshgen.dev/v1
kind: Mesh
metadata: {name: msa}
istio: {version: 1.11.3, profile: default, hub: gcr.io/istio-release}
addons: {prometheus: {}, grafana: {}, jaeger: {}, kiali: {}}
expose:
  kiali: {type: LoadBalancer}
  tracing: {type: LoadBalancer}
  grafana: {type: LoadBalancer}
delivery:
  flux: {url: https://example.com/msa/mesh.git, branch: main, path: ./output}
"""


def test_the_seed_gets_nothing(tmp_path: Path) -> None:
    (tmp_path / "meshgen.yaml").write_text(SEED, encoding="utf-8")

    assert findings_of(tmp_path / "meshgen.yaml") == []


@pytest.mark.upstream
@pytest.mark.parametrize("version", ["1.11.3", "1.30.3"])
def test_samples_as_sources_get_warnings_alone(tmp_path: Path, cases: Path, version: str) -> None:
    config = SEED.replace("1.11.3", version)
    for name in ("prometheus", "grafana", "jaeger", "kiali"):
        sample = cases / f"istio-{version}" / "addons" / f"{name}.yaml"
        (tmp_path / sample.name).write_bytes(sample.read_bytes())
        config = config.replace(f"{name}: {{}}", f"{name}: {{source: {name}.yaml}}")
    (tmp_path / "meshgen.yaml").write_text(config, encoding="utf-8")

    findings = findings_of(tmp_path / "meshgen.yaml")

    assert {(one.rule, one.severity) for one in findings} == {("MG510", "warning"), ("MG511", "warning")}


@pytest.mark.parametrize("case", CASES)
def test_rules_about_objects_say_the_same_whatever_istio_is_made_of(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE / case / "bad")
    try:
        built = build_mesh(Path("meshgen.yaml"))
    except InputError:
        return
    places = read_manifests(built.mesh).places({}, built.mesh.settings.get("resources") or {})
    for one in built.clusters:
        subject = subject_of(one.cluster, one.built.stages, one.built.istioctl_input, places)
        for rule in (rule for rule in RULES if rule.of_objects):
            assert list(rule.remarks(subject)) == list(rule.remarks(subject.of_objects())), rule.id
