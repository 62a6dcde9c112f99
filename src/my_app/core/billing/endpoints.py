"""Billing over HTTP."""

from fastapi import APIRouter

from my_app.core.billing.pricing import Plan, Quote, calculate_billing
from my_app.core.billing.schemas import QuoteRequest, QuoteResponse
from my_app.core.platform.context import CurrentFlags
from my_app.core.platform.openapi import problem_responses

router = APIRouter(prefix="/billing", tags=["billing"])


@router.post(
    "/quotes",
    response_model=QuoteResponse,
    responses=problem_responses(400, 408, 413, 415, 422, 500, 503),
)
async def create_quote(request: QuoteRequest, flags: CurrentFlags) -> Quote:
    """Price a plan, line by line."""
    plan = Plan(**request.model_dump())
    return calculate_billing(plan, flags)
