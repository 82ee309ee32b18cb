/* SPDX-License-Identifier: Apache-2.0 */
/* detox_rtf: documents in RTF. */
#include "filters/rtf/rtf.h"
#include "tests/fuzz/detox.h"

FUZZ_DETOX(rtf_format)
