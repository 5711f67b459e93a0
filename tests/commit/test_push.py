"""What is pushed where, what a remote may answer, and the change request that each platform's CLI makes."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from meshgen.commit.push import Remote, remote_of
from meshgen.commit.request import change_request
from meshgen.git import Refused
from tests.commit.repositories import bare_remote, call, changed_by, hook, open_kiali, rendered, state, subject
from tests.diff.repositories import git


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    """A repository whose main branch is pushed, and whose config has changed since."""
    folder = rendered(tmp_path / "mesh")
    bare_remote(tmp_path / "origin", folder)
    open_kiali(folder)
    return folder


def head_of(repository: Path, branch: str) -> str:
    return git(repository, "rev-parse", branch)


def test_the_branch_is_pushed(mesh: Path):
    said = call(mesh, "commit", "--push", "-o", "json")

    assert said.status == 0, said.error
    assert said.json["pushed"] == "origin"
    assert head_of(mesh.parent / "origin", "main") == head_of(mesh, "main")


def test_a_new_branch_is_pushed_and_follows_the_remote(mesh: Path):
    said = call(mesh, "commit", "--branch", "mesh", "--push")

    assert said.status == 0, said.error
    assert head_of(mesh.parent / "origin", "mesh") == head_of(mesh, "mesh")
    assert git(mesh, "rev-parse", "--abbrev-ref", "mesh@{upstream}") == "origin/mesh"
    assert head_of(mesh.parent / "origin", "main") == head_of(mesh, "main")


def test_a_commit_that_was_not_pushed_is_pushed_by_the_next_call(mesh: Path):
    call(mesh, "commit")

    said = call(mesh, "commit", "--push")

    assert said.stdout == "main: nothing to commit\npushed main to origin\n"
    assert head_of(mesh.parent / "origin", "main") == head_of(mesh, "main")


def test_a_dry_run_pushes_nothing(mesh: Path):
    before = head_of(mesh.parent / "origin", "main")

    said = call(mesh, "commit", "--push", "--dry-run")

    assert "would push main" in said.stdout
    assert head_of(mesh.parent / "origin", "main") == before


def test_a_remote_that_is_ahead_is_said_and_the_commit_is_kept(mesh: Path):
    git(mesh.parent, "clone", "--quiet", "origin", "other")
    git(mesh.parent / "other", "commit", "--quiet", "--allow-empty", "--message", "Theirs")
    git(mesh.parent / "other", "push", "--quiet")

    said = call(mesh, "commit", "--push", "-o", "json")

    assert said.status == 3
    assert "origin has commits on main that you have not; the commit is kept on main" in said.error
    assert "git pull --rebase origin main" in said.error
    assert said.json["commit"] == head_of(mesh, "main")
    assert said.json["pushed"] is None
    assert "meshgen.yaml" in changed_by(mesh)
    git(mesh, "pull", "--quiet", "--rebase", "origin", "main")
    assert call(mesh, "commit", "--push").status == 0
    assert head_of(mesh.parent / "origin", "main") == head_of(mesh, "main")


def test_a_protected_branch_is_said_with_what_the_remote_says(mesh: Path):
    hooks = mesh.parent / "origin" / "hooks"
    hooks.mkdir(exist_ok=True)
    (hooks / "pre-receive").write_text("#!/bin/sh\necho 'main is protected' >&2\nexit 1\n")
    (hooks / "pre-receive").chmod(0o755)

    said = call(mesh, "commit", "--push")

    assert said.status == 3
    assert "origin refused the push to main; the commit is kept on main" in said.error
    assert "remote: main is protected" in said.error
    assert "--branch NAME --pr" in said.error
    assert f"    {subject(mesh)}" in said.stdout


def test_a_hook_of_the_users_may_stop_a_push(mesh: Path):
    hook(mesh, "pre-push", "echo 'not on a friday' >&2; exit 1")

    said = call(mesh, "commit", "--push")

    assert said.status == 3
    assert "not on a friday" in said.error
    assert "the commit is kept on main" in said.error


def test_a_remote_that_is_gone_is_said(mesh: Path):
    (mesh.parent / "origin").rename(mesh.parent / "moved")

    said = call(mesh, "commit", "--push")

    assert said.status == 3
    assert "does not appear to be a git repository" in said.error


def test_a_remote_that_lets_nobody_in_is_said_without_a_question_and_without_credentials(mesh: Path, tmp_path: Path):
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\necho 'git@example.com: Permission denied (publickey).' >&2\nexit 255\n")
    ssh.chmod(0o755)
    git(mesh, "remote", "set-url", "origin", "ssh://me:hunter2@example.com/mesh.git")

    said = call(mesh, "commit", "--push", GIT_SSH=str(ssh), GIT_SSH_VARIANT="ssh")

    assert said.status == 3
    assert "origin does not let you in" in said.error
    assert "hunter2" not in said.error + said.stdout + said.stderr


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ext::sh -c 'touch pwned'", "would run its URL as a command"),
        ("fd::3", "would run its URL as a command"),
        ("--upload-pack=touch pwned", "would run its URL as a command"),
        ("ssh://-oProxyCommand=touch$IFS-pwned/x", "would be an option"),
        ("-oProxyCommand=touch pwned:x", "would run its URL as a command"),
        ("ssh://-oProxyCommand=x@example.com/x", "would be an option"),
        ("ssh://example.com/-x", "would be an option"),
    ],
)
def test_a_url_that_git_would_run_is_refused_before_anything_is_written(mesh: Path, url: str, words: str):
    git(mesh, "config", "remote.origin.url", url)
    before = state(mesh)

    said = call(mesh, "commit", "--push")

    assert said.status == 1
    assert words in said.error
    assert state(mesh) == before
    assert not list(mesh.glob("*pwned*"))


def test_a_url_that_an_alias_makes_a_command_is_refused(mesh: Path):
    git(mesh, "config", "url.ext::sh.insteadOf", "hub:")
    git(mesh, "config", "remote.origin.url", "hub:x")

    assert "would run its URL as a command" in call(mesh, "commit", "--push").error


def test_without_a_remote_nothing_is_pushed_and_nothing_written(mesh: Path):
    git(mesh, "remote", "remove", "origin")
    before = state(mesh)

    said = call(mesh, "commit", "--push")

    assert said.status == 1
    assert "the repository has no remote" in said.error
    assert "git remote add origin URL" in said.error
    assert state(mesh) == before


def test_a_remote_that_is_not_there_is_an_error_with_a_guess(mesh: Path):
    said = call(mesh, "commit", "--push", "--remote", "orign")

    assert said.status == 1
    assert 'did you mean "origin"?' in said.error


def test_several_remotes_are_chosen_from_as_git_does(mesh: Path):
    git(mesh, "remote", "rename", "origin", "one")
    git(mesh, "config", "--unset", "branch.main.remote")
    git(mesh, "remote", "add", "two", "https://example.com/two.git")

    with pytest.raises(Refused, match="several remotes: one, two"):
        remote_of(mesh, "main", None)
    git(mesh, "config", "remote.pushDefault", "two")
    assert remote_of(mesh, "main", None) == Remote("two", "https://example.com/two.git", "example.com", "two.git")
    assert remote_of(mesh, "main", "one").name == "one"


# The change request


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/acme/mesh.git", "gh pr create --repo=acme/mesh --head=b --base=main"),
        ("git@github.com:acme/mesh.git", "gh pr create --repo=acme/mesh --head=b --base=main"),
        ("ssh://git@github.com/acme/mesh", "gh pr create --repo=acme/mesh --head=b --base=main"),
        (
            "https://github.example.com/acme/mesh",
            "gh pr create --repo=github.example.com/acme/mesh --head=b --base=main",
        ),
        (
            "git@gitlab.com:acme/team/mesh.git",
            "glab mr create --repo=https://gitlab.com/acme/team/mesh --source-branch=b --target-branch=main --yes",
        ),
        (
            "https://me@dev.azure.com/acme/My%20Mesh/_git/mesh",
            "az repos pr create --organization=https://dev.azure.com/acme '--project=My Mesh' --repository=mesh"
            " --source-branch=b --target-branch=main",
        ),
        (
            "git@ssh.dev.azure.com:v3/acme/platform/mesh",
            "az repos pr create --organization=https://dev.azure.com/acme --project=platform --repository=mesh"
            " --source-branch=b --target-branch=main",
        ),
        (
            "https://acme.visualstudio.com/DefaultCollection/platform/_git/mesh",
            "az repos pr create --organization=https://acme.visualstudio.com --project=platform --repository=mesh"
            " --source-branch=b --target-branch=main",
        ),
    ],
)
def test_the_command_for_a_request_is_told_by_the_url(mesh: Path, url: str, expected: str):
    git(mesh, "config", "remote.origin.url", url)

    request = change_request(remote_of(mesh, "main", "origin"), "b", "main")

    assert request is not None
    assert shlex.join(request.command) == expected
    assert "$(git log -1 --format=%s b)" in request.text


@pytest.mark.parametrize(
    ("url", "most"),
    [("git@ssh.dev.azure.com:v3/acme/platform/mesh", 4_000), ("git@github.com:acme/mesh.git", 65_536)],
)
def test_a_text_that_is_too_long_for_the_platform_is_cut_at_a_line(mesh: Path, url: str, most: int):
    git(mesh, "config", "remote.origin.url", url)
    request = change_request(remote_of(mesh, "main", "origin"), "b", "main")
    assert request is not None
    body = "\n".join(f"- changed Service mesh/service-{number}" for number in range(4_000))

    *_, text = request.arguments(f"Open all\n\n{body}\n")
    *_, short = request.arguments("Open all\n\n- changed Service\n")

    _, _, said = text.partition("=")
    *kept, _, end = said.splitlines()
    assert most - 50 < len(said) <= most
    assert kept == body.splitlines()[: len(kept)]
    assert end == "… the rest is in the commit's message"
    assert short.endswith("=- changed Service")


def test_the_printed_command_of_azure_cuts_the_text_as_well(mesh: Path):
    git(mesh, "config", "remote.origin.url", "git@ssh.dev.azure.com:v3/acme/platform/mesh")
    git(mesh, "commit", "--quiet", "--all", "--message", "Open all\n\n" + "- changed\n" * 1_000)
    request = change_request(remote_of(mesh, "main", "origin"), "main", "trunk")
    assert request is not None

    done = subprocess.run(
        ["sh", "-c", f'az() {{ for one; do echo "$one"; done; }}; {request.text}'],
        cwd=mesh,
        check=True,
        capture_output=True,
        text=True,
    )

    title, _, text = done.stdout.partition("--title=")[2].partition("\n--description=")
    assert title == "Open all"
    assert 3_900 < len(text) <= 4_001


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("git@github.com-work:acme/mesh.git", "--repo=acme/mesh"),
        ("ssh://git@github.com-work/acme/mesh.git", "--repo=acme/mesh"),
        ("work:acme/mesh.git", "--repo=https://gitlab.com/acme/mesh"),
        ("git@github.corp.example:acme/mesh.git", "--repo=github.corp.example/acme/mesh"),
        ("ssh://git@ssh.github.com:443/acme/mesh.git", "--repo=acme/mesh"),
    ],
)
def test_a_name_of_sshs_config_is_told_by_the_host_that_it_stands_for(
    mesh: Path, tmp_path: Path, url: str, expected: str, monkeypatch: pytest.MonkeyPatch
):
    hosts = {"github.com-work": "ssh.github.com", "work": "gitlab.com", "github.corp.example": "10.0.0.5"}
    lines = [f"Host {name}\n  HostName {host}\n" for name, host in hosts.items()]
    (tmp_path / "my config").write_text("".join(lines))
    git(mesh, "config", "remote.origin.url", url)
    git(mesh, "config", "core.sshCommand", f"ssh -F '{tmp_path}/my config'")

    request = change_request(remote_of(mesh, "main", "origin"), "b", "main")

    assert request is not None
    assert expected in request.command
    monkeypatch.setenv("GIT_SSH_COMMAND", f"touch {tmp_path}/called; false")
    remote_of(mesh, "main", "origin")
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize("url", ["https://example.com/acme/mesh", "../origin", "https://github.com/", "C:\\mesh"])
def test_other_hosts_have_no_known_command(mesh: Path, url: str):
    git(mesh, "config", "remote.origin.url", url)

    assert change_request(remote_of(mesh, "main", "origin"), "b", "main") is None


def github(mesh: Path) -> None:
    """Call the remote by a URL of GitHub's; see `no_network`."""
    git(mesh, "config", "remote.origin.url", "https://github.com/acme/mesh.git")
    git(mesh, "remote", "set-head", "origin", "main")


