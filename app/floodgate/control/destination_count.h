/* SPDX-License-Identifier: BSD-3-Clause */
/* How many rules each source has for each destination prefix. Control thread only. */
#ifndef FLOODGATE_DESTINATION_COUNT_H
#define FLOODGATE_DESTINATION_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "flowspec/rule.h"

struct destination_count;

struct destination_count *destination_count_create(void);
void destination_count_free(struct destination_count *count);

/* One more; false when memory is short. */
bool destination_count_add(struct destination_count *count, uint32_t source, const struct fs_rule *rule);

/* One less of what was added. */
void destination_count_drop(struct destination_count *count, uint32_t source, const struct fs_rule *rule);

uint32_t destination_count_get(const struct destination_count *count, uint32_t source, const struct fs_rule *rule);

#endif
