"""pgAdmin's settings: it reads this file after its own defaults."""

import os

# In memory: what is kept is users and open windows, and they are made anew at every start.
DATA_DIR = "/tmp/pgadmin"  # noqa: S108 - the container's own
SQLITE_PATH = f"{DATA_DIR}/pgadmin4.db"
SESSION_DB_PATH = f"{DATA_DIR}/sessions"
STORAGE_DIR = f"{DATA_DIR}/storage"
AZURE_CREDENTIAL_CACHE_DIR = f"{DATA_DIR}/azure"
KERBEROS_CCACHE_DIR = f"{DATA_DIR}/kerberos"
LOG_FILE = "/dev/null"  # the console has it all

# Nothing is asked of the internet, and nobody runs commands in the container.
UPGRADE_CHECK_ENABLED = False
ENABLE_PSQL = False
ALLOWED_LLM_API_URLS: list[str] = ["http://nowhere.invalid:80"]  # an empty list would allow all
ALLOW_SAVE_PASSWORD = False  # the database's password is typed, and forgotten

# Headers that say who asked count only where proxies of ours wrote them.
_proxies = int(os.environ.get("TRUSTED_PROXIES", "0"))
PROXY_X_FOR_COUNT = PROXY_X_PROTO_COUNT = PROXY_X_HOST_COUNT = _proxies
PROXY_X_PORT_COUNT = PROXY_X_PREFIX_COUNT = 0
SESSION_COOKIE_SECURE = os.environ.get("SESSION_COOKIE_SECURE", "true").lower() != "false"
