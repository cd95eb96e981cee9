/* SPDX-License-Identifier: BSD-3-Clause */
#include "manage/json_state.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "bgp/session.h"
#include "control/control.h"
#include "dataplane/dataplane.h"
#include "manage/json_util.h"
#include "ports/ports.h"

/* -1 means none: JSON null. */
static void set_number_or_null(json_t *object, const char *name, int value)
{
    json_object_set_new(object, name, value < 0 ? json_null() : json_integer(value));
}

json_t *json_counters(const struct cnt_port_sum *sum)
{
    json_t *o = json_object(), *drops = json_object();

    json_set_uint(o, "rx_packets", sum->rx_packets);
    json_set_uint(o, "rx_bytes", sum->rx_bytes);
    json_set_uint(o, "tx_packets", sum->tx_packets);
    json_set_uint(o, "tx_bytes", sum->tx_bytes);
    json_set_uint(o, "punted_packets", sum->punted_packets);
    json_set_uint(o, "originated_packets", sum->originated_packets);
    for (unsigned reason = 0; reason < CNT_DROP_COUNT; reason++)
        json_set_uint(drops, cnt_drop_name(reason), sum->drops[reason]);
    json_object_set_new(o, "drops", drops);
    return o;
}

static json_t *json_port(const struct port *port, const struct ports *ports, const struct dataplane *dp)
{
    struct port_status status;
    struct cnt_port_sum sum;
    char mac[18];
    json_t *o = json_object();

    port_status_get(port, &status);
    dataplane_port_counters(dp, port->index, &sum);
    snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", port->mac[0], port->mac[1], port->mac[2], port->mac[3],
             port->mac[4], port->mac[5]);
    json_set_text(o, "name", port->name);
    json_set_text(o, "device", port->device);
    json_set_text(o, "driver", port->driver);
    json_set_text(o, "mac", mac);
    json_set_text(o, "mode", port->routed ? "route" : "wire");
    json_object_set_new(o, "peer", port->routed ? json_null() : json_string(ports->port[port->peer].name));
    const char *interface = dataplane_port_interface(dp, port->index);
    json_object_set_new(o, "interface", interface != NULL ? json_string(interface) : json_null());
    json_object_set_new(o, "flowspec", json_boolean(port->flowspec));
    json_set_text(o, "link", status.link_up ? "up" : "down");
    json_object_set_new(o, "speed_mbps", status.speed_mbps ? json_integer(status.speed_mbps) : json_null());
    set_number_or_null(o, "numa_node", port->socket);
    json_set_uint(o, "queues", port->queues);
    json_set_uint(o, "missed_packets", status.missed);
    json_set_uint(o, "error_packets", status.errors);
    json_object_set_new(o, "counters", json_counters(&sum));
    return o;
}

json_t *json_ports(const struct dataplane *dp)
{
    const struct ports *ports = dataplane_ports(dp);
    json_t *array = json_array();

    for (uint16_t i = 0; i < ports->count; i++)
        json_array_append_new(array, json_port(&ports->port[i], ports, dp));
    return array;
}

json_t *json_workers(const struct dataplane *dp)
{
    json_t *array = json_array();

    for (unsigned i = 0; i < dataplane_worker_count(dp); i++) {
        struct dataplane_worker worker;
        json_t *o = json_object(), *stages = json_object();
        dataplane_worker_get(dp, i, &worker);
        json_set_uint(o, "lcore", worker.lcore);
        set_number_or_null(o, "cpu", worker.cpu);
        set_number_or_null(o, "numa_node", worker.socket);
        json_set_text(o, "queues", worker.queues);
        json_set_uint(o, "packets", worker.packets);
        json_set_uint(o, "polls", worker.polls);
        json_set_uint(o, "busy_polls", worker.busy_polls);
        for (unsigned stage = 0; stage < DATAPLANE_STAGE_COUNT; stage++)
            json_object_set_new(stages, dataplane_stage_name(stage),
                                worker.packets > 0
                                    ? json_real((double)worker.stage_cycles[stage] / (double)worker.packets)
                                    : json_null());
        json_object_set_new(o, "cycles_per_packet", stages);
        json_array_append_new(array, o);
    }
    return array;
}

