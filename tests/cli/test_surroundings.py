"""meshgen where people really run it: terminals, pipes, full disks, odd folders, other locales."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from meshgen.cli import main
from tests.objects import Done, copy_example, files_of, mesh, meshgen, write_config

MESHGEN = f"{sys.executable} -m meshgen"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_example(tmp_path_factory.mktemp("example"))


def shell(command: str, cwd: Path) -> Done:
    return subprocess.run(["bash", "-c", command], cwd=cwd, capture_output=True, text=True, check=False)


def on_a_terminal(command: str, cwd: Path, **env: str) -> str:
    """What a command prints when its stdout and stderr are a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["bash", "-c", command], cwd=cwd, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm", **env}
    )
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 4096):
            said += chunk
    except OSError:
        pass  # Linux says EIO when the other end has closed.
    process.wait()
    os.close(ours)
    return said.decode()


def test_findings_are_coloured_on_a_terminal_and_not_where_no_color_is_set(tmp_path: Path):
    write_config(tmp_path, mesh(addons={"kiali": {}}, expose={"kiali": {}}))

    assert "\x1b[33m" in on_a_terminal(f"{MESHGEN} validate", tmp_path, NO_COLOR="")
    assert "\x1b" not in on_a_terminal(f"{MESHGEN} validate", tmp_path, NO_COLOR="1")
    assert "\x1b" not in on_a_terminal(f"{MESHGEN} render", tmp_path, NO_COLOR="1")


def test_python_dash_m_and_the_script_are_the_same_command(example: Path):
    script = Path(sys.executable).with_name("meshgen")
    done = subprocess.run([script, "show", "-q"], cwd=example, capture_output=True, text=True, check=False)

    assert done.stdout == meshgen("show", "-q", cwd=example).stdout
    assert done.returncode == 0


@pytest.mark.parametrize("command", ["show", "render -O new -v", "validate", "images", "schema", "show -o json"])
def test_a_reader_that_goes_away_leaves_no_traceback(example: Path, command: str):
    done = shell(f"set -o pipefail; {MESHGEN} {command} 2>&1 | true; echo ${{PIPESTATUS[0]}}", example)

    assert done.stdout == "0\n"
    assert done.stderr == ""


COMMANDS = ["render -O new", "validate -o json", "images", "profile list", "profile dump", "schema", "explain"]


@pytest.mark.parametrize("command", [*COMMANDS, "completion bash", "--help", "--version", "show", "render --check"])
def test_a_full_disk_behind_stdout_is_said_in_one_line(example: Path, command: str):
    done = shell(
        f"{MESHGEN} {command} -q >/dev/full" if command == "show" else f"{MESHGEN} {command} >/dev/full", example
    )

    assert done.returncode == 3
    assert "error: cannot write to stdout: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_reader_that_goes_away_does_not_hide_problems(tmp_path: Path):
    write_config(tmp_path, mesh(addons={"kiali": {"colour": "red"}}))

    for command in ("validate", "validate -o json", "render", "render -o json", "show"):
        done = shell(f"{MESHGEN} {command} 2>&1 | true; echo ${{PIPESTATUS[0]}}", tmp_path)
        assert done.stdout == "1\n", command


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-"])
@pytest.mark.parametrize("command", ["show", "validate", "validate -o json", "images", "render -O new -v"])
def test_streams_that_are_closed_are_no_bug(example: Path, command: str, redirection: str):
    done = shell(f"{MESHGEN} {command} {redirection}", example)

    assert "Traceback" not in done.stderr
    assert done.returncode == 0


def test_a_full_disk_behind_stderr_is_an_environment_failure(example: Path):
    assert shell(f"{MESHGEN} validate 2>/dev/full", example).returncode == 3
    assert shell(f"{MESHGEN} images >/dev/full 2>&1", example).returncode == 3


def test_a_closed_stdout_does_not_hinder_a_render(tmp_path: Path):
    copy_example(tmp_path)
    assert meshgen("render", "-O", "one", cwd=tmp_path).returncode == 0

    assert shell(f"{MESHGEN} render -O two >&- 2>&-", tmp_path).returncode == 0

    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (".", "the config is a file, and this is a folder"),
        ("overlays", "the config is a file, and this is a folder"),
        ("nowhere.yaml", "there is no such config"),
        ("nowhere/meshgen.yaml", "there is no such config"),
        ("meshgen.yaml/x", "there is no such config"),
        ("/dev/null", "the config is a file, and this is none"),
    ],
)
@pytest.mark.parametrize("command", ["render", "show", "images", "validate"])
def test_a_config_that_is_none_is_an_input_error(example: Path, command: str, config: str, said: str):
    done = meshgen(command, "-c", config, cwd=example)

    assert done.returncode == 1
    assert f"error MG002: {said}" in done.stdout + done.stderr
    assert "hint: " in done.stdout + done.stderr


@pytest.mark.parametrize("target", ["/proc/mesh", "/sys/mesh", "/dev/null", "meshgen.yaml/output"])
def test_a_place_that_can_not_be_written_is_an_environment_failure(example: Path, target: str):
    done = meshgen("render", "-O", target, cwd=example)

    assert done.returncode == 3
    assert done.stderr.startswith("error: ")
    assert "nothing was written" in done.stderr
    assert "Traceback" not in done.stderr


