/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ole: Office's binary documents (doc, xls, ppt) and Ichitaro's, in compound
 * files. What comes out is a new compound file of the few streams that make the
 * document, each rebuilt or blanked by its own module; of Ichitaro's, whose
 * structure is not published, the text. Installers, mail and all else that has
 * this container are refused.
 *
 * Sources: [MS-CFB], [MS-DOC], [MS-XLS], [MS-PPT], [MS-ODRAW], [MS-OSHARED].
 */
#pragma once

#include "filters/detox.h"

extern const struct detox_format ole_format;
