#include "api/wire/json_items.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/monotonic_resource.hpp>

#include "api/wire/json_handlers.hpp"

namespace api {
namespace {

namespace json = boost::json;

constexpr std::size_t arena_size = std::size_t{64} * 1024;  // more than most objects need; larger ones get more
constexpr std::string_view no_object = "must be an object, beginning with '{'";

std::size_t spaces_before(std::string_view bytes) {
    return std::min(bytes.find_first_not_of(" \t\r\n"), bytes.size());
}

std::size_t count_members(const json::value& value) {
    std::size_t count = 0;
    if (const auto* object = value.if_object()) {
        count = object->size();
        for (const auto& member : *object)
            if (member.value().is_structured())
                count += count_members(member.value());
    } else if (const auto* array = value.if_array()) {
        for (const json::value& item : *array)
            if (item.is_structured())
                count += count_members(item);
    }
    return count;
}

/// One value that is being parsed, in memory of its own.
class Tree {
public:
    Tree(bool reduced, std::size_t limit) : limit_(limit), parser_(json::parse_options{}, reduced) {}

    void begin(std::size_t at) {
        begin_ = at;
        size_ = 0;
        parser_.reset();
        parser_.handler().stack.reset(&resource_);
    }
    /// Returns how many bytes were read.
    std::size_t read(std::string_view bytes, std::string& problem) {
        json::error_code error;
        const std::size_t used = parser_.write_some(true, bytes.data(), bytes.size(), error);
        size_ += used;
        if (error)
            problem = error.message();
        else if (size_ > limit_)
            problem = "an object has no end within " + std::to_string(limit_ >> 20) + " MiB";
        return used;
    }
    bool done() const { return parser_.done(); }
    std::size_t begun_at() const { return begin_; }
    JsonBuilder& builder() { return parser_.handler(); }

    /// Hands out what is done; `end`: behind what was read of it.
    void deliver(JsonItem::Kind kind, std::size_t end, const JsonBuilder* list,
                 const std::function<void(JsonItem&)>& visit) {
        {
            JsonItem item{kind, begin_, end, {}, {}, builder().stack.release(), builder().keys};
            if (list != nullptr) {
                item.list_kind = list->kind;
                item.list_version = list->version;
            }
            visit(item);
        }
        resource_.release();
    }

private:
    std::vector<unsigned char> arena_ = std::vector<unsigned char>(arena_size);
    json::monotonic_resource resource_{arena_.data(), arena_.size()};
    std::size_t limit_;
    json::basic_parser<JsonBuilder> parser_;
    std::size_t begin_ = 0;
    std::size_t size_ = 0;
};

}  // namespace

class JsonItems::Impl {
public:
    Impl(Options options, std::function<void(JsonItem&)> visit)
        : visit_(std::move(visit)),
          object_(options.reduced, options.longest_object),
          item_(options.reduced, options.longest_item) {}

    void feed(std::string_view bytes) {
        while (!bytes.empty() && error_.message.empty()) {
            const std::size_t used = read(bytes);
            at_ += used;
            bytes.remove_prefix(used);
        }
    }

    JsonItemsError finish() const {
        if (!error_.message.empty())
            return error_;
        switch (place_) {
            case Place::outside:
                break;
            case Place::object:
                return {object_.begun_at(), "incomplete: an object that begins here has no end"};
            case Place::list:
                return {list_begin_, "incomplete: a list of items that begins here has no end"};
            case Place::item:
                return {item_.begun_at(), "incomplete: an item that begins here has no end"};
        }
        return {};
    }

private:
    enum class Place { outside, object, list, item };
    enum class Expected { item_or_end, item, separator };

    /// Returns how many bytes were read, without what has ended with them. `at_` is where they begin.
    std::size_t read(std::string_view bytes) {
        switch (place_) {
            case Place::outside:
                return outside(bytes);
            case Place::object:
                return object(bytes);
            case Place::list:
                return list(bytes);
            case Place::item:
                return item(bytes);
        }
        return bytes.size();
    }

    std::size_t fail(std::size_t at, std::string_view message) {
        error_ = {at, std::string(message)};
        return 0;
    }

    std::size_t outside(std::string_view bytes) {
        const std::size_t spaces = spaces_before(bytes);
        if (spaces > 0)
            return spaces;
        if (bytes.front() != '{')
            return fail(at_, no_object);
        object_.begin(at_);
        is_list_ = false;
        place_ = Place::object;
        return 0;
    }

    /// Up to the next '[' at most, where the items may begin. Whether they do, the parser says: it knows what is a
    /// text.
    std::size_t object(std::string_view bytes) {
        const std::size_t bracket = std::min(bytes.find('['), bytes.size() - 1);
        std::string problem;
        const std::size_t used = object_.read(bytes.substr(0, bracket + 1), problem);
        if (!problem.empty())
            return fail(at_ + used, problem);
        if (object_.done()) {
            object_.deliver(is_list_ ? JsonItem::Kind::list : JsonItem::Kind::object, at_ + used, nullptr, visit_);
            place_ = Place::outside;
        } else if (std::exchange(object_.builder().at_items, false)) {
            is_list_ = true;
            list_begin_ = at_ + used - 1;
            expected_ = Expected::item_or_end;
            place_ = Place::list;
        }
        return used;
    }

    std::size_t list(std::string_view bytes) {
        const std::size_t spaces = spaces_before(bytes);
        if (spaces > 0)
            return spaces;
        const char c = bytes.front();
        if (c == ']' && expected_ != Expected::item) {
            place_ = Place::object;  // which reads it: the end of an empty list
            return 0;
        }
        if (expected_ == Expected::separator) {
            if (c != ',')
                return fail(at_, "must be followed by ',' or ']'");
            expected_ = Expected::item;
            return 1;
        }
        if (c != '{')
            return fail(at_, no_object);
        item_.begin(at_);
        place_ = Place::item;
        return 0;
    }

    std::size_t item(std::string_view bytes) {
        std::string problem;
        const std::size_t used = item_.read(bytes, problem);
        if (!problem.empty())
            return fail(at_ + used, problem);
        if (item_.done()) {
            item_.deliver(JsonItem::Kind::item, at_ + used, &object_.builder(), visit_);
            expected_ = Expected::separator;
            place_ = Place::list;
        }
        return used;
    }

    std::function<void(JsonItem&)> visit_;
    Tree object_;
    Tree item_;
    Place place_ = Place::outside;
    Expected expected_ = Expected::item_or_end;
    bool is_list_ = false;
    std::size_t at_ = 0;
    std::size_t list_begin_ = 0;
    JsonItemsError error_;
};

JsonItems::JsonItems(Options options, std::function<void(JsonItem&)> visit)
    : impl_(std::make_unique<Impl>(options, std::move(visit))) {}

JsonItems::~JsonItems() = default;

void JsonItems::feed(std::string_view bytes) {
    impl_->feed(bytes);
}

JsonItemsError JsonItems::finish() const {
    return impl_->finish();
}

std::vector<Mistake> find_duplicates(const JsonItem& item, std::string_view text) {
    if (count_members(item.value) == item.keys)
        return {};
    json::basic_parser<JsonDuplicateFinder> parser{json::parse_options{}};
    json::error_code error;
    parser.write_some(false, text.data(), text.size(), error);
    return std::move(parser.handler().found);
}

}  // namespace api
