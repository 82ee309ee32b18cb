/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test's own child that uses Check's assertions and is killed. Every
 * assertion writes a message to a file that all processes of a test share; a
 * kill while one crosses a page leaves half of it, and Check ends the whole run
 * with "Bad message type". A child made here writes to nowhere: one whose
 * assertion fails ends with status 1 and says nothing.
 */
#ifndef SEKISHO_TESTS_UNIT_APART_H
#define SEKISHO_TESTS_UNIT_APART_H

#include <sys/types.h>

/* As fork(2), which cannot fail here: the test ends instead. */
pid_t fork_apart(void);

#endif