def with_gh(folder: Path, mesh: Path, script: str) -> dict[str, str]:
    """A PATH with a `gh`, beside a Git whose pushes stay on this machine."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "gh").write_text(f"#!/bin/sh\n{script}\n")
    (tools / "gh").chmod(0o755)
    return {"PATH": os.pathsep.join([str(tools), os.environ["PATH"]]), **no_network(mesh)}


def no_network(mesh: Path) -> dict[str, str]:
    """Have Git's https transport be a program that takes what is pushed to the folder beside."""
    tools = mesh.parent / "exec"
    if not tools.exists():
        real = subprocess.run(["git", "--exec-path"], check=True, capture_output=True, text=True).stdout.strip()
        tools.mkdir()
        for path in Path(real).iterdir():
            (tools / path.name).symlink_to(path)
        (tools / "git-remote-https").unlink(missing_ok=True)
        script = f'#!/bin/sh\nexec git remote-ext "$1" "git %s {mesh.parent / "origin"}"\n'
        (tools / "git-remote-https").write_text(script)
        (tools / "git-remote-https").chmod(0o755)
    return {"GIT_EXEC_PATH": str(tools)}


def out_of_reach(mesh: Path) -> dict[str, str]:
    """Have Git's https transport fail."""
    variables = no_network(mesh)
    Path(variables["GIT_EXEC_PATH"], "git-remote-https").write_text("#!/bin/sh\nexit 1\n")
    return variables


