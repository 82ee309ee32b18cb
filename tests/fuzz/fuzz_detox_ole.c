/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/ole/ole.h"
#include "tests/fuzz/detox.h"

FUZZ_DETOX(ole_format)
