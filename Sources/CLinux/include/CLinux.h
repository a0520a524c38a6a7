// What Swift's Glibc lacks, as thin shims: one header a topic, no logic beyond the call.
#pragma once
#include "birth.h"
#include "kernel.h"
#include "machine.h"
#include "spawn_shim.h"
#include "descriptors.h"
#include "sandbox.h"
#include "filter.h"
#include "resolver.h"
#include "crypt_shim.h"
