/* SPDX-License-Identifier: BSD-3-Clause */
/* fgctl status, ports, workers, counters, dataplane, reload */
#include <string.h>

#include "base/strbuf.h"
#include "client.h"

#define MIB 1048576.0

/* A command without arguments: the answer as it is, or through `show`. */
static enum fgctl_status ask_and_show(struct fgctl *ctl, struct args *args, const char *command,
                                      void (*show)(const struct fgctl *ctl, const json_t *answer))
{
    json_t *answer;

    if (!args_left(args, 0, 0, command))
        return FGCTL_REFUSED;
    if (ctl->json)
        return client_pass(ctl, command, NULL);
    enum fgctl_status status = client_call(ctl, command, NULL, &answer);
    if (status == FGCTL_DONE)
        show(ctl, answer);
    json_decref(answer);
    return status;
}

/* Members of `object` that are not 0: "3 active, 1 rejected". */
static void list_counts(const json_t *object, struct strbuf *out)
{
    char number[NUMBER_TEXT_SIZE];
    const char *name;
    json_t *value;
    const char *joint = "";

    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (json_integer_value(value) == 0)
            continue;
        sb_printf(out, "%s%s %s", joint, number_group((uint64_t)json_integer_value(value), number), name);
        joint = ", ";
    }
}

static void add_rules(struct table *details, const json_t *rules)
{
    char text[256], number[NUMBER_TEXT_SIZE];
    struct strbuf sb = sb_init(text, sizeof text);
    json_int_t total = sum_of(rules);

    if (total == 0) {
        details_add(details, "rules", "none");
        return;
    }
    list_counts(rules, &sb);
    details_add(details, "rules", "%s: %s", number_group((uint64_t)total, number), text);
}

static void add_rules_memory(struct table *details, const json_t *memory)
{
    details_add(details, "rule memory", "%.1f of %.0f MiB of the data plane", get_real(memory, "used_bytes") / MIB,
                get_real(memory, "limit_bytes") / MIB);
}

static void add_packets(struct table *details, const json_t *counters)
{
    const json_t *drops = json_object_get(counters, "drops");
    char text[512], number[3][NUMBER_TEXT_SIZE];
    struct strbuf sb = sb_init(text, sizeof text);
    json_int_t dropped = sum_of(drops);

    list_counts(drops, &sb);
    details_add(details, "packets", "%s received, %s sent, %s dropped%s%s%s",
                number_group((uint64_t)get_int(counters, "rx_packets"), number[0]),
                number_group((uint64_t)get_int(counters, "tx_packets"), number[1]),
                number_group((uint64_t)dropped, number[2]), dropped > 0 ? " (" : "", text, dropped > 0 ? ")" : "");
}

static void add_sessions(struct table *details, const json_t *sessions)
{
    const json_t *ranges = json_object_get(sessions, "ranges");
    json_int_t unknown = get_int(sessions, "unknown_connections");
    size_t i;
    json_t *range;

    if (get_int(sessions, "configured") == 0 && json_array_size(ranges) == 0)
        details_add(details, "sessions", "no peer configured");
    else
        details_add(details, "sessions", "%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " established",
                    get_int(sessions, "established"), get_int(sessions, "configured"));
    json_array_foreach((json_t *)(uintptr_t)ranges, i, range)
        details_add(details, i == 0 ? "ranges" : "",
                    "%s %s: %" JSON_INTEGER_FORMAT " of at most %" JSON_INTEGER_FORMAT " peers, %" JSON_INTEGER_FORMAT
                    " %s refused",
                    get_text(range, "name"), get_text(range, "prefix"), get_int(range, "peers"),
                    get_int(range, "max_peers"), get_int(range, "refused_connections"),
                    plural(get_int(range, "refused_connections"), "connection", "connections"));
    if (unknown > 0)
        details_add(details, "", "%" JSON_INTEGER_FORMAT " %s turned away: no peer has their address", unknown,
                    plural(unknown, "connection", "connections"));
}

