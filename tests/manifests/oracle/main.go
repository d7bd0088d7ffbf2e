// What Kubernetes makes of files: manifests as kubectl reads and kube-apiserver decodes, defaults and validates them (create), and
// kubeconfigs as client-go loads them. Names of files on standard input, one a line; one line of JSON for each on standard
// output. For manifests: {"objects": [...], "others": {"Deployment.apps": 2}, "errors": ["..."]}.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"sort"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	core "k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	"k8s.io/kubernetes/pkg/apis/discovery"
	_ "k8s.io/kubernetes/pkg/apis/discovery/install"
	"k8s.io/kubernetes/pkg/registry/core/endpoint"
	"k8s.io/kubernetes/pkg/registry/core/node"
	"k8s.io/kubernetes/pkg/registry/core/pod"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/discovery/endpointslice"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

type problem struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

type object struct {
	Kind      string         `json:"kind"`
	Namespace string         `json:"namespace"`
	Name      string         `json:"name"`
	Accepted  bool           `json:"accepted"`
	Problems  []problem      `json:"problems,omitempty"`
	Facts     map[string]any `json:"facts,omitempty"`
}

type reading struct {
	Objects []object       `json:"objects"`
	Others  map[string]int `json:"others"`
	Errors  []string       `json:"errors"`
}

type kindOf struct {
	version  schema.GroupVersionKind
	strategy rest.RESTCreateStrategy
	facts    func(runtime.Object) map[string]any
}

var kinds = []kindOf{
	{schema.GroupVersionKind{Version: "v1", Kind: "Service"}, service.Strategy, serviceFacts},
	{schema.GroupVersionKind{Version: "v1", Kind: "Endpoints"}, endpoint.Strategy, endpointsFacts},
	{schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, pod.Strategy, podFacts},
	{schema.GroupVersionKind{Version: "v1", Kind: "Node"}, node.Strategy, nodeFacts},
	{schema.GroupVersionKind{Group: "discovery.k8s.io", Version: "v1", Kind: "EndpointSlice"}, endpointslice.Strategy, sliceFacts},
}

// Groups of which a server knows all kinds: kubectl would find no match for a kind that is not there.
var builtIn = map[string]bool{"": true, "apps": true, "batch": true, "autoscaling": true, "policy": true, "extensions": true,
	"discovery.k8s.io": true, "networking.k8s.io": true}

var strict = serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict).UniversalDeserializer()

// The document as JSON, as kubectl's YAMLOrJSONDecoder gives it, with what a strict decoder says of duplicate keys in it.
type document struct {
	json       []byte
	duplicates []problem
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		name := lines.Text()
		var result any
		if strings.HasSuffix(name, ".kubeconfig") {
			result = kubeconfig(name)
		} else {
			result = manifest(name)
		}
		if err := encoder.Encode(result); err != nil {
			panic(err)
		}
		out.Flush()
	}
}

func manifest(name string) (result reading) {
	result.Objects = []object{}
	result.Others = map[string]int{}
	result.Errors = []string{}
	defer func() {
		if what := recover(); what != nil {
			result.Errors = append(result.Errors, fmt.Sprint("panic: ", what))
		}
	}()
	raw, err := os.ReadFile(name)
	if err != nil {
		panic(err)
	}
	// cli-runtime's FileVisitor
	text, err := io.ReadAll(transform.NewReader(bytes.NewReader(raw), unicode.BOMOverride(unicode.UTF8.NewDecoder())))
	if err != nil {
		result.Errors = append(result.Errors, err.Error())
		return
	}
	documents, err := split(text)
	if err != nil {
		result.Errors = append(result.Errors, err.Error())
	}
	for _, d := range documents {
		if len(d.json) == 0 || bytes.Equal(bytes.TrimSpace(d.json), []byte("null")) {
			continue
		}
		result.add(d)
	}
	return
}

// utilyaml.YAMLOrJSONDecoder itself, document by document; a YAML document that is wrong does not end it.
func split(text []byte) ([]document, error) {
	var documents []document
	var wrong error
	var first json.RawMessage
	if utilyaml.IsJSONBuffer(text) && json.NewDecoder(bytes.NewReader(text)).Decode(&first) == nil {
		decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
		for {
			var raw runtime.RawExtension
			err := decoder.Decode(&raw)
			if err == io.EOF {
				return documents, wrong
			}
			if err != nil {
				return documents, err
			}
			documents = append(documents, document{raw.Raw, duplicatesOfJSON(raw.Raw)})
		}
	}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		part, err := reader.Read()
		if err == io.EOF {
			return documents, wrong
		}
		if err != nil {
			wrong = errors.Join(wrong, err)
			var syntax utilyaml.YAMLSyntaxError
			if errors.As(err, &syntax) {
				continue
			}
			return documents, wrong
		}
		var raw runtime.RawExtension
		if err := yaml.Unmarshal(part, &raw); err != nil {
			wrong = errors.Join(wrong, err)
			continue
		}
		documents = append(documents, document{raw.Raw, duplicatesOfYAML(part)})
	}
}

