/* SPDX-License-Identifier: BSD-3-Clause */
/* UPDATE: framing, NLRI and what RFC 7606 asks for, attribute by attribute. */
#include <string.h>

#include "fixture.h"
#include "update_log.h"

#define EXTERNAL 1u /* bits of a case */
#define NARROW   2u /* the peer has 2-octet AS numbers */
#define UNICAST  4u

#define A         "060120cb007107" /* destination 203.0.113.7/32 */
#define B         "060120cb007108"
#define C6        "130180 00 20010db8000000000000000000000001" /* destination 2001:db8::1/128, offset 0 */
#define REACH_A   "800e0c 0001850000" A
#define REACH_AB  "800e13 0001850000" A B
#define UNREACH_B "800f0a 000185" B
#define ORIGIN    "40010100"
#define PATH      "400206 0201 0000fde9"
#define GOOD      REACH_A ORIGIN PATH
#define SAYS_A    "reach ipv4-flowspec 0120cb007107\n"
#define DROPS_A   "unreach ipv4-flowspec 0120cb007107\n"
#define DROPS_B   "unreach ipv4-flowspec 0120cb007108\n"

struct update_case {
    const char *attributes, *says;
    unsigned bits;
    const char *withdrawn, *nlri;
};

static void check(const struct update_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct update_case *c = &cases[i];
        struct update_log log = {.conf = {.families = BGP_IPV4_FLOWSPEC | BGP_IPV6_FLOWSPEC | BGP_IPV4_FLOWSPEC_VPN,
                                          .four_octet_as = !(c->bits & NARROW),
                                          .ebgp = c->bits & EXTERNAL}};
        if (c->bits & UNICAST)
            log.conf.families |= BGP_IPV4_UNICAST | BGP_IPV6_UNICAST;
        update_log_parse(&log, c->attributes, c->withdrawn, c->nlri);
        if (strcmp(log.text, c->says) != 0)
            fail_msg("case %zu: %s\nsaid:\n%sexpected:\n%s", i, c->attributes, log.text, c->says);
        update_log_free(&log);
    }
}

#define CHECK(...)                                                                                                     \
    do {                                                                                                               \
        static const struct update_case cases[] = {__VA_ARGS__};                                                       \
        (void)state;                                                                                                   \
        check(cases, sizeof cases / sizeof cases[0]);                                                                  \
    } while (0)

/* conforms: RFC 4271 proves 4.3-4 4.3-6 4.3-7 5-1 5-9 6.3-16 refuses 4.3-4 */
/* conforms: RFC 4760 proves 3-10 4-1 */
/* conforms: RFC 7606 proves 5.1-3 refuses 5.1-3 */
static void sound_updates(void **state)
{
    CHECK({GOOD, SAYS_A}, {GOOD, SAYS_A, EXTERNAL}, {ORIGIN PATH REACH_A, SAYS_A},
          {REACH_AB ORIGIN PATH, SAYS_A "reach ipv4-flowspec 0120cb007108\n"}, {UNREACH_B, DROPS_B},
          /* both in one message, RFC 4271 4.3: withdrawals first */
          {REACH_A UNREACH_B ORIGIN PATH, DROPS_B SAYS_A},
          {"800e19 0002850000" C6 ORIGIN "400200", "reach ipv6-flowspec 01800020010db8000000000000000000000001\n"},
          {"900e000c 0001850000" A ORIGIN PATH, SAYS_A}, /* extended length where none was needed */
          {"bf0e000c 0001850000" A ORIGIN PATH, SAYS_A},
          /* the lower four flag bits and Partial say nothing (RFC 7606 3 c) */
          {REACH_A "4f0101 00" PATH, SAYS_A}, {REACH_A "6f0101 00" PATH, SAYS_A},
          /* nothing at all with a next hop: no rule */
          {"800e05 0001850000" ORIGIN PATH, ""});
}

/* conforms: RFC 8955 proves 4-2 refuses 4-2 */
static void next_hops_of_any_length_are_fine_for_flowspec(void **state)
{
    CHECK({"800e10 000185 04 c0000209 00" A ORIGIN PATH, SAYS_A}, {"800e0f 000185 03 c00002 00" A ORIGIN PATH, SAYS_A},
          {"800e1c 000185 10 20010db8000000000000000000000001 00" A ORIGIN PATH, SAYS_A},
          {"800e18 000185 0c 0000000000000000c0000209 00" A ORIGIN PATH, SAYS_A});
}

