"""HTTPS: refused with a wrong key, renewed without a lost request."""

import shutil
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import httpx2
import pytest

from my_app.config import Settings

from tests.servers import PATIENCE, ROOT, clean_environment, serving

OPENSSL = shutil.which("openssl") or "openssl"
NEW = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def issue(folder: Path, name: str) -> tuple[Path, Path]:
    """Write a certificate for a name, and its key."""
    folder.mkdir(exist_ok=True)
    made = folder / f"{name}.pem", folder / f"{name}.key"
    options = (
        "-subj",
        f"/CN={name}",
        "-days",
        "2",
        "-out",
        made[0],
        "-keyout",
        made[1],
    )
    subprocess.run([OPENSSL, *NEW, *options], check=True, capture_output=True)
    return made


def test_a_certificate_that_does_not_fit_its_key_is_a_problem(tmp_path: Path) -> None:
    (certificate, key), (_, other) = issue(tmp_path, "a"), issue(tmp_path, "b")
    for named, count in ((key, 0), (other, 1), (tmp_path / "none", 1)):
        settings = Settings(tls_certificate=str(certificate), tls_key=str(named))
        assert len(settings.unsuitable()) == count


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_renewed_certificate_is_served_without_a_lost_request(
    tmp_path: Path, workers: str
) -> None:
    old, new = issue(tmp_path / "old", "old.test"), issue(tmp_path / "new", "new.test")
    files = tmp_path / "tls.pem", tmp_path / "tls.key"
    for source, file in zip(old, files, strict=True):
        file.write_bytes(source.read_bytes())
    tls = {"APP_TLS_CERTIFICATE": str(files[0]), "APP_TLS_KEY": str(files[1])}
    done = Event()
    with serving(tmp_path / "out", "--workers", workers, **tls) as (server, port):
        with ThreadPoolExecutor() as pool:
            wait_for(port)
            before = served(port)
            asking = pool.submit(ask_until, done, port)
            new[0].replace(files[0])
            # Its key is not there yet.
            assert {served(port) for _ in range(20)} == {before}
            new[1].replace(files[1])
            # A handshake notices it, for those after it: in each worker.
            *_, after = [served(port) for _ in range(40)]
            done.set()
        assert asking.result() > 0
        variables = clean_environment() | tls | {"APP_PORT": str(port)}
        module = "my_app.core.platform.operations.healthcheck"
        subprocess.run(
            [sys.executable, "-m", module], env=variables, cwd=ROOT, check=True
        )
    assert after != before
    assert "certificate renewed" in server.said()


def wait_for(port: int) -> None:
    """Wait until a worker listens: the supervisor has bound the port before."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.01)


def served(port: int) -> bytes:
    """Return the certificate of a new connection."""
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port)))


def ask_until(done: Event, port: int) -> int:
    """Ask on new and on kept connections; return how many were answered."""
    answered = 0
    with httpx2.Client(verify=False, base_url=f"https://127.0.0.1:{port}") as kept:
        while not (answered and done.is_set()):
            assert kept.get("/healthz").status_code == 200
            address = f"https://127.0.0.1:{port}/healthz"
            assert httpx2.get(address, verify=False).status_code == 200
            answered += 2
    return answered