func duplicatesOfJSON(raw []byte) (found []problem) {
	var into any
	wrong, _ := kjson.UnmarshalStrict(raw, &into)
	for _, err := range wrong {
		path := ""
		var at kjson.FieldError
		if errors.As(err, &at) {
			path = at.FieldPath()
		}
		found = append(found, problem{path, err.Error()})
	}
	return found
}

func (r *reading) add(d document) {
	decoded, _, err := unstructured.UnstructuredJSONScheme.Decode(d.json, nil, nil)
	if err != nil {
		r.Errors = append(r.Errors, err.Error())
		return
	}
	if list, ok := decoded.(*unstructured.UnstructuredList); ok {
		r.addList(list, d.duplicates)
		return
	}
	r.addOne(decoded.(*unstructured.Unstructured), d.duplicates)
}

func (r *reading) addList(list *unstructured.UnstructuredList, duplicates []problem) {
	for i := range list.Items {
		item := &list.Items[i]
		prefix := fmt.Sprintf("items[%d].", i)
		var own []problem
		for _, p := range duplicates {
			if strings.HasPrefix(p.Field, prefix) {
				own = append(own, problem{strings.TrimPrefix(p.Field, prefix), p.Detail})
			}
		}
		if item.IsList() {
			inner, err := item.ToList()
			if err != nil {
				r.Errors = append(r.Errors, err.Error())
				continue
			}
			r.addList(inner, own)
			continue
		}
		r.addOne(item, own)
	}
}

func (r *reading) addOne(u *unstructured.Unstructured, duplicates []problem) {
	gvk := u.GroupVersionKind()
	if gvk.Kind == "" || u.GetAPIVersion() == "" {
		r.Errors = append(r.Errors, "apiVersion or kind is missing")
		return
	}
	if _, err := schema.ParseGroupVersion(u.GetAPIVersion()); err != nil {
		r.Errors = append(r.Errors, err.Error())
		return
	}
	for _, kind := range kinds {
		if kind.version == gvk {
			r.Objects = append(r.Objects, judge(kind, u, duplicates))
			return
		}
	}
	for _, kind := range kinds {
		if kind.version.Kind == gvk.Kind && builtIn[gvk.Group] {
			r.Errors = append(r.Errors, fmt.Sprintf("no matches for kind %q in version %q", gvk.Kind, u.GetAPIVersion()))
			return
		}
	}
	r.Others[gvk.GroupKind().String()]++
}

func judge(kind kindOf, u *unstructured.Unstructured, duplicates []problem) object {
	result := object{Kind: kind.version.Kind, Problems: duplicates}
	result.Namespace, _, _ = unstructured.NestedString(u.Object, "metadata", "namespace")
	result.Name, _, _ = unstructured.NestedString(u.Object, "metadata", "name")
	if !kind.strategy.NamespaceScoped() {
		result.Namespace = ""
	} else if result.Namespace == "" {
		result.Namespace = "default"
	}
	raw, err := u.MarshalJSON()
	if err != nil {
		result.Problems = append(result.Problems, problem{"", err.Error()})
		return result
	}
	decoded, _, err := strict.Decode(raw, nil, nil)
	if err != nil {
		result.Problems = append(result.Problems, problemsOf(err)...)
		if decoded == nil || !runtime.IsStrictDecodingError(err) {
			return result
		}
	}
	legacyscheme.Scheme.Default(decoded)
	hub := schema.GroupVersionKind{Group: kind.version.Group, Version: runtime.APIVersionInternal, Kind: kind.version.Kind}
	into, err := legacyscheme.Scheme.New(hub)
	if err != nil {
		panic(err)
	}
	if err := legacyscheme.Scheme.Convert(decoded, into, nil); err != nil {
		result.Problems = append(result.Problems, problem{"", err.Error()})
		return result
	}
	facts := kind.facts(into)
	result.Problems = append(result.Problems, validate(kind, into, result.Namespace)...)
	result.Accepted = len(result.Problems) == 0
	if result.Accepted {
		result.Facts = facts
	}
	return result
}

