/* SPDX-License-Identifier: BSD-3-Clause */
/* The API's commands about what watches over the rules: kill-switch and journal. */
#include <stdio.h>
#include <string.h>

#include "control/control.h"
#include "control/journal.h"
#include "manage/api_commands.h"
#include "manage/json_util.h"

#define ENTRIES_USUAL 100
#define ENTRIES_MOST  10000 /* of one answer: it is made at once */

void api_run_kill_switch(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    const char *action = request_string(args, "action"), *peer = request_string(args, "peer");
    bool on = strcmp(action, "on") == 0, changed;

    if (!on && strcmp(action, "off") != 0) {
        snprintf(answer->error, sizeof answer->error, "action is on or off, not '%.64s'", action);
        return;
    }
    if (!control_kill_switch(state->control, peer, on, state->who, &changed, answer->error, sizeof answer->error))
        return;
    answer->error[0] = '\0';
    answer->result = json_object();
    json_set_text(answer->result, "kill_switch", on ? "on" : "off");
    json_object_set_new(answer->result, "peer", peer != NULL ? json_text(peer) : json_null());
    json_object_set_new(answer->result, "changed", json_boolean(changed));
}

static void append_entry(void *ctx, const struct journal_entry *entry)
{
    json_t *o = json_object();

    json_object_set_new(o, "time", json_time((time_t)(entry->time_ms / 1000)));
    json_set_uint(o, "time_ms", entry->time_ms);
    json_set_uint(o, "position", entry->position);
    json_object_set_new(o, "rule", entry->rule != 0 ? json_integer(entry->rule) : json_null());
    json_set_text(o, "event", entry->event);
    json_set_text(o, "peer", entry->peer);
    json_set_text(o, "state", entry->state);
    json_set_text(o, "step", entry->step);
    json_set_text(o, "by", entry->by);
    json_set_text(o, "text", entry->text);
    json_set_text(o, "reason", entry->reason);
    json_array_append_new(ctx, o);
}

void api_run_journal(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    uint64_t rule = request_uint(args, "rule", 0), limit = request_uint(args, "limit", ENTRIES_USUAL);
    struct journal_query query = {.rule = (uint32_t)rule,
                                  .peer = request_string(args, "peer"),
                                  .step = request_string(args, "step"),
                                  .event = request_string(args, "event"),
                                  .state = request_string(args, "state"),
                                  .after = json_object_get(args, "after") != NULL,
                                  .after_position = request_uint(args, "after", 0),
                                  .limit = limit < ENTRIES_MOST ? (size_t)limit : ENTRIES_MOST};

    if (rule > UINT32_MAX) {
        snprintf(answer->error, sizeof answer->error, "there is no such rule");
        return;
    }
    answer->result = json_array();
    journal_each(control_journal(state->control), &query, append_entry, answer->result);
}

json_t *api_journal_json(const struct control *control)
{
    struct journal_ends ends;
    json_t *o = json_object();

    journal_ends(control_journal(control), &ends);
    json_set_uint(o, "position", ends.position);
    json_set_uint(o, "forgotten", ends.forgotten);
    json_set_uint(o, "forgotten_decision", ends.forgotten_decision);
    json_set_uint(o, "forgotten_held", ends.forgotten_held);
    return o;
}

json_t *api_vetting_json(const struct control *control)
{
    struct control_vetting vetting;
    json_t *o = json_object(), *peers = json_array();

    control_vetting_get(control, &vetting);
    json_set_text(o, "kill_switch", vetting.kill_switch ? "on" : "off");
    for (size_t i = 0; i < control_peer_count(control); i++) {
        struct control_peer peer;
        control_peer_get(control, i, &peer);
        if (control_peer_killed(control, peer.name))
            json_array_append_new(peers, json_text(peer.name));
    }
    json_object_set_new(o, "kill_switch_peers", peers);
    json_object_set_new(o, "sense", json_boolean(vetting.sense));
    json_object_set_new(o, "guard", json_boolean(vetting.guard));
    json_object_set_new(o, "breaker", json_boolean(vetting.breaker));
    json_set_uint(o, "breaker_trips", vetting.trips);
    json_object_set_new(o, "drop_share_percent", json_real(vetting.drop_share));
    json_set_uint(o, "samples", vetting.samples);
    json_set_uint(o, "delayed_changes", vetting.delayed);
    return o;
}