static json_t *json_families(uint32_t families)
{
    json_t *array = json_array();

    for (unsigned i = 0; i < BGP_FAMILY_COUNT; i++)
        if (families & 1u << i)
            json_array_append_new(array, json_string(bgp_family_name(1u << i)));
    return array;
}

static json_t *json_capabilities(const struct bgp_capabilities *caps)
{
    json_t *array = json_families(caps->families);
    const struct {
        bool has;
        const char *name;
    } flags[] = {{caps->four_octet_as, "four-octet-as"},
                 {caps->extended_message, "extended-message"},
                 {caps->route_refresh, "route-refresh"},
                 {caps->enhanced_route_refresh, "enhanced-route-refresh"},
                 {caps->graceful_restart, "graceful-restart"},
                 {caps->long_lived_restart, "long-lived-graceful-restart"},
                 {caps->add_path.receive != 0, "add-path-receive"},
                 {caps->add_path.send != 0, "add-path-send"}};

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (flags[i].has)
            json_array_append_new(array, json_string(flags[i].name));
    for (unsigned i = 0; i < caps->unknown_count && i < sizeof caps->unknown; i++)
        json_array_append_new(array, json_sprintf("unknown-%u", caps->unknown[i]));
    return array;
}

static json_t *json_by_family(const uint64_t count[2])
{
    json_t *o = json_object();

    json_set_uint(o, "ipv4", count[0]);
    json_set_uint(o, "ipv6", count[1]);
    return o;
}

static void set_session(json_t *o, const struct bgp_session_info *info, mono_ms_t now_ms)
{
    bool up = info->state == BGP_ESTABLISHED;
    char text[BGP_NOTIFICATION_TEXT] = "";

    json_set_text(o, "state", bgp_state_name(info->state));
    json_set_uint(o, "state_since_s",
                  now_ms > info->state_since_ms ? (now_ms - info->state_since_ms) / MONO_MS_PER_S : 0);
    if (up && info->peer_router_id != 0)
        snprintf(text, sizeof text, "%u.%u.%u.%u", info->peer_router_id >> 24, info->peer_router_id >> 16 & 255,
                 info->peer_router_id >> 8 & 255, info->peer_router_id & 255);
    json_object_set_new(o, "router_id", text[0] ? json_string(text) : json_null());
    json_object_set_new(o, "hold_time_s", up ? json_integer(info->hold_time_s) : json_null());
    json_object_set_new(o, "families", json_families(up ? info->families : 0));
    json_object_set_new(o, "capabilities_sent", up ? json_capabilities(&info->sent) : json_array());
    json_object_set_new(o, "capabilities_received", up ? json_capabilities(&info->received) : json_array());
    json_set_uint(o, "messages_in", info->messages_in);
    json_set_uint(o, "messages_out", info->messages_out);
    json_set_uint(o, "updates_in", info->updates_in);
    json_set_uint(o, "updates_out", info->updates_out);
    json_set_uint(o, "established_count", info->established_count);
    text[0] = '\0';
    if (info->last_error.set)
        bgp_notification_format(&info->last_error, text, sizeof text);
    json_t *error = json_null();
    if (info->last_error.set) {
        error = json_object();
        json_set_text(error, "direction", info->last_error.sent ? "sent" : "received");
        json_set_text(error, "text", text);
    }
    json_object_set_new(o, "last_notification", error);
    json_set_text(o, "last_down", info->last_down);
}

/* Families whose rules are kept from a session that was lost, or null. */
static json_t *json_stale(const struct control_peer *peer)
{
    json_t *o;

    if (peer->stale_families == 0)
        return json_null();
    o = json_object();
    json_object_set_new(o, "families", json_families(peer->stale_families));
    json_set_uint(o, "left_s", peer->stale_left_s);
    return o;
}

