"""Billing: quotes and invoices. The sample feature, to copy or to delete."""

from my_app.core.billing.endpoints import router
from my_app.core.platform.feature import Feature

feature = Feature(name="billing", router=router)
