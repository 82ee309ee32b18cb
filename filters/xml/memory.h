/* SPDX-License-Identifier: Apache-2.0 */
/* memory: of libxml2, which asks for thousands of small pieces. */
#pragma once

#include <stddef.h>

/*
 * From here on libxml2 has small pieces from one room, and those that it gave
 * back for others of that size: a seventh of all that a small document costs
 * was malloc and free. What is larger, or finds no place, comes from malloc.
 * Before libxml2 is used, or again; with one thread. Under a sanitizer nothing
 * changes, so that it sees each piece.
 */
void xml_memory_prepare(void);

/* As malloc, free and realloc. */
void *xml_memory_take(size_t n);
void xml_memory_give(void *p);
void *xml_memory_take_more(void *p, size_t n);
