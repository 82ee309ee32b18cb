/* SPDX-License-Identifier: Apache-2.0 */
/* biff: a sheet of Excel 2 to 5 that is a file by itself; see ole.h. */
#pragma once

#include "filters/detox.h"

extern const struct detox_format biff_format;
