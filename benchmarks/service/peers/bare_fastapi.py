"""FastAPI with nothing added: a small answer, and a quote by our own rules."""

from fastapi import FastAPI

from my_app.config import Flags
from my_app.core.billing.pricing import Plan, Quote, calculate_billing
from my_app.core.billing.schemas import QuoteRequest, QuoteResponse

app = FastAPI()
flags = Flags()


@app.get("/hello")
async def hello() -> dict[str, str]:
    """Answer as the peers do."""
    return {"message": "hello"}


@app.post("/billing/quotes", response_model=QuoteResponse)
async def create_quote(request: QuoteRequest) -> Quote:
    """Quote as the service does."""
    return calculate_billing(Plan(**request.model_dump()), flags)
