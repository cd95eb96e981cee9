/* SPDX-License-Identifier: BSD-3-Clause */
/* Unicast and labelled VPN routes in UPDATEs: RFC 4271 4.3 and 6.3, RFC 4760 3, RFC 4364 4.3.4, RFC 7606 7.11. */
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "base/strbuf.h"
#include "bgp/update.h"
#include "fixture.h"

#define ORIGIN "40010100"
#define PATH   "400206 0201 0000fde9"
#define USUAL  ORIGIN PATH
#define HOP    "400304 c0000209"
#define HOP6   "20010db8000000000000000000000009"

static char said[1024];

static void say(const char *what, const struct bgp_route *route, const struct bgp_attrs *attrs)
{
    char prefix[IP_TEXT_SIZE], hop[IP_TEXT_SIZE] = "";
    size_t used = strlen(said);

    if (attrs != NULL)
        ip_addr_format(&attrs->next_hop, hop);
    snprintf(said + used, sizeof said - used, "%s%s %s%s%s", used > 0 ? ", " : "", what,
             ip_prefix_format(&route->prefix, prefix), attrs != NULL ? " via " : "", hop);
    used = strlen(said);
    if (route->rd[7] != 0)
        snprintf(said + used, sizeof said - used, " rd %u label %u", route->rd[7], route->label);
}

static void reach_route(void *ctx, const struct bgp_route *route, const struct bgp_attrs *attrs)
{
    (void)ctx;
    say("reach", route, attrs);
}

static void unreach_route(void *ctx, const struct bgp_route *route)
{
    (void)ctx;
    say("unreach", route, NULL);
}

static void reach_flowspec(void *ctx, uint32_t family, uint32_t path_id, struct fs_rule *rule,
                           const struct bgp_attrs *attrs)
{
    (void)path_id;
    (void)ctx;
    (void)family;
    (void)attrs;
    fs_rule_free(rule);
}

static void unreach_flowspec(void *ctx, uint32_t family, uint32_t path_id, struct fs_rule *rule)
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
    fail();
}

static void bad_attribute(void *ctx, const char *what)
{
    size_t used = strlen(said);

    (void)ctx;
    snprintf(said + used, sizeof said - used, "%s(%s)", used > 0 ? ", " : "", what);
}

static void end_of_rib(void *ctx, uint32_t family)
{
    (void)ctx;
    (void)family;
}

static const struct bgp_update_ops ops = {.reach_flowspec = reach_flowspec,
                                          .unreach_flowspec = unreach_flowspec,
                                          .reach_route = reach_route,
                                          .unreach_route = unreach_route,
                                          .bad_nlri = bad_nlri,
                                          .bad_attribute = bad_attribute,
                                          .end_of_rib = end_of_rib};

struct route_case {
    const char *attributes, *withdrawn, *nlri, *says;
};

static void put_part(struct byte_writer *w, const char *hex, bool with_length)
{
    uint8_t part[512];
    size_t len = hex != NULL ? unhex(hex, part) : 0;

    if (with_length)
        bw_u16(w, (uint16_t)len);
    bw_bytes(w, part, len);
}

static void check(const struct route_case *cases, size_t count)
{
    static const struct bgp_update_conf conf = {.families = BGP_UNICAST_FAMILIES | BGP_IPV4_FLOWSPEC,
                                                .four_octet_as = true};

    for (size_t i = 0; i < count; i++) {
        uint8_t body[2048];
        struct byte_writer w = bw_init(body, sizeof body);
        put_part(&w, cases[i].withdrawn, true);
        put_part(&w, cases[i].attributes, true);
        put_part(&w, cases[i].nlri, false);
        said[0] = '\0';
        struct bgp_update_result result = bgp_update_parse(body, bw_len(&w), &conf, &ops, NULL);
        size_t used = strlen(said);
        if (result.reset)
            snprintf(said + used, sizeof said - used, "%sreset %u/%u", used > 0 ? ", " : "", result.code,
                     result.subcode);
        if (strcmp(said, cases[i].says) != 0)
            fail_msg("case %zu\nsaid:     %s\nexpected: %s", i, said, cases[i].says);
    }
}

#define CHECK(...)                                                                                                     \
    do {                                                                                                               \
        static const struct route_case cases[] = {__VA_ARGS__};                                                        \
        (void)state;                                                                                                   \
        check(cases, sizeof cases / sizeof cases[0]);                                                                  \
    } while (0)