def test_the_command_is_printed_after_a_push(mesh: Path):
    github(mesh)

    said = call(mesh, "commit", "--branch", "open-kiali", "--push", **no_network(mesh))

    assert said.status == 0, said.error
    printed = next(line for line in said.stdout.splitlines() if line.startswith("change request: "))
    assert printed.startswith("change request: gh pr create --repo=acme/mesh --head=open-kiali --base=main --title=")


def test_a_request_is_made_by_the_platforms_cli(mesh: Path, tmp_path: Path):
    github(mesh)
    script = f'for one in "$@"; do echo "<$one>"; done > {tmp_path}/asked; echo https://github.com/acme/mesh/pull/7'

    said = call(mesh, "commit", "--branch", "mesh", "--pr", "-o", "json", **with_gh(tmp_path, mesh, script))

    assert said.status == 0, said.error
    assert said.json["request"]["url"] == "https://github.com/acme/mesh/pull/7"
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith("<pr>\n<create>\n<--repo=acme/mesh>\n<--head=mesh>\n<--base=main>\n")
    assert f"<--title={subject(mesh, 'mesh')}>" in asked
    assert "<--body=In 2 clusters: 1 exposure\n" in asked


def test_a_cli_that_fails_is_said_and_the_branch_stays_pushed(mesh: Path, tmp_path: Path):
    github(mesh)
    script = "echo 'a pull request for branch mesh already exists' >&2; exit 1"

    said = call(mesh, "commit", "--branch", "mesh", "--pr", **with_gh(tmp_path, mesh, script))

    assert said.status == 3
    assert "gh made no change request: a pull request for branch mesh already exists" in said.error
    assert head_of(mesh.parent / "origin", "mesh") == head_of(mesh, "mesh")


