"""What both services tell gunicorn. One worker process each: a host that should do more runs more replicas."""

from __future__ import annotations

import os
from typing import Any

from chat import config, logs
from chat.config import Program


def options(program: Program, service: str) -> dict[str, Any]:
    settings = config.load(os.environ, program)
    return {
        "bind": f"{settings.listen_host}:{settings.port}",
        "workers": 1,
        # Below the 10 seconds after which `docker stop` kills: requests in flight end, then the process does.
        "graceful_timeout": 8,
        "keepalive": 30,
        # In memory, and writable where the root filesystem is read-only.
        "worker_tmp_dir": "/dev/shm",  # noqa: S108
        "control_socket_disable": True,
        "logconfig_dict": logs.dict_config(service, settings.log_level),
    }
