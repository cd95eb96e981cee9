/* SPDX-License-Identifier: BSD-3-Clause */
/* Every object of FLOODGATE-MIB, in the order of their OIDs. Numbers and names of states are the MIB's. */
#include "mib_groups.h"

#include <stddef.h>
#include <string.h>

#include "member.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* 1 for the first of the words, 0 for none of them. */
static uint64_t number_of(const char *word, const char *const *words)
{
    for (uint64_t i = 0; words[i] != NULL; i++)
        if (strcmp(word, words[i]) == 0)
            return i + 1;
    return 0;
}

/* ---- scalars ---- */

static size_t one_row(struct mib_source *source)
{
    (void)source;
    return 1;
}

static size_t one_row_of_state(struct mib_source *source)
{
    return source->state != NULL;
}

static const json_t *status_of(const struct mib_source *source, size_t row)
{
    (void)row;
    return source->state != NULL ? source->state->status : NULL;
}

static bool get_reachable(const struct mib_source *source, size_t row, const struct mib_column *column,
                          struct mib_value *out)
{
    (void)row;
    (void)column;
    out->number = source->state != NULL ? 1 : 2;
    return true;
}

static bool get_uptime(const struct mib_source *source, size_t row, const struct mib_column *column,
                       struct mib_value *out)
{
    if (source->state == NULL)
        return false;
    out->number = 100 * member_uint(status_of(source, row), column->path); /* TimeTicks */
    return true;
}

/* Words of a member, numbered from 1. */
static const char *const DATAPLANE_WORDS[] = {"running", "stopped", NULL}, *const SWITCH_WORDS[] = {"on", "off", NULL};

static bool get_dataplane(const struct mib_source *source, size_t row, const struct mib_column *column,
                          struct mib_value *out)
{
    out->number = number_of(member_text(status_of(source, row), column->path), DATAPLANE_WORDS);
    return out->number > 0;
}

static bool get_switch(const struct mib_source *source, size_t row, const struct mib_column *column,
                       struct mib_value *out)
{
    out->number = number_of(member_text(status_of(source, row), column->path), SWITCH_WORDS);
    return out->number > 0;
}

static bool get_length(const struct mib_source *source, size_t row, const struct mib_column *column,
                       struct mib_value *out)
{
    out->number = json_array_size(member(status_of(source, row), column->path));
    return source->state != NULL;
}

/* enforcing(1), partly(2): not the rules of some peers, killed(3), stopped(4): no packet is looked at */
static bool get_enforcement(const struct mib_source *source, size_t row, const struct mib_column *column,
                            struct mib_value *out)
{
    const json_t *status = status_of(source, row);

    (void)column;
    if (status == NULL)
        return false;
    out->number = 1;
    if (json_array_size(member(status, "vetting.kill_switch_peers")) > 0)
        out->number = 2;
    if (strcmp(member_text(status, "vetting.kill_switch"), "on") == 0)
        out->number = 3;
    if (strcmp(member_text(status, "dataplane"), "running") != 0)
        out->number = 4;
    return true;
}

/* The sum of an object's numbers. */
static bool get_sum(const struct mib_source *source, size_t row, const struct mib_column *column, struct mib_value *out)
{
    json_t *object = (json_t *)(uintptr_t)member(status_of(source, row), column->path), *value;
    const char *name;

    if (object == NULL)
        return false;
    json_object_foreach(object, name, value) out->number += (uint64_t)json_integer_value(value);
    return true;
}

/* Per cent, in hundredths. */
static bool get_percent(const struct mib_source *source, size_t row, const struct mib_column *column,
                        struct mib_value *out)
{
    const json_t *value = member(status_of(source, row), column->path);

    out->number = (uint64_t)(100 * json_number_value(value) + 0.5);
    return value != NULL;
}

static bool get_count(const struct mib_source *source, size_t row, const struct mib_column *column,
                      struct mib_value *out)
{
    (void)row;
    memcpy(&out->number, (const char *)&source->counts + column->offset, sizeof out->number);
    return true;
}

static const struct mib_column SYSTEM[] = {
    {1, MIB_INTEGER, NULL, get_reachable, 0},
    {2, MIB_TEXT, "version", NULL, 0},
    {3, MIB_TICKS, "uptime_s", get_uptime, 0},
    {4, MIB_INTEGER, "dataplane", get_dataplane, 0},
    {5, MIB_INTEGER, NULL, get_enforcement, 0},
    {6, MIB_INTEGER, "vetting.kill_switch", get_switch, 0},
    {7, MIB_GAUGE, "vetting.kill_switch_peers", get_length, 0},
    {8, MIB_GAUGE, "ports", NULL, 0},
    {9, MIB_GAUGE, "workers", NULL, 0},
};

