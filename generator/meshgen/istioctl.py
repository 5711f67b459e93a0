"""Renders IstioOperators by the real istioctl: found on PATH, of the configured version, each distinct input once."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from typing import Any

from meshgen.catalog import Version
from meshgen.errors import EnvironmentFailure
from meshgen.layout.identity import identity
from meshgen.yaml import ReadError, emit, pointer, read_documents

KubernetesObject = dict[str, Any]

# In seconds; a render takes under one on an idle machine.
ANSWER, RENDER = 30.0, 300.0
AT_ONCE = 4
# Results that stay in the cache: about 50 kB each.
KEPT = 1000

_LEAVE_OUT = "leave `istio.install` out, which needs no istioctl"


@dataclass(frozen=True, eq=False)
class Generated:
    """The objects that istioctl makes of an IstioOperator, and what it warns of.

    They come in istioctl's order, made stable. Equal objects of several results are the same value: change none.
    """

    objects: tuple[KubernetesObject, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """Why istioctl makes nothing of an IstioOperator: a problem of the input.

    `pointer` leads to the deepest field of the IstioOperator that the message names. The message holds no value of it
    but names, profile, hub, tag and revision.
    """

    message: str
    pointer: str


@dataclass(frozen=True)
class Istioctl:
    """An istioctl that serves a version of Istio.

    `answer` is what it prints about itself, `version` the version in it: other than the one that it serves where
    `development` is true, and then the result may be another, too. `build` tells a development build from the next.
    """

    path: str
    version: str
    answer: str
    development: bool
    build: str


def find(version: str) -> Istioctl:
    """Find the istioctl that renders this version of Istio: `istioctl-VERSION` on PATH, or else `istioctl`.

    A release must be that very version; of a development build the minor is enough. Raises EnvironmentFailure.
    """
    path = shutil.which(f"istioctl-{version}") or shutil.which("istioctl")
    put = f"put istioctl {version} on PATH, as istioctl or beside others as istioctl-{version}; or {_LEAVE_OUT}"
    if path is None:
        raise EnvironmentFailure(f"`install: manifests` needs istioctl {version}, and PATH has no istioctl", put)
    path = os.path.abspath(path)
    try:
        status = os.stat(path)
    except OSError as error:
        raise EnvironmentFailure(f"istioctl at {path} can't be read: {error.strerror}", put) from error
    answer, found = _ask(path, status.st_size, status.st_mtime_ns)
    development = found != version
    if development and not re.fullmatch(rf"{re.escape(Version.parse(version).minor)}(\.\d+)?-.+", found):
        raise EnvironmentFailure(f"istioctl at {path} is {found}, and the config asks for Istio {version}", put)
    # One release is the same everywhere; development builds of one name differ.
    build = f"{status.st_size} {status.st_mtime_ns}" if development else ""
    return Istioctl(path, found, answer, development, build)


@cache
def _ask(path: str, size: int, modified: int) -> tuple[str, str]:
    """What an istioctl prints of itself, and its version: asked once per process, and anew when the file changes."""
    hint = f"see what `{path} version --remote=false` prints; a version manager's shim needs the real one on PATH"
    with tempfile.TemporaryDirectory(prefix="meshgen-") as folder:
        done = _run([path, "version", "--remote=false", "--output=json"], folder, ANSWER)
    answer = done.stdout.decode(errors="replace")
    with suppress(ValueError, TypeError, KeyError):
        version = json.loads(answer)["clientVersion"]["version"]
        if done.returncode == 0 and isinstance(version, str):
            return answer, version
    raise EnvironmentFailure(f"istioctl at {path} doesn't say which version it is", hint)


def generate(
    istioctl: Istioctl, operators: Sequence[KubernetesObject], *, cache_folder: Path | None = None
) -> tuple[Generated | Refusal, ...]:
    """Give the result of each IstioOperator, in their order; they must have hub and tag.

    What istioctl has rendered before comes from the cache (`default_cache` unless it is named); the rest is rendered,
    a few at a time. Raises EnvironmentFailure where istioctl does not end well.
    """
    folder = cache_folder or default_cache()
    objects: dict[str, KubernetesObject] = {}
    wanted = {_digest(istioctl, operator): operator for operator in operators}
    results = {key: _cached(folder, key, objects) for key in wanted}
    missing = [key for key, result in results.items() if result is None]
    if missing:
        with ThreadPoolExecutor(min(AT_ONCE, os.cpu_count() or 1)) as pool:
            made = pool.map(partial(_render, istioctl), [wanted[key] for key in missing])
            for key, result in zip(missing, made, strict=True):
                results[key] = _interned(result, objects) if isinstance(result, Generated) else result
                _keep(folder, key, result)
        _prune(folder, max(KEPT, len(wanted)))
    found = (results[_digest(istioctl, operator)] for operator in operators)
    return tuple(result for result in found if result is not None)


def _digest(istioctl: Istioctl, operator: KubernetesObject) -> str:
    # The first item changes with what is kept.
    content = json.dumps([1, istioctl.answer, istioctl.build, operator], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _render(istioctl: Istioctl, operator: KubernetesObject) -> Generated | Refusal:
    spec = operator.get("spec") or {}
    if "installPackagePath" in spec:
        message = "installPackagePath names charts that are not in the config: what they render could change unseen"
        return Refusal(message, "/spec/installPackagePath")
    with tempfile.TemporaryDirectory(prefix="meshgen-") as folder:
        file = Path(folder) / "istiooperator.yaml"
        file.write_text(emit(operator), encoding="utf-8")
        done = _run([istioctl.path, "manifest", "generate", "--filename", str(file)], folder, RENDER)
        said = done.stderr.decode(errors="replace").replace(f"{folder}/", "")
    if done.returncode < 0 or (done.returncode and not said.strip()):
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode} and no word"
        hint = "run it again; it takes about 150 MB of memory"
        raise EnvironmentFailure(f"istioctl at {istioctl.path} ended with {how}", hint)
    if done.returncode:
        return Refusal(_masked(_told(said), operator), _place(said, spec))
    warnings = tuple(_masked(line.strip(), operator) for line in said.splitlines() if line.strip())
    return _read(istioctl, done.stdout, warnings)


def _run(command: list[str], folder: str, timeout: float) -> subprocess.CompletedProcess[bytes]:
    """Run istioctl where it finds no cluster, no settings of its own and nothing of the caller's environment."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": folder, "TMPDIR": folder}
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        hint = "see what it waits for: run it by hand"
        raise EnvironmentFailure(f"istioctl at {command[0]} did not end in {timeout:g} s", hint) from None
    except OSError as error:
        hint = "it must be a program for this machine that you may run"
        raise EnvironmentFailure(f"istioctl at {command[0]} can't be run: {error.strerror}", hint) from error


