"""istioctl as it is found, asked, run and remembered; the real one where it can show it, else a script in its place."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshgen.errors import EnvironmentFailure
from meshgen.istioctl import Generated, Istioctl, Refusal, default_cache, find, generate
from meshgen.layout.normal import refusals
from tests.tools import tool

VERSION = "1.30.3"
ANSWER = '{"clientVersion": {"version": "%s", "revision": "abc", "status": "Clean"}}'
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, namespace: a}\n"
PROFILES = ("default", "demo", "ambient", "remote", "openshift", "openshift-ambient", "stable", "preview", "minimal")

StandIn = Callable[..., Path]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """Puts a script on PATH that answers as istioctl, renders by `rendering`, and writes down each render."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def put(rendering: str = f"printf '{CONFIG_MAP}'", *, version: str = VERSION, name: str = "istioctl") -> Path:
        asked = rendering if "$1" in rendering else f"if [ $1 = version ]; then echo '{ANSWER % version}'; exit; fi"
        script = f"#!/bin/sh\n{asked}\necho run >> {tmp_path}/runs\n{rendering}\n"
        path = folder / name
        path.write_text(script)
        path.chmod(0o755)
        return path

    return put


def runs(folder: Path) -> int:
    file = folder / "runs"
    return len(file.read_text().splitlines()) if file.exists() else 0


def operator(**spec: Any) -> dict[str, Any]:
    head = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "metadata": {"name": "mesh"}}
    return head | {"spec": {"hub": "registry.istio.io/release", "tag": "1.31.0", **spec}}


def generated(istioctl: Istioctl, one: dict[str, Any]) -> Generated:
    (result,) = generate(istioctl, [one])
    assert isinstance(result, Generated)
    return result


def refusal(istioctl: Istioctl, one: dict[str, Any]) -> Refusal:
    (result,) = generate(istioctl, [one])
    assert isinstance(result, Refusal)
    return result


def test_release_of_the_version_is_taken_as_it_is(stand_in: StandIn) -> None:
    path = stand_in()

    istioctl = find(VERSION)

    assert (istioctl.path, istioctl.version, istioctl.development) == (str(path), VERSION, False)


def test_istioctl_named_by_its_version_is_taken_before_another(stand_in: StandIn) -> None:
    stand_in(version="1.29.6")
    named = stand_in(name=f"istioctl-{VERSION}")

    assert find(VERSION).path == str(named)
    assert find("1.29.6").version == "1.29.6"


def test_istioctl_is_found_by_a_relative_path_too(
    stand_in: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stand_in()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "bin:/usr/bin:/bin")

    assert find(VERSION).path == str(path)


@pytest.mark.parametrize("version", ["1.30-dev", "1.30.3-dirty", "1.30.0-rc.0", "1.30-alpha.0123456789abcdef"])
def test_development_build_of_the_same_minor_is_taken_and_told(stand_in: StandIn, version: str) -> None:
    stand_in(version=version)

    istioctl = find(VERSION)

    assert (istioctl.version, istioctl.development) == (version, True)


@pytest.mark.parametrize("version", ["1.30.2", "1.29.6", "1.3-dev", "1.301-dev", "1.31-dev", "unknown", "1x30-dev"])
def test_another_version_is_refused_with_the_one_to_install(stand_in: StandIn, version: str) -> None:
    path = stand_in(version=version)

    with pytest.raises(EnvironmentFailure) as caught:
        find(VERSION)

    assert caught.value.exit_code == 3
    assert str(caught.value) == f"istioctl at {path} is {version}, and the config asks for Istio {VERSION}"
    assert caught.value.hint == (
        f"put istioctl {VERSION} on PATH, as istioctl or beside others as istioctl-{VERSION}; "
        "or leave `istio.install` out, which needs no istioctl"
    )


def test_release_is_not_taken_for_its_release_candidate(stand_in: StandIn) -> None:
    stand_in(version="1.31.0")

    with pytest.raises(EnvironmentFailure, match=r"is 1\.31\.0, and the config asks for Istio 1\.31\.0-rc\.0"):
        find("1.31.0-rc.0")


