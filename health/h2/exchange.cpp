#include "health/h2/exchange.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/plain_text.hpp"

namespace health {
namespace {

constexpr int most_announcements = 5;
constexpr std::size_t most_settings = 32;   // of one frame, as nghttp2 says
constexpr std::size_t most_unsent = 100;    // answers to PING and SETTINGS that wait to be written
constexpr std::size_t field_cost = 32;      // RFC 9113, 6.5.2
constexpr std::size_t longest_words = 200;  // of a server's own, in a problem
constexpr std::size_t longest_request = std::size_t{1024} * 1024;
constexpr std::size_t most_continuations = 100;  // nghttp2 counts one that comes in pieces several times
constexpr const char* too_many_frames = "the server sends too many frames that are no answer";

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Free {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
    void operator()(nghttp2_session_callbacks* callbacks) const { nghttp2_session_callbacks_del(callbacks); }
    void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

std::uint8_t* bytes_of(const std::string& text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));  // nghttp2 copies them
}

nghttp2_nv name_and_value(const std::string& name, const std::string& value) {
    return {bytes_of(name), bytes_of(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

std::string_view find(const Fields& fields, std::string_view name) {
    const auto found =
        std::find_if(fields.begin(), fields.end(), [&](const auto& field) { return field.first == name; });
    return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

unsigned status_in(const Fields& fields) {
    const std::string_view text = find(fields, ":status");
    unsigned status = 0;
    std::from_chars(text.data(), text.data() + text.size(), status);
    return status;
}

}  // namespace

class H2Exchange::Impl {
public:
    Impl(H2Request request, Until until, H2Bounds bounds, Body body)
        : request_(std::move(request)), until_(until), bounds_(bounds), take_body_(std::move(body)) {
        nghttp2_option* raw = nullptr;
        nghttp2_option_new(&raw);
        const std::unique_ptr<nghttp2_option, Free> option(raw);
        nghttp2_option_set_max_settings(raw, most_settings);
        nghttp2_option_set_max_outbound_ack(raw, most_unsent);
        nghttp2_option_set_max_continuations(raw, most_continuations);
        nghttp2_option_set_max_send_header_block_length(raw, longest_request);
        nghttp2_session* session = nullptr;
        nghttp2_session_client_new2(&session, callbacks(), this, raw);
        session_.reset(session);
        const std::array settings = {
            nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
            nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(bounds_.head)}};
        nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
        ask();
    }

    std::string to_send() {
        std::string out;
        const std::uint8_t* piece = nullptr;
        ssize_t size = 0;
        while ((size = nghttp2_session_mem_send(session_.get(), &piece)) > 0)
            out.append(text_of(piece, static_cast<std::size_t>(size)));
        if (size < 0)
            fail(std::string("the request cannot be written: ") + nghttp2_strerror(static_cast<int>(size)));
        notice_end();
        return out;
    }

    void received(std::string_view bytes) {
        if (end_.over)
            return;
        came_.bytes += bytes.size();
        const ssize_t taken =
            nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
        if (taken == NGHTTP2_ERR_FLOODED)
            fail(too_many_frames);
        else if (taken < 0)
            fail("this is no HTTP/2: " + (end_.words.empty() ? nghttp2_strerror(static_cast<int>(taken)) : end_.words));
        else if (came_.bytes - came_.body_bytes > bounds_.noise)
            fail("the server sends more than " + std::to_string(bounds_.noise) + " bytes that are no answer");
        notice_end();
        if (!answer_.body.empty() && take_body_ && end_.problem.empty() && !take_body_(answer_.body))
            end_.over = true;
        answer_.body.clear();
    }

    void closed() { fail("closed by the server" + (end_.goaway.empty() ? "" : " (" + end_.goaway + ")")); }

    void fail(std::string why) {
        if (end_.over)
            return;
        end_.over = true;
        end_.problem = std::move(why);
    }

    const auto& end() const { return end_; }
    const auto& answer() const { return answer_; }

private:
    static Impl& of(void* self) { return *static_cast<Impl*>(self); }

    static const nghttp2_session_callbacks* callbacks() {
        static const std::unique_ptr<nghttp2_session_callbacks, Free> shared = [] {
            nghttp2_session_callbacks* fresh = nullptr;
            nghttp2_session_callbacks_new(&fresh);
            nghttp2_session_callbacks_set_on_begin_frame_callback(
                fresh,
                [](nghttp2_session*, const nghttp2_frame_hd* head, void* self) { return of(self).begin(*head); });
            nghttp2_session_callbacks_set_on_header_callback(
                fresh, [](nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_size,
                          const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* self) {
                    return of(self).take_field(text_of(name, name_size), text_of(value, value_size));
                });
            nghttp2_session_callbacks_set_on_frame_recv_callback(
                fresh, [](nghttp2_session*, const nghttp2_frame* frame, void* self) { return of(self).take(*frame); });
            nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
                fresh, [](nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* data, std::size_t size,
                          void* self) { return of(self).take_data(text_of(data, size)); });
            nghttp2_session_callbacks_set_on_stream_close_callback(
                fresh, [](nghttp2_session*, std::int32_t, std::uint32_t code, void* self) {
                    of(self).stream_closed(code);
                    return 0;
                });
            nghttp2_session_callbacks_set_on_frame_send_callback(
                fresh, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
                    of(self).end_.by_us = of(self).end_.by_us || frame->hd.type == NGHTTP2_RST_STREAM;
                    return 0;
                });
            nghttp2_session_callbacks_set_on_frame_not_send_callback(
                fresh, [](nghttp2_session*, const nghttp2_frame* frame, int error, void* self) {
                    if (frame->hd.type == NGHTTP2_HEADERS)
                        of(self).fail(std::string("the request cannot be written: ") + nghttp2_strerror(error));
                    return 0;
                });
            nghttp2_session_callbacks_set_error_callback2(
                fresh, [](nghttp2_session*, int, const char* words, std::size_t size, void* self) {
                    of(self).end_.words = base::printable(base::shortened({words, size}, longest_words));
                    return 0;
                });
            return std::unique_ptr<nghttp2_session_callbacks, Free>(fresh);
        }();
        return shared.get();
    }

    void ask() {
        const Fields pseudo = {{":method", request_.method},
                               {":scheme", request_.scheme},
                               {":authority", request_.authority},
                               {":path", request_.path}};
        std::vector<nghttp2_nv> fields;
        for (const Fields* part : {&pseudo, static_cast<const Fields*>(&request_.fields)})
            for (const auto& [name, value] : *part)
                fields.push_back(name_and_value(name, value));
        nghttp2_data_provider body{};
        body.source.ptr = this;
        body.read_callback = [](nghttp2_session*, std::int32_t, std::uint8_t* room, std::size_t size,
                                std::uint32_t* flags, nghttp2_data_source* source, void*) -> ssize_t {
            return static_cast<Impl*>(source->ptr)->give_body(room, size, *flags);
        };
        const std::int32_t stream = nghttp2_submit_request(session_.get(), nullptr, fields.data(), fields.size(),
                                                           request_.body.empty() ? nullptr : &body, nullptr);
        if (stream < 0)
            fail(std::string("the request cannot be made: ") + nghttp2_strerror(stream));
    }

    ssize_t give_body(std::uint8_t* room, std::size_t size, std::uint32_t& flags) {
        const std::size_t given = request_.body.copy(reinterpret_cast<char*>(room), size, sent_);
        sent_ += given;
        if (sent_ == request_.body.size())
            flags |= NGHTTP2_DATA_FLAG_EOF;
        return static_cast<ssize_t>(given);
    }

    /// nghttp2 has ended the connection, since the server breaks the protocol.
    void notice_end() {
        if (nghttp2_session_want_read(session_.get()) == 0)
            fail("this is no HTTP/2" + (end_.words.empty() ? "" : ": " + end_.words));
    }

    int refuse(std::string why) {
        fail(std::move(why));
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }

    int begin(const nghttp2_frame_hd& head) {
        const bool brings_body = head.type == NGHTTP2_DATA && head.length > 0;
        if (!brings_body && ++came_.frames > bounds_.frames)
            return refuse(too_many_frames);
        if (head.type == NGHTTP2_HEADERS) {
            block_.fields.clear();
            block_.size = 0;
        }
        return 0;
    }

    int take_field(std::string_view name, std::string_view value) {
        block_.size += name.size() + value.size() + field_cost;
        if (block_.size > bounds_.head)
            return refuse("the answer's head has more than " + std::to_string(bounds_.head) + " bytes");
        block_.fields.emplace_back(name, value);
        return 0;
    }

    int take_data(std::string_view data) {
        came_.body_bytes += data.size();
        if (take_body_)
            answer_.body += data;
        return 0;
    }

    int take(const nghttp2_frame& frame) {
        if (frame.hd.type == NGHTTP2_GOAWAY)
            end_.goaway = base::printable(
                base::shortened(h2_error_name(frame.goaway.error_code) + " " +
                                    std::string(text_of(frame.goaway.opaque_data, frame.goaway.opaque_data_len)),
                                longest_words));
        const bool ends = (frame.hd.type == NGHTTP2_HEADERS || frame.hd.type == NGHTTP2_DATA) &&
                          (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        if (frame.hd.type == NGHTTP2_HEADERS)
            if (const int error = take_block(ends); error != 0)
                return error;
        if (ends && answer_.status != 0)
            end_.over = true;
        return 0;
    }

    int take_block(bool ends) {
        if (answer_.status != 0) {
            answer_.trailers = std::move(block_.fields);
            return 0;
        }
        const unsigned status = status_in(block_.fields);
        if (status < 200 && ++came_.announcements > most_announcements)
            return refuse("the answer is only announced, again and again");
        if (status < 200)
            return 0;
        answer_.status = status;
        answer_.head = std::move(block_.fields);
        answer_.trailers_only = ends;
        end_.over = end_.over || until_ == Until::head;
        return 0;
    }

    void stream_closed(std::uint32_t code) {
        if (end_.over)
            return;
        end_.reset = code;
        if (end_.by_us)
            fail("this is no HTTP/2: " + (end_.words.empty() ? h2_error_name(code) : end_.words));
        else
            fail("the server has ended the exchange: " + (end_.goaway.empty() ? h2_error_name(code) : end_.goaway));
    }

    /// What has come so far.
    struct Came {
        std::size_t bytes = 0;
        std::size_t body_bytes = 0;
        std::size_t frames = 0;
        int announcements = 0;
    };
    /// The fields of the frame that is being read.
    struct Block {
        Fields fields;
        std::size_t size = 0;
    };
    struct Answer {
        unsigned status = 0;
        Fields head;
        Fields trailers;
        bool trailers_only = false;
        std::string body;  // not handed on yet
    };
    /// How it has ended, and what was said before.
    struct End {
        bool over = false;
        std::string problem;
        std::optional<std::uint32_t> reset;
        bool by_us = false;
        std::string goaway;
        std::string words;  // nghttp2's last complaint
    };

    H2Request request_;
    std::size_t sent_ = 0;  // of the request's body
    Until until_;
    H2Bounds bounds_;
    Body take_body_;
    Came came_;
    Block block_;
    Answer answer_;
    End end_;
    std::unique_ptr<nghttp2_session, Free> session_;
};

H2Exchange::H2Exchange(H2Request request, Until until, H2Bounds bounds, Body body)
    : impl_(std::make_unique<Impl>(std::move(request), until, bounds, std::move(body))) {}

H2Exchange::~H2Exchange() = default;

std::string H2Exchange::to_send() {
    return impl_->to_send();
}

void H2Exchange::received(std::string_view bytes) {
    impl_->received(bytes);
}

void H2Exchange::closed() {
    impl_->closed();
}

void H2Exchange::broken(std::string why) {
    impl_->fail(std::move(why));
}

bool H2Exchange::is_over() const {
    return impl_->end().over;
}

const std::string& H2Exchange::problem() const {
    return impl_->end().problem;
}

std::optional<std::uint32_t> H2Exchange::reset() const {
    return impl_->end().reset;
}

unsigned H2Exchange::status() const {
    return impl_->answer().status;
}

std::string_view H2Exchange::field(std::string_view name) const {
    return find(impl_->answer().head, name);
}

std::string_view H2Exchange::trailer(std::string_view name) const {
    const auto& answer = impl_->answer();
    return find(answer.trailers_only ? answer.head : answer.trailers, name);
}

std::string h2_error_name(std::uint32_t code) {
    return code <= NGHTTP2_HTTP_1_1_REQUIRED ? nghttp2_http2_strerror(code) : "code " + std::to_string(code);
}

}  // namespace health
