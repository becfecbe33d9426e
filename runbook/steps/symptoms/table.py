"""The table of known symptoms of a deployment of this kind. docs/symptoms.md is written from it."""

from __future__ import annotations

import re
from typing import Final

from runbook.steps.symptoms.evidence import Source
from runbook.steps.symptoms.symptom import Symptom

_MOUNT: Final = frozenset({Source.EVENT, Source.SIDECAR})
_SIDECAR: Final = frozenset({Source.EVENT, Source.SIDECAR, Source.STATUS})
_LOG: Final = frozenset({Source.LOG})
_GKE: Final = frozenset({Source.OPERATION, Source.REFUSAL, Source.RUN})

SYMPTOMS: Final = (
    Symptom(
        id="s01-csi-driver-not-registered",
        cause="the Cloud Storage FUSE CSI driver is off, or was switched on a moment ago",
        remedy="run `inv step 2.3.4{env}`; where it is on, its DaemonSet gcsfusecsi-node needs some minutes",
        pattern=re.compile(r"driver name gcsfuse\.csi\.storage\.gke\.io not found in the list of registered"),
        sources=_MOUNT,
    ),
    Symptom(
        id="s02-workload-identity-off-on-node",
        cause="the node pool's Pods see the machine's identity, not their own: its metadata mode is"
        " GCE_METADATA",
        remedy="run `inv step 2.3.1{env}`: it sets GKE_METADATA on {node_pool}, which recreates the nodes",
        pattern=re.compile(r"Workload Identity Federation is not enabled on node"),
        sources=_MOUNT,
        lasting=True,
    ),
    Symptom(
        id="s03-iam-still-propagating",
        cause="the identity of the ServiceAccount has not reached the node yet",
        remedy="wait five minutes; then look at {namespace}/{service_account}: `inv step 3.3{env} --check`",
        pattern=re.compile(r"code = Unauthenticated .*timed out waiting for the condition"),
        sources=_MOUNT,
        verdict="warning",
    ),
    Symptom(
        id="s04-bucket-permission-denied",
        cause="the Pods' ServiceAccount may not read the bucket",
        remedy="run `inv step 3.3{env}`: it grants {role} on gs://{bucket} to {namespace}/{service_account}",
        pattern=re.compile(r"does not have storage\.\w+\.\w+ access|code = PermissionDenied .*GCS bucket"),
        sources=_MOUNT,
    ),
    Symptom(
        id="s05-bucket-not-found",
        cause="the volume names a bucket that does not exist",
        remedy="look at bucket.name ({bucket}): `inv vars bucket{env}`; `inv setup{env}` makes and fills it",
        pattern=re.compile(r"storage: bucket doesn't exist|code = NotFound .*bucket"),
        sources=_MOUNT,
        lasting=True,
    ),
    Symptom(
        id="s06-sidecar-not-injected",
        cause="the Pod has no sidecar: its annotation is missing, or it is older than the driver",
        remedy='run `inv deploy{env}`: its Pods carry gke-gcsfuse/volumes: "true"; make one that has it anew:'
        " {kubectl} delete pods -n {namespace} -l app={server}",
        pattern=re.compile(r"failed to find the sidecar container in Pod spec"),
        sources=_MOUNT,
        lasting=True,
    ),
    Symptom(
        id="s07-unknown-mount-option",
        cause="a mount option that the driver of this GKE version does not have",
        remedy="take the option that is named out of volume.mount_options, or upgrade {cluster}",
        pattern=re.compile(r"flag provided but not defined"),
        sources=_MOUNT,
        lasting=True,
    ),
    Symptom(
        id="s08-sidecar-out-of-memory",
        cause="the sidecar that mounts the bucket was killed for its memory",
        remedy="raise the Pod annotation gke-gcsfuse/memory-limit in manifests/, then `inv deploy{env}`",
        pattern=re.compile(
            r"code = ResourceExhausted .*(OOMKilled|signal: killed)|gcsfuse-sidecar: OOMKilled"
        ),
        sources=_SIDECAR,
    ),
    Symptom(
        id="s09-mount-died",
        cause="gcsfuse, which mounts the bucket, died under the running server, most often of memory",
        remedy="{kubectl} delete pods -n {namespace} -l app={server}; if it comes again, raise the annotation"
        " gke-gcsfuse/memory-limit",
        pattern=re.compile(r"[Tt]ransport endpoint is not connected"),
        sources=frozenset({Source.LOG, Source.EVENT, Source.SIDECAR}),
    ),
    Symptom(
        id="s10-uniform-access-off",
        cause="the bucket is written to without uniform bucket-level access",
        remedy="gcloud storage buckets update gs://{bucket} --project={project}"
        " --uniform-bucket-level-access",
        pattern=re.compile(r"Error 412: .*[Uu]niform [Bb]ucket.?[Ll]evel [Aa]ccess"),
        sources=frozenset({Source.LOG, Source.EVENT, Source.SIDECAR}),
    ),
    Symptom(
        id="s11-mount-in-progress",
        cause="another mount of the same volume is under way, or mounts are rate limited",
        remedy="nothing: the kubelet tries again",
        pattern=re.compile(r"code = Aborted "),
        sources=_MOUNT,
        verdict="warning",
    ),
    Symptom(
        id="s12-token-exchange-quota",
        cause="too many Pods ask for tokens at once: the project's quota of token exchanges is used up",
        remedy='set volume.attributes.skipCSIBucketAccessCheck to "true", and raise server.replicas in steps',
        pattern=re.compile(r"429 Unable to fetch federated token|Token exchange requests"),
        sources=_MOUNT,
    ),
    Symptom(
        id="s13-sidecar-without-metadata-server",
        cause="the sidecar of this GKE version gives up when the metadata server answers late",
        remedy="upgrade {cluster} and {node_pool} to 1.34.8-gke.1218000, 1.35.3-gke.2347000,"
        " 1.36.0-gke.1266000 or later",
        pattern=re.compile(r"Failed to set up metadata service.*169\.254\.169\.254:80: i/o timeout"),
        sources=_SIDECAR,
    ),
    Symptom(
        id="s14-container-name-reserved",
        cause="a mount of more than two minutes made the kubelet ask for the container a second time",
        remedy="wait: it recovers when the mount is done; a mount of only the model's folder"
        " (volume.only_dir) is faster; a Pod that is still so after half an hour does not recover: delete it",
        pattern=re.compile(r"failed to reserve container name"),
        sources=frozenset({Source.EVENT, Source.STATUS}),
        verdict="warning",
    ),
    Symptom(
        id="s15-sidecar-without-restart-policy",
        cause="an old admission webhook took restartPolicy from the sidecar, so the Pod waits for its end",
        remedy="find the webhook: {kubectl} get mutatingwebhookconfigurations; take it away or update it,"
        " then {kubectl} delete pods -n {namespace} -l app={server}",
    ),
    Symptom(
        id="s16-chips-held",
        cause="the chips that the Pod needs are held by other Pods, or not offered yet",
        remedy="end the Pod that holds them, or raise node_pool.nodes ({nodes}) to one for each replica"
        " ({replicas})",
        yields_to=("s19-scale-up-in-backoff",),
    ),
    Symptom(
        id="s17-taint-not-tolerated",
        cause="the Pod is meant for a TPU node and does not tolerate its taint: GKE adds the toleration only"
        " to Pods that ask for chips",
        remedy="give it the toleration google.com/tpu, as `inv bench{env}` does for bench.placement tpu-node,"
        " or no node selector",
    ),
    Symptom(
        id="s18-no-node-matches",
        cause="no node has the labels that the Pod asks for",
        remedy="look at tpu.accelerator ({accelerator}), tpu.topology ({topology}) and the node pool:"
        " `inv step 2.4{env} --check`; then `inv deploy{env}`",
        yields_to=(
            "s19-scale-up-in-backoff",
            "s20-topology-refused",
            "s22-too-many-operations",
            "s23-reservation-short",
            "s24-stockout",
        ),
    ),
    Symptom(
        id="s19-scale-up-in-backoff",
        cause="the cluster autoscaler got no machine and waits before it tries again",
        remedy="wait five minutes; if it goes on, the zone {zone} has none: another zone, or a reservation",
        pattern=re.compile(r"in backoff after failed scale-up"),
        sources=frozenset({Source.EVENT}),
        verdict="warning",
    ),
    Symptom(
        id="s20-topology-refused",
        cause="a topology was given for a single-host slice, which has only one",
        remedy="leave the topology out: `inv step 2.4{env}` does (tpu.multi_host is false)",
        pattern=re.compile(r"TPU topology can't be specified with single-host"),
        sources=_GKE,
    ),
    Symptom(
        id="s21-cluster-busy",
        cause="GKE works on the cluster, and refuses other changes until the operation has ended",
        remedy="wait for the operation that is named, or run `inv setup{env}`, which waits for it",
        verdict="warning",
    ),
    Symptom(
        id="s22-too-many-operations",
        cause="more operations ran on the cluster at once than GKE takes",
        remedy="run `inv setup{env}` again: it sends one after another",
        pattern=re.compile(r"[Tt]oo many operations"),
        sources=_GKE,
    ),
    Symptom(
        id="s23-reservation-short",
        cause="the reservation has too few machines left, or none of this kind in this zone",
        remedy="gcloud compute reservations describe {reservation} --zone={zone} --project={project}: free"
        " {machine_type} machines are count less inUseCount; then `inv step 6.2,2.4{env}`",
        pattern=re.compile(r"[Rr]eservation .*(does not have enough resources|insufficient)"),
        sources=_GKE,
    ),
    Symptom(
        id="s24-stockout",
        cause="the zone has no such machines at the moment",
        remedy="take another of the zones {zones}, or node_pool.capacity flex-start; then"
        " `inv step 6.2,2.4{env}`",
        pattern=re.compile(
            r"GCE_STOCKOUT|[Rr]eason: stockout|ZONE_RESOURCE_POOL_EXHAUSTED"
            r"|does not have enough resources available|^(?!.*([Qq]uota|QUOTA)).*RESOURCE_EXHAUSTED"
        ),
        sources=_GKE,
        yields_to=("s22-too-many-operations", "s23-reservation-short"),
    ),
    Symptom(
        id="s25-engines-too-slow",
        cause="the engines took longer to start than the front end waits",
        remedy="raise server.engine_ready_timeout_s ({engine_ready_timeout_s}), then `inv deploy{env}`",
        pattern=re.compile(r"Timed out waiting for engines to send initial message"),
        sources=_LOG,
    ),
    Symptom(
        id="s26-engine-core-failed",
        cause="the engine failed; the front end's last line hides its own error",
        remedy="read the EngineCore lines of the evidence: {kubectl} logs -n {namespace} deployment/{server}"
        " --previous | grep EngineCore",
        pattern=re.compile(r"Engine core initialization failed"),
        sources=_LOG,
        details=re.compile(r"EngineCore.*([A-Z]\w*(Error|Exception)\b|failed)"),
        yields_to=(
            "s09-mount-died",
            "s10-uniform-access-off",
            "s25-engines-too-slow",
            "s27-libtpu-locked",
            "s28-out-of-hbm",
            "s30-vocabulary-unreachable",
            "s31-image-too-old",
        ),
    ),
    Symptom(
        id="s27-libtpu-locked",
        cause="two processes want the same chips, or a lock file of one that died is left",
        remedy="run one server on a node; remove the file: {kubectl} exec -n {namespace} deployment/{server}"
        " -- rm -f /tmp/libtpu_lockfile",
        pattern=re.compile(r"libtpu_lockfile|libtpu multi-process lockfile|TPU is already in use by"),
        sources=_LOG,
    ),
    Symptom(
        id="s28-out-of-hbm",
        cause="weights and KV cache together do not fit into the chips' memory",
        remedy="lower server.flags.gpu-memory-utilization ({gpu_memory_utilization}) or"
        " server.flags.max-num-seqs ({max_num_seqs}), then `inv deploy{env}`",
        pattern=re.compile(r"RESOURCE_EXHAUSTED: .*(device buffer|HBM)"),
        sources=_LOG,
    ),
    Symptom(
        id="s29-slow-image",
        cause="this image takes far longer to load the weights than half a minute, as it should",
        remedy="set server.image to one that is known to be good (now {image}), then `inv deploy{env}`",
        pattern=re.compile(r"Total time to load model weights from storage to TPU: \d{4,}(\.\d+)? seconds"),
        sources=frozenset({Source.LOG, Source.READY_LOG}),
    ),
    Symptom(
        id="s30-vocabulary-unreachable",
        cause="the nodes cannot reach openaipublic.blob.core.windows.net, where the harmony vocabulary is",
        remedy="set server.vocabulary, and `inv deploy{env}` says how o200k_base.tiktoken gets into gs://{bucket};"
        " or give the nodes a way out (Cloud NAT)",
        pattern=re.compile(r"HarmonyError: error downloading or loading vocab file"),
        sources=_LOG,
    ),
    Symptom(
        id="s31-image-too-old",
        cause="the image is older than what the model's kernels need",
        remedy="set server.image to a newer one (now {image}), then `inv deploy{env}`",
        pattern=re.compile(r"Not implemented: Lane broadcast"),
        sources=_LOG,
    ),
    Symptom(
        id="s32-permission-missing",
        cause="the login lacks a permission on GKE",
        remedy="ask for roles/container.admin on {project}, or log in as somebody who has it:"
        " gcloud auth login",
        pattern=re.compile(
            r"""requires one of \["?container\.\S+ permission|["']container\.\S+["'] (permission|denied)"""
        ),
        sources=_GKE,
    ),
    Symptom(
        id="s33-auth-plugin-missing",
        cause="kubectl logs in with gke-gcloud-auth-plugin, which this machine does not have",
        remedy="gcloud components install gke-gcloud-auth-plugin (or the system's package of that name)",
        pattern=re.compile(r"executable gke-gcloud-auth-plugin not found"),
        sources=frozenset({Source.REFUSAL, Source.RUN}),
        verdict="warning",
    ),
    Symptom(
        id="s34-cache-on-the-mount",
        cause="the model is read from a Hugging Face cache on the mounted bucket, page by page",
        remedy="serve the folder {mount_path}/{folder} with server.flags.load-format runai_streamer, as"
        " `inv deploy{env}` does",
    ),
)
