/* SPDX-License-Identifier: BSD-3-Clause */
#include "manage/api_commands.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/control.h"
#include "dataplane/dataplane.h"
#include "manage/explain.h"
#include "manage/json_punts.h"
#include "manage/json_state.h"
#include "manage/json_util.h"
#include "ports/ports.h"
#include "sampling/sampling.h"

mono_ms_t api_now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (mono_ms_t)ts.tv_sec * MONO_MS_PER_S + (mono_ms_t)ts.tv_nsec / 1000000;
}

static json_t *status_ranges(const struct control *control)
{
    json_t *array = json_array();

    for (size_t i = 0; i < control_range_count(control); i++) {
        struct control_range range;
        char text[IP_TEXT_SIZE];
        json_t *o = json_object();
        control_range_get(control, i, &range);
        json_set_text(o, "name", range.name);
        json_set_text(o, "prefix", ip_prefix_format(&range.prefix, text));
        json_set_uint(o, "peers", range.peers);
        json_set_uint(o, "max_peers", range.max_peers);
        json_set_uint(o, "refused_connections", range.refused_connections);
        json_array_append_new(array, o);
    }
    return array;
}

static json_t *status_sessions(const struct control *control)
{
    size_t count = control_peer_count(control), established = 0;
    json_t *o = json_object();

    for (size_t i = 0; i < count; i++) {
        struct control_peer peer;
        control_peer_get(control, i, &peer);
        established += peer.session.state == BGP_ESTABLISHED;
    }
    json_set_uint(o, "configured", count);
    json_set_uint(o, "established", established);
    json_set_uint(o, "unknown_connections", control_unknown_connections(control));
    json_object_set_new(o, "ranges", status_ranges(control));
    return o;
}

static json_t *status_rules(const struct control *control, bool killed)
{
    uint32_t count[RULE_STATE_COUNT];
    json_t *o = json_object();

    rules_count(control_rules(control), count);
    if (killed) { /* no rule is enforced, whatever its own state */
        count[RULE_SUSPENDED] += count[RULE_ACTIVE] + count[RULE_STALE];
        count[RULE_ACTIVE] = count[RULE_STALE] = 0;
    }
    for (unsigned state = 0; state < RULE_STATE_COUNT; state++)
        json_set_uint(o, rule_state_name(state), count[state]);
    return o;
}

static json_t *status_rules_memory(const struct dataplane *dp)
{
    size_t used, most;
    json_t *o = json_object();

    dataplane_rules_memory(dp, &used, &most);
    json_set_uint(o, "used_bytes", used);
    json_set_uint(o, "limit_bytes", most);
    return o;
}

static void run_status(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    const struct rates *rates = &state->rates;
    struct cnt_port_sum sum;
    json_t *o = json_object();

    (void)args;
    dataplane_counters(state->dp, &sum);
    json_set_text(o, "version", state->version);
    json_set_uint(o, "pid", (uint64_t)getpid());
    json_set_uint(o, "uptime_s", (api_now_ms() - state->started_ms) / MONO_MS_PER_S);
    json_set_text(o, "dataplane", dataplane_running(state->dp) ? "running" : "stopped");
    json_set_uint(o, "ports", dataplane_ports(state->dp)->count);
    json_set_uint(o, "workers", dataplane_worker_count(state->dp));
    json_object_set_new(o, "sessions", status_sessions(state->control));
    json_object_set_new(o, "rules", status_rules(state->control, dataplane_bypassed(state->dp)));
    json_object_set_new(o, "rules_memory", status_rules_memory(state->dp));
    json_object_set_new(o, "rates",
                        json_pack("{s:f, s:f, s:f, s:f, s:f}", "rx_packets_per_s", rates->rx_packets_per_s,
                                  "tx_packets_per_s", rates->tx_packets_per_s, "dropped_packets_per_s",
                                  rates->dropped_packets_per_s, "rx_bits_per_s", rates->rx_bits_per_s, "tx_bits_per_s",
                                  rates->tx_bits_per_s));
    json_object_set_new(o, "vetting", api_vetting_json(state->control));
    json_object_set_new(o, "journal", api_journal_json(state->control));
    json_object_set_new(o, "counters", json_counters(&sum));
    answer->result = o;
}

