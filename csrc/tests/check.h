// tests/check.h: the few lines of test framework the core needs.
#pragma once

#include <cstdio>
#include <cstdlib>

/// Fails the program with file, line and the condition; the rest of the arguments are a printf message.
#define CHECK(condition, ...)                                                                \
    do {                                                                                     \
        if (!(condition)) {                                                                  \
            std::fprintf(stderr, "%s:%d: CHECK(%s) failed", __FILE__, __LINE__, #condition); \
            std::fprintf(stderr, "  " __VA_ARGS__);                                          \
            std::fprintf(stderr, "\n");                                                      \
            std::exit(1);                                                                    \
        }                                                                                    \
    } while (0)

#define CHECK_THROWS(type, expression)    \
    do {                                  \
        bool thrown = false;              \
        try {                             \
            expression;                   \
        } catch (const type&) {           \
            thrown = true;                \
        }                                 \
        CHECK(thrown, "expected " #type); \
    } while (0)
