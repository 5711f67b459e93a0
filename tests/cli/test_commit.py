"""`meshgen commit`: what is in the commit, what its message says, and what it prints."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from meshgen.cli.commit import command
from meshgen.commit.report import FORMAT
from tests.commit.repositories import call, changed_by, files_at, hook, new, open_kiali, rendered, state, subject
from tests.diff.repositories import git, run
from tests.objects import files_of, mesh, overlay, write_config

TREE = "output/environments/dev/addons/service-kiali.patch.yaml"


def test_a_commit_holds_the_tree_and_the_config_and_nothing_else(tmp_path: Path):
    new(tmp_path)
    open_kiali(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "overlays" / "README.md").write_text("mine")

    said = call(tmp_path, "commit")

    assert said.status == 0, said.error
    changed = changed_by(tmp_path)
    assert changed == {"meshgen.yaml", *(f"output/{path}" for path in files_of(tmp_path / "output"))}
    assert git(tmp_path, "status", "--porcelain") == "?? notes.txt\n?? overlays/README.md"


def test_a_commit_is_what_render_writes(tmp_path: Path):
    rendered(tmp_path)
    open_kiali(tmp_path)
    call(tmp_path, "commit")

    assert call(tmp_path, "render", "--check").status == 0
    assert files_at(tmp_path, "HEAD") >= {f"output/{path}" for path in files_of(tmp_path / "output")}


def test_nothing_to_commit_is_no_error_and_no_commit(tmp_path: Path):
    rendered(tmp_path)
    before = state(tmp_path)

    said = call(tmp_path, "commit")

    assert (said.status, said.stdout) == (0, "main: nothing to commit\n")
    assert state(tmp_path) == before


def test_a_tree_that_was_rendered_before_is_committed_with_what_left_it(tmp_path: Path):
    rendered(tmp_path)
    (tmp_path / "overlays" / "prod.yaml").unlink()
    assert call(tmp_path, "render").status == 0

    call(tmp_path, "commit")

    left = files_at(tmp_path, "HEAD")
    assert "overlays/prod.yaml" not in left
    assert not [path for path in left if "/prod" in path]
    assert git(tmp_path, "status", "--porcelain") == ""


def test_manifests_that_the_config_names_are_committed_and_others_are_not(tmp_path: Path):
    new(tmp_path)
    (tmp_path / "manifests" / "deep").mkdir(parents=True)
    account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: %s, namespace: shop}\n"
    (tmp_path / "manifests" / "a.yaml").write_text(account % "a")
    (tmp_path / "manifests" / "deep" / "b.yml").write_text(account % "b")
    (tmp_path / "manifests" / "notes.txt").write_text("mine")
    (tmp_path / "elsewhere.yaml").write_text(account % "c")
    write_config(tmp_path, mesh(resources={"shop": {"path": "./manifests"}}), overlay("dev", clusters={"dev-0": {}}))
    (tmp_path / "overlays" / "prod.yaml").unlink()

    said = call(tmp_path, "commit")

    assert said.status == 0, said.error
    changed = {path for path in changed_by(tmp_path) if not path.startswith("output/")}
    assert changed == {
        "meshgen.yaml",
        "overlays/prod.yaml",
        "manifests/a.yaml",
        "manifests/deep/b.yml",
    }


def test_files_of_others_in_the_tree_stay_out(tmp_path: Path):
    rendered(tmp_path)
    (tmp_path / "output" / "notes.txt").write_text("mine")
    git(tmp_path, "add", "output/notes.txt")
    git(tmp_path, "commit", "--quiet", "--message", "Notes")
    (tmp_path / "output" / "notes.txt").write_text("half finished")
    open_kiali(tmp_path)

    call(tmp_path, "commit")

    assert "output/notes.txt" not in changed_by(tmp_path)
    assert git(tmp_path, "status", "--porcelain") == "M output/notes.txt"


def test_what_the_user_staged_of_the_config_is_no_hindrance_on_another_branch_and_stays_staged(tmp_path: Path):
    rendered(tmp_path)
    config = tmp_path / "meshgen.yaml"
    config.write_text(config.read_text() + "\n# one\n")
    git(tmp_path, "add", "meshgen.yaml")
    config.write_text(config.read_text() + "# two\n")

    said = call(tmp_path, "commit", "--branch", "beside")

    assert said.status == 0, said.error
    assert "# two" in git(tmp_path, "show", "beside:meshgen.yaml")
    assert "# two" not in git(tmp_path, "show", ":meshgen.yaml")
    assert git(tmp_path, "status", "--porcelain") == "MM meshgen.yaml"


def test_a_config_in_a_folder_of_a_repository_is_committed_there(tmp_path: Path):
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    (tmp_path / "mesh").mkdir()
    write_config(tmp_path / "mesh", mesh())

    said = call(tmp_path / "mesh", "commit")

    assert said.status == 0, said.error
    assert {"mesh/meshgen.yaml", "mesh/output/README.md"} <= files_at(tmp_path, "HEAD")


def test_names_that_git_would_read_as_patterns_are_names(tmp_path: Path):
    folder = tmp_path / "a*[b] ü"
    new(folder)
    (tmp_path / "a*[b] ü" / ":x.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n")
    write_config(folder, mesh(resources={"x": {"path": "./:x.yaml"}}))

    said = call(folder, "commit")

    assert said.status == 0, said.error
    assert ":x.yaml" in git(folder, "ls-tree", "-r", "--name-only", "-z", "HEAD")


# The message


def test_the_message_says_what_changes_where_and_the_riskiest_first(tmp_path: Path):
    rendered(tmp_path)
    fleet_keys = {"addons": {"kiali": {}}, "expose": {"kiali": {}}}
    write_config(
        tmp_path,
        mesh(istio={"version": "1.11.3", "meshConfig": {"accessLogFile": "/dev/stdout"}}, **fleet_keys),
        overlay("dev", clusters={"dev-0": {}}),
        overlay("prod", clusters={"prod-0": {}}),
    )

    call(tmp_path, "commit")

    assert subject(tmp_path) == "msa: change Service istio-system/kiali (exposure) and 1 more"
    body = git(tmp_path, "log", "-1", "--format=%b")
    assert body.startswith("In 2 clusters: 1 exposure, 1 traffic\n")
    assert body.index("exposure:") < body.index("traffic:")
    assert "- changed Service istio-system/kiali (addons), all 2 clusters\n" in body
    assert "  + spec.type: LoadBalancer" in body


def test_a_subject_is_never_longer_than_72_characters(tmp_path: Path):
    new(tmp_path)
    long = "cluster-" + "x" * 30
    write_config(tmp_path, mesh(), overlay("dev", clusters={"dev-0": {}}))
    call(tmp_path, "commit")
    for number in range(3):
        clusters = {f"{long}-{n}": {} for n in range(number + 1)}
        write_config(tmp_path, mesh(), overlay("dev", clusters={"dev-0": {}, **clusters}))
        call(tmp_path, "commit")

        assert len(subject(tmp_path)) <= 72
        assert subject(tmp_path).startswith("msa: add cluster")


def test_a_first_tree_is_said_as_such(tmp_path: Path):
    new(tmp_path)

    call(tmp_path, "commit")

    assert subject(tmp_path) == "Render msa for 2 clusters"


def test_a_text_of_the_users_takes_the_place_of_the_subject(tmp_path: Path):
    rendered(tmp_path)
    open_kiali(tmp_path)

    call(tmp_path, "commit", "-m", "Show the graph to everyone\n\n# Ticket: 17")

    message = git(tmp_path, "log", "-1", "--format=%B")
    assert message.startswith("Show the graph to everyone\n\n# Ticket: 17\n\nIn 2 clusters: 1 exposure")


def test_an_empty_text_is_a_usage_error(tmp_path: Path):
    rendered(tmp_path)

    with pytest.raises(Exception, match="The message is empty"):
        command.main(["-m", "  "], standalone_mode=False)


def test_no_secret_is_in_the_message(tmp_path: Path):
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop"}}
    new(tmp_path)

    def write(word: str) -> None:
        text = {**secret, "stringData": {"password": word}}
        write_config(tmp_path, mesh(resources={"s": {"path": "./s.yaml"}}))
        (tmp_path / "s.yaml").write_text(str(text))

    write("first-of-all")
    assert call(tmp_path, "commit").status == 0
    write("hunter2-hunter2")
    said = call(tmp_path, "commit")

    message = git(tmp_path, "log", "-1", "--format=%B")
    assert "Secret shop/s" in message
    assert "hunter2" not in message + said.stdout
    assert "first-of-all" not in message + said.stdout


def test_a_config_of_the_last_commit_that_is_refused_does_not_hinder_its_repair(tmp_path: Path):
    rendered(tmp_path)
    good = (tmp_path / "meshgen.yaml").read_text()
    (tmp_path / "meshgen.yaml").write_text("nonsense: true\n")
    git(tmp_path, "commit", "--quiet", "--all", "--message", "A mistake")
    (tmp_path / "meshgen.yaml").write_text(good)

    said = call(tmp_path, "commit")

    assert said.status == 0, said.error
    assert "the config of the last commit has errors" in said.stderr
    assert changed_by(tmp_path) == {"meshgen.yaml"}


# What is refused before anything is written


def test_errors_of_the_config_are_said_as_validate_says_them_and_nothing_is_written(tmp_path: Path):
    rendered(tmp_path)
    write_config(tmp_path, mesh(expose={"kialii": {}}, addons={"kiali": {}}))
    before = state(tmp_path)

    said = call(tmp_path, "commit")

    assert said.status == 1
    assert "error MG" in said.error
    assert "did you mean" in said.error
    assert state(tmp_path) == before


def test_an_edited_file_of_the_tree_is_refused_until_overwrite_insists(tmp_path: Path):
    rendered(tmp_path)
    open_kiali(tmp_path)
    call(tmp_path, "commit")
    (tmp_path / TREE).write_text("mine")
    before = state(tmp_path)

    said = call(tmp_path, "commit")

    assert said.status == 1
    assert f"{TREE}: error MG602" in said.error
    assert state(tmp_path) == before
    assert call(tmp_path, "commit", "--overwrite").stdout == "main: nothing to commit\n"
    assert "LoadBalancer" in (tmp_path / TREE).read_text()


def test_other_changes_that_are_staged_are_never_swept_in(tmp_path: Path):
    rendered(tmp_path)
    open_kiali(tmp_path)
    (tmp_path / "half.txt").write_text("half")
    git(tmp_path, "add", "half.txt")
    before = state(tmp_path)

    said = call(tmp_path, "commit")

    assert said.status == 1
    assert "other changes are staged: half.txt; nothing was written" in said.error
    assert "git restore --staged" in said.error
    assert state(tmp_path) == before


def test_a_tree_that_git_ignores_is_refused(tmp_path: Path):
    new(tmp_path)
    (tmp_path / ".gitignore").write_text("*.json\n")

    said = call(tmp_path, "commit")

    assert said.status == 1
    assert "output/.meshgen/lock.json: Git ignores it" in said.error
    assert "git check-ignore -v output/.meshgen/lock.json" in said.error


def test_a_source_that_git_ignores_is_noted(tmp_path: Path):
    new(tmp_path)
    (tmp_path / ".gitignore").write_text("/s.yaml\n")
    (tmp_path / "s.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: s}\n")
    write_config(tmp_path, mesh(resources={"s": {"path": "./s.yaml"}}))

    said = call(tmp_path, "commit")

    assert "s.yaml is read by the config and ignored by Git" in said.stderr
    assert "s.yaml" not in files_at(tmp_path, "HEAD")


def test_a_source_outside_of_the_repository_is_noted(tmp_path: Path):
    (tmp_path / "s.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: s}\n")
    folder = new(tmp_path / "mesh")
    write_config(folder, mesh(resources={"s": {"path": "../s.yaml"}}))

    said = call(folder, "commit")

    assert said.status == 0, said.error
    assert "s.yaml is read by the config and lies outside of the repository" in said.stderr


# Looking first, and for programs


def test_a_dry_run_says_what_would_be_committed_and_touches_nothing(tmp_path: Path):
    rendered(tmp_path)
    open_kiali(tmp_path)
    before = (state(tmp_path), files_of(tmp_path / ".git"))

    would = call(tmp_path, "commit", "--dry-run", "-o", "json").json

    assert (state(tmp_path), files_of(tmp_path / ".git")) == before
    done = call(tmp_path, "commit", "-o", "json").json
    assert would["commit"] is None
    assert (would["message"], would["files"]) == (done["message"], done["files"])
    assert {one["path"] for one in done["files"]} == changed_by(tmp_path)


def test_a_dry_run_refuses_what_a_commit_would(tmp_path: Path):
    rendered(tmp_path)
    (tmp_path / "half.txt").write_text("half")
    git(tmp_path, "add", "half.txt")

    assert call(tmp_path, "commit", "--dry-run").status == 1


def test_json_is_what_the_schema_says(tmp_path: Path):
    new(tmp_path)

    first = call(tmp_path, "commit", "-o", "json").json
    nothing = call(tmp_path, "commit", "-o", "json").json
    open_kiali(tmp_path)
    hook(tmp_path, "pre-commit", "echo no; exit 1")
    refused = call(tmp_path, "commit", "-o", "json").json
    write_config(tmp_path, mesh(expose={"x": {}}))
    wrong = call(tmp_path, "commit", "-o", "json").json

    for one in (first, nothing, refused, wrong):
        jsonschema.validate(one, FORMAT)
    assert first["commit"] == git(tmp_path, "rev-parse", "HEAD")
    assert (nothing["commit"], nothing["files"]) == (None, [])
    assert refused["problem"]["hint"].startswith("it said:")
    assert wrong["findings"][0]["severity"] == "error"


def test_text_names_the_files_the_commit_and_its_message(tmp_path: Path):
    rendered(tmp_path)
    open_kiali(tmp_path)

    lines = call(tmp_path, "commit").stdout.splitlines()

    assert lines[0] == "~ meshgen.yaml"
    assert f"+ {TREE}" in lines
    commit = git(tmp_path, "rev-parse", "HEAD")[:12]
    assert f"main: commit {commit}, {len(changed_by(tmp_path))} file(s)" in lines
    assert f"    {subject(tmp_path)}" in lines


def test_many_files_are_counted_and_named_where_it_is_asked(tmp_path: Path):
    new(tmp_path)

    short = call(tmp_path, "commit", "--dry-run").stdout
    whole = call(tmp_path, "commit", "--dry-run", "--verbose").stdout

    assert "more; --verbose names them" in short
    assert len(whole.splitlines()) > len(short.splitlines())


def test_hydrated_objects_are_committed_with_the_tree(tmp_path: Path):
    new(tmp_path)

    call(tmp_path, "commit", "--hydrate")

    assert "output/hydrated/dev-0/addons/service-kiali.yaml" in files_at(tmp_path, "HEAD")
    assert call(tmp_path, "render", "--hydrate", "--check").status == 0


def test_diff_finds_nothing_after_a_commit(tmp_path: Path):
    rendered(tmp_path)
    open_kiali(tmp_path)
    call(tmp_path, "commit")

    assert run("-c", tmp_path / "meshgen.yaml", "--exit-code").return_value == 0
