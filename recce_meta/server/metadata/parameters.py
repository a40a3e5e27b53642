"""Parameters and bodies of the routes about connections, with the descriptions of the OpenAPI document."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from recce_meta.repositories.manifest_reader import UploadDetails

ConnectionId = Annotated[
    str, Path(alias="id", description="Id or name of the connection.", examples=["shop"])
]
JobId = Annotated[str, Path(alias="job", description="Id of the job.", examples=["0a1b2c3d4e5f:main:1"])]
Days = Annotated[int, Query(ge=1, le=365, description="Days before now.")]


def upload_details(
    branch: Annotated[
        str | None, Query(description="Branch of the artifacts. Without it, the main one.", examples=["main"])
    ] = None,
    commit_sha: Annotated[
        str | None, Query(description="Commit of the artifacts.", pattern="^[0-9A-Fa-f]{7,64}$")
    ] = None,
    pull_request: Annotated[
        int | None,
        Query(ge=1, le=2**31 - 1, description="Pull request whose head was built, from any branch."),
    ] = None,
    environment: Annotated[
        str | None,
        Query(
            description="Environment of the run. Without it, that of the connection, or "
            "`pull-request-NUMBER` of a pull request."
        ),
    ] = None,
    is_dirty: Annotated[
        bool | None, Query(description="Whether tracked files differed from the commit.")
    ] = None,
) -> UploadDetails:
    """Return the details of an upload in the parameters of its address."""
    return UploadDetails(
        branch=branch,
        commit_sha=None if commit_sha is None else commit_sha.lower(),
        pull_request=pull_request,
        environment=environment,
        is_dirty=is_dirty,
    )


ObjectName = Annotated[
    str | None,
    Query(description="Unique id of a node, or a name that only it has; without it, all objects."),
]
