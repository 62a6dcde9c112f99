"""The HTTP API of billing."""

from fastapi import APIRouter, Request

from ...platform.context import context_of
from ...platform.http.openapi import problem_responses
from ..pricing import Plan, Quote, calculate_billing
from ..schemas import QuoteRequest, QuoteResponse

router = APIRouter(prefix="/billing", tags=["billing"])


@router.post(
    "/quotes",
    response_model=QuoteResponse,
    responses=problem_responses(400, 408, 413, 415, 422, 500, 503),
)
async def create_quote(order: QuoteRequest, request: Request) -> Quote:
    """Quote the price of a plan, line by line."""
    plan = Plan(**order.model_dump())
    return calculate_billing(plan, context_of(request).flags)
