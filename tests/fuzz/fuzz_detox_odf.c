/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/odf/odf.h"
#include "tests/fuzz/detox.h"

FUZZ_DETOX(odf_format)
