"""The same trivial service three times: ours, on FastAPI alone, on Starlette alone."""
