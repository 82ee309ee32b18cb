/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/archive/archive.h"
#include "tests/fuzz/detox.h"

FUZZ_DETOX(archives_format)
