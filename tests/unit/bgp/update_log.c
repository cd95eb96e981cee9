/* SPDX-License-Identifier: BSD-3-Clause */
#include "update_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/strbuf.h"
#include "fixture.h"

__attribute__((format(printf, 4, 5))) static void put(struct update_log *log, const uint8_t *data, size_t len,
                                                      const char *fmt, ...)
{
    size_t used = strlen(log->text);
    struct strbuf sb = sb_init(log->text + used, sizeof log->text - used);
    char line[256];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    sb_text(&sb, line);
    if (len > 0) {
        sb_char(&sb, ' ');
        sb_hex(&sb, data, len);
    }
    sb_char(&sb, '\n');
    assert_false(sb_truncated(&sb));
}

static void reach(void *ctx, uint32_t family, uint32_t path_id, struct fs_rule *rule, const struct bgp_attrs *attrs)
{
    (void)path_id;
    struct update_log *log = ctx;

    put(log, rule->nlri, rule->nlri_len, "reach %s", bgp_family_name(family));
    bgp_attrs_free(&log->attrs);
    assert_true(bgp_attrs_dup(attrs, &log->attrs));
    fs_rule_free(rule);
}

static void unreach(void *ctx, uint32_t family, uint32_t path_id, struct fs_rule *rule)
{
    (void)path_id;
    put(ctx, rule->nlri, rule->nlri_len, "unreach %s", bgp_family_name(family));
    fs_rule_free(rule);
}

static void bad_nlri(void *ctx, uint32_t family, enum fs_error error, const uint8_t *nlri, size_t len)
{
    put(ctx, nlri, len, "bad %s %s", bgp_family_name(family), fs_error_word(error));
}

static void bad_attribute(void *ctx, const char *what)
{
    put(ctx, NULL, 0, "attribute %s", what);
}

static void end_of_rib(void *ctx, uint32_t family)
{
    put(ctx, NULL, 0, "end-of-rib %s", bgp_family_name(family));
}

static const struct bgp_update_ops ops = {.reach_flowspec = reach,
                                          .unreach_flowspec = unreach,
                                          .bad_nlri = bad_nlri,
                                          .bad_attribute = bad_attribute,
                                          .end_of_rib = end_of_rib};

void update_log_parse_body(struct update_log *log, const uint8_t *body, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1); /* a read past the end is seen by the sanitizer */

    memcpy(copy, body, len);
    log->text[0] = '\0';
    struct bgp_update_result result = bgp_update_parse(copy, len, &log->conf, &ops, log);
    if (result.reset)
        put(log, result.data, result.data_len, "reset %u/%u", result.code, result.subcode);
    free(copy);
}

void update_log_parse(struct update_log *log, const char *attributes, const char *withdrawn, const char *nlri)
{
    static uint8_t body[70000], part[70000];
    struct byte_writer w = bw_init(body, sizeof body);
    size_t len = withdrawn != NULL ? unhex(withdrawn, part) : 0;

    bw_u16(&w, (uint16_t)len);
    bw_bytes(&w, part, len);
    len = attributes != NULL ? unhex(attributes, part) : 0;
    bw_u16(&w, (uint16_t)len);
    bw_bytes(&w, part, len);
    len = nlri != NULL ? unhex(nlri, part) : 0;
    bw_bytes(&w, part, len);
    update_log_parse_body(log, body, bw_len(&w));
}

void update_log_free(struct update_log *log)
{
    bgp_attrs_free(&log->attrs);
}