/* conforms: RFC 4760 proves 3-1 3-4 */
/* conforms: RFC 7606 proves 7.11-1 */
static void routes_of_each_family_arrive(void **state)
{
    CHECK({USUAL HOP, NULL, "18c63364 0a0a40", "reach 198.51.100.0/24 via 192.0.2.9, reach 10.64.0.0/10 via 192.0.2.9"},
          {NULL, "18c63364 00", NULL, "unreach 198.51.100.0/24, unreach 0.0.0.0/0"},
          {"800e0d 000101 04 c0000208 00 18c63364" USUAL, NULL, NULL, "reach 198.51.100.0/24 via 192.0.2.8"},
          {"800e1a 000201 10" HOP6 "00 2020010db8" USUAL, NULL, NULL, "reach 2001:db8::/32 via 2001:db8::9"},
          {"800e2a 000201 20" HOP6 "fe800000000000000000000000000001 00 2020010db8" USUAL, NULL, NULL,
           "reach 2001:db8::/32 via 2001:db8::9"},
          {"800e20 000180 0c 0000000000000000c0000208 00 70 000641 0000fde800000007 c63364" USUAL, NULL, NULL,
           "reach 198.51.100.0/24 via 192.0.2.8 rd 7 label 100"},
          {"800f08 000201 2020010db8", NULL, NULL, "unreach 2001:db8::/32"},
          /* bits beyond the length say nothing */
          {USUAL HOP, NULL, "0a0a7f", "reach 10.64.0.0/10 via 192.0.2.9"});
}

/* conforms: RFC 7606 proves 7.11-1 refuses 7.11-1 */
static void a_next_hop_that_is_not_the_familys_resets_the_session(void **state)
{
    CHECK({"800e0e 000201 04 c0000208 00 2020010db8" USUAL, NULL, NULL, "reset 3/9"},
          {"800e16 000201 0c 0000000000000000c0000208 00 2020010db8" USUAL, NULL, NULL, "reset 3/9"},
          {"800e19 000101 10" HOP6 "00 18c63364" USUAL, NULL, NULL, "reset 3/9"},
          {"800e09 000101 00 00 18c63364" USUAL, NULL, NULL, "reset 3/9"},
          {"800e18 000180 04 c0000208 00 70 000641 0000fde800000007 c63364" USUAL, NULL, NULL, "reset 3/9"});
}

/* conforms: RFC 7606 proves 5.3-1 5.3-2 refuses 5.3-1 5.3-2 */
static void prefixes_that_are_too_long_or_cut_short_reset_the_session(void **state)
{
    CHECK({USUAL HOP, NULL, "21c6336400 00", "reset 3/10"}, {NULL, "18c633", NULL, "reset 3/10"},
          {"800e1a 000201 10" HOP6 "00 8120010db8" USUAL, NULL, NULL, "reset 3/9"},
          {"800f08 000201 2820010db8", NULL, NULL, "reset 3/9"},
          /* shorter than label and route distinguisher; longer than all three */
          {"800f0e 000180 57 000641 0000fde8000000", NULL, NULL, "reset 3/9"},
          {"800f14 000180 79 000641 0000fde800000007 c633640000", NULL, NULL, "reset 3/9"});
}

/* conforms: RFC 4271 proves 6.3-15 refuses 6.3-15 */
static void a_prefix_that_is_no_unicast_one_is_told_and_ignored(void **state)
{
    CHECK({USUAL HOP, NULL, "18e00001 18c63364",
           "(route 224.0.1.0/24: no unicast prefix; ignored), reach 198.51.100.0/24 via 192.0.2.9"},
          {USUAL HOP, NULL, "03e0", "(route 224.0.0.0/3: no unicast prefix; ignored)"},
          {USUAL HOP, NULL, "02c0 00", "reach 192.0.0.0/2 via 192.0.2.9, reach 0.0.0.0/0 via 192.0.2.9"},
          {USUAL HOP, NULL, "20ffffffff", "(route 255.255.255.255/32: no unicast prefix; ignored)"},
          {"800e17 000201 10" HOP6 "00 08ff" USUAL, NULL, NULL, "(route ff00::/8: no unicast prefix; ignored)"},
          {NULL, "18e00001", NULL, "unreach 224.0.1.0/24"}); /* to take back nothing is no harm */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_of_each_family_arrive),
        cmocka_unit_test(a_next_hop_that_is_not_the_familys_resets_the_session),
        cmocka_unit_test(prefixes_that_are_too_long_or_cut_short_reset_the_session),
        cmocka_unit_test(a_prefix_that_is_no_unicast_one_is_told_and_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
