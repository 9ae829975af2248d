# What a workload needs beside it.
package main

import rego.v1

import data.lib

deny contains sprintf("%s: has %d pods and no PodDisruptionBudget", [lib.title(owner), lib.least(owner)]) if {
	some owner, pod in lib.pods
	owner.kind in lib.serving
	lib.least(owner) > 1
	not budgeted(pod)
}

budgeted(pod) if {
	some budget in lib.of_kind("PodDisruptionBudget")
	lib.selects(budget.spec.selector, pod)
}

deny contains sprintf("%s: has %d pods and no topologySpreadConstraints over nodes", [lib.title(owner), lib.least(owner)]) if {
	some owner, pod in lib.pods
	owner.kind in {"Deployment", "StatefulSet"}
	lib.least(owner) > 1
	not spread(pod)
}

spread(pod) if {
	some constraint in pod.spec.topologySpreadConstraints
	constraint.topologyKey == "kubernetes.io/hostname"
	lib.selects(constraint.labelSelector, pod)
}

deny contains sprintf("%s: no NetworkPolicy says who may reach it and what it may reach", [lib.title(owner)]) if {
	some owner, pod in lib.pods
	not {"Ingress", "Egress"} == limited(pod)
}

limited(pod) := {direction |
	some policy in lib.of_kind("NetworkPolicy")
	lib.selects(policy.spec.podSelector, pod)
	some direction in policy.spec.policyTypes
}

# An empty list of peers is everybody.
deny contains sprintf("%s: lets anybody in", [lib.title(policy)]) if {
	some policy in lib.of_kind("NetworkPolicy")
	some rule in policy.spec.ingress
	count(object.get(rule, "from", [])) == 0
}

deny contains sprintf("%s: lets out to anywhere", [lib.title(policy)]) if {
	some policy in lib.of_kind("NetworkPolicy")
	some rule in policy.spec.egress
	count(object.get(rule, "to", [])) == 0
}

deny contains sprintf("%s: runs as the service account %s, which is not its own", [lib.title(owner), account]) if {
	some owner, pod in lib.pods
	account := object.get(pod.spec, "serviceAccountName", "default")
	not account in {known.metadata.name | some known in lib.of_kind("ServiceAccount")}
}

deny contains sprintf("%s: mounts its token by default", [lib.title(account)]) if {
	some account in lib.of_kind("ServiceAccount")
	not account.automountServiceAccountToken == false
}

deny contains sprintf("%s: has no namespace", [lib.title(manifest)]) if {
	some manifest in lib.manifests
	not manifest.metadata.namespace
}
