/* SPDX-License-Identifier: BSD-3-Clause */
/* Defaults, and each type of value at its limits. What is refused is in tests/vectors/broken-config. */
#include "../cm.h"

#include <stdlib.h>

#include "collect.h"

static struct collected found;

#define HEAD "router: {id: 192.0.2.1, asn: 65000}\n"
#define WIRES                                                                                                          \
    "ports:\n  - {name: a, device: net_null0, mode: wire, peer: b}\n"                                                  \
    "  - {name: b, device: net_null1, mode: wire, peer: a}\n"

static struct cfg *parse_good(const char *text)
{
    struct cfg *cfg = parse_text(text, &found);

    for (size_t i = 0; i < found.count; i++)
        print_error("%s\nin\n%s", found.text[i], text);
    assert_non_null(cfg);
    return cfg;
}

/* Parses HEAD, WIRES and more. */
static struct cfg *parse_more(const char *more)
{
    char text[4096];

    snprintf(text, sizeof text, "%s%s%s", HEAD, WIRES, more);
    return parse_good(text);
}

static void a_short_file_has_every_default(void **state)
{
    struct cfg *cfg = parse_more("");

    (void)state;
    assert_true(cfg->dataplane.workers_auto);
    assert_int_equal(cfg->dataplane.worker_count, 0);
    assert_int_equal(cfg->dataplane.control_lcore, 0);
    assert_int_equal(cfg->dataplane.memory_mib, 1024);
    assert_int_equal(cfg->dataplane.max_rules, 1000000);
    assert_int_equal(cfg->dataplane.burst_ms, 100);
    assert_int_equal(cfg->dataplane.hugepages, CFG_HUGEPAGES_AUTO);
    assert_int_equal(cfg->dataplane.idle, CFG_IDLE_AUTO);
    assert_true(cfg->ports[0].flowspec);
    assert_string_equal(cfg->api.socket, "/run/floodgate/api.sock");
    assert_null(cfg->api.metrics);
    assert_true(cfg->protect_bgp);
    assert_true(cfg->sense);
    assert_int_equal(cfg->dataplane.rules_memory_mib, 0);
    assert_false(cfg->guard.set);
    assert_int_equal(cfg->guard_line, 0);
    assert_int_equal(cfg->protect_line, 0);
    assert_int_equal(cfg->peer_count + cfg->listen_count + cfg->rule_count, 0);
    cfg_free(cfg);
}

/* conforms: RFC 4271 proves 8.1.4-1 */
static void a_peer_has_its_defaults(void **state)
{
    struct cfg *cfg = parse_more("bgp: {peers: [{name: x, address: 192.0.2.9, asn: 4294967294}]}\n");
    const struct cfg_peer *peer = &cfg->peers[0];

    (void)state;
    assert_int_equal(peer->asn, 4294967294u);
    assert_int_equal(peer->port, 179);
    assert_false(peer->passive);
    assert_int_equal(peer->families, CFG_IPV4_FLOWSPEC | CFG_IPV6_FLOWSPEC);
    assert_int_equal(peer->validation, CFG_VALIDATION_RFC9117);
    assert_null(peer->policy);
    assert_int_equal(peer->hold_time_s, 90);
    assert_int_equal(peer->connect_retry_s, 5);
    cfg_free(cfg);
}

static void sections_without_entries_are_empty(void **state)
{
    struct cfg *cfg = parse_more("dataplane:\nbgp:\n  peers:\nrules:\nvrfs: []\npolicies: {}\nprotect: ~\n"
                                 "routes: null\napi:\n");

    (void)state;
    assert_int_equal(cfg->dataplane.memory_mib, 1024);
    assert_string_equal(cfg->api.socket, "/run/floodgate/api.sock");
    assert_int_equal(cfg->protect_line, 0);
    cfg_free(cfg);
}

