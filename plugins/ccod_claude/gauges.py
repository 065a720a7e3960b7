"""What is watched, and how: looked up when somebody wants to know."""

from __future__ import annotations

from ccod import Metrics
from ccod_claude.catalogue import Catalogue
from ccod_claude.scanning import Scanner
from ccod_claude.watching import KINDS, Watcher


def show(metrics: Metrics, roots: int, catalogue: Catalogue, scanner: Scanner, watcher: Watcher) -> None:
    """Let these be collected, in place of those that were there before."""
    metrics.gauge("ccod_watch_roots", "Folders of projects that are to be watched.").set(roots)
    metrics.gauge(
        "ccod_watch_blind_folders", "Folders that cannot be looked into, such as a root that is not there."
    ).set_function(lambda: scanner.blind)
    metrics.gauge("ccod_watch_files", "Transcripts, and files beside them, that are followed.").set_function(
        lambda: catalogue.followed
    )
    metrics.gauge("ccod_watch_folders", "Folders of which inotify tells; no other watcher counts them.").set_function(
        lambda: watcher.folders
    )
    kind = metrics.gauge(
        "ccod_watch_watcher", "1 for what tells of changes at once; with none they are found by scanning.", "watcher"
    )
    for each in KINDS:
        kind.labels(each).set(each == watcher.kind)
