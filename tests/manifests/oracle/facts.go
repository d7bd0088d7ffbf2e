package main

import (
	"net/netip"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
	core "k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/apis/discovery"
)

// What podferry reads of each kind, under the names that tests/manifests/reading.cpp gives it too.

func serviceFacts(o runtime.Object) map[string]any {
	s := o.(*core.Service)
	spec := &s.Spec
	annotations := map[string]string{}
	for key, value := range s.Annotations {
		if strings.HasPrefix(key, "podferry.io/") || strings.HasPrefix(key, "kube-router.io/") {
			annotations[key] = value
		}
	}
	ips := []string{}
	given := spec.ClusterIPs
	if len(given) == 0 && spec.ClusterIP != "" {
		given = []string{spec.ClusterIP}
	}
	for _, ip := range given {
		if ip != core.ClusterIPNone && ip != "" {
			ips = append(ips, address(ip))
		}
	}
	ports := []any{}
	for _, p := range spec.Ports {
		ports = append(ports, map[string]any{"name": p.Name, "protocol": string(p.Protocol), "port": p.Port, "target": target(p.TargetPort),
			"nodePort": p.NodePort})
	}
	families := []string{}
	for _, f := range spec.IPFamilies {
		families = append(families, string(f))
	}
	policy := ""
	if spec.IPFamilyPolicy != nil {
		policy = string(*spec.IPFamilyPolicy)
	}
	affinity := int32(0)
	if spec.SessionAffinity == core.ServiceAffinityClientIP && spec.SessionAffinityConfig != nil && spec.SessionAffinityConfig.ClientIP != nil {
		affinity = *spec.SessionAffinityConfig.ClientIP.TimeoutSeconds
	}
	inside := "Cluster"
	if spec.InternalTrafficPolicy != nil && *spec.InternalTrafficPolicy == core.ServiceInternalTrafficPolicyLocal {
		inside = "Local"
	}
	outside := "Cluster"
	if spec.ExternalTrafficPolicy == core.ServiceExternalTrafficPolicyLocal {
		outside = "Local"
	}
	facts := map[string]any{"type": string(spec.Type), "headless": spec.ClusterIP == core.ClusterIPNone, "clusterIPs": ips, "families": families,
		"familyPolicy": policy, "selector": selector(spec.Selector), "ports": ports, "externalIPs": addresses(spec.ExternalIPs),
		"affinity": affinity, "internal": inside, "external": outside, "publishNotReady": spec.PublishNotReadyAddresses,
		"annotations": annotations, "created": s.CreationTimestamp.Unix()}
	if s.CreationTimestamp.IsZero() {
		facts["created"] = 0
	}
	if spec.Type == core.ServiceTypeLoadBalancer {
		ranges := []string{}
		for _, text := range spec.LoadBalancerSourceRanges {
			ranges = append(ranges, network(text))
		}
		ingress := []string{}
		for _, i := range s.Status.LoadBalancer.Ingress {
			if i.IP == "" {
				continue
			}
			mode := "VIP"
			if i.IPMode != nil {
				mode = string(*i.IPMode)
			}
			ingress = append(ingress, address(i.IP)+" "+mode)
		}
		facts["sourceRanges"] = ranges
		facts["ingress"] = ingress
		facts["healthCheckNodePort"] = spec.HealthCheckNodePort
		facts["allocateNodePorts"] = spec.AllocateLoadBalancerNodePorts == nil || *spec.AllocateLoadBalancerNodePorts
	}
	return facts
}

func network(text string) string {
	if parsed, err := netip.ParsePrefix(strings.TrimSpace(text)); err == nil {
		return parsed.Masked().String()
	}
	return text
}

func selector(given map[string]string) map[string]string {
	if given == nil {
		return map[string]string{}
	}
	return given
}

func target(p intstr.IntOrString) any {
	if p.Type == intstr.String {
		return p.StrVal
	}
	return p.IntVal
}

func sliceFacts(o runtime.Object) map[string]any {
	s := o.(*discovery.EndpointSlice)
	ports := []any{}
	for _, p := range s.Ports {
		if p.Port == nil || *p.Port < 1 || *p.Port > 65535 { // kube-proxy leaves out nil (endpointslicecache.go); nobody listens on the others
			continue
		}
		ports = append(ports, slicePort(p.Name, (*string)(p.Protocol), *p.Port))
	}
	endpoints := []any{}
	for _, e := range s.Endpoints {
		c := e.Conditions
		for _, a := range e.Addresses {
			hints := []string{}
			if e.Hints != nil {
				for _, z := range e.Hints.ForZones {
					hints = append(hints, "zone "+z.Name)
				}
				for _, n := range e.Hints.ForNodes {
					hints = append(hints, "node "+n.Name)
				}
			}
			endpoints = append(endpoints, map[string]any{"address": address(a), "ready": flag(c.Ready, true), "serving": flag(c.Serving, true),
				"terminating": flag(c.Terminating, false), "node": text(e.NodeName), "hints": hints})
		}
	}
	return map[string]any{"service": s.Labels["kubernetes.io/service-name"], "family": string(s.AddressType), "ports": ports,
		"endpoints": endpoints}
}

func slicePort(name, protocol *string, port int32) map[string]any {
	p := "TCP"
	if protocol != nil {
		p = *protocol
	}
	return map[string]any{"name": text(name), "protocol": p, "port": port}
}