/* conforms: RFC 7606 proves 7.12-1 */
static void end_of_rib_markers(void **state)
{
    CHECK({"800f03 000185", "end-of-rib ipv4-flowspec\n"}, {"800f03 000285", "end-of-rib ipv6-flowspec\n"},
          {"900f0003 000186", "end-of-rib ipv4-flowspec-vpn\n"}, {"", ""}, {"", "end-of-rib ipv4-unicast\n", UNICAST},
          {"800f03 000101", "end-of-rib ipv4-unicast\n", UNICAST},
          {"800f03 000185" ORIGIN, ""}, /* not alone: not a marker */
          {"800f03 000186", "end-of-rib ipv4-flowspec-vpn\n"},
          {"800f03 000286", "attribute MP_UNREACH_NLRI: family was not agreed on; ignored\n"});
}

/* conforms: RFC 8955 refuses 4-3 */
/* conforms: RFC 8956 refuses 2-1 */
/* conforms: RFC 4760 refuses 8-5 */
static void families_not_agreed_on_are_ignored(void **state)
{
    CHECK({"800e0c 0002860000" A ORIGIN PATH, "attribute MP_REACH_NLRI: family was not agreed on; ignored\n"},
          {"800e06 0019460000 ff" ORIGIN PATH, "attribute MP_REACH_NLRI: family was not agreed on; ignored\n"},
          {"800f04 001946 ff" UNREACH_B, "attribute MP_UNREACH_NLRI: present more than once; session reset\n"
                                         "reset 3/1 800f0a000185060120cb007108\n"});
}

/* conforms: RFC 8955 proves 4.2-3 10-1 refuses 10-1 */
static void a_bad_rule_is_refused_alone(void **state)
{
    CHECK(/* type 14; A before and after live */
          {"800e19 0001850000" A "05 0e20cb0071" A ORIGIN PATH,
           SAYS_A "bad ipv4-flowspec unknown-type 050e20cb0071\n" SAYS_A},
          {"800e06 0001850000 00" ORIGIN PATH, "bad ipv4-flowspec empty 00\n"},
          {"800f0b 000185 00" B, "bad ipv4-flowspec empty 00\n" DROPS_B},
          /* destination of 33 bits */
          {"800e14 0001850000 07 0121cb00710700" A ORIGIN PATH,
           "bad ipv4-flowspec prefix-length 070121cb00710700\n" SAYS_A});
}

/* conforms: RFC 4760 proves 7-3 */
/* conforms: RFC 7606 proves 3-11 5.3-2 refuses 3-11 5.3-2 */
/* conforms: RFC 4271 proves 6.3-12 refuses 6.3-12 */
static void lost_framing_resets(void **state)
{
    CHECK(/* the rule's length points past the attribute */
          {"800e0c 0001850000 07 0120cb007107" ORIGIN PATH, "reset 3/9 800e0c0001850000070120cb007107\n"},
          {"800f05 000185 f0 01", "reset 3/9 800f05000185f001\n"},
          /* next hop past the end */
          {"800e05 0001850100" ORIGIN PATH, "reset 3/9 800e050001850100\n"},
          {"800e04 00018500" ORIGIN PATH, "attribute MP_REACH_NLRI: wrong length; session reset\n"
                                          "reset 3/9 800e0400018500\n"},
          {"800f02 0001", "attribute MP_UNREACH_NLRI: wrong length; session reset\nreset 3/9 800f020001\n"});
}

/* conforms: RFC 4271 proves 6.3-3 refuses 6.3-3 */
static void mp_attributes_with_wrong_flags_reset(void **state)
{
    CHECK({"c00e0c 0001850000" A ORIGIN PATH, "attribute MP_REACH_NLRI: wrong flags; session reset\n"
                                              "reset 3/4 c00e0c0001850000060120cb007107\n"},
          {"400f0a 000185" B, "attribute MP_UNREACH_NLRI: wrong flags; session reset\n"
                              "reset 3/4 400f0a000185060120cb007108\n"});
}

