/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/image/image.h"
#include "tests/fuzz/detox.h"

FUZZ_DETOX(icon_format)
