/* SPDX-License-Identifier: Apache-2.0 */
/* macros: the few words of our dialect of C. */
#pragma once

#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CONTAINER(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(nth, first) __attribute__((format(printf, nth, first)))

/*
 * A broken invariant of ours, never a thing that a peer or a file can cause:
 * the process aborts, the parent restarts it, the others go on.
 */
#define must(condition) \
	((condition) ? (void)0 : must_fail(#condition, __FILE__, __LINE__))

_Noreturn void must_fail(const char *condition, const char *file, int line);

/* How many objects a list of spare ones holds: none under AddressSanitizer,
 * which finds only what is used after it was freed, not reused. */
#if defined(__SANITIZE_ADDRESS__)
#define SPARE(n) 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SPARE(n) 0
#endif
#endif
#ifndef SPARE
#define SPARE(n) (n)
#endif
