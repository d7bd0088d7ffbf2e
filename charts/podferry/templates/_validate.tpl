{{- /* What a schema can say only in patterns that nobody can read. Each message names the value, and what would be right. */ -}}

{{- define "podferry.isIpv4" -}}
{{- if regexMatch "^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])$" . }}yes{{ end }}
{{- end }}

{{- define "podferry.isIpv6" -}}
{{- if regexMatch "^[0-9a-fA-F]{0,4}(:[0-9a-fA-F.]*){2,8}$" . }}yes{{ end }}
{{- end }}

{{- /* name, cidr */ -}}
{{- define "podferry.checkCidr" -}}
{{- $parts := splitList "/" .cidr }}
{{- $most := ternary 32 (ternary 128 -1 (eq (include "podferry.isIpv6" (first $parts)) "yes")) (eq (include "podferry.isIpv4" (first $parts)) "yes") }}
{{- if or (ne (len $parts) 2) (gt (last $parts | atoi) $most) }}
{{- fail (printf "%s: '%s' is no CIDR such as 10.96.0.0/16 or fd00:96::/112" .name .cidr) }}
{{- end }}
{{- end }}

{{- /* name, server */ -}}
{{- define "podferry.checkServer" -}}
{{- $rest := trimPrefix "https://" .server | trimSuffix "/" }}
{{- if or (not (hasPrefix "https://" .server)) (not (regexMatch "^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\\[[0-9a-fA-F:.]+\\])(:[0-9]{1,5})?$" $rest)) }}
{{- fail (printf "%s: '%s' is not https://HOST:PORT; an IPv6 address stands in brackets" .name .server) }}
{{- end }}
{{- end }}

{{- /* name, duration */ -}}
{{- define "podferry.checkDuration" -}}
{{- if not (regexMatch "^(0|([0-9]{1,9}(\\.[0-9]{1,9})?(ms|s|m|h))+)$" .duration) }}
{{- fail (printf "%s: '%s' is no duration such as 90s, 1m30s or 1.5h" .name .duration) }}
{{- end }}
{{- end }}

{{- /* name, port */ -}}
{{- define "podferry.checkPort" -}}
{{- if or (lt (atoi .port) 1) (gt (atoi .port) 65535) }}
{{- fail (printf "%s: port %s is not within 1-65535" .name .port) }}
{{- end }}
{{- end }}

{{- /* name, address: ADDRESS:PORT */ -}}
{{- define "podferry.checkListen" -}}
{{- $port := regexFind "[0-9]+$" .address }}
{{- $host := trimSuffix (printf ":%s" $port) .address }}
{{- $bare := trimPrefix "[" $host | trimSuffix "]" }}
{{- if not (or (eq $host "node_ip") (eq (include "podferry.isIpv4" $host) "yes") (and (hasPrefix "[" $host) (eq (include "podferry.isIpv6" $bare) "yes"))) }}
{{- fail (printf "%s: '%s' is not ADDRESS:PORT; an IPv6 address stands in brackets: [::1]:10249" .name .address) }}
{{- end }}
{{- include "podferry.checkPort" (dict "name" .name "port" $port) }}
{{- end }}

{{- define "podferry.validate" -}}
{{- $config := .Values.config }}
{{- range $name := list "service_cluster_ip_range" "network_cidr" "node_port_addresses" }}
{{- range $i, $cidr := index $config $name }}
{{- include "podferry.checkCidr" (dict "name" (printf "config.%s[%d]" $name $i) "cidr" $cidr) }}
{{- end }}
{{- end }}
{{- if kindIs "slice" $config.external_ips }}
{{- range $i, $cidr := $config.external_ips }}
{{- include "podferry.checkCidr" (dict "name" (printf "config.external_ips[%d]" $i) "cidr" $cidr) }}
{{- end }}
{{- end }}
{{- range $name := list "metrics_bind_address" "healthz_bind_address" }}
{{- with index $config $name }}
{{- include "podferry.checkListen" (dict "name" (printf "config.%s" $name) "address" .) }}
{{- end }}
{{- end }}
{{- range $name := list "api_servers" "api_local_proxies" }}
{{- range $i, $server := index $config $name }}
{{- include "podferry.checkServer" (dict "name" (printf "config.%s[%d]" $name $i) "server" $server) }}
{{- end }}
{{- end }}
{{- range $name := list "audit_period" "relist_hold" "drain_timeout" "folder_debounce" "conntrack_tcp_timeout_established" "conntrack_tcp_timeout_close_wait" "conntrack_udp_timeout" "conntrack_udp_timeout_stream" "ipvs_tcp_timeout" "ipvs_tcpfin_timeout" "ipvs_udp_timeout" }}
{{- with index $config $name }}
{{- include "podferry.checkDuration" (dict "name" (printf "config.%s" $name) "duration" .) }}
{{- end }}
{{- end }}
{{- $ports := splitList "-" $config.service_node_port_range }}
{{- if not (regexMatch "^[0-9]{1,5}-[0-9]{1,5}$" $config.service_node_port_range) }}
{{- fail (printf "config.service_node_port_range: '%s' is not FIRST-LAST, such as 30000-32767" $config.service_node_port_range) }}
{{- end }}
{{- range $ports }}
{{- include "podferry.checkPort" (dict "name" "config.service_node_port_range" "port" .) }}
{{- end }}
{{- if gt (first $ports | atoi) (last $ports | atoi) }}
{{- fail (printf "config.service_node_port_range: '%s' ends before it begins" $config.service_node_port_range) }}
{{- end }}
{{- range $host := splitList "," .Values.k8sServiceHost }}
{{- $host = trim $host }}
{{- if and $host (not (regexMatch "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$" $host)) (ne (include "podferry.isIpv6" $host) "yes") }}
{{- fail (printf "k8sServiceHost: '%s' is neither a host name nor an address; the port is value k8sServicePort" $host) }}
{{- end }}
{{- end }}
{{- if and .Values.k8sServiceHost $config.api_servers }}
{{- fail "k8sServiceHost and config.api_servers: give one of them" }}
{{- end }}
{{- if and .Values.kubeProxyConfig.configMap .Values.kubeProxyConfig.content }}
{{- fail "kubeProxyConfig.configMap and kubeProxyConfig.content: give one of them" }}
{{- end }}
{{- if and .Values.migration.enabled .Values.affinity }}
{{- fail "affinity and migration.enabled: give one of them; the migration leads podferry's pods by label podferry.io/moved" }}
{{- end }}
{{- include "podferry.checkDuration" (dict "name" "migration.timeout" "duration" .Values.migration.timeout) }}
{{- end }}
