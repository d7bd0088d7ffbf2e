#include "proxy/config/kube_proxy_config.hpp"

#include <algorithm>
#include <cstdint>

#include "api/wire/single_document.hpp"
#include "base/go_duration.hpp"
#include "base/spelling.hpp"
#include "proxy/config/kube_proxy_fields.hpp"

namespace proxy {
namespace {

using api::Field;

constexpr std::string_view api_version = "kubeproxy.config.k8s.io/v1alpha1";

void check_kind(const Field& root) {
    const Field kind = root["kind"];
    const std::string text = kind.text();
    if (text == "ConfigMap")
        kind.wrong("'ConfigMap' is not KubeProxyConfiguration; give the file inside of it (data, config.conf)");
    else if (text != "KubeProxyConfiguration")
        kind.wrong((text.empty() ? "missing" : "'" + text + "'") + "; it must be KubeProxyConfiguration");
    const Field version = root["apiVersion"];
    if (const std::string given = version.text(); given != api_version && text != "ConfigMap")
        version.wrong((given.empty() ? "missing" : "'" + given + "'") + "; it must be " + std::string(api_version));
}

/// "; did you mean 'ipvs.scheduler'?"
std::string nearest(const std::string& path) {
    std::vector<std::string_view> paths;
    for (const KubeProxyField& field : kube_proxy_fields())
        paths.push_back(field.path);
    return base::did_you_mean(path, paths);
}

bool is_group(const std::string& path) {
    const auto& fields = kube_proxy_fields();
    return std::any_of(fields.begin(), fields.end(), [&](const auto& f) { return f.path.starts_with(path + "."); });
}

void check_number(const Field& field) {
    if (!field.raw()->is_number())
        field.wrong("must be a number");
}

void check_duration(const Field& field) {
    const std::string text = field.text();
    if (field.raw()->is_string() && !text.empty() && !base::parse_go_duration(text))
        field.wrong("'" + text + "' is not a duration such as 30s or 1h30m");
}

void check_form(const Field& field, Form form) {
    switch (form) {
        case Form::text:
            field.text();
            return;
        case Form::flag:
            field.flag(false);
            return;
        case Form::integer:
            field.integer(INT32_MIN, UINT32_MAX, 0);
            return;
        case Form::number:
            return check_number(field);
        case Form::duration:
        case Form::given_duration:
            return check_duration(field);
        case Form::texts:
            return field.each([](const Field& item) { item.text(); });
        case Form::flags:
            return field.each_member([](std::string_view, const Field& member) { member.flag(false); });
        case Form::anything:
            return;
    }
}

/// Whether a field says something that has the form that it must have.
bool is_set(const Field& field, Form form) {
    if (!field.given())
        return false;
    if (const auto* text = field.raw()->if_string())
        return !text->empty() && (form != Form::duration || base::parse_go_duration(field.text())->count() != 0);
    return field.raw()->is_bool() || field.raw()->is_number() || field.size() != 0;
}

class Reader {
public:
    Reader(Config base, std::vector<api::Mistake>& mistakes) : mistakes_(mistakes) {
        migration_.result.config = std::move(base);
    }

    KubeProxyMigration read(const Field& root) {
        check_kind(root);
        look_ahead(root);
        read_members(root, "");
        const Field node_ports = root["nodePortAddresses"];
        // kube-proxy's default depends on its mode.
        if (node_ports.size() == 0 && migration_.mode != "nftables")
            say("nodePortAddresses",
                "not set: kube-proxy serves node ports on all addresses of a node, podferry on node_ip (setting "
                "node_port_addresses)");
        return std::move(migration_.result);
    }

private:
    /// What other fields depend on, wherever it stands. Its mistakes are noted when its turn comes.
    void look_ahead(const Field& root) {
        std::vector<api::Mistake> noted_later;
        const Field quiet(root.raw(), noted_later);
        const Field mode = quiet["mode"];
        migration_.mode = mode.text();
        const Field detect_mode = quiet["detectLocalMode"];
        const Field detect = quiet["detectLocal"];
        const Field bridge = detect["bridgeInterface"];
        const Field prefix = detect["interfaceNamePrefix"];
        migration_.detect_local_mode = detect_mode.text();
        migration_.bridge_interface = bridge.text();
        migration_.interface_name_prefix = prefix.text();
        const Field bind = quiet["bindAddress"];
        const auto address = base::parse_address(bind.text());
        if (!address || !address->is_v6())
            return;
        migration_.result.config.healthz_bind_address = {{Address::any_v6(), 10256}};
        migration_.result.config.metrics_bind_address = {{base::make_address("::1"), 10249}};
    }

    void read_members(const Field& parent, const std::string& prefix) {
        parent.each_member([&](std::string_view key, const Field& member) {
            const std::string path = prefix + std::string(key);
            if (const KubeProxyField* field = find_kube_proxy_field(path))
                read_field(*field, member);
            else if (is_group(path))
                read_members(member, path + ".");
            else
                say(path, "unknown; ignored" + nearest(path));
        });
    }

    void read_field(const KubeProxyField& field, const Field& member) {
        if (!member.given() || (field.migrate == nullptr && field.reason.empty()))
            return;
        const auto before = mistakes_.size();
        check_form(member, field.form);
        if (mistakes_.size() != before || !is_set(member, field.form))
            return;
        const std::string line =
            field.migrate != nullptr ? field.migrate(migration_, member) : "ignored: " + std::string(field.reason);
        say(std::string(field.path), line);
    }

    void say(const std::string& path, const std::string& line) {
        if (!line.empty())
            migration_.result.lines.push_back(path + ": " + line);
    }

    Migration migration_;
    std::vector<api::Mistake>& mistakes_;
};

}  // namespace

tl::expected<KubeProxyMigration, std::string> read_kube_proxy_config(std::string_view yaml, const std::string& file,
                                                                     Config base) {
    const auto document = api::parse_single_document(yaml, file);
    if (!document)
        return tl::unexpected(document.error());
    std::vector<api::Mistake> mistakes = document->mistakes;
    const Field root(&document->value, mistakes);
    KubeProxyMigration migration = Reader(std::move(base), mistakes).read(root);
    if (!mistakes.empty())
        return tl::unexpected(api::describe(mistakes, *document, file));
    return migration;
}

}  // namespace proxy
