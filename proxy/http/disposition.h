/* SPDX-License-Identifier: Apache-2.0 */
/* disposition: the file's name in a Content-Disposition (RFC 6266). */
#pragma once

#include "proxy/base/arena.h"

/*
 * What filename* (RFC 8187: its bytes, escapes undone), else filename says,
 * without folders before it. Its charset is whatever the sender had. Empty:
 * there is none.
 */
struct bytes disposition_file_name(struct bytes value, struct arena *a);
