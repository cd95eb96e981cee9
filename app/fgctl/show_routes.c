/* SPDX-License-Identifier: BSD-3-Clause */
/* fgctl routes [PREFIX] */
#include <string.h>

#include "client.h"

static const char ROUTES_USAGE[] = "routes [PREFIX] [--limit N]";

static void integer_cell(struct table *table, const json_t *path, const char *key)
{
    if (json_is_integer(json_object_get(path, key)))
        table_cellf(table, "%" JSON_INTEGER_FORMAT, get_int(path, key));
    else
        table_cell(table, "-");
}

/* Why a path is not the best one, and what else is to be said of it. */
static void why_cell(struct table *table, const json_t *path)
{
    const char *lost_by = get_text(path, "lost_by"), *unreachable = get_text(path, "unreachable");
    const char *stale = json_is_true(json_object_get(path, "stale")) ? " stale" : "";
    char text[256];

    if (unreachable[0] != '\0')
        snprintf(text, sizeof text, "next hop: %s%s", unreachable, stale);
    else
        snprintf(text, sizeof text, "%s%s%s", lost_by[0] != '\0' ? "lost by " : "", lost_by, stale);
    table_cell(table, text);
}

/* One path; the prefix stands before the first. */
static void path_row(struct table *table, const json_t *route, const json_t *path, bool first)
{
    bool best = json_is_true(json_object_get(path, "best"));
    bool unreachable = get_text(path, "unreachable")[0] != '\0';
    const char *rd = get_text(route, "rd");
    char text[256];

    snprintf(text, sizeof text, "%s%s%s", rd, rd[0] != '\0' ? " " : "", get_text(route, "prefix"));
    table_cell(table, first ? text : "");
    table_cell_styled(table,
                      best          ? TABLE_GREEN
                      : unreachable ? TABLE_RED
                                    : TABLE_DIM,
                      best          ? "best"
                      : unreachable ? "unreachable"
                                    : "");
    table_cell(table, get_text(path, "peer"));
    table_cell(table, get_text(path, "next_hop"));
    integer_cell(table, path, "metric");
    integer_cell(table, path, "local_pref");
    integer_cell(table, path, "med");
    table_cell(table, get_text(path, "origin"));
    why_cell(table, path);
    table_cell(table, get_text(path, "as_path"));
}

/* The way to one gateway, or, where the route names none, what it is itself. */
static void forwarding_row(struct table *table, const json_t *route, const char *via, const json_t *hop, bool resolved)
{
    table_cell(table, get_text(route, "vrf"));
    table_cell(table, get_text(route, "prefix"));
    table_cell(table, get_text(route, "source"));
    table_cell(table, via);
    table_cell_styled(table, resolved ? TABLE_GREEN : TABLE_RED, get_text(hop, "kind"));
    table_cell(table, get_text(hop, "port"));
    table_cell(table, get_text(hop, "address"));
    table_cell(table, get_text(hop, "mac"));
    table_cell(table, get_text(hop, "neighbor"));
}

static void forwarding_rows(struct table *table, const json_t *route)
{
    const json_t *gateways = json_object_get(route, "via"), *hop = json_object_get(route, "next_hop");
    json_t *via;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)gateways, i, via)
        forwarding_row(table, route, get_text(via, "address"), json_object_get(via, "next_hop"),
                       json_is_true(json_object_get(via, "resolved")));
    if (json_array_size(gateways) == 0)
        forwarding_row(table, route, "", hop, strcmp(get_text(hop, "kind"), "unreachable") != 0);
}

static void show_forwarding(const struct fgctl *ctl, const json_t *routes)
{
    static const struct table_column COLUMNS[] = {{.title = "VRF"}, {.title = "PREFIX"},  {.title = "SOURCE"},
                                                  {.title = "VIA"}, {.title = "SENT AS"}, {.title = "PORT"},
                                                  {.title = "TO"},  {.title = "MAC"},     {.title = "NEIGHBOR"}};
    struct table *table = table_create(COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0]);
    json_t *route, *forwarding;
    size_t i, j;

    if (table == NULL)
        return;
    json_array_foreach((json_t *)(uintptr_t)routes, i, route)
        json_array_foreach(json_object_get(route, "forwarding"), j, forwarding) forwarding_rows(table, forwarding);
    if (table_rows(table) > 0) {
        printf("\nforwarding:\n");
        table_print(table, stdout, &ctl->form);
    }
    table_free(table);
}

static void show(const struct fgctl *ctl, const json_t *routes, unsigned long long limit)
{
    static const struct table_column COLUMNS[] = {{.title = "PREFIX"},
                                                  {.title = ""},
                                                  {.title = "PEER"},
                                                  {.title = "NEXT HOP"},
                                                  {.title = "METRIC", .right = true},
                                                  {.title = "PREF", .right = true},
                                                  {.title = "MED", .right = true},
                                                  {.title = "ORIGIN"},
                                                  {.title = "WHY"},
                                                  {.title = "AS PATH", .wrap = true}};
    struct table *table = table_create(COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0]);
    json_t *route, *path;
    size_t i, j;

    if (table == NULL)
        return;
    json_array_foreach((json_t *)(uintptr_t)routes, i, route)
        json_array_foreach(json_object_get(route, "paths"), j, path) path_row(table, route, path, j == 0);
    if (table_rows(table) == 0)
        printf("no routes from peers\n");
    else
        table_print(table, stdout, &ctl->form);
    table_free(table);
    show_forwarding(ctl, routes);
    if (json_array_size(routes) == limit)
        printf("the first %llu prefixes: name one to see what is around it, or give --limit\n", limit);
}

enum fgctl_status cmd_routes(struct fgctl *ctl, struct args *args)
{
    unsigned long long limit = 1000;
    json_t *routes;

    if (!args_number(args, "--limit", 1, &limit) || !args_left(args, 0, 1, ROUTES_USAGE))
        return FGCTL_REFUSED;
    json_t *request = json_pack("{s:I}", "limit", (json_int_t)limit);
    if (args->count == 1)
        json_object_set_new(request, "prefix", json_string(args->word[0]));
    if (ctl->json)
        return client_pass(ctl, "routes", request);
    enum fgctl_status status = client_call(ctl, "routes", request, &routes);
    if (status == FGCTL_DONE)
        show(ctl, routes, limit);
    json_decref(routes);
    return status;
}
