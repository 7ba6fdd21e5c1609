// rote/host_device.h: functions that mean the same on host and device.
#pragma once

#if defined(__CUDACC__)
#define ROTE_HD __host__ __device__ __forceinline__
#else
#define ROTE_HD inline
#endif
