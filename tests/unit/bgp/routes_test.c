/* SPDX-License-Identifier: BSD-3-Clause */
/* NLRI of unicast and labelled VPN routes, in and outside of the MP attributes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/strbuf.h"
#include "fixture.h"

#include "bgp/update.h"

#define ORIGIN   "40010100"
#define PATH     "400206 0201 0000fde9"
#define NEXT_HOP "400304 c0000209"

struct said {
    char text[1024];
    struct strbuf sb;
};

static void put(struct said *said, const char *verb, const struct bgp_route *route, const struct bgp_attrs *attrs)
{
    char prefix[IP_TEXT_SIZE], hop[IP_TEXT_SIZE];

    sb_printf(&said->sb, "%s %s %s", verb, bgp_family_name(route->family), ip_prefix_format(&route->prefix, prefix));
    if ((route->family & (BGP_IPV4_VPN | BGP_IPV6_VPN)) != 0) {
        sb_printf(&said->sb, " label %u rd ", route->label);
        sb_hex(&said->sb, route->rd, sizeof route->rd);
    }
    if (attrs != NULL)
        sb_printf(&said->sb, " via %s",
                  attrs->next_hop.family != IP_NONE ? ip_addr_format(&attrs->next_hop, hop) : "?");
    sb_char(&said->sb, '\n');
}

static void reach(void *ctx, const struct bgp_route *route, const struct bgp_attrs *attrs)
{
    put(ctx, "+", route, attrs);
}

static void unreach(void *ctx, const struct bgp_route *route)
{
    put(ctx, "-", route, NULL);
}

static void reach_rule(void *ctx, uint32_t family, uint32_t path_id, struct fs_rule *rule,
                       const struct bgp_attrs *attrs)
{
    (void)path_id;
    (void)family;
    (void)attrs;
    sb_printf(&((struct said *)ctx)->sb, "+ rule\n");
    fs_rule_free(rule);
}

static void unreach_rule(void *ctx, uint32_t family, uint32_t path_id, struct fs_rule *rule)
{
    (void)path_id;
    (void)ctx;
    (void)family;
    fs_rule_free(rule);
}

static void bad_nlri(void *ctx, uint32_t family, enum fs_error error, const uint8_t *nlri, size_t len)
{
    (void)ctx;
    (void)family;
    (void)error;
    (void)nlri;
    (void)len;
}

static void bad_attribute(void *ctx, const char *what)
{
    (void)what;
    sb_printf(&((struct said *)ctx)->sb, "!\n");
}

static void end_of_rib(void *ctx, uint32_t family)
{
    sb_printf(&((struct said *)ctx)->sb, "end of %s\n", bgp_family_name(family));
}

static const struct bgp_update_ops OPS = {
    .reach_flowspec = reach_rule,
    .unreach_flowspec = unreach_rule,
    .reach_route = reach,
    .unreach_route = unreach,
    .bad_nlri = bad_nlri,
    .bad_attribute = bad_attribute,
    .end_of_rib = end_of_rib,
};

static void check_families(uint32_t families, const char *withdrawn, const char *attributes, const char *nlri,
                           const char *says)
{
    const struct bgp_update_conf conf = {.families = families, .four_octet_as = true, .ebgp = true};
    const char *const parts[] = {withdrawn, attributes, nlri};
    struct said said;
    uint8_t body[512], part[512];
    struct byte_writer w = bw_init(body, sizeof body);

    for (unsigned i = 0; i < 3; i++) {
        size_t len = unhex(parts[i], part);
        if (i < 2)
            bw_u16(&w, (uint16_t)len);
        bw_bytes(&w, part, len);
    }
    said.text[0] = '\0';
    said.sb = sb_init(said.text, sizeof said.text);
    uint8_t *copy = malloc(bw_len(&w)); /* a read past the end is seen by the sanitizer */
    memcpy(copy, body, bw_len(&w));
    struct bgp_update_result result = bgp_update_parse(copy, bw_len(&w), &conf, &OPS, &said);
    free(copy);
    if (result.reset)
        sb_printf(&said.sb, "reset %u/%u\n", result.code, result.subcode);
    assert_string_equal(said.text, says);
}

static void check(const char *withdrawn, const char *attributes, const char *nlri, const char *says)
{
    check_families((1u << BGP_FAMILY_COUNT) - 1, withdrawn, attributes, nlri, says);
}

