"""Kubernetes: what is rolled out there, and how.

Read in this order: objects (what an object is and whose), plan (what is wanted beside what is there), strategies (the
stages of a workload), ready and diagnose (how a workload stands, and why), ledger (what is remembered), rollout (the
order of events), api and watch (the cluster). All but the last two are free of network and clock.

What a cluster has before anything runs in it is resources and permissions; values of the chart are chart's; what the
cluster runs for itself is in addons, and its nodes are the affair of nodes.
"""
