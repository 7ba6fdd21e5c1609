// runtime/build_info.h: what this build contains.
#pragma once

#include <string>

namespace rote {

struct BuildInfo {
    std::string version;
    std::string compiler;
    bool cuda;
    std::string cuda_version;
};

BuildInfo build_info();

}  // namespace rote