/* conforms: RFC 4271 proves 10-1 */
static void numbers_reach_their_limits(void **state)
{
    struct cfg *cfg =
        parse_more("dataplane: {memory: 64, max-rules: 16000000, burst-ms: 10000, control: 127, workers: [0, 126]}\n"
                   "bgp:\n  peers:\n"
                   "    - {name: x, address: 192.0.2.8, asn: 1, hold-time: 0, connect-retry: 1, port: 1}\n"
                   "    - {name: y, address: 192.0.2.9, asn: 2, hold-time: 3, connect-retry: 65535}\n"
                   "    - {name: z, address: \"2001:db8::9\", asn: 3, hold-time: 65535, port: 65535}\n"
                   "guard: {max-drop-share: 12.5, window: 3600}\n");

    (void)state;
    assert_int_equal(cfg->dataplane.memory_mib, 64);
    assert_int_equal(cfg->dataplane.max_rules, 16000000);
    assert_int_equal(cfg->dataplane.burst_ms, 10000);
    assert_int_equal(cfg->dataplane.control_lcore, 127);
    assert_int_equal(cfg->dataplane.workers[0], 0);
    assert_int_equal(cfg->dataplane.workers[1], 126);
    assert_int_equal(cfg->peers[0].hold_time_s, 0);
    assert_int_equal(cfg->peers[0].connect_retry_s, 1);
    assert_int_equal(cfg->peers[0].port, 1);
    assert_int_equal(cfg->peers[1].hold_time_s, 3);
    assert_int_equal(cfg->peers[1].connect_retry_s, 65535);
    assert_int_equal(cfg->peers[2].hold_time_s, 65535);
    assert_int_equal(cfg->peers[2].port, 65535);
    assert_true(cfg->guard.max_drop_share == 12.5);
    assert_int_equal(cfg->guard.window_s, 3600);
    cfg_free(cfg);
}

static void quotes_do_not_change_what_a_value_is(void **state)
{
    struct cfg *cfg = parse_more("dataplane: {memory: \"512\", start: 'manual', eal: [\"null\", '~']}\n");

    (void)state;
    assert_int_equal(cfg->dataplane.memory_mib, 512);
    assert_int_equal(cfg->dataplane.start, CFG_START_MANUAL);
    assert_int_equal(cfg->dataplane.eal_count, 2);
    assert_string_equal(cfg->dataplane.eal[0], "null");
    cfg_free(cfg);
}

static void booleans_take_three_pairs_of_words(void **state)
{
    static const char *const words[][2] = {{"true", "false"}, {"yes", "no"}, {"on", "off"}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 HEAD "ports:\n  - {name: a, device: net_null0, mode: wire, peer: b, flowspec: %s}\n"
                      "  - {name: b, device: net_null1, mode: wire, peer: a, flowspec: %s}\n",
                 words[i][0], words[i][1]);
        struct cfg *cfg = parse_good(text);
        assert_true(cfg->ports[0].flowspec);
        assert_false(cfg->ports[1].flowspec);
        cfg_free(cfg);
    }
}

static void words_choose_their_values(void **state)
{
    struct cfg *cfg = parse_more("dataplane: {hugepages: off, idle: sleep}\n"
                                 "guard: {max-drop-share: 100, on-breach: warn}\n"
                                 "bgp: {peers: [{name: x, address: 192.0.2.9, asn: 1, validation: none,\n"
                                 "  legacy-ipv6-offset: true, families: [ipv6-flowspec-vpn, ipv4-unicast]}]}\n");

    (void)state;
    assert_int_equal(cfg->dataplane.hugepages, CFG_HUGEPAGES_OFF);
    assert_int_equal(cfg->dataplane.idle, CFG_IDLE_SLEEP);
    assert_int_equal(cfg->guard.on_breach, CFG_BREACH_WARN);
    assert_int_equal(cfg->peers[0].validation, CFG_VALIDATION_NONE);
    assert_int_equal(cfg->peers[0].families, CFG_IPV6_FLOWSPEC_VPN | CFG_IPV4_UNICAST);
    assert_true(cfg->peers[0].legacy_ipv6_offset);
    cfg_free(cfg);
}

static void route_ports_keep_their_own_address(void **state)
{
    struct cfg *cfg =
        parse_good(HEAD "ports:\n"
                        "  - {name: up, device: 0000:3b:00.0, mode: route,\n"
                        "     addresses: [198.51.100.1/24, 2001:db8::1/64, 192.0.2.0/31, 192.0.2.7/32]}\n"
                        "  - {name: down, device: \"3b:00.1,dev=1\", mode: route, addresses: [10.0.0.1/8]}\n"
                        "vrfs: [{name: scrub, rt-import: [192.0.2.1:100, 4200000000L:7]}]\n"
                        "routes:\n"
                        "  - {prefix: 0.0.0.0/0, via: 198.51.100.2, vrf: default}\n"
                        "  - {prefix: 0.0.0.0/0, via: 198.51.100.2, vrf: scrub}\n"
                        "  - {prefix: 2001:db8:1::/48, via: fe80::1, port: up}\n"
                        "neighbors: [{port: up, address: 198.51.100.2, mac: 02:00:00:00:aB:02}]\n");
    char text[IP_TEXT_SIZE];

    (void)state;
    assert_int_equal(cfg->ports[0].address_count, 4);
    assert_string_equal(ip_prefix_format(&cfg->ports[0].addresses[0], text), "198.51.100.1/24");
    assert_string_equal(ip_prefix_format(&cfg->ports[0].addresses[1], text), "2001:db8::1/64");
    assert_string_equal(ip_prefix_format(&cfg->ports[0].addresses[2], text), "192.0.2.0/31");
    assert_int_equal(cfg->vrfs[0].rt_import[0].kind, FS_REDIRECT_RT_IPV4);
    assert_int_equal(cfg->vrfs[0].rt_import[1].kind, FS_REDIRECT_RT_AS4);
    assert_null(cfg->routes[0].vrf);
    assert_string_equal(cfg->routes[1].vrf, "scrub");
    assert_string_equal(cfg->routes[2].port, "up");
    assert_int_equal(cfg->neighbors[0].mac[4], 0xab);
    cfg_free(cfg);
}

