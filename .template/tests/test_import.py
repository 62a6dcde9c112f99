"""What importing the application imports."""

import subprocess
import sys

from tests.servers import ROOT, clean_environment

LATER = {"aiosqlite", "alembic", "psycopg", "sqlalchemy"}


def test_importing_the_application_does_not_import_sqlalchemy() -> None:
    """SQLAlchemy takes as long to import as FastAPI does."""
    code = "import sys, my_app.main; "
    code += f"print(*{LATER} & sys.modules.keys())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=clean_environment() | {"APP_ENVIRONMENT": "test"},
        timeout=60,
    )

    assert done.stdout == "\n"
