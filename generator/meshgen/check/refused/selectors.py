"""Selectors that a workload's own template has to meet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshgen.check.refused.names import bad_selector
from meshgen.check.refused.refusal import Path, Refusal, Refusals
from meshgen.config.problems import plain
from meshgen.order.selectors import picks
from meshgen.policy.reading import Map, mapping


def own_selector_refusals(holder: Map, at: Path, template: Map) -> Refusals:
    """A selector that is empty, can't be read, or does not pick the pods of the template beside it."""
    selector = holder.get("selector")
    if not isinstance(selector, dict):
        return
    here = (*at, "selector")
    wrong = list(bad_selector(selector, here))
    yield from wrong
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield Refusal(here, "the selector is empty", "say matchLabels, as the template's labels are", at_key=True)
    elif not wrong:
        yield from _unmet(selector, here, mapping(template, "metadata", "labels"))


def _unmet(selector: Map, at: Path, labels: Mapping[str, Any]) -> Refusals:
    if picks(selector, labels) is not False:
        return
    for key, value in mapping(selector, "matchLabels").items():
        if labels.get(key) != value:
            has = "have another value" if key in labels else "lack it"
            hint = f"say {plain(key)}: {plain(value)} there, or change both alike"
            yield Refusal((*at, "matchLabels", key), f"the template's labels {has}", hint)
            return
    yield Refusal(at, "it does not pick the template's labels", "change the labels or the expressions", at_key=True)