func flag(f *bool, otherwise bool) bool {
	if f == nil {
		return otherwise
	}
	return *f
}

func text(t *string) string {
	if t == nil {
		return ""
	}
	return *t
}

// One slice for each subset and family, as podferry reads them.
func endpointsFacts(o runtime.Object) map[string]any {
	slices := []any{}
	for _, subset := range o.(*core.Endpoints).Subsets {
		ports := []any{}
		for _, p := range subset.Ports {
			ports = append(ports, slicePort(&p.Name, (*string)(&p.Protocol), p.Port))
		}
		for _, family := range []string{"IPv4", "IPv6"} {
			found := []any{}
			add := func(list []core.EndpointAddress, ready bool) {
				for _, a := range list {
					if strings.Contains(a.IP, ":") == (family == "IPv6") {
						found = append(found, map[string]any{"address": address(a.IP), "ready": ready, "serving": ready, "terminating": false,
							"node": text(a.NodeName), "hints": []string{}})
					}
				}
			}
			add(subset.Addresses, true)
			add(subset.NotReadyAddresses, false)
			if len(found) > 0 {
				slices = append(slices, map[string]any{"family": family, "ports": ports, "endpoints": found})
			}
		}
	}
	return map[string]any{"slices": slices}
}

func podFacts(o runtime.Object) map[string]any {
	p := o.(*core.Pod)
	containers := []any{}
	for _, c := range p.Spec.Containers {
		containers = append(containers, containerFacts(&c))
	}
	for _, c := range p.Spec.InitContainers {
		if c.RestartPolicy != nil && *c.RestartPolicy == core.ContainerRestartPolicyAlways {
			containers = append(containers, containerFacts(&c))
		}
	}
	gates := []string{}
	for _, g := range p.Spec.ReadinessGates {
		gates = append(gates, string(g.ConditionType))
	}
	ips := []string{}
	for _, ip := range p.Status.PodIPs {
		ips = append(ips, address(ip.IP))
	}
	conditions := map[string]bool{}
	for _, c := range p.Status.Conditions {
		conditions[string(c.Type)] = c.Status == core.ConditionTrue
	}
	phase := string(p.Status.Phase)
	if phase == "" {
		phase = "Unknown"
	}
	return map[string]any{"labels": selector(p.Labels), "node": p.Spec.NodeName, "containers": containers, "gates": gates, "ips": ips,
		"conditions": conditions, "phase": phase, "hostNetwork": p.Spec.HostNetwork,
		"terminating": p.DeletionTimestamp != nil}
}

func containerFacts(c *core.Container) map[string]any {
	ports := []any{}
	for _, p := range c.Ports {
		ports = append(ports, map[string]any{"name": p.Name, "protocol": string(p.Protocol), "port": p.ContainerPort})
	}
	return map[string]any{"name": c.Name, "ports": ports, "readiness": probeFacts(c.ReadinessProbe), "liveness": probeFacts(c.LivenessProbe),
		"startup": probeFacts(c.StartupProbe)}
}

func probeFacts(p *core.Probe) any {
	if p == nil {
		return nil
	}
	facts := map[string]any{"delay": p.InitialDelaySeconds, "timeout": p.TimeoutSeconds, "period": p.PeriodSeconds,
		"success": p.SuccessThreshold, "failure": p.FailureThreshold}
	switch {
	case p.HTTPGet != nil:
		headers := []string{}
		for _, h := range p.HTTPGet.HTTPHeaders {
			headers = append(headers, h.Name+": "+h.Value)
		}
		facts["handler"] = map[string]any{"http": p.HTTPGet.Path, "port": target(p.HTTPGet.Port), "host": p.HTTPGet.Host,
			"https": p.HTTPGet.Scheme == core.URISchemeHTTPS, "headers": headers}
	case p.TCPSocket != nil:
		facts["handler"] = map[string]any{"port": target(p.TCPSocket.Port), "host": p.TCPSocket.Host}
	case p.GRPC != nil:
		facts["handler"] = "grpc"
	default:
		facts["handler"] = "exec"
	}
	return facts
}

func nodeFacts(o runtime.Object) map[string]any {
	n := o.(*core.Node)
	found := []string{}
	for _, wanted := range []core.NodeAddressType{core.NodeInternalIP, core.NodeExternalIP} {
		for _, a := range n.Status.Addresses {
			if a.Type == wanted {
				found = append(found, address(a.Address))
			}
		}
	}
	leaving := n.DeletionTimestamp != nil
	for _, t := range n.Spec.Taints {
		leaving = leaving || t.Key == "ToBeDeletedByClusterAutoscaler"
	}
	podCIDRs := []string{}
	for _, text := range n.Spec.PodCIDRs {
		podCIDRs = append(podCIDRs, network(text))
	}
	return map[string]any{"addresses": found, "leaving": leaving, "zone": n.Labels["topology.kubernetes.io/zone"],
		"podCIDRs": podCIDRs}
}

// Creation drops the status; a folder's is read, so it is judged as an update of the status would be.
func statusProblems(o runtime.Object) field.ErrorList {
	s, ok := o.(*core.Service)
	if !ok {
		return nil
	}
	return validation.ValidateLoadBalancerStatus(&s.Status.LoadBalancer, nil, field.NewPath("status", "loadBalancer"), &s.Spec)
}
