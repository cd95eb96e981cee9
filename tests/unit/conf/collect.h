/* SPDX-License-Identifier: BSD-3-Clause */
/* Keeps what cfg_load and cfg_parse report, as "LINE: text". */
#ifndef UNIT_CONF_COLLECT_H
#define UNIT_CONF_COLLECT_H

#include <stdio.h>
#include <string.h>

#include "conf/conf.h"

#define COLLECT_MAX 1010

struct collected {
    size_t count;
    char text[COLLECT_MAX][1100];
};

static void collect(void *ctx, const char *file, unsigned line, const char *text)
{
    struct collected *collected = ctx;

    (void)file;
    if (collected->count < COLLECT_MAX)
        snprintf(collected->text[collected->count], sizeof collected->text[0], "%u: %s", line, text);
    collected->count++;
}

/* Parses text; what was reported is in *collected. */
static inline struct cfg *parse_text(const char *text, struct collected *collected)
{
    collected->count = 0;
    return cfg_parse(text, strlen(text), "test.yaml", collect, collected);
}

#endif
