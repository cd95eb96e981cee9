/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of lib/flowspec share: octets and rules from text. */
#ifndef UNIT_FLOWSPEC_FS_TEST_H
#define UNIT_FLOWSPEC_FS_TEST_H

#include "../cm.h"

#include <string.h>

#include "flowspec/nlri.h"
#include "flowspec/text.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* "0b 01 18" -> octets; blanks are skipped. Returns how many. */
static inline size_t hex_read(const char *hex, uint8_t *out)
{
    static const char DIGITS[] = "0123456789abcdef";
    size_t digits = 0;

    for (; *hex; hex++) {
        const char *at = strchr(DIGITS, *hex);

        if (*hex == ' ')
            continue;
        assert_non_null(at);
        unsigned nibble = (unsigned)(at - DIGITS);
        out[digits / 2] = (uint8_t)(digits % 2 ? out[digits / 2] | nibble : nibble << 4);
        digits++;
    }
    assert_true(digits % 2 == 0);
    return digits / 2;
}

/* Decodes one framed NLRI that must take all octets but in the case of an error. */
static inline enum fs_error decode_as(const struct fs_nlri_format *format, const char *hex, struct fs_rule **out)
{
    uint8_t octets[512];
    struct byte_reader in = br_init(octets, hex_read(hex, octets));
    enum fs_error error = fs_nlri_decode(&in, format, out);

    if (error != FS_ERR_LENGTH)
        assert_int_equal(br_left(&in), 0);
    return error;
}

static inline enum fs_error decode_hex(uint8_t family, const char *hex, struct fs_rule **out)
{
    struct fs_nlri_format format = {.family = family};

    return decode_as(&format, hex, out);
}

static inline struct fs_rule *rule_from_hex(uint8_t family, const char *hex)
{
    struct fs_rule *rule;

    assert_int_equal(decode_hex(family, hex, &rule), FS_OK);
    return rule;
}

static inline struct fs_rule *rule_from_text(const char *text)
{
    struct fs_text_error error;
    struct fs_actions actions;
    struct fs_rule *rule;

    if (!fs_text_parse(text, &rule, &actions, &error))
        fail_msg("'%s': column %zu: %s", text, error.column, error.text);
    return rule;
}

/* The canonical NLRI, length included, as hex without blanks. */
static inline const char *hex_of(const struct fs_rule *rule)
{
    static char text[2 * (FS_NLRI_MAX + 2) + 1];
    static uint8_t octets[FS_NLRI_MAX + 2];
    struct fs_nlri_format format = {.family = rule->family, .vpn = rule->has_rd};
    struct byte_writer out = bw_init(octets, sizeof octets);
    struct strbuf hex = sb_init(text, sizeof text);

    fs_nlri_encode(rule, &format, &out);
    assert_false(out.failed);
    assert_int_equal(bw_len(&out), fs_nlri_size(rule, &format));
    sb_hex(&hex, octets, bw_len(&out));
    return text;
}

static inline const char *match_of(const struct fs_rule *rule)
{
    static char text[FS_RULE_TEXT_MAX];
    struct strbuf out = sb_init(text, sizeof text);

    fs_match_format(rule, &out);
    assert_false(sb_truncated(&out));
    return text;
}

#endif
