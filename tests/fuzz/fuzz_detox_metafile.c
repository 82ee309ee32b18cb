/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/metafile/metafile.h"
#include "tests/fuzz/detox.h"

FUZZ_DETOX(metafile_format)