/* What an operator must not overlook stands here, and nothing where there is nothing of the kind. */
static void add_vetting(struct table *details, const json_t *vetting)
{
    json_int_t trips = get_int(vetting, "breaker_trips"), delayed = get_int(vetting, "delayed_changes");
    char number[NUMBER_TEXT_SIZE];
    size_t i;
    json_t *peer;

    if (strcmp(get_text(vetting, "kill_switch"), "on") == 0)
        details_add(details, "KILL-SWITCH", "ON: no rule is enforced");
    json_array_foreach(json_object_get(vetting, "kill_switch_peers"), i, peer)
        details_add(details, "KILL-SWITCH", "ON for peer %s: none of its rules is enforced", json_string_value(peer));
    if (json_is_false(json_object_get(vetting, "sense")))
        details_add(details, "SENSE", "OFF: rules that no packet can match take memory of the data plane");
    if (trips > 0)
        details_add(details, "BREAKER", "suspended %s %s since the start: `fgctl journal --step breaker`",
                    number_group((uint64_t)trips, number), plural(trips, "rule", "rules"));
    if (delayed > 0)
        details_add(details, "delayed", "%s %s", number_group((uint64_t)delayed, number),
                    plural(delayed, "change waits its turn (max-changes)", "changes wait their turn (max-changes)"));
    if (json_is_true(json_object_get(vetting, "guard")))
        details_add(details, "guard", "rules dropped %.1f %% of what came in; %s headers sampled",
                    get_real(vetting, "drop_share_percent"),
                    number_group((uint64_t)get_int(vetting, "samples"), number));
}

static void show_status(const struct fgctl *ctl, const json_t *status)
{
    const json_t *rates = json_object_get(status, "rates");
    json_int_t workers = get_int(status, "workers"), ports = get_int(status, "ports");
    struct table *details = details_create();
    char text[5][NUMBER_TEXT_SIZE];

    if (details == NULL)
        return;
    printf("floodgate %s, up %s, pid %" JSON_INTEGER_FORMAT "\n", get_text(status, "version"),
           number_duration((uint64_t)get_int(status, "uptime_s"), text[0]), get_int(status, "pid"));
    details_add(details, "data plane", "%s, %" JSON_INTEGER_FORMAT " %s, %" JSON_INTEGER_FORMAT " %s%s",
                get_text(status, "dataplane"), workers, plural(workers, "worker", "workers"), ports,
                plural(ports, "port", "ports"),
                strcmp(get_text(status, "dataplane"), "running") == 0 ? "" : " (`fgctl dataplane start` starts it)");
    add_sessions(details, json_object_get(status, "sessions"));
    add_rules(details, json_object_get(status, "rules"));
    add_rules_memory(details, json_object_get(status, "rules_memory"));
    add_vetting(details, json_object_get(status, "vetting"));
    details_add(details, "rate", "in %s, %s; out %s, %s; dropped %s",
                number_si(get_real(rates, "rx_packets_per_s"), "pps", text[0]),
                number_si(get_real(rates, "rx_bits_per_s"), "bit/s", text[1]),
                number_si(get_real(rates, "tx_packets_per_s"), "pps", text[2]),
                number_si(get_real(rates, "tx_bits_per_s"), "bit/s", text[3]),
                number_si(get_real(rates, "dropped_packets_per_s"), "pps", text[4]));
    add_packets(details, json_object_get(status, "counters"));
    details_print(ctl, details);
}

enum fgctl_status cmd_status(struct fgctl *ctl, struct args *args)
{
    return ask_and_show(ctl, args, "status", show_status);
}

static void show_ports(const struct fgctl *ctl, const json_t *ports)
{
    static const struct table_column COLUMNS[] = {{.title = "PORT"},
                                                  {.title = "DEVICE", .wrap = true},
                                                  {.title = "LINK"},
                                                  {.title = "FLOWSPEC"},
                                                  {.title = "PEER/KERNEL"},
                                                  {.title = "RX PACKETS", .right = true},
                                                  {.title = "RX", .right = true},
                                                  {.title = "TX PACKETS", .right = true},
                                                  {.title = "TX", .right = true},
                                                  {.title = "DROPPED", .right = true},
                                                  {.title = "MISSED", .right = true}};
    struct table *table = table_create(COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0]);
    char text[NUMBER_TEXT_SIZE];
    size_t i;
    json_t *port;

    if (table == NULL)
        return;
    json_array_foreach((json_t *)(uintptr_t)ports, i, port)
    {
        const json_t *counters = json_object_get(port, "counters");
        bool up = strcmp(get_text(port, "link"), "up") == 0, flowspec = json_is_true(json_object_get(port, "flowspec"));
        table_cell(table, get_text(port, "name"));
        table_cell(table, get_text(port, "device"));
        table_cell_styled(table, up ? TABLE_GREEN : TABLE_RED, get_text(port, "link"));
        table_cell(table, flowspec ? "on" : "off");
        /* a wire's other end, or the kernel's interface that stands for a routed port */
        table_cell(table, get_text(port, json_is_string(json_object_get(port, "peer")) ? "peer" : "interface"));
        table_number(table, (uint64_t)get_int(counters, "rx_packets"));
        table_cell(table, number_si((double)get_int(counters, "rx_bytes"), "B", text));
        table_number(table, (uint64_t)get_int(counters, "tx_packets"));
        table_cell(table, number_si((double)get_int(counters, "tx_bytes"), "B", text));
        table_number(table, (uint64_t)sum_of(json_object_get(counters, "drops")));
        table_number(table, (uint64_t)get_int(port, "missed_packets"));
    }
    if (table_rows(table) == 0)
        printf("no ports\n");
    else
        table_print(table, stdout, &ctl->form);
    table_free(table);
}

