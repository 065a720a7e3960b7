"""The certificate and its key, checked when the daemon starts, and what a command trusts that asks it."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from ccod import ConfigError


def server_context(certfile: str, keyfile: str) -> ssl.SSLContext | None:
    """Return what serves HTTPS with these files, or None without any; raise ConfigError for what does not fit."""
    if not certfile and not keyfile:
        return None
    if not certfile or not keyfile:
        given, absent = ("certfile", "keyfile") if certfile else ("keyfile", "certfile")
        raise ConfigError(f"[http] {given}: is set, but {absent} is not; set both, or neither")
    certificate, key = _readable("certfile", certfile), _readable("keyfile", keyfile)
    _check_secrecy(key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except _EncryptedError:
        raise ConfigError(
            f"[http] keyfile: {key}: is encrypted; write it plain, as with `openssl pkey -in {key} -out NEW`"
        ) from None
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(f"[http] {_fault(error, certificate, key)}") from error
    return context


def client_context(certfile: str) -> ssl.SSLContext:
    """Return what believes only the holder of this very certificate, whoever signed it, whatever names it bears."""
    certificate = _readable("certfile", certfile)
    first, end, _ = certificate.read_text("ascii", "replace").partition("-----END CERTIFICATE-----")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=first + end)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(
            f"[http] certfile: {certificate}: holds no certificate; name a PEM file with BEGIN CERTIFICATE"
        ) from error
    return context


class _EncryptedError(Exception):
    """The key needs a password, for which nobody can be asked."""


def _no_password() -> str:
    raise _EncryptedError


def _fault(error: Exception, certificate: Path, key: Path) -> str:
    if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
        return f"keyfile: {key}: is not the key of the certificate {certificate}; name the files that belong together"
    if b"-----BEGIN CERTIFICATE" not in certificate.read_bytes():
        return f"certfile: {certificate}: holds no certificate; name a PEM file with BEGIN CERTIFICATE"
    if b"PRIVATE KEY-----" not in key.read_bytes():
        return f"keyfile: {key}: holds no key; name a PEM file with BEGIN PRIVATE KEY"
    return f"certfile: {certificate} and keyfile: {key}: cannot be used: {error}; make them anew"


def _readable(setting: str, name: str) -> Path:
    try:
        path = Path(name).expanduser()
        path.read_bytes()
    except (OSError, RuntimeError, ValueError) as error:
        problem = getattr(error, "strerror", None) or error
        raise ConfigError(f"[http] {setting}: {name}: {problem}; name a PEM file that ccod may read") from error
    return path


def _check_secrecy(key: Path) -> None:
    """A group may read the key where that is how this process reads it, as with Debian's `ssl-cert`."""
    status = key.stat()
    forbidden = 0o077 if status.st_uid == os.geteuid() else 0o007
    if status.st_mode & forbidden:
        raise ConfigError(f"[http] keyfile: {key}: others than its owner may read it; run: chmod 600 {key}")
