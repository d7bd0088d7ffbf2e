// Modules of the kernel, loaded as modprobe does (libkmod: modules.dep, compressed files, modprobe.d(5)), without a
// program.
#pragma once

#include <string>
#include <string_view>

struct kmod_ctx;
struct kmod_module;

namespace netlink {

struct KernelModule {
    std::string name;    ///< "ip_vs"
    std::string option;  ///< "conn_tab_bits=16", or empty. What the administrator has written down for it wins
};

/// What came of loading one.
struct ModuleResult {
    enum class Outcome {
        present,  ///< it was there: loaded, or built in
        loaded,   ///< it was not, and is now
        unknown,  ///< there is no such module among the kernel's, or the kernel's are not to be seen here
        refused,  ///< it cannot be loaded
    };
    Outcome outcome = Outcome::present;
    std::string problem;  ///< of the last two: a sentence that names the module, the reason and the remedy
};

/// Reads the index of the running kernel's modules in `/lib/modules` once, and loads them.
class ModuleLoader {
public:
    /// `folder` instead of /lib/modules/RELEASE, and `configuration` instead of modprobe's own folders, for tests.
    /// Throws std::bad_alloc.
    explicit ModuleLoader(std::string folder = "", const std::string& configuration = "");
    ~ModuleLoader();
    ModuleLoader(const ModuleLoader&) = delete;
    ModuleLoader& operator=(const ModuleLoader&) = delete;

    /// Loads it with those that it needs, and waits until they are there. Loading takes CAP_SYS_MODULE.
    ModuleResult load(const KernelModule& module) const;

    /// What the administrator has written down for an option of a module (modprobe.d(5), and "MODULE.OPTION=" on the
    /// kernel's command line), the last one; empty when nothing.
    std::string configured(std::string_view module, std::string_view option) const;

private:
    /// `error`: 0, or what libkmod has said, as errno has it.
    ModuleResult outcome(const std::string& name, int error) const;

    std::string folder_;
    kmod_ctx* context_;
};

/// A loadable module is loaded; of what is built in true only where it shows itself in /sys/module.
bool module_is_loaded(const std::string& name);

/// The value of an option in "debug=1 conn_tab_bits=20", the last one that is given; empty when none is.
std::string option_value(std::string_view options, std::string_view option);

}  // namespace netlink
