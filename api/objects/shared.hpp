// A value that many objects repeat, kept once for all of them: the name of a node, the zones of a hint. Of 25,000
// endpoints most name one of a few hundred nodes; a text for each would be most of what is known of them.
#pragma once

#include <utility>

namespace api {

/// An immutable T. Copies share it, equal ones are one: copying and comparing cost what a pointer does. It goes with
/// its last user. May be made, copied and destroyed on any thread. What T can be stands in shared.cpp.
template <class T>
class Shared {
public:
    Shared() = default;  ///< T{}
    Shared(T value);     // NOLINT(google-explicit-constructor): it reads as a T, and is made of one
    Shared(const Shared& other);
    Shared(Shared&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
    Shared& operator=(Shared other) noexcept {
        std::swap(entry_, other.entry_);
        return *this;
    }
    ~Shared();

    const T& operator*() const;
    const T* operator->() const { return &**this; }

    bool operator==(const Shared& other) const { return entry_ == other.entry_; }

private:
    struct Entry;
    struct Pool;
    static Pool& pool();

    const Entry* entry_ = nullptr;  // nullptr: T{}
};

}  // namespace api
