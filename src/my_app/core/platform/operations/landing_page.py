"""The landing page at `/`: shows which version of the service is running."""

from base64 import b64encode
from hashlib import sha256
from html import escape

from fastapi.openapi.docs import get_swagger_ui_html

from .... import TITLE
from ..context import Context

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 40rem; margin: 12vh auto; padding: 0 1.5rem }
h1 { margin: 0 0 1.5rem; font-size: 1.75rem }
h1 small { font-size: 1rem; font-weight: 400; opacity: .7 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .4rem 1.5rem }
dt { opacity: .7 }
dd { margin: 0; font-family: ui-monospace, monospace; overflow-wrap: anywhere }
nav { margin-top: 2rem; display: flex; flex-wrap: wrap; gap: 1.25rem }
"""

# The page loads nothing; the hash allows its own style sheet and no other.
POLICY = (
    "default-src 'none'; img-src data:; frame-ancestors 'none'; style-src 'sha256-"
    f"{b64encode(sha256(STYLE.encode()).digest()).decode()}'"
)

# FastAPI's page loads Swagger UI from a CDN and starts it with an inline script.
DOCS_POLICY = (
    "default-src 'none'; frame-ancestors 'none'; connect-src 'self'; "
    "script-src 'unsafe-inline' https://cdn.jsdelivr.net; "
    "style-src 'unsafe-inline' https://cdn.jsdelivr.net; "
    "img-src 'self' data: https://fastapi.tiangolo.com"
)

LINKS = {
    "/docs": "API documentation",
    "/openapi.json": "OpenAPI",
    "/version": "Version",
    "/healthz": "Health",
    "/readyz": "Readiness",
    "/metrics": "Metrics",
}

DOCS = ("/docs", "/openapi.json")
PLACE = '<div id="swagger-ui">'
WAITING = (
    "This page loads Swagger UI from cdn.jsdelivr.net. If this text stays, the browser "
    'cannot reach it: read <a href="openapi.json">openapi.json</a> instead.'
)


def render_docs() -> str:
    """Render FastAPI's page of the documentation, which also says what it needs."""
    page = get_swagger_ui_html(openapi_url="openapi.json", title=f"{TITLE} · API")
    return bytes(page.body).decode().replace(PLACE, PLACE + WAITING)


def render_landing_page(context: Context) -> str:
    """Render the page: self-contained, without scripts or external resources."""
    build, environment = context.build, context.settings.environment
    facts = {
        "Version": build.version,
        "Commit": build.commit,
        "Branch": build.branch,
        "Built at": build.built_at,
        "Environment": environment,
    }
    if not context.settings.production:
        on = [name for name, state in context.flags.enabled().items() if state]
        facts["Flags on"] = ", ".join(on) or "none"
    rows = "\n".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
        for name, value in facts.items()
    )
    hidden = () if context.settings.docs else DOCS
    if context.settings.metrics_port:
        hidden = (*hidden, "/metrics")
    # Relative, so that they work behind a proxy that adds a path prefix.
    links = "\n".join(
        f'<a href="{address.removeprefix("/")}">{escape(text)}</a>'
        for address, text in LINKS.items()
        if address not in hidden
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{escape(TITLE)} · {escape(environment)}</title>
<link rel="icon" href="data:,">
<style>{STYLE}</style>
</head>
<body>
<h1>{escape(TITLE)} <small>{escape(environment)}</small></h1>
<dl>
{rows}
</dl>
<nav>
{links}
</nav>
</body>
</html>
"""
