"""Rules about dashboards that let everyone in, as Istio's samples do."""

from __future__ import annotations

import configparser
from collections.abc import Callable, Iterator
from functools import lru_cache

from meshgen.build.stage import KubernetesObject
from meshgen.policy.balancers import balanced
from meshgen.policy.reading import Map, containers, items, mapping, pod_template, text
from meshgen.policy.rule import Breach, Rule, of_object, of_setting
from meshgen.policy.subject import Subject, space_of
from meshgen.yaml import ReadError, read_document


def _kiali(subject: Subject) -> Iterator[Breach]:
    hint = "say auth.strategy: token or openid in Kiali's configuration, or take the load balancer away"
    what = "Kiali lets everyone in without a login, and this opens it"
    for service in _opened(subject, _configured(subject, "config.yaml", _is_anonymous)):
        yield of_object(subject, service, what, hint)
    if _by_chart(subject, "kiali", ("auth", "strategy"), ("anonymous",)):
        path = ("addons", "kiali", "values", "auth", "strategy")
        yield of_setting(subject, path, "Kiali lets everyone in without a login, and `expose` opens it", hint)


def _grafana(subject: Subject) -> Iterator[Breach]:
    hint = "take GF_AUTH_ANONYMOUS_ENABLED (auth.anonymous in grafana.ini) out, or take the load balancer away"
    what = "Grafana lets everyone in without a login, and this opens it"
    by_file = _configured(subject, "grafana.ini", _anonymous_ini)
    by_env = [one for one in subject.of("Deployment", "apps") if _enables_anonymous(one)]
    for service in _opened(subject, [*by_file, *by_env]):
        yield of_object(subject, service, what, hint)
    path = ("grafana.ini", "auth.anonymous", "enabled")
    if _by_chart(subject, "grafana", path, (True, "true")):
        what = "Grafana lets everyone in without a login, and `expose` opens it"
        yield of_setting(subject, ("addons", "grafana", "values", *path), what, hint)


def _configured(subject: Subject, key: str, lets_in: Callable[[str], bool]) -> list[KubernetesObject]:
    """The own Deployments that mount a ConfigMap whose file of that name lets everyone in."""
    maps = subject.of("ConfigMap")
    names = {(space_of(one), one["metadata"]["name"]) for one in maps if lets_in(text(one, "data", key))}
    if not names:
        return []
    return [
        one
        for one in subject.of("Deployment", "apps")
        for volume in items(pod_template(one), "spec", "volumes")
        if (space_of(one), text(volume, "configMap", "name")) in names
    ]


def _opened(subject: Subject, workloads: list[KubernetesObject]) -> Iterator[KubernetesObject]:
    """The load balancers that lead to any of these, each once."""
    if not workloads:
        return
    services = {id(service): service for service, one in balanced(subject) if any(one is each for each in workloads)}
    yield from services.values()


@lru_cache(maxsize=64)
def _is_anonymous(config: str) -> bool:
    if "anonymous" not in config:
        return False
    try:
        return text(read_document(config.encode()), "auth", "strategy") == "anonymous"
    except (ReadError, UnicodeEncodeError):
        return False


@lru_cache(maxsize=64)
def _anonymous_ini(config: str) -> bool:
    if "auth.anonymous" not in config:
        return False
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    try:
        parser.read_string(config)
        return parser.getboolean("auth.anonymous", "enabled", fallback=False)
    except (configparser.Error, ValueError, AttributeError):
        return False


def _enables_anonymous(workload: KubernetesObject) -> bool:
    return any(
        one.get("name") == "GF_AUTH_ANONYMOUS_ENABLED" and str(one.get("value")).lower() == "true"
        for container in containers(pod_template(workload) or {})
        for one in items(container, "env")
    )


def _by_chart(subject: Subject, addon: str, path: tuple[str, ...], values: tuple[object, ...]) -> bool:
    """Whether an addon's chart is told one of these values, and its Service is opened."""
    settings: Map = mapping(subject.settings.get("addons"), addon)
    told: object = mapping(settings, "values", *path[:-1]).get(path[-1])
    return (
        settings.get("source") == "helm"
        and told in values
        and any(
            key.partition(".")[0] == addon and mapping(exposure).get("type") in (None, "LoadBalancer")
            for key, exposure in mapping(subject.settings.get("expose")).items()
        )
    )


RULES = (
    Rule("MG510", "warning", "Kiali without a login behind a load balancer", _kiali, of_objects=True),
    Rule("MG511", "warning", "Grafana without a login behind a load balancer", _grafana, of_objects=True),
)
