"""How users write where a repository elsewhere is, and what no address may be."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.errors import InvalidName
from artvcs.vcs.remotes.places.address import Address, parse

BASE = Path("/work/project")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("s3://bucket/team/models", Address("s3", "bucket", "team/models")),
        ("s3://bucket", Address("s3", "bucket", "")),
        ("s3://bucket/", Address("s3", "bucket", "")),
        ("az://container/team", Address("az", "container", "team")),
        ("gs://my_bucket.org/x", Address("gs", "my_bucket.org", "x")),
        ("ssh://ada@host.example:2222/srv/art", Address("ssh", "host.example", "/srv/art", "ada", 2222)),
        ("ssh://host/srv/my%20art", Address("ssh", "host", "/srv/my art")),
        ("https://host.example/art", Address("https", "host.example", "/art")),
        ("file:///srv/art", Address("file", "", "/srv/art")),
        ("/srv/art", Address("file", "", "/srv/art")),
        ("../shared", Address("file", "", "/work/shared")),
    ],
)
def test_what_an_address_says(text: str, address: Address) -> None:
    assert parse(text, base=BASE) == address


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no address"),
        ("s3://", "names no bucket"),
        ("s3://bucket/../other", "names no bucket"),
        ("s3://bucket/a//b", "names no bucket"),
        ("s3://-bucket/x", "names no bucket"),
        ("s3://AKIA:secret@bucket/x", "holds a secret"),
        ("https://ada@host/x", "holds a secret"),
        ("ssh://ada:secret@host/x", "holds a secret"),
        ("s3://bucket/x?endpoint=http://elsewhere", "after"),
        ("ssh://-oProxyCommand=evil/x", "names no host"),
        ("ssh://-l@host/x", "names no host"),
        ("ssh://host:99999/x", "no address"),
        ("ftp://host/x", "begins with none of"),
        ("file://host/share", "another machine"),
        ("s3://bucket/x\n", "no address"),
        ("s3://buck\x1b[31met/x", "no address"),
    ],
)
def test_what_no_address_is(text: str, why: str) -> None:
    with pytest.raises(InvalidName, match=why) as caught:
        parse(text, base=BASE)
    assert "secret@" not in str(caught.value)


@pytest.mark.parametrize("endpoint", ["ftp://host", "host:9000", "https://ada:secret@host"])
def test_an_endpoint_is_a_plain_address(endpoint: str) -> None:
    with pytest.raises(InvalidName, match="endpoint") as caught:
        parse("s3://bucket/x", base=BASE, endpoint=endpoint)
    assert "ada:secret" not in str(caught.value)


@pytest.mark.long
@given(st.text(max_size=60))
def test_whatever_is_written_is_an_address_or_refused(text: str) -> None:
    for start in ("", "s3://", "ssh://", "https://", "file://"):
        try:
            address = parse(start + text, base=BASE)
        except InvalidName:
            continue
        assert not address.host.startswith("-")
        if address.scheme == "s3":
            assert ".." not in address.path.split("/")
            assert parse(str(address), base=BASE) == address
