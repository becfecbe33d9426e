"""The runbook that runs itself: steps that check before they change, over a cloud or its rehearsal."""
