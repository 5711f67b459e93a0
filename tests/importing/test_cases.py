"""The IstioOperators of istioctl 1.11.3's own tests: valid ones come back, others are refused for its reasons."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.importing.story import import_config
from tests.importing.inputs import decoded, operators_of, rendered

pytestmark = pytest.mark.upstream
INPUTS = ("manifest-generate/input", "iop-other", "iop-validate", "profiles")
# The cases call these accepted; istioctl 1.11.3 refuses them without --force, for fields that it doesn't know.
REFUSED = {
    "manifest-generate/input/flag_force.yaml": "values.global.badKey",
    "iop-validate/TestValidateConfig/global.yaml": "values.global.localityLbSetting",
}
# Upstream's words -> what a finding of ours must hold, in its message or hint.
SAME_REASON = (
    (r"unknown field \"(?P<field>\w+)\"", r"\.(?P=field): "),
    (r"unable to split \"(?P<address>\w+)\"", r"(?P=address)"),
    (r"invalid CIDR address: (?P<range>\S+)", r"(?P=range)"),
    (r"parsing \"(?P<port>\w+)\"", r"(?P=port)"),
    (r":(?P<port>-\d+) falls outside range", r"(?P=port)"),
    (r"invalid value \S+: (?P<value>\S+)$", r"(?P=value)"),
    (r"targetPort is set to (?P<target>\d+), which requires root", r"target ?[pP]ort.*(?P=target)"),
    # Neither the addons' values nor addonComponents are fields any more; the hint names what takes their place.
    (r"! (?P<field>\w+\.\w+)\.enabled is deprecated", r"(?P=field).*addons: \{grafana"),
    (r"cannot unmarshal object into Go value of type string", r"plugins\[\d\]: the value is not a text"),
)


def _said(found: list[Finding]) -> list[str]:
    return [f"{one.message} {one.hint}" for one in found]


def test_every_accepted_input_renders_back_to_the_same_spec(cases: Path, tmp_path: Path):
    accepted = [case for case in operators_of(cases, *INPUTS) if case.expect.get("verdict") in ("accept", "no_crash")]
    valid = [case for case in accepted if case.name not in REFUSED]
    assert len(valid) == 73

    for number, case in enumerate(valid):
        config = tmp_path / str(number) / "meshgen.yaml"
        found = import_config([case.path], config, version="1.11.3")

        assert [one for one in found.findings if one.severity != "info"] == [], case.name
        (back,) = rendered(found, config).values()
        read = yaml.safe_load(case.path.read_bytes())
        metadata = {key: value for key, value in (read.get("metadata") or {}).items() if value}
        assert back["spec"] == decoded(read["spec"]), case.name
        assert metadata.items() <= back["metadata"].items(), case.name
        assert {one.why for one in found.differences} <= {"it says nothing at this place"}, case.name


def test_every_rejected_input_is_refused_for_upstreams_reasons(cases: Path, tmp_path: Path):
    rejected = [case for case in operators_of(cases, *INPUTS) if case.expect.get("verdict") == "reject"]
    assert len(rejected) == 22

    for case in rejected:
        with pytest.raises(InputError) as refused:
            import_config([case.path], tmp_path / "meshgen.yaml", version="1.11.3")

        errors = [one for one in refused.value.findings if one.severity == "error"]
        assert all(one.file == case.path.as_posix() and one.line and one.column for one in errors), case.name
        said = _said(errors)
        for reason in case.expect.get("errors") or [case.expect["error"]]:
            for words, ours in _reasons(reason):
                assert any(re.search(ours, text) for text in said), (case.name, words, said)


def _reasons(reason: str) -> list[tuple[str, str]]:
    """What each reason in upstream's text must look like in ours."""
    found = []
    for theirs, ours in SAME_REASON:
        for match in re.finditer(theirs, reason, re.MULTILINE):
            pattern = ours
            for name, value in match.groupdict().items():
                pattern = pattern.replace(f"(?P={name})", re.escape(value))
            found.append((match.group(), pattern))
    assert found, f"no rule tells what this reason is in our words: {reason}"
    return found


@pytest.mark.parametrize(("name", "field"), REFUSED.items())
def test_what_istioctl_refuses_though_the_case_is_called_accepted_is_refused(
    cases: Path, tmp_path: Path, name: str, field: str
):
    with pytest.raises(InputError) as refused:
        import_config([cases / "istio-1.11.3" / name], tmp_path / "meshgen.yaml", version="1.11.3")

    (error,) = [one for one in refused.value.findings if one.severity == "error"]
    assert f"{field}: " in error.message


def test_warnings_of_istioctl_are_given_as_hints_where_it_refuses_the_field_anyway(cases: Path, tmp_path: Path):
    case = next(one for one in operators_of(cases, "iop-validate") if one.name.endswith("/global.yaml"))
    (warning,) = case.expect["warnings"]

    with pytest.raises(InputError) as refused:
        import_config([case.path], tmp_path / "meshgen.yaml", version="1.11.3")

    replacement = re.search(r"use (\S+) instead", warning)
    assert replacement is not None
    assert any(replacement[1] in text for text in _said(list(refused.value.findings)))


def test_a_profiles_dump_is_the_profiles_name_and_nothing_else(cases: Path, tmp_path: Path):
    dumps = sorted((cases / "istio-1.11.3" / "istioctl-output").glob("profile-dump-*.yaml"))
    assert len(dumps) == 8

    for dump in dumps:
        config = tmp_path / dump.stem / "meshgen.yaml"
        found = import_config([dump], config)

        profile = dump.stem.removeprefix("profile-dump-")
        assert yaml.safe_load(found.files[config])["istio"] == {"version": "1.11.3", "profile": profile}
        assert found.differences == ()
