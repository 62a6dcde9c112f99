"""The service as it ships, with one trivial feature."""

from fastapi import APIRouter

from my_app.config import Settings, load
from my_app.core.app import create_app
from my_app.core.platform.feature import Feature
from my_app.core.platform.observability.logs import configure_logging

router = APIRouter()


@router.get("/hello")
async def hello() -> dict[str, str]:
    """Answer as the peers do."""
    return {"message": "hello"}


settings, flags = load(Settings)
configure_logging(settings)
app = create_app(settings, flags, features=[Feature(name="hello", router=router)])
