/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random rules there and back: NLRI in canonical, careless and legacy form, text, and actions in text and in extended
 * communities. The careless writer here is a second, bit-by-bit reading of RFC 8955 4 and RFC 8956 3: it sets whatever
 * bits a receiver must ignore and picks longer forms than needed, and the rule that comes back must be the same.
 */
#include <string.h>

#include "flowspec/nlri.h"
#include "flowspec/order.h"
#include "flowspec/text.h"
#include "model.h"
#include "random_rule.h"

#define ITERATIONS 60000

static char text[FS_RULE_TEXT_MAX];
static char text_again[FS_RULE_TEXT_MAX];

static struct fs_nlri_format format_of(const struct fs_rule *rule, bool legacy)
{
    return (struct fs_nlri_format){.family = rule->family, .vpn = rule->has_rd, .legacy_ipv6_offset = legacy};
}

static bool address_bit(const uint8_t *octets, unsigned bit)
{
    return octets[bit / 8] >> (7 - bit % 8) & 1;
}

/* Bits [from, length) one after the other, then random padding. */
static void careless_pattern(struct random *random, const struct fs_component *c, unsigned from,
                             struct byte_writer *out)
{
    unsigned octet = 0, filled = 0;

    for (unsigned bit = from; bit < c->length; bit++) {
        bool set = bit < c->offset ? random_one_in(random, 2) : address_bit(c->octets, bit);
        octet = octet << 1 | set;
        if (++filled % 8 == 0)
            bw_u8(out, (uint8_t)octet);
    }
    if (filled % 8 != 0)
        bw_u8(out, (uint8_t)(octet << (8 - filled % 8) | random_below(random, 1u << (8 - filled % 8))));
}

/* The value with ignored bits set, in a length that still holds it. */
static void careless_value(struct random *random, const struct fs_rule *rule, unsigned type, struct fs_term term,
                           unsigned first_flags, struct byte_writer *out)
{
    bool numeric = !fs_type_is_bitmask(type);
    unsigned most = type == FS_DSCP || type == FS_FRAGMENT ? 0 : type == FS_TCP_FLAGS ? 1 : 3;
    unsigned code = random_below(random, most + 1);

    if (type == FS_DSCP)
        term.value |= (uint64_t)random_below(random, 4) << 6;
    if (type == FS_FRAGMENT)
        term.value |= random_below(random, 16) << 4 | (rule->family == IP_V6 ? random_below(random, 2) : 0);
    if (numeric && ((term.op & 7) == 0 || (term.op & 7) == 7))
        term.value = type == FS_DSCP ? random_below(random, 256) : random_next(random);
    while (code < 3 && term.value >> (8u << code) != 0)
        code++;
    if (type == FS_TCP_FLAGS && code == 1)
        term.value |= (uint64_t)random_below(random, 16) << 12;
    bw_u8(out, (uint8_t)(term.op | first_flags | code << 4 | (numeric ? 0x08 : 0x0c) * random_below(random, 2)));
    for (unsigned left = 1u << code; left > 0; left--)
        bw_u8(out, (uint8_t)(term.value >> 8 * (left - 1)));
}

static void careless_component(struct random *random, const struct fs_rule *rule, const struct fs_component *c,
                               bool legacy, struct byte_writer *out)
{
    bw_u8(out, c->type);
    if (fs_type_is_prefix(c->type)) {
        bw_u8(out, c->length);
        if (rule->family == IP_V6)
            bw_u8(out, c->offset);
        careless_pattern(random, c, legacy ? 0 : c->offset, out);
        return;
    }
    for (unsigned i = 0; i < c->term_count; i++) {
        unsigned flags = (i == 0 && random_one_in(random, 2) ? FS_OP_AND : 0) | (i + 1 == c->term_count ? 0x80 : 0);
        careless_value(random, rule, c->type, rule->terms[c->first_term + i], flags, out);
    }
}

