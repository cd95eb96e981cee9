/* SPDX-License-Identifier: BSD-3-Clause */
#include "acl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_acl.h>
#include <rte_byteorder.h>
#include <rte_memory.h>

#define WORDS_MAX   4  /* of 32 bits in an address */
#define FIELDS_MAX  13 /* protocol, two addresses, two ports, length, filling */
#define RULES_BUILD 4u /* most rte_acl rules that one of ours becomes: a list of ports is one for each */
#define BURST_MAX   64

struct packet {
    uint8_t protocol;
    uint8_t zero[3];
    uint32_t source[WORDS_MAX], destination[WORDS_MAX]; /* network order, as the ports and the length */
    uint16_t source_port, destination_port;
    uint16_t length, pad;
};

RTE_ACL_RULE_DEF(acl_rule, FIELDS_MAX);

struct bench_acl {
    struct rte_acl_ctx *ctx;
};

static void add_field(struct rte_acl_config *config, unsigned type, unsigned size, unsigned input, size_t offset)
{
    config->defs[config->num_fields] = (struct rte_acl_field_def){.type = (uint8_t)type,
                                                                  .size = (uint8_t)size,
                                                                  .field_index = (uint8_t)config->num_fields,
                                                                  .input_index = (uint8_t)input,
                                                                  .offset = (uint32_t)offset};
    config->num_fields++;
}

static unsigned words_of(unsigned ip)
{
    return ip == 6 ? WORDS_MAX : 1;
}

static void make_config(unsigned ip, struct rte_acl_config *config)
{
    unsigned words = words_of(ip), input = 0;

    memset(config, 0, sizeof *config);
    config->num_categories = 1;
    config->max_size = 0;
    add_field(config, RTE_ACL_FIELD_TYPE_BITMASK, 1, input++, offsetof(struct packet, protocol));
    for (unsigned i = 0; i < words; i++)
        add_field(config, RTE_ACL_FIELD_TYPE_MASK, 4, input++, offsetof(struct packet, source) + 4 * i);
    for (unsigned i = 0; i < words; i++)
        add_field(config, RTE_ACL_FIELD_TYPE_MASK, 4, input++, offsetof(struct packet, destination) + 4 * i);
    add_field(config, RTE_ACL_FIELD_TYPE_RANGE, 2, input, offsetof(struct packet, source_port));
    add_field(config, RTE_ACL_FIELD_TYPE_RANGE, 2, input++, offsetof(struct packet, destination_port));
    add_field(config, RTE_ACL_FIELD_TYPE_RANGE, 2, input, offsetof(struct packet, length));
    add_field(config, RTE_ACL_FIELD_TYPE_RANGE, 2, input, offsetof(struct packet, pad));
}

static unsigned set_prefix(struct acl_rule *out, unsigned field, unsigned ip, bool has, uint32_t bits, unsigned length)
{
    uint8_t octets[16];
    unsigned left = !has ? 0 : ip == 4 ? length : length == 32 ? 128 : 32 + length;

    bench_address(ip, bits, length == 32, octets);
    for (unsigned i = 0; i < words_of(ip); i++, field++) {
        uint32_t word;
        unsigned here = left < 32 ? left : 32;
        memcpy(&word, octets + 4 * i, sizeof word);
        out->field[field].value.u32 = has ? rte_be_to_cpu_32(word) & (here ? UINT32_MAX << (32 - here) : 0) : 0;
        out->field[field].mask_range.u32 = here;
        left -= here;
    }
    return field;
}

static void set_range(struct acl_rule *out, unsigned field, bool has, struct bench_range range)
{
    out->field[field].value.u16 = has ? range.first : 0;
    out->field[field].mask_range.u16 = has ? range.last : UINT16_MAX;
}

