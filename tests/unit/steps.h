/* SPDX-License-Identifier: Apache-2.0 */
/* steps: what others find in shared memory if who writes there is killed, tried
 * behind every instruction of his. */
#ifndef SEKISHO_TESTS_UNIT_STEPS_H
#define SEKISHO_TESTS_UNIT_STEPS_H

/* write() in a process of its own, and look() here behind each instruction of
 * it, while it stands still. Its memory is MAP_SHARED. */
void steps_try(void (*write)(void), void (*look)(void));

#endif
