/* SPDX-License-Identifier: BSD-3-Clause */
/* Section `sampling`: which packets are sampled, and where the samples go. */
#include <stddef.h>
#include <string.h>

#include "conf/check.h"
#include "conf/schema.h"

#define AT(field) offsetof(struct cfg_sampled_port, field)
static const struct cfg_key PORT_KEYS[] = {
    {.name = "port", .set = cfg_set_name, .offset = AT(port), .required = true, .wants = "the name of a port"},
    {.name = "one-in",
     .set = cfg_set_uint32,
     .offset = AT(one_in),
     .required = true,
     .min = 1,
     .max = 16777216,
     .unit = "packets"},
};

static const struct cfg_map PORT_MAP = {.title = "a sampled port",
                                        .keys = PORT_KEYS,
                                        .key_count = CFG_COUNT(PORT_KEYS),
                                        .has_line = true,
                                        .line_offset = AT(line)};
#undef AT

static const struct cfg_key PORT_ITEM = {
    .name = "ports", .set = cfg_set_map, .map = &PORT_MAP, .wants = "a map such as {port: wan, one-in: 1000}"};

/* Samples that go nowhere are a mistake. */
static void sampling_finish(struct cfg_reader *reader, const struct cfg_node *node, void *object)
{
    struct cfg_sampling *sampling = object;

    if (node->line == 0) /* there is no such section */
        return;
    if (!cfg_map_has(node, "directory") && !cfg_map_has(node, "collector"))
        cfg_problem_add(&reader->problems, node->line,
                        "sampling: say where the samples go: 'directory' for files, 'collector' for sFlow, or both");
    sampling->set = true;
}

#define AT(field) offsetof(struct cfg_sampling, field)
static const struct cfg_key SAMPLING_KEYS[] = {
    {.name = "directory",
     .set = cfg_set_text,
     .offset = AT(directory),
     .wants = "a path of at most 200 octets, such as /var/lib/floodgate/samples",
     .max = 200},
    {.name = "file-size",
     .set = cfg_set_uint32,
     .offset = AT(file_mib),
     .fallback = "64",
     .min = 1,
     .max = 4096,
     .unit = "MiB"},
    {.name = "files",
     .set = cfg_set_uint32,
     .offset = AT(files),
     .fallback = "8",
     .min = 1,
     .max = 1000,
     .unit = "files"},
    {.name = "collector",
     .set = cfg_set_endpoint,
     .offset = AT(collector),
     .wants = "ADDRESS:PORT, such as 192.0.2.9:6343 or [2001:db8::9]:6343"},
    {.name = "snap-length",
     .set = cfg_set_uint32,
     .offset = AT(snap_length),
     .fallback = "128",
     .min = 64,
     .max = 1024,
     .unit = "octets"},
    {.name = "rules-one-in",
     .set = cfg_set_uint32,
     .offset = AT(rules_one_in),
     .fallback = "1",
     .min = 1,
     .max = 16777216,
     .unit = "packets"},
    {.name = "ports",
     .set = cfg_set_list,
     .offset = AT(ports),
     .wants = "a list of ports, such as [{port: wan, one-in: 1000}]",
     .item = &PORT_ITEM,
     .item_size = sizeof(struct cfg_sampled_port),
     .count_offset = AT(port_count),
     .max_items = 256},
};
#undef AT

const struct cfg_map cfg_sampling_map = {
    .title = "sampling", .keys = SAMPLING_KEYS, .key_count = CFG_COUNT(SAMPLING_KEYS), .finish = sampling_finish};

static bool port_named(const void *item)
{
    return ((const struct cfg_sampled_port *)item)->port != NULL;
}

static int port_compare(const void *a, const void *b)
{
    return strcmp(((const struct cfg_sampled_port *)a)->port, ((const struct cfg_sampled_port *)b)->port);
}

static void port_again(struct cfg_reader *reader, const void *first, const void *again)
{
    cfg_problem_add(&reader->problems, ((const struct cfg_sampled_port *)again)->line,
                    "port: the samples of '%s' are set on line %u already",
                    ((const struct cfg_sampled_port *)again)->port, ((const struct cfg_sampled_port *)first)->line);
}

void cfg_check_sampling(struct cfg_reader *reader)
{
    const struct cfg *cfg = reader->cfg;
    struct cfg_unique ports = {
        cfg->sampling.ports, cfg->sampling.port_count, sizeof cfg->sampling.ports[0], port_named, port_compare,
        port_again};

    for (size_t i = 0; i < cfg->sampling.port_count; i++) {
        const struct cfg_sampled_port *port = &cfg->sampling.ports[i];
        if (port->port != NULL && cfg_find_port(cfg, port->port) == NULL)
            cfg_no_such_port(reader, "port", port->port, cfg_line_of(reader, &port->port, port->line));
    }
    cfg_check_unique(reader, &ports);
}
