// rote/level.h: the namespace of inline code that is compiled once per instruction set.
//
// An inline function compiled in an AVX file and in a baseline file under one name would be merged by the linker into
// either; each file that is compiled for a special instruction set defines ROTE_LEVEL before it includes anything.
#pragma once

#ifndef ROTE_LEVEL
#define ROTE_LEVEL portable
#endif
