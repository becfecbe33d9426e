"""The clients of the cloud: the only place that imports an SDK."""

import os

# Read by gcsfs when it is imported, whichever module here does it first: its support of zonal buckets stalls
# for minutes where there is no gRPC.
os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"
