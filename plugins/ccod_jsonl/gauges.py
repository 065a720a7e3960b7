"""What is watched, and how: looked up when somebody wants to know."""

from __future__ import annotations

from collections.abc import Callable

from ccod import Metrics
from ccod_jsonl.catalogue import Catalogue
from ccod_jsonl.scanning import Scanner
from ccod_jsonl.watching import KINDS, Watcher


def show(metrics: Metrics, source: str, catalogue: Catalogue, scanner: Scanner, watcher: Watcher) -> None:
    """Let these be collected, in place of those of this source that were there before."""
    for name, description, count in (
        ("ccod_watch_roots", "Folders of projects that are to be watched.", lambda: scanner.roots),
        (
            "ccod_watch_blind_folders",
            "Folders that cannot be looked into, such as a root that is not there.",
            lambda: scanner.blind,
        ),
        (
            "ccod_watch_files",
            "Transcripts, and files beside them, that are followed.",
            lambda: catalogue.followed,
        ),
        (
            "ccod_watch_folders",
            "Folders of which inotify tells; no other watcher counts them.",
            lambda: watcher.folders,
        ),
    ):
        metrics.gauge(name, description, "source").labels(source).set_function(count)
    told = "1 for what tells of changes at once; with none they are found by scanning."
    kinds = metrics.gauge("ccod_watch_watcher", told, "source", "watcher")
    for each in KINDS:
        kinds.labels(source, each).set(each == watcher.kind)


def overflows(metrics: Metrics, source: str) -> Callable[[], None]:
    """Return what to call each time that the kernel had more to tell than it keeps, so that every file is looked at."""
    told = "How often inotify had more to tell than it keeps; every file was looked at then."
    return metrics.counter("ccod_watch_overflows_total", told, "source").labels(source).inc
