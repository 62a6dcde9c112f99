"""FastAPI with nothing added."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/hello")
async def hello() -> dict[str, str]:
    """Answer as the peers do."""
    return {"message": "hello"}
