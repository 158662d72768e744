"""From an address to the files that lie there."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import RemoteRefused
from .address import BUCKETS, Address
from .bucket import BucketFiles, WebFiles
from .far_files import FarFiles
from .folder import FolderFiles
from .ssh import SshFiles
from .traffic import Traffic

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

_RETRIES: RetryConfig = {"max_retries": 5, "retry_timeout": timedelta(seconds=60)}
"""How long a store that answers badly is asked again."""

_NEEDED = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
}
"""The variables that do for each provider, where the machine has no role of its own."""

_STALLED = timedelta(seconds=30)
"""A store that says nothing for so long is taken to be gone."""


def opened(address: Address, traffic: Traffic | None = None) -> FarFiles:
    """The files at an address.

    Raises:
        RemoteRefused: The address and the environment do not say enough.
    """
    if address.scheme in BUCKETS:
        return bucket(address, traffic)
    if address.scheme == "file":
        return FolderFiles(Path(address.path), traffic)
    if address.scheme == "ssh":
        return SshFiles(address, traffic)
    return web(address, traffic)


def web(address: Address, traffic: Traffic | None = None) -> WebFiles:
    """The files at an address of a web server, which can only be read."""
    from obstore.store import HTTPStore

    insecure: ClientConfig = {"allow_http": address.scheme == "http"}
    store = HTTPStore.from_url(str(address), client_options={**_client(address), **insecure}, retry_config=_RETRIES)
    return WebFiles(store, "", str(address), traffic)


def bucket(address: Address, traffic: Traffic | None = None) -> BucketFiles:
    """The files at an address in an object store.

    Credentials are found as the provider's SDK finds them: in the environment, from the machine's own role, and for S3
    in the profiles and single sign-on of `~/.aws` where boto3 is installed.

    Raises:
        RemoteRefused: The address and the environment do not say enough.
    """
    assert address.scheme in BUCKETS, "told apart before"
    try:
        store = _STORES[address.scheme](address)
    except Exception as error:
        # obstore says what is missing, each provider as an error of its own.
        advice = f"set {_NEEDED[address.scheme]} in the environment"
        raise RemoteRefused(f"{address} cannot be used: {_first_line(error)}; {advice}.") from error
    return BucketFiles(store, address.path, str(address), traffic)


def _client(address: Address) -> ClientConfig:
    insecure = (address.endpoint or "").startswith("http://")
    # A time-out for the whole request would end every large upload on a slow line.
    return {"allow_http": insecure, "connect_timeout": timedelta(seconds=10), "read_timeout": _STALLED, "timeout": "1h"}


def _s3(address: Address) -> ObjectStore:
    from obstore.store import S3Store

    options: dict[str, Any] = {}
    if address.endpoint is not None:
        options |= {"endpoint": address.endpoint, "virtual_hosted_style_request": False}
    if address.region is not None:
        options["region"] = address.region
    if (provider := _profile()) is not None:
        options["credential_provider"] = provider
    return S3Store(address.host, client_options=_client(address), retry_config=_RETRIES, **options)


def _profile() -> Any:
    """Credentials from `~/.aws`, as boto3 finds them; None where the environment has some, or boto3 is not there."""
    if "AWS_ACCESS_KEY_ID" in os.environ or not os.path.exists(os.path.expanduser("~/.aws")):
        return None
    try:
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        return None
    return Boto3CredentialProvider()


def _azure(address: Address) -> ObjectStore:
    from obstore.store import AzureStore

    options: dict[str, Any] = {} if address.endpoint is None else {"endpoint": address.endpoint}
    return AzureStore(address.host, client_options=_client(address), retry_config=_RETRIES, **options)


def _google(address: Address) -> ObjectStore:
    from obstore.store import GCSStore

    return GCSStore(address.host, client_options=_client(address), retry_config=_RETRIES)


_STORES = {"s3": _s3, "az": _azure, "gs": _google}


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
