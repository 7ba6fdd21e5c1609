// rote/error.h: user errors name the argument, what was wanted and what was given.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace rote {

/// A bad argument; becomes ValueError in Python.
struct ArgumentError : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

/// A CUDA call that failed, or CUDA asked of a build without it; becomes RuntimeError in Python.
struct DeviceError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

template <class... Parts>
std::string concat(const Parts&... parts) {
    std::ostringstream out;
    (out << ... << parts);
    return out.str();
}

}  // namespace rote

/// Throws ArgumentError built from the parts after the condition.
#define ROTE_CHECK_ARG(condition, ...)                                              \
    do {                                                                            \
        if (!(condition)) throw ::rote::ArgumentError(::rote::concat(__VA_ARGS__)); \
    } while (0)

/// Wraps a CUDA runtime call. Checks the launch only; never synchronizes.
#define ROTE_CUDA_CHECK(call)                                                                                 \
    do {                                                                                                      \
        const cudaError_t rote_status = (call);                                                               \
        if (rote_status != cudaSuccess)                                                                       \
            throw ::rote::DeviceError(::rote::concat(#call, " failed: ", cudaGetErrorName(rote_status), " (", \
                                                     cudaGetErrorString(rote_status), ") at ", __FILE__, ":", \
                                                     __LINE__));                                              \
    } while (0)
