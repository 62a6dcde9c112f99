"""Billing: quotes and invoices. The sample feature: copy it or delete it."""

from ..platform.feature import Feature
from .endpoints import router

feature = Feature(name="billing", router=router)
