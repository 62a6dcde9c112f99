"""Billing, the example of hard things: keep or delete it."""

from ..platform.feature import Feature
from .endpoints import invoices, router

router.include_router(invoices.router)
feature = Feature(name="billing", router=router)