static void run_peers(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    (void)args;
    answer->result = json_peers(state->control);
}

static void run_peer(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    static const char *const ACTIONS[] = {
        [CONTROL_PEER_UP] = "up", [CONTROL_PEER_DOWN] = "down", [CONTROL_PEER_REFRESH] = "refresh"};
    const char *name = request_string(args, "name"), *action = request_string(args, "action");
    const char *reason = request_string(args, "reason");
    unsigned i = 0;

    while (i < sizeof ACTIONS / sizeof ACTIONS[0] && strcmp(ACTIONS[i], action) != 0)
        i++;
    if (i == sizeof ACTIONS / sizeof ACTIONS[0])
        snprintf(answer->error, sizeof answer->error, "action is up, down or refresh, not '%.64s'", action);
    else if (reason != NULL && i != CONTROL_PEER_DOWN)
        snprintf(answer->error, sizeof answer->error, "a reason goes with down, not with %s", action);
    else if (control_peer_command(state->control, name, i, reason, answer->error, sizeof answer->error)) {
        answer->error[0] = '\0';
        answer->result = json_pack("{s:s, s:s}", "name", name, "action", action);
    }
}

static void run_ports(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    (void)args;
    answer->result = json_ports(state->dp);
}

static void run_workers(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    (void)args;
    answer->result = json_workers(state->dp);
}

static void run_counters(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    struct cnt_port_sum sum;

    (void)args;
    dataplane_counters(state->dp, &sum);
    answer->result = json_counters(&sum);
    json_punts_add(answer->result, state->dp);
}

static void run_sampling(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    struct sampling_counts counts;
    json_t *o = json_object();

    (void)args;
    sampling_counts_get(state->sampling, &counts);
    json_object_set_new(o, "configured", json_boolean(state->sampling != NULL));
    json_set_uint(o, "taken", counts.taken);
    json_set_uint(o, "lost", counts.lost);
    json_set_uint(o, "written", counts.written);
    json_set_uint(o, "write_errors", counts.write_errors);
    json_set_uint(o, "exported", counts.exported);
    json_set_uint(o, "datagrams", counts.datagrams);
    json_set_uint(o, "send_errors", counts.send_errors);
    json_set_text(o, "file", counts.file != NULL ? counts.file : "");
    answer->result = o;
}

static void run_explain(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    struct explain_request request = {.port = request_string(args, "in"),
                                      .packet = request_string(args, "packet"),
                                      .frame = request_string(args, "frame")};

    if ((request.packet == NULL) == (request.frame == NULL))
        snprintf(answer->error, sizeof answer->error, "give one of the arguments 'packet' and 'frame'");
    else
        answer->result = explain_packet(&request, state->dp, state->control, answer->error, sizeof answer->error);
}

static void run_dataplane(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    const char *action = request_string(args, "action");
    bool was_running = dataplane_running(state->dp);
    int error = 0;

    if (strcmp(action, "start") == 0) {
        error = dataplane_start(state->dp);
    } else if (strcmp(action, "stop") == 0) {
        dataplane_stop(state->dp);
    } else {
        snprintf(answer->error, sizeof answer->error, "action is start or stop, not '%.64s'", action);
        return;
    }
    if (error < 0)
        snprintf(answer->error, sizeof answer->error, "polling did not start: %s", strerror(-error));
    else
        answer->result = json_pack("{s:s, s:b}", "dataplane", dataplane_running(state->dp) ? "running" : "stopped",
                                   "changed", was_running != dataplane_running(state->dp));
}

static void run_reload(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    char summary[256] = "";

    (void)args;
    if (control_reload(state->control, summary, sizeof summary, answer->error, sizeof answer->error)) {
        answer->error[0] = '\0';
        answer->result = json_object();
        json_set_text(answer->result, "summary", summary);
    }
}

static const struct request_arg NO_ARGS[] = {{NULL, 0, false}};
static const struct request_arg RULES_ARGS[] = {{"family", ARG_STRING, false},
                                                {"state", ARG_STRING, false},
                                                {"peer", ARG_STRING, false},
                                                {"limit", ARG_UINT, false},
                                                {NULL, 0, false}};
