#include "netlink/kernel_modules.hpp"

#include <libkmod.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <sstream>

namespace netlink {
namespace {

struct Release {
    void operator()(kmod_module* module) const { kmod_module_unref(module); }
    void operator()(kmod_list* list) const { kmod_module_unref_list(list); }
    void operator()(kmod_config_iter* iterator) const { kmod_config_iter_free_iter(iterator); }
};

std::string folder_of_this_kernel() {
    utsname name{};
    return ::uname(&name) == 0 ? std::string("/lib/modules/") + name.release : "/lib/modules";
}

std::string reason_of(int error) {
    switch (error) {
        case EPERM:
            return "loading it takes CAP_SYS_MODULE, which is missing here (or the kernel loads no modules any more: "
                   "kernel.modules_disabled)";
        case ENOKEY:
        case EKEYREJECTED:
            return "the kernel does not accept its signature";
        default:
            return std::string(std::strerror(error)) + "; the kernel's log says more (dmesg)";
    }
}

}  // namespace

bool module_is_loaded(const std::string& name) {
    return ::access(("/sys/module/" + name).c_str(), F_OK) == 0;
}

std::string option_value(std::string_view options, std::string_view option) {
    std::istringstream words{std::string(options)};
    const std::string start = std::string(option) + "=";
    std::string value;
    for (std::string word; words >> word;)
        if (word.starts_with(start))
            value = word.substr(start.size());
    return value;
}

ModuleLoader::ModuleLoader(std::string folder, const std::string& configuration)
    : folder_(folder.empty() ? folder_of_this_kernel() : std::move(folder)) {
    const char* const places[] = {configuration.c_str(), nullptr};
    context_ = kmod_new(folder_.c_str(), configuration.empty() ? nullptr : places);
    if (context_ == nullptr)
        throw std::bad_alloc();
    kmod_set_log_priority(context_, 0);  // what went wrong is our own sentence
}

ModuleLoader::~ModuleLoader() {
    kmod_unref(context_);
}

std::string ModuleLoader::configured(std::string_view module, std::string_view option) const {
    const std::unique_ptr<kmod_config_iter, Release> entry(kmod_config_get_options(context_));
    std::string value;
    while (entry && kmod_config_iter_next(entry.get())) {
        if (module != kmod_config_iter_get_key(entry.get()))
            continue;
        const char* options = kmod_config_iter_get_value(entry.get());
        if (std::string found = option_value(options == nullptr ? "" : options, option); !found.empty())
            value = std::move(found);
    }
    return value;
}

ModuleResult ModuleLoader::outcome(const std::string& name, int error) const {
    using enum ModuleResult::Outcome;
    const std::string by_hand = "; load it on the host: 'modprobe " + name + "'";
    if (error == 0)
        return {loaded, ""};
    if (error == ENOENT)
        return {unknown, "module " + name + " is not in " + folder_ +
                             (::access(folder_.c_str(), F_OK) == 0 ? "" : ", which is not there") + by_hand};
    return {refused, "module " + name + " cannot be loaded: " + reason_of(error) + by_hand};
}

ModuleResult ModuleLoader::load(const KernelModule& wanted) const {
    if (module_is_loaded(wanted.name))
        return {};
    kmod_list* found = nullptr;
    const int error = kmod_module_new_from_lookup(context_, wanted.name.c_str(), &found);
    const std::unique_ptr<kmod_list, Release> modules(found);
    if (error < 0 || !modules)
        return outcome(wanted.name, error < 0 ? -error : ENOENT);
    const std::unique_ptr<kmod_module, Release> module(kmod_module_get_module(modules.get()));
    if (const int state = kmod_module_get_initstate(module.get());
        state == KMOD_MODULE_BUILTIN || state == KMOD_MODULE_LIVE)
        return {};
    const std::string name = wanted.option.substr(0, wanted.option.find('='));
    const bool decided = !name.empty() && !configured(wanted.name, name).empty();
    const char* options = wanted.option.empty() || decided ? nullptr : wanted.option.c_str();
    // An administrator's `install` command is run, as modprobe runs it.
    const int came = kmod_module_probe_insert_module(module.get(), 0, options, nullptr, nullptr, nullptr);
    return outcome(wanted.name, came < 0 ? -came : came);
}

}  // namespace netlink
