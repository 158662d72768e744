"""A real S3: Ceph's RADOS gateway, with one monitor and one store in memory."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.servers.processes import apt, free_ports, listens, process, until

ACCESS, SECRET = "tester", "not-a-secret"
GUEST = "guest"
"""Who may do in a bucket what its policy says."""

_CONFIGURATION = """
[global]
fsid = {fsid}
mon initial members = a
mon host = {monitor}
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms cluster mode = crc
ms service mode = crc
ms client mode = crc
ms bind ipv6 = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
osd objectstore = memstore
memstore device bytes = 6442450944
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd crush chooseleaf type = 0
mon allow pool size one = true
mon data avail crit = 1
mon data avail warn = 1
mon warn on pool no redundancy = false
mon data = {folder}/mon
osd data = {folder}/osd
run dir = {folder}
log file = {folder}/$name.log
mon cluster log file = {folder}/cluster.log
admin socket = {folder}/$name.asok
pid file = {folder}/$name.pid
crash dir = {folder}
rgw data = {folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
rgw dns name =
"""


def install() -> None:
    """Installs what is not there."""
    apt("ceph-mon", "ceph-osd", "radosgw", "ceph-common", has="radosgw")


@contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """The gateway, and what the environment has to say of it."""
    first, second, port = free_ports(3)
    monitor, fsid, osd = f"[v2:127.0.0.1:{first},v1:127.0.0.1:{second}]", str(uuid.uuid4()), str(uuid.uuid4())
    conf, log = folder / "ceph.conf", folder / "servers.log"
    conf.write_text(_CONFIGURATION.format(fsid=fsid, monitor=monitor, folder=folder, port=port))
    for name in ("mon", "osd", "rgw"):
        (folder / name).mkdir()

    def run(*command: str) -> None:
        with open(log, "ab") as file:
            subprocess.run(command, check=True, stdout=file, stderr=file, timeout=120)

    run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", monitor, str(folder / "monmap"))
    run("ceph-mon", "-c", str(conf), "-i", "a", "--mkfs", "--monmap", str(folder / "monmap"))
    with ExitStack() as stack:
        mon = stack.enter_context(process(["ceph-mon", "-c", str(conf), "-i", "a", "-f"], log))
        until(lambda: listens(first), mon, log)
        run("ceph", "-c", str(conf), "osd", "new", osd)
        run("ceph-osd", "-c", str(conf), "-i", "0", "--mkfs", "--osd-uuid", osd)
        stack.enter_context(process(["ceph-osd", "-c", str(conf), "-i", "0", "-f"], log))
        gateway = stack.enter_context(process(["radosgw", "-c", str(conf), "-n", "client.rgw", "-f"], log))
        until(lambda: listens(port), gateway, log)
        for user in (ACCESS, GUEST):
            run(
                "radosgw-admin", "-c", str(conf), "user", "create", "--uid", user, "--display-name", user,
                "--access-key", user, "--secret-key", SECRET,
            )  # fmt: skip
        yield {"ARTVCS_TEST_S3": f"http://127.0.0.1:{port}", "ARTVCS_TEST_S3_LOG": f"{folder}/client.rgw.log"}


def make_bucket(endpoint: str, name: str) -> None:
    """Makes a bucket."""
    client(endpoint, ACCESS).create_bucket(Bucket=name)


def allow_guest(endpoint: str, name: str, policy: dict[str, Any]) -> None:
    """Lets the guest do in a bucket what a policy of one user says."""
    bucket = f"arn:aws:s3:::{name}"
    statements = [{**each, "Principal": {"AWS": [f"arn:aws:iam:::user/{GUEST}"]}} for each in policy["Statement"]]
    # What the guest has put there is his: the bucket's owner has to be allowed to read it.
    owner = {"Principal": {"AWS": [f"arn:aws:iam:::user/{ACCESS}"]}, "Action": "s3:*", "Effect": "Allow"}
    statements.append({**owner, "Resource": [bucket, f"{bucket}/*"]})
    client(endpoint, ACCESS).put_bucket_policy(Bucket=name, Policy=json.dumps({**policy, "Statement": statements}))


def client(endpoint: str, user: str) -> Any:
    """Amazon's own client, for one of the users."""
    import boto3

    return boto3.client(
        "s3", endpoint_url=endpoint, aws_access_key_id=user, aws_secret_access_key=SECRET, region_name="us-east-1"
    )
