/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parent: starts, watches and replaces the processes; reads settings; parses
 * nothing that came from a network.
 *
 * A generation is what one load of the settings started: a keysmith and the
 * edges. Journal, control and store stand beside the generations. A reload
 * starts a new generation, waits until all of it is ready, and lets the old one
 * drain.
 */
#pragma once

#include "proxy/base/err.h"

/* Runs until told to stop; the program's exit status. */
int parent_run(const char *settings_file);
