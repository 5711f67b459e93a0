"""The commands beside render and validate."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

from meshgen import __version__
from meshgen.config.schema import schema
from tests.objects import Object, copy_example, files_of, mesh, meshgen, output_of, shown, write_config

PROFILES = ["default", "demo", "empty", "external", "minimal", "openshift", "preview", "remote"]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_example(tmp_path_factory.mktemp("example"))


def test_show_selects_by_cluster_stage_kind_and_name(example: Path):
    everything = shown(example)
    one = shown(example, "--cluster", "dev", "--stage", "addons", "service/kiali", "Deployment")

    assert {"cluster", "environment", "stage", "object"} == set(everything[0])
    assert {entry["cluster"] for entry in one} == {"dev"}
    named = {(entry["object"]["kind"], entry["object"]["metadata"]["name"]) for entry in one}
    assert named == {
        ("Service", "kiali"),
        *(("Deployment", name) for name in ("grafana", "jaeger", "kiali", "prometheus")),
    }


def test_show_is_a_stream_of_yaml(example: Path):
    stream = output_of("show", "--cluster", "prod-us", cwd=example)

    objects = list(yaml.safe_load_all(stream))
    assert len(objects) == len(shown(example, "--cluster", "prod-us"))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--cluster", "prod-k"], 'did you mean "prod-kr"?'),
        (["--stage", "addon"], 'did you mean "addons"?'),
        (["Servce"], 'did you mean "Service"?'),
    ],
)
def test_show_guesses_what_was_meant(example: Path, args: list[str], said: str):
    done = meshgen("show", *args, cwd=example)

    assert done.returncode == 1
    assert done.stdout == ""
    assert said in done.stderr


def test_images_names_every_image_once_those_of_istio_too(example: Path):
    images = output_of("images", cwd=example).splitlines()
    by_cluster = {
        entry["cluster"]: entry["images"] for entry in json.loads(output_of("images", "-o", "json", cwd=example))
    }

    assert images == sorted(set(images))
    assert {f"gcr.io/istio-release/{name}:1.11.3" for name in ("operator", "pilot", "proxyv2")} <= set(images)
    assert set(images) == {image for listed in by_cluster.values() for image in listed}
    jaeger = "docker.io/jaegertracing/all-in-one:1.23"
    assert jaeger in by_cluster["dev"]
    assert jaeger not in by_cluster["prod-us"]


def test_images_names_those_of_volumes(tmp_path: Path):
    write_config(tmp_path, mesh(istio={"version": "1.30.3"}, resources={"models": {"path": "./models.yaml"}}))
    volume = {"name": "model", "image": {"reference": "r.example.com/model:1"}}
    pod = {"containers": [{"name": "a", "image": "r.example.com/a:1"}], "volumes": [volume]}
    one = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "a"}, "spec": pod}
    (tmp_path / "models.yaml").write_text(json.dumps(one))

    images = output_of("images", cwd=tmp_path).splitlines()

    assert {"r.example.com/a:1", "r.example.com/model:1"} <= set(images)


def test_profile_list_prints_what_istioctl_printed(tmp_path: Path):
    printed = output_of("profile", "list", cwd=tmp_path)

    assert printed == "Istio configuration profiles:\n" + "".join(f"    {name}\n" for name in PROFILES)


@pytest.mark.upstream
@pytest.mark.parametrize("name", PROFILES)
def test_profile_dump_prints_what_istioctl_printed(cases: Path, tmp_path: Path, name: str):
    printed = yaml.safe_load(output_of("profile", "dump", name, cwd=tmp_path))

    dumped = cases / f"istio-1.11.3/istioctl-output/profile-dump-{name}.yaml"
    assert printed == yaml.safe_load(dumped.read_text())


def test_profile_list_knows_the_profiles_of_each_version(tmp_path: Path):
    listed = {
        version: json.loads(output_of("profile", "list", "--istio-version", version, "-o", "json", cwd=tmp_path))
        for version in ("1.15.0", "1.23.6")
    }

    assert listed["1.15.0"] == [name for name in PROFILES if name != "remote"]
    assert set(listed["1.23.6"]) - set(PROFILES) == {"ambient", "openshift-ambient", "stable"}


@pytest.mark.parametrize(("version", "name"), [("1.12.1", "openshift"), ("1.18.2", "demo"), ("1.23.6", "ambient")])
def test_a_dump_is_imported_as_its_profile(tmp_path: Path, version: str, name: str):
    dumped = output_of("profile", "dump", name, "--istio-version", version, cwd=tmp_path)

    done = meshgen("import", "-", "--dry-run", cwd=tmp_path, input=dumped)

    assert yaml.safe_load(done.stdout)["istio"] == {"version": version, "profile": name}
    assert "MG806" in done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["list", "--istio-version", "1.24.0"], "`istio.profile` of 1.24 takes ambient, default, demo,"),
        (["dump", "--istio-version", "1.30.3", "demo"], "istioctl prints those of 1.23 and older only"),
        (["list", "--istio-version", "1.10.0"], "meshgen holds those of 1.11 to 1.23"),
        (["dump", "ambient"], "One of default, demo, empty,"),
        (["dump", "--istio-version", "x"], "say major, minor and patch"),
    ],
)
def test_profiles_that_are_not_there_are_refused(tmp_path: Path, args: list[str], said: str):
    done = meshgen("profile", *args, cwd=tmp_path)

    assert done.returncode == 1
    assert "hint: " in done.stderr
    assert said in done.stderr


def keys_of(node: Object, above: str = "") -> list[str]:
    found = []
    for name, child in node.get("properties", {}).items():
        found += [f"{above}{name}", *keys_of(child, f"{above}{name}.")]
    return found


def test_explain_knows_every_key_of_the_schema(tmp_path: Path):
    keys = keys_of(schema()["definitions"]["mesh"])

    assert len(keys) > 60
    for key in keys:
        assert key in output_of("explain", key, cwd=tmp_path)


def test_explain_says_type_values_default_and_example(tmp_path: Path):
    said = output_of("explain", "expose.kiali.type", cwd=tmp_path)

    assert "ClusterIP, NodePort, LoadBalancer" in said
    assert 'default: "LoadBalancer"' in said


def test_explain_guesses_what_was_meant(tmp_path: Path):
    done = meshgen("explain", "expose.kiali.typ", cwd=tmp_path)

    assert done.returncode == 1
    assert 'did you mean "type"?' in done.stderr


@pytest.mark.parametrize("name", ["config", "render", "validate"])
def test_schemas_are_draft_07(tmp_path: Path, name: str):
    printed = json.loads(output_of("schema", name, cwd=tmp_path))

    jsonschema.Draft7Validator.check_schema(printed)
    assert printed["$schema"] == "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize(("shell", "word"), [("bash", "complete "), ("zsh", "compdef"), ("fish", "complete ")])
def test_completion_of_each_shell(tmp_path: Path, shell: str, word: str):
    done = meshgen("completion", shell, cwd=tmp_path)

    assert done.returncode == 0
    assert word in done.stdout
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=done.stdout, text=True, check=True)


def test_init_writes_a_config_that_renders_and_never_overwrites(tmp_path: Path):
    first = meshgen("init", cwd=tmp_path)
    written = files_of(tmp_path)
    again = meshgen("init", "--example", "msa", cwd=tmp_path)

    assert (first.returncode, again.returncode) == (0, 1)
    assert files_of(tmp_path) == written
    assert meshgen("render", cwd=tmp_path).returncode == 0


def test_init_of_the_example_is_the_projects_own(tmp_path: Path, project: Path):
    assert meshgen("init", "--example", "msa", cwd=tmp_path).returncode == 0

    for name in ("meshgen.yaml", "overlays/dev.yaml"):
        assert (tmp_path / name).read_bytes() == (project / name).read_bytes()
    assert sorted(files_of(tmp_path)) == ["meshgen.yaml", "overlays/dev.yaml"]


def test_an_unknown_command_is_a_usage_error_with_a_guess(tmp_path: Path):
    done = meshgen("rendr", cwd=tmp_path)

    assert done.returncode == 2
    assert "Did you mean 'render'?" in done.stderr


def test_a_missing_config_says_how_to_begin(tmp_path: Path):
    done = meshgen("render", cwd=tmp_path)

    assert done.returncode == 1
    assert "meshgen init" in done.stderr


def test_version_is_the_packages(tmp_path: Path):
    assert meshgen("--version", cwd=tmp_path).stdout == f"meshgen {__version__}\n"


def test_findings_of_show_go_to_stderr(tmp_path: Path):
    write_config(tmp_path, mesh(addons={"kiali": {}}, expose={"kiali": {}}))

    done = meshgen("show", "Service/kiali", cwd=tmp_path)

    assert "MG501" in done.stderr
    assert yaml.safe_load(done.stdout)["metadata"]["name"] == "kiali"
