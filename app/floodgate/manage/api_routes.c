/* SPDX-License-Identifier: BSD-3-Clause */
/* The API's command `routes`: what peers announced, and what packets are forwarded by. */
#include <stdio.h>

#include "control/control.h"
#include "dataplane/dataplane.h"
#include "manage/api_commands.h"
#include "manage/json_forward.h"
#include "manage/json_routes.h"
#include "manage/json_util.h"

#define LIMIT_DEFAULT 1000  /* prefixes; a full table is a million */
#define LIMIT_MAX     10000 /* an answer is made in one go, and must not hold the loop */

struct listing {
    const struct dataplane *dp;
    const struct bgp_unicast *routes;
    const struct ip_prefix *prefix; /* NULL: all */
    uint64_t limit;
    json_t *array;
};

/* Routes that no entry of the peers' stands for already. Those of BGP in VRFs are not among the answers to a prefix. */
static bool is_missing(void *ctx, uint16_t vrf, const struct fwd_route *route)
{
    const struct listing *listing = ctx;
    const struct bgp_route same = {.family = route->prefix.family == IP_V6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST,
                                   .prefix = route->prefix};

    if (vrf != FWD_VRF_DEFAULT)
        return route->source != FWD_FROM_BGP || listing->prefix != NULL;
    return !bgp_unicast_has(listing->routes, &same);
}

static bool append_missing(void *ctx, uint16_t vrf, const struct fwd_route *route)
{
    struct listing *listing = ctx;
    json_t *o = json_object(), *forwarding = json_array();
    char text[IP_TEXT_SIZE];

    if (json_array_size(listing->array) >= listing->limit) {
        json_decref(o);
        json_decref(forwarding);
        return false;
    }
    json_array_append_new(forwarding, json_fib_route(listing->dp, vrf, route));
    json_set_text(o, "family", bgp_family_name(route->prefix.family == IP_V6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST));
    json_set_text(o, "prefix", ip_prefix_format(&route->prefix, text));
    json_object_set_new(o, "paths", json_array());
    json_object_set_new(o, "forwarding", forwarding);
    json_array_append_new(listing->array, o);
    return true;
}

static json_t *list(struct api_state *state, const struct ip_prefix *prefix, uint64_t limit)
{
    struct listing listing = {
        .dp = state->dp, .routes = control_routes(state->control), .prefix = prefix, .limit = limit};
    json_t *entry;
    size_t i;

    listing.array = json_routes(listing.routes, prefix, limit);
    json_array_foreach(listing.array, i, entry)
    {
        struct ip_prefix of;
        if (ip_prefix_parse(json_string_value(json_object_get(entry, "prefix")), &of))
            json_object_set_new(entry, "forwarding",
                                json_fib_exact(state->dp, &of, json_object_get(entry, "rd") != NULL));
    }
    if (json_array_size(listing.array) < limit) /* else there is no room for what would be found in a whole table */
        json_fib_each(state->dp, prefix, is_missing, append_missing, &listing);
    return listing.array;
}

void api_run_routes(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    const char *text = request_string(args, "prefix");
    uint64_t limit = request_uint(args, "limit", LIMIT_DEFAULT);
    struct ip_prefix prefix;

    if (text != NULL && !ip_prefix_parse(text, &prefix))
        snprintf(answer->error, sizeof answer->error, "'%.64s' is no prefix such as 203.0.113.0/24, and no address",
                 text);
    else if (limit == 0 || limit > LIMIT_MAX)
        snprintf(answer->error, sizeof answer->error, "limit is 1 to %u", LIMIT_MAX);
    else
        answer->result = list(state, text != NULL ? &prefix : NULL, limit);
}