/* Of each family that is agreed on, or that something is left of. */
static json_t *json_peer_routes(const struct control_peer *peer)
{
    json_t *o = json_object();

    for (unsigned i = 0; i < BGP_FAMILY_COUNT; i++) {
        const struct control_peer_routes *routes = &peer->routes[i];
        uint32_t family = 1u << i & BGP_UNICAST_FAMILIES;
        if (family == 0 || ((peer->session.families & family) == 0 && routes->accepted == 0))
            continue;
        json_t *counts = json_object();
        json_set_uint(counts, "received", routes->accepted + routes->rejected);
        json_set_uint(counts, "accepted", routes->accepted);
        json_set_uint(counts, "rejected", routes->rejected);
        json_set_uint(counts, "sent", routes->sent);
        json_object_set_new(o, bgp_family_name(family), counts);
    }
    return o;
}

static json_t *json_peer(const struct control_peer *peer, mono_ms_t now_ms)
{
    char address[IP_TEXT_SIZE];
    json_t *o = json_object();

    json_set_text(o, "name", peer->name);
    json_object_set_new(o, "range", peer->range != NULL ? json_string(peer->range) : json_null());
    json_set_text(o, "address", ip_addr_format(&peer->address, address));
    json_set_uint(o, "port", peer->port);
    json_set_uint(o, "asn", peer->asn);
    json_object_set_new(o, "passive", json_boolean(peer->passive));
    json_object_set_new(o, "admin_down", json_boolean(peer->admin_down));
    json_object_set_new(o, "families_configured", json_families(peer->families_configured));
    set_session(o, &peer->session, now_ms);
    json_object_set_new(o, "rules_received", json_by_family(peer->rules_received));
    json_object_set_new(o, "rules_active", json_by_family(peer->rules_active));
    json_object_set_new(o, "rules_rejected", json_by_family(peer->rules_rejected));
    json_object_set_new(o, "rules_not_imported", json_by_family(peer->rules_not_imported));
    json_object_set_new(o, "rules_sent", json_by_family(peer->rules_sent));
    json_object_set_new(o, "rules_queued", json_by_family(peer->rules_queued));
    json_set_uint(o, "rules_too_large", peer->rules_too_large);
    json_set_uint(o, "rules_filtered", peer->rules_filtered);
    json_object_set_new(o, "routes", json_peer_routes(peer));
    json_set_uint(o, "routes_unreachable", peer->routes_unreachable);
    json_set_uint(o, "routes_queued", peer->routes_queued);
    json_set_uint(o, "routes_too_large", peer->routes_too_large);
    json_object_set_new(o, "rules_stale", json_by_family(peer->rules_stale));
    json_object_set_new(o, "stale", json_stale(peer));
    json_object_set_new(o, "deferred", json_families(peer->deferred));
    json_set_uint(o, "refreshes_begun", peer->refreshes_begun);
    json_set_uint(o, "refreshes_ended", peer->refreshes_ended);
    json_set_uint(o, "output_waiting_bytes", peer->output_waiting_bytes);
    json_object_set_new(o, "password", json_boolean(peer->password));
    json_object_set_new(o, "ttl_security", json_boolean(peer->ttl_security));
    json_object_set_new(o, "device", peer->device != NULL ? json_string(peer->device) : json_null());
    json_set_uint(o, "withdrawals", peer->withdrawals);
    json_set_uint(o, "bad_nlri", peer->bad_nlri);
    json_set_uint(o, "bad_attributes", peer->bad_attributes);
    json_set_text(o, "last_bad", peer->last_bad);
    json_set_uint(o, "refused_connections", peer->refused_connections);
    return o;
}

json_t *json_peers(const struct control *control)
{
    json_t *array = json_array();
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    mono_ms_t now_ms = (mono_ms_t)ts.tv_sec * MONO_MS_PER_S + (mono_ms_t)ts.tv_nsec / 1000000;
    for (size_t i = 0; i < control_peer_count(control); i++) {
        struct control_peer peer;
        control_peer_get(control, i, &peer);
        json_array_append_new(array, json_peer(&peer, now_ms));
    }
    return array;
}
