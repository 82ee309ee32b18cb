/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client: a connection of somebody who brings mail: its socket, its session,
 * its time limits, and the decisions that the session asks for.
 */
#pragma once

#include "proxy/mailer.h"

/* Takes over fd. */
void mail_client_new(struct mailer *m, const struct mail_listener_settings *l,
    int fd, const struct address *peer);
/* Told to come later at its next word, or now when no mail is begun. */
void mail_client_drain(struct mail_client *c);
struct mail_client *mail_client_next(const struct mail_client *c);
