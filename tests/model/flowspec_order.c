/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The order of rules is the one of RFC 8955 5.1 and RFC 8956 4, total, antisymmetric and transitive.
 *
 * The reference is written from the RFC's prose over the rule's fields and over operator lists that it encodes itself.
 * Random rules seldom meet in more than their first component, so most of each family here are relatives: rules that
 * differ in one prefix bit, one term, one component.
 */
#include <string.h>

#include "flowspec/order.h"
#include "model.h"
#include "random_rule.h"

#define ITERATIONS 30000
#define TRIBE      6 /* rules that are compared all with all */

static bool bit_of(const struct fs_component *c, unsigned bit)
{
    return c->octets[bit / 8] >> (7 - bit % 8) & 1;
}

static int reference_prefix(const struct fs_component *a, const struct fs_component *b)
{
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    for (unsigned bit = a->offset; bit < a->length && bit < b->length; bit++)
        if (bit_of(a, bit) != bit_of(b, bit))
            return bit_of(a, bit) ? 1 : -1;
    return a->length == b->length ? 0 : a->length > b->length ? -1 : 1;
}

/* The operator list as a binary string. */
static size_t encode(const struct fs_rule *rule, const struct fs_component *c, uint8_t *out)
{
    size_t len = 0;

    for (unsigned i = 0; i < c->term_count; i++) {
        const struct fs_term *term = &rule->terms[c->first_term + i];
        unsigned code = 0;

        while (code < 3 && term->value >> (8u << code) != 0)
            code++;
        if (c->type == FS_FLOW_LABEL && code < 2)
            code = 2;
        out[len++] = (uint8_t)(term->op | code << 4 | (i + 1 == c->term_count ? 0x80 : 0));
        for (unsigned left = 1u << code; left > 0; left--)
            out[len++] = (uint8_t)(term->value >> 8 * (left - 1));
    }
    return len;
}

static int reference_string(const struct fs_rule *a, const struct fs_component *ca, const struct fs_rule *b,
                            const struct fs_component *cb)
{
    static uint8_t sa[32768], sb[32768];
    size_t la = encode(a, ca, sa), lb = encode(b, cb, sb);

    for (size_t i = 0; i < la && i < lb; i++)
        if (sa[i] != sb[i])
            return sa[i] < sb[i] ? -1 : 1;
    return la == lb ? 0 : la > lb ? -1 : 1;
}

static int reference(const struct fs_rule *a, const struct fs_rule *b)
{
    for (unsigned type = 1; type <= FS_COMPONENTS_MAX; type++) {
        const struct fs_component *ca = fs_rule_component(a, type), *cb = fs_rule_component(b, type);
        int order = 0;

        if (!ca && !cb)
            continue;
        if (!ca || !cb)
            return ca ? -1 : 1;
        order = fs_type_is_prefix(type) ? reference_prefix(ca, cb) : reference_string(a, ca, b, cb);
        if (order)
            return order;
    }
    return a->rd == b->rd ? 0 : a->rd < b->rd ? -1 : 1;
}

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static void check_pair(const struct fs_rule *a, const struct fs_rule *b, unsigned long n)
{
    int order = sign(fs_rule_compare(a, b));

    model_expect(order == reference(a, b), n, "order %d, the RFC's is %d", order, reference(a, b));
    model_expect(order == -sign(fs_rule_compare(b, a)), n, "the order depends on the side");
    model_expect((order == 0) == fs_rule_equal(a, b), n, "equal in order and equal in octets differ");
}

static void check_triple(const struct fs_rule *a, const struct fs_rule *b, const struct fs_rule *c, unsigned long n)
{
    if (fs_rule_compare(a, b) <= 0 && fs_rule_compare(b, c) <= 0)
        model_expect(fs_rule_compare(a, c) <= 0, n, "a <= b and b <= c, but a > c");
}

static void check_tribe(struct fs_rule *const *tribe, unsigned long n)
{
    for (unsigned i = 0; i < TRIBE; i++)
        for (unsigned j = 0; j < TRIBE; j++) {
            check_pair(tribe[i], tribe[j], n);
            for (unsigned k = 0; k < TRIBE; k++)
                check_triple(tribe[i], tribe[j], tribe[k], n);
        }
}

/* conforms: RFC 8955 proves 5.1-1 */
/* conforms: RFC 8956 proves 4-1 */
int main(int argc, char **argv)
{
    unsigned long iterations = model_iterations(argc, argv, ITERATIONS);
    struct random random = {.state = 51};

    for (unsigned long n = 0; n < iterations; n++) {
        struct random_rule_conf conf = {
            .family = n % 2 ? IP_V4 : IP_V6, .vpn = n % 5 == 0, .narrow = n % 3 != 0, .components_max = 1 + n % 6};
        struct fs_rule *tribe[TRIBE];

        tribe[0] = random_rule(&random, &conf);
        for (unsigned i = 1; i < TRIBE; i++)
            tribe[i] = random_one_in(&random, 8) ? random_rule(&random, &conf)
                                                 : random_relative(&random, &conf, tribe[random_below(&random, i)]);
        check_tribe(tribe, n);
        for (unsigned i = 0; i < TRIBE; i++)
            fs_rule_free(tribe[i]);
    }
    printf("%lu times %d rules\n", iterations, TRIBE);
    return 0;
}
