/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flat: a package of Office in one file of XML ("Flat OPC": pkg:package with
 * pkg:part). It becomes the package that it stands for, and is rebuilt as such.
 */
#pragma once

#include <libxml/tree.h>

#include "filters/detox.h"

bool flat_is(const xmlNode *root);
enum detox_result flat_rebuild(
    struct detox *d, const xmlNode *root, struct detox_output *out) MUST_CHECK;
