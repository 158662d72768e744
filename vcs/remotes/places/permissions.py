"""What those who use a bucket have to be allowed there, and no more: policies as its provider takes them.

Sources: Actions, resources, and condition keys for Amazon S3 (AWS); Azure built-in roles, and conditions for Blob
storage; IAM roles for Cloud Storage (Google).
"""

from __future__ import annotations

from typing import Any

from ...errors import RemoteRefused
from ...storage.layout import CLEANED, FORMAT, INDEX, OPS, PACKS, PROBE, ROOT
from .address import Address

ROLES = {
    "reader": "fetches, and reads data",
    "contributor": "pushes as well, as the job of a pull request does, and deletes nothing of others",
    "writer": "begins the repository as well, as who signs with a key that is trusted does",
    "collector": "deletes what nothing refers to as well, as `art gc --remote` does",
}
"""Who there is, and what each does."""


def policy(address: Address, role: str) -> dict[str, Any]:
    """A policy for one of `ROLES`, as its provider's tools take it.

    Raises:
        RemoteRefused: The place is no bucket.
    """
    if address.scheme == "s3":
        return _amazon(address, role)
    if address.scheme == "az":
        return _azure(address, role)
    if address.scheme == "gs":
        return _google(address, role)
    raise RemoteRefused(
        f"{address} is no bucket, so that there is no policy for it; who may write there, its file system says."
    )


def _amazon(address: Address, role: str) -> dict[str, Any]:
    bucket, below = f"arn:aws:s3:::{address.host}", f"{address.path}/" if address.path else ""

    def files(*names: str) -> list[str]:
        return [f"{bucket}/{below}{name}" for name in names]

    def allow(sid: str, actions: str, resources: list[str], **condition: Any) -> dict[str, Any]:
        more = {"Condition": condition} if condition else {}
        names = [f"s3:{each}" for each in actions.split()]
        return {"Sid": sid, "Effect": "Allow", "Action": names, "Resource": resources, **more}

    # Whoever may not list is told of a file that is not there that he may not read it; that question has no prefix.
    listed = {"StringLikeIfExists": {"s3:prefix": f"{below}*"}} if below else {}
    found = [allow("List", "ListBucket", [bucket], **listed), allow("Read", "GetObject", files("*"))]
    if role == "reader":
        return {"Version": "2012-10-17", "Statement": found}
    # Entries of the log are only ever added. (Providers that are not Amazon do not know this condition.)
    only_new = {} if address.endpoint else {"Null": {"s3:if-none-match": "false"}}
    added = [f"{OPS}/*"] if role == "contributor" else [f"{OPS}/*", FORMAT]
    found += [
        allow("AddToTheLog", "PutObject", files(*added), **only_new),
        allow("AddObjects", "PutObject AbortMultipartUpload", files(f"{PACKS}/*", f"{INDEX}/*", ROOT)),
        allow("Probe", "PutObject DeleteObject AbortMultipartUpload", files(f"{PROBE}/*")),
    ]
    if role == "collector":
        found += [
            allow("Collect", "DeleteObject", files(f"{PACKS}/*", f"{INDEX}/*", f"{OPS}/*")),
            allow("Clean", "PutObject", files(CLEANED)),
        ]
    return {"Version": "2012-10-17", "Statement": found}


def _azure(address: Address, role: str) -> dict[str, Any]:
    blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
    more = {
        "reader": "",
        "contributor": "write add/action",
        "writer": "write add/action",
        "collector": "write add/action",
    }
    actions = [f"{blobs}/read", *(f"{blobs}/{each}" for each in more[role].split())]
    path = f"@Resource[{blobs}:path] StringLike"
    below = f"{address.path}/" if address.path else ""
    may_delete = [PROBE, PACKS, INDEX, OPS] if role == "collector" else [PROBE]
    conditions = [f"({path} '{below}*')"] if below else []
    if role != "reader":
        actions.append(f"{blobs}/delete")
        deleted = " OR ".join(f"{path} '{below}{name}/*'" for name in may_delete)
        conditions.append(f"(!(ActionMatches{{'{blobs}/delete'}}) OR {deleted})")
    return {
        "Name": f"art {role} of {address.host}/{address.path}".rstrip("/"),
        "IsCustom": True,
        "Description": f"Who {ROLES[role]}.",
        "Actions": [],
        "DataActions": actions,
        "AssignableScopes": ["/subscriptions/SUBSCRIPTION/resourceGroups/GROUP"],
        "Condition": " AND ".join(conditions),
    }


def _google(address: Address, role: str) -> dict[str, Any]:
    bucket, below = f"projects/_/buckets/{address.host}", f"{address.path}/" if address.path else ""

    def grant(role: str, *names: str) -> dict[str, Any]:
        starts = [f"resource.name.startsWith('{bucket}/objects/{below}{name}')" for name in names]
        starts += [f"resource.name == '{bucket}'"] if role.endswith("Viewer") else []  # whose files are listed
        title = f"{role.rpartition('.')[2]} below {', '.join(name or '/' for name in names)}"
        return {"role": role, "members": ["MEMBER"], "condition": {"title": title, "expression": " || ".join(starts)}}

    bindings = [grant("roles/storage.objectViewer", "")]
    if role != "reader":
        new = (f"{OPS}/", f"{PACKS}/", f"{INDEX}/", *((FORMAT,) if role != "contributor" else ()))
        # Whoever replaces a file there, as the hint at the newest entry of the log, has to be allowed to delete it.
        bindings += [grant("roles/storage.objectCreator", *new)]
        bindings += [grant("roles/storage.objectUser", ROOT, f"{PROBE}/")]
    if role == "collector":
        bindings += [grant("roles/storage.objectUser", f"{OPS}/", f"{PACKS}/", f"{INDEX}/", CLEANED)]
    return {"bindings": bindings}
