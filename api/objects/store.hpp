// The objects in force, and who is affected by a change of them. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/objects/source.hpp"
#include "api/objects/types.hpp"

namespace api {

/// Services whose endpoints or own fields may have changed.
using Affected = std::set<ObjectName>;

struct ByName {
    using is_transparent = void;
    template <class T>
    bool operator()(const T& a, const T& b) const {
        return a.name < b.name;
    }
    template <class T>
    bool operator()(const T& object, const ObjectName& name) const {
        return object.name < name;
    }
    template <class T>
    bool operator()(const ObjectName& name, const T& object) const {
        return name < object.name;
    }
};

/// Objects in the order of their names, by which they are found.
template <class T>
using Objects = std::set<T, ByName>;

class Store {
public:
    /// Returns who is affected.
    Affected apply(Transaction transaction);

    const Objects<Service>& services() const { return services_; }
    const Objects<Pod>& pods() const { return pods_; }
    const Objects<Node>& nodes() const { return nodes_; }
    /// Nobody is affected by them.
    const Objects<ServiceCidr>& service_cidrs() const { return service_cidrs_; }
    const Objects<EndpointSlice>& slices() const { return slices_; }
    std::size_t slice_count() const { return slices_.size(); }

    /// Slices of a Service by their label, in the order of their names.
    std::vector<const EndpointSlice*> slices_of(const ObjectName& service) const;
    /// Pods that the Service's selector matches; none for an empty selector.
    std::vector<const Pod*> pods_of(const Service& service) const;
    /// Services in the pod's namespace whose selector matches it.
    std::vector<ObjectName> services_selecting(const Pod& pod) const;

private:
    /// Orders by namespace, Service and name; a Service is found by its name alone.
    struct ByService {
        using is_transparent = void;
        bool operator()(const EndpointSlice* a, const EndpointSlice* b) const;
        bool operator()(const EndpointSlice* slice, const ObjectName& service) const;
        bool operator()(const ObjectName& service, const EndpointSlice* slice) const;
    };
    using Label = std::pair<std::string, std::string>;
    using Index = std::map<std::string, std::map<Label, std::set<std::string>>>;  // namespace, label, names

    void put(Service service, Affected& affected);
    void put(EndpointSlice slice, Affected& affected);
    void put(Pod pod, Affected& affected);
    void put(Node node, Affected& affected);
    void put(ServiceCidr cidr, Affected& affected);
    void remove(const Removal& removal, Affected& affected);
    void drop_service(const ObjectName& name);
    void drop_slice(const ObjectName& name, Affected& affected);
    void drop_pod(const ObjectName& name, Affected& affected);
    void affect_selecting(const Pod& pod, Affected& affected) const;
    void affect_pods_on(const ObjectName& node, Affected& affected) const;

    Objects<Service> services_;
    Objects<Pod> pods_;
    Objects<Node> nodes_;
    Objects<ServiceCidr> service_cidrs_;
    Objects<EndpointSlice> slices_;
    std::set<const EndpointSlice*, ByService> slices_of_;  // those that have one
    Index pods_by_label_;
    Index services_by_label_;  // by the first label of the selector
};

}  // namespace api
