"""Billing: quotes and invoices. The sample feature, to copy or to delete."""

from ..platform.feature import Feature
from .endpoints import router

feature = Feature(name="billing", router=router)
