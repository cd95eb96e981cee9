/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include <stdio.h>
#include <string.h>

#include "flowspec/text.h"
#include "policy/policy.h"

static void judge(const char *text, struct pol_verdict *verdict)
{
    struct fs_text_error error;
    struct fs_actions actions;
    struct fs_rule *rule;

    assert_true(fs_text_parse(text, &rule, &actions, &error));
    pol_judge(&(struct pol_candidate){.rule = rule, .actions = &actions}, verdict);
    fs_rule_free(rule);
}

/* The rule can never match, and the reason is exactly this. */
static void assert_never(const char *match, const char *reason)
{
    struct pol_verdict verdict;
    char text[512];

    snprintf(text, sizeof text, "match %s then discard", match);
    judge(text, &verdict);
    assert_int_equal(verdict.state, POL_NEVER_MATCHES);
    assert_string_equal(verdict.reason, reason);
}

static void assert_sense(const char *match)
{
    struct pol_verdict verdict;
    char text[512];

    snprintf(text, sizeof text, "match %s then discard", match);
    judge(text, &verdict);
    assert_string_equal(verdict.reason, "");
    assert_int_equal(verdict.state, POL_ACTIVE);
}

static void a_length_that_no_packet_has_is_named(void **state)
{
    (void)state;
    assert_never("source 192.0.2.0/24 packet-length 99971-99985",
                 "never-matches: no packet has 'packet-length >=99971&<=99985': an IPv4 packet has 20 to 65535 octets");
    assert_never("packet-length <20", "never-matches: no packet has 'packet-length <20': an IPv4 packet has 20 to "
                                      "65535 octets");
    assert_sense("packet-length >65534");
    assert_sense("packet-length 20");
    /* IPv6 does not count its header in the length field */
    assert_sense("family ipv6 packet-length 65575");
    assert_never("family ipv6 packet-length 65576",
                 "never-matches: no packet has 'packet-length =65576': an IPv6 packet has 40 to 65575 octets");
}

static void headers_take_octets(void **state)
{
    (void)state;
    assert_never(
        "protocol tcp packet-length <40&>30 tcp-flags syn fragment !first-fragment",
        "never-matches: no packet has 'tcp-flags syn' and 'packet-length <40&>30' and 'fragment "
        "!first-fragment' at once: only TCP has flags; headers take octets, too; no fragment but the first has "
        "an upper-layer header");
    assert_sense("protocol tcp packet-length 40");
    assert_sense("protocol tcp packet-length 36"); /* a first fragment with the flags in it */
}

static void ranges_that_exclude_each_other_are_named(void **state)
{
    (void)state;
    assert_never(
        "destination-port >1000&<500 source-port 53",
        "never-matches: no packet has 'destination-port >1000&<500': only TCP and UDP have ports, from 0 to 65535");
    assert_never(
        "protocol udp destination-port >65535",
        "never-matches: no packet has 'destination-port >65535': only TCP and UDP have ports, from 0 to 65535");
    assert_never("port <100 destination-port >100 source-port >100",
                 "never-matches: no packet has 'port <100' and 'destination-port >100' and 'source-port >100' at once: "
                 "only TCP and UDP have ports, from 0 to 65535");
    assert_sense("port <100 destination-port >100");
    assert_sense("destination-port >1000&<500,53");
    assert_never("dscp >63", "never-matches: no packet has 'dscp >63': a DSCP is 0 to 63");
    assert_never("flow-label >1048575",
                 "never-matches: no packet has 'flow-label >1048575': a flow label is 0 to 1048575");
    assert_never("protocol 256", "never-matches: no packet has 'protocol =256': a protocol is 0 to 255");
    assert_never("icmp-type false", "never-matches: no packet has 'icmp-type false': only ICMP (protocol 1) has types "
                                    "and codes, from 0 to 255, in IPv4");
}

