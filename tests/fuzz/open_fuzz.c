/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * OPEN bodies: the first octet chooses our own configuration, the rest is what the peer says. An OPEN that is accepted
 * is one that may be; a refused one has the NOTIFICATION of RFC 4271 6.2 and a line for the operator. What we send is
 * accepted by a peer that is configured for us, and read as we meant it.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/notification.h"
#include "bgp/open.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static struct bgp_session_conf conf_of(uint8_t flavour)
{
    static const uint32_t families[] = {BGP_IPV4_FLOWSPEC, BGP_FLOWSPEC_FAMILIES, (1u << BGP_FAMILY_COUNT) - 1,
                                        BGP_IPV4_UNICAST};

    return (struct bgp_session_conf){.name = "peer",
                                     .local_as = flavour & 1 ? 4200000000u : 65000,
                                     .peer_as = flavour & 2 ? 65001 : 0,
                                     .router_id = 0x0a000005,
                                     .families = families[flavour >> 2 & 3],
                                     .hold_time_s = flavour & 16 ? 0 : 90,
                                     .extended_message = flavour & 32,
                                     .add_path_receive = flavour & 32,
                                     .add_path_send = flavour & 32,
                                     .restart_time_s = flavour & 64 ? 120 : 0,
                                     .long_lived_s = flavour & 64 ? 86400 : 0,
                                     .enhanced_refresh = flavour & 128};
}

static void check_accepted(const struct bgp_open *open, const struct bgp_session_conf *conf)
{
    require(open->version == BGP_VERSION && open->as != 0 && open->router_id != 0);
    require(conf->peer_as == 0 || open->as == conf->peer_as);
    require(open->as != conf->local_as || open->router_id != conf->router_id);
    require(open->hold_time_s == 0 || open->hold_time_s >= 3);
    require((open->capabilities.families & conf->families) != 0);
    require(open->capabilities.unknown_count <= sizeof open->capabilities.unknown);
}

static void check_refused(const struct bgp_open *open, const struct bgp_session_conf *conf,
                          const struct bgp_notification *fault)
{
    char text[160];
    uint8_t message[BGP_MESSAGE_MAX];

    require(fault->set && fault->sent && fault->code == BGP_ERR_OPEN);
    require(fault->subcode <= BGP_OPEN_CAPABILITY && fault->subcode != 5);
    memset(text, 'x', sizeof text);
    text[0] = '\0';
    bgp_open_explain(open, conf, fault, text, sizeof text);
    require(memchr(text, '\0', sizeof text) != NULL);
    require(bgp_notification_write(fault, fault->data, fault->data_len, message) ==
            (size_t)BGP_NOTIFICATION_MIN + fault->data_len);
}

/* What we say, to a peer that expects us. */
static void check_ours(const struct bgp_session_conf *conf, struct bgp_open_restart restart)
{
    struct bgp_session_conf peer = *conf;
    struct bgp_capabilities sent;
    struct bgp_notification fault;
    struct bgp_open open;
    uint8_t message[BGP_OPEN_ROOM];
    size_t len = bgp_open_write(conf, restart, message, &sent);

    peer.local_as = 65009;
    peer.peer_as = conf->local_as;
    peer.router_id = 0x0a000009;
    require(bgp_open_read(message + BGP_HEADER_LEN, len - BGP_HEADER_LEN, &peer, &open, &fault));
    require(open.as == conf->local_as && open.router_id == conf->router_id && open.hold_time_s == conf->hold_time_s);
    require(open.capabilities.families == sent.families && open.capabilities.four_octet_as == sent.four_octet_as);
    require(open.capabilities.extended_message == sent.extended_message);
    require(open.capabilities.route_refresh == sent.route_refresh && open.capabilities.unknown_count == 0);
    require(open.capabilities.enhanced_route_refresh == sent.enhanced_route_refresh);
    require(open.capabilities.graceful_restart == sent.graceful_restart);
    require(open.capabilities.restart.restarting == sent.restart.restarting);
    require(open.capabilities.restart.time_s == sent.restart.time_s);
    require(open.capabilities.restart.families == sent.restart.families);
    require(open.capabilities.restart.forwarding == sent.restart.forwarding);
    require(open.capabilities.long_lived_restart == sent.long_lived_restart);
    require(open.capabilities.long_lived.families == sent.long_lived.families);
    require(open.capabilities.long_lived.forwarding == sent.long_lived.forwarding);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bgp_notification fault = {0};
    struct bgp_open open;

    if (size < 1)
        return 0;
    struct bgp_session_conf conf = conf_of(data[0]);
    if (bgp_open_read(data + 1, size - 1, &conf, &open, &fault))
        check_accepted(&open, &conf);
    else
        check_refused(&open, &conf, &fault);
    check_ours(&conf, (struct bgp_open_restart){.restarting = size & 1, .forwarding = (uint32_t)size & conf.families});
    return 0;
}
