/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NLRI from the wire. The first octet picks family, SAFI and offset form; the rest is NLRI after NLRI, as in an UPDATE.
 * What decodes must encode to something that decodes to the same rule, its text must parse back to it, and its order
 * against the rule before it must not depend on the side.
 */
#include <stdlib.h>

#include "flowspec/nlri.h"
#include "flowspec/order.h"
#include "flowspec/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char text[FS_RULE_TEXT_MAX];

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void round_trip_nlri(const struct fs_rule *rule, const struct fs_nlri_format *format)
{
    static uint8_t octets[2 * FS_NLRI_MAX];
    struct byte_writer out = bw_init(octets, sizeof octets);
    struct fs_rule *back;

    fs_nlri_encode(rule, format, &out);
    if (out.failed) {
        /* canonical rules always fit; only an old form may not */
        require(format->legacy_ipv6_offset && fs_nlri_size(rule, format) > FS_NLRI_MAX + 2);
        return;
    }
    require(bw_len(&out) == fs_nlri_size(rule, format));
    struct byte_reader in = br_init(octets, bw_len(&out));
    require(fs_nlri_decode(&in, format, &back) == FS_OK);
    require(br_left(&in) == 0 && fs_rule_equal(rule, back) && fs_rule_compare(rule, back) == 0);
    fs_rule_free(back);
}

static void round_trip_text(const struct fs_rule *rule)
{
    static const struct fs_actions ACCEPT;
    struct strbuf out = sb_init(text, sizeof text);
    struct fs_text_error error;
    struct fs_actions actions;
    struct fs_rule *back;

    fs_rule_format(rule, &ACCEPT, &out);
    require(!sb_truncated(&out));
    require(fs_text_parse(text, &back, &actions, &error));
    require(fs_rule_equal(rule, back) && fs_actions_accept(&actions));
    fs_rule_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct fs_nlri_format format = {
        .family = data[0] & 1 ? IP_V6 : IP_V4, .vpn = data[0] & 2, .legacy_ipv6_offset = data[0] & 4};
    struct fs_nlri_format plain = {.family = format.family, .vpn = format.vpn};
    struct byte_reader in = br_init(data + 1, size - 1);
    struct fs_rule *before = NULL;

    while (br_left(&in) > 0) {
        struct fs_rule *rule;
        enum fs_error error = fs_nlri_decode(&in, &format, &rule);

        require((rule != NULL) == (error == FS_OK));
        if (error == FS_ERR_LENGTH)
            break;
        if (error)
            continue;
        round_trip_nlri(rule, &format);
        round_trip_nlri(rule, &plain);
        round_trip_text(rule);
        for (unsigned i = 0; i < rule->component_count; i++)
            if (rule->components[i].term_count > 0)
                fs_terms_match(rule, &rule->components[i], data[0]);
        if (before) {
            int order = fs_rule_compare(before, rule), back = fs_rule_compare(rule, before);

            require((order < 0) == (back > 0) && (order > 0) == (back < 0));
            require((order == 0) == fs_rule_equal(before, rule));
        }
        fs_rule_free(before);
        before = rule;
    }
    fs_rule_free(before);
    return 0;
}
