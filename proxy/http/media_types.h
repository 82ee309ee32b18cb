/* SPDX-License-Identifier: Apache-2.0 */
/* media_types: as what a file is declared when it is given to a client. */
#pragma once

#include "filters/detox.h"

/* Of what ends so; NULL: nobody knows. */
const char *media_type_named(struct bytes extension);
/* By its content; MAGIC_UNKNOWN also when it cannot be read. */
enum magic_type magic_type_of_fd(int fd, uint64_t size);
/* What its name says, where the content agrees; else what the content says. */
const char *media_type_of(int fd, uint64_t size, struct bytes name);