#define WITHDRAWN(name, what) "attribute " name ": " what "; treated as withdrawal\n" DROPS_A
#define DISCARDED(name, what) "attribute " name ": " what "; attribute discarded\n" SAYS_A

/* conforms: RFC 7606 proves 3-3 3-4 3-5 3-8 4-3 7.1-1 refuses 3-3 3-4 3-5 3-8 4-3 7.1-1 */
/* conforms: RFC 4271 proves 5-2 6.3-7 6.3-5 refuses 4.3-1 5-1 5-2 6.3-7 6.3-5 */
static void origin(void **state)
{
    CHECK({REACH_A PATH "40010102", SAYS_A}, {REACH_A PATH "40010103", WITHDRAWN("ORIGIN", "malformed value")},
          {REACH_A PATH "400100", WITHDRAWN("ORIGIN", "wrong length")},
          {REACH_A PATH "4001020000", WITHDRAWN("ORIGIN", "wrong length")},
          {REACH_A PATH "c0010100", WITHDRAWN("ORIGIN", "wrong flags")},
          {REACH_A PATH "00010100", WITHDRAWN("ORIGIN", "wrong flags")},
          {REACH_A PATH, "attribute ORIGIN is missing; treated as withdrawal\n" DROPS_A},
          {REACH_A PATH "40010101 40010109", DISCARDED("ORIGIN", "present more than once")});
}

/* conforms: RFC 7606 proves 3-5 7.2-1 refuses 3-5 7.2-1 */
/* conforms: RFC 4271 proves 6.3-11 refuses 6.3-11 */
/* conforms: RFC 4760 proves 3-5 refuses 3-5 */
static void as_path(void **state)
{
    CHECK({REACH_A ORIGIN "400200", SAYS_A},
          {REACH_A ORIGIN, "attribute AS_PATH is missing; treated as withdrawal\n" DROPS_A},
          {REACH_A ORIGIN "400206 0501 0000fde9", WITHDRAWN("AS_PATH", "malformed value")},
          {REACH_A ORIGIN "400206 0001 0000fde9", WITHDRAWN("AS_PATH", "malformed value")},
          {REACH_A ORIGIN "400206 0202 0000fde9", WITHDRAWN("AS_PATH", "malformed value")},    /* overrun */
          {REACH_A ORIGIN "400207 0201 0000fde9 02", WITHDRAWN("AS_PATH", "malformed value")}, /* underrun */
          {REACH_A ORIGIN "400202 0200", WITHDRAWN("AS_PATH", "malformed value")},
          {REACH_A ORIGIN "400206 0201 00000000", WITHDRAWN("AS_PATH", "malformed value")}, /* RFC 7607 */
          {REACH_A ORIGIN "400206 0301 0000fde9", SAYS_A},
          {REACH_A ORIGIN "400206 0301 0000fde9", WITHDRAWN("AS_PATH", "malformed value"), EXTERNAL},
          {REACH_A ORIGIN "400206 0101 0000fde9", SAYS_A, EXTERNAL},
          {REACH_A ORIGIN "c00206 0201 0000fde9", WITHDRAWN("AS_PATH", "wrong flags")},
          {REACH_A ORIGIN "400204 0201 fde9", SAYS_A, NARROW},
          {REACH_A ORIGIN "400204 0201 fde9", WITHDRAWN("AS_PATH", "malformed value")});
}

