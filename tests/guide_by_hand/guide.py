"""The guide's commands, as it prints them (AI-Hypercomputer/tpu-recipes, GPT-OSS/README-gcs.md, 948b8a7)."""

from __future__ import annotations

CREATE_CLUSTER = r"""
gcloud container clusters create $CLUSTER_NAME \
  --project=$PROJECT_ID \
  --location=$REGION \
  --workload-pool=$PROJECT_ID.svc.id.goog \
  --release-channel=rapid \
  --num-nodes=1 \
  --gateway-api=standard \
  --addons GcsFuseCsiDriver,HttpLoadBalancing
"""
WORKLOAD_IDENTITY = r"""
gcloud container clusters update ${CLUSTER_NAME} \
  --location=${REGION} \
  --workload-pool=PROJECT_ID.svc.id.goog
"""
WORKLOAD_METADATA = r"""
gcloud container node-pools update ${NODEPOOL_NAME} \
--cluster=${CLUSTER_NAME} \
--location=${REGION} \
--workload-metadata=GKE_METADATA
"""
HTTP_LOAD_BALANCING = r"""
gcloud container clusters update ${CLUSTER_NAME} \
  --region ${REGION} \
  --project ${PROJECT_ID} \
  --update-addons=HttpLoadBalancing=ENABLED
"""
GATEWAY_API = r"""
gcloud container clusters update ${CLUSTER_NAME} \
  --region ${REGION} \
  --project ${PROJECT_ID} \
  --gateway-api=standard
"""
CLOUD_STORAGE_FUSE = r"""
gcloud container clusters update ${CLUSTER_NAME} \
  --location ${REGION} \
  --project ${PROJECT_ID} \
  --update-addons GcsFuseCsiDriver=ENABLED
"""
CREATE_NODE_POOL = r"""
gcloud container node-pools create ${NODEPOOL_NAME} \
  --project=${PROJECT_ID} \
  --location=${REGION} \
  --node-locations=${ZONE} \
  --num-nodes=1 \
  --reservation=${RESERVATION_NAME} \
  --reservation-affinity=specific \
  --machine-type=tpu7x-standard-4t \
  --cluster=${CLUSTER_NAME}
"""
CREATE_BUCKET = "gcloud storage buckets create gs://$BUCKET --location=$REGION"
"""Of the page to which section 3.1 links, with its two placeholders filled in."""
GET_CREDENTIALS = "gcloud container clusters get-credentials ${CLUSTER_NAME} --location=${REGION}"
APPLY = "kubectl apply -f vllm-tpu.yaml"

NOT_FOUND = (
    "ResponseError: code=404, message=Not found: "
    "projects/{PROJECT_ID}/locations/{REGION}/clusters/{CLUSTER_NAME}/nodePools/{NODEPOOL_NAME}."
)
COMMANDS = (
    ("2.2 create the cluster", CREATE_CLUSTER, ""),
    (
        "2.3.1 workload identity of the cluster",
        WORKLOAD_IDENTITY,
        'Invalid workload pool "PROJECT_ID.svc.id.goog"',
    ),
    ("2.3.1 workload identity of the node pool", WORKLOAD_METADATA, NOT_FOUND),
    ("2.3.2 HTTP load balancing", HTTP_LOAD_BALANCING, ""),
    ("2.3.3 Gateway API", GATEWAY_API, ""),
    ("2.3.4 Cloud Storage FUSE", CLOUD_STORAGE_FUSE, ""),
    ("2.4 create the node pool", CREATE_NODE_POOL, ""),
    ("3.1 create the bucket", CREATE_BUCKET, ""),
    ("4.1 credentials", GET_CREDENTIALS, ""),
    ("4.3 apply the manifest", APPLY, ""),
)
"""Name, command and the error that it ends with, in the guide's order; empty where it ends well."""