def test_missing_istioctl_is_told_with_the_version_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(EnvironmentFailure, match=r"`install: manifests` needs istioctl 1\.30\.3, and PATH has no"):
        find(VERSION)


@pytest.mark.parametrize("body", ["echo $1 1.30.3", "echo $1 >&2; exit 1", "echo '{\"clientVersion\": null}' # $1"])
def test_istioctl_that_does_not_say_its_version_is_told(stand_in: StandIn, body: str) -> None:
    stand_in(body)

    with pytest.raises(EnvironmentFailure, match="doesn't say which version it is"):
        find(VERSION)


def test_version_is_seen_anew_when_the_file_changes(stand_in: StandIn) -> None:
    stand_in()
    find(VERSION)
    stand_in("true # another size", version="1.29.6")

    assert find("1.29.6").version == "1.29.6"


def test_file_that_is_no_program_is_told(stand_in: StandIn) -> None:
    stand_in().write_bytes(b"\x00\x01")

    with pytest.raises(EnvironmentFailure, match="can't be run: Exec format error"):
        find(VERSION)


def test_istioctl_gets_the_operator_and_nothing_of_the_environment(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KUBECONFIG", "ISTIOCONFIG", "ISTIOCTL_ISTIONAMESPACE", "KUBERNETES_SERVICE_HOST", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "leaked")
    stand_in(
        'env > env; pwd > pwd; printf "apiVersion: v1\\nkind: Seen\\nmetadata: {name: one}\\n"; '
        'echo "env: |"; sed "s/^/  /" env; echo "home: $(ls -A $HOME | tr "\\n" ,)"; echo "argv: \'$*\'"; '
        'echo "input:"; sed "s/^/  /" $4'
    )

    (seen,) = generated(find(VERSION), operator(profile="demo")).objects

    assert "leaked" not in seen["env"]
    assert {line.partition("=")[0] for line in seen["env"].splitlines()} <= {"PATH", "HOME", "TMPDIR", "PWD"} | {
        "OLDPWD",
        "SHLVL",
        "_",
    }
    assert seen["home"] == "env,istiooperator.yaml,pwd,"
    assert seen["argv"].startswith("manifest generate --filename /")
    assert seen["input"] == operator(profile="demo")


def test_result_is_rendered_once_and_then_read(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in(f"echo '! values.x is deprecated; use y' >&2; printf '{CONFIG_MAP}'")
    istioctl = find(VERSION)

    first, again = generated(istioctl, operator()), generated(istioctl, operator())

    assert runs(tmp_path) == 1
    assert first.objects == again.objects == (yaml.safe_load(CONFIG_MAP),)
    assert first.warnings == again.warnings == ("! values.x is deprecated; use y",)


def test_equal_operators_are_rendered_once_and_each_gets_its_result(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in(
        'grep -q demo $4 && name=demo || name=other; printf "apiVersion: v1\\nkind: X\\nmetadata: {name: $name}\\n"'
    )
    demo, other = operator(profile="demo"), operator(profile="minimal")

    results = generate(find(VERSION), [demo, other, demo, operator(profile="demo")])

    names = [result.objects[0]["metadata"]["name"] for result in results if isinstance(result, Generated)]
    assert names == ["demo", "other", "demo", "demo"]
    assert runs(tmp_path) == 2


def test_renders_run_at_the_same_time(stand_in: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    # Each waits until the other has started, too.
    both = f"[ $(ls {tmp_path}/started | wc -l) = 2 ] && printf '{CONFIG_MAP}' && exit"
    stand_in(f"touch {tmp_path}/started/$$; for i in $(seq 100); do {both}; sleep 0.05; done; exit 9")
    (tmp_path / "started").mkdir()

    results = generate(find(VERSION), [operator(profile="demo"), operator()])

    assert all(isinstance(result, Generated) for result in results)


def test_change_of_the_operator_or_of_istioctl_is_rendered_anew(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in()
    generate(find(VERSION), [operator()])
    generate(find(VERSION), [operator(profile="demo")])
    stand_in(version="1.30.2")
    generate(find("1.30.2"), [operator()])

    assert runs(tmp_path) == 3


def test_development_build_of_the_same_name_is_another_one(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in(version="1.30-dev")
    generate(find(VERSION), [operator()])
    generate(find(VERSION), [operator()])
    stand_in(f"printf '{CONFIG_MAP}' # rebuilt", version="1.30-dev")
    generate(find(VERSION), [operator()])

    assert runs(tmp_path) == 2


@pytest.mark.parametrize("damage", [b"", b"\x00" * 40, b"half", b"not zlib", zlib.compress(b"[")])
def test_damaged_entry_is_made_anew(stand_in: StandIn, tmp_path: Path, damage: bytes) -> None:
    stand_in()
    istioctl = find(VERSION)
    first = generated(istioctl, operator())
    (entry,) = (tmp_path / "cache/meshgen/istioctl").iterdir()
    whole = entry.read_bytes()
    entry.write_bytes(whole[: len(whole) // 2] if damage == b"half" else damage)

    assert generated(istioctl, operator()).objects == first.objects
    assert runs(tmp_path) == 2
    assert entry.read_bytes() == whole


def test_cache_is_readable_by_its_owner_alone(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in()
    generate(find(VERSION), [operator()])

    folder = tmp_path / "cache/meshgen/istioctl"
    (entry,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600


def test_cache_that_cannot_be_written_is_no_error(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in()
    (tmp_path / "cache").write_text("a file where the folder would be")

    assert generated(find(VERSION), operator()).objects
    assert (tmp_path / "cache").read_text() == "a file where the folder would be"


def test_cache_is_none_where_there_is_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_cache() == Path.home() / ".cache/meshgen/istioctl"
    monkeypatch.setattr(Path, "home", no_home)
    assert default_cache() is None


def test_oldest_entries_leave_the_cache_but_none_of_this_render(
    stand_in: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meshgen.istioctl.KEPT", 2)
    stand_in()
    istioctl, folder = find(VERSION), tmp_path / "cache/meshgen/istioctl"
    unused, used = operator(tag="unused"), operator(tag="used")
    for one in (used, unused):
        generate(istioctl, [one])
        for entry in folder.iterdir():
            os.utime(entry, (entry.stat().st_mtime - 1, entry.stat().st_mtime - 1))
    generate(istioctl, [used])
    generate(istioctl, [operator(tag="new")])
    before = runs(tmp_path)

    generate(istioctl, [used])
    assert runs(tmp_path) == before
    generate(istioctl, [unused])
    assert runs(tmp_path) == before + 1
    three = [operator(tag=tag) for tag in "abc"]
    generate(istioctl, three)
    before = runs(tmp_path)
    generate(istioctl, three)
    assert runs(tmp_path) == before


def test_parts_of_one_name_come_in_the_order_of_their_namespaces(stand_in: StandIn) -> None:
    parts = "---\n".join(CONFIG_MAP.replace("namespace: a", f"namespace: {name}") for name in ("b", "c", "a"))
    last = "---\napiVersion: a/v1\nkind: A\nmetadata: {name: a}\n"
    stand_in(f"printf '%s' '{parts}{last}'")

    objects = generated(find(VERSION), operator()).objects

    assert [one["metadata"].get("namespace") for one in objects] == ["a", "b", "c", None]


def test_refusal_says_why_and_where(stand_in: StandIn) -> None:
    stand_in("echo 'Error: json: cannot unmarshal string into field X.spec.components.pilot.k8s.env.value' >&2; exit 1")
    spec = {"components": {"pilot": {"k8s": {"env": [{"name": "A", "value": "b"}]}}}}

    found = refusal(find(VERSION), operator(**spec))

    assert found.message == "json: cannot unmarshal string into field X.spec.components.pilot.k8s.env.value"
    assert found.pointer == "/spec/components/pilot/k8s/env"


def test_refusal_ends_before_the_operator_that_older_ones_print(stand_in: StandIn) -> None:
    stand_in("printf 'Error: unknown field x:\\n\\nYAML:\\nspec:\\n  x: 1\\n' >&2; exit 1")

    assert refusal(find(VERSION), operator()).message == "unknown field x:"


def test_refusal_shows_names_and_words_that_hold_a_value_by_chance(stand_in: StandIn) -> None:
    stand_in('echo "no profile nope in $4, containers" >&2; exit 1')

    found = refusal(find(VERSION), operator(profile="nope", values={"short": "con"}))

    assert found.message == "no profile nope in istiooperator.yaml, containers"
    assert found.pointer == "/spec/profile"


def test_refusal_is_not_remembered(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in("echo Error: no >&2; exit 1")
    istioctl = find(VERSION)

    assert refusal(istioctl, operator()) == refusal(istioctl, operator())
    assert runs(tmp_path) == 2


@pytest.mark.parametrize(
    "said",
    [
        "bad value hunter2-and-more in values.global",
        "yaml: cannot unmarshal !!str `hunter2...` into map",
        "bad values:\n\nYAML:\nvalues:\n  secret: hunter2-and-more",
        'ParsePrefix("hunter2-and-more"): no /',
        'not \\"sword\\\\nfish\\"',
        "not sword",
        "no pin (4711)",
    ],
)
@pytest.mark.parametrize("status", [0, 1])
def test_neither_refusal_nor_warning_shows_a_value(stand_in: StandIn, tmp_path: Path, said: str, status: int) -> None:
    (tmp_path / "said").write_text(said)
    stand_in(f"printf '%b' \"$(cat {tmp_path}/said)\" >&2; exit {status}")
    values = {"secret": "hunter2-and-more", "lines": "sword\nfish", "pin": 4711}

    (result,) = generate(find(VERSION), [operator(values=values, profile="demo")])

    shown = result.message if isinstance(result, Refusal) else " ".join(result.warnings)
    assert shown
    assert not re.search("hunter2|sword|fish|4711", shown)


def test_charts_outside_of_the_config_are_refused_unrun(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in()

    found = refusal(find(VERSION), operator(installPackagePath="/charts"))

    assert found.pointer == "/spec/installPackagePath"
    assert runs(tmp_path) == 0


@pytest.mark.parametrize(
    ("rendering", "message"),
    [
        ("kill -9 $$", "ended with signal 9"),
        ("exit 137", "ended with exit code 137 and no word"),
        ("echo using istioctl 1.30.3", "prints what is no Kubernetes manifest"),
        ("echo 'a: [b'", "prints what is no Kubernetes manifest"),
        ("echo 'kind: ConfigMap'", "prints what is no Kubernetes manifest"),
    ],
)
def test_istioctl_that_fails_is_no_problem_of_the_input(stand_in: StandIn, rendering: str, message: str) -> None:
    stand_in(rendering)

    with pytest.raises(EnvironmentFailure, match=message):
        generate(find(VERSION), [operator()])


def test_istioctl_that_hangs_is_ended(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meshgen.istioctl.RENDER", 0.3)
    stand_in("exec sleep 60")

    with pytest.raises(EnvironmentFailure, match=r"did not end in 0\.3 s"):
        generate(find(VERSION), [operator()])


def test_value_that_readers_take_differently_is_refused_with_its_place(stand_in: StandIn) -> None:
    stand_in("printf 'apiVersion: v1\\nkind: X\\nmetadata: {name: a}\\nspec: {number: 1e400}\\n'")

    found = refusal(find(VERSION), operator())

    assert "this number is too large" in found.message
    assert "/spec/number" in found.message


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Istioctl:
    """The real istioctl, a development build of 1.31."""
    folder = tmp_path / "real"
    folder.mkdir()
    (folder / "istioctl").symlink_to(tool("istioctl"))
    monkeypatch.setenv("PATH", str(folder))
    return find("1.31.0")


@pytest.mark.realtools
def test_real_istioctl_tells_that_it_is_a_development_build(real: Istioctl) -> None:
    assert (real.version, real.development) == ("1.31-dev", True)
    with pytest.raises(EnvironmentFailure, match=r"is 1\.31-dev, and the config asks for Istio 1\.30\.3"):
        find("1.30.3")


@pytest.mark.realtools
def test_every_profile_is_read_as_pyyaml_reads_it_and_kustomize_can_carry_it(real: Istioctl, tmp_path: Path) -> None:
    operators = [operator(profile=profile) for profile in PROFILES]
    results = generate(real, operators)

    for one, result in zip(operators, results, strict=True):
        file = tmp_path / "operator.json"
        file.write_text(json.dumps(one))
        printed = subprocess.run(
            [real.path, "manifest", "generate", "-f", str(file)], capture_output=True, check=True
        ).stdout
        expected = [document for document in yaml.load_all(printed, yaml.CSafeLoader) if document is not None]
        assert isinstance(result, Generated)
        assert list(result.objects) == expected
        assert len(expected) >= 20
        assert [problem for obj in result.objects for problem in refusals(obj)] == []


@pytest.mark.realtools
def test_empty_profile_renders_nothing(real: Istioctl) -> None:
    assert generated(real, operator(profile="empty")).objects == ()


@pytest.mark.realtools
def test_text_that_looks_like_something_else_comes_through(real: Istioctl) -> None:
    texts = ["on", "null", "1_000", "0o17", "017", "1:30", "12e03", ".inf", "2001-01-01", "<<", "a: b", "--- x\n---\ny"]
    env = [{"name": f"TEXT_{index}", "value": text} for index, text in enumerate(texts)]

    objects = generated(real, operator(profile="minimal", components={"pilot": {"k8s": {"env": env}}})).objects

    (istiod,) = (one for one in objects if one["kind"] == "Deployment")
    found = istiod["spec"]["template"]["spec"]["containers"][0]["env"]
    assert [one for one in found if one["name"].startswith("TEXT_")] == env


@pytest.mark.realtools
def test_real_order_is_the_same_each_time(real: Istioctl, tmp_path: Path) -> None:
    """Where gateways of two kinds have one name, istioctl's own order is random."""
    gateway = {"name": "gw", "enabled": True}
    components = {
        "ingressGateways": [gateway | {"namespace": "c"}],
        "egressGateways": [gateway | {"namespace": "a"}],
    }
    spec = operator(profile="minimal", components=components)

    orders = set()
    for run in range(6):
        (result,) = generate(real, [spec], cache_folder=tmp_path / str(run))
        assert isinstance(result, Generated)
        orders.add(json.dumps(result.objects))

    assert len(orders) == 1


@pytest.mark.realtools
def test_results_share_what_is_equal(real: Istioctl) -> None:
    first, second = generate(real, [operator(profile="minimal"), operator(profile="demo")])
    assert isinstance(first, Generated)
    assert isinstance(second, Generated)

    crds = [one for one in first.objects if one["kind"] == "CustomResourceDefinition"]

    assert crds
    assert all(any(one is other for other in second.objects) for one in crds)


@pytest.mark.realtools
@pytest.mark.parametrize(
    ("spec", "message", "at"),
    [
        ({"foo": 1}, 'could not unmarshal: json: unknown field "foo"', "/spec/foo"),
        (
            {"components": {"pilot": {"k8s": {"hpaSpec": {"minReplicas": "hunter2"}}}}},
            "could not unmarshal: json: cannot unmarshal string into Go struct field "
            "HorizontalPodAutoscalerSpec.spec.components.pilot.k8s.hpaSpec.minReplicas of type int32",
            "/spec/components/pilot/k8s/hpaSpec/minReplicas",
        ),
        (
            {"values": {"global": {"proxy": {"excludeIPRanges": "hunter2"}}}},
            "global.proxy.excludeIPRanges netip.ParsePrefix(\"…\"): no '/'",
            "/spec/values/global/proxy/excludeIPRanges",
        ),
    ],
)
def test_real_refusal_names_the_field_and_no_value(real: Istioctl, spec: dict[str, Any], message: str, at: str) -> None:
    assert refusal(real, operator(**spec)) == Refusal(message, at)
