/* SPDX-License-Identifier: BSD-3-Clause */
/* fgctl peers, fgctl peer NAME ... */
#include <string.h>

#include "base/strbuf.h"
#include "client.h"

static const char PEER_USAGE[] = "peer NAME [up|down [REASON]|refresh]";

static bool established(const json_t *peer)
{
    return strcmp(get_text(peer, "state"), "Established") == 0;
}

static bool admin_down(const json_t *peer)
{
    return json_is_true(json_object_get(peer, "admin_down"));
}

/* What an operator has to know beyond the numbers. */
static void note_text(const json_t *peer, char *text, size_t size)
{
    if (admin_down(peer))
        snprintf(text, size, "taken down by the operator");
    else if (established(peer) && get_text(peer, "last_bad")[0] == '\0' &&
             json_array_size(json_object_get(peer, "deferred")) > 0)
        snprintf(text, size, "not told everything yet: we have started, and wait for other peers");
    else if (established(peer))
        snprintf(text, size, "%s", get_text(peer, "last_bad"));
    else if (get_text(peer, "last_down")[0] != '\0')
        snprintf(text, size, "%s", get_text(peer, "last_down"));
    else
        snprintf(text, size, "%s", json_is_true(json_object_get(peer, "passive")) ? "waiting for its connection" : "");
}

/* The sum of one count over all families of routes. */
static uint64_t routes_of(const json_t *peer, const char *count)
{
    uint64_t sum = 0;
    const char *family;
    json_t *counts;

    json_object_foreach(json_object_get(peer, "routes"), family, counts) sum += (uint64_t)get_int(counts, count);
    return sum;
}

static void peer_row(struct table *table, const json_t *peer)
{
    char text[512];

    table_cell(table, get_text(peer, "name"));
    table_cell(table, get_text(peer, "address"));
    table_cellf(table, "%" JSON_INTEGER_FORMAT, get_int(peer, "asn"));
    table_cell_styled(table,
                      established(peer)  ? TABLE_GREEN
                      : admin_down(peer) ? TABLE_YELLOW
                                         : TABLE_RED,
                      get_text(peer, "state"));
    table_cell(table, number_duration((uint64_t)get_int(peer, "state_since_s"), text));
    table_number(table, (uint64_t)sum_of(json_object_get(peer, "rules_received")));
    table_number(table, (uint64_t)sum_of(json_object_get(peer, "rules_active")));
    table_number(table, (uint64_t)sum_of(json_object_get(peer, "rules_rejected")));
    table_number(table, (uint64_t)sum_of(json_object_get(peer, "rules_sent")));
    table_number(table, routes_of(peer, "accepted"));
    table_number(table, routes_of(peer, "sent"));
    table_number(table, (uint64_t)get_int(peer, "bad_nlri"));
    note_text(peer, text, sizeof text);
    table_cell(table, text);
}

static void show_peers(const struct fgctl *ctl, const json_t *peers)
{
    static const struct table_column COLUMNS[] = {{.title = "PEER"},
                                                  {.title = "ADDRESS"},
                                                  {.title = "AS", .right = true},
                                                  {.title = "STATE"},
                                                  {.title = "FOR", .right = true},
                                                  {.title = "RULES", .right = true},
                                                  {.title = "ACTIVE", .right = true},
                                                  {.title = "REJECTED", .right = true},
                                                  {.title = "RULES OUT", .right = true},
                                                  {.title = "ROUTES", .right = true},
                                                  {.title = "ROUTES OUT", .right = true},
                                                  {.title = "BAD NLRI", .right = true},
                                                  {.title = "NOTE", .wrap = true}};
    struct table *table = table_create(COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0]);
    size_t i;
    json_t *peer;

    if (table == NULL)
        return;
    json_array_foreach((json_t *)(uintptr_t)peers, i, peer) peer_row(table, peer);
    if (table_rows(table) == 0)
        printf("no peers\n");
    else
        table_print(table, stdout, &ctl->form);
    table_free(table);
}

enum fgctl_status cmd_peers(struct fgctl *ctl, struct args *args)
{
    json_t *peers;

    if (!args_left(args, 0, 0, "peers"))
        return FGCTL_REFUSED;
    if (ctl->json)
        return client_pass(ctl, "peers", NULL);
    enum fgctl_status status = client_call(ctl, "peers", NULL, &peers);
    if (status == FGCTL_DONE)
        show_peers(ctl, peers);
    json_decref(peers);
    return status;
}

static void add_list(struct table *details, const char *name, const json_t *array, const char *none)
{
    char text[512];
    struct strbuf sb = sb_init(text, sizeof text);
    size_t i;
    json_t *item;

    json_array_foreach((json_t *)(uintptr_t)array, i, item)
        sb_printf(&sb, "%s%s", i > 0 ? ", " : "", json_string_value(item));
    details_add(details, name, "%s", sb.length > 0 ? text : none);
}

