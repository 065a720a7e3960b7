"""What came into the house: known holes of the libraries, what scanners say of the source, whether pins hold.

    python -m tests.faults.supply

It runs pip-audit, bandit and semgrep where they are installed (on PATH, not among ccod's own packages), and says of
each other that it did not. What bandit says is passed over where ruff was told in that place why it is no fault
(`noqa: S…`), or where it stands in `REVIEWED`. The hashes of requirements/*.txt are tried by asking for a package with
another hash: pip must refuse it.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SKIPPED = 77
SECONDS = 300
SOURCES = ("ccod", "plugins", "contrib")
PIN = re.compile(r"^[a-z0-9][\w.\-]*(?:\[[\w,]+\])?==\S+", re.IGNORECASE)


REVIEWED = {
    ("ccod/testing/daemon.py", "B501"): "a client for tests, of a daemon whose certificate signed itself",
    ("ccod/testing/storage_counts.py", "B108"): "a path in a record, which nobody opens",
    ("plugins/ccod_sql/quarters.py", "B608"): "names of tables and columns of ours",
}


class SkippedError(Exception):
    """Something cannot be tried here."""


def bandit() -> Iterator[str]:
    """Yield what is of medium weight or more."""
    command = [_program("bandit"), "-q", "-r", *SOURCES, "-x", "*/tests/*,*/test_*,*/build/*", "-ll", "-f", "json"]
    report = json.loads(_run(command).stdout)
    for issue in report["results"]:
        if not _is_explained(issue):
            yield f"{issue['filename']}:{issue['line_number']}: {issue['test_id']} {issue['issue_text']}"
    for error in report["errors"]:
        yield f"not scanned: {error}"


def _is_explained(issue: dict[str, Any]) -> bool:
    if (issue["filename"].removeprefix("./"), issue["test_id"]) in REVIEWED:
        return True
    lines = (ROOT / issue["filename"]).read_text().splitlines()
    place = "\n".join(lines[issue["line_range"][0] - 1 : issue["line_range"][-1]])
    return re.search(rf"# noqa: .*\bS{issue['test_id'][1:]}\b", place) is not None


def pip_audit() -> Iterator[str]:
    """Yield the known holes of what is pinned to run."""
    pins = str(ROOT / "requirements" / "run.txt")
    done = _run([_program("pip-audit"), "--disable-pip", "--require-hashes", "-f", "json", "-r", pins])
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        raise SkippedError(f"pip-audit did not reach its list: {done.stderr.strip()[-150:]}") from None
    if unknown := [each["name"] for each in packages if "skip_reason" in each]:
        raise SkippedError(
            f"pip-audit was told nothing of {len(unknown)} of {len(packages)} packages: no way to its list"
        )
    yield from (f"{each['name']} {each['version']}: {hole['id']}" for each in packages for hole in each["vulns"])


def semgrep() -> Iterator[str]:
    """Yield what the rules for Python find."""
    done = _run([_program("semgrep"), "scan", "--config", "p/python", "--json", "--metrics", "off", *SOURCES])
    if done.returncode > 1:
        raise SkippedError(f"semgrep has no rules: {done.stderr.strip()[-150:]}")
    for issue in json.loads(done.stdout)["results"]:
        yield f"{issue['path']}:{issue['start']['line']}: {issue['check_id']}"


def unhashed() -> Iterator[str]:
    """Yield files that pin nothing, and pins without a hash."""
    for file in sorted((ROOT / "requirements").glob("*.txt")):
        pins = _pins(file)
        yield from (f"{file.name}: {pin.split()[0]} has no hash" for pin in pins if "--hash=sha256:" not in pin)
        if not pins:
            yield f"{file.name} pins nothing"


def _pins(file: Path) -> list[str]:
    return [entry for entry in re.split(r"(?<!\\)\n", file.read_text()) if PIN.match(entry)]


def hashes() -> Iterator[str]:
    """Yield pins without a hash, and whether pip takes other bytes than those that are pinned."""
    yield from unhashed()
    first = _pins(ROOT / "requirements" / "run.txt")[0]
    with tempfile.TemporaryDirectory() as folder:
        forged = Path(folder) / "forged.txt"
        forged.write_text(f"{first.split()[0]} --hash=sha256:{'0' * 64}\n")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        done = _run([*pip, "--require-hashes", "--dest", folder, "-r", str(forged)])
    if done.returncode == 0:
        yield "pip takes a package whose hash is another"
    elif "DO NOT MATCH" not in done.stdout + done.stderr:
        raise SkippedError(f"pip came to no package: {done.stderr.strip()[-150:]}")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SkippedError(f"{name} is not installed (pip install {name}, outside of ccod's own environment)")
    return found


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.supply", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="not used: nothing here is left to chance")
    parser.parse_args()
    done, failed = 0, False
    for trial in (hashes, bandit, pip_audit, semgrep):
        try:
            violations = list(trial())
        except SkippedError as reason:
            print(f"{trial.__name__}: SKIPPED: {reason}", flush=True)
            continue
        done, failed = done + 1, failed or bool(violations)
        print(f"{trial.__name__}: {len(violations)} violations", flush=True)
        for violation in violations:
            print(f"VIOLATION: {violation}")
    return int(failed) if done else SKIPPED


if __name__ == "__main__":
    sys.exit(main())