static const struct mib_column RULES[] = {
    {1, MIB_GAUGE, "rules.active", NULL, 0},
    {2, MIB_GAUGE, "rules.rejected", NULL, 0},
    {3, MIB_GAUGE, "rules.held", NULL, 0},
    {4, MIB_GAUGE, "rules.suspended", NULL, 0},
    {5, MIB_GAUGE, "rules.never-matches", NULL, 0},
    {6, MIB_GAUGE, "rules.stale", NULL, 0},
    {7, MIB_GAUGE, "rules.dry-run", NULL, 0},
    {8, MIB_GAUGE, "rules.not-imported", NULL, 0},
    {9, MIB_GAUGE, "rules", get_sum, 0},
};

static const struct mib_column SESSIONS[] = {
    {1, MIB_GAUGE, "sessions.configured", NULL, 0},
    {2, MIB_GAUGE, "sessions.established", NULL, 0},
    {3, MIB_COUNTER64, "sessions.unknown_connections", NULL, 0},
};

static const struct mib_column PACKETS[] = {
    {1, MIB_COUNTER64, "counters.rx_packets", NULL, 0},     {2, MIB_COUNTER64, "counters.rx_bytes", NULL, 0},
    {3, MIB_COUNTER64, "counters.tx_packets", NULL, 0},     {4, MIB_COUNTER64, "counters.tx_bytes", NULL, 0},
    {5, MIB_COUNTER64, "counters.punted_packets", NULL, 0}, {6, MIB_COUNTER64, "counters.originated_packets", NULL, 0},
    {7, MIB_COUNTER64, "counters.drops", get_sum, 0},
};

static const struct mib_column VALIDATOR[] = {
    {1, MIB_INTEGER, "vetting.guard", NULL, 0},           {2, MIB_INTEGER, "vetting.breaker", NULL, 0},
    {3, MIB_COUNTER64, "vetting.breaker_trips", NULL, 0}, {4, MIB_GAUGE, "vetting.drop_share_percent", get_percent, 0},
    {5, MIB_GAUGE, "vetting.samples", NULL, 0},           {6, MIB_GAUGE, "vetting.delayed_changes", NULL, 0},
};

static const struct mib_column NOTIFICATION[] = {
    {1, MIB_COUNTER32, NULL, get_count, offsetof(struct board_counts, sent)},
    {MIB_NOTIFICATIONS_SUPPRESSED, MIB_COUNTER32, NULL, get_count, offsetof(struct board_counts, suppressed)},
    {3, MIB_COUNTER32, NULL, get_count, offsetof(struct board_counts, lost)},
    {4, MIB_GAUGE, NULL, get_count, offsetof(struct board_counts, waiting)},
};

/* ---- tables whose index is a name ---- */

static size_t name_arcs(const char *name, uint32_t *arcs)
{
    size_t len = 0;

    for (; name[len] != '\0'; len++)
        arcs[len] = (uint8_t)name[len];
    return len;
}

static size_t drop_rows(struct mib_source *source)
{
    return source->state != NULL ? source->state->drop_count : 0;
}

static size_t drop_index(const struct mib_source *source, size_t row, uint32_t *arcs)
{
    return name_arcs(source->state->drop_rows[row].name, arcs);
}

static bool get_drop(const struct mib_source *source, size_t row, const struct mib_column *column,
                     struct mib_value *out)
{
    const struct named *drop = &source->state->drop_rows[row];

    (void)column;
    out->text = drop->name;
    out->number = (uint64_t)json_integer_value(drop->json);
    return true;
}

static const struct mib_column DROPS[] = {
    {2, MIB_TEXT, NULL, get_drop, 0},
    {3, MIB_COUNTER64, NULL, get_drop, 0},
};

static size_t peer_rows(struct mib_source *source)
{
    return source->state != NULL ? source->state->peer_count : 0;
}

static size_t peer_index(const struct mib_source *source, size_t row, uint32_t *arcs)
{
    return name_arcs(source->state->peer_rows[row].name, arcs);
}

static const json_t *peer_object(const struct mib_source *source, size_t row)
{
    return source->state->peer_rows[row].json;
}

static bool get_peer_state(const struct mib_source *source, size_t row, const struct mib_column *column,
                           struct mib_value *out)
{
    /* as BGP4-MIB numbers them */
    static const char *const STATES[] = {"Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established", NULL};

