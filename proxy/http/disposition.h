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
/* The field's name, of a form's part. Empty: there is none. */
struct bytes disposition_name(struct bytes value, struct arena *a);
/* For a file of that name: filename for who knows no other, filename* for all
 * (RFC 6266 section 4.3). type: "attachment", "inline". */
const char *disposition_text(
    struct arena *a, const char *type, struct bytes name);