enum fgctl_status cmd_ports(struct fgctl *ctl, struct args *args)
{
    return ask_and_show(ctl, args, "ports", show_ports);
}

/* An integer, or a dash for null. */
static void cell_or_dash(struct table *table, const json_t *value)
{
    if (json_is_integer(value))
        table_cellf(table, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else
        table_cell(table, "-");
}

static void worker_row(struct table *table, const json_t *worker, const char *const *stages, size_t stage_count)
{
    const json_t *cycles = json_object_get(worker, "cycles_per_packet");
    json_int_t polls = get_int(worker, "polls");
    double total = 0;

    cell_or_dash(table, json_object_get(worker, "lcore"));
    cell_or_dash(table, json_object_get(worker, "cpu"));
    cell_or_dash(table, json_object_get(worker, "numa_node"));
    table_cell(table, get_text(worker, "queues"));
    table_number(table, (uint64_t)get_int(worker, "packets"));
    table_cellf(table, "%.1f %%", polls > 0 ? 100.0 * (double)get_int(worker, "busy_polls") / (double)polls : 0.0);
    for (size_t stage = 0; stage < stage_count; stage++) {
        const json_t *value = json_object_get(cycles, stages[stage]);
        total += json_number_value(value);
        if (json_is_number(value))
            table_cellf(table, "%.1f", json_number_value(value));
        else
            table_cell(table, "-");
    }
    if (total > 0)
        table_cellf(table, "%.1f", total);
    else
        table_cell(table, "-");
}

static void show_workers(const struct fgctl *ctl, const json_t *workers)
{
    static const char *const STAGES[] = {"rx", "parse", "local", "classify", "act", "lookup", "forward", "tx"};
    static const struct table_column COLUMNS[] = {
        {.title = "LCORE", .right = true},   {.title = "CPU", .right = true},
        {.title = "NODE", .right = true},    {.title = "QUEUES", .wrap = true},
        {.title = "PACKETS", .right = true}, {.title = "BUSY POLLS", .right = true},
        {.title = "RX", .right = true},      {.title = "PARSE", .right = true},
        {.title = "LOCAL", .right = true},   {.title = "CLASSIFY", .right = true},
        {.title = "ACT", .right = true},     {.title = "LOOKUP", .right = true},
        {.title = "FORWARD", .right = true}, {.title = "TX", .right = true},
        {.title = "TOTAL", .right = true}};
    _Static_assert(sizeof COLUMNS / sizeof COLUMNS[0] == sizeof STAGES / sizeof STAGES[0] + 7, "a column for each");
    struct table *table = table_create(COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0]);
    size_t i;
    json_t *worker;

    if (table == NULL)
        return;
    json_array_foreach((json_t *)(uintptr_t)workers, i, worker)
        worker_row(table, worker, STAGES, sizeof STAGES / sizeof STAGES[0]);
    table_print(table, stdout, &ctl->form);
    table_free(table);
    printf("RX to TOTAL: cycles per packet.\n");
}

enum fgctl_status cmd_workers(struct fgctl *ctl, struct args *args)
{
    return ask_and_show(ctl, args, "workers", show_workers);
}

static void counter_row(struct table *table, const char *name, json_int_t packets, const json_t *bytes)
{
    char text[NUMBER_TEXT_SIZE];

    table_cell(table, name);
    table_number(table, (uint64_t)packets);
    table_cell(table, bytes != NULL ? number_group((uint64_t)json_integer_value(bytes), text) : "");
}

