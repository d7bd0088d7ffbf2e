#include "api/cluster/kubeconfig.hpp"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <filesystem>

#include "api/cluster/secrets.hpp"
#include "api/cluster/server_url.hpp"
#include "api/wire/single_document.hpp"

namespace api {
namespace {

/// A path as the kubeconfig means it: from its own folder.
std::string beside(const std::string& file, const std::string& path) {
    if (path.empty() || path.front() == '/')
        return path;
    return (std::filesystem::path(file).parent_path() / path).lexically_normal().string();
}

/// Neither absent nor the empty value that some programs write instead.
bool is_set(const Field& field) {
    if (!field.given())
        return false;
    const auto* text = field.raw()->if_string();
    const bool container = field.raw()->is_object() || field.raw()->is_array();
    return text != nullptr ? !text->empty() : !container || field.size() != 0;
}

void refuse(const Field& parent, std::string_view name, const std::string& reason) {
    const Field field = parent[name];
    if (is_set(field))
        field.wrong(reason);
}

std::string list_of(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names)
        text += (text.empty() ? "there are: " : ", ") + name;
    return text.empty() ? "there are none" : text;
}

/// Calls `visit` with `member` of the item that has this name; `reference` is the field that names it.
template <class Visit>
void with_named(const Field& list, std::string_view member, const std::string& name, const Field& reference,
                Visit visit) {
    std::vector<std::string> names;
    list.each([&](const Field& item) {
        const Field item_name = item["name"];
        const bool again = std::find(names.begin(), names.end(), name) != names.end();
        names.push_back(item_name.text());
        if (names.back() != name)
            return;
        if (again)
            return item_name.wrong("'" + name + "' is given twice; remove one of them");
        const Field content = item[member];
        visit(content);
    });
    if (std::find(names.begin(), names.end(), name) == names.end())
        reference.wrong("no " + std::string(member) + " is named '" + name + "'; " + list_of(names));
}

class Reader {
public:
    explicit Reader(const std::string& file) : file_(file) {}

    Access access;

    void read(const Field& root, const std::string& wanted) {
        const Field kind = root["kind"];
        if (const std::string text = kind.text("Config"); text != "Config")
            kind.wrong("'" + text + "' is not Config; is this file a kubeconfig?");
        const Field contexts = root["contexts"];
        const Field current = root["current-context"];
        const std::string name = wanted.empty() ? current.text() : wanted;
        if (name.empty())
            return current.wrong("missing; it says which of the contexts to use (`kubectl config use-context NAME`)");
        with_named(contexts, "context", name, wanted.empty() ? current : contexts,
                   [&](const Field& context) { read_context(root, context); });
    }

private:
    void read_context(const Field& root, const Field& context) {
        const Field cluster = context["cluster"];
        const Field clusters = root["clusters"];
        if (const std::string name = cluster.text(); name.empty())
            cluster.wrong("missing; a context names one of the clusters");
        else
            with_named(clusters, "cluster", name, cluster, [&](const Field& field) { read_cluster(field); });
        const Field user = context["user"];
        const Field users = root["users"];
        if (const std::string name = user.text(); !name.empty())
            with_named(users, "user", name, user, [&](const Field& field) { read_user(field); });
    }

    void read_cluster(const Field& cluster) {
        const Field server = cluster["server"];
        if (!is_set(server))
            server.wrong("missing; write https://HOST:PORT");
        else if (const std::string text = server.text(); !text.empty()) {
            if (const auto url = parse_server_url(text))
                access.servers = {to_string(*url)};
            else
                server.wrong(url.error());
        }
        refuse(cluster, "proxy-url", "podferry connects directly; remove it or use --api-server");
        read_pem(cluster, "certificate-authority-data", "certificate-authority", access.ca_pem, access.ca_file);
        const Field insecure = cluster["insecure-skip-tls-verify"];
        access.insecure_skip_tls_verify = insecure.flag(false);
        if (access.insecure_skip_tls_verify && !(access.ca_pem + access.ca_file).empty())
            insecure.wrong("true, and a certificate authority is given as well; remove one of the two");
        const Field name = cluster["tls-server-name"];
        access.tls_server_name = name.text();
        const Field extensions = cluster["extensions"];
        extensions.each([&](const Field& extension) { read_extension(extension); });
    }

    /// Others than the one for plugins are not ours to judge.
    void read_extension(const Field& extension) {
        const auto* members = extension.raw()->if_object();
        const auto* name = members == nullptr ? nullptr : members->if_contains("name");
        const auto* content = members == nullptr ? nullptr : members->if_contains("extension");
        const auto* text = name == nullptr ? nullptr : name->if_string();
        if (text != nullptr && content != nullptr && std::string_view(*text) == "client.authentication.k8s.io/exec")
            access.exec_config = boost::json::serialize(*content);
    }