static void routes_outside_of_attributes(void **state)
{
    (void)state;
    check("", ORIGIN PATH NEXT_HOP, "18 cb0071 20 c6336407 00",
          "+ ipv4-unicast 203.0.113.0/24 via 192.0.2.9\n+ ipv4-unicast 198.51.100.7/32 via 192.0.2.9\n"
          "+ ipv4-unicast 0.0.0.0/0 via 192.0.2.9\n");
    check("18 cb0071", "", "", "- ipv4-unicast 203.0.113.0/24\n");
    /* withdrawals first, and bits beyond the length do not count (RFC 4271 4.3) */
    check("11 cb00ff", ORIGIN PATH NEXT_HOP, "11 cb007f",
          "- ipv4-unicast 203.0.128.0/17\n+ ipv4-unicast 203.0.0.0/17 via 192.0.2.9\n");
    /* not agreed on: passed over */
    check_families(BGP_IPV4_FLOWSPEC, "18 cb0071", ORIGIN PATH NEXT_HOP, "18 cb0071", "");
}

static void a_fault_withdraws_the_routes(void **state)
{
    (void)state;
    check("", "40010109" PATH NEXT_HOP, "18 cb0071", "!\n- ipv4-unicast 203.0.113.0/24\n");
    check("", ORIGIN PATH, "18 cb0071", "!\n- ipv4-unicast 203.0.113.0/24\n");
    check("", ORIGIN PATH NEXT_HOP, "21 cb00717100", "reset 3/10\n");
    check("", ORIGIN PATH NEXT_HOP, "18 cb00", "reset 3/10\n");
}

static void routes_in_mp_attributes(void **state)
{
    (void)state;
    check("", "800e1a 000201 10 20010db8000000000000000000000001 00 20 20010db8" ORIGIN PATH, "",
          "+ ipv6-unicast 2001:db8::/32 via 2001:db8::1\n");
    check("", "800f08 000201 20 20010db8", "", "- ipv6-unicast 2001:db8::/32\n");
    check("", "800e0d 000101 04 c0000201 00 18 cb0071" ORIGIN PATH, "",
          "+ ipv4-unicast 203.0.113.0/24 via 192.0.2.1\n");
    check("", "800f03 000201", "", "end of ipv6-unicast\n");
    check("", "800f05 000101 21 cb", "", "reset 3/9\n");
}

/* A next hop of each (RFC 4760 3): neither is taken for the other's. */
static void both_forms_in_one_message(void **state)
{
    (void)state;
    check("", "800e1a 000201 10 20010db8000000000000000000000001 00 20 20010db8" ORIGIN PATH NEXT_HOP, "18 cb0071",
          "+ ipv6-unicast 2001:db8::/32 via 2001:db8::1\n+ ipv4-unicast 203.0.113.0/24 via 192.0.2.9\n");
    check("", "800e0c 0001850000 060120cb007107" ORIGIN PATH NEXT_HOP, "18 cb0071",
          "+ rule\n+ ipv4-unicast 203.0.113.0/24 via 192.0.2.9\n");
}

/* RFC 4364 4.3.4, RFC 8277 2.2 */
static void labelled_vpn_routes(void **state)
{
    (void)state;
    check("", "800e20 000180 0c 0000000000000000c0000201 00 70 000641 0000fde800000064 cb0071" ORIGIN PATH, "",
          "+ ipv4-vpn 203.0.113.0/24 label 100 rd 0000fde800000064 via 192.0.2.1\n");
    check("", "800f12 000180 70 800000 0000fde800000064 cb0071", "",
          "- ipv4-vpn 203.0.113.0/24 label 524288 rd 0000fde800000064\n");
    check("", "800f0f 000280 58 800000 0000fde800000064", "", "- ipv6-vpn ::/0 label 524288 rd 0000fde800000064\n");
    check("", "800f0e 000180 50 800000 0000fde8000000", "", "reset 3/9\n"); /* no room for label and distinguisher */
    check("", "800f13 000180 79 800000 0000fde800000064 cb007100", "", "reset 3/9\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_outside_of_attributes), cmocka_unit_test(a_fault_withdraws_the_routes),
        cmocka_unit_test(routes_in_mp_attributes),      cmocka_unit_test(both_forms_in_one_message),
        cmocka_unit_test(labelled_vpn_routes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
