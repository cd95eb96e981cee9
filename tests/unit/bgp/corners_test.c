/* SPDX-License-Identifier: BSD-3-Clause */
/* Sentences of the RFCs that no other test is about: reserved octets, jitter, the rate of KEEPALIVEs, VPN families. */
#include <string.h>

#include "base/strbuf.h"
#include "fixture.h"
#include "update_log.h"

#define CONN BGP_CONN_IN

#define A      "060120cb007107"
#define ORIGIN "40010100"
#define PATH   "400206 0201 0000fde9"

static struct fixture *with_hold_time(uint16_t hold_time_s)
{
    struct fixture *f = fixture_new(NULL);
    struct peer_open open = good_open();

    open.hold_time_s = hold_time_s;
    up_to(f, BGP_OPEN_SENT);
    receive_open(f, CONN, open);
    receive_keepalive(f, CONN);
    expect_state(f, BGP_ESTABLISHED);
    return f;
}

/* conforms: RFC 4271 proves 4.4-1 */
static void keepalives_are_a_second_apart_at_the_shortest_hold_time(void **state)
{
    struct fixture *f = with_hold_time(3);

    (void)state;
    for (unsigned second = 0; second < 20; second++) {
        forget_sent(f);
        receive_keepalive(f, CONN);
        advance(f, 999);
        expect_sent(f, CONN, "");
        advance(f, 1);
        expect_sent(f, CONN, MARKER_HEX "001304");
    }
    fixture_free(f);
}

static void active(struct bgp_session_conf *conf)
{
    conf->passive = false;
}

/* conforms: RFC 4271 proves 10-2 10-3 */
static void pauses_before_connecting_are_three_quarters_to_all_of_their_length(void **state)
{
    struct fixture *f = fixture_new(active);
    mono_ms_t shortest = UINT64_MAX, longest = 0;

    (void)state;
    bgp_session_start(f->session, f->now);
    for (unsigned i = 0; i < 300; i++) {
        bgp_session_connect_failed(f->session, f->now);
        mono_ms_t pause = bgp_session_deadline(f->session) - f->now;
        advance(f, pause);
        if (i < 50)
            continue; /* the pauses still grow */
        assert_in_range(pause, 22500, 30000);
        shortest = pause < shortest ? pause : shortest;
        longest = pause > longest ? pause : longest;
    }
    assert_true(shortest < 23500 && longest > 29000); /* all of the range, anew each time */
    fixture_free(f);
}

static void vpn_families(struct bgp_session_conf *conf)
{
    conf->families = BGP_IPV4_FLOWSPEC_VPN | BGP_IPV6_FLOWSPEC_VPN;
}

/* The parameters of the OPEN that was sent hold these octets somewhere. */
static bool offered(const struct fixture *f, const char *hex)
{
    uint8_t wanted[16];
    size_t len = unhex(hex, wanted);

    for (size_t at = 29; at + len <= f->sent_len[CONN]; at++) {
        if (memcmp(f->sent[CONN] + at, wanted, len) == 0)
            return true;
    }
    return false;
}

/* conforms: RFC 8955 proves 4-4 */
/* conforms: RFC 8956 proves 2-2 */
static void vpn_families_are_offered_by_their_numbers(void **state)
{
    struct fixture *f = fixture_new(vpn_families);

    (void)state;
    bgp_session_start(f->session, f->now);
    assert_true(bgp_session_accept(f->session, f->now));
    bgp_session_connected(f->session, CONN, f->now);
    assert_true(offered(f, "0104 00010086") && offered(f, "0104 00020086"));
    assert_false(offered(f, "0104 00010085") || offered(f, "0104 00020085"));
    fixture_free(f);
}

/* conforms: RFC 4760 proves 8-4 refuses 8-4 */
static void the_reserved_octet_of_a_capability_is_ignored(void **state)
{
    struct fixture *f = fixture_new(NULL);
    struct peer_open open = good_open();

    (void)state;
    open.params = "0206 0104 0001ff85";
    up_to(f, BGP_OPEN_SENT);
    receive_open(f, CONN, open);
    receive_keepalive(f, CONN);
    expect_state(f, BGP_ESTABLISHED);
    assert_int_equal(info_of(f).families, BGP_IPV4_FLOWSPEC);
    fixture_free(f);
}

static void expect_said(const char *attributes, const char *nlri, const char *says)
{
    struct update_log log = {.conf = {.families = BGP_IPV4_FLOWSPEC, .four_octet_as = true}};

    update_log_parse(&log, attributes, NULL, nlri);
    assert_string_equal(log.text, says);
    update_log_free(&log);
}

/* conforms: RFC 4760 proves 3-3 refuses 3-3 */
static void the_reserved_octet_of_mp_reach_is_ignored(void **state)
{
    (void)state;
    expect_said("800e0c 00018500ff" A ORIGIN PATH, NULL, "reach ipv4-flowspec 0120cb007107\n");
}

#define LIST_RUNS_OUT "attribute an attribute runs past the end of the list; treated as withdrawal\n"

/* conforms: RFC 7606 proves 4-1 4-2 refuses 4-1 */
static void the_nlri_are_found_by_the_total_length_when_an_attribute_lies(void **state)
{
    static const char reach[] = "800e0c 0001850000" A;
    char text[128];
    struct strbuf sb = sb_init(text, sizeof text);

    (void)state;
    sb_printf(&sb, "%s%s", reach, ORIGIN PATH "400340 c0000201"); /* 64 octets, it says: into the NLRI and beyond */
    expect_said(text, "18c00002", LIST_RUNS_OUT "unreach ipv4-flowspec 0120cb007107\n");
    expect_said(text, "21c00002", LIST_RUNS_OUT "reset 3/10\n"); /* what follows the list is read as prefixes */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keepalives_are_a_second_apart_at_the_shortest_hold_time),
        cmocka_unit_test(pauses_before_connecting_are_three_quarters_to_all_of_their_length),
        cmocka_unit_test(vpn_families_are_offered_by_their_numbers),
        cmocka_unit_test(the_reserved_octet_of_a_capability_is_ignored),
        cmocka_unit_test(the_reserved_octet_of_mp_reach_is_ignored),
        cmocka_unit_test(the_nlri_are_found_by_the_total_length_when_an_attribute_lies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
