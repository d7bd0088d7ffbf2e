// A visitor of a variant, made of lambdas: std::visit(base::overloaded{[](const A&) {...}, [](const B&) {...}},
// variant). It does not compile when an alternative is left out, as long as no lambda has an `auto`.
#pragma once

namespace base {

template <class... Parts>
struct overloaded : Parts... {
    using Parts::operator()...;
};

}  // namespace base