    void read_user(const Field& user) {
        refuse_what_is_gone(user);
        read_pem(user, "client-certificate-data", "client-certificate", access.client_certificate_pem,
                 access.client_certificate_file);
        read_pem(user, "client-key-data", "client-key", access.client_key_pem, access.client_key_file);
        const bool certificate = !(access.client_certificate_pem + access.client_certificate_file).empty();
        const bool key = !(access.client_key_pem + access.client_key_file).empty();
        const bool certificate_meant = is_meant(user, "client-certificate-data", "client-certificate");
        const bool key_meant = is_meant(user, "client-key-data", "client-key");
        if (certificate && !key_meant)
            user.wrong("client-certificate is given without client-key; a client certificate needs its key");
        if (key && !certificate_meant)
            user.wrong("client-key is given without client-certificate; add it, or remove the key");
        const Field token = user["token"];
        const Field token_file = user["tokenFile"];
        access.token_file = beside(file_, token_file.text());
        access.token = bearer_token(token);
        if (!access.token_file.empty())
            access.token.clear();
        const Field exec = user["exec"];
        if (exec.given() && exec.raw()->is_object())
            access.exec = read_exec(exec);
        else
            exec.each_member([](std::string_view, const Field&) {});  // says that it is no object
        if (certificate || !(access.token + access.token_file).empty())
            access.exec.reset();
    }

    static void refuse_what_is_gone(const Field& user) {
        for (const std::string_view name : {"username", "password"})
            refuse(user, name,
                   "basic authentication was removed from Kubernetes; use a client certificate, a token or exec");
        for (const std::string_view name : {"as", "as-uid", "as-groups", "as-user-extra"})
            refuse(user, name, "podferry does not impersonate; remove it, and give this user the rights themselves");
        refuse(user, "auth-provider",
               "authentication providers are not supported; use exec with the provider's plugin");
    }

    static bool is_meant(const Field& parent, std::string_view data_name, std::string_view file_name) {
        const Field data = parent[data_name];
        const Field file = parent[file_name];
        return is_set(data) || is_set(file);
    }

    /// The data win over the file.
    void read_pem(const Field& parent, std::string_view data_name, std::string_view file_name, std::string& pem,
                  std::string& path) const {
        const Field data = parent[data_name];
        const Field file = parent[file_name];
        pem = pem_in_base64(data);
        path = is_set(data) ? "" : beside(file_, file.text());
    }

    ExecPlugin read_exec(const Field& exec) const {
        ExecPlugin plugin;
        const Field command = exec["command"];
        plugin.command = command.text();
        if (!is_set(command))
            command.wrong("missing; it is the program that prints the credentials");
        if (plugin.command.find('/') != std::string::npos)
            plugin.command = beside(file_, plugin.command);
        const Field args = exec["args"];
        args.each([&](const Field& arg) { plugin.args.push_back(secret_text(arg)); });
        const Field env = exec["env"];
        env.each([&](const Field& variable) {
            const Field name = variable["name"];
            const Field value = variable["value"];
            plugin.env.emplace_back(name.text(), secret_text(value));
            if (!is_set(name))
                name.wrong("missing; every variable needs a name");
        });
        plugin.api_version = read_version(exec);
        check_mode(exec, plugin.api_version);
        const Field provide = exec["provideClusterInfo"];
        plugin.provide_cluster_info = provide.flag(false);
        const Field hint = exec["installHint"];
        plugin.install_hint = hint.text();
        return plugin;
    }

    static std::string read_version(const Field& exec) {
        static constexpr std::array known = {"client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"};
        const Field field = exec["apiVersion"];
        std::string version = field.text();
        if (!field.given() ||
            (field.raw()->is_string() && std::find(known.begin(), known.end(), version) == known.end()))
            field.wrong((version.empty() ? "missing" : "'" + version + "' is not supported") + "; write " + known[0] +
                        " or " + known[1] + ", whichever the plugin speaks");
        return version;
    }

    /// A node's proxy has no terminal, so that what asks nothing is the same as what may ask nothing.
    static void check_mode(const Field& exec, const std::string& version) {
        const Field field = exec["interactiveMode"];
        const bool optional = version.ends_with("/v1beta1");
        const std::string mode = field.text();
        if (mode == "Always")
            field.wrong("Always needs a terminal, and podferry has none; use a plugin that can do without (Never)");
        else if (!is_set(field) && !optional)
            field.wrong("missing; write Never, or IfAvailable");
        else if (!mode.empty() && mode != "Never" && mode != "IfAvailable")
            field.wrong("'" + mode + "' is not one of Never, IfAvailable, Always");
    }

    const std::string& file_;
};

}  // namespace

tl::expected<Access, std::string> parse_kubeconfig(std::string_view yaml, const std::string& file,
                                                   const std::string& context) {
    auto document = parse_single_document(yaml, file);
    if (!document)
        return tl::unexpected(document.error());
    std::vector<Mistake> mistakes = document->mistakes;
    const Field root(&document->value, mistakes);
    Reader reader(file);
    reader.read(root, context);
    if (!mistakes.empty())
        return tl::unexpected(describe(mistakes, *document, file));
    return std::move(reader.access);
}

}  // namespace api