/* conforms: RFC 7606 proves 3-3 3-5 4-3 7.3-1 7.4-1 7.5-2 7.9-2 7.10-2 2-3 */
/* conforms: RFC 7606 refuses 3-3 3-5 4-3 7.3-1 7.4-1 7.5-2 7.9-2 7.10-2 */
/* conforms: RFC 4271 proves 4.3-1 6.3-4 6.3-8 refuses 4.3-1 6.3-4 6.3-8 */
/* conforms: RFC 4760 proves 3-8 refuses 3-8 */
/* conforms: RFC 4456 proves 8-6 refuses 8-6 */
static void fixed_lengths_and_flags(void **state)
{
    CHECK({GOOD "400304 c0000201", SAYS_A}, {GOOD "400303 c00002", WITHDRAWN("NEXT_HOP", "wrong length")},
          {GOOD "800404 00000001", SAYS_A}, {GOOD "800403 000001", WITHDRAWN("MULTI_EXIT_DISC", "wrong length")},
          {GOOD "c00404 00000001", WITHDRAWN("MULTI_EXIT_DISC", "wrong flags")}, {GOOD "400504 00000064", SAYS_A},
          {GOOD "400500", WITHDRAWN("LOCAL_PREF", "wrong length")},
          {GOOD "c00504 00000064", WITHDRAWN("LOCAL_PREF", "wrong flags")}, {GOOD "800904 01020304", SAYS_A},
          {GOOD "800905 0102030405", WITHDRAWN("ORIGINATOR_ID", "wrong length")},
          {GOOD "800a08 0102030405060708", SAYS_A}, {GOOD "800a00", WITHDRAWN("CLUSTER_LIST", "wrong length")},
          {GOOD "800a06 010203040506", WITHDRAWN("CLUSTER_LIST", "wrong length")});
}

/* conforms: RFC 7606 proves 2-2 7.5-1 7.9-1 7.10-1 refuses 2-2 7.5-1 7.9-1 7.10-1 */
/* conforms: RFC 4271 proves 5.1.5-4 refuses 5.1.5-4 */
static void external_neighbours_may_not_say_internal_things(void **state)
{
    CHECK({GOOD "400504 00000064", DISCARDED("LOCAL_PREF", "from an external neighbour"), EXTERNAL},
          {GOOD "400503 000064", DISCARDED("LOCAL_PREF", "from an external neighbour"), EXTERNAL},
          {GOOD "800904 01020304", DISCARDED("ORIGINATOR_ID", "from an external neighbour"), EXTERNAL},
          {GOOD "800a01 01", DISCARDED("CLUSTER_LIST", "from an external neighbour"), EXTERNAL});
}

/* conforms: RFC 7606 proves 2-2 3-6 7.6-1 7.7-1 refuses 2-2 3-6 7.6-1 7.7-1 */
static void aggregation(void **state)
{
    CHECK({GOOD "400600", SAYS_A}, {GOOD "400601 00", DISCARDED("ATOMIC_AGGREGATE", "wrong length")},
          {GOOD "c00600", WITHDRAWN("ATOMIC_AGGREGATE", "wrong flags")}, {GOOD "c00708 0000fde9 c0000201", SAYS_A},
          {GOOD "c00706 fde9 c0000201", DISCARDED("AGGREGATOR", "malformed value")},
          {GOOD "c00708 00000000 c0000201", DISCARDED("AGGREGATOR", "malformed value")},
          {GOOD "c00707 00000000 c00002", DISCARDED("AGGREGATOR", "wrong length")},
          {GOOD "800708 0000fde9 c0000201", WITHDRAWN("AGGREGATOR", "wrong flags")});
}

/* conforms: RFC 7606 proves 2-3 7.8-1 7.14-1 7.14-2 7.15-1 refuses 7.8-1 7.14-1 7.15-1 */
static void communities(void **state)
{
    CHECK(
        {GOOD "c00804 fde90001", SAYS_A}, {GOOD "c00800", WITHDRAWN("COMMUNITIES", "wrong length")},
        {GOOD "c00805 fde9000100", WITHDRAWN("COMMUNITIES", "wrong length")},
        {GOOD "800804 fde90001", WITHDRAWN("COMMUNITIES", "wrong flags")}, {GOOD "c01008 8006000000000000", SAYS_A},
        {GOOD "c01008 ffffffffffffffff", SAYS_A},
        {GOOD "c01007 80060000000000", WITHDRAWN("EXTENDED_COMMUNITIES", "wrong length")},
        {GOOD "c01000", WITHDRAWN("EXTENDED_COMMUNITIES", "wrong length")},
        {GOOD "401008 8006000000000000", WITHDRAWN("EXTENDED_COMMUNITIES", "wrong flags")},
        {GOOD "c01914 000c20010db800000000000000000000000000000000"
              "",
         "attribute an attribute runs past the end of the list; treated as withdrawal\n" DROPS_A},
        {GOOD "c01914 000c20010db8000000000000000000000001 0000", SAYS_A},
        {GOOD "c01913 000c20010db8000000000000000000000001 00", WITHDRAWN("IPV6_EXTENDED_COMMUNITIES", "wrong length")},
        {GOOD "c0200c 0000fde90000000100000002", SAYS_A},
        {GOOD "c0200b 0000fde900000001000000", WITHDRAWN("LARGE_COMMUNITIES", "wrong length")});
}

