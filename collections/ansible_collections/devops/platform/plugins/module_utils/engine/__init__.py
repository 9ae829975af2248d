"""The host engine: plan, stage, validate, switch, probe, keep or restore.

Nothing here imports Ansible, so that every decision is tested as plain Python.
Read in this order: spec (what is asked for), observe (what is there), plan (the difference),
transaction (the change and the way back), engine (the whole run of one component).
"""
