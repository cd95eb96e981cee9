/* SPDX-License-Identifier: BSD-3-Clause */
/* NLRI that are sound: the RFCs' examples, every length, canonical form, IPv6 offsets, SAFI 134. */
#include "fs_test.h"

struct vector {
    uint8_t family;
    const char *nlri;
    const char *match;
};

/* conforms: RFC 8955 proves 4.3-1 */
/* conforms: RFC 8956 proves 3.1-1 3.2-1 3.8-1 */
static void reads_and_writes_the_examples_of_the_rfcs(void **state)
{
    static const struct vector VECTORS[] = {
        /* RFC 8955 4.3.1 to 4.3.3 */
        {IP_V4, "0b0118c00002038106048119", "destination 192.0.2.0/24 protocol =tcp port =25"},
        {IP_V4, "120118c000020218cb0071040389458b911f90",
         "destination 192.0.2.0/24 source 203.0.113.0/24 port >=137&<=139,=8080"},
        {IP_V4, "090120c00002010c8005", "destination 192.0.2.1/32 fragment dont-fragment+first-fragment"},
        /* RFC 8956 3.8.1 with erratum 7571 (0db8, not 0dbb) */
        {IP_V6, "1201200020010db8026840123456789a038106",
         "destination 2001:db8::/32 source ::1234:5678:9a00:0/64-104 protocol =tcp"},
        /* RFC 8956 3.8.2: 39 bits and one of padding */
        {IP_V6, "0f01200020010db80268412468acf134", "destination 2001:db8::/32 source ::1234:5678:9a00:0/65-104"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(VECTORS); i++) {
        struct fs_rule *rule = rule_from_hex(VECTORS[i].family, VECTORS[i].nlri);

        assert_string_equal(match_of(rule), VECTORS[i].match);
        assert_string_equal(hex_of(rule), VECTORS[i].nlri);
        fs_rule_free(rule);
    }
}

static void decodes_into_components_and_terms(void **state)
{
    struct fs_rule *rule = rule_from_hex(IP_V4, "12 0118c00002 0218cb0071 04 0389 458b 911f90");
    const struct fs_component *source = fs_rule_component(rule, FS_SOURCE);
    const struct fs_component *port = fs_rule_component(rule, FS_PORT);
    static const uint8_t SOURCE[16] = {203, 0, 113};

    (void)state;
    assert_int_equal(rule->family, IP_V4);
    assert_false(rule->has_rd);
    assert_int_equal(rule->component_count, 3);
    assert_int_equal(rule->term_count, 3);
    assert_int_equal(source->length, 24);
    assert_memory_equal(source->octets, SOURCE, 16);
    assert_int_equal(port->term_count, 3);
    assert_int_equal(rule->terms[port->first_term].op, FS_OP_GT | FS_OP_EQ);
    assert_int_equal(rule->terms[port->first_term + 1].op, FS_OP_AND | FS_OP_LT | FS_OP_EQ);
    assert_int_equal(rule->terms[port->first_term + 2].value, 8080);
    assert_null(fs_rule_component(rule, FS_DESTINATION_PORT));
    assert_int_equal(port->data_len, 7);
    assert_int_equal(rule->nlri[port->data_first], 0x03);
    fs_rule_free(rule);
}

/* One component that takes exactly `len` octets: destination ports, and a 4-octet value where `len` is even. */
static size_t value_of_length(size_t len, uint8_t *out)
{
    size_t at = 0;

    out[at++] = FS_DESTINATION_PORT;
    if (len % 2 == 0) { /* type, 3-octet term, 2-octet terms */
        out[at++] = 0x11;
        out[at++] = 0x01;
        out[at++] = (uint8_t)len;
    }
    while (at < len) {
        out[at++] = 0x01;
        out[at] = (uint8_t)(at * 7);
        at++;
    }
    out[at - (len == 4 ? 3 : 2)] |= 0x80; /* end of list */
    return at;
}

/* conforms: RFC 8955 proves 4.1-1 */
static void round_trips_every_length_up_to_4095(void **state)
{
    static uint8_t framed[FS_NLRI_MAX + 2], again[FS_NLRI_MAX + 2];
    static const struct fs_nlri_format FORMAT = {.family = IP_V4};

    (void)state;
    for (size_t len = 3; len <= FS_NLRI_MAX; len++) {
        size_t header = len < 240 ? 1 : 2;
        struct fs_rule *rule;

        framed[0] = (uint8_t)(len < 240 ? len : 0xf0 | len >> 8);
        framed[1] = (uint8_t)len;
        assert_int_equal(value_of_length(len, framed + header), len);
        struct byte_reader in = br_init(framed, header + len);
        assert_int_equal(fs_nlri_decode(&in, &FORMAT, &rule), FS_OK);
        assert_int_equal(br_left(&in), 0);
        assert_int_equal(fs_nlri_size(rule, &FORMAT), header + len);
        struct byte_writer out = bw_init(again, sizeof again);
        fs_nlri_encode(rule, &FORMAT, &out);
        assert_int_equal(bw_len(&out), header + len);
        assert_memory_equal(framed, again, header + len);
        fs_rule_free(rule);
    }
}

/* conforms: RFC 8955 proves 4.1-1 */
static void reads_a_length_below_240_in_two_octets_as_the_same_rule(void **state)
{
    struct fs_rule *one = rule_from_hex(IP_V4, "03 038111"), *two = rule_from_hex(IP_V4, "f003 038111");

    (void)state;
    assert_true(fs_rule_equal(one, two));
    assert_string_equal(hex_of(two), "03038111");
    fs_rule_free(one);
    fs_rule_free(two);
}

/* What a receiver must ignore does not make another rule, and is not sent. */
/* conforms: RFC 8955 proves 4.2-5 4.2.1.1-1 4.2.1.1-4 4.2.1.2-1 4.2.2.12-2 */
/* conforms: RFC 8955 proves 4.2.1.1-5 4.2.1.2-2 4.2.2.9-2 4.2.2.11-2 4.2.2.12-3 */
/* conforms: RFC 8955 refuses 4.2.1.1-5 4.2.1.2-2 4.2.2.9-2 4.2.2.11-2 4.2.2.12-3 */
/* conforms: RFC 8956 proves 3.1-2 3.1-3 3.6-2 3.6-3 3.7-1 refuses 3.1-3 3.6-3 */
static void makes_one_rule_of_many_spellings(void **state)
{
    static const struct {
        uint8_t family;
        const char *sent;
        const char *canonical;
    } CASES[] = {
        {IP_V4, "03 038911", "03038111"},                             /* numeric reserved bit 0x08 */
        {IP_V4, "03 098e02", "03098202"},                             /* bitmask reserved bits 0x0c */
        {IP_V4, "03 03c111", "03038111"},                             /* AND bit on the first operator */
        {IP_V4, "04 03910011", "03038111"},                           /* value in 2 octets */
        {IP_V4, "0a 05b10000000000000035", "03058135"},               /* in 8 octets */
        {IP_V4, "05 0114cb007f", "050114cb0070"},                     /* prefix bits beyond the length */
        {IP_V6, "06 0114 00 20010f", "06 0114 00 200100"},            /* the same in IPv6 */
        {IP_V4, "04 09915002", "03098102"},                           /* TCP data offset beside the flags */
        {IP_V4, "03 0c81f2", "030c8102"},                             /* reserved fragment bits */
        {IP_V6, "03 0c8003", "030c8002"},                             /* DF in IPv6 */
        {IP_V4, "03 0b81ee", "030b812e"},                             /* beyond the six bits of a DSCP */
        {IP_V4, "04 03971234", "03038700"},                           /* the value of `true` */
        {IP_V4, "04 03901234", "03038000"},                           /* the value of `false` */
        {IP_V6, "03 0d8105", "060da100000005"},                       /* a flow label takes 4 octets at least */
        {IP_V6, "0a 0db10000000100000000", "0a0db10000000100000000"}, /* or 8 */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct fs_rule *rule = rule_from_hex(CASES[i].family, CASES[i].sent);
        uint8_t octets[64];
        char canonical[128];
        struct strbuf text = sb_init(canonical, sizeof canonical);

        sb_hex(&text, octets, hex_read(CASES[i].canonical, octets));
        assert_string_equal(hex_of(rule), canonical);
        fs_rule_free(rule);
    }
}

static void keeps_operators_that_say_the_same_apart(void **state)
{
    struct fs_rule *once = rule_from_hex(IP_V4, "03 038111"), *twice = rule_from_hex(IP_V4, "05 0301118111");

    (void)state;
    assert_false(fs_rule_equal(once, twice));
    fs_rule_free(once);
    fs_rule_free(twice);
}

/* conforms: RFC 8955 proves 8-1 */
static void keeps_families_and_safis_apart(void **state)
{
    static const struct fs_nlri_format VPN = {.family = IP_V4, .vpn = true};
    struct fs_rule *v4 = rule_from_hex(IP_V4, "03 038111"), *v6 = rule_from_hex(IP_V6, "03 038111"), *vpn;

    (void)state;
    assert_int_equal(decode_as(&VPN, "0b 0000fde800000064 038111", &vpn), FS_OK);
    assert_false(fs_rule_equal(v4, v6));
    assert_false(fs_rule_equal(v4, vpn));
    assert_true(vpn->has_rd);
    assert_true(vpn->rd == 0x0000fde800000064);
    assert_int_equal(vpn->nlri_len, 11);
    assert_string_equal(hex_of(vpn), "0b0000fde800000064038111");
    fs_rule_free(v4);
    fs_rule_free(v6);
    fs_rule_free(vpn);
}

static void sends_and_reads_the_old_form_of_ipv6_offsets_when_asked(void **state)
{
    static const struct fs_nlri_format OLD = {.family = IP_V6, .legacy_ipv6_offset = true};
    static const struct fs_nlri_format NEW = {.family = IP_V6};
    struct fs_rule *rule = rule_from_text("match source ::1234:5678:9a00:0/64-104 protocol 6"), *old;
    uint8_t octets[64], want[64];
    struct byte_writer out = bw_init(octets, sizeof octets);

    (void)state;
    fs_nlri_encode(rule, &OLD, &out);
    size_t len = hex_read("13 026840 0000000000000000 123456789a 038106", want);
    assert_int_equal(bw_len(&out), len);
    assert_int_equal(fs_nlri_size(rule, &OLD), len);
    assert_int_equal(fs_nlri_size(rule, &NEW), len - 8);
    assert_memory_equal(octets, want, len);
    assert_int_equal(decode_as(&OLD, "13 026840 ffffffffffffffff 123456789a 038106", &old), FS_OK);
    assert_true(fs_rule_equal(rule, old));
    fs_rule_free(rule);
    fs_rule_free(old);
}

static void the_old_form_changes_nothing_without_offsets(void **state)
{
    static const struct fs_nlri_format OLD = {.family = IP_V6, .legacy_ipv6_offset = true};
    struct fs_rule *rule;

    (void)state;
    assert_int_equal(decode_as(&OLD, "0a 01200020010db8 038106", &rule), FS_OK);
    assert_string_equal(hex_of(rule), "0a01200020010db8038106");
    assert_int_equal(fs_nlri_size(rule, &OLD), 11);
    fs_rule_free(rule);
}

static void an_old_form_beyond_4095_octets_fails_the_writer(void **state)
{
    static const struct fs_nlri_format OLD = {.family = IP_V6, .legacy_ipv6_offset = true};
    static struct fs_term terms[2042];
    static uint8_t octets[2 * FS_NLRI_MAX];
    struct fs_component components[2] = {{.type = FS_SOURCE, .length = 128, .offset = 120},
                                         {.type = FS_PORT, .term_count = 2042}};
    struct byte_writer out = bw_init(octets, sizeof octets);
    struct fs_rule *rule;

    (void)state;
    for (size_t i = 0; i < COUNT(terms); i++)
        terms[i].op = FS_OP_EQ;
    assert_int_equal(fs_rule_build(IP_V6, NULL, components, 2, terms, &rule), FS_OK);
    assert_int_equal(rule->nlri_len, 4089);
    fs_nlri_encode(rule, &OLD, &out);
    assert_true(out.failed);
    fs_rule_free(rule);
}

static void more_than_five_operators_fit(void **state)
{
    struct fs_rule *rule = rule_from_hex(IP_V4, "11 05 0101 0102 0103 0104 0105 0106 0107 8108");

    (void)state;
    assert_int_equal(rule->term_count, 8);
    assert_string_equal(match_of(rule), "destination-port =1,=2,=3,=4,=5,=6,=7,=8");
    fs_rule_free(rule);
}

static void all_thirteen_components_fit_one_rule(void **state)
{
    static const char MATCH[] =
        "destination 2001:db8::/32 source ::/0 protocol =tcp port =1 destination-port =2 source-port =3 icmp-type =4 "
        "icmp-code =5 tcp-flags syn packet-length =6 dscp =7 fragment is-fragment flow-label =8";
    char text[sizeof MATCH + 8] = "match ";
    struct fs_rule *rule = rule_from_text(strcat(text, MATCH));

    (void)state;
    assert_int_equal(rule->component_count, 13);
    assert_string_equal(match_of(rule), MATCH);
    for (unsigned type = 1; type <= 13; type++)
        assert_int_equal(rule->components[type - 1].type, type);
    fs_rule_free(rule);
}

static void the_neighbour_behind_a_refused_nlri_is_read(void **state)
{
    static const struct fs_nlri_format FORMAT = {.family = IP_V4};
    uint8_t octets[32];
    struct byte_reader in = br_init(octets, hex_read("03 630000 03 038111", octets));
    struct fs_rule *rule;

    (void)state;
    assert_int_equal(fs_nlri_decode(&in, &FORMAT, &rule), FS_ERR_UNKNOWN_TYPE);
    assert_null(rule);
    assert_int_equal(fs_nlri_decode(&in, &FORMAT, &rule), FS_OK);
    assert_string_equal(match_of(rule), "protocol =udp");
    fs_rule_free(rule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_the_examples_of_the_rfcs),
        cmocka_unit_test(decodes_into_components_and_terms),
        cmocka_unit_test(round_trips_every_length_up_to_4095),
        cmocka_unit_test(reads_a_length_below_240_in_two_octets_as_the_same_rule),
        cmocka_unit_test(makes_one_rule_of_many_spellings),
        cmocka_unit_test(keeps_operators_that_say_the_same_apart),
        cmocka_unit_test(keeps_families_and_safis_apart),
        cmocka_unit_test(sends_and_reads_the_old_form_of_ipv6_offsets_when_asked),
        cmocka_unit_test(the_old_form_changes_nothing_without_offsets),
        cmocka_unit_test(an_old_form_beyond_4095_octets_fails_the_writer),
        cmocka_unit_test(more_than_five_operators_fit),
        cmocka_unit_test(all_thirteen_components_fit_one_rule),
        cmocka_unit_test(the_neighbour_behind_a_refused_nlri_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