static void set_rule(const struct bench_set *set, unsigned i, unsigned port, struct acl_rule *out)
{
    const struct bench_rule *rule = &set->rules[i];

    memset(out, 0, sizeof *out);
    out->data.category_mask = 1;
    out->data.priority = RTE_ACL_MAX_PRIORITY - (int32_t)i; /* in RFC order */
    out->data.userdata = i + 1;
    out->field[0].value.u8 = rule->protocol;
    out->field[0].mask_range.u8 = rule->protocol != 0 ? UINT8_MAX : 0;
    unsigned field = set_prefix(out, 1, set->ip, rule->has_source, rule->source, rule->source_length);
    field = set_prefix(out, field, set->ip, rule->has_destination, rule->destination, rule->destination_length);
    set_range(out, field, rule->has_source_port, rule->source_port);
    set_range(out, field + 1, rule->port_count > 0, rule->destination_ports[port]);
    set_range(out, field + 2, rule->has_length, rule->length);
    set_range(out, field + 3, false, rule->length);
}

static int add_rules(struct rte_acl_ctx *ctx, const struct bench_set *set)
{
    struct acl_rule rule;

    for (unsigned i = 0; i < set->count; i++) {
        unsigned ports = set->rules[i].port_count > 0 ? set->rules[i].port_count : 1;
        for (unsigned port = 0; port < ports; port++) {
            set_rule(set, i, port, &rule);
            int rc = rte_acl_add_rules(ctx, (const struct rte_acl_rule *)&rule, 1);
            if (rc != 0)
                return rc;
        }
    }
    return 0;
}

static void choose_method(struct rte_acl_ctx *ctx)
{
    static const enum rte_acl_classify_alg METHODS[] = {RTE_ACL_CLASSIFY_AVX512X32, RTE_ACL_CLASSIFY_AVX512X16,
                                                        RTE_ACL_CLASSIFY_AVX2, RTE_ACL_CLASSIFY_SSE};

    for (unsigned i = 0; i < sizeof METHODS / sizeof METHODS[0]; i++)
        if (rte_acl_set_ctx_classify(ctx, METHODS[i]) == 0)
            return;
}

struct bench_acl *bench_acl_create(const struct bench_set *set, double *build_s, const char **why)
{
    struct bench_acl *acl = calloc(1, sizeof *acl);
    struct rte_acl_config config;
    const struct rte_acl_param param = {.name = "fgbench",
                                        .socket_id = SOCKET_ID_ANY,
                                        .rule_size = RTE_ACL_RULE_SZ(FIELDS_MAX),
                                        .max_rule_num = RULES_BUILD * set->count};

    if (acl == NULL)
        return NULL;
    make_config(set->ip, &config);
    double start = bench_seconds();
    acl->ctx = rte_acl_create(&param);
    *why = acl->ctx == NULL ? "no memory" : add_rules(acl->ctx, set) != 0 ? "refused a rule" : NULL;
    if (*why == NULL && rte_acl_build(acl->ctx, &config) != 0)
        *why = "does not build";
    *build_s = bench_seconds() - start;
    if (*why != NULL) {
        bench_acl_free(acl);
        return NULL;
    }
    choose_method(acl->ctx);
    return acl;
}

void bench_acl_free(struct bench_acl *acl)
{
    if (acl == NULL)
        return;
    rte_acl_free(acl->ctx);
    free(acl);
}

void *bench_acl_packets(unsigned ip, const struct pkt_key *keys, unsigned count)
{
    struct packet *packets = bench_large_alloc(count * sizeof *packets);

    for (unsigned i = 0; packets != NULL && i < count; i++) {
        packets[i].protocol = keys[i].protocol;
        memcpy(packets[i].source, keys[i].src, 4 * words_of(ip));
        memcpy(packets[i].destination, keys[i].dst, 4 * words_of(ip));
        packets[i].source_port = rte_cpu_to_be_16(keys[i].src_port);
        packets[i].destination_port = rte_cpu_to_be_16(keys[i].dst_port);
        packets[i].length = rte_cpu_to_be_16((uint16_t)keys[i].length);
    }
    return packets;
}

void bench_acl_match(const struct bench_acl *acl, const void *packets, unsigned first, uint32_t *ids, unsigned count)
{
    const uint8_t *data[BURST_MAX];

    for (unsigned i = 0; i < count; i++)
        data[i] = (const uint8_t *)((const struct packet *)packets + first + i);
    rte_acl_classify(acl->ctx, data, ids, count, 1);
}
