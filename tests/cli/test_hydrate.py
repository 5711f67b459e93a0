"""`meshgen render --hydrate`: plain objects in the tree, in a folder or on a branch, and who may write there."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from meshgen.cli.hydration import HYDRATED
from meshgen.hydrate import hydrated
from meshgen.layout.identity import identity
from meshgen.render import build_mesh
from tests.commit.repositories import call, files_at, hook, new, open_kiali, state
from tests.configs import Config, configs
from tests.diff.repositories import git
from tests.layout.kustomize import exactly
from tests.objects import (
    Object,
    assert_same,
    build_all,
    copy_example,
    files_of,
    mesh,
    meshgen,
    overlay,
    read_yaml,
    render,
    write_config,
)
from tests.test_invariant import write

_CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
KIALI = "dev-0/addons/service-kiali.yaml"


def objects_of(files: dict[str, bytes], cluster: str, stage: str) -> list[Object]:
    """The objects of a stage in files of either kind."""
    inside = [path for path in files if path.startswith(f"{cluster}/{stage}/") or path == f"{cluster}/{stage}.yaml"]
    return [obj for path in inside for obj in read_yaml(files[path].decode())]


def stages_of(files: dict[str, bytes]) -> set[tuple[str, str]]:
    return {(path.split("/")[0], path.split("/")[1].removesuffix(".yaml")) for path in files}


# What is written is what kubectl builds


@pytest.mark.parametrize("per", ["object", "stage"])
def test_a_branch_holds_what_kubectl_builds_of_each_stage(tmp_path: Path, kubectl: Path, per: str):
    copy_example(tmp_path)
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    tree = render(tmp_path)

    assert call(tmp_path, "render", "--branch", "plain", "--per", per).status == 0

    git(tmp_path, "worktree", "add", "--quiet", str(tmp_path / "out"), "plain")
    (tmp_path / "out" / ".git").unlink()
    files = files_of(tmp_path / "out")
    built = build_all(kubectl, tree.directories())
    wanted = {(cluster, stage): path for cluster in tree.clusters for stage, path in tree.stages(cluster).items()}
    assert stages_of(files) == wanted.keys()
    for (cluster, stage), path in wanted.items():
        assert_same(built[path], objects_of(files, cluster, stage), f"{cluster}/{stage}")


@settings(max_examples=15, deadline=None, suppress_health_check=_CHECKS, print_blob=True)
@given(configs())
def test_hydrated_objects_are_what_kubectl_builds(kubectl: Path, config: Config):
    holds(kubectl, config)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=_CHECKS, print_blob=True)
@given(configs())
def test_hydrated_objects_are_what_kubectl_builds_for_hundreds_of_configs(kubectl: Path, config: Config):
    holds(kubectl, config)


def holds(kubectl: Path, config: Config) -> None:
    with TemporaryDirectory() as folder:
        path = write(Path(folder), config)
        tree = render(Path(folder))
        built = build_all(kubectl, tree.directories())
        mesh_built = build_mesh(path)
        by_object, by_stage = hydrated(mesh_built), hydrated(mesh_built, "stage")

        for cluster in tree.clusters:
            for stage, directory in tree.stages(cluster).items():
                assert_same(built[directory], objects_of(by_object, cluster, stage), f"{cluster}/{stage}")
                assert_same(built[directory], objects_of(by_stage, cluster, stage), f"{cluster}/{stage}")
        assert stages_of(by_object) == {(one, stage) for one in tree.clusters for stage in tree.stages(one)}
        assert len({name.casefold() for name in by_object}) == len(by_object)


def test_names_are_safe_and_one_for_each_object_where_case_is_folded(tmp_path: Path):
    roles = [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
        }
        for name in ("Reader", "reader", "READER", "a:b", "a_b", "system:controller x")
    ]
    accounts = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "x", "namespace": one}}
        for one in ("a", "b")
    ]
    (tmp_path / "own.yaml").write_text("\n---\n".join(json.dumps(one) for one in (*roles, *accounts)))
    path = write_config(tmp_path, mesh(resources={"own": {"path": "./own.yaml"}}))

    files = hydrated(build_mesh(path))

    own = {name: read_yaml(text.decode()) for name, text in files.items() if name.startswith("msa/resources/")}
    assert len({name.casefold() for name in own}) == len(own) == len(roles) + len(accounts)
    assert all(set(Path(name).name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-_") for name in own)
    found = {identity(objects[0]): objects for objects in own.values()}
    for one in (*roles, *accounts):
        assert exactly(found[identity(one)], [one])


def test_istioctls_input_is_applied_by_nobody_and_has_no_file(tmp_path: Path):
    path = write_config(tmp_path, mesh(istio={"version": "1.30.2"}, delivery={"flux": {"url": "https://x.example/r"}}))

    kinds = {obj["kind"] for text in hydrated(build_mesh(path)).values() for obj in read_yaml(text.decode())}

    assert "HelmRelease" in kinds
    assert "IstioOperator" not in kinds


# In the tree


def test_plain_objects_stand_in_the_tree_by_the_same_list(tmp_path: Path):
    new(tmp_path)

    assert call(tmp_path, "render", "--hydrate").status == 0

    listed = json.loads((tmp_path / "output" / ".meshgen" / "lock.json").read_text())["files"]
    assert f"hydrated/{KIALI}" in listed
    assert call(tmp_path, "render", "--hydrate", "--check").status == 0
    assert call(tmp_path, "render", "--hydrate", "--per", "stage", "--check").status == 1
    assert not (tmp_path / "output" / "hydrated" / ".meshgen").exists()


def test_without_the_option_they_leave_the_tree_and_it_is_said(tmp_path: Path):
    new(tmp_path)
    call(tmp_path, "render", "--hydrate")

    would = call(tmp_path, "render", "--check")
    there = (tmp_path / "output" / "hydrated").exists()
    done = call(tmp_path, "render")

    assert (would.status, there) == (1, True)
    assert "would be deleted, for --hydrate was not said" in would.stderr
    assert "were deleted, for --hydrate was not said" in done.stderr
    assert not (tmp_path / "output" / "hydrated").exists()


def test_an_edited_object_is_refused_until_overwrite_insists(tmp_path: Path):
    new(tmp_path)
    call(tmp_path, "render", "--hydrate")
    (tmp_path / "output" / "hydrated" / KIALI).write_text("mine")

    said = call(tmp_path, "render", "--hydrate")

    assert said.status == 1
    assert f"output/hydrated/{KIALI}: error MG602" in said.error
    assert call(tmp_path, "render", "--hydrate", "--overwrite").status == 0


# In another folder


def test_a_folder_has_a_list_of_its_own_and_files_of_others_stay(tmp_path: Path):
    new(tmp_path)
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "CODEOWNERS").write_text("mine")
    tree = call(tmp_path, "render", "-o", "json").json

    said = call(tmp_path, "render", "--hydrate-to", "plain", "-o", "json").json

    jsonschema.validate(said["hydrated"], HYDRATED)
    assert said["hydrated"]["output"] == "plain"
    assert said["hydrated"]["written"] == len(files_of(tmp_path / "plain")) - 2
    assert (said["written"], said["unchanged"]) == (0, tree["written"])
    assert not (tmp_path / "output" / "hydrated").exists()
    assert (tmp_path / "plain" / "CODEOWNERS").read_text() == "mine"
    assert call(tmp_path, "render", "--hydrate-to", "plain", "--check").status == 0


def test_what_is_in_the_way_in_a_folder_stops_the_tree_as_well(tmp_path: Path):
    new(tmp_path)
    (tmp_path / "plain" / "dev-0" / "addons").mkdir(parents=True)
    (tmp_path / "plain" / KIALI).write_text("mine")

    said = call(tmp_path, "render", "--hydrate-to", "plain")

    assert said.status == 1
    assert f"plain/{KIALI}: error MG601" in said.error
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize("folder", ["output", "output/plain", ".", "overlays/plain"])
def test_a_folder_that_is_read_or_written_otherwise_is_a_usage_error(tmp_path: Path, folder: str):
    write_config(tmp_path, mesh())

    done = meshgen("render", "--hydrate-to", folder, cwd=tmp_path)

    assert done.returncode == 2
    assert not (tmp_path / "output").exists()


def test_a_folder_and_a_branch_are_two_places(tmp_path: Path):
    write_config(tmp_path, mesh())

    assert meshgen("render", "--hydrate-to", "plain", "--branch", "plain", cwd=tmp_path).returncode == 2


# On a branch


def test_a_branch_holds_plain_objects_alone_and_the_work_tree_is_not_touched(tmp_path: Path):
    new(tmp_path)
    call(tmp_path, "render")
    (tmp_path / "half.txt").write_text("half")
    git(tmp_path, "add", "half.txt")
    before = state(tmp_path)

    said = call(tmp_path, "render", "--branch", "plain", "-o", "json").json

    assert state(tmp_path)[1:] == before[1:]
    jsonschema.validate(said["hydrated"], HYDRATED)
    assert said["hydrated"]["commit"] == git(tmp_path, "rev-parse", "plain")
    assert {path.split("/")[0] for path in files_at(tmp_path, "plain")} == {"dev-0", "prod-0"}
    assert git(tmp_path, "rev-list", "--count", "plain") == "1"
    assert git(tmp_path, "log", "-1", "--format=%an %s", "plain") == "A Reader Hydrate msa"
    git(tmp_path, "fsck", "--strict")


def test_a_branch_gets_a_commit_where_something_changed_and_none_besides(tmp_path: Path):
    new(tmp_path)
    call(tmp_path, "render", "--branch", "plain")
    first = git(tmp_path, "rev-parse", "plain")

    assert call(tmp_path, "render", "--branch", "plain").status == 0
    assert git(tmp_path, "rev-parse", "plain") == first
    open_kiali(tmp_path)
    (tmp_path / "overlays" / "prod.yaml").unlink()
    call(tmp_path, "render", "--branch", "plain")

    assert git(tmp_path, "rev-parse", "plain^") == first
    assert "type: LoadBalancer" in git(tmp_path, "show", f"plain:{KIALI}")
    assert not [path for path in files_at(tmp_path, "plain") if path.startswith("prod")]


@pytest.mark.parametrize("option", ["--check", "--dry-run"])
def test_looking_writes_nothing_into_the_repository(tmp_path: Path, option: str):
    new(tmp_path)
    before = (state(tmp_path), files_of(tmp_path / ".git"))

    said = call(tmp_path, "render", "--branch", "plain", option)

    assert said.status == (1 if option == "--check" else 0)
    assert f"+ branch plain:{KIALI}" in said.stdout
    assert (state(tmp_path), files_of(tmp_path / ".git")) == before


def test_a_branch_that_is_checked_out_is_refused(tmp_path: Path):
    new(tmp_path)
    before = state(tmp_path)

    said = call(tmp_path, "render", "--branch", "main", "--overwrite")

    assert said.status == 1
    assert f"branch main is checked out in {tmp_path}" in said.error
    assert state(tmp_path) == before


def test_a_branch_of_somebody_else_is_refused_until_overwrite_insists(tmp_path: Path):
    new(tmp_path)
    git(tmp_path, "branch", "plain")
    before = state(tmp_path)

    said = call(tmp_path, "render", "--branch", "plain")

    assert said.status == 1
    assert "its newest commit" in said.error
    assert "is not meshgen's" in said.error
    assert state(tmp_path) == before
    assert call(tmp_path, "render", "--branch", "plain", "--overwrite").status == 0
    assert git(tmp_path, "rev-parse", "plain^") == git(tmp_path, "rev-parse", "main")
    assert "meshgen.yaml" not in files_at(tmp_path, "plain")


def test_a_commit_by_hand_on_the_branch_is_seen(tmp_path: Path):
    new(tmp_path)
    call(tmp_path, "render", "--branch", "plain")
    git(tmp_path, "worktree", "add", "--quiet", str(tmp_path / "out"), "plain")
    (tmp_path / "out" / KIALI).write_text("mine")
    git(tmp_path / "out", "commit", "--quiet", "--all", "--message", "By hand")
    git(tmp_path, "worktree", "remove", str(tmp_path / "out"))

    assert "is not meshgen's" in call(tmp_path, "render", "--branch", "plain").error


def test_the_branch_of_another_mesh_is_refused(tmp_path: Path):
    new(tmp_path)
    call(tmp_path, "render", "--branch", "plain")
    config = tmp_path / "meshgen.yaml"
    config.write_text(config.read_text().replace('"msa"', '"shop"'))

    assert "is not meshgen's, for mesh shop" in call(tmp_path, "render", "--branch", "plain").error


def test_a_branch_that_moves_meanwhile_is_left_alone(tmp_path: Path):
    new(tmp_path / "mesh")
    # What signs has the time to move the branch.
    signed = "echo signed\nprintf '\\n[GNUPG:] SIG_CREATED \\n' >&2\n"
    moves = f"#!/bin/sh\ncat > /dev/null\ngit update-ref refs/heads/plain HEAD\n{signed}"
    (tmp_path / "gpg").write_text(moves)
    (tmp_path / "gpg").chmod(0o755)
    git(tmp_path / "mesh", "config", "commit.gpgSign", "true")
    git(tmp_path / "mesh", "config", "gpg.program", str(tmp_path / "gpg"))

    said = call(tmp_path / "mesh", "render", "--branch", "plain")

    assert said.status == 3
    assert "branch plain was left as it is" in said.error
    assert "run it again" in said.error
    assert git(tmp_path / "mesh", "rev-parse", "plain") == git(tmp_path / "mesh", "rev-parse", "main")


def test_a_hook_may_refuse_the_branch(tmp_path: Path):
    new(tmp_path)
    hook(tmp_path, "reference-transaction", "test $1 = prepared && exit 1; exit 0")

    said = call(tmp_path, "render", "--branch", "plain")

    assert said.status == 3
    assert "branch plain was left as it is: ref updates aborted by hook" in said.error
    assert git(tmp_path, "branch", "--list", "plain") == ""


def test_a_branch_is_signed_where_the_user_signs(tmp_path: Path):
    new(tmp_path / "mesh")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    for name, value in (("commit.gpgSign", "true"), ("gpg.format", "ssh"), ("user.signingKey", str(tmp_path / "key"))):
        git(tmp_path / "mesh", "config", name, value)

    assert call(tmp_path / "mesh", "render", "--branch", "plain").status == 0
    assert "gpgsig" in git(tmp_path / "mesh", "cat-file", "commit", "plain")
    git(tmp_path / "mesh", "config", "user.signingKey", str(tmp_path / "none"))
    open_kiali(tmp_path / "mesh")
    said = call(tmp_path / "mesh", "render", "--branch", "plain")
    assert said.status == 3
    assert "cannot be signed" in said.error


def test_without_a_repository_a_folder_is_proposed(tmp_path: Path):
    write_config(tmp_path, mesh())

    said = call(tmp_path, "render", "--branch", "plain", GIT_CEILING_DIRECTORIES=str(tmp_path.parent))

    assert said.status == 3
    assert "--hydrate-to DIR" in said.error
    assert not (tmp_path / "output").exists()


def test_a_repository_with_sha256_is_written_too(tmp_path: Path):
    write_config(tmp_path, mesh(), overlay("dev", clusters={"dev-0": {}}))
    git(tmp_path, "init", "--quiet", "--object-format=sha256")

    assert call(tmp_path, "render", "--branch", "plain").status == 0
    assert call(tmp_path, "render", "--branch", "plain", "--check").status == 0
    git(tmp_path, "fsck", "--strict")


def test_a_linked_work_tree_writes_the_branch_of_the_repository(tmp_path: Path):
    new(tmp_path / "mesh")
    git(tmp_path / "mesh", "worktree", "add", "--quiet", "-b", "linked", str(tmp_path / "linked"))

    assert call(tmp_path / "linked", "render", "--branch", "plain").status == 0
    assert KIALI in files_at(tmp_path / "mesh", "plain")
    shutil.rmtree(tmp_path / "linked")
