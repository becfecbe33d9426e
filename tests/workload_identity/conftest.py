"""A stand-in with a cluster and a bucket, and Jobs in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rehearsal.stand_in import StandIn
from tests.workload_identity.cluster import BUCKET, Cluster


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """Give a stand-in with a cluster that has Workload Identity, and a bucket that nobody was let into."""
    cloud = StandIn(tmp_path_factory.mktemp("cloud") / ".rehearsal")
    cloud.up()
    cloud.create_cluster()
    bucket = {"name": BUCKET, "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}}}
    assert cloud.ask("POST", "/storage/v1/b?project=demo-project", bucket).ok
    yield cloud
    cloud.session.close()
    cloud.down()


@pytest.fixture
def cluster(stand_in: StandIn) -> Iterator[Cluster]:
    """Give the cluster; its Jobs go, and the bucket lets nobody in again, at the end."""
    with Cluster(stand_in) as client:
        yield client
