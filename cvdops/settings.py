"""All settings, from the environment. A value that is missing or wrong stops the start with one sentence.

Each variable may also be given as a file: `SECRET_KEY_FILE=/run/secrets/key`. Without `DATABASE_URL`
the connection of the one-command system (`make up`) is used while it runs.
"""

import json
import os
import re
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import make_conninfo
from redis.connection import parse_url

from cvdops.catalog.origin import WrongOrigin, origin, ssh_command
from cvdops.lib.database import Connection
from cvdops.notifications.channels import WrongChannel
from cvdops.notifications.channels import parse as channels

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("CVDOPS_DATA_DIR") or BASE_DIR / ".data").resolve()

DEVELOPMENT_KEY = "development-only-key-never-used-in-production"


def _embedded() -> dict[str, str]:
    """What the running one-command system wrote for commands beside it: variable name → value."""
    try:
        content = json.loads((DATA_DIR / "run" / "environment.json").read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in content.items()}


_EMBEDDED = _embedded()


def env(name: str, default: str | None = None) -> str:
    """The value of a setting: the variable, the file named by `<name>_FILE`, or the default."""
    value = os.environ.get(name)
    if value:
        return value
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(
                f"{name}_FILE names {path}, which cannot be read: {error.strerror}."
            ) from None
        except UnicodeDecodeError:
            raise ImproperlyConfigured(f"{name}_FILE names {path}, which is not text.") from None
    if name in _EMBEDDED:
        return _EMBEDDED[name]
    if default is None:
        raise ImproperlyConfigured(f"{name} is not set. Start with `make up`, or set it.")
    return default