def test_without_the_cli_the_command_is_printed(mesh: Path, tmp_path: Path):
    github(mesh)
    tools = tmp_path / "only-git"
    tools.mkdir()
    for name in ("git", "sh"):
        found = subprocess.run(["which", name], check=True, capture_output=True, text=True).stdout.strip()
        (tools / name).symlink_to(found)

    said = call(mesh, "commit", "--branch", "mesh", "--pr", **no_network(mesh), PATH=str(tools))

    assert said.status == 0, said.error
    assert "gh is not on the PATH" in said.stderr
    assert "change request: gh pr create" in said.stdout


def test_a_request_that_waited_for_the_cli_is_made_when_the_command_is_said_again(mesh: Path, tmp_path: Path):
    github(mesh)
    assert call(mesh, "commit", "--branch", "mesh", "--push", "-m", "Open it", **no_network(mesh)).status == 0
    before = state(mesh)
    script = f'for one in "$@"; do echo "<$one>"; done > {tmp_path}/asked; echo https://github.com/acme/mesh/pull/7'

    said = call(mesh, "commit", "--branch", "mesh", "--pr", "-o", "json", **with_gh(tmp_path, mesh, script))

    assert said.status == 0, said.error
    assert (said.json["commit"], said.json["pushed"]) == (None, "origin")
    assert said.json["request"]["url"] == "https://github.com/acme/mesh/pull/7"
    assert "<--title=Open it>" in (tmp_path / "asked").read_text()
    assert state(mesh) == before


