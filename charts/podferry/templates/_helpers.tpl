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

{{- /* Nothing in it changes with the chart's version: else each of its releases would restart all nodes' podferry. */ -}}
{{- define "podferry.podLabels" -}}
{{ include "podferry.selectorLabels" . }}
app.kubernetes.io/component: service-proxy
{{- with .Values.podLabels }}
{{ toYaml . }}
{{- end }}
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
{{- with .Values.k8sServiceHost }}
{{- range splitList "," . }}
{{- $host := trim . }}
{{- if contains ":" $host }}
{{- $host = printf "[%s]" $host }}
{{- end }}
- --api-server=https://{{ $host }}:{{ $.Values.k8sServicePort }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Whether podferry looks for its API server itself. */ -}}
{{- define "podferry.looksForApi" -}}
{{- if not (or .Values.k8sServiceHost .Values.config.api_servers .Values.config.kubeconfig) }}yes{{ end }}
{{- end }}

{{- /* Kubeconfigs of others, as the container sees them. */ -}}
{{- define "podferry.apiServerFiles" -}}
{{- $files := .Values.config.api_server_files }}
{{- if eq (include "podferry.looksForApi" .) "yes" }}
{{- if .Values.apiServer.configMap }}
{{- $files = append $files "/etc/podferry-api/kube-proxy/kubeconfig.conf" }}
{{- end }}
{{- if .Values.apiServer.kubeletKubeconfig }}
{{- $files = append $files "/etc/podferry-api/kubelet.conf" }}
{{- end }}
{{- end }}
{{- toJson $files }}
{{- end }}

{{- /* What both containers need of kube-proxy's configuration. */ -}}
{{- define "podferry.kubeProxyArgs" -}}
{{- if .Values.kubeProxyConfig.configMap }}
- --kube-proxy-config=/var/lib/kube-proxy/{{ .Values.kubeProxyConfig.key }}
{{- else if .Values.kubeProxyConfig.content }}
- --kube-proxy-config=/etc/podferry/kube-proxy.yaml
{{- end }}
{{- end }}

{{- /* Where kubeadm's kube-proxy has it: clientConnection.kubeconfig names its other file there. */ -}}
{{- define "podferry.kubeProxyMount" -}}
{{- if .Values.kubeProxyConfig.configMap }}
- name: kube-proxy-config
  mountPath: /var/lib/kube-proxy
  readOnly: true
{{- end }}
{{- end }}

{{- define "podferry.checksNodes" -}}
{{- if ne (default "observe" .Values.config.node_check) "off" }}yes{{ end }}
{{- end }}

{{- /* The Service whose EndpointSlices say where nodes are. */ -}}
{{- define "podferry.nodesService" -}}
{{- printf "%s-nodes" (include "podferry.fullname" . | trunc 57 | trimSuffix "-") }}
{{- end }}

{{- /* podferry's configuration file. What is empty is left to podferry's default, except an address or a list, where it means off. */ -}}
{{- define "podferry.config" -}}
{{- $config := merge (dict "api_server_files" (include "podferry.apiServerFiles" . | fromJsonArray)) .Values.config }}
{{- if and (eq (include "podferry.checksNodes" .) "yes") (not $config.node_check_service) }}
{{- $config = merge (dict "node_check_service" (printf "%s/%s" .Release.Namespace (include "podferry.nodesService" .))) $config }}
{{- end }}
{{- range $name, $value := $config }}
{{- if or (not (empty $value)) (kindIs "bool" $value) (kindIs "float64" $value) (kindIs "int64" $value) (hasSuffix "_bind_address" $name) (eq $name "api_local_proxies") }}
{{ toYaml (dict $name $value) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* All files of the ConfigMap: a change of any of them exchanges the pods. */ -}}
{{- define "podferry.files" -}}
config.yaml: |
  {{- include "podferry.config" . | trim | nindent 2 }}
{{- with .Values.kubeProxyConfig.content }}
kube-proxy.yaml: |
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "podferry.port" -}}
{{- regexFind "[0-9]+$" . }}
{{- end }}

{{- /* For volumes of the node's folders. */ -}}
{{- define "podferry.hostVolumes" -}}
- name: config
  configMap:
    name: {{ include "podferry.fullname" . }}
# On the node, where the next podferry finds it: the lock against a second one, and which ports it has reserved.
- name: state
  hostPath:
    path: {{ .Values.config.state_dir }}
    type: DirectoryOrCreate
# The socket of `podferry status` and `podferry services`.
- name: run
  hostPath:
    path: {{ dir .Values.config.socket }}
    type: DirectoryOrCreate
{{- if .Values.sysctls.set }}
# A container's own /proc/sys is read-only unless it is privileged.
- name: sysctls
  hostPath:
    path: /proc/sys/net
    type: Directory
{{- end }}
{{- end }}

{{- /* ---- the load balancer's controller: a Deployment of its own, whose pods are none of the DaemonSet's ---- */ -}}
{{- define "podferry.controllerName" -}}
{{- printf "%s-controller" (include "podferry.fullname" . | trunc 52 | trimSuffix "-") }}
{{- end }}

{{- define "podferry.controllerSelectorLabels" -}}
app.kubernetes.io/name: {{ printf "%s-controller" (include "podferry.name" . | trunc 52 | trimSuffix "-") }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "podferry.controllerLabels" -}}
{{ include "podferry.controllerSelectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: load-balancer-controller
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}