def _address(name: str, url: str, *schemes: str) -> SplitResult:
    """The parts of an address. No message quotes more of it than its scheme: it may hold a password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ImproperlyConfigured(f"{name} has brackets around what is no address.") from None
    if parts.scheme not in schemes:
        raise ImproperlyConfigured(
            f"{name} must begin with {schemes[0]}://, not {parts.scheme or 'nothing'}://."
        )
    try:
        _ = parts.port
    except ValueError:
        raise ImproperlyConfigured(f"{name} has a port that is not a number.") from None
    return parts


def _redis(url: str) -> str:
    parts = _address("REDIS_URL", url, "redis", "rediss", "unix")
    database = dict(parse_qsl(parts.query)).get("db", "")
    if parts.scheme != "unix":
        database = database or parts.path.strip("/")
    if database and not re.fullmatch("[0-9]{1,4}", database):
        raise ImproperlyConfigured("REDIS_URL names a database that is not a number.")
    try:
        parse_url(url)  # type: ignore[no-untyped-call]
    except ValueError:
        raise ImproperlyConfigured("REDIS_URL has an option whose value is wrong.") from None
    return url


def _database(url: str) -> dict[str, object]:
    parts = _address("DATABASE_URL", url, "postgresql", "postgres")
    options = dict(parse_qsl(parts.query))
    port = str(parts.port or "")
    try:
        make_conninfo("", **options)
    except ProgrammingError:
        raise ImproperlyConfigured("DATABASE_URL has an option that nobody knows.") from None
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", "") or (parts.hostname or ""),
        "PORT": options.pop("port", port),
        "CONN_MAX_AGE": 0,  # under ASGI a persistent connection leaks with its thread
        "CONN_HEALTH_CHECKS": True,  # what the pool kept over a restart of the server is not given out
        "OPTIONS": {
            "prepare_threshold": 5,  # for `lib.statements`; the ORM prepares nothing
            "connect_timeout": 3,
            "pool": {
                "connection_class": Connection,
                "min_size": 1,
                "max_size": DATABASE_POOL,
                "timeout": 2,
                # One of those that were not needed goes each time: each takes 8 MB.
                "max_idle": 20,
                # The pool doubles its pauses for so long; then the next request makes it try at once.
                "reconnect_timeout": 3,
            },
            **options,
        },
    }


def _number(name: str, default: int) -> int:
    value = env(name, str(default))
    if not re.fullmatch("[0-9]{1,9}", value):
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.")
    return int(value)


MODE = env("CVDOPS_MODE", "development")
if MODE not in {"development", "production"}:
    raise ImproperlyConfigured(f"CVDOPS_MODE must be development or production, not {MODE!r}.")
PRODUCTION = MODE == "production"

DEBUG = False
SECRET_KEY = env("SECRET_KEY", None if PRODUCTION else DEVELOPMENT_KEY)
# Former keys: they open what they have encrypted and signed until `rotate_keys` has run.
SECRET_KEY_FALLBACKS = [key for key in env("SECRET_KEY_FALLBACKS", "").split(",") if key]
ALLOWED_HOSTS = env("ALLOWED_HOSTS", None if PRODUCTION else "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in env("CSRF_TRUSTED_ORIGINS", "").split(",") if o]
if PRODUCTION and SECRET_KEY == DEVELOPMENT_KEY:
    raise ImproperlyConfigured("SECRET_KEY is the development key: production needs its own.")
if PRODUCTION and (len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5):
    raise ImproperlyConfigured("SECRET_KEY is too weak: production needs 50 random characters.")
if PRODUCTION and "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS is *: production needs the names it is reached by.")

# What stands between browsers and the portal: only these are believed when they say for whom they ask.
try:
    PROXIES = [
        ip_network(name)
        for name in env("CVDOPS_PROXIES", "127.0.0.1,::1" if PRODUCTION else "").split(",")
        if name
    ]
except ValueError:
    raise ImproperlyConfigured(
        "CVDOPS_PROXIES must be addresses or networks with commas between, as 10.0.0.7,172.16.0.0/12."
    ) from None

DATABASE_POOL = _number("CVDOPS_DATABASE_POOL", 10)
DATABASES = {"default": _database(env("DATABASE_URL", "postgresql://cvdops@localhost/cvdops"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = _redis(env("REDIS_URL", "redis://localhost:6379/0"))
_options: dict[str, object] = parse_url(REDIS_URL)  # type: ignore[no-untyped-call]
if PRODUCTION and not REDIS_URL.startswith("unix:") and not _options.get("password"):
    raise ImproperlyConfigured(
        "REDIS_URL has no password: over the network production needs one, as redis://:password@host."
    )

# Where the runbooks come from, how often (0: only when asked) and how long (seconds) one looks there.
try:
    RUNBOOKS = origin(
        env("CVDOPS_RUNBOOKS", str(BASE_DIR / "runbooks")),
        env("CVDOPS_RUNBOOKS_BRANCH", ""),
        env("CVDOPS_RUNBOOKS_FOLDER", ""),
    )
    RUNBOOKS_SSH = ssh_command(env("CVDOPS_RUNBOOKS_SSH", "ssh"))
except WrongOrigin as error:
    raise ImproperlyConfigured(str(error)) from None
RUNBOOKS_POLL = _number("CVDOPS_RUNBOOKS_POLL", 60)
RUNBOOKS_TIMEOUT = max(_number("CVDOPS_RUNBOOKS_TIMEOUT", 10), 1)

# Where the portal is reached from outside: what its messages link to.
PORTAL_URL = env("CVDOPS_URL", "").rstrip("/")
if PORTAL_URL:
    _address("CVDOPS_URL", PORTAL_URL, "https", "http")
# Channels of messages that leave the portal, `name=address` a line, as Apprise writes addresses.
try:
    NOTIFY = channels(env("CVDOPS_NOTIFY", ""))
except WrongChannel as error:
    raise ImproperlyConfigured(f"CVDOPS_NOTIFY: {error}.") from None

# MB of memory beyond which a worker hands its executions over and ends, to be started anew.
WORKER_MEMORY = _number("CVDOPS_WORKER_MEMORY", 1000)
# MB that must be free where spool and data lie, or nothing new is started on this machine.
DISK_RESERVE = _number("CVDOPS_DISK_RESERVE", 500)

# Where the steps' job directories lie on this machine.
SPOOL_DIR = Path(env("CVDOPS_SPOOL", str(DATA_DIR / "spool")))
SSH_DIR = Path(env("CVDOPS_SSH", str(DATA_DIR / "ssh")))  # known hosts, keys, connections
# Heads of the audit log's chain are noted here: outside the database, where its administrator cannot write.
AUDIT_HEADS = Path(env("CVDOPS_AUDIT_HEADS", str(DATA_DIR / "audit-heads")))
PRACTICE_DIR = Path(env("CVDOPS_PRACTICE", str(DATA_DIR / "practice")))

# What is kept of the output of one attempt, and of all attempts of an execution together, in MB; of more,
# the beginning and the end.
OUTPUT_LIMIT = max(_number("CVDOPS_OUTPUT_LIMIT", 256), 1) << 20
OUTPUT_QUOTA = max(_number("CVDOPS_OUTPUT_QUOTA", 2048), 1) << 20

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "template_partials",
    "cvdops.accounts",
    "cvdops.audit",
    "cvdops.environments",
    "cvdops.catalog",
    "cvdops.access",
    "cvdops.approvals",
    "cvdops.notifications",
    "cvdops.changes",
    "cvdops.executions",
    "cvdops.api",
    "cvdops.web",
]

MIDDLEWARE = [
    "cvdops.web.proxies.believed",
    "django.middleware.security.SecurityMiddleware",
    "cvdops.web.compression.Compression",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "cvdops.web.static.static_files",
    "cvdops.web.middleware.audit_address",
    "cvdops.web.middleware.page_headers",
    "cvdops.web.middleware.turned_away",
    "cvdops.web.middleware.database_errors",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "cvdops.web.middleware.bearer_tokens",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "cvdops.web.middleware.default_deny",
]

ROOT_URLCONF = "cvdops.urls"
ASGI_APPLICATION = "cvdops.asgi.application"
WSGI_APPLICATION = "cvdops.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "cvdops.web.context.portal",
            ],
        },
    }
]

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
_RULES = "django.contrib.auth.password_validation."
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": _RULES + "MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": _RULES + "CommonPasswordValidator"},
    {"NAME": _RULES + "NumericPasswordValidator"},
    {
        "NAME": _RULES + "UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "name", "email")},
    },
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

SESSION_ENGINE = "cvdops.accounts.sessions"  # says how long one lasts; the cookie does not
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "cvdops.web.errors.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if PRODUCTION:
    SECURE_HSTS_SECONDS = 31536000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

STATIC_URL = "static/"
# Collected into the image; elsewhere they are found where they lie.
STATIC_ROOT = Path(env("CVDOPS_STATIC", str(DATA_DIR / "static"))) if PRODUCTION else None
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {
        "broker": {"()": "cvdops.lib.logged.Broker"},
        "strangers": {"()": "cvdops.lib.logged.Strangers"},
        "tokens": {"()": "cvdops.lib.logged.Tokens"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["broker", "strangers", "tokens"],
        }
    },
    "root": {"handlers": ["stderr"], "level": env("CVDOPS_LOG_LEVEL", "WARNING")},
}