static void add_by_family(struct table *details, const char *name, const json_t *counts)
{
    char text[2][NUMBER_TEXT_SIZE];

    details_add(details, name, "%s IPv4, %s IPv6", number_group((uint64_t)get_int(counts, "ipv4"), text[0]),
                number_group((uint64_t)get_int(counts, "ipv6"), text[1]));
}

/* What guards its connections, where something does. */
static void add_guard(struct table *details, const json_t *peer)
{
    char text[128];
    struct strbuf sb = sb_init(text, sizeof text);

    if (json_is_true(json_object_get(peer, "password")))
        sb_text(&sb, "password");
    if (json_is_true(json_object_get(peer, "ttl_security")))
        sb_printf(&sb, "%sTTL security", sb.length > 0 ? ", " : "");
    if (json_is_string(json_object_get(peer, "device")))
        sb_printf(&sb, "%sdevice %s", sb.length > 0 ? ", " : "", get_text(peer, "device"));
    if (sb.length > 0)
        details_add(details, "guarded by", "%s", text);
}

static void add_session(struct table *details, const json_t *peer)
{
    const json_t *error = json_object_get(peer, "last_notification");
    char text[NUMBER_TEXT_SIZE];

    add_guard(details, peer);

    if (established(peer)) {
        details_add(details, "router id", "%s", get_text(peer, "router_id"));
        details_add(details, "hold time", "%" JSON_INTEGER_FORMAT " s", get_int(peer, "hold_time_s"));
        add_list(details, "families", json_object_get(peer, "families"), "none in common");
        add_list(details, "offered here", json_object_get(peer, "capabilities_sent"), "none");
        add_list(details, "by the peer", json_object_get(peer, "capabilities_received"), "none");
    } else {
        add_list(details, "families", json_object_get(peer, "families_configured"), "none");
    }
    details_add(details, "messages",
                "%" JSON_INTEGER_FORMAT " in (%" JSON_INTEGER_FORMAT " UPDATE), %" JSON_INTEGER_FORMAT
                " out (%" JSON_INTEGER_FORMAT " UPDATE)",
                get_int(peer, "messages_in"), get_int(peer, "updates_in"), get_int(peer, "messages_out"),
                get_int(peer, "updates_out"));
    details_add(details, "waiting", "%s octets to be taken by the peer",
                number_group((uint64_t)get_int(peer, "output_waiting_bytes"), text));
    details_add(details, "established", "%" JSON_INTEGER_FORMAT " %s so far", get_int(peer, "established_count"),
                plural(get_int(peer, "established_count"), "time", "times"));
    /* mostly the session went down by it, which says the same again */
    if (json_is_object(error) && strstr(get_text(peer, "last_down"), get_text(error, "text")) == NULL)
        details_add(details, "notification", "last %s: %s", get_text(error, "direction"), get_text(error, "text"));
    if (get_text(peer, "last_down")[0] != '\0')
        details_add(details, "last down", "%s", get_text(peer, "last_down"));
}

static void add_stale(struct table *details, const json_t *peer)
{
    const json_t *stale = json_object_get(peer, "stale");
    char text[NUMBER_TEXT_SIZE];

    if (!json_is_object(stale))
        return;
    add_by_family(details, "stale", json_object_get(peer, "rules_stale"));
    add_list(details, "kept", json_object_get(stale, "families"), "");
    details_add(details, "kept for", "%s more, unless announced again",
                number_duration((uint64_t)get_int(stale, "left_s"), text));
}

/* After our start it is not told yet what was learned (RFC 4724 4.1). */
static void add_deferred(struct table *details, const json_t *peer)
{
    const json_t *families = json_object_get(peer, "deferred");

    if (json_array_size(families) == 0)
        return;
    add_list(details, "not told yet", families, "");
    details_add(details, "because", "after our start, other peers are still to announce everything");
}

static void add_routes(struct table *details, const json_t *peer)
{
    char text[4][NUMBER_TEXT_SIZE];
    const char *family;
    json_t *counts;

    json_object_foreach(json_object_get(peer, "routes"), family, counts)
        details_add(details, family, "%s routes received, %s accepted, %s rejected, %s sent",
                    number_group((uint64_t)get_int(counts, "received"), text[0]),
                    number_group((uint64_t)get_int(counts, "accepted"), text[1]),
                    number_group((uint64_t)get_int(counts, "rejected"), text[2]),
                    number_group((uint64_t)get_int(counts, "sent"), text[3]));
    if (get_int(peer, "routes_unreachable") > 0)
        details_add(details, "left out", "%s routes, whose next hops cannot be reached",
                    number_group((uint64_t)get_int(peer, "routes_unreachable"), text[0]));
    if (get_int(peer, "routes_queued") > 0)
        details_add(details, "routes waiting", "%s to be sent",
                    number_group((uint64_t)get_int(peer, "routes_queued"), text[0]));
}

