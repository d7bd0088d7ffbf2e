// Does what the node role has to do at the moments of its kernel side.
#pragma once

#include "proxy/sync/kernel_side.hpp"

namespace proxy {

struct NodeParts;

class NodeMoments : public KernelRole {
public:
    /// `parts` must outlive it; they may be made later.
    explicit NodeMoments(NodeParts& parts) : parts_(parts) {}

    bool source_is_current() const override;
    void follow_host() override;
    void look_around() override;
    void upkept() override;
    void planned() override;
    boost::asio::awaitable<void> settle(bool refused) override;
    void given(bool all) override;
    void problems_changed() override;

    /// The networks of pods and Services, as the objects say now: other rules and other claims. True: they are others,
    /// and follow_host() and an audit are asked for. `again`: the host may have other networks.
    bool follow_networks(bool again);

private:
    NodeParts& parts_;
};

}  // namespace proxy