static void what_a_protocol_does_not_have_is_named(void **state)
{
    (void)state;
    assert_never("protocol icmp destination-port 53",
                 "never-matches: no packet has 'protocol =icmp' and 'destination-port =53' at once: only TCP and UDP "
                 "have ports, from 0 to 65535");
    assert_never("protocol udp tcp-flags syn",
                 "never-matches: no packet has 'protocol =udp' and 'tcp-flags syn' at once: only TCP has flags");
    assert_never(
        "port 53 icmp-type 8",
        "never-matches: no packet has 'port =53' and 'icmp-type =8' at once: only TCP and UDP have ports, from 0 "
        "to 65535; only ICMP (protocol 1) has types and codes, from 0 to 255, in IPv4");
    assert_never("protocol icmp6 icmp-type 128",
                 "never-matches: no packet has 'protocol =icmp6' and 'icmp-type =128' at once: only ICMP (protocol 1) "
                 "has types and codes, from 0 to 255, in IPv4");
    assert_sense("family ipv6 protocol icmp6 icmp-type 128");
    assert_sense("protocol icmp6,icmp icmp-type 128");
    assert_sense("protocol udp,tcp tcp-flags syn");
    assert_sense("protocol !=tcp port 53");
    assert_never(
        "family ipv6 protocol ah port 53",
        "never-matches: no packet has 'protocol =ah' and 'port =53' at once: only TCP and UDP have ports, from "
        "0 to 65535");
}

static void flags_and_fragments_that_no_packet_has_are_named(void **state)
{
    (void)state;
    assert_never("tcp-flags =syn+ack&!syn",
                 "never-matches: no packet has 'tcp-flags =syn+ack&!syn': only TCP has flags");
    assert_never("fragment =is-fragment+first-fragment",
                 "never-matches: no packet has 'fragment =is-fragment+first-fragment': a packet is whole, or a first "
                 "fragment, or a later one, of which one is the last");
    assert_never("protocol udp destination-port 53 fragment is-fragment",
                 "never-matches: no packet has 'destination-port =53' and 'fragment is-fragment' at once: only TCP and "
                 "UDP have ports, from 0 to 65535; no fragment but the first has an upper-layer header");
    assert_sense("protocol udp destination-port 53 fragment is-fragment,first-fragment");
    assert_sense("fragment dont-fragment");
    assert_sense("fragment =is-fragment+last-fragment");
    assert_sense("tcp-flags 0x800"); /* reserved bits are bits */
}

static void assert_never_matches(const char *match)
{
    struct pol_verdict verdict;
    char text[512];

    snprintf(text, sizeof text, "match %s then discard", match);
    judge(text, &verdict);
    assert_int_equal(verdict.state, POL_NEVER_MATCHES);
}

/* A datagram has 65535 octets at most, TCP's second fragment starts at octet 16, other protocols' at 8. */
static void the_longest_and_the_shortest_fragments_are_known(void **state)
{
    (void)state;
    assert_sense("protocol tcp fragment last-fragment packet-length 65519");
    assert_never_matches("protocol tcp fragment last-fragment packet-length 65520");
    assert_sense("protocol udp fragment last-fragment packet-length 65527");
    assert_never_matches("protocol udp fragment last-fragment packet-length 65528");
    assert_sense("fragment last-fragment packet-length 21");
    assert_never_matches("fragment last-fragment packet-length 20");
    assert_sense("protocol tcp fragment first-fragment packet-length 36");
    assert_never_matches("protocol tcp fragment first-fragment packet-length 32");
    assert_never_matches("fragment first-fragment packet-length 1001,1002,1003"); /* blocks of 8, headers of 4 */
}

/* AH alone of the extension headers makes an IPv6 packet's length no multiple of 8 where more fragments follow. */
static void ipv6_fragments_are_blocks_behind_their_headers(void **state)
{
    (void)state;
    assert_sense("family ipv6 fragment =is-fragment&!last-fragment packet-length 56");
    assert_never_matches("family ipv6 fragment =is-fragment&!last-fragment packet-length 57-63");
    assert_sense("family ipv6 fragment =is-fragment&!last-fragment packet-length 68");
    assert_never_matches("family ipv6 packet-length 39");
}

