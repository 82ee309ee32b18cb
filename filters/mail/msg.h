/* SPDX-License-Identifier: Apache-2.0 */
/* msg: a mail that Outlook saved ([MS-OXMSG]), as an .eml. */
#pragma once

#include "filters/ole/cfb.h"

enum detox_result msg_rebuild(
    struct detox *d, struct cfb *c, struct detox_output *out) MUST_CHECK;