def test_a_request_from_the_branch_that_changes_go_to_is_refused(mesh: Path):
    github(mesh)
    before = state(mesh)

    said = call(mesh, "commit", "--pr", **no_network(mesh))

    assert said.status == 1
    assert "main is what changes are merged into" in said.error
    assert state(mesh) == before


@pytest.mark.parametrize("known", [None, "old"])
def test_the_remote_is_asked_what_changes_go_to_for_the_clone_need_not_know(mesh: Path, known: str | None):
    github(mesh)
    git(mesh, "remote", "set-head", "origin", "--delete")
    if known:
        git(mesh, "push", "--quiet", str(mesh.parent / "origin"), f"main:{known}")
        git(mesh, "update-ref", f"refs/remotes/origin/{known}", "main")
        git(mesh, "remote", "set-head", "origin", known)
    before = head_of(mesh.parent / "origin", "main")

    said = call(mesh, "commit", "--pr", **no_network(mesh))

    assert said.status == 1
    assert "main is what changes are merged into; nothing was written" in said.error
    assert head_of(mesh.parent / "origin", "main") == before == head_of(mesh, "main")


def test_a_request_from_a_branch_that_was_never_pushed_goes_to_the_remotes_own(mesh: Path, tmp_path: Path):
    github(mesh)
    git(mesh, "remote", "set-head", "origin", "--delete")
    git(mesh, "switch", "--quiet", "--create", "wip")

    said = call(mesh, "commit", "--branch", "mesh", "--pr", **with_gh(tmp_path, mesh, f'echo "$@" > {tmp_path}/asked'))

    assert said.status == 0, said.error
    assert "--head=mesh --base=main" in (tmp_path / "asked").read_text()