static void four_octet_leftovers(void **state)
{
    CHECK({GOOD "c01106 0201 00011170", DISCARDED("AS4_PATH", "malformed value")},
          {GOOD "c01208 00011170 c0000201", DISCARDED("AS4_AGGREGATOR", "malformed value")},
          {REACH_A ORIGIN "400204 0201 5ba0 c01106 0201 00011170", SAYS_A, NARROW},
          {REACH_A ORIGIN "400204 0201 5ba0 c01106 0301 00011170",
           "attribute AS4_PATH: confederation segments in it; they are left out\n" SAYS_A, NARROW},
          {REACH_A ORIGIN "400204 0201 5ba0 c01106 0501 00011170", DISCARDED("AS4_PATH", "malformed value"), NARROW},
          {REACH_A ORIGIN "400204 0201 5ba0 801106 0201 00011170", WITHDRAWN("AS4_PATH", "wrong flags"), NARROW},
          {REACH_A ORIGIN "400204 0201 5ba0 c01104 0201 0001", DISCARDED("AS4_PATH", "wrong length"), NARROW},
          {REACH_A ORIGIN "400204 0201 5ba0 c01207 00011170 c00002", DISCARDED("AS4_AGGREGATOR", "wrong length"),
           NARROW});
}

/* conforms: RFC 4271 proves 5-4 6.3-6 refuses 6.3-6 */
/* conforms: RFC 7606 proves 3-8 refuses 3-8 */
static void unknown_attributes(void **state)
{
    CHECK({GOOD "80ee02 beef", SAYS_A}, {GOOD "c0ee02 beef", SAYS_A}, {GOOD "c0ee00", SAYS_A},
          {GOOD "40ee02 beef", "attribute attribute 238: unknown well-known attribute; session reset\n"
                               "reset 3/2 40ee02beef\n"},
          {GOOD "c0ee01 aa c0ee01 bb", DISCARDED("attribute 238", "present more than once")});
}

/* conforms: RFC 7606 proves 3-7 3-9 refuses 3-7 3-9 */
/* conforms: RFC 4271 proves 6.3-13 refuses 6.3-13 */
static void mp_attributes_twice_reset(void **state)
{
    CHECK({GOOD REACH_A, "attribute MP_REACH_NLRI: present more than once; session reset\n"
                         "reset 3/1 800e0c0001850000060120cb007107\n"},
          /* even when the first fault alone would not */
          {REACH_A PATH "40010103" REACH_A, "attribute ORIGIN: malformed value; treated as withdrawal\n"
                                            "attribute MP_REACH_NLRI: present more than once; session reset\n"
                                            "reset 3/1 800e0c0001850000060120cb007107\n"});
}

/* RFC 7606 4 and 5.2 */
/* conforms: RFC 7606 proves 4-1 5.2-1 refuses 4-1 5.2-1 */
static void attribute_lists_that_do_not_add_up(void **state)
{
    CHECK({GOOD "40", "attribute an attribute runs past the end of the list; treated as withdrawal\n" DROPS_A},
          {GOOD "4001", "attribute an attribute runs past the end of the list; treated as withdrawal\n" DROPS_A},
          {GOOD "900100", "attribute an attribute runs past the end of the list; treated as withdrawal\n" DROPS_A},
          {GOOD "c00805 00", "attribute an attribute runs past the end of the list; treated as withdrawal\n" DROPS_A},
          /* the rules themselves were not found: nothing to withdraw, so nothing to contain */
          {ORIGIN PATH "800e0d 0001850000" A,
           "attribute an attribute runs past the end of the list; treated as withdrawal\nreset 3/1\n"},
          {ORIGIN "400206 0501 0000fde9",
           "attribute AS_PATH: malformed value; treated as withdrawal\nreset 3/11 40020605010000fde9\n"},
          {"40010105" UNREACH_B, "attribute ORIGIN: malformed value; treated as withdrawal\nreset 3/6 40010105\n"},
          /* but a mere discard changes nothing */
          {UNREACH_B "400601 00", "attribute ATOMIC_AGGREGATE: wrong length; attribute discarded\n" DROPS_B});
}

