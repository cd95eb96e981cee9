/* SPDX-License-Identifier: BSD-3-Clause */
#include "cm.h"

#include "rules_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flowspec/text.h"

static void on_changed(void *ctx, struct bgp_rib_entry *entry, bool withdrawn)
{
    rules_best_changed(((struct bench *)ctx)->rules, entry, withdrawn);
}

__attribute__((format(printf, 3, 0))) static void on_log(void *ctx, enum log_level level, const char *fmt, va_list args)
{
    struct bench *bench = ctx;

    bench->warnings += level <= LOG_LEVEL_WARNING;
    bench->errors += level <= LOG_LEVEL_ERROR;
    vsnprintf(bench->last_line, sizeof bench->last_line, fmt, args);
}

struct log_hook bench_log;

void bench_fill(struct bench *bench, uint32_t max_rules)
{
    static const struct bgp_rib_ops OPS = {.changed = on_changed};

    memset(bench, 0, sizeof *bench);
    bench_log = (struct log_hook){.write = on_log, .ctx = bench};
    bench->dp = fake_dataplane_create();
    bench->rules = rules_create(bench->dp, max_rules, &bench_log);
    bench->rib = bgp_rib_create(&OPS, bench);
    bench->peer = (struct rule_source){.rib = {.number = 3, .kind = BGP_SOURCE_PEER, .ebgp = true, .router_id = 1},
                                       .name = "detector"};
    bench->other = (struct rule_source){.rib = {.number = 4, .kind = BGP_SOURCE_PEER, .ebgp = true, .router_id = 2},
                                        .name = "second"};
    bench->config = (struct rule_source){.rib = {.number = 1, .kind = BGP_SOURCE_CONFIG}};
}

int set_up(void **state)
{
    struct bench *bench = malloc(sizeof *bench);

    bench_fill(bench, 100);
    *state = bench;
    return 0;
}

int tear_down(void **state)
{
    struct bench *bench = *state;

    bgp_rib_free(bench->rib);
    rules_free(bench->rules);
    fake_dataplane_free(bench->dp);
    free(bench);
    return 0;
}

struct fs_rule *parse(const char *text, struct fs_actions *actions)
{
    struct fs_rule *rule;
    struct fs_text_error error;

    assert_true(fs_text_parse(text, &rule, actions, &error));
    return rule;
}

static uint32_t family_of(const struct fs_rule *rule)
{
    return rule->family == IP_V6 ? BGP_IPV6_FLOWSPEC : BGP_IPV4_FLOWSPEC;
}

const struct rule *find(struct bench *bench, const char *text)
{
    struct fs_actions actions;
    struct fs_rule *rule = parse(text, &actions);
    struct bgp_rib_entry *entry = bgp_rib_find(bench->rib, family_of(rule), rule);

    fs_rule_free(rule);
    return entry != NULL ? entry->owner : NULL;
}

const struct rule *announce(struct bench *bench, struct rule_source *source, const char *text)
{
    struct fs_actions actions;
    struct fs_ext_comms comms;
    struct fs_rule *rule = parse(text, &actions);

    fs_actions_encode(&actions, 65001, &comms);
    const struct bgp_attrs attrs = {.ext_comms = comms.comms[0], .ext_comms_len = comms.count * 8u};
    assert_int_equal(bgp_rib_announce(bench->rib, &source->rib, family_of(rule), rule, &attrs), 0);
    return find(bench, text);
}

void withdraw(struct bench *bench, struct rule_source *source, const char *text)
{
    struct fs_actions actions;
    struct fs_rule *rule = parse(text, &actions);

    assert_true(bgp_rib_withdraw(bench->rib, &source->rib, family_of(rule), rule));
    fs_rule_free(rule);
}
