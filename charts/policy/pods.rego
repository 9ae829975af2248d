# What a pod may not be.
package main

import rego.v1

import data.lib

deny contains sprintf("%s: container %s: image %s is not pinned: it needs a version such as 1.2.3, or a digest", [lib.title(owner), container.name, container.image]) if {
	some owner, pod in lib.pods
	some container in lib.containers(pod)
	not regex.match(`(:v?[0-9]+\.[0-9]+\.[0-9]+[^/]*|@sha256:[0-9a-f]{64})$`, container.image)
}

deny contains sprintf("%s: container %s: resources.%s.%s is missing", [lib.title(owner), container.name, kind, resource]) if {
	some owner, pod in lib.pods
	some container in lib.containers(pod)
	some kind in ["requests", "limits"]
	some resource in ["cpu", "memory"]
	not container.resources[kind][resource]
}

deny contains sprintf("%s: container %s: has no %s", [lib.title(owner), container.name, probe]) if {
	some owner, pod in lib.pods
	owner.kind in lib.serving
	some container in pod.spec.containers
	some probe in ["readinessProbe", "livenessProbe"]
	not container[probe]
}

# The container's own word counts, else the pod's.
setting(pod, container, key) := value if {
	value := container.securityContext[key]
} else := pod.spec.securityContext[key]

deny contains sprintf("%s: container %s: may run as root; set runAsNonRoot: true, and a runAsUser that is not 0", [lib.title(owner), container.name]) if {
	some owner, pod in lib.pods
	some container in lib.containers(pod)
	not other_than_root(pod, container)
}

other_than_root(pod, container) if {
	setting(pod, container, "runAsNonRoot") == true
	setting(pod, container, "runAsUser") > 0
}

deny contains sprintf("%s: container %s: seccompProfile is not RuntimeDefault", [lib.title(owner), container.name]) if {
	some owner, pod in lib.pods
	some container in lib.containers(pod)
	not confined(pod, container)
}

# A rule of its own: a call within `not` that has no value makes the whole rule have none.
confined(pod, container) if setting(pod, container, "seccompProfile").type == "RuntimeDefault"

deny contains sprintf("%s: container %s: securityContext.readOnlyRootFilesystem is not true", [lib.title(owner), container.name]) if {
	some owner, pod in lib.pods
	some container in lib.containers(pod)
	not container.securityContext.readOnlyRootFilesystem == true
}

deny contains sprintf("%s: container %s: securityContext.allowPrivilegeEscalation is not false", [lib.title(owner), container.name]) if {
	some owner, pod in lib.pods
	some container in lib.containers(pod)
	not container.securityContext.allowPrivilegeEscalation == false
}

deny contains sprintf("%s: container %s: is privileged", [lib.title(owner), container.name]) if {
	some owner, pod in lib.pods
	some container in lib.containers(pod)
	container.securityContext.privileged
}

deny contains sprintf("%s: container %s: keeps capabilities; drop ALL, and add none but NET_BIND_SERVICE", [lib.title(owner), container.name]) if {
	some owner, pod in lib.pods
	some container in lib.containers(pod)
	not without_capabilities(container)
}

without_capabilities(container) if {
	capabilities := container.securityContext.capabilities
	"ALL" in capabilities.drop
	object.get(capabilities, "add", []) in [[], ["NET_BIND_SERVICE"]]
}

deny contains sprintf("%s: mounts a token of its service account; set automountServiceAccountToken: false", [lib.title(owner)]) if {
	some owner, pod in lib.pods
	not pod.spec.automountServiceAccountToken == false
}

deny contains sprintf("%s: %s is the host's own", [lib.title(owner), key]) if {
	some owner, pod in lib.pods
	some key in ["hostNetwork", "hostPID", "hostIPC"]
	pod.spec[key]
}

deny contains sprintf("%s: volume %s is a hostPath", [lib.title(owner), volume.name]) if {
	some owner, pod in lib.pods
	some volume in pod.spec.volumes
	volume.hostPath
}

deny contains sprintf("%s: container %s: port %d is one of the host", [lib.title(owner), container.name, port.hostPort]) if {
	some owner, pod in lib.pods
	some container in lib.containers(pod)
	some port in container.ports
	port.hostPort
}

deny contains sprintf("%s: container %s: %s holds a secret in plain text; mount it as a file", [lib.title(owner), container.name, variable.name]) if {
	some owner, pod in lib.pods
	some container in lib.containers(pod)
	some variable in container.env
	regex.match(`(PASSWORD|SECRET|TOKEN|PRIVATE_KEY|API_KEY)`, variable.name)
	not endswith(variable.name, "_FILE")
	variable.value
}
