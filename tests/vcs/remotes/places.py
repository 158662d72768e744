"""Empty places on the servers that `python -m tests.servers` has started."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from artvcs.vcs.remotes.places import opening
from artvcs.vcs.remotes.places.address import Address, parse
from artvcs.vcs.remotes.places.far_files import FarFiles
from tests.servers import azurite, ceph


def endpoint(variable: str) -> str:
    """Where a server answers; a test that needs one and finds none has not been run as it must."""
    found = os.environ.get(variable)
    assert found, f"{variable} is not set: run `make remotes`, which starts the servers"
    return found


def s3(patch: pytest.MonkeyPatch, prefix: str = "team/project") -> Address:
    """A new bucket of the real S3."""
    patch.setenv("AWS_ACCESS_KEY_ID", ceph.ACCESS)
    patch.setenv("AWS_SECRET_ACCESS_KEY", ceph.SECRET)
    bucket = f"test-{secrets.token_hex(8)}"
    ceph.make_bucket(endpoint("ARTVCS_TEST_S3"), bucket)
    return parse(f"s3://{bucket}/{prefix}", base=Path(), endpoint=endpoint("ARTVCS_TEST_S3"), region="us-east-1")


def azure(patch: pytest.MonkeyPatch, prefix: str = "team/project") -> Address:
    """A new container of the Azure API."""
    patch.setenv("AZURE_STORAGE_ACCOUNT_NAME", azurite.ACCOUNT)
    patch.setenv("AZURE_STORAGE_ACCOUNT_KEY", azurite.KEY)
    container = f"test-{secrets.token_hex(8)}"
    azurite.make_container(endpoint("ARTVCS_TEST_AZURE"), container)
    return parse(f"az://{container}/{prefix}", base=Path(), endpoint=endpoint("ARTVCS_TEST_AZURE"))


def lying(patch: pytest.MonkeyPatch) -> Address:
    """A new prefix of the store that ignores conditions."""
    patch.setenv("AWS_ACCESS_KEY_ID", "S3RVER")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "S3RVER")
    where = f"s3://lying/{secrets.token_hex(8)}"
    return parse(where, base=Path(), endpoint=endpoint("ARTVCS_TEST_LYING_S3"), region="us-east-1")


def ssh(patch: pytest.MonkeyPatch, folder: Path) -> Address:
    """A folder of another machine, which is this one."""
    patch.setenv("ARTVCS_SSH_COMMAND", endpoint("ARTVCS_TEST_SSH_COMMAND"))
    return parse(f"{endpoint('ARTVCS_TEST_SSH')}{folder}", base=Path())


def files(address: Address) -> FarFiles:
    """The files there."""
    return opening.opened(address)
