/* SPDX-License-Identifier: BSD-3-Clause */
/* sample.yaml has every key of the documented interface: each must arrive in its field. */
#include "../cm.h"

#include "collect.h"
#include "flowspec/text.h"

static struct collected found;

static struct cfg *load_sample(void)
{
    found.count = 0;
    struct cfg *cfg = cfg_load(SAMPLE_FILE, collect, &found);

    for (size_t i = 0; i < found.count; i++)
        print_error("sample.yaml:%s\n", found.text[i]);
    assert_non_null(cfg);
    assert_int_equal(found.count, 0);
    return cfg;
}

static void assert_addr(const struct ip_addr *addr, const char *text)
{
    char have[IP_TEXT_SIZE];

    assert_string_equal(ip_addr_format(addr, have), text);
}

static void assert_prefix(const struct ip_prefix *prefix, const char *text)
{
    char have[IP_TEXT_SIZE];

    assert_string_equal(ip_prefix_format(prefix, have), text);
}

static void router_and_dataplane_arrive(void **state)
{
    struct cfg *cfg = load_sample();

    (void)state;
    assert_int_equal(cfg->router.id, 0xc0000201);
    assert_int_equal(cfg->router.asn, 65000);
    assert_false(cfg->dataplane.workers_auto);
    assert_int_equal(cfg->dataplane.worker_count, 1);
    assert_int_equal(cfg->dataplane.workers[0], 1);
    assert_int_equal(cfg->dataplane.control_lcore, 0);
    assert_int_equal(cfg->dataplane.hugepages, CFG_HUGEPAGES_AUTO);
    assert_int_equal(cfg->dataplane.memory_mib, 1024);
    assert_int_equal(cfg->dataplane.start, CFG_START_AUTO);
    assert_int_equal(cfg->dataplane.idle, CFG_IDLE_AUTO);
    assert_int_equal(cfg->dataplane.max_rules, 1000000);
    assert_int_equal(cfg->dataplane.eal_count, 0);
    assert_string_equal(cfg->api.socket, "/run/floodgate/api.sock");
    assert_string_equal(cfg->api.metrics, "127.0.0.1:9469");
    cfg_free(cfg);
}

static void ports_and_routing_arrive(void **state)
{
    struct cfg *cfg = load_sample();

    (void)state;
    assert_int_equal(cfg->port_count, 2);
    assert_string_equal(cfg->ports[0].name, "wan");
    assert_string_equal(cfg->ports[0].device, "net_pcap0,rx_pcap=in.pcap,tx_pcap=wan-out.pcap");
    assert_int_equal(cfg->ports[0].mode, CFG_PORT_WIRE);
    assert_string_equal(cfg->ports[0].peer, "lan");
    assert_true(cfg->ports[0].flowspec);
    assert_false(cfg->ports[1].flowspec);
    assert_int_equal(cfg->ports[1].line, 10);

    assert_int_equal(cfg->vrf_count, 1);
    assert_string_equal(cfg->vrfs[0].name, "scrub");
    assert_int_equal(cfg->vrfs[0].rt_import_count, 1);
    assert_int_equal(cfg->vrfs[0].rt_import[0].kind, FS_REDIRECT_RT_AS2);
    assert_int_equal(cfg->vrfs[0].rt_import[0].admin, 65000);
    assert_int_equal(cfg->vrfs[0].rt_import[0].value, 100);

    assert_int_equal(cfg->route_count, 2);
    assert_prefix(&cfg->routes[0].prefix, "203.0.113.0/24");
    assert_addr(&cfg->routes[0].via[0], "198.51.100.2");
    assert_false(cfg->routes[0].blackhole);
    assert_true(cfg->routes[1].blackhole);
    assert_int_equal(cfg->routes[1].via_count, 0);
    assert_null(cfg->routes[1].vrf);

    static const uint8_t MAC[6] = {2, 0, 0, 0, 0, 2};
    assert_int_equal(cfg->neighbor_count, 1);
    assert_string_equal(cfg->neighbors[0].port, "up");
    assert_addr(&cfg->neighbors[0].address, "198.51.100.2");
    assert_memory_equal(cfg->neighbors[0].mac, MAC, sizeof MAC);
    cfg_free(cfg);
}

/* conforms: RFC 4456 proves 7-1 */
static void bgp_arrives(void **state)
{
    struct cfg *cfg = load_sample();

    (void)state;
    assert_int_equal(cfg->listen_count, 1);
    assert_addr(&cfg->listens[0].address, "127.0.0.1");
    assert_int_equal(cfg->listens[0].port, 1790);
    assert_int_equal(cfg->peer_count, 1);
    const struct cfg_peer *peer = &cfg->peers[0];
    assert_string_equal(peer->name, "detector");
    assert_addr(&peer->address, "127.0.0.2");
    assert_int_equal(peer->port, 179);
    assert_int_equal(peer->asn, 65001);
    assert_true(peer->passive);
    assert_int_equal(peer->families, CFG_IPV4_FLOWSPEC | CFG_IPV6_FLOWSPEC | CFG_IPV4_UNICAST | CFG_IPV6_UNICAST |
                                         CFG_IPV4_FLOWSPEC_VPN | CFG_IPV6_FLOWSPEC_VPN);
    assert_int_equal(peer->validation, CFG_VALIDATION_RFC9117);
    assert_string_equal(peer->policy, "customer-a");
    assert_false(peer->route_reflector_client);
    assert_false(peer->legacy_ipv6_offset);
    assert_int_equal(peer->hold_time_s, 90);
    assert_int_equal(peer->connect_retry_s, 5);
    cfg_free(cfg);
}

static void rules_and_their_limits_arrive(void **state)
{
    struct cfg *cfg = load_sample();
    char text[256];
    struct strbuf sb = sb_init(text, sizeof text);

    (void)state;
    assert_int_equal(cfg->rule_count, 1);
    fs_match_format(cfg->rules[0].rule, &sb);
    assert_string_equal(text, "destination 203.0.113.7/32 protocol =udp source-port =123");
    assert_true(fs_actions_discard(&cfg->rules[0].actions));
    assert_string_equal(cfg->rules[0].text,
                        "match destination 203.0.113.7/32 protocol udp source-port 123 then discard");

    assert_int_equal(cfg->policy_count, 1);
    const struct cfg_policy *policy = &cfg->policies[0];
    assert_string_equal(policy->name, "customer-a");
    assert_int_equal(policy->destination_count, 2);
    assert_prefix(&policy->destinations[1], "2001:db8:7::/48");
    assert_int_equal(policy->min_length_ipv4, 24);
    assert_int_equal(policy->min_length_ipv6, 48);
    assert_int_equal(policy->action_count, 2);
    assert_string_equal(policy->actions[1], "rate-limit");
    assert_int_equal(policy->max_rules, 500);

    assert_int_equal(cfg->protect_count, 1);
    assert_non_null(cfg->protects[0].rule);
    assert_true(cfg->protect_line > 0);
    assert_true(cfg->guard.set);
    assert_true(cfg->guard.max_drop_share == 20.0);
    assert_int_equal(cfg->guard.window_s, 30);
    assert_int_equal(cfg->guard.on_breach, CFG_BREACH_HOLD);
    assert_int_equal(cfg->guard_line, cfg->guard.line);
    cfg_free(cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(router_and_dataplane_arrive),
        cmocka_unit_test(ports_and_routing_arrive),
        cmocka_unit_test(bgp_arrives),
        cmocka_unit_test(rules_and_their_limits_arrive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
