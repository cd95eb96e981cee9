/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What managers send to floodgate-snmp: an OID below our root, in octets (arcs up to 255, and from there on four octets
 * an arc). What comes next is behind it and is found by its own name; the same octets as text are a reason of the
 * breaker's.
 */
#include <stdlib.h>
#include <string.h>

#include "mib.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static struct state_view *state;
static struct rule_view *rules;

static const struct rule_view *give_rules(void *ctx)
{
    return ctx;
}

static void set_up(void)
{
    state = state_view_create(
        json_loads(
            "{\"version\": \"1\", \"dataplane\": \"running\", \"rules\": {\"active\": 1}, \"counters\": {\"drops\": "
            "{\"urpf\": 1, \"no_route\": 2, \"no\": 3}}, \"vetting\": {\"kill_switch\": \"on\"}}",
            0, NULL),
        json_loads("[{\"name\": \"a\", \"speed_mbps\": null}, {\"name\": \"b\", \"speed_mbps\": 1}]", 0, NULL),
        json_loads("[{\"name\": \"p\"}, {\"name\": \"peer\", \"state\": \"Idle\"}, {\"name\": \"\\u00ff\"}]", 0, NULL));
    rules = rule_view_create();
    require(state != NULL && rules != NULL);
    for (json_int_t id = 1; id < 4000000000; id = id * 3 + 1) {
        json_t *rule = json_pack("{s:I, s:s, s:s}", "id", id, "match", "protocol =6", "state", "active");
        require(rule_view_add(rules, rule));
        json_decref(rule);
    }
    rule_view_sort(rules);
}

static int compare(const uint32_t *a, size_t a_len, const uint32_t *b, size_t b_len)
{
    for (size_t i = 0; i < a_len && i < b_len; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return a_len < b_len ? -1 : a_len > b_len;
}

static size_t read_arcs(const uint8_t *data, size_t size, uint32_t arcs[MIB_ARCS_MOST])
{
    size_t len = 0;

    while (size > 0 && len < MIB_ARCS_MOST) {
        size_t used = data[0] == 255 && size >= 5 ? 5 : 1;
        if (used == 5)
            memcpy(&arcs[len++], data + 1, 4);
        else
            arcs[len++] = data[0];
        data += used;
        size -= used;
    }
    return len;
}

static void check_oid(const uint8_t *data, size_t size)
{
    struct mib_source source = {.state = state, .get_rules = give_rules, .ctx = rules};
    uint32_t arcs[MIB_ARCS_MOST], next[MIB_ARCS_MOST];
    struct mib_value value, same;
    size_t len = read_arcs(data, size, arcs), next_len;
    bool found = mib_get(&source, arcs, len, &value);

    if (!mib_next(&source, arcs, len, next, &next_len, &value))
        return;
    require(next_len <= MIB_ARCS_MOST && compare(next, next_len, arcs, len) > 0);
    require(mib_get(&source, next, next_len, &same) && same.number == value.number && same.text == value.text);
    require(!found || compare(next, next_len, arcs, len) != 0);
}

static void check_reason(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct event event;

    require(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    event_read_trip(text, &event);
    require(event.scope <= SCOPE_DESTINATION && strlen(event.scope_value) < sizeof event.scope_value);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (state == NULL)
        set_up();
    check_oid(data, size);
    check_reason(data, size);
    return 0;
}
