"""A stand-in for AWS on loopback: moto's server, with what our configurations look for there."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.monitoring.alerting.alertmanager import free_port

REGION = "eu-central-1"
ACCOUNT = "123456789012"
IMAGE = {"owner": ACCOUNT, "name": "debian-13-amd64-*"}
# A certificate is proved after a minute otherwise.
SETTINGS = {"MOTO_ACM_VALIDATION_WAIT": "1", "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}


@dataclass
class Moto:
    """A running server; `environment` makes programs speak to it."""

    url: str

    @property
    def environment(self) -> dict[str, str]:
        return access(self.url)

    def client(self, service: str, region: str = REGION) -> Any:
        return boto3.client(
            service, region, endpoint_url=self.url, aws_access_key_id="testing", aws_secret_access_key="testing"
        )

    def reset(self) -> None:
        """An empty account, with an image to start hosts from and a bucket for states."""
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/moto-api/reset", method="POST"), timeout=30).close()
        self.client("ec2").register_image(Name="debian-13-amd64-20250814-2204", RootDeviceName="/dev/xvda")
        # Without the policy of terraform/bootstrap: moto refuses all that a statement denies, whatever its condition.
        self.client("s3").create_bucket(
            Bucket="chat-terraform-state", CreateBucketConfiguration={"LocationConstraint": REGION}
        )


def access(url: str) -> dict[str, str]:
    """The variables with which AWS' libraries speak to `url`."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def start(log: Path) -> tuple[Moto, subprocess.Popen[bytes]]:
    port = free_port()
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-p", str(port)],
            env={**os.environ, **SETTINGS},
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    found = Moto(f"http://127.0.0.1:{port}")
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"moto's server ended at once:\n{log.read_text()[-3000:]}", pytrace=False)
        try:
            urllib.request.urlopen(f"{found.url}/moto-api/data.json", timeout=10).close()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
        else:
            found.reset()
            return found, process
    process.kill()
    pytest.fail(f"moto's server did not answer within a minute:\n{log.read_text()[-3000:]}", pytrace=False)
