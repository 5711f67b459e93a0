"""What Istio refuses of the mesh's load balancing by locality.

Sources in istio/istio: ValidateLocalityLbSetting, validateLocalities and ValidateZoneAwareLbSetting in
pkg/config/validation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from meshgen.check.setting import Numbers, Problem, Setting

# The first tag that has the check, by comparison of all tags.
_REGION_ALONE = (1, 13, 0)
_PRIORITY = (1, 20, 0)
_ZONE_AWARE = (1, 31, 0)
_TOPOLOGY = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone")


def locality_problems(mesh: Setting, version: Numbers) -> Iterator[Problem]:
    """What is wrong with `localityLbSetting` and `zoneAwareLbSetting` of a mesh config."""
    setting = mesh.at("localityLbSetting")
    distribute, failover = setting.at("distribute"), setting.at("failover")
    if distribute.value and failover.value:
        yield failover.problem("can't be said together with distribute", "keep one of them")
        return
    if version >= _PRIORITY and failover.value:
        yield from _priorities(setting, "a topology label can't be said together with failover")
    for entry in distribute.each():
        yield from _weights(entry)
    sources = [entry.at("from") for entry in distribute.each() if isinstance(entry.value, dict)]
    yield from _side_by_side([(source.text, source) for source in sources if source.text is not None])
    yield from _failovers(failover, version >= _REGION_ALONE)
    if version >= _ZONE_AWARE:
        aware = mesh.at("zoneAwareLbSetting")
        yield from _priorities(aware, "zone-aware load balancing goes by this topology label itself")
        yield from _failovers(aware.at("failover"), True)


def _priorities(setting: Setting, text: str) -> Iterator[Problem]:
    for label in setting.at("failoverPriority").each():
        if label.value in _TOPOLOGY:
            yield label.problem(text, "take the label out")


def _weights(entry: Setting) -> Iterator[Problem]:
    to = entry.at("to")
    if not isinstance(entry.value, dict) or not isinstance(to.value, dict | None):
        return
    weights = [(entry, entry.number) for _, entry in to.entries()]
    known = [number for _, number in weights if number is not None]
    for weight, number in weights:
        if number is not None and not 1 <= number <= 100:
            yield weight.problem("the locality weight is not in the range 1..100", "say 1 to 100")
    if len(known) == len(weights) and sum(known) != 100:
        yield to.problem("the total locality weight is not 100", "let the weights add up to 100")
    # Go visits a map in any order, and only some refuse a wildcard: this is the order that is the last to refuse.
    yield from _side_by_side(sorted(to.entries(), key=lambda entry: (entry[0].endswith("*"), -entry[0].count("/"))))


def _failovers(failover: Setting, region_alone: bool) -> Iterator[Problem]:
    for entry in failover.each():
        source, target = entry.at("from").text, entry.at("to").text
        if not isinstance(entry.value, dict) or source is None or target is None:
            continue
        if source == target:
            yield entry.problem("failover must specify different regions, from and to", "name another region")
        if region_alone and "/" in source + target:
            yield entry.problem("failover takes a region alone, not a zone", "name the region without /")
        if "*" in (source + target if region_alone else target):
            yield entry.problem("failover takes no wildcard * for a region", "name the region")


def _side_by_side(localities: Sequence[tuple[str, Setting]]) -> Iterator[Problem]:
    """What is wrong with localities such as `region/zone/subzone`, each with the setting that says it."""
    taken: list[Sequence[str]] = []
    for name, setting in localities:
        parts = name.split("/", 2)
        if "*" in name[:-1]:
            yield setting.problem("the wildcard * of a locality stands once, at its end", "write * at the end alone")
        elif "" in parts:
            yield setting.problem("the locality has an empty region, zone or subzone", "name it, or leave the rest out")
        elif any(_covers(other, parts) for other in taken):
            yield setting.problem("the locality overlaps with one before it", "take one of them out")
        taken.append(parts)


def _covers(other: Sequence[str], parts: Sequence[str]) -> bool:
    """A region covers its zones, and is covered by them; * covers what comes after it."""
    for theirs, ours in zip(other, parts, strict=False):
        if theirs == "*":
            return True
        if theirs != ours:
            return False
    return True
