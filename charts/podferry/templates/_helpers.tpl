{{- define "podferry.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "podferry.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "podferry.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "podferry.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "podferry.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "podferry.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name: needed when serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "podferry.selectorLabels" -}}
app.kubernetes.io/name: {{ include "podferry.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "podferry.labels" -}}
{{ include "podferry.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: service-proxy
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "podferry.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* One --api-server for each host. An IPv6 address is written in brackets. */ -}}
{{- define "podferry.apiServerArgs" -}}
{{- if not .Values.config.api_servers }}
{{- $help := "k8sServiceHost: give the address of the API server, one that works without a service proxy (or config.api_servers)" }}
{{- $hosts := required $help .Values.k8sServiceHost }}
{{- range splitList "," $hosts }}
{{- $host := trim . }}
{{- if contains ":" $host }}
{{- $host = printf "[%s]" $host }}
{{- end }}
- --api-server=https://{{ $host }}:{{ $.Values.k8sServicePort }}
{{- end }}
{{- else if .Values.k8sServiceHost }}
{{- fail "k8sServiceHost and config.api_servers: give one of them" }}
{{- end }}
{{- end }}

{{- /* podferry's configuration file. What is empty is left to podferry's default, except an address, where it means off. */ -}}
{{- define "podferry.config" -}}
{{- range $name, $value := .Values.config }}
{{- if or (not (empty $value)) (kindIs "bool" $value) (kindIs "float64" $value) (kindIs "int64" $value) (hasSuffix "_bind_address" $name) }}
{{ toYaml (dict $name $value) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The address at which the node itself reaches ADDRESS:PORT, as fields of an httpGet probe. */ -}}
{{- define "podferry.probeTarget" -}}
{{- $port := regexFind "[0-9]+$" . }}
{{- $host := trimSuffix (printf ":%s" $port) . | trimPrefix "[" | trimSuffix "]" }}
{{- if eq $host "0.0.0.0" }}
{{- $host = "127.0.0.1" }}
{{- else if eq $host "::" }}
{{- $host = "::1" }}
{{- end -}}
host: {{ $host | quote }}
port: {{ $port }}
{{- end }}