// What genericregistry.Store.Create does before it stores.
func validate(kind kindOf, decoded runtime.Object, namespace string) []problem {
	accessor, err := meta.Accessor(decoded)
	if err != nil {
		panic(err)
	}
	if kind.strategy.NamespaceScoped() {
		accessor.SetNamespace(namespace)
	} else {
		accessor.SetNamespace("")
	}
	rest.FillObjectMetaSystemFields(accessor)
	if accessor.GetGenerateName() != "" && accessor.GetName() == "" {
		accessor.SetName(accessor.GetGenerateName() + "xxxxx")
	}
	ctx := request.WithRequestInfo(request.WithNamespace(context.Background(), accessor.GetNamespace()), &request.RequestInfo{
		IsResourceRequest: true, Verb: "create", APIGroup: kind.version.Group, APIVersion: kind.version.Version})
	var wrong field.ErrorList
	status := statusProblems(decoded)
	if s, ok := decoded.(*core.Service); ok {
		wrong = append(wrong, defaultFamilies(s)...)
	}
	kind.strategy.PrepareForCreate(ctx, decoded)
	wrong = append(wrong, rest.ValidateCreate(ctx, decoded, kind.strategy)...)
	wrong = append(wrong, status...)
	var problems []problem
	for _, err := range wrong {
		problems = append(problems, problem{err.Field, err.ErrorBody()})
	}
	return problems
}

// pkg/registry/core/service/storage normalizeClusterIPs and initIPFamilyFields, as far as they say what is wrong.
func defaultFamilies(s *core.Service) (wrong field.ErrorList) {
	spec := &s.Spec
	if spec.Type == core.ServiceTypeLoadBalancer && spec.ExternalTrafficPolicy == core.ServiceExternalTrafficPolicyLocal && spec.HealthCheckNodePort == 0 {
		spec.HealthCheckNodePort = 32000 // as the allocator would
	}
	if spec.ClusterIP != "" && len(spec.ClusterIPs) == 0 {
		spec.ClusterIPs = []string{spec.ClusterIP}
	}
	if spec.Type == core.ServiceTypeExternalName {
		return nil
	}
	if spec.IPFamilyPolicy == nil {
		policy := core.IPFamilyPolicySingleStack
		if spec.ClusterIP == core.ClusterIPNone && len(spec.Selector) == 0 {
			policy = core.IPFamilyPolicyRequireDualStack
		}
		spec.IPFamilyPolicy = &policy
	}
	if *spec.IPFamilyPolicy == core.IPFamilyPolicySingleStack && (len(spec.ClusterIPs) == 2 || len(spec.IPFamilies) == 2) {
		wrong = append(wrong, field.Invalid(field.NewPath("spec", "ipFamilyPolicy"), *spec.IPFamilyPolicy, "must be dual-stack"))
	}
	return wrong
}

func problemsOf(err error) (problems []problem) {
	if known, ok := runtime.AsStrictDecodingError(err); ok {
		for _, err := range known.Errors() {
			path := ""
			var at kjson.FieldError
			if errors.As(err, &at) {
				path = at.FieldPath()
			}
			problems = append(problems, problem{path, err.Error()})
		}
		return problems
	}
	return []problem{{"", err.Error()}}
}

func kubeconfig(name string) map[string]any {
	config, err := clientcmd.LoadFromFile(name)
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	if err := clientcmd.ResolveLocalPaths(config); err != nil {
		return map[string]any{"error": err.Error()}
	}
	if err := clientcmd.ConfirmUsable(*config, ""); err != nil {
		return map[string]any{"error": err.Error()}
	}
	client, err := clientcmd.NewDefaultClientConfig(*config, &clientcmd.ConfigOverrides{}).ClientConfig()
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	if client.BearerTokenFile != "" { // podferry reads it later
		client.BearerToken = ""
	}
	return map[string]any{"server": strings.ToLower(client.Host), "token": client.BearerToken, "token_file": client.BearerTokenFile,
		"server_name": client.ServerName, "insecure": client.Insecure, "exec": client.ExecProvider != nil}
}

func address(text string) string {
	if parsed, err := netip.ParseAddr(text); err == nil {
		return parsed.Unmap().String()
	}
	return text
}

func addresses(texts []string) []string {
	all := []string{}
	for _, text := range texts {
		all = append(all, address(text))
	}
	return all
}

func sorted(texts []string) []string {
	sort.Strings(texts)
	return texts
}

var _ = discovery.AddressTypeIPv4