static void show_peer(const struct fgctl *ctl, const json_t *peer)
{
    struct table *details = details_create();
    char text[NUMBER_TEXT_SIZE];

    if (details == NULL)
        return;
    printf("peer %s\n", get_text(peer, "name"));
    if (json_is_true(json_object_get(peer, "passive")))
        details_add(details, "address", "%s, AS %" JSON_INTEGER_FORMAT ", connects to us", get_text(peer, "address"),
                    get_int(peer, "asn"));
    else
        details_add(details, "address", "%s port %" JSON_INTEGER_FORMAT ", AS %" JSON_INTEGER_FORMAT,
                    get_text(peer, "address"), get_int(peer, "port"), get_int(peer, "asn"));
    if (json_is_string(json_object_get(peer, "range")))
        details_add(details, "range", "%s: it goes when its session and rules have gone", get_text(peer, "range"));
    details_add(details, "state", "%s for %s%s", get_text(peer, "state"),
                number_duration((uint64_t)get_int(peer, "state_since_s"), text),
                admin_down(peer) ? ", taken down by the operator" : "");
    add_session(details, peer);
    add_by_family(details, "rules held", json_object_get(peer, "rules_received"));
    add_by_family(details, "active", json_object_get(peer, "rules_active"));
    add_by_family(details, "rejected", json_object_get(peer, "rules_rejected"));
    add_by_family(details, "not imported", json_object_get(peer, "rules_not_imported"));
    add_by_family(details, "sent", json_object_get(peer, "rules_sent"));
    add_by_family(details, "waiting to be sent", json_object_get(peer, "rules_queued"));
    add_routes(details, peer);
    add_deferred(details, peer);
    add_stale(details, peer);
    details_add(details, "withdrawals", "%s", number_group((uint64_t)get_int(peer, "withdrawals"), text));
    details_add(details, "refused",
                "%" JSON_INTEGER_FORMAT " NLRI, %" JSON_INTEGER_FORMAT " attributes, %" JSON_INTEGER_FORMAT
                " connections",
                get_int(peer, "bad_nlri"), get_int(peer, "bad_attributes"), get_int(peer, "refused_connections"));
    if (get_text(peer, "last_bad")[0] != '\0')
        details_add(details, "last refused", "%s", get_text(peer, "last_bad"));
    details_print(ctl, details);
}

/* `fgctl peer NAME`: one of the peers. */
static enum fgctl_status show_one(const struct fgctl *ctl, const char *name)
{
    enum fgctl_status status;
    const json_t *found = NULL;
    json_t *peers, *peer;
    size_t i;

    status = client_call(ctl, "peers", NULL, &peers);
    json_array_foreach(peers, i, peer) if (strcmp(get_text(peer, "name"), name) == 0) found = peer;
    if (status == FGCTL_DONE && found == NULL)
        status = fgctl_refuse("no peer '%s': `fgctl peers` lists them", name);
    else if (found != NULL && ctl->json)
        json_dumpf(found, stdout, JSON_COMPACT), putchar('\n');
    else if (found != NULL)
        show_peer(ctl, found);
    json_decref(peers);
    return status;
}

enum fgctl_status cmd_peer(struct fgctl *ctl, struct args *args)
{
    static const char *const SAID[][2] = {{"up", "will be started"},
                                          {"down", "is taken down, and its rules with it"},
                                          {"refresh", "was asked to announce its rules again"}};
    json_t *answer;

    if (!args_left(args, 1, 3, PEER_USAGE))
        return FGCTL_REFUSED;
    if (args->count == 1)
        return show_one(ctl, args->word[0]);
    json_t *request = json_pack("{s:s, s:s}", "name", args->word[0], "action", args->word[1]);
    if (request != NULL && args->count == 3 && json_object_set_new(request, "reason", json_string(args->word[2])) < 0) {
        json_decref(request);
        return fgctl_refuse("the reason is not UTF-8");
    }
    if (request == NULL)
        return fgctl_refuse("the name is not UTF-8");
    if (ctl->json)
        return client_pass(ctl, "peer", request);
    enum fgctl_status status = client_call(ctl, "peer", request, &answer);
    for (size_t i = 0; status == FGCTL_DONE && i < sizeof SAID / sizeof SAID[0]; i++)
        if (strcmp(SAID[i][0], args->word[1]) == 0)
            printf("peer %s %s\n", args->word[0], SAID[i][1]);
    json_decref(answer);
    return status;
}