# Mounting needs root, as the gate has.
@pytest.mark.realtools
def test_a_tree_on_a_disk_that_is_read_only_is_left_as_it_is(tmp_path: Path):
    copy_example(tmp_path)
    assert meshgen("render", "-q", cwd=tmp_path).returncode == 0
    (tmp_path / "overlays/staging.yaml").unlink()
    (tmp_path / "overlays/prod.yaml").unlink()
    mounted = "mount --bind output output && mount -o remount,bind,ro output"

    # The mount is seen by this one command only.
    clean = subprocess.run(
        ["unshare", "-m", "bash", "-c", f"{mounted} && {MESHGEN} render --check"], cwd=tmp_path, check=False
    )
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", f"{mounted} && {MESHGEN} render"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert clean.returncode == 1
    assert done.returncode == 3, done.stderr
    assert "Read-only file system" in done.stderr
    assert "nothing was written" in done.stderr
    assert (tmp_path / "output/clusters/prod-us/argocd").is_dir()


def test_a_tree_inside_a_symbolic_link_is_written_where_the_link_leads(tmp_path: Path):
    copy_example(tmp_path)
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "output").symlink_to("real/tree")
    (tmp_path / "real/tree").mkdir()

    assert meshgen("render", "-O", "link/out", cwd=tmp_path).returncode == 0
    assert meshgen("render", cwd=tmp_path).returncode == 0

    assert (tmp_path / "output").is_symlink()
    assert files_of(tmp_path / "real/out") == files_of(tmp_path / "real/tree")
    assert meshgen("render", "--check", cwd=tmp_path).returncode == 0


def test_config_and_tree_may_lie_in_folders_with_odd_names(tmp_path: Path):
    folder = copy_example_into(tmp_path / "a b 'c\" é\t$(id) 한글")

    done = meshgen("render", "-c", folder / "meshgen.yaml", "-O", folder / "-x\n y", cwd=tmp_path)
    again = meshgen("render", "--check", "-c", folder / "meshgen.yaml", "-O", folder / "-x\n y", cwd=tmp_path)

    assert (done.returncode, again.returncode) == (0, 0), done.stderr
    assert (folder / "-x\n y/README.md").is_file()


def copy_example_into(folder: Path) -> Path:
    folder.mkdir()
    return copy_example(folder)


ENVIRONMENTS = [
    {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LANG": "ko_KR.UTF-8", "LC_ALL": "ko_KR.UTF-8", "TZ": "Asia/Seoul"},
    {"PYTHONHASHSEED": "0", "TZ": "America/St_Johns"},
    {"PYTHONHASHSEED": "4242", "TZ": "UTC", "HOME": "/nonexistent", "COLUMNS": "20"},
    {"PYTHONOPTIMIZE": "2", "PYTHONDONTWRITEBYTECODE": "1"},
]


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_same_bytes_come_out_in_any_locale_zone_and_folder(example: Path, tmp_path: Path, env: dict[str, str]):
    assert meshgen("render", "-q", "-O", tmp_path / "usual", cwd=example).returncode == 0

    config = os.path.relpath(example / "meshgen.yaml", tmp_path)
    done = meshgen("render", "-c", config, "-O", "odd", cwd=tmp_path, env=env)
    odd = meshgen("show", "-c", config, cwd=tmp_path, env=env).stdout

    assert done.returncode == 0, done.stderr
    assert files_of(tmp_path / "odd") == files_of(tmp_path / "usual")
    assert odd == meshgen("show", cwd=example).stdout


def test_a_bug_whose_traceback_can_not_be_saved_is_still_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    write_config(tmp_path, mesh())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.NamedTemporaryFile", full)
    monkeypatch.setattr("meshgen.render.resolve", lambda _: 1 // 0)

    with pytest.raises(SystemExit) as left:
        main(["render"])

    said = capsys.readouterr().err
    assert left.value.code == 70
    assert said.count("\n") == 1
    assert "ZeroDivisionError" in said
    assert "--debug" in said


def test_init_names_the_mesh_after_its_folder(tmp_path: Path):
    folder = tmp_path / "My Mesh!"
    folder.mkdir()

    done = meshgen("init", cwd=folder)

    assert done.returncode == 0
    assert "name: my-mesh\n" in (folder / "meshgen.yaml").read_text()
    assert meshgen("render", "--dry-run", cwd=folder).returncode == 0


def test_init_of_the_example_writes_nothing_where_one_of_its_files_exists(tmp_path: Path):
    (tmp_path / "overlays").mkdir()
    (tmp_path / "overlays/dev.yaml").write_text("mine\n")

    done = meshgen("init", "--example", "msa", cwd=tmp_path)

    assert done.returncode == 1
    assert "overlays/dev.yaml" in done.stderr
    assert files_of(tmp_path) == {"overlays/dev.yaml": b"mine\n"}


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["--name", "Bad_"], 1),
        (["--name", "a" * 64], 1),
        (["--name", ""], 1),
        (["--name", "a", "--example", "msa"], 1),
        (["--example", "nope"], 2),
        (["-c", "/proc/mesh/meshgen.yaml"], 3),
    ],
)
def test_init_that_is_refused_writes_nothing(tmp_path: Path, args: list[str], code: int):
    done = meshgen("init", *args, cwd=tmp_path)

    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert files_of(tmp_path) == {}


@pytest.mark.parametrize(
    "args",
    [
        ["nope"],
        ["render", "--nope"],
        ["render", "extra"],
        ["show", "-o", "xml"],
        ["profile"],
        ["profile", "nope"],
        ["completion", "powershell"],
        ["schema", "nope"],
        ["-c", "meshgen.yaml", "render"],
    ],
)
def test_wrong_usage_exits_with_2_and_says_how_it_is_right(example: Path, args: list[str]):
    done = meshgen(*args, cwd=example)

    assert done.returncode == 2
    assert done.stdout == ""
    assert "Usage: meshgen" in done.stderr
