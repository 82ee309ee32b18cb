/* SPDX-License-Identifier: Apache-2.0 */
/* banned: calls that do not compile here; every file gets it by -include. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC poison strcpy strcat strncpy strtok sprintf atoi popen mktemp
/* A system is a thing of the domain, too: only the call is banned. */
#define system(command) system_is_banned_here(command)