/* conforms: RFC 7606 proves 3-2 refuses 3-2 */
/* conforms: RFC 4271 proves 6.3-2 refuses 6.3-2 */
static void the_lengths_of_the_body(void **state)
{
    static const struct {
        const char *body, *says;
    } bodies[] = {
        {"", "reset 3/1\n"},         {"0000", "reset 3/1\n"},
        {"000000", "reset 3/1\n"},   {"00010000", "reset 3/1\n"},
        {"00000001", "reset 3/1\n"}, {"ffff0000", "reset 3/1\n"},
        {"0000ffff", "reset 3/1\n"}, {"00000000", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct update_log log = {.conf = {.families = BGP_IPV4_FLOWSPEC}};
        uint8_t body[16];
        size_t len = unhex(bodies[i].body, body);
        update_log_parse_body(&log, body, len);
        assert_string_equal(log.text, bodies[i].says);
    }
}

/* Unicast is passed over when its framing is sound (RFC 7606 5.3). */
/* conforms: RFC 7606 proves 3-10 5.3-1 7.11-1 refuses 3-10 5.3-1 7.11-1 */
/* conforms: RFC 4271 proves 6.3-14 refuses 6.3-14 */
static void unicast_is_passed_over(void **state)
{
    CHECK({ORIGIN PATH "400304 c0000201", "", 0, NULL, "18c00002 00 20c0000201"}, {NULL, "", 0, "18c00002", NULL},
          {NULL, "reset 3/10\n", 0, "21c000020100", NULL}, {NULL, "reset 3/10\n", 0, "18c000", NULL},
          {ORIGIN PATH "400304 c0000201", "reset 3/10\n", 0, NULL, "21c000020100"},
          {ORIGIN PATH "400304 c0000201", "reset 3/10\n", 0, NULL, "08"},
          {ORIGIN PATH, "attribute NEXT_HOP is missing; treated as withdrawal\n", 0, NULL, "18c00002"},
          /* rules beside it are read */
          {GOOD "400304 c0000201", SAYS_A, 0, "18c00002", "18c00002"},
          {"800e1a 00020110 20010db8000000000000000000000001 00 2020010db8" ORIGIN PATH, "", UNICAST},
          {"800e1a 00020110 20010db8000000000000000000000001 00 8120010db8" ORIGIN PATH,
           "reset 3/9 800e1a0002011020010db8000000000000000000000001008120010db8\n", UNICAST},
          {"800e0b 00020101 20 00 2020010db8" ORIGIN PATH,
           "reset 3/9 800e0b00020101200020"
           "20010db8\n",
           UNICAST},
          {"800f08 000201 2020010db8", "", UNICAST});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_updates),
        cmocka_unit_test(next_hops_of_any_length_are_fine_for_flowspec),
        cmocka_unit_test(end_of_rib_markers),
        cmocka_unit_test(families_not_agreed_on_are_ignored),
        cmocka_unit_test(a_bad_rule_is_refused_alone),
        cmocka_unit_test(lost_framing_resets),
        cmocka_unit_test(mp_attributes_with_wrong_flags_reset),
        cmocka_unit_test(origin),
        cmocka_unit_test(as_path),
        cmocka_unit_test(fixed_lengths_and_flags),
        cmocka_unit_test(external_neighbours_may_not_say_internal_things),
        cmocka_unit_test(aggregation),
        cmocka_unit_test(communities),
        cmocka_unit_test(four_octet_leftovers),
        cmocka_unit_test(unknown_attributes),
        cmocka_unit_test(mp_attributes_twice_reset),
        cmocka_unit_test(attribute_lists_that_do_not_add_up),
        cmocka_unit_test(the_lengths_of_the_body),
        cmocka_unit_test(unicast_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
