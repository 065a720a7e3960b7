"""nginx before daemons, with contrib/fleet/proxy.conf as it is, but for names of hosts, ports and places of files."""

from __future__ import annotations

import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.daemon import free_port

CONF = Path(__file__).parents[2] / "contrib" / "fleet" / "proxy.conf"
NAME = "ccod.example.com"
START_SECONDS = 20.0


def reason_to_skip() -> str | None:
    """Return what is missing for it."""
    if not CONF.exists():
        return "the proxy's configuration is in the source tree"
    missing = next((each for each in ("nginx", "openssl") if shutil.which(each) is None), None)
    return f"{missing} is not installed (Debian: {missing})" if missing else None


class Nginx:
    """Proxy for daemons on these ports, with a certificate of its own below `folder`."""

    def __init__(self, folder: Path, ports: Sequence[int]) -> None:
        self.port = free_port()
        self._folder = folder
        self._certificate, key = folder / "cert.pem", folder / "key.pem"
        made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        names = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME},IP:127.0.0.1"]
        placed = ["-keyout", str(key), "-out", str(self._certificate)]
        subprocess.run(["openssl", *made, *placed, *names], check=True, capture_output=True)
        text = CONF.read_text()
        for written, meant in (
            *((f"node-{number}:3000", f"127.0.0.1:{port}") for number, port in enumerate(ports, 1)),
            ("listen 443", f"listen 127.0.0.1:{self.port}"),
            ("/run/secrets/certificate_key", str(key)),
            ("/run/secrets/certificate", str(self._certificate)),
        ):
            assert written in text, written
            text = text.replace(written, meant)
        conf = folder / "nginx.conf"
        conf.write_text(f"{text}\npid {folder}/nginx.pid;\n")
        self.command = ["nginx", "-p", str(folder), "-c", str(conf), "-e", str(folder / "error.log")]
        self.command += ["-g", "daemon off;"]

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self._certificate))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it, from when it takes connections on."""
        process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *self.command])
        try:
            self._wait(process)
            yield
        finally:
            process.send_signal(signal.SIGQUIT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        patience = time.monotonic() + START_SECONDS
        while True:
            assert process.poll() is None, (self._folder / "error.log").read_text()
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert time.monotonic() < patience
                time.sleep(0.02)
            else:
                return
