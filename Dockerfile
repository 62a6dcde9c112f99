# One image for every environment; docs/decisions/0010-image.md says why it is as it is.
# What differs between two builds of one commit is nothing: not a byte.
# An argument replaces a base image. Dependabot updates the pinned ones, and only where
# they stand in a line of their own; a build pulls those that it uses.
ARG PYTHON_IMAGE=pinned-python
ARG UV_IMAGE=pinned-uv
# Of all files, and never another one: a layer that did not change stays the same layer.
ARG SOURCE_DATE_EPOCH=315532800

FROM python:3.12-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254 AS pinned-python
FROM ghcr.io/astral-sh/uv:0.13@sha256:cdc6093146eb3ff6a40107b38f008b789e050e77ad87865e381d9917da55a168 AS pinned-uv

FROM ${UV_IMAGE} AS uv

# The public image with a user and without pip. Folders are emptied by making them anew:
# unlike the mark of a deleted file, that of a new folder has no time in it.
FROM ${PYTHON_IMAGE} AS base
ARG SOURCE_DATE_EPOCH
WORKDIR /app
RUN touch -d "1 second ago" /dev/shm/begun \
    && cp -a /usr/local/bin /dev/shm/bin \
    && rm /dev/shm/bin/pip* \
    && rm -r /usr/local/bin \
    && cp -a /dev/shm/bin /usr/local/bin \
    && for folder in /usr/local/lib/python3.*/ensurepip \
        /usr/local/lib/python3.*/site-packages; \
        do rm -r "$folder" && mkdir "$folder"; done \
    && echo "app:x:10001:10001::/app:/usr/sbin/nologin" >> /etc/passwd \
    && echo "app:x:10001:" >> /etc/group \
    && find /app /usr/local /etc/passwd /etc/group -newer /dev/shm/begun \
        -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +

# Which dependencies: a list that stays the same as long as those of production do.
FROM base AS export
ARG EXTRAS=""
WORKDIR /list
COPY pyproject.toml uv.lock ./
COPY package[s] packages/
RUN --mount=from=uv,source=/uv,target=/bin/uv \
    uv lock --check --offline || { echo "uv.lock is behind: uv lock" >&2; exit 1; } \
    && for extra in $EXTRAS; do set -- "$@" --extra "$extra"; done \
    && set -- --frozen --no-dev --no-header --no-annotate "$@" \
    && uv export --no-emit-workspace "$@" > all.txt \
    && uv export --only-emit-workspace --no-editable "$@" > own.txt \
    && sed "/ @ git+/!d" all.txt > git.txt \
    && sed "/ @ git+/d" all.txt > hashed.txt

FROM base AS deps
ARG SOURCE_DATE_EPOCH
# Bytecode without columns, which tracebacks underline, is a sixth smaller.
ENV UV_COMPILE_BYTECODE=1 \
    PYC_INVALIDATION_MODE=UNCHECKED_HASH \
    PYTHONNODEBUGRANGES=1 \
    UV_NO_INSTALLER_METADATA=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never \
    UV_SYSTEM_CERTS=1
COPY --from=export /list/hashed.txt /list/git.txt /list/
# Brackets, because neither the folder nor the file has to be in the context.
COPY docke[r]/unshippe[d].txt /list/
# Nothing of git, nor of apt's lists, reaches the image.
# hadolint ignore=DL3008,DL3009
RUN --mount=from=uv,source=/uv,target=/bin/uv \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=secret,id=uv.toml,target=/etc/uv/uv.toml \
    --mount=type=secret,id=netrc,target=/root/.netrc \
    uv venv --quiet .venv \
    && uv pip sync --require-hashes --python .venv/bin/python /list/hashed.txt \
    && if [ -s /list/git.txt ]; then \
        apt-get update && apt-get install --yes --no-install-recommends git \
        && uv pip install --no-deps --python .venv/bin/python -r /list/git.txt; \
    fi \
    # What packages bring for tests of their own, which nothing else imports.
    && touch /list/unshipped.txt \
    && while read -r tests; do rm -rf .venv/lib/python3*/site-packages/"$tests"; done \
        < /list/unshipped.txt \
    && rm -f .venv/.lock \
    && find . -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +

FROM deps AS app
ARG SOURCE_DATE_EPOCH
WORKDIR /src
COPY . .
COPY --from=export /list/own.txt .
RUN --mount=from=uv,source=/uv,target=/bin/uv \
    --mount=type=secret,id=uv.toml,target=/etc/uv/uv.toml \
    --mount=type=secret,id=netrc,target=/root/.netrc \
    uv pip install --no-cache --no-deps --python /app/.venv/bin/python \
        --prefix /layer/.venv -r own.txt \
    && rm -f /layer/.venv/.lock \
    && find /layer -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +

# The public image ships the standard library without bytecode, and the service's user
# cannot write any: each start, and each health check, would compile it again.
FROM base AS stdlib
ARG SOURCE_DATE_EPOCH
WORKDIR /layer
RUN python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
        -x "/(tests?|idlelib|lib2to3|pydoc_data|tkinter|turtledemo|site-packages)/" \
        /usr/local/lib/python3* \
    && find /usr/local/lib/python3* -name __pycache__ -exec cp -r --parents -t . {} + \
    && find . -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +

FROM base AS runtime
COPY --from=stdlib /layer/ /
COPY --from=deps /app/ /app/
COPY --from=app /layer/ /app/
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    APP_ENVIRONMENT=production \
    APP_HOST=0.0.0.0
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --start-interval=1s \
    CMD ["python", "-m", "my_app.core.platform.operations.healthcheck"]
CMD ["python", "-m", "my_app"]

# Last, so that they are in the cache key of nothing.
ARG REVISION=unknown
ARG BRANCH=unknown
ARG CREATED=unknown
ARG VERSION=""
ARG SOURCE=""
ARG SUBJECT=""
ARG AUTHOR=""
ARG FLAGS="{}"
ARG MIGRATIONS="[]"
ENV APP_COMMIT=$REVISION \
    APP_BRANCH=$BRANCH \
    APP_BUILT_AT=$CREATED
LABEL org.opencontainers.image.title="my-app" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$REVISION" \
    org.opencontainers.image.created="$CREATED" \
    org.opencontainers.image.source="$SOURCE" \
    dev.trunkline.branch="$BRANCH" \
    dev.trunkline.subject="$SUBJECT" \
    dev.trunkline.author="$AUTHOR" \
    dev.trunkline.flags="$FLAGS" \
    dev.trunkline.migrations="$MIGRATIONS"
