/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enforcement: the kernel's rule set, as the current settings want it. It is
 * loaded before a generation becomes current, compared with what the kernel
 * holds each minute, and loaded anew when that differs; until the kernel holds
 * it, no system is separated. When sekishod ends, it stays.
 */
#pragma once

#include "proxy/base/loop.h"
#include "proxy/settings.h"

/* Before the journal is there: what tripwires see waits from now on. 0, or -1
 * and *e: these settings ask for the kernel, and it cannot be had. */
int enforcement_prepare(const struct settings *s, struct err *e) MUST_CHECK;
/* They are about to become current. 0, or -1 and *e: the kernel holds what it
 * held before. */
int enforcement_serve(struct loop *l, const struct settings *s, struct err *e)
    MUST_CHECK;
/* They are about to be freed. */
void enforcement_forget(const struct settings *s);