/* RFC 8956 3.3: extension headers are passed over, except behind a later fragment's Fragment header. */
static void an_ipv6_extension_header_is_a_protocol_of_later_fragments_only(void **state)
{
    (void)state;
    assert_sense("family ipv6 protocol ah");
    assert_never_matches("family ipv6 protocol ah fragment !is-fragment");
    assert_sense("family ipv6 protocol esp fragment !is-fragment");
    assert_sense("protocol ah fragment !is-fragment");
}

static void a_reason_is_cut_with_dots_and_never_overflows(void **state)
{
    struct pol_verdict verdict;
    char text[8192] = "match packet-length >70000";

    (void)state;
    for (int i = 0; i < 600; i++)
        strcat(text, ",>70000");
    judge(text, &verdict);
    assert_int_equal(verdict.state, POL_NEVER_MATCHES);
    assert_non_null(strstr(verdict.reason, "...': an IPv4 packet has 20 to 65535 octets"));
}

static void hundreds_of_terms_are_decided_exactly(void **state)
{
    char text[16384] = "match destination-port >=1000&<=1999";
    char *end = text + strlen(text);
    struct pol_verdict verdict;

    (void)state;
    for (int port = 1999; port >= 1001; port--)
        end += sprintf(end, "&!=%d", port);
    judge(text, &verdict);
    assert_int_equal(verdict.state, POL_ACTIVE); /* 1000 is left */
    strcpy(end, "&!=1000");
    judge(text, &verdict);
    assert_int_equal(verdict.state, POL_NEVER_MATCHES);
}

/* `sense: false`: the same words, as a warning, and the rule goes on to the other steps. */
static void a_senseless_rule_that_may_pass_is_warned_of(void **state)
{
    struct fs_text_error error;
    struct fs_actions actions;
    struct pol_verdict verdict;
    struct fs_rule *rule;

    (void)state;
    assert_true(fs_text_parse("match packet-length 99971-99985 then discard", &rule, &actions, &error));
    struct pol_candidate candidate = {.rule = rule, .actions = &actions, .senseless_passes = true};
    pol_judge(&candidate, &verdict);
    assert_int_equal(verdict.state, POL_ACTIVE);
    assert_true(verdict.warning);
    assert_string_equal(verdict.step, "sense");
    assert_string_equal(verdict.reason,
                        "senseless: no packet has 'packet-length >=99971&<=99985': an IPv4 packet has 20 to 65535 "
                        "octets; it takes memory and time all the same, for `sense` is off");
    candidate.unsupported_action = "sample"; /* what a later step says holds, and is no warning */
    pol_judge(&candidate, &verdict);
    assert_int_equal(verdict.state, POL_REJECTED);
    assert_false(verdict.warning);
    assert_string_equal(verdict.step, "enforceable");
    fs_rule_free(rule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_length_that_no_packet_has_is_named),
        cmocka_unit_test(headers_take_octets),
        cmocka_unit_test(ranges_that_exclude_each_other_are_named),
        cmocka_unit_test(what_a_protocol_does_not_have_is_named),
        cmocka_unit_test(flags_and_fragments_that_no_packet_has_are_named),
        cmocka_unit_test(the_longest_and_the_shortest_fragments_are_known),
        cmocka_unit_test(ipv6_fragments_are_blocks_behind_their_headers),
        cmocka_unit_test(an_ipv6_extension_header_is_a_protocol_of_later_fragments_only),
        cmocka_unit_test(a_reason_is_cut_with_dots_and_never_overflows),
        cmocka_unit_test(hundreds_of_terms_are_decided_exactly),
        cmocka_unit_test(a_senseless_rule_that_may_pass_is_warned_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