static void check_careless(struct random *random, const struct fs_rule *rule, bool legacy, unsigned long n)
{
    struct fs_nlri_format format = format_of(rule, legacy);
    uint8_t octets[8192], framed[8192];
    struct byte_writer value = bw_init(octets, sizeof octets), nlri = bw_init(framed, sizeof framed);
    struct fs_rule *back;

    if (rule->has_rd)
        bw_u64(&value, rule->rd);
    for (unsigned i = 0; i < rule->component_count; i++)
        careless_component(random, rule, &rule->components[i], legacy, &value);
    if (bw_len(&value) > FS_NLRI_MAX)
        return;
    if (bw_len(&value) >= 240 || random_one_in(random, 2))
        bw_u16(&nlri, (uint16_t)(0xf000 | bw_len(&value)));
    else
        bw_u8(&nlri, (uint8_t)bw_len(&value));
    bw_bytes(&nlri, octets, bw_len(&value));
    bw_u8(&nlri, 0xee); /* the neighbour */

    struct byte_reader in = br_init(framed, bw_len(&nlri));
    enum fs_error error = fs_nlri_decode(&in, &format, &back);
    model_expect(error == FS_OK, n, "a careless NLRI was refused: %s", fs_error_word(error));
    model_expect(br_left(&in) == 1, n, "decoding took %zu octets too few or many", br_left(&in));
    model_expect(fs_rule_equal(rule, back), n, "a careless NLRI gave another rule");
    fs_rule_free(back);
}

static void check_nlri(const struct fs_rule *rule, bool legacy, unsigned long n)
{
    struct fs_nlri_format format = format_of(rule, legacy);
    uint8_t octets[8192];
    struct byte_writer out = bw_init(octets, sizeof octets);
    struct fs_rule *back;

    fs_nlri_encode(rule, &format, &out);
    model_expect(!out.failed && bw_len(&out) == fs_nlri_size(rule, &format), n, "size and encoding disagree");
    struct byte_reader in = br_init(octets, bw_len(&out));
    model_expect(fs_nlri_decode(&in, &format, &back) == FS_OK, n, "an encoded rule was refused");
    model_expect(fs_rule_equal(rule, back), n, "an encoded rule came back as another");
    model_expect(fs_rule_compare(rule, back) == 0, n, "an encoded rule came back in another place");
    model_expect(back->term_count == rule->term_count && back->component_count == rule->component_count, n,
                 "an encoded rule came back with other terms");
    fs_rule_free(back);
}

static void check_text(struct random *random, const struct fs_rule *rule, unsigned long n)
{
    struct strbuf out = sb_init(text, sizeof text), again = sb_init(text_again, sizeof text_again);
    struct fs_actions actions, actions_back;
    struct fs_text_error error;
    struct fs_rule *back;

    random_actions(random, &actions);
    fs_rule_format(rule, &actions, &out);
    model_expect(!sb_truncated(&out), n, "the text is too long");
    model_expect(fs_text_parse(text, &back, &actions_back, &error), n, "'%s': column %zu: %s", text, error.column,
                 error.text);
    model_expect(fs_rule_equal(rule, back), n, "'%s' came back as another rule", text);
    model_expect(fs_actions_equal(&actions, &actions_back), n, "'%s' came back with other actions", text);
    fs_rule_format(back, &actions_back, &again);
    model_expect(strcmp(text, text_again) == 0, n, "'%s' printed again is '%s'", text, text_again);
    fs_rule_free(back);
}

static void check_actions(struct random *random, unsigned long n)
{
    struct fs_actions actions, back;
    struct fs_ext_comms comms;

    random_actions(random, &actions);
    fs_actions_encode(&actions, (uint32_t)random_next(random), &comms);
    fs_actions_decode(comms.comms[0], comms.count * 8u, comms.comms6[0], comms.count6 * 20u, &back);
    model_expect(fs_actions_equal(&actions, &back), n, "actions came back from communities as others");
    model_expect((comms.count + comms.count6 == 0) == fs_actions_accept(&actions), n, "accept is no community");
}

/* conforms: RFC 8955 proves 4.1-1 */
int main(int argc, char **argv)
{
    static const struct random_rule_conf CONFS[] = {
        {.narrow = true},
        {.narrow = false, .components_max = 13},
        {.vpn = true},
        {.narrow = false, .components_max = 3, .terms_max = 400},
    };
    unsigned long iterations = model_iterations(argc, argv, ITERATIONS);
    struct random random = {.state = 8955};

    for (unsigned long n = 0; n < iterations; n++) {
        unsigned kind = n % 64 == 0 ? 3 : n % 3;
        struct fs_rule *rule = random_rule(&random, &CONFS[kind]);
        struct fs_rule *copy = fs_rule_dup(rule);

        model_expect(copy && fs_rule_equal(rule, copy), n, "a copy is not equal");
        fs_rule_free(rule);
        check_nlri(copy, false, n);
        check_nlri(copy, true, n);
        check_careless(&random, copy, false, n);
        check_careless(&random, copy, true, n);
        check_text(&random, copy, n);
        check_actions(&random, n);
        fs_rule_free(copy);
    }
    printf("%lu rules\n", iterations);
    return 0;
}
