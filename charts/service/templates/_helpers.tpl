{{/* What all templates share. Most take (dict "root" $ "name" NAME "workload" WORKLOAD). */}}

{{- define "service.app" -}}
{{ default .Release.Name .Values.app }}
{{- end }}

{{/* (list DEFAULTS OWN): OWN over DEFAULTS, at any depth. Sprig's mergeOverwrite lets a default win over false and 0. */}}
{{- define "service.merge" -}}
{{- $merged := deepCopy (index . 0) }}
{{- range $key, $value := index . 1 }}
{{- $default := get $merged $key }}
{{- if and (kindIs "map" $value) (kindIs "map" $default) }}
{{- $value = include "service.merge" (list $default $value) | fromYaml }}
{{- end }}
{{- $_ := set $merged $key $value }}
{{- end }}
{{- toYaml $merged }}
{{- end }}

{{/* Name -> workload with the defaults, of those that are enabled. */}}
{{- define "service.workloads" -}}
{{- $all := dict }}
{{- range $name, $own := .Values.workloads }}
{{- $workload := include "service.merge" (list $.Values.defaults $own) | fromYaml }}
{{- if $workload.enabled }}
{{- include "service.sound" (dict "name" $name "workload" $workload) }}
{{- $_ := set $all $name $workload }}
{{- end }}
{{- end }}
{{- toYaml $all }}
{{- end }}

{{/* What the schema cannot say, because it sees a workload without the defaults. */}}
{{- define "service.sound" -}}
{{- $at := printf "workloads.%s" .name }}
{{- with .workload }}
{{- if not .image }}{{ fail (printf "%s: lacks image" $at) }}{{ end }}
{{- if not .resources }}{{ fail (printf "%s: lacks resources" $at) }}{{ end }}
{{- if and (eq .kind "CronJob") (not .schedule) }}{{ fail (printf "%s: is a CronJob and lacks schedule" $at) }}{{ end }}
{{- if and .schedule (ne .kind "CronJob") }}{{ fail (printf "%s.schedule: is for a CronJob, and this is a %s" $at .kind) }}{{ end }}
{{- if and .scaling (ne .kind "Deployment") }}{{ fail (printf "%s.scaling: is for a Deployment, and this is a %s" $at .kind) }}{{ end }}
{{- if and .scaling (gt (int .scaling.min) (int .scaling.max)) }}{{ fail (printf "%s.scaling: min %d is more than max %d" $at (int .scaling.min) (int .scaling.max)) }}{{ end }}
{{- if and .scaling (ne (default "Off" .vpa) "Off") }}{{ fail (printf "%s.vpa: %s and scaling would both answer to the same load; use Off, which only advises" $at .vpa) }}{{ end }}
{{- if and .metrics (not (hasKey (default dict .ports) .metrics.port)) }}{{ fail (printf "%s.metrics.port: '%s' is none of its ports" $at .metrics.port) }}{{ end }}
{{- if and (eq .kind "Deployment") .volumes (or .scaling (gt (int .replicas) 1)) }}{{ fail (printf "%s.volumes: its replicas would share one volume; make it a StatefulSet" $at) }}{{ end }}
{{- if and (eq .kind "Job") .volumes }}{{ fail (printf "%s.volumes: is a Job, which is made anew with all that is its own; give them to what serves" $at) }}{{ end }}
{{- end }}
{{- end }}

{{/* Deployments and StatefulSets serve; Jobs and CronJobs end. */}}
{{- define "service.serves" -}}
{{- if has .workload.kind (list "Deployment" "StatefulSet") }}yes{{ end }}
{{- end }}

{{- define "service.least" -}}
{{- if .workload.scaling }}{{ int .workload.scaling.min }}{{ else }}{{ int .workload.replicas }}{{ end }}
{{- end }}

{{- define "service.name" -}}
{{ include "service.app" .root }}-{{ .name }}
{{- end }}

{{- define "service.secretName" -}}
{{ default (include "service.app" .) .Values.secretName }}
{{- end }}

{{- define "service.selector" -}}
app.kubernetes.io/name: {{ include "service.app" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .name | quote }}
{{- end }}

{{- define "service.labels" -}}
{{ include "service.selector" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{/*
Name (or `called`), namespace, labels (and `also`) and `annotations`. What belongs to a Job is a hook like it: hooks come
before the release's other objects.
*/}}
{{- define "service.metadata" -}}
name: {{ default (include "service.name" .) .called }}
namespace: {{ .root.Release.Namespace | quote }}
labels:
  {{- include "service.labels" . | nindent 2 }}
  {{- with .also }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- $annotations := dict }}
{{- if eq .workload.kind "Job" }}
{{- $_ := set $annotations "helm.sh/hook" "pre-install,pre-upgrade" }}
{{- $_ := set $annotations "helm.sh/hook-weight" (default "-5" .weight) }}
{{- $_ := set $annotations "helm.sh/hook-delete-policy" "before-hook-creation" }}
{{- end }}
{{- with mergeOverwrite $annotations (default dict .annotations) }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* [REGISTRY/]REPOSITORY[:TAG][@DIGEST] */}}
{{- define "service.image" -}}
{{- with .workload.image }}
{{- if not (or .tag .digest) }}{{ fail (printf "workloads.%s.image: needs a tag or a digest" $.name) }}{{ end }}
{{- with $.root.Values.registry }}{{ . }}/{{ end }}{{ .repository }}
{{- with .tag }}:{{ . }}{{ end }}
{{- with .digest }}@{{ . }}{{ end }}
{{- end }}
{{- end }}

{{/* A peer of a NetworkPolicy: pods of this or another namespace, or addresses. */}}
{{- define "service.peer" -}}
{{- if .peer.cidr }}
- ipBlock: {cidr: {{ .peer.cidr | quote }}}
{{- else }}
- {{- with .peer.namespace }}
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ . | quote }}}}
  {{- end }}
  {{- if or .peer.workload .peer.app }}
  podSelector:
    matchLabels:
      app.kubernetes.io/name: {{ default (include "service.app" .root) .peer.app | quote }}
      {{- with .peer.workload }}
      app.kubernetes.io/component: {{ . | quote }}
      {{- end }}
  {{- end }}
{{- end }}
{{- end }}
