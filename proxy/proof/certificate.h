/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate: what a proof says, for the auditor, as text of 80 columns and as
 * JSON, which has every cell (docs/ISOLATION.md describes it); where the claim
 * does not hold, the counter-examples.
 */
#pragma once

#include <stdio.h>

#include "proxy/proof/proof.h"

struct certificate {
	const struct proof *proof;
	const struct policy_files *policies;
	const char *folder; /* which their names start from */
	const char *config;
	bool verified; /* proof_verify was asked, and agreed */
	size_t points; /* that it looked at */
};

/*
 * SHA-256 of all that is registered and granted, in an order of its own: two
 * settings that say the same give the same, wherever it stands in files.
 */
void certificate_model_digest(
    const struct proof *p, uint8_t out[MODEL_DIGEST_N]);
/* 0, or -1 and *e: a policy file cannot be read. */
int certificate_print(const struct certificate *c, bool japanese, FILE *out,
    struct err *e) MUST_CHECK;
int certificate_json(const struct certificate *c, FILE *out, struct err *e)
    MUST_CHECK;
