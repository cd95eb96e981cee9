/* SPDX-License-Identifier: BSD-3-Clause */
/* UPDATEs we build: their octets, their limits, and that our own reader reads them back. */
#include <stdio.h>

#include "fixture.h"
#include "flowspec/text.h"
#include "update_log.h"

static struct fs_rule *rule(const char *text)
{
    struct fs_rule *out;
    struct fs_actions actions;
    struct fs_text_error error;

    if (!fs_text_parse(text, &out, &actions, &error))
        fail_msg("%s: %s", text, error.text);
    return out;
}

static struct bgp_builder builder;

static void build_one(const char *text, uint32_t family, bool withdraw, const struct bgp_update_attrs *attrs,
                      const char *hex)
{
    struct fs_rule *r = rule(text);
    uint8_t expected[512];

    bgp_builder_begin(&builder, family, withdraw, attrs, false, 4077);
    assert_true(bgp_builder_add(&builder, r));
    assert_int_equal(bgp_builder_finish(&builder), unhex(hex, expected));
    assert_memory_equal(builder.body, expected, unhex(hex, expected));
    fs_rule_free(r);
}

static const uint8_t discard[8] = {0x80, 0x06};

/* conforms: RFC 8955 proves 4-1 */
/* conforms: RFC 4760 proves 3-2 3-6 3-7 3-9 */
/* conforms: RFC 7606 proves 5.1-1 5.1-2 */
/* conforms: RFC 4271 proves 4.3-2 4.3-3 4.3-5 5-8 5.1.2-2 5.1.5-1 5.1.5-3 */
static void the_octets_of_each_kind(void **state)
{
    struct bgp_update_attrs attrs = {.local_as = 65001,
                                     .ebgp = true,
                                     .four_octet_as = true,
                                     .local_pref = 100,
                                     .ext_comms = discard,
                                     .ext_comms_len = 8};
    const char *a = "match destination 203.0.113.7/32";

    (void)state;
    /* the MP attribute is first (RFC 7606 5.1), the next hop empty (RFC 8955 4) */
    build_one(a, BGP_IPV4_FLOWSPEC, false, &attrs,
              "0000 0028 900e000c 0001850000 060120cb007107 40010100 400206 02010000fde9 c01008 8006000000000000");
    build_one(a, BGP_IPV4_FLOWSPEC, true, &attrs, "0000 000e 900f000a 000185 060120cb007107");
    attrs.four_octet_as = false;
    build_one(a, BGP_IPV4_FLOWSPEC, false, &attrs,
              "0000 0026 900e000c 0001850000 060120cb007107 40010100 400204 0201fde9 c01008 8006000000000000");
    attrs.local_as = 70000; /* towards a 2-octet speaker: AS_TRANS, and the truth in AS4_PATH */
    build_one(a, BGP_IPV4_FLOWSPEC, false, &attrs,
              "0000 002f 900e000c 0001850000 060120cb007107 40010100 400204 02015ba0 c01008 8006000000000000"
              "c01106 020100011170");
    attrs.ebgp = false;
    attrs.ext_comms_len = 0;
    build_one(a, BGP_IPV4_FLOWSPEC, false, &attrs,
              "0000 001e 900e000c 0001850000 060120cb007107 40010100 400200 400504 00000064");
    attrs.next_hop = (struct ip_addr){.family = IP_V4, .octets = {192, 0, 2, 9}};
    build_one(a, BGP_IPV4_FLOWSPEC, false, &attrs,
              "0000 0022 900e0010 00018504c000020900 060120cb007107 40010100 400200 400504 00000064");
    attrs.next_hop.family = IP_NONE;
    build_one("match destination 2001:db8::/32", BGP_IPV6_FLOWSPEC, false, &attrs,
              "0000 001f 900e000d 0002850000 07 01200020010db8 40010100 400200 400504 00000064");
    build_one("match rd 65000:1 destination 203.0.113.7/32", BGP_IPV4_FLOWSPEC_VPN, true, &attrs,
              "0000 0016 900f0012 000186 0e 0000fde800000001 0120cb007107");
}

struct counted {
    unsigned reached, withdrawn;
};

static void count_reach(void *ctx, uint32_t family, uint32_t path_id, struct fs_rule *r, const struct bgp_attrs *attrs)
{
    (void)path_id;
    (void)family;
    ((struct counted *)ctx)->reached++;
    assert_int_equal(attrs->ext_comms_len, 8);
    assert_int_equal(bgp_as_path_first(attrs), 65001);
    fs_rule_free(r);
}

static void count_unreach(void *ctx, uint32_t family, uint32_t path_id, struct fs_rule *r)
{
    (void)path_id;
    (void)family;
    ((struct counted *)ctx)->withdrawn++;
    fs_rule_free(r);
}

static void no_bad_nlri(void *ctx, uint32_t family, enum fs_error error, const uint8_t *nlri, size_t len)
{
    (void)ctx;
    (void)family;
    (void)nlri;
    fail_msg("a rule of %zu octets is refused: %s", len, fs_error_word(error));
}

static void no_bad_attribute(void *ctx, const char *what)
{
    (void)ctx;
    fail_msg("%s", what);
}

static void no_end_of_rib(void *ctx, uint32_t family)
{
    (void)ctx;
    fail_msg("end of rib %u", family);
}