    out->number = number_of(member_text(peer_object(source, row), column->path), STATES);
    return out->number > 0;
}

/* Whether the operator lets it be up: TruthValue. */
static bool get_peer_enabled(const struct mib_source *source, size_t row, const struct mib_column *column,
                             struct mib_value *out)
{
    out->number = member_true(peer_object(source, row), column->path) ? 2 : 1;
    return true;
}

/* Of an array of both families. */
static bool get_peer_sum(const struct mib_source *source, size_t row, const struct mib_column *column,
                         struct mib_value *out)
{
    const json_t *object = member(peer_object(source, row), column->path);

    out->number = member_uint(object, "ipv4") + member_uint(object, "ipv6");
    return true;
}

/* Whether the kill-switch is on for it: TruthValue. */
static bool get_peer_killed(const struct mib_source *source, size_t row, const struct mib_column *column,
                            struct mib_value *out)
{
    const json_t *killed = member(source->state->status, column->path);
    const char *name = member_text(peer_object(source, row), "name");

    out->number = 2;
    for (size_t i = 0; i < json_array_size(killed); i++) {
        const char *other = json_string_value(json_array_get(killed, i));
        if (other != NULL && strcmp(other, name) == 0)
            out->number = 1;
    }
    return true;
}

static const struct mib_column PEERS[] = {
    {2, MIB_TEXT, "name", NULL, 0},
    {3, MIB_TEXT, "address", NULL, 0},
    {4, MIB_GAUGE, "asn", NULL, 0},
    {5, MIB_INTEGER, "state", get_peer_state, 0},
    {6, MIB_INTEGER, "admin_down", get_peer_enabled, 0},
    {7, MIB_GAUGE, "state_since_s", NULL, 0},
    {8, MIB_COUNTER32, "established_count", NULL, 0},
    {9, MIB_COUNTER64, "updates_in", NULL, 0},
    {10, MIB_COUNTER64, "updates_out", NULL, 0},
    {11, MIB_GAUGE, "rules_received", get_peer_sum, 0},
    {12, MIB_GAUGE, "rules_active", get_peer_sum, 0},
    {13, MIB_GAUGE, "rules_rejected", get_peer_sum, 0},
    {14, MIB_INTEGER, "vetting.kill_switch_peers", get_peer_killed, 0},
    {15, MIB_TEXT, "last_down", NULL, 0},
};

/* ---- ports ---- */

static size_t port_rows(struct mib_source *source)
{
    return source->state != NULL ? json_array_size(source->state->ports) : 0;
}

static size_t port_index(const struct mib_source *source, size_t row, uint32_t *arcs)
{
    (void)source;
    arcs[0] = (uint32_t)row + 1;
    return 1;
}

static const json_t *port_object(const struct mib_source *source, size_t row)
{
    return json_array_get(source->state->ports, row);
}

static bool get_port_mode(const struct mib_source *source, size_t row, const struct mib_column *column,
                          struct mib_value *out)
{
    static const char *const MODES[] = {"wire", "route", NULL};

    out->number = number_of(member_text(port_object(source, row), column->path), MODES);
    return out->number > 0;
}

static bool get_port_link(const struct mib_source *source, size_t row, const struct mib_column *column,
                          struct mib_value *out)
{
    static const char *const LINKS[] = {"up", "down", NULL};

    out->number = number_of(member_text(port_object(source, row), column->path), LINKS);
    return out->number > 0;
}

static bool get_port_drops(const struct mib_source *source, size_t row, const struct mib_column *column,
                           struct mib_value *out)
{
    json_t *drops = (json_t *)(uintptr_t)member(port_object(source, row), column->path), *value;
    const char *name;

    json_object_foreach(drops, name, value) out->number += (uint64_t)json_integer_value(value);
    return true;
}

static const struct mib_column PORTS[] = {
    {2, MIB_TEXT, "name", NULL, 0},
    {3, MIB_TEXT, "device", NULL, 0},
    {4, MIB_INTEGER, "mode", get_port_mode, 0},
    {5, MIB_INTEGER, "flowspec", NULL, 0},
    {6, MIB_INTEGER, "link", get_port_link, 0},
    {7, MIB_GAUGE, "speed_mbps", NULL, 0},
    {8, MIB_COUNTER64, "counters.rx_packets", NULL, 0},
    {9, MIB_COUNTER64, "counters.rx_bytes", NULL, 0},
    {10, MIB_COUNTER64, "counters.tx_packets", NULL, 0},
    {11, MIB_COUNTER64, "counters.tx_bytes", NULL, 0},
    {12, MIB_COUNTER64, "counters.punted_packets", NULL, 0},
    {13, MIB_COUNTER64, "counters.drops", get_port_drops, 0},
    {14, MIB_COUNTER64, "missed_packets", NULL, 0},
    {15, MIB_COUNTER64, "error_packets", NULL, 0},
};