static void rules_may_be_folded_and_quoted(void **state)
{
    struct cfg *cfg = parse_more("rules:\n"
                                 "  - >\n    match destination 203.0.113.7/32\n    then discard\n"
                                 "  - 'match destination 203.0.113.8/32'\n"
                                 "  - match destination 203.0.113.9/32\n      protocol udp\n      then discard\n");

    (void)state;
    assert_int_equal(cfg->rule_count, 3);
    assert_string_equal(cfg->rules[0].text, "match destination 203.0.113.7/32 then discard");
    assert_int_equal(cfg->rules[0].line, 6);
    assert_true(fs_actions_accept(&cfg->rules[1].actions));
    assert_true(fs_actions_discard(&cfg->rules[2].actions));
    cfg_free(cfg);
}

static void count_warning(void *ctx, const char *file, unsigned line, const char *text)
{
    unsigned *at = ctx;

    assert_string_equal(file, "file.yaml");
    assert_non_null(strstr(text, "sense is OFF"));
    *at = line;
}

static void sense_that_is_switched_off_is_warned_of(void **state)
{
    struct cfg *on = parse_more("sense: true\n"), *off = parse_more("sense: false\n");
    unsigned line = 0;

    (void)state;
    cfg_warn(on, "file.yaml", count_warning, &line);
    assert_int_equal(line, 0);
    assert_false(off->sense);
    cfg_warn(off, "file.yaml", count_warning, &line);
    assert_int_equal(line, off->sense_line);
    assert_true(line > 0);
    cfg_free(on);
    cfg_free(off);
}

static void a_protected_match_may_have_exceptions(void **state)
{
    struct cfg *cfg = parse_more("protect-bgp: no\nprotect:\n  - match protocol tcp port 179\n"
                                 "  - {match: match protocol tcp port 22, unless-longer-than: 28}\n"
                                 "  - match: match protocol udp port 53\n"
                                 "    unless-longer-than: {ipv4: 24, ipv6: 48}\n");

    (void)state;
    assert_false(cfg->protect_bgp);
    assert_int_equal(cfg->protect_count, 3);
    assert_int_equal(cfg->protects[0].unless_longer_ipv4, 0);
    assert_int_equal(cfg->protects[1].unless_longer_ipv4, 28);
    assert_int_equal(cfg->protects[1].unless_longer_ipv6, 0);
    assert_string_equal(cfg->protects[1].text, "match protocol tcp port 22");
    assert_int_equal(cfg->protects[2].unless_longer_ipv4, 24);
    assert_int_equal(cfg->protects[2].unless_longer_ipv6, 48);
    assert_int_equal(cfg->protects[2].line, cfg->protects[1].line + 1);
    cfg_free(cfg);
}

static void families_have_names(void **state)
{
    (void)state;
    assert_string_equal(cfg_family_name(CFG_IPV4_UNICAST), "ipv4-unicast");
    assert_string_equal(cfg_family_name(CFG_IPV6_FLOWSPEC_VPN), "ipv6-flowspec-vpn");
    assert_string_equal(cfg_family_name(1 << 20), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_file_has_every_default),
        cmocka_unit_test(a_peer_has_its_defaults),
        cmocka_unit_test(sections_without_entries_are_empty),
        cmocka_unit_test(numbers_reach_their_limits),
        cmocka_unit_test(quotes_do_not_change_what_a_value_is),
        cmocka_unit_test(booleans_take_three_pairs_of_words),
        cmocka_unit_test(words_choose_their_values),
        cmocka_unit_test(route_ports_keep_their_own_address),
        cmocka_unit_test(rules_may_be_folded_and_quoted),
        cmocka_unit_test(sense_that_is_switched_off_is_warned_of),
        cmocka_unit_test(a_protected_match_may_have_exceptions),
        cmocka_unit_test(families_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