/* What was for the router itself, by kind; nothing where no port routes. */
static void show_punts(const struct fgctl *ctl, const json_t *counters)
{
    static const struct table_column COLUMNS[] = {{.title = "FOR THE ROUTER"},
                                                  {.title = "PACKETS", .right = true},
                                                  {.title = "DROPPED", .right = true},
                                                  {.title = "LIMIT/S", .right = true}};
    const json_t *kernel = json_object_get(counters, "kernel");
    char taken[NUMBER_TEXT_SIZE], given[NUMBER_TEXT_SIZE], lost[NUMBER_TEXT_SIZE], refused[NUMBER_TEXT_SIZE];
    struct table *table = kernel != NULL ? table_create(COLUMNS, 4) : NULL;
    const char *kind;
    json_t *value;

    if (table == NULL)
        return;
    json_object_foreach(json_object_get(counters, "punts"), kind, value)
    {
        table_cell(table, kind);
        table_number(table, (uint64_t)get_int(value, "packets"));
        table_number(table, (uint64_t)get_int(value, "dropped"));
        table_number(table, (uint64_t)get_int(value, "limit_per_s"));
    }
    printf("\n");
    table_print(table, stdout, &ctl->form);
    table_free(table);
    printf("\nto the kernel: %s (%s lost); from it: %s (%s not sent)\n",
           number_group((uint64_t)get_int(kernel, "delivered"), given),
           number_group((uint64_t)get_int(kernel, "lost"), lost),
           number_group((uint64_t)get_int(kernel, "taken"), taken),
           number_group((uint64_t)get_int(kernel, "refused"), refused));
}

static void show_counters(const struct fgctl *ctl, const json_t *counters)
{
    static const struct table_column COLUMNS[] = {
        {.title = "COUNTER"}, {.title = "PACKETS", .right = true}, {.title = "BYTES", .right = true}};
    struct table *table = table_create(COLUMNS, 3);
    char name[64];
    const char *reason;
    json_t *value;

    if (table == NULL)
        return;
    counter_row(table, "received", get_int(counters, "rx_packets"), json_object_get(counters, "rx_bytes"));
    counter_row(table, "originated", get_int(counters, "originated_packets"), NULL);
    counter_row(table, "sent", get_int(counters, "tx_packets"), json_object_get(counters, "tx_bytes"));
    counter_row(table, "punted", get_int(counters, "punted_packets"), NULL);
    json_object_foreach(json_object_get(counters, "drops"), reason, value)
    {
        snprintf(name, sizeof name, "dropped: %s", reason);
        counter_row(table, name, json_integer_value(value), NULL);
    }
    table_print(table, stdout, &ctl->form);
    table_free(table);
    show_punts(ctl, counters);
}

enum fgctl_status cmd_counters(struct fgctl *ctl, struct args *args)
{
    return ask_and_show(ctl, args, "counters", show_counters);
}

static void show_sampling(const struct fgctl *ctl, const json_t *counts)
{
    static const char *const NAMES[][2] = {
        {"taken", "taken by workers"},         {"lost", "lost, no room in their rings"},
        {"written", "written to files"},       {"write_errors", "not written"},
        {"exported", "sent to the collector"}, {"datagrams", "in so many datagrams"},
        {"send_errors", "datagrams not sent"},
    };
    char number[NUMBER_TEXT_SIZE];

    if (!json_is_true(json_object_get(counts, "configured"))) {
        printf("nothing is sampled: the configuration has no section `sampling`\n");
        return;
    }
    struct table *details = details_create();
    if (details == NULL)
        return;
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        details_add(details, NAMES[i][1], "%s", number_group((uint64_t)get_int(counts, NAMES[i][0]), number));
    if (get_text(counts, "file")[0] != '\0')
        details_add(details, "file", "%s", get_text(counts, "file"));
    details_print(ctl, details);
}

enum fgctl_status cmd_sampling(struct fgctl *ctl, struct args *args)
{
    return ask_and_show(ctl, args, "sampling", show_sampling);
}

enum fgctl_status cmd_dataplane(struct fgctl *ctl, struct args *args)
{
    json_t *answer;

    if (!args_left(args, 1, 1, "dataplane start|stop"))
        return FGCTL_REFUSED;
    json_t *request = json_pack("{s:s}", "action", args->word[0]);
    if (ctl->json)
        return client_pass(ctl, "dataplane", request);
    enum fgctl_status status = client_call(ctl, "dataplane", request, &answer);
    if (status == FGCTL_DONE)
        printf("data plane %s%s\n", json_is_true(json_object_get(answer, "changed")) ? "" : "was already ",
               get_text(answer, "dataplane"));
    json_decref(answer);
    return status;
}

static void show_reload(const struct fgctl *ctl, const json_t *answer)
{
    (void)ctl;
    printf("reloaded: %s\n", get_text(answer, "summary"));
}

enum fgctl_status cmd_reload(struct fgctl *ctl, struct args *args)
{
    return ask_and_show(ctl, args, "reload", show_reload);
}
