/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * 3 March 2013: rules of lengths that no packet has ate the memory of a network's routers (tests/e2e/outages tells it
 * through the router). Where the damage is: the rules as they were, put straight into the data plane's classifier, take
 * memory there that grows with them, and match no packet; vetted first, none of them gets there. The same rules with
 * lengths that packets do have are let through. ITERATIONS: packets tried (default 20000).
 */
#include "model.h"

#include <string.h>

#include "classifier/classifier.h"
#include "flowspec/text.h"
#include "policy/policy.h"
#include "random_key.h"
#include "rcu/rcu.h"

#define RULES     5000
#define RULE_ROOM 128

static struct fs_rule *rule_make(unsigned n, const char *lengths, struct fs_actions *actions)
{
    struct fs_text_error error;
    struct fs_rule *rule;
    char text[RULE_ROOM];

    snprintf(text, sizeof text, "match destination 203.0.%u.%u/32 packet-length %s then discard", n / 256, n % 256,
             lengths);
    model_expect(fs_text_parse(text, &rule, actions, &error), n, "%s: %s", text, error.text);
    return rule;
}

static struct cls *cls_make(struct rcu *rcu)
{
    struct cls *cls = cls_create(&(struct cls_conf){.engine = CLS_FAST, .rcu = rcu});

    model_expect(cls != NULL, 0, "no memory");
    return cls;
}

static size_t memory_of(const struct cls *cls)
{
    struct cls_stats stats;

    cls_stats_get(cls, &stats);
    return stats.memory_bytes;
}

/* Puts the rules in that the validator lets through, or all (`vetted` false); returns how many. */
static unsigned load(struct cls *cls, const char *lengths, bool vetted)
{
    unsigned in = 0;

    for (unsigned n = 0; n < RULES; n++) {
        struct fs_actions actions;
        struct pol_verdict verdict = {.state = POL_ACTIVE};
        struct fs_rule *rule = rule_make(n, lengths, &actions);
        if (vetted)
            pol_judge(&(struct pol_candidate){.rule = rule, .actions = &actions}, &verdict);
        model_expect(verdict.state == POL_ACTIVE || verdict.state == POL_NEVER_MATCHES, n, "%s", verdict.reason);
        if (verdict.state == POL_ACTIVE) {
            model_expect(cls_rule_add(cls, n + 1, rule) == 0, n, "the classifier has no room");
            in++;
        }
        fs_rule_free(rule);
    }
    return in;
}

/* How many of so many packets, to the rules' own destinations, some rule matches. */
static unsigned long matched(const struct cls *cls, unsigned long packets)
{
    struct random random = {.state = 2013};
    unsigned long count = 0;

    for (unsigned long i = 0; i < packets; i++) {
        struct pkt_key key;
        uint32_t id;
        random_key(&random, &key);
        if (key.family == IP_V4)
            memcpy(key.dst, (const uint8_t[]){203, 0, (uint8_t)(i / 256 % (RULES / 256)), (uint8_t)i}, 4);
        cls_match_burst(cls, &key, &id, 1);
        count += id != CLS_NO_MATCH;
    }
    return count;
}

int main(int argc, char **argv)
{
    unsigned long packets = model_iterations(argc, argv, 20000);
    struct rcu *rcu = rcu_create(1);
    struct cls *without = cls_make(rcu), *with = cls_make(rcu), *sane = cls_make(rcu);
    size_t empty = memory_of(without);

    unsigned in_without = load(without, "99971-99985", false), in_with = load(with, "99971-99985", true);
    unsigned in_sane = load(sane, ">=20&<=65535", true);
    size_t taken = memory_of(without) - empty;
    model_expect(in_without == RULES && taken > 64ul * RULES, 0, "%zu octets for %u rules: no damage to prevent", taken,
                 in_without);
    model_expect(matched(without, packets) == 0, 0, "a packet has a length of 99971");
    model_expect(in_with == 0 && memory_of(with) == empty, 0, "%u senseless rules got through", in_with);
    model_expect(in_sane == RULES && matched(sane, packets) > 0, 0, "sound rules did not get through");
    printf("without vetting %u rules that match nothing take %zu octets; with it none gets there\n", in_without, taken);
    cls_free(without);
    cls_free(with);
    cls_free(sane);
    rcu_free(rcu);
    return 0;
}
