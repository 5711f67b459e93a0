"""What `meshgen init --ci` writes is what each platform's own checkers take, and runs what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from meshgen import __version__
from meshgen.starter import REVIEWS
from tests.objects import meshgen
from tests.policy.ownrule import RULE
from tests.tools import PROJECT, tool

SCHEMAS = {"azure": "azure-pipelines", "github": "github-workflows", "gitlab": "gitlab-ci"}
BIN = Path(sys.executable).parent


def written(folder: Path, platform: str) -> Path:
    done = meshgen("init", "--ci", platform, cwd=folder)
    assert (done.returncode, done.stdout) == (0, f"wrote {REVIEWS[platform][1]}\n"), done.stderr
    return folder / REVIEWS[platform][1]


def run(*argv: str | Path, **options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, argv)), capture_output=True, text=True, check=False, env={**os.environ, **options}
    )


def commands(path: Path) -> list[str]:
    """Every call of meshgen in the file."""
    return re.findall(r"meshgen (?:validate|render|diff) [^|>\n]+", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("platform", REVIEWS)
def test_it_validates_compares_and_says_what_changes(tmp_path: Path, platform: str):
    path = written(tmp_path, platform)

    said = [command.split()[1] for command in commands(path)]
    assert said == ["validate", "render", "diff"]
    # With what rules of one's own need: a repository may come to have some.
    assert re.search(rf"""pip install .*(['"])meshgen\[cel]=={re.escape(__version__)}\1""", path.read_text("utf-8"))
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)


@pytest.mark.parametrize("platform", REVIEWS)
def test_its_options_are_meshgens_own(tmp_path: Path, platform: str):
    for command in commands(written(tmp_path, platform)):
        _, name, *arguments = command.split()
        known = meshgen(name, "--help", cwd=tmp_path).stdout
        assert all(option in known for option in arguments if option.startswith("-")), command


@pytest.mark.parametrize("platform", REVIEWS)
@pytest.mark.realtools
def test_it_keeps_the_platforms_schema(tmp_path: Path, platform: str):
    path = written(tmp_path, platform)

    done = run(BIN / "check-jsonschema", "--builtin-schema", f"vendor.{SCHEMAS[platform]}", path)

    assert done.returncode == 0, done.stdout


@pytest.mark.realtools
def test_githubs_checkers_find_nothing(tmp_path: Path):
    path = written(tmp_path, "github")

    linted = run(tool("actionlint"), "-no-color", path)
    audited = run(BIN / "zizmor", "--offline", "--persona", "pedantic", "--no-progress", path)

    assert (linted.returncode, linted.stdout) == (0, "")
    assert audited.returncode == 0, audited.stdout


@pytest.mark.realtools
@pytest.mark.parametrize(
    ("before", "after"), [("ubuntu-24.04", "ubuntu-1.0"), ("$NUMBER", "${{ github.event.pull_request.title }}")]
)
def test_githubs_checkers_would_find_something(tmp_path: Path, before: str, after: str):
    path = written(tmp_path, "github")
    path.write_text(path.read_text(encoding="utf-8").replace(before, after, 1), encoding="utf-8")

    linted = run(tool("actionlint"), "-no-color", path)

    assert linted.returncode == 1


def test_every_action_is_pinned_by_digest(tmp_path: Path):
    actions = re.findall(r"uses: (\S+)( # v[\d.]+)?", written(tmp_path, "github").read_text(encoding="utf-8"))

    assert actions
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) and version for action, version in actions)


def test_paths_of_the_repository_are_kept(tmp_path: Path):
    done = meshgen("init", "--ci", "gitlab", "-c", "mesh/meshgen.yaml", "-O", "mesh/output", cwd=tmp_path)

    assert done.returncode == 0
    text = (tmp_path / REVIEWS["gitlab"][1]).read_text(encoding="utf-8")
    assert "meshgen render -c mesh/meshgen.yaml -O mesh/output --check" in text