static void read_back(const uint8_t *body, size_t len, struct counted *counted)
{
    static const struct bgp_update_ops ops = {.reach_flowspec = count_reach,
                                              .unreach_flowspec = count_unreach,
                                              .bad_nlri = no_bad_nlri,
                                              .bad_attribute = no_bad_attribute,
                                              .end_of_rib = no_end_of_rib};
    static const struct bgp_update_conf conf = {.families = BGP_IPV4_FLOWSPEC, .four_octet_as = true, .ebgp = true};

    assert_false(bgp_update_parse(body, len, &conf, &ops, counted).reset);
}

/* Rules of two sizes into bodies of at most `max` octets; returns how many bodies it took. */
static unsigned fill(size_t max, bool withdraw, unsigned count)
{
    struct bgp_update_attrs attrs = {
        .local_as = 65001, .ebgp = true, .four_octet_as = true, .ext_comms = discard, .ext_comms_len = 8};
    struct counted counted = {0};
    unsigned bodies = 0;

    bgp_builder_begin(&builder, BGP_IPV4_FLOWSPEC, withdraw, &attrs, false, max);
    for (unsigned i = 0; i < count;) {
        char text[128];
        snprintf(text, sizeof text, "match destination 10.%u.%u.%u/32%s", i >> 16 & 255, i >> 8 & 255, i & 255,
                 i % 3 == 0 ? " protocol udp port 53,123" : "");
        struct fs_rule *r = rule(text);
        size_t size = 1u + r->nlri_len;
        bool added = bgp_builder_add(&builder, r);
        fs_rule_free(r);
        i += added;
        if (added && i < count)
            continue;
        size_t len = bgp_builder_finish(&builder);
        assert_true(len > 0 && len <= max);
        if (!added)
            assert_true(len + size > max); /* as full as it goes */
        read_back(builder.body, len, &counted);
        bodies++;
        bgp_builder_begin(&builder, BGP_IPV4_FLOWSPEC, withdraw, &attrs, false, max);
    }
    assert_int_equal(withdraw ? counted.withdrawn : counted.reached, count);
    assert_int_equal(bgp_builder_finish(&builder), 0);
    return bodies;
}

static void bodies_are_as_full_as_the_limit_allows(void **state)
{
    (void)state;
    /* 3 rules take 7 + 7 + 15 octets */
    assert_int_equal(fill(4096 - 19, false, 3000), 8);
    assert_int_equal(fill(4096 - 19, true, 3000), 8);
    assert_int_equal(fill(65535 - 19, false, 20000), 3);
    assert_int_equal(fill(65535 - 19, true, 20000), 3);
    for (size_t max = 57; max < 120; max++)
        fill(max, max & 1, 60);
}

/* conforms: RFC 4271 proves 9.2-4 */
static void a_rule_that_does_not_fit_alone_is_refused(void **state)
{
    struct bgp_update_attrs attrs = {.local_as = 65001, .ebgp = true, .four_octet_as = true};
    struct fs_rule *r = rule("match destination 203.0.113.7/32");

    (void)state;
    /* 4 + 9 in front, 4 + 9 behind, 7 of the rule */
    for (size_t max = 0; max < 33; max++) {
        bgp_builder_begin(&builder, BGP_IPV4_FLOWSPEC, false, &attrs, false, max);
        assert_false(bgp_builder_add(&builder, r));
        assert_int_equal(bgp_builder_finish(&builder), 0);
    }
    bgp_builder_begin(&builder, BGP_IPV4_FLOWSPEC, false, &attrs, false, 33);
    assert_true(bgp_builder_add(&builder, r));
    assert_int_equal(bgp_builder_finish(&builder), 33);
    fs_rule_free(r);
}

static void end_of_rib_is_read_as_such(void **state)
{
    static const uint32_t families[] = {BGP_IPV4_UNICAST, BGP_IPV6_UNICAST, BGP_IPV4_FLOWSPEC, BGP_IPV6_FLOWSPEC_VPN};

    (void)state;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        struct update_log log = {.conf = {.families = families[i]}};
        uint8_t body[16];
        char expected[64];
        snprintf(expected, sizeof expected, "end-of-rib %s\n", bgp_family_name(families[i]));
        update_log_parse_body(&log, body, bgp_end_of_rib(families[i], body));
        assert_string_equal(log.text, expected);
    }
}

static void families_have_their_numbers_and_names(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < BGP_FAMILY_COUNT; bit++)
        assert_int_equal(bgp_family_of(bgp_family_afi(1u << bit), bgp_family_safi(1u << bit)), 1u << bit);
    assert_int_equal(bgp_family_of(1, 2), 0);
    assert_int_equal(bgp_family_of(25, 133), 0);
    assert_string_equal(bgp_family_name(BGP_IPV6_FLOWSPEC_VPN), "ipv6-flowspec-vpn");
    assert_string_equal(bgp_family_name(0), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_octets_of_each_kind),
        cmocka_unit_test(bodies_are_as_full_as_the_limit_allows),
        cmocka_unit_test(a_rule_that_does_not_fit_alone_is_refused),
        cmocka_unit_test(end_of_rib_is_read_as_such),
        cmocka_unit_test(families_have_their_numbers_and_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
