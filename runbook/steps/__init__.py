"""The step modules that playbooks use: read, compare, change.

`uses: gke.cluster` in a playbook is the module `runbook.steps.gke.cluster`. It holds a pydantic model
`Arguments` (what `with:` may say) and a generator `run(arguments, context)`.
"""
