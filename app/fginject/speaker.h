/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The run: brings the session up, sends what the file asks for at the rate asked for, waits until it is delivered,
 * then leaves or stays.
 */
#ifndef FGINJECT_SPEAKER_H
#define FGINJECT_SPEAKER_H

#include "options.h"
#include "rules.h"

/* Returns the exit status. */
int speaker_run(const struct options *options, const struct rule_file *file);

#endif
