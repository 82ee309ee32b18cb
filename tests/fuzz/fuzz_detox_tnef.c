/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/tnef.h"
#include "tests/fuzz/detox.h"

FUZZ_DETOX(tnef_format)
