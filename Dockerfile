# The portal's image: web, worker and the one-shot migration differ only in their command.

FROM python:3.11-slim-bookworm AS packages
COPY requirements.lock /tmp/
RUN python -m venv /opt/venv \
 && /opt/venv/bin/python -m pip install --no-cache-dir --require-hashes --no-deps -r /tmp/requirements.lock

FROM python:3.11-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends git openssh-client \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --home-dir /var/lib/cvdops --create-home --shell /usr/sbin/nologin cvdops
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CVDOPS_MODE=production \
    CVDOPS_DATA_DIR=/var/lib/cvdops \
    CVDOPS_STATIC=/opt/portal/static-collected
WORKDIR /opt/portal
COPY manage.py ./
COPY cvdops cvdops
COPY runbooks runbooks
COPY docs/template.md docs/glossary.md docs/
COPY docs/lint docs/lint
COPY templates templates
COPY static static
# A key for this one command; production refuses to start without its own.
RUN SECRET_KEY=$(python -c 'import secrets; print(secrets.token_urlsafe(64))') ALLOWED_HOSTS=localhost \
    python manage.py collectstatic --noinput --verbosity 0
USER cvdops
VOLUME /var/lib/cvdops
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-m", "cvdops.stack.health"]
CMD ["python", "-m", "uvicorn", "cvdops.asgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--timeout-graceful-shutdown", "4", "--lifespan", "off", \
     "--http", "cvdops.web.live.delivery:Delivery", \
     "--no-proxy-headers", "--no-server-header", "--no-access-log", "--log-level", "warning"]
