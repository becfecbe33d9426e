"""After trouble: what is wrong with the deployment, by what shows it, and what to do about it."""

from runbook.doctor.diagnosis.naming import diagnose

__all__ = ["diagnose"]
