// Settings of the kernel: when they are met, how they are written, and IPVS's own.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "netlink/ipvs_config.hpp"
#include "netlink/kernel_modules.hpp"
#include "netlink/sysctl.hpp"

using namespace netlink;

namespace {

/// A folder like /proc/sys, gone at the end.
struct Folder {
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "podferry-sysctl-XXXXXX").string();
        path = ::mkdtemp(name.data());
        std::filesystem::create_directories(path + "/net/ipv4");
    }
    ~Folder() { std::filesystem::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    void put(const std::string& name, const std::string& value) const {
        std::ofstream(path + "/net/ipv4/" + name) << value << "\n";
    }
    std::string path;
};

}  // namespace

TEST_CASE("a setting is met exactly, or by at least so much") {
    struct Row {
        Sysctl::Fit fit;
        const char* value;
        const char* present;
        bool met;
    };
    using enum Sysctl::Fit;
    const auto row = GENERATE(values<Row>({{exactly, "1", "1", true},
                                           {exactly, "1", "2", false},
                                           {exactly, "1", "", false},
                                           {exactly, "", "", true},
                                           {at_least, "100", "100", true},
                                           {at_least, "100", "1000", true},
                                           {at_least, "100", "99", false},
                                           {at_least, "100", "", false},
                                           {at_least, "100", "many", false}}));
    CAPTURE(row.value, row.present);
    CHECK(is_met({"a.b", row.value, "", row.fit}, row.present) == row.met);
}

TEST_CASE("a setting is written when it is different, and only then") {
    const Folder folder;
    folder.put("ip_forward", "0");
    using enum SysctlResult::Outcome;
    CHECK(set_sysctl({"net.ipv4.ip_forward", "1", "w"}, folder.path).outcome == written);
    CHECK(read_sysctl("net.ipv4.ip_forward", folder.path) == "1");
    CHECK(set_sysctl({"net.ipv4.ip_forward", "1", "w"}, folder.path).outcome == met);
    folder.put("max", "500");
    CHECK(set_sysctl({"net.ipv4.max", "100", "w", Sysctl::Fit::at_least}, folder.path).outcome == met);
    CHECK(read_sysctl("net.ipv4.max", folder.path) == "500");
}

TEST_CASE("a setting that is not there is named, with the reason why it is wanted") {
    const Folder folder;
    const SysctlResult came = set_sysctl({"net.ipv4.gone", "1", "without which nothing works"}, folder.path);
    CHECK(came.outcome == SysctlResult::Outcome::refused);
    CHECK(came.problem ==
          "sysctl net.ipv4.gone is '' and cannot be set to 1, without which nothing works: there is no " + folder.path +
              "/net/ipv4/gone: this kernel is built without it, or its module is not loaded");
}

TEST_CASE("timeouts survive the way into a message and back") {
    const ipvs::Timeouts timeouts{7800, 120, 300};
    CHECK(ipvs::parse_config(ipvs::set_config(30, timeouts).header()) == timeouts);
    CHECK_FALSE(ipvs::parse_config(ipvs::get_config(30).header()));
    CHECK_FALSE(ipvs::parse_table_size(ipvs::get_info(30).header()));
}

TEST_CASE("a timeout of 0 leaves the present one") {
    const ipvs::Timeouts present{900, 120, 300};
    CHECK(ipvs::with_present({}, present) == present);
    CHECK(ipvs::with_present({7800, 0, 10}, present) == ipvs::Timeouts{7800, 120, 10});
}

TEST_CASE("an option of a module") {
    struct Row {
        const char* options;
        const char* value;
    };
    const auto row = GENERATE(values<Row>({
        {"", ""},
        {"conn_tab_bits=18", "18"},
        {"debug=1 conn_tab_bits=20", "20"},
        {"conn_tab_bits=18 conn_tab_bits=12", "12"},
        {"other_conn_tab_bits=18", ""},
        {"conn_tab_bits", ""},
    }));
    CAPTURE(row.options);
    CHECK(option_value(row.options, "conn_tab_bits") == row.value);
}

TEST_CASE("what the administrator has written down for a module") {
    struct Row {
        const char* configuration;
        const char* value;
    };
    const auto row = GENERATE(values<Row>({
        {"", ""},
        {"options ip_vs conn_tab_bits=18\n", "18"},
        {"options ip-vs conn_tab_bits=18\n", "18"},
        {"alias a ip_vs\noptions bonding max_bonds=0\noptions ip_vs debug=1 conn_tab_bits=20\n", "20"},
        {"options ip_vs conn_tab_bits=18\noptions ip_vs conn_tab_bits=12\n", "12"},
        {"options ip_vs_rr conn_tab_bits=18\n", ""},
        {"options ip_vs debug=1\n", ""},
    }));
    CAPTURE(row.configuration);
    const Folder folder;
    std::ofstream(folder.path + "/ip_vs.conf") << row.configuration;
    CHECK(ModuleLoader(folder.path, folder.path).configured("ip_vs", "conn_tab_bits") == row.value);
}

TEST_CASE("a module that is not there is no mystery") {
    const Folder folder;
    const std::string name = "no_such_module_at_all";
    const std::string place = folder.path + GENERATE("", "/nowhere");
    const ModuleResult came = ModuleLoader(place, folder.path).load({name, ""});
    CHECK(came.outcome == ModuleResult::Outcome::unknown);
    CHECK(came.problem.starts_with("module " + name + " is not in " + place));
    CHECK(came.problem.ends_with("load it on the host: 'modprobe " + name + "'"));
}
