"""Sides are read from Git's object store, from folders and from the working tree, and errors name their side."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshgen.diff.story import diff
from meshgen.errors import EnvironmentFailure, InputError
from meshgen.git import UnknownRevision, repository
from tests.diff.repositories import commit, fleet, git, one, run
from tests.objects import mesh, overlay, text_of, write_config
from tests.policy.ownrule import RULE

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"ports": [{"port": 80}]},
}


def test_without_argument_head_is_compared_with_the_working_tree(tmp_path: Path):
    config = fleet(tmp_path)
    commit(tmp_path)
    fleet(tmp_path, istio={"version": "1.11.3", "meshConfig": {"accessLogFile": "/dev/stdout"}})

    found = diff(None, config)

    assert (found.old, found.new) == ("HEAD", "working tree")
    assert one(found, "IstioOperator", "msa").where == "all 4 clusters"


def test_two_revisions_are_compared_and_the_working_tree_is_not_read(tmp_path: Path):
    config = fleet(tmp_path)
    commit(tmp_path, "v1")
    fleet(tmp_path, istio={"version": "1.11.3", "hub": "example.com/istio"})
    commit(tmp_path, "v2")
    config.write_text("not a config", encoding="utf-8")

    assert {field.path for field in one(diff("v1..v2", config), "IstioOperator", "msa").change.fields} == {"spec.hub"}
    assert diff("v1..", config).old == "v1"
    assert diff("v2..v2", config).is_empty


def test_three_dots_compare_with_what_both_stand_on(tmp_path: Path):
    config = fleet(tmp_path)
    base = commit(tmp_path)
    git(tmp_path, "switch", "--quiet", "--create", "change")
    fleet(tmp_path, istio={"version": "1.11.3", "hub": "example.com/istio"})
    commit(tmp_path)
    git(tmp_path, "switch", "--quiet", "main")
    fleet(tmp_path, istio={"version": "1.11.8"})
    commit(tmp_path)

    found = diff("main...change", config)

    assert found.old == base[:12]
    assert [field.path for field in one(found, "IstioOperator", "msa").change.fields] == ["spec.hub"]


def test_a_folder_is_compared_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("old", "new"):
        fleet(tmp_path / name, istio={"version": "1.11.3", "hub": f"example.com/{name}"})
    monkeypatch.setenv("PATH", "")

    found = diff(str(tmp_path / "old"), tmp_path / "new" / "meshgen.yaml")

    assert one(found, "IstioOperator", "msa").change.risk == "restart"


def test_a_config_in_a_folder_of_the_repository_is_found_with_its_sources(tmp_path: Path):
    folder = tmp_path / "deploy" / "mesh"
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "web.yaml").write_text(text_of(SERVICE), encoding="utf-8")
    config = write_config(folder, mesh(addons={"kiali": {"source": "../../shared"}}))
    commit(tmp_path)
    (tmp_path / "shared" / "web.yaml").write_text(
        text_of({**SERVICE, "spec": {"type": "NodePort", "ports": [{"port": 80}]}}), encoding="utf-8"
    )

    assert one(diff("HEAD", config), "Service", "web").change.risk == "exposure"


def test_the_output_tree_is_not_brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    config = fleet(tmp_path)
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "big.yaml").write_text("a: b\n", encoding="utf-8")
    commit(tmp_path)
    written: list[str] = []
    original = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", lambda path, data: written.append(path.name) or original(path, data))

    diff(None, config)

    assert sorted(written) == ["dev.yaml", "meshgen.yaml", "prod.yaml"]


def test_rules_of_ones_own_are_read_at_the_revision(tmp_path: Path):
    policy = {"severity": {"OWN-BALANCER": "info"}}
    config = fleet(tmp_path, addons={"kiali": {}}, expose={"kiali": {}}, policy=policy)
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "balancer.yaml").write_text(RULE, encoding="utf-8")
    commit(tmp_path)

    assert diff("HEAD..HEAD", config).is_empty
    (tmp_path / "policy" / "balancer.yaml").write_text(RULE.replace("object.spec", "objekt.spec"), encoding="utf-8")
    commit(tmp_path)
    with pytest.raises(InputError) as caught:
        diff("HEAD~1..HEAD", config)
    errors = [one for one in caught.value.findings if one.severity == "error"]
    assert [(one.rule, one.file) for one in errors if one.rule == "MG594"] == [("MG594", "HEAD:policy/balancer.yaml")]


def test_links_inside_of_the_repository_are_followed(tmp_path: Path):
    fleet(tmp_path / "real")
    folder = tmp_path / "mesh"
    folder.mkdir()
    (folder / "meshgen.yaml").symlink_to("../real/meshgen.yaml")
    (folder / "overlays").symlink_to("../real/overlays")
    commit(tmp_path)

    assert diff("HEAD", folder / "meshgen.yaml").total == 4


@pytest.mark.parametrize("target", ["/etc", "../../outside", "../.."])
def test_links_out_of_the_repository_are_refused(tmp_path: Path, target: str):
    config = write_config(tmp_path, mesh())
    (tmp_path / "overlays").rmdir()
    (tmp_path / "overlays").symlink_to(target)
    commit(tmp_path)

    with pytest.raises(InputError) as error:
        diff("HEAD..HEAD", config)

    assert error.value.findings[0].file == "HEAD:overlays"
    assert "outside of the repository" in error.value.findings[0].message


def test_a_submodule_is_refused(tmp_path: Path):
    config = write_config(tmp_path, mesh(addons={"kiali": {"source": "./inner"}}))
    (tmp_path / "inner").mkdir()
    commit(tmp_path / "inner")
    commit(tmp_path)
    (tmp_path / "inner" / "web.yaml").write_text(text_of(SERVICE), encoding="utf-8")

    with pytest.raises(InputError, match="1 problem") as error:
        diff("HEAD", config)

    assert "submodule" in error.value.findings[0].message


@pytest.mark.parametrize("revision", ["--output=x", "-x", "nothing", "HEAD~9", "a..b", "HEAD:meshgen.yaml", "é"])
def test_what_is_no_revision_is_refused(tmp_path: Path, revision: str):
    config = fleet(tmp_path)
    commit(tmp_path)

    with pytest.raises(InputError) as error:
        diff(revision, config)

    assert "is no revision here" in error.value.findings[0].message
    assert not (tmp_path / "x").exists()


def test_errors_of_both_sides_are_said_with_their_sides(tmp_path: Path):
    config = fleet(tmp_path / "mesh", istio={"version": "1.11.3", "nonsense": 1})
    commit(tmp_path)
    fleet(tmp_path / "mesh", istio={"version": "0.1.0"})

    with pytest.raises(InputError) as error:
        diff(None, config)

    assert {one.file for one in error.value.findings} == {"HEAD:mesh/meshgen.yaml", "meshgen.yaml"}
    assert all(one.line for one in error.value.findings)


def test_errors_of_an_overlay_and_a_source_name_their_file_at_the_revision(tmp_path: Path):
    folder = tmp_path / "mesh"
    config = write_config(folder, mesh(addons={"kiali": {"source": "../web.yaml"}}))
    (tmp_path / "web.yaml").write_text("kind: Nothing\n", encoding="utf-8")
    commit(tmp_path)

    with pytest.raises(InputError) as error:
        diff("HEAD..HEAD", config)

    assert {one.file for one in error.value.findings} == {"HEAD:web.yaml"}


def test_without_a_config_at_the_old_revision_everything_is_new(tmp_path: Path):
    commit(tmp_path)
    config = fleet(tmp_path)

    found = diff(None, config)

    assert [(one.action, one.name) for one in found.fleet] == [("added", "dev"), ("added", "prod")]
    assert found.notes == ("HEAD has no such config, so all of it is new",)


def test_without_a_config_at_the_new_revision_it_is_an_error(tmp_path: Path):
    commit(tmp_path, "v0")
    config = fleet(tmp_path)

    with pytest.raises(InputError) as error:
        diff("v0..v0", config)

    assert error.value.findings[0].file == "v0:meshgen.yaml"


def test_without_a_repository_or_git_it_is_the_environment_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    config = fleet(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    with pytest.raises(EnvironmentFailure, match="not a git repository"):
        diff(None, config)

    monkeypatch.setenv("PATH", "")
    with pytest.raises(EnvironmentFailure, match="git is not on the PATH") as error:
        diff(None, config)
    assert error.value.hint is not None


def test_what_is_a_folder_and_a_revision_is_asked_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    config = fleet(tmp_path)
    fleet(tmp_path / "v1")
    commit(tmp_path, "v1")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InputError) as error:
        diff("v1", config)

    assert error.value.findings[0].message == "v1 is both a folder and a revision"
    assert diff("./v1", config).is_empty
    assert diff("v1^0", config).is_empty


def test_no_program_that_a_config_names_is_run(tmp_path: Path):
    config = fleet(tmp_path)
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n", encoding="utf-8")
    trap.chmod(0o755)
    (tmp_path / ".gitattributes").write_text("* filter=trap diff=trap\n", encoding="utf-8")
    commit(tmp_path)
    for key in (
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "filter.trap.smudge",
        "diff.trap.textconv",
        "pager.ls-tree",
    ):
        git(tmp_path, "config", key, str(trap))

    assert diff(None, config).is_empty
    assert not (tmp_path / "sprung").exists()


def test_a_hooks_own_variables_do_not_lead_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    config = fleet(tmp_path)
    commit(tmp_path)
    monkeypatch.setenv("GIT_DIR", ".git/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "nowhere")

    assert diff(None, config).is_empty


def test_the_repository_is_left_as_it_is(tmp_path: Path):
    config = fleet(tmp_path)
    commit(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*"))}

    diff(None, config)

    assert {path: path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*"))} == before


def test_a_revision_never_reaches_git_as_an_option(tmp_path: Path):
    commit(tmp_path)

    for revision in ("--all", "-h", "", "a\0b"):
        with pytest.raises(UnknownRevision):
            repository(tmp_path).commit(revision)


def test_the_command_reports_a_missing_repository_and_says_what_to_do(tmp_path: Path):
    result = run("-c", fleet(tmp_path))

    assert isinstance(result.exception, EnvironmentFailure)
    assert "needs no Git" in (result.exception.hint or "")


def test_a_renamed_cluster_goes_and_comes_and_is_not_a_thousand_objects(tmp_path: Path):
    config = fleet(tmp_path)
    commit(tmp_path)
    write_config(tmp_path, mesh(), overlay("dev", clusters={"dev-0": {}, "other": {}}))

    found = diff(None, config)

    assert not found.groups
    assert {(one.action, one.name) for one in found.fleet} == {("removed", "dev-1"), ("added", "other")}


def test_a_deleted_overlay_is_one_change(tmp_path: Path):
    config = fleet(tmp_path)
    commit(tmp_path)
    (tmp_path / "overlays" / "prod.yaml").unlink()

    found = diff(None, config)

    assert [(one.kind, one.action, one.name, one.clusters) for one in found.fleet] == [
        ("environment", "removed", "prod", ("prod-0", "prod-1"))
    ]
    assert not found.groups
