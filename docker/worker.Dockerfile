# For coding agents and CI runners: Python, uv, git and make; every package comes from
# the project's lock file, through a cache that workers share. docker/README.md: how.
ARG PYTHON_IMAGE=pinned-python
ARG UV_IMAGE=pinned-uv

FROM python:3.12-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254 AS pinned-python
FROM ghcr.io/astral-sh/uv:0.13@sha256:cdc6093146eb3ff6a40107b38f008b789e050e77ad87865e381d9917da55a168 AS pinned-uv

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