def _read(istioctl: Istioctl, output: bytes, warnings: tuple[str, ...]) -> Generated | Refusal:
    try:
        objects = read_documents(output)
        # Parts of one name that differ in their namespace come in another order each time.
        named = groupby(objects, key=lambda one: (one["apiVersion"], one["kind"], one["metadata"]["name"]))
        return Generated(tuple(one for _, same in named for one in sorted(same, key=identity)), warnings)
    except ReadError as error:
        problem = error.problems[0]
        if problem.pointer:
            message = f"what istioctl renders can't be read: {problem.message} ({problem.pointer} of an object)"
            return Refusal(message, "/spec")
    except (TypeError, KeyError, AttributeError):
        pass
    hint = f"see what `{istioctl.path} manifest generate` prints"
    raise EnvironmentFailure(f"istioctl at {istioctl.path} prints what is no Kubernetes manifest", hint)


def _told(said: str) -> str:
    """The reason in what istioctl says, on one line; older ones print the whole IstioOperator after it."""
    reason = re.split(r"\n\s*(?:YAML:|goroutine \d+|Usage:)", said.strip())[0]
    return " ".join(reason.removeprefix("Error: ").split())


# Fields whose values a message may show: they name things, and are no secrets.
_SHOWN = frozenset({"apiVersion", "kind", "metadata", "name", "namespace", "profile", "hub", "tag", "revision"})
_WORDS = frozenset({"true", "false", "null"})