def test_a_remote_that_cannot_be_asked_is_taken_at_what_the_clone_knows(mesh: Path):
    github(mesh)

    assert "main is what changes are merged into" in call(mesh, "commit", "--pr", **out_of_reach(mesh)).error


@pytest.mark.parametrize("arguments", [(), ("--branch", "mesh")])
def test_a_request_into_nobody_knows_what_is_refused(mesh: Path, arguments: tuple[str, ...]):
    github(mesh)
    git(mesh, "remote", "set-head", "origin", "--delete")
    before = state(mesh)

    said = call(mesh, "commit", "--pr", *arguments, **out_of_reach(mesh))

    assert said.status == 1
    assert "remote origin does not say which branch changes are merged into; nothing was written" in said.error
    assert "git remote set-head origin --auto" in said.error
    assert state(mesh) == before


def test_a_request_on_an_unknown_host_is_refused(mesh: Path):
    before = state(mesh)

    said = call(mesh, "commit", "--branch", "mesh", "--pr")

    assert said.status == 1
    assert "no command is known that makes a request on remote origin; nothing was written" in said.error
    assert state(mesh) == before


# A fork


@pytest.fixture
def forked(mesh: Path) -> Path:
    """A clone that pushes to a fork, and fetches from where changes go."""
    github(mesh)
    git(mesh, "remote", "rename", "origin", "upstream")
    git(mesh, "remote", "add", "fork", "https://github.com/me/mesh.git")
    git(mesh, "config", "remote.pushDefault", "fork")
    return mesh


def test_a_request_from_a_fork_goes_to_what_the_branch_was_made_from(forked: Path, tmp_path: Path):
    git(forked, "switch", "--quiet", "--create", "feat", "upstream/main")

    said = call(forked, "commit", "--pr", **with_gh(tmp_path, forked, f'echo "$@" > {tmp_path}/asked'))

    assert said.status == 0, said.error
    assert "pushed feat to fork" in said.stdout
    assert "--repo=acme/mesh --head=me:feat --base=main" in (tmp_path / "asked").read_text()


def test_a_new_branch_of_a_fork_follows_what_it_goes_into(forked: Path, tmp_path: Path):
    asked = tmp_path / "asked"
    tools = with_gh(tmp_path, forked, f'echo "$@" >> {asked}')
    assert call(forked, "commit", "--branch", "feat", "--pr", **tools).status == 0
    assert git(forked, "rev-parse", "--abbrev-ref", "feat@{upstream}") == "upstream/main"
    git(forked, "stash", "--quiet")
    git(forked, "switch", "--quiet", "feat")

    assert call(forked, "commit", "--pr", **tools).status == 0

    assert asked.read_text().count("--repo=acme/mesh --head=me:feat --base=main") == 2


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (
            "https://gitlab.com/{}/mesh.git",
            "glab mr create --repo=https://gitlab.com/acme/mesh --source-branch=b --head=https://gitlab.com/me/mesh"
            " --target-branch=main --yes",
        ),
        ("https://dev.azure.com/{}/p/_git/mesh", None),
    ],
)
def test_other_platforms_make_a_request_from_a_fork_as_far_as_they_can(forked: Path, host: str, expected: str | None):
    for name, owner in (("upstream", "acme"), ("fork", "me")):
        git(forked, "config", f"remote.{name}.url", host.format(owner))

    request = change_request(remote_of(forked, "b", "upstream"), "b", "main", remote_of(forked, "b", "fork"))

    assert (request and shlex.join(request.command)) == expected


def test_a_mirror_on_another_host_is_no_fork(forked: Path, tmp_path: Path):
    git(forked, "config", "remote.upstream.url", "https://example.com/acme/mesh.git")
    tools = with_gh(tmp_path, forked, f'echo "$@" > {tmp_path}/asked')

    assert call(forked, "commit", "--branch", "feat", "--pr", **tools).status == 0

    assert "--repo=me/mesh --head=feat --base=main" in (tmp_path / "asked").read_text()
