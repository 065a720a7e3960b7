"""Reads what a daemon exposes as Prometheus would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import Metric, generate_latest, parser
from prometheus_client.openmetrics import parser as openmetrics

from ccod import Metrics


def read(metrics: Metrics) -> Scrape:
    return Scrape(generate_latest(metrics.registry).decode())


class Scrape:
    """Figures by name and labels."""

    def __init__(self, text: str, *, is_openmetrics: bool = False) -> None:
        read = openmetrics.text_string_to_metric_families if is_openmetrics else parser.text_string_to_metric_families
        self.families: Mapping[str, Metric] = {family.name: family for family in read(text)}
        self.samples = [sample for family in self.families.values() for sample in family.samples]

    @property
    def names(self) -> set[str]:
        """The names under which families are queried: a histogram's without what is put behind it."""
        return {name + "_total" * (family.type == "counter") for name, family in self.families.items()}

    def sum(self, name: str, **labels: str) -> float:
        """Return the sum of the samples that have these labels; there must be some."""
        found = self.all(name, **labels)
        assert found, f"no {name} {labels}"
        return sum(found)

    def all(self, name: str, **labels: str) -> list[float]:
        return [s.value for s in self.samples if s.name == name and labels.items() <= s.labels.items()]

    def values(self, name: str, label: str) -> set[str]:
        """Return the values that a label has."""
        return {s.labels[label] for s in self.samples if s.name == name}

    @property
    def labels(self) -> Iterable[str]:
        return {label for sample in self.samples for label in sample.labels}
