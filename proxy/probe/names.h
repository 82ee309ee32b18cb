/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names: asks the system's own resolver for canary names, each in a child
 * process, for getaddrinfo has no deadline and may ask whom it likes.
 */
#pragma once

#include <sys/types.h>

#include "proxy/isolation/probe.h"
#include "proxy/probe/trial.h"

struct question {
	struct probe_item *item;
	enum probe_outcome when_resolved;
	pid_t child; /* 0: none */
	int fd;      /* readable when it answers; -1: done */
};

/* A star at its beginning becomes a label that nobody asked for before. */
void question_ask(struct question *q, const char *name, unsigned deadline_s);
/* Takes the answer that has come. */
void question_take(struct question *q);
/* Ends the child; without an answer by now the name is closed. */
void question_end(struct question *q);