def _masked(text: str, operator: KubernetesObject) -> str:
    """Take the IstioOperator's values out of what istioctl says."""
    values = {value for value in _values(operator) if len(value) > 2 and value not in _WORDS}
    # Go quotes text as JSON does; its YAML reader shows long values by their beginning.
    forms = values | {json.dumps(value)[1:-1] for value in values} | {f"{value[:7]}..." for value in values}
    for form in sorted(forms, key=len, reverse=True):
        whole = re.escape(form) if len(form) > 7 else rf"(?<!\w){re.escape(form)}(?!\w)"
        text = re.sub(whole, "…", text)
    return text


def _values(value: Any) -> Iterator[str]:
    """The scalars that may be secrets, as text, and each line of those that have several."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in _SHOWN or isinstance(item, dict | list):
                yield from _values(item)
    elif isinstance(value, list):
        for item in value:
            yield from _values(item)
    elif value is not None:
        text = str(value)
        yield from (text, " ".join(text.split()), *(line.strip() for line in text.splitlines()))


def _place(said: str, spec: KubernetesObject) -> str:
    """The deepest field of the spec that a message names, as `components.pilot.k8s` or with `spec.` before it."""
    deepest: list[str] = []
    for words in re.findall(r"[A-Za-z][\w.]*", said):
        path = words.removesuffix(".").split(".")
        path = path[path.index("spec") + 1 :] if "spec" in path else path
        for start in ([], ["values"]):
            there = _existing(spec, start + path)
            if len(there) > max(len(deepest), len(start)):
                deepest = there
    return pointer(["spec", *deepest])


def _existing(value: Any, path: list[str]) -> list[str]:
    there = []
    for key in path:
        if not isinstance(value, dict) or key not in value:
            break
        value = value[key]
        there.append(key)
    return there


def default_cache() -> Path | None:
    """The folder of the user's cache where results are kept; None where there is no home."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    try:
        # The XDG base directory specification tells to ignore a relative path.
        base = Path(named) if os.path.isabs(named) else Path.home() / ".cache"
    except RuntimeError:
        return None
    return base / "meshgen" / "istioctl"


def _cached(folder: Path | None, key: str, objects: dict[str, KubernetesObject]) -> Generated | Refusal | None:
    """What is kept under a key; None where nothing is, or it is damaged."""
    if folder is None:
        return None
    file = folder / key
    try:
        lines = zlib.decompress(file.read_bytes()).decode().splitlines()
        result = Generated(tuple(_object(line, objects) for line in lines[1:]), tuple(json.loads(lines[0])))
    except (OSError, ValueError, TypeError, IndexError, zlib.error):
        return None
    with suppress(OSError):
        os.utime(file)
    return result


def _interned(result: Generated, objects: dict[str, KubernetesObject]) -> Generated:
    return Generated(tuple(_object(json.dumps(one), objects) for one in result.objects), result.warnings)


def _object(line: str, objects: dict[str, KubernetesObject]) -> KubernetesObject:
    """An object from its JSON, read once: the CRDs are most of every result, and the same in all."""
    known = objects.get(line)
    if known is None:
        known = objects[line] = json.loads(line)
    return known


def _keep(folder: Path | None, key: str, result: Generated | Refusal) -> None:
    """Put a result into the cache, whole or not at all; a cache that can't be written is none."""
    if folder is None or isinstance(result, Refusal):
        return
    lines = [json.dumps(result.warnings), *(json.dumps(one) for one in result.objects)]
    with suppress(OSError):
        # Values of the IstioOperator may be secrets: nobody else reads them.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(dir=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(zlib.compress("\n".join(lines).encode()))
            os.replace(part, folder / key)
        except BaseException:
            os.unlink(part)
            raise


def _prune(folder: Path | None, kept: int) -> None:
    """Remove what was not used for longest."""
    if folder is None:
        return
    with suppress(OSError):
        with os.scandir(folder) as entries:
            ages = sorted(((entry.stat().st_mtime_ns, entry.path) for entry in entries), reverse=True)
        for _, path in ages[kept:]:
            os.unlink(path)
