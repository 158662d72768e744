"""What somebody has to be allowed in a bucket, and no more: what `art remote policy` prints is enough, and bites."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.servers import ceph
from tests.vcs.remotes import places

from .conftest import Machine

Clone = Callable[[str], Machine]


def policy(machine: Machine, role: str) -> Any:
    return machine.art("remote", "policy", "bucket", "--for", role).json


def at(machine: Machine, url: str, *options: str) -> Machine:
    """The machine, with a bucket as its remote."""
    machine.art("remote", "rm", "origin")
    machine.art("remote", "add", "bucket", url, *options)
    return machine


def actions(found: Any) -> set[str]:
    return {action for statement in found["Statement"] for action in statement["Action"]}


def test_only_a_collector_deletes_what_holds_objects(machine: Clone) -> None:
    ada = at(machine("ada"), "s3://our-bucket/shop")
    for role in ("reader", "contributor", "writer", "collector"):
        deleting = [
            resource
            for statement in policy(ada, role)["Statement"]
            for resource in statement["Resource"]
            if "s3:DeleteObject" in statement["Action"] and "/probe/" not in resource
        ]
        assert bool(deleting) == (role == "collector")
    assert actions(policy(ada, "reader")) == {"s3:ListBucket", "s3:GetObject"}


def test_at_amazon_the_log_can_only_be_added_to(machine: Clone) -> None:
    ada = at(machine("ada"), "s3://our-bucket/shop")
    [log] = [each for each in policy(ada, "contributor")["Statement"] if each["Sid"] == "AddToTheLog"]
    assert log["Condition"] == {"Null": {"s3:if-none-match": "false"}}
    assert log["Resource"] == ["arn:aws:s3:::our-bucket/shop/ops/*"]


@pytest.mark.parametrize("url", ["az://container/shop", "gs://bucket/shop"])
def test_other_providers_have_policies_of_their_own(machine: Clone, url: str) -> None:
    ada = at(machine("ada"), url)
    documents = [str(policy(ada, role)) for role in ("reader", "contributor", "writer", "collector")]
    assert all("shop/" in document for document in documents)
    assert len(set(documents)) >= 3


def test_a_folder_has_none(machine: Clone, tmp_path: Path) -> None:
    ada = at(machine("ada"), str(tmp_path / "there"))
    assert "is no bucket" in ada.art("remote", "policy", "bucket", code=1).err


@pytest.mark.remotes
def test_a_policy_is_enough_and_bites(machine: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    place = places.s3(monkeypatch)
    assert place.endpoint is not None
    options = [str(place), "--endpoint", place.endpoint, "--region", str(place.region)]
    ada, ben = at(machine("ada"), *options), at(machine("ben"), *options)
    ada.ran()
    ada.art("push")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ceph.GUEST)
    assert "refused access" in ben.art("pull", code=1).err
    guest = ceph.client(place.endpoint, ceph.GUEST)

    ceph.allow_guest(place.endpoint, place.host, policy(ada, "reader"))
    ben.art("pull")
    assert ben.ran() == set()
    ben.art("cat", "numbers")
    ben.ran("-p", "seed=2")
    refused = ben.art("push", code=1).err
    assert "refused access" in refused
    assert refused.count("\n") == 1

    ceph.allow_guest(place.endpoint, place.host, policy(ada, "contributor"))
    ceph.client(place.endpoint, ceph.ACCESS).put_object(Bucket=place.host, Key="elsewhere/x", Body=b"another's")
    ben.art("push", "--verify")
    names = [each["Key"] for each in guest.list_objects_v2(Bucket=place.host, Prefix=f"{place.path}/")["Contents"]]
    [log, pack] = [next(name for name in names if kind in name) for kind in ("/ops/", "/packs/")]
    for name in (log, pack, f"{place.path}/format"):
        assert refuses(guest.delete_object, Bucket=place.host, Key=name)
    for name in (f"{place.path}/format", "elsewhere/x"):
        assert refuses(guest.put_object, Bucket=place.host, Key=name, Body=b"x")
    assert refuses(guest.get_object, Bucket=place.host, Key="elsewhere/x")

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ceph.ACCESS)
    ada.art("pull")
    assert ada.ran("-p", "seed=2") == set()


def refuses(ask: Callable[..., object], **arguments: object) -> bool:
    """Whether the gateway does not let somebody do something."""
    try:
        ask(**arguments)
    except Exception as error:
        return "AccessDenied" in str(error)
    return False
