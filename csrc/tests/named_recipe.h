// tests/named_recipe.h: a recipe with a name, for the augmentation tests.
#pragma once

#include <string>
#include <vector>

#include "rote/augment.h"

namespace rote {

struct NamedRecipe {
    std::string name;
    std::vector<AugmentOp> ops;
    bool resizes = false;  ///< brings images of any size to the output size
};

}  // namespace rote
