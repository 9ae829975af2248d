{{/* The pod of every workload: what Pod Security calls restricted, with a read-only root and no token. */}}
{{- define "service.pod" -}}
{{- $root := .root }}
{{- $name := .name }}
{{- with .workload }}
metadata:
  labels: {{- include "service.labels" $ | nindent 4 }}
  {{- with include "service.podAnnotations" $ | fromYaml }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "service.name" $ }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with $root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . | quote }}
    {{- end }}
  {{- end }}
  {{- if not (include "service.serves" $) }}
  restartPolicy: Never
  {{- end }}
  terminationGracePeriodSeconds: {{ int .stopSeconds }}
  securityContext:
    runAsNonRoot: true
    runAsUser: {{ int .user }}
    runAsGroup: {{ int .user }}
    fsGroup: {{ int .user }}
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: {type: RuntimeDefault}
  {{- with .priorityClass }}
  priorityClassName: {{ . | quote }}
  {{- end }}
  {{- with .nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if and (include "service.serves" $) (gt (int (include "service.least" $)) 1) .spread }}
  topologySpreadConstraints:
    {{- range $topology, $otherwise := .spread }}
    - maxSkew: 1
      topologyKey: {{ $topology }}
      whenUnsatisfiable: {{ $otherwise }}
      labelSelector:
        matchLabels: {{- include "service.selector" $ | nindent 10 }}
      {{- if eq $.workload.kind "Deployment" }}
      matchLabelKeys: [pod-template-hash]
      {{- end }}
    {{- end }}
  {{- end }}
  containers:
    - name: {{ $name | quote }}
      image: {{ include "service.image" $ | quote }}
      imagePullPolicy: IfNotPresent
      {{- with .command }}
      command: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .args }}
      args: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .ports }}
      ports:
        {{- range $port, $number := . }}
        - {name: {{ $port | quote }}, containerPort: {{ int $number }}, protocol: TCP}
        {{- end }}
      {{- end }}
      {{- with include "service.environment" $ | fromYamlArray }}
      env: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- range $kind, $probe := .probes }}
      {{ $kind }}Probe: {{- include "service.probe" $probe | nindent 8 }}
      {{- end }}
      resources: {{- toYaml .resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      {{- with include "service.mounts" $ | fromYamlArray }}
      volumeMounts: {{- toYaml . | nindent 8 }}
      {{- end }}
  {{- with include "service.volumes" $ | fromYamlArray }}
  volumes: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Where Prometheus finds it, and digests of what it reads once at its start: a change there starts it anew. */}}
{{- define "service.podAnnotations" -}}
{{- with .workload.files }}
checksum/files: {{ toYaml . | sha256sum }}
{{- end }}
{{- if and .workload.secrets .root.Values.secretValues }}
checksum/secrets: {{ toYaml .root.Values.secretValues | sha256sum }}
{{- end }}
{{- if and .workload.metrics (eq .root.Values.monitoring.discovery "annotations") }}
prometheus.io/scrape: "true"
prometheus.io/path: {{ .workload.metrics.path | quote }}
prometheus.io/port: {{ index .workload.ports .workload.metrics.port | int | quote }}
{{- end }}
{{- end }}

{{/* The app's environment, the workload's own over it, and NAME_FILE for each secret NAME. */}}
{{- define "service.environment" -}}
{{- $values := merge (dict) (default dict .workload.environment) .root.Values.environment }}
{{- range $variable, $field := .workload.fields }}
- name: {{ $variable | quote }}
  valueFrom: {fieldRef: {apiVersion: v1, fieldPath: {{ $field | quote }}}}
{{- end }}
{{- range $variable, $value := $values }}
- name: {{ $variable | quote }}
  value: {{ kindIs "float64" $value | ternary (toJson $value) (toString $value) | quote }}
{{- end }}
{{- range $variable, $key := .workload.secrets }}
- name: {{ printf "%s_FILE" $variable | quote }}
  value: {{ printf "/run/secrets/%s" $key | quote }}
{{- end }}
{{- end }}

{{- define "service.probe" -}}
{{- if .path }}
httpGet: {path: {{ .path | quote }}, port: {{ default "http" .port | quote }}}
{{- else if .exec }}
exec: {command: {{ toJson .exec }}}
{{- else }}
tcpSocket: {port: {{ default "http" .port | quote }}}
{{- end }}
periodSeconds: {{ default 10 .period | int }}
timeoutSeconds: {{ default 5 .timeout | int }}
failureThreshold: {{ default 3 .failures | int }}
{{- end }}

{{- define "service.mounts" -}}
{{- with .workload.secrets }}
- {name: secrets, mountPath: /run/secrets, readOnly: true}
{{- end }}
{{- with .workload.files }}
- {name: files, mountPath: {{ .path | quote }}, readOnly: true}
{{- end }}
{{- range $path, $size := .workload.scratch }}
- {name: {{ include "service.scratch" $path }}, mountPath: {{ $path | quote }}}
{{- end }}
{{- range $volume, $about := .workload.volumes }}
- {name: {{ $volume | quote }}, mountPath: {{ $about.path | quote }}}
{{- end }}
{{- end }}

{{- define "service.volumes" -}}
{{- with .workload.secrets }}
- name: secrets
  secret:
    secretName: {{ include "service.secretName" $.root | quote }}
    defaultMode: 0440
    items:
      {{- range . | values | uniq | sortAlpha }}
      - {key: {{ . | quote }}, path: {{ . | quote }}}
      {{- end }}
{{- end }}
{{- with .workload.files }}
- name: files
  configMap: {name: {{ include "service.name" $ }}}
{{- end }}
{{- range $path, $size := .workload.scratch }}
- name: {{ include "service.scratch" $path }}
  emptyDir: {sizeLimit: {{ $size | quote }}}
{{- end }}
{{- if ne .workload.kind "StatefulSet" }}
{{- range $volume, $about := .workload.volumes }}
- name: {{ $volume | quote }}
  persistentVolumeClaim: {claimName: {{ include "service.name" $ }}-{{ $volume }}}
{{- end }}
{{- end }}
{{- end }}

{{/* /var/tmp -> scratch-var-tmp */}}
{{- define "service.scratch" -}}
scratch-{{ . | trimPrefix "/" | replace "/" "-" | replace "." "-" | lower }}
{{- end }}

{{/* A claim on storage, as a StatefulSet's template or as an object of its own. */}}
{{- define "service.claim" -}}
accessModes: [ReadWriteOnce]
{{- with .storageClass }}
storageClassName: {{ . | quote }}
{{- end }}
resources: {requests: {storage: {{ .size | quote }}}}
{{- end }}
