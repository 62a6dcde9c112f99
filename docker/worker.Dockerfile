# For coding agents and CI runners: Python, uv, git and make; every package comes from
# the project's lock file, through a cache that workers share. docker/README.md: how.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm
ARG UV_IMAGE=ghcr.io/astral-sh/uv:0.13

FROM ${UV_IMAGE} AS uv

FROM ${PYTHON_IMAGE}
# Debian's stable release brings repairs only, which are wanted.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    # Any user may run here, in a checkout of any other.
    && git config --system --add safe.directory '*' \
    && mkdir -m 1777 /cache /home/worker /work
COPY --from=uv /uv /uvx /usr/local/bin/
ENV HOME=/home/worker \
    UV_CACHE_DIR=/cache/uv \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never \
    UV_SYSTEM_CERTS=1
WORKDIR /work
USER 10001:10001
CMD ["bash"]