@pytest.mark.parametrize("path", ["/etc/meshgen.yaml", "../meshgen.yaml", "a b.yaml", "$(id).yaml", "-x.yaml", "a;b"])
def test_a_path_that_a_workflow_cannot_name_is_refused(tmp_path: Path, path: str):
    done = meshgen("init", "--ci", "github", f"--config={path}", cwd=tmp_path)

    assert done.returncode == 1
    assert "is not a path that a workflow can name" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_touched(tmp_path: Path):
    path = written(tmp_path, "github")
    path.write_text("mine", encoding="utf-8")

    assert meshgen("init", "--ci", "github", cwd=tmp_path).returncode == 1
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_config_and_a_review_are_two_commands(tmp_path: Path):
    assert meshgen("init", "--ci", "github", "--example", "msa", cwd=tmp_path).returncode == 2


def diff_step(path: Path) -> str:
    """What the workflow of GitHub runs to say what a change does."""
    steps = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]["review"]["steps"]
    return next(step["run"] for step in steps if "meshgen diff" in step.get("run", ""))


@pytest.mark.parametrize(("commits", "status"), [(1, 1), (2, 0)])
def test_a_diff_that_fails_fails_the_step(tmp_path: Path, commits: int, status: int):
    script = diff_step(written(tmp_path, "github"))
    repository(tmp_path)
    for number in range(commits):
        git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", str(number))

    # As GitHub runs a step that names no shell.
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "RUNNER_TEMP": str(tmp_path),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        },
    )

    assert done.returncode == status, done.stderr
    assert (tmp_path / "summary.md").exists() is (status == 0)


def git(folder: Path, *argv: str) -> None:
    name = ("-c", "user.name=me", "-c", "user.email=me@example.com")
    subprocess.run(["git", *name, *argv], cwd=folder, check=True, capture_output=True)


def repository(folder: Path) -> None:
    """A repository whose mesh is in the index, not committed yet."""
    (folder / "meshgen.yaml").write_text(MESH, encoding="utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", "meshgen.yaml")


MESH = """\
apiVersion: meshgen.dev/v1
kind: Mesh
metadata: {name: msa}
istio: {version: 1.30.3, values: {defaultRevision: default}}
"""
HOOKS = PROJECT / ".pre-commit-hooks.yaml"


def test_hooks_for_pre_commit_run_what_they_say():
    hooks = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))

    assert [hook["entry"] for hook in hooks] == ["meshgen validate", "meshgen render --check"]
    assert all(hook["additional_dependencies"] == [".[cel]"] for hook in hooks)


@pytest.mark.parametrize("file", ["manifests/cart.yaml", "policy/replicas.yaml", ".sops.yaml", "mesh/meshgen.yaml"])
def test_hooks_run_whatever_a_commit_changes(tmp_path: Path, file: str):
    repository(tmp_path)
    git(tmp_path, "commit", "--quiet", "--message", "mesh")
    # Here the hooks run this checkout's meshgen: their own would be installed from the registry.
    hooks = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))
    local = [{**hook, "language": "system", "additional_dependencies": []} for hook in hooks]
    config = tmp_path / ".pre-commit-config.yaml"
    config.write_text(yaml.safe_dump({"repos": [{"repo": "local", "hooks": local}]}), encoding="utf-8")
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("{}\n", encoding="utf-8")
    git(tmp_path, "add", file)

    done = subprocess.run(
        [BIN / "pre-commit", "run", "--verbose"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "PRE_COMMIT_HOME": str(tmp_path / ".cache")},
    )

    assert "Skipped" not in done.stdout
    assert re.findall(r"hook id: (\S+)", done.stdout) == ["meshgen-validate", "meshgen-render"]


@pytest.mark.slow
@pytest.mark.realtools
def test_hooks_bring_what_rules_of_ones_own_need(tmp_path: Path):
    repository(tmp_path)
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "balancer.yaml").write_text(RULE, encoding="utf-8")

    done = subprocess.run(
        [BIN / "pre-commit", "try-repo", PROJECT, "meshgen-validate", "--verbose"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PRE_COMMIT_HOME": str(tmp_path / ".cache")},
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed" in done.stdout


@pytest.mark.realtools
def test_hooks_keep_pre_commits_own_schema():
    done = run(BIN / "pre-commit", "validate-manifest", PROJECT / ".pre-commit-hooks.yaml")

    assert done.returncode == 0, done.stdout
