# Workloads, their pods and containers, whatever their kind. With --combine, `input` is a list of {path, contents}.
package lib

import rego.v1

manifests contains manifest if {
	some file in input
	manifest := file.contents
	is_object(manifest)
}

of_kind(kind) := {manifest | some manifest in manifests; manifest.kind == kind}

# Kinds whose pods serve until they are told to stop.
serving := {"Deployment", "StatefulSet", "DaemonSet"}

# manifest -> its pod template, of everything that makes pods.
pods[manifest] := manifest.spec.template if {
	some manifest in manifests
	manifest.kind in (serving | {"Job"})
}

pods[manifest] := manifest.spec.jobTemplate.spec.template if {
	some manifest in manifests
	manifest.kind == "CronJob"
}

containers(pod) := array.concat(object.get(pod.spec, "initContainers", []), pod.spec.containers)

title(manifest) := sprintf("%s/%s", [manifest.kind, manifest.metadata.name])

# How many pods there are at least: an autoscaler's word counts for more than the manifest's.
least(manifest) := number if {
	number := min({scaler.spec.minReplicas |
		some scaler in of_kind("HorizontalPodAutoscaler")
		scaler.spec.scaleTargetRef.kind == manifest.kind
		scaler.spec.scaleTargetRef.name == manifest.metadata.name
	})
} else := object.get(manifest.spec, "replicas", 1)

# Whether a selector of matchLabels finds the pods. One without labels finds all of them.
selects(selector, pod) if {
	not selector.matchExpressions
	labels := object.get(selector, "matchLabels", {})
	every key, value in labels {
		pod.metadata.labels[key] == value
	}
}
