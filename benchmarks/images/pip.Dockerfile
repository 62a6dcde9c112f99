# The service in the shape that most begin with: one stage, and `pip install`.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE}
# pip of this age trusts its own certificates instead of the image's.
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    APP_HOST=0.0.0.0
WORKDIR /app
COPY . .
RUN python -m ensurepip && python -m pip install --no-cache-dir .
CMD ["python", "-m", "my_app"]
