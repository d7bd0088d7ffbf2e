#include "api/objects/shared.hpp"

#include <atomic>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "api/objects/types.hpp"

namespace api {
namespace {

std::size_t hash_of(const std::string& text) {
    return std::hash<std::string>()(text);
}

std::size_t hash_of(const std::vector<Hint>& hints) {
    std::size_t hash = 0;
    for (const Hint& hint : hints)
        hash = hash * 31 + hash_of(hint.name) * 2 + static_cast<std::size_t>(hint.scope);
    return hash;
}

}  // namespace

template <class T>
struct Shared<T>::Entry {
    T value;
    mutable std::atomic<std::size_t> users{0};  // goes from 0 to 1 and from 1 to 0 under the pool's mutex only

    explicit Entry(T given) : value(std::move(given)) {}
};

/// Its entries stay where they are (unordered_set), and are never changed but for their count.
template <class T>
struct Shared<T>::Pool {
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const T& value) const { return hash_of(value); }
        std::size_t operator()(const Entry& entry) const { return hash_of(entry.value); }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(const Entry& a, const Entry& b) const { return a.value == b.value; }
        bool operator()(const T& a, const Entry& b) const { return a == b.value; }
        bool operator()(const Entry& a, const T& b) const { return a.value == b; }
    };

    std::mutex mutex;
    std::unordered_set<Entry, Hash, Equal> entries;
};

/// Never destroyed: what is shared may outlive it in another static object.
template <class T>
typename Shared<T>::Pool& Shared<T>::pool() {
    static Pool& pool = *new Pool;
    return pool;
}

template <class T>
Shared<T>::Shared(T value) {
    if (value == T{})
        return;
    Pool& all = pool();
    const std::lock_guard lock(all.mutex);
    auto found = all.entries.find(value);
    if (found == all.entries.end())
        found = all.entries.emplace(std::move(value)).first;
    entry_ = &*found;
    ++entry_->users;
}

template <class T>
Shared<T>::Shared(const Shared& other) : entry_(other.entry_) {
    if (entry_ != nullptr)
        ++entry_->users;
}

template <class T>
Shared<T>::~Shared() {
    if (entry_ == nullptr)
        return;
    for (std::size_t users = entry_->users; users > 1;)
        if (entry_->users.compare_exchange_weak(users, users - 1))
            return;
    Pool& all = pool();
    const std::lock_guard lock(all.mutex);
    if (--entry_->users == 0)
        all.entries.erase(all.entries.find(entry_->value));
}

template <class T>
const T& Shared<T>::operator*() const {
    static const T none{};
    return entry_ == nullptr ? none : entry_->value;
}

template class Shared<std::string>;
template class Shared<std::vector<Hint>>;

}  // namespace api
