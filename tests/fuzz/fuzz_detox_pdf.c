/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/pdf/pdf.h"
#include "tests/fuzz/detox.h"

FUZZ_DETOX(pdf_format)
