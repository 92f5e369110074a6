"""What callers do at each screen, for Prometheus.

The figures are kept in Redis, counted by whoever saves a turn first: they are the same
on every machine, they outlive a restart, and a retry is in none of them. Labels name
flows, screens, channels and deeds; never a phone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.aftermath import SECONDS

__all__ = ["CONTENT_TYPE", "exposed"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

SCREENS = {
    "shown": "Times a screen was sent to a phone.",
    "answered": "Times it was answered with what it takes.",
    "wrong": "Times it was answered with anything else.",
    "abandoned": "Calls that ended or fell silent at it.",
}
LABELS = ("flow", "screen", "channel")


def exposed(counts: Mapping[str, int], flow_of: Callable[[str], str]) -> bytes:
    """Counts, by their names `what|channel|screen`, in the text format 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Counted(counts, flow_of))
    return generate_latest(registry)


class _Counted(Collector):
    def __init__(
        self, counts: Mapping[str, int], flow_of: Callable[[str], str]
    ) -> None:
        self._flow_of = flow_of
        # what -> (channel, screen) -> how often
        self._counts: dict[str, dict[tuple[str, str], int]] = {}
        for name, number in sorted(counts.items()):
            what, channel, screen = name.split("|", 2)
            self._counts.setdefault(what, {})[channel, screen] = number

    def collect(self) -> Iterator[Metric]:
        for what, says in SCREENS.items():
            family = CounterMetricFamily(
                f"yarigar_ussd_screens_{what}", says, labels=LABELS
            )
            for (channel, screen), number in self._counts.get(what, {}).items():
                family.add_metric((self._flow_of(screen), screen, channel), number)
            yield family
        deeds = CounterMetricFamily(
            "yarigar_ussd_deeds", "Deeds done.", labels=("deed", "channel")
        )
        for (channel, deed), number in self._counts.get("done", {}).items():
            deeds.add_metric((deed, channel), number)
        yield deeds
        yield self._seconds()

    def _seconds(self) -> HistogramMetricFamily:
        """From the reply that showed a screen to the answer."""
        family = HistogramMetricFamily(
            "yarigar_ussd_answer_seconds",
            "Seconds from the reply that showed a screen to its answer.",
            labels=LABELS,
        )
        for (channel, screen), summed in self._counts.get("milliseconds", {}).items():
            buckets, until = [], 0
            for most in (*map(str, SECONDS), "inf"):
                within = self._counts.get(f"within_{most}", {})
                until += within.get((channel, screen), 0)
                buckets.append(("+Inf" if most == "inf" else f"{most}.0", until))
            family.add_metric(
                (self._flow_of(screen), screen, channel), buckets, summed / 1000
            )
        return family
