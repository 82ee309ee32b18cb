/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/ole/biff.h"
#include "tests/fuzz/detox.h"

FUZZ_DETOX(biff_format)
