/* SPDX-License-Identifier: BSD-3-Clause */
/* Sections `router`, `dataplane` and `api`. */
#include <stddef.h>
#include <string.h>

#include "conf/schema.h"

#define AT(field) offsetof(struct cfg_router, field)
static const struct cfg_key ROUTER_KEYS[] = {
    {.name = "id",
     .set = cfg_set_router_id,
     .offset = AT(id),
     .required = true,
     .wants = "the BGP identifier, written as an IPv4 address such as 192.0.2.1"},
    {.name = "asn",
     .set = cfg_set_uint32,
     .offset = AT(asn),
     .required = true,
     .wants = "an AS number from 1 to 4294967294",
     .min = 1,
     .max = UINT32_MAX - 1}, /* RFC 7607, RFC 7300 */
};
#undef AT

const struct cfg_map cfg_router_map = {.title = "router", .keys = ROUTER_KEYS, .key_count = CFG_COUNT(ROUTER_KEYS)};

/* One entry of `workers`: an lcore, listed once. */
static void set_worker(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node)
{
    struct cfg_dataplane *dataplane = &reader->cfg->dataplane;
    struct cfg_key one = *key;
    uint16_t lcore = CFG_LCORES_MAX;

    one.wants = "an lcore from 0 to 127";
    cfg_set_uint16(reader, &one, node, &lcore);
    if (lcore == CFG_LCORES_MAX)
        return;
    for (unsigned i = 0; i < dataplane->worker_count; i++) {
        if (dataplane->workers[i] == lcore) {
            cfg_problem_add(&reader->problems, node->line, "workers: lcore %u is listed twice", lcore);
            return;
        }
    }
    dataplane->workers[dataplane->worker_count++] = lcore;
}

static void set_workers(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    struct cfg_dataplane *dataplane = &reader->cfg->dataplane;

    (void)field;
    if (node->kind == CFG_NODE_BAD)
        return;
    if (node->kind == CFG_NODE_TEXT && strcmp(node->text, "auto") == 0) {
        dataplane->workers_auto = true;
        return;
    }
    if (node->kind == CFG_NODE_LIST && node->count == 0) {
        cfg_problem_add(&reader->problems, node->line, "workers: the list is empty; it takes %s", key->wants);
        return;
    }
    if (node->kind != CFG_NODE_LIST) {
        if (cfg_node_text(reader, key, node))
            cfg_problem_value(reader, key, node);
        return;
    }
    for (const struct cfg_node *child = node->first; child; child = child->next)
        set_worker(reader, key, child);
}

static const struct cfg_choice HUGEPAGES[] = {{"auto", CFG_HUGEPAGES_AUTO}, {"off", CFG_HUGEPAGES_OFF}, {0}};
static const struct cfg_choice START[] = {{"auto", CFG_START_AUTO}, {"manual", CFG_START_MANUAL}, {0}};
static const struct cfg_choice IDLE[] = {
    {"auto", CFG_IDLE_AUTO}, {"poll", CFG_IDLE_POLL}, {"sleep", CFG_IDLE_SLEEP}, {0}};

static const struct cfg_choice EXCEPTION_PATH[] = {
    {"auto", CFG_EXCEPTION_AUTO}, {"on", CFG_EXCEPTION_ON}, {"off", CFG_EXCEPTION_OFF}, {0}};

static const struct cfg_key EAL_ITEM = {
    .name = "eal", .set = cfg_set_text, .wants = "one EAL argument, such as \"--log-level=6\""};

#define AT(field) offsetof(struct cfg_dataplane, field)
static const struct cfg_key DATAPLANE_KEYS[] = {
    {.name = "workers",
     .set = set_workers,
     .offset = AT(workers),
     .fallback = "auto",
     .wants = "auto, or a list of lcores such as [1, 2]",
     .max = CFG_LCORES_MAX - 1},
    {.name = "control",
     .set = cfg_set_uint16,
     .offset = AT(control_lcore),
     .fallback = "0",
     .wants = "an lcore from 0 to 127",
     .max = CFG_LCORES_MAX - 1},
    {.name = "hugepages", .set = cfg_set_choice, .offset = AT(hugepages), .fallback = "auto", .choices = HUGEPAGES},
    {.name = "memory",
     .set = cfg_set_uint32,
     .offset = AT(memory_mib),
     .fallback = "1024",
     .min = 64,
     .max = 1048576,
     .unit = "MiB"},
    {.name = "rules-memory",
     .set = cfg_set_uint32,
     .offset = AT(rules_memory_mib),
     .min = 4,
     .max = 1048576,
     .unit = "MiB"},
    {.name = "start", .set = cfg_set_choice, .offset = AT(start), .fallback = "auto", .choices = START},
    {.name = "idle", .set = cfg_set_choice, .offset = AT(idle), .fallback = "auto", .choices = IDLE},
    {.name = "max-rules",
     .set = cfg_set_uint32,
     .offset = AT(max_rules),
     .fallback = "1000000",
     .min = 1,
     .max = 16000000,
     .unit = "rules"},
    {.name = "burst-ms",
     .set = cfg_set_uint32,
     .offset = AT(burst_ms),
     .fallback = "100",
     .min = 1,
     .max = 10000,
     .unit = "milliseconds"},
    {.name = "exception-path",
     .set = cfg_set_choice,
     .offset = AT(exception_path),
     .fallback = "auto",
     .choices = EXCEPTION_PATH},
    {.name = "punt-limits", .set = cfg_set_map, .offset = AT(punt_packets_per_s), .map = &cfg_punt_limits_map},
    {.name = "eal",
     .set = cfg_set_list,
     .offset = AT(eal),
     .wants = "a list of EAL arguments, such as [\"--log-level=6\"]",
     .item = &EAL_ITEM,
     .item_size = sizeof(char *),
     .count_offset = AT(eal_count),
     .max_items = 64},
};
#undef AT

const struct cfg_map cfg_dataplane_map = {
    .title = "dataplane", .keys = DATAPLANE_KEYS, .key_count = CFG_COUNT(DATAPLANE_KEYS)};

#define AT(field) offsetof(struct cfg_api, field)
static const struct cfg_key API_KEYS[] = {
    {.name = "socket",
     .set = cfg_set_text,
     .offset = AT(socket),
     .fallback = "/run/floodgate/api.sock",
     .wants = "a path of at most 107 octets", /* unix(7): sun_path */
     .max = 107},
    {.name = "metrics",
     .set = cfg_set_endpoint,
     .offset = AT(metrics),
     .wants = "ADDRESS:PORT, such as 127.0.0.1:9469 or [::1]:9469"},
};
#undef AT

const struct cfg_map cfg_api_map = {.title = "api", .keys = API_KEYS, .key_count = CFG_COUNT(API_KEYS)};
