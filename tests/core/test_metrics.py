"""Instruments are one for each name, and no text from outside makes a series of its own for ever."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccod.errors import StorageUnavailableError
from ccod.metrics import OTHER, Metrics, Values
from ccod.model import Batch, Checkpoint, Entry, Record, Stream, Unparsed
from ccod.queries import ProjectQuery
from ccod.standin import OPERATIONS
from ccod.tally import MOST_STREAMS, Tally
from ccod.testing.shelf import Shelf
from ccod.timing import timed
from tests.plugins.metrics.scraping import read


def test_one_name_is_one_instrument() -> None:
    metrics = Metrics()
    metrics.counter("ccod_x_total", "X.", "kind").labels("a").inc()
    metrics.counter("ccod_x_total", "X.", "kind").labels("a").inc()
    assert read(metrics).sum("ccod_x_total", kind="a") == 2
    with pytest.raises(ValueError, match="ccod_x_total is a Counter already"):
        metrics.gauge("ccod_x_total", "X.")


def test_each_daemon_has_its_own() -> None:
    first, second = Metrics(), Metrics()
    first.counter("ccod_x_total", "X.").inc()
    assert read(second).names == set()


def test_a_unit_is_the_end_of_the_name() -> None:
    from prometheus_client.openmetrics.exposition import generate_latest

    metrics = Metrics()
    metrics.histogram("ccod_wait_seconds", "Waiting.").observe(1)
    metrics.gauge("ccod_x", "X.").set(1)
    told = generate_latest(metrics.registry).decode()  # type: ignore[no-untyped-call]
    assert re.findall("# UNIT (.*)", told) == ["ccod_wait_seconds seconds"]


@given(st.lists(st.text(max_size=80), max_size=50))
def test_values_are_few_and_harmless(texts: list[str]) -> None:
    values = Values(most=3)
    shown = [values(text) for text in texts]
    assert [values(text) for text in texts] == shown
    assert len({*shown} - {OTHER}) <= 3
    assert all(len(text) <= 64 and text.isascii() and text.isprintable() for text in shown)


@pytest.mark.parametrize("program", ["import ccod.cli", "import ccod.cli, ccod; ccod.cli.cli(['plugins'])"])
def test_commands_start_without_the_library(program: str) -> None:
    told = "import atexit, sys; atexit.register(lambda: print('prometheus_client' in sys.modules)); " + program
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


# ---------------------------------------------------------------- what comes in


def batch(key: str = "s", *, written_at: int | None = None, history: bool = False, records: int = 1) -> Batch:
    stream = Stream(key, "lines", "/a", "c")
    body = [Record(number, b"x\n") for number in range(records)]
    return Batch(stream, body, Checkpoint(2), history=history, written_at=written_at)


def entry(kind: str = "user", version: str | None = None, *, known: bool = True) -> Entry:
    return Entry(0, 1, kind, known=known, version=version)


def test_entries_are_counted_by_type_and_strange_ones_together() -> None:
    metrics = Metrics()
    tally = Tally(metrics)
    tally.count("src", batch(), [entry(), entry("user"), entry("x", known=False), entry("y", known=False)])
    tally.count("src", batch(), [entry(f"type{number}") for number in range(100)])
    found = read(metrics)
    counted = "ccod_ingest_entries_total"
    assert found.sum(counted, source="src", type="user") == 2
    assert found.sum(counted, source="src", type="unknown") == 2
    assert found.sum(counted, source="src", type="other") == 100 - 62
    assert found.sum(counted) == 104


def errors(*batches: tuple[str, list[Entry | Unparsed]]) -> dict[str, float]:
    metrics = Metrics()
    tally = Tally(metrics)
    for key, entries in batches:
        tally.count("src", batch(key), entries)
    found = read(metrics)
    name = "ccod_parse_errors_total"
    return {version: found.sum(name, version=version) for version in found.values(name, "version")}


BAD = Unparsed(0, 1, "no line")


def test_an_error_bears_the_version_that_wrote_its_stream() -> None:
    assert errors(("s", [BAD])) == {"unknown": 1}
    assert errors(("s", [BAD, entry(version="2.1.0"), BAD])) == {"2.1.0": 2}
    assert errors(("s", [entry(version="2.1.0")]), ("s", [BAD]), ("t", [BAD])) == {"2.1.0": 1, "unknown": 1}
    assert errors(("s", [entry(version="1.0"), entry(version="2.0"), BAD]), ("s", [BAD])) == {"2.0": 2}


@pytest.mark.parametrize(
    "version", ["hunter2", "1.0-hunter2", "1" * 50, "1.2.3.4.5", "\u0661.\u0662", "1.0\n", " 1.0", "."]
)
def test_a_version_that_is_none_is_no_label(version: str) -> None:
    assert errors(("s", [entry(version=version), BAD])) == {"other": 1}


def test_versions_of_few_streams_are_kept_in_mind() -> None:
    many: list[tuple[str, list[Entry | Unparsed]]] = [
        (str(number), [entry(version="1.0")]) for number in range(MOST_STREAMS + 1)
    ]
    assert errors(*many, ("0", [BAD]), ("1", [BAD])) == {"unknown": 1, "1.0": 1}


def test_the_lag_is_that_of_live_records() -> None:
    metrics = Metrics()
    tally = Tally(metrics)
    now = time.time_ns() // 1_000_000
    for told in (
        batch(written_at=now - 2000),
        batch(written_at=now + 3_600_000),
        batch(written_at=now, history=True),
        batch(written_at=now, records=0),
        batch(),
    ):
        tally.published(told)
    found = read(metrics)
    assert found.sum("ccod_ingest_lag_seconds_count") == 2
    assert 2 <= found.sum("ccod_ingest_lag_seconds_sum") < 60
    assert found.sum("ccod_ingest_lag_seconds_bucket", le="0.001") == 1


# ---------------------------------------------------------------- what a storage is asked


async def test_a_storage_is_timed_and_is_otherwise_itself() -> None:
    metrics, shelf = Metrics(), Shelf()
    storage = timed(shelf, metrics)
    assert await storage.figured() == await shelf.figured()
    await storage.figured()
    shelf.failure = StorageUnavailableError("away")
    with pytest.raises(StorageUnavailableError):
        await storage.projects(ProjectQuery())
    assert storage.revision == shelf.revision
    assert storage.folder == shelf.folder
    counted = "ccod_db_query_duration_seconds_count"
    found = read(metrics)
    assert (found.sum(counted, op="figured"), found.sum(counted, op="projects"), found.sum(counted)) == (2, 1, 3)


def test_every_method_that_waits_is_an_operation() -> None:
    assert {"append", "maintain", "conversations", "keep", "facts"} <= OPERATIONS
    assert not {"revision", "folder", "called", "__aenter__", "__aexit__"} & OPERATIONS
