"""Nodes of a cluster that is ours: `platform.kubernetes.cluster`.

Read in this order: settings (what is wanted), membership (which node makes the cluster, joins it, or is refused),
configuration (what kubeadm is told), components (what a node is given), snapshots and upgrade. All of it is pure but
for kubeadm, which runs on nodes.
"""