/* ---- rules ---- */

static size_t rule_rows(struct mib_source *source)
{
    if (source->state == NULL)
        return 0;
    if (!source->rules_asked && source->get_rules != NULL)
        source->rules = source->get_rules(source->ctx);
    source->rules_asked = true;
    source->rules_missed = source->rules == NULL;
    return source->rules != NULL ? source->rules->count : 0;
}

static size_t rule_index(const struct mib_source *source, size_t row, uint32_t *arcs)
{
    arcs[0] = source->rules->rows[row].id;
    return 1;
}

static const void *rule_field(const struct mib_source *source, size_t row, const struct mib_column *column)
{
    return (const char *)&source->rules->rows[row] + column->offset;
}

static bool get_rule_text(const struct mib_source *source, size_t row, const struct mib_column *column,
                          struct mib_value *out)
{
    memcpy(&out->text, rule_field(source, row, column), sizeof out->text);
    return true;
}

static bool get_rule_u64(const struct mib_source *source, size_t row, const struct mib_column *column,
                         struct mib_value *out)
{
    memcpy(&out->number, rule_field(source, row, column), sizeof out->number);
    return true;
}

static bool get_rule_u32(const struct mib_source *source, size_t row, const struct mib_column *column,
                         struct mib_value *out)
{
    uint32_t number;

    memcpy(&number, rule_field(source, row, column), sizeof number);
    out->number = number;
    return true;
}

/* An enumeration, of which 0 is none. */
static bool get_rule_u8(const struct mib_source *source, size_t row, const struct mib_column *column,
                        struct mib_value *out)
{
    out->number = *(const uint8_t *)rule_field(source, row, column);
    return out->number > 0;
}

#define FIELD(name) offsetof(struct rule_row, name)
static const struct mib_column RULE[] = {
    {2, MIB_TEXT, NULL, get_rule_text, FIELD(match)},
    {3, MIB_TEXT, NULL, get_rule_text, FIELD(actions)},
    {4, MIB_INTEGER, NULL, get_rule_u8, FIELD(family)},
    {5, MIB_INTEGER, NULL, get_rule_u8, FIELD(state)},
    {6, MIB_TEXT, NULL, get_rule_text, FIELD(reason)},
    {7, MIB_TEXT, NULL, get_rule_text, FIELD(source)},
    {8, MIB_GAUGE, NULL, get_rule_u32, FIELD(rank)},
    {9, MIB_COUNTER64, NULL, get_rule_u64, FIELD(packets)},
    {10, MIB_COUNTER64, NULL, get_rule_u64, FIELD(octets)},
    {11, MIB_COUNTER64, NULL, get_rule_u64, FIELD(dropped_packets)},
    {12, MIB_COUNTER64, NULL, get_rule_u64, FIELD(dropped_octets)},
};
#undef FIELD

/* ---- the whole ---- */

const struct mib_group MIB_GROUPS[] = {
    {1, false, one_row, NULL, status_of, SYSTEM, COUNT(SYSTEM)},
    {2, false, one_row_of_state, NULL, status_of, RULES, COUNT(RULES)},
    {3, false, one_row_of_state, NULL, status_of, SESSIONS, COUNT(SESSIONS)},
    {4, false, one_row_of_state, NULL, status_of, PACKETS, COUNT(PACKETS)},
    {5, false, one_row_of_state, NULL, status_of, VALIDATOR, COUNT(VALIDATOR)},
    {6, true, drop_rows, drop_index, NULL, DROPS, COUNT(DROPS)},
    {7, true, port_rows, port_index, port_object, PORTS, COUNT(PORTS)},
    {8, true, peer_rows, peer_index, peer_object, PEERS, COUNT(PEERS)},
    {9, true, rule_rows, rule_index, NULL, RULE, COUNT(RULE)},
    {MIB_GROUP_NOTIFICATION, false, one_row, NULL, status_of, NOTIFICATION, COUNT(NOTIFICATION)},
};
const size_t MIB_GROUP_COUNT = COUNT(MIB_GROUPS);
