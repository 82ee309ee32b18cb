/* SPDX-License-Identifier: Apache-2.0 */
/* banned: calls that do not compile here; every file gets it by -include. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC poison strcpy strcat strncpy strtok sprintf atoi system popen
#pragma GCC poison mktemp
