/* SPDX-License-Identifier: BSD-3-Clause */
/* Sections `guard` and `journal`. */
#include <stddef.h>

#include "conf/schema.h"

static void guard_finish(struct cfg_reader *reader, const struct cfg_node *node, void *object)
{
    struct cfg_guard *guard = object;

    (void)node;
    guard->set = true;
    if (!(guard->max_byte_share > 0))
        guard->max_byte_share = guard->max_drop_share;
    reader->cfg->guard_line = guard->line;
}

static const struct cfg_choice BREACHES[] = {
    {"hold", CFG_BREACH_HOLD}, {"reject", CFG_BREACH_REJECT}, {"warn", CFG_BREACH_WARN}, {0}};

#define AT(field) offsetof(struct cfg_guard, field)
static const struct cfg_key GUARD_KEYS[] = {
    {.name = "max-drop-share",
     .set = cfg_set_percent,
     .offset = AT(max_drop_share),
     .required = true,
     .wants = "per cent of the packets seen, above 0 and up to 100"},
    {.name = "max-byte-share",
     .set = cfg_set_percent,
     .offset = AT(max_byte_share),
     .wants = "per cent of the octets seen, above 0 and up to 100"},
    {.name = "max-protocol-share",
     .set = cfg_set_percent,
     .offset = AT(max_protocol_share),
     .wants = "per cent of one protocol's packets, above 0 and up to 100"},
    {.name = "max-destination-share",
     .set = cfg_set_percent,
     .offset = AT(max_destination_share),
     .wants = "per cent of one destination's packets, above 0 and up to 100"},
    {.name = "window",
     .set = cfg_set_uint32,
     .offset = AT(window_s),
     .fallback = "30",
     .min = 1,
     .max = 3600,
     .unit = "seconds"},
    {.name = "on-breach", .set = cfg_set_choice, .offset = AT(on_breach), .fallback = "hold", .choices = BREACHES},
    {.name = "sample",
     .set = cfg_set_uint32,
     .offset = AT(sample),
     .fallback = "1000",
     .min = 1,
     .max = 1000000,
     .unit = "packets"},
    {.name = "min-samples",
     .set = cfg_set_uint32,
     .offset = AT(min_samples),
     .fallback = "100",
     .min = 1,
     .max = 4096,
     .unit = "packets"},
    {.name = "hold-time",
     .set = cfg_set_uint32,
     .offset = AT(hold_time_s),
     .fallback = "3600",
     .min = 1,
     .max = 31536000,
     .unit = "seconds"},
    {.name = "breaker", .set = cfg_set_bool, .offset = AT(breaker), .fallback = "true", .wants = "true or false"},
};

const struct cfg_map cfg_guard_map = {.title = "guard",
                                      .keys = GUARD_KEYS,
                                      .key_count = CFG_COUNT(GUARD_KEYS),
                                      .has_line = true,
                                      .line_offset = AT(line),
                                      .finish = guard_finish};
#undef AT

#define AT(field) offsetof(struct cfg_journal, field)
static const struct cfg_key JOURNAL_KEYS[] = {
    {.name = "file",
     .set = cfg_set_text,
     .offset = AT(file),
     .wants = "the path of a file, at most 1023 octets",
     .max = 1023},
    {.name = "max-size",
     .set = cfg_set_uint32,
     .offset = AT(max_mib),
     .fallback = "16",
     .min = 1,
     .max = 1024,
     .unit = "MiB"},
    {.name = "entries",
     .set = cfg_set_uint32,
     .offset = AT(entries),
     .fallback = "20000",
     .min = 1,
     .max = 1000000,
     .unit = "entries"},
};
#undef AT

const struct cfg_map cfg_journal_map = {.title = "journal", .keys = JOURNAL_KEYS, .key_count = CFG_COUNT(JOURNAL_KEYS)};
