"""Billing, the example of hard things: keep or delete it."""

from ..platform.feature import Feature
from .endpoints import router

feature = Feature(name="billing", router=router)
