"""What is watched, and how: looked up when somebody wants to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccod import Metrics
from ccod_jsonl.catalogue import Catalogue
from ccod_jsonl.scanning import Scanner
from ccod_jsonl.watching import KINDS, Watcher

if TYPE_CHECKING:
    from prometheus_client import Gauge


def show(metrics: Metrics, source: str, catalogue: Catalogue, scanner: Scanner, watcher: Watcher) -> None:
    """Let these be collected, in place of those of this source that were there before."""

    def gauge(name: str, description: str, *labels: str) -> Gauge:
        return metrics.gauge(name, description, "source", *labels)

    gauge("ccod_watch_roots", "Folders of projects that are to be watched.").labels(source).set(scanner.roots)
    gauge("ccod_watch_blind_folders", "Folders that cannot be looked into, such as a root that is not there.").labels(
        source
    ).set_function(lambda: scanner.blind)
    gauge("ccod_watch_files", "Transcripts, and files beside them, that are followed.").labels(source).set_function(
        lambda: catalogue.followed
    )
    gauge("ccod_watch_folders", "Folders of which inotify tells; no other watcher counts them.").labels(
        source
    ).set_function(lambda: watcher.folders)
    kind = gauge(
        "ccod_watch_watcher", "1 for what tells of changes at once; with none they are found by scanning.", "watcher"
    )
    for each in KINDS:
        kind.labels(source, each).set(each == watcher.kind)