static const struct request_arg ROUTES_ARGS[] = {
    {"prefix", ARG_STRING, false}, {"limit", ARG_UINT, false}, {NULL, 0, false}};
static const struct request_arg ID_ARGS[] = {{"id", ARG_UINT, true}, {NULL, 0, false}};
static const struct request_arg RULE_ARGS[] = {{"rule", ARG_STRING, true}, {NULL, 0, false}};
static const struct request_arg PEER_ARGS[] = {
    {"name", ARG_STRING, true}, {"action", ARG_STRING, true}, {"reason", ARG_STRING, false}, {NULL, 0, false}};
static const struct request_arg ACTION_ARGS[] = {{"action", ARG_STRING, true}, {NULL, 0, false}};
static const struct request_arg KILL_ARGS[] = {
    {"action", ARG_STRING, true}, {"peer", ARG_STRING, false}, {NULL, 0, false}};
static const struct request_arg JOURNAL_ARGS[] = {{"rule", ARG_UINT, false},    {"peer", ARG_STRING, false},
                                                  {"step", ARG_STRING, false},  {"event", ARG_STRING, false},
                                                  {"state", ARG_STRING, false}, {"after", ARG_UINT, false},
                                                  {"limit", ARG_UINT, false},   {NULL, 0, false}};
static const struct request_arg CHECK_ARGS[] = {
    {"rule", ARG_STRING, true}, {"peer", ARG_STRING, false}, {NULL, 0, false}};
static const struct request_arg EXPLAIN_ARGS[] = {
    {"in", ARG_STRING, false}, {"packet", ARG_STRING, false}, {"frame", ARG_STRING, false}, {NULL, 0, false}};

static const struct api_command {
    const char *name;
    const struct request_arg *args;
    void (*run)(struct api_state *state, const json_t *args, struct api_answer *answer);
} COMMANDS[] = {
    {"status", NO_ARGS, run_status},
    {"rules", RULES_ARGS, api_run_rules},
    {"rule-show", ID_ARGS, api_run_rule_show},
    {"rule-add", RULE_ARGS, api_run_rule_add},
    {"rule-del", ID_ARGS, api_run_rule_del},
    {"rule-check", CHECK_ARGS, api_run_rule_check},
    {"rule-suspend", ID_ARGS, api_run_rule_suspend},
    {"rule-resume", ID_ARGS, api_run_rule_resume},
    {"rule-approve", ID_ARGS, api_run_rule_approve},
    {"rule-dry-run", ID_ARGS, api_run_rule_dry_run},
    {"rule-promote", ID_ARGS, api_run_rule_promote},
    {"kill-switch", KILL_ARGS, api_run_kill_switch},
    {"journal", JOURNAL_ARGS, api_run_journal},
    {"peers", NO_ARGS, run_peers},
    {"peer", PEER_ARGS, run_peer},
    {"routes", ROUTES_ARGS, api_run_routes},
    {"neighbors", NO_ARGS, api_run_neighbors},
    {"ports", NO_ARGS, run_ports},
    {"workers", NO_ARGS, run_workers},
    {"counters", NO_ARGS, run_counters},
    {"sampling", NO_ARGS, run_sampling},
    {"explain", EXPLAIN_ARGS, run_explain},
    {"dataplane", ACTION_ARGS, run_dataplane},
    {"reload", NO_ARGS, run_reload},
};

void api_command_run(struct api_state *state, const char *command, const json_t *args, struct api_answer *answer)
{
    *answer = (struct api_answer){.result = NULL};
    for (size_t i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++) {
        if (strcmp(COMMANDS[i].name, command) != 0)
            continue;
        if (request_check_args(args, COMMANDS[i].args, answer->error))
            COMMANDS[i].run(state, args, answer);
        if (answer->result == NULL && answer->walk == NULL && answer->error[0] == '\0')
            snprintf(answer->error, sizeof answer->error, "memory is short");
        return;
    }
    snprintf(answer->error, sizeof answer->error, "no command '%.64s' in this version", command);
}
