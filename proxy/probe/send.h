/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send: takes a nonce from the gate, signs with it what was found, and tells
 * it, as isolation/probe.h says.
 */
#pragma once

#include <openssl/types.h>

#include "proxy/isolation/probe.h"
#include "proxy/probe/trial.h"

/* The probe's nonce is filled in. 0: the gate took it; or -1 and *e: it was
 * not reached, is another one, or its words when it refused. Longer than
 * SEND_MAX_S the program does not wait: it ends with 1. */
#define SEND_MAX_S 30
int send_probe(const struct trial *trial, struct probe *p, EVP_PKEY *key,
    struct err *e) MUST_CHECK;
