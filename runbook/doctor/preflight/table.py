"""The checks, in the order in which they are told."""

from __future__ import annotations

from runbook.doctor.preflight import (
    account,
    bastion,
    chips,
    cluster,
    images,
    machine,
    model,
    nodes,
    reservations,
    volumes,
)
from runbook.doctor.preflight.check import Check

LOGIN = "P1"
CLUSTER = "P4"
BASTION = "P17"

CHECKS = (
    Check(LOGIN, "login and project", account.login),
    Check("P2", "APIs", account.apis, needs=(LOGIN,)),
    Check("P3", "permissions", account.permissions, needs=(LOGIN,)),
    Check(BASTION, "bastion", bastion.way_to_the_api, needs=(LOGIN,)),
    Check(CLUSTER, "cluster", cluster.at_its_location, needs=(LOGIN, BASTION)),
    Check("P5", "versions", cluster.new_enough, needs=(LOGIN, CLUSTER)),
    Check("P6", "machine type", reservations.machine_type, needs=(LOGIN,)),
    Check("P7", "reservation or quota", reservations.machines, needs=(LOGIN,)),
    Check("P8", "bucket", model.bucket_fits, needs=(LOGIN,)),
    Check("P9", "model", model.model_complete, needs=(LOGIN,)),
    Check("P10", "grant on the bucket", model.grant, needs=(LOGIN,)),
    Check("P11", "daemons", nodes.daemons, needs=(LOGIN, CLUSTER)),
    Check("P12", "TPU nodes", nodes.ready, needs=(LOGIN, CLUSTER)),
    Check("P13", "free chips", chips.free_chips, needs=(LOGIN, CLUSTER)),
    Check("P14", "images", images.images, needs=(LOGIN,)),
    Check("P15", "this machine", machine.this_machine),
    Check("P16", "volumes", volumes.no_foreign_volume, needs=(LOGIN, CLUSTER)),
)
