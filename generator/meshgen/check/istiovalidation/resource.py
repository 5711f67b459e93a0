"""A resource of Istio's as its validation webhook sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from meshgen.check.proxyconfig import duration_problems
from meshgen.check.setting import Numbers, Problem, Setting


@dataclass(frozen=True)
class Resource:
    """An object by what the webhook asks of it, at a version of Istio; the paths of `spec` begin with that word."""

    spec: Setting
    metadata: Setting
    istio: Numbers

    @property
    def name(self) -> str:
        """What it is called."""
        return self.metadata.at("name").text or ""

    @property
    def namespace(self) -> str:
        """Where it is applied: in the default namespace, where it says none."""
        return self.metadata.at("namespace").text or "default"

    def annotation(self, name: str) -> str | None:
        """The value of an annotation; None where it has none."""
        return dict(self.metadata.at("annotations").entries()).get(name, Setting(None)).text or None

    def label(self, name: str) -> str:
        """The value of a label, empty where it has none."""
        return dict(self.metadata.at("labels").entries()).get(name, Setting(None)).text or ""


Check = Callable[[Resource], Iterator[Problem]]


def resource_of(obj: dict[str, Any], istio: Numbers) -> Resource:
    """An object as a version of Istio sees it."""
    return Resource(Setting(obj.get("spec"), ("spec",)), Setting(obj.get("metadata"), ("metadata",)), istio)


def unread_problems(setting: Setting) -> Iterator[Problem]:
    """A duration that is said and can't be read."""
    if isinstance(setting.value, str) and setting.nanoseconds is None:
        yield setting.problem("the text is no duration", "say one such as 10s, 500ms or 1m30s")


def time_problems(setting: Setting) -> Iterator[Problem]:
    """A duration that is said and can't be read, is too short, or is finer than Istio takes it."""
    yield from unread_problems(setting)
    yield from duration_problems(setting)


def percent_problems(setting: Setting, finest: float | None = None) -> Iterator[Problem]:
    """A percentage that is said and is none, or is finer than Istio takes it."""
    value = setting.value
    if not isinstance(value, int | float) or isinstance(value, bool):
        return
    if not 0 <= value <= 100:
        yield setting.problem("the percentage is not in the range 0..100", "say 0 to 100")
    elif finest is not None and 0 < value < finest:
        yield setting.problem(f"the percentage is more than 0 and less than {finest:g}", f"say 0, or {finest:g} to 100")


def negative_problems(setting: Setting) -> Iterator[Problem]:
    """A number that is below zero."""
    if (setting.number or 0) < 0:
        yield setting.problem("the number is negative", "say 0 or more")


def required_port_problems(port: Setting, holder: Setting) -> Iterator[Problem]:
    """A port that is none, or that its holder does not say, which Istio reads as 0."""
    number = 0 if port.value is None else port.number
    if number is not None and not 1 <= number <= 65535:
        where = holder if port.value is None else port
        yield where.problem(f"port number {number} is not in the range 1..65535", "say a port, 1 to 65535")


def unix_problems(setting: Setting) -> Iterator[Problem]:
    """A path behind `unix://` that leads to no file; one that begins with @ is an abstract name."""
    path = (setting.text or "").removeprefix("unix://")
    if not path.startswith("@") and (not path.startswith("/") or path.endswith("/")):
        yield setting.problem("behind unix:// stands no absolute path of a file", "say unix:///PATH or unix://@NAME")
