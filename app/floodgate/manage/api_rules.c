/* SPDX-License-Identifier: BSD-3-Clause */
/* The API's commands about rules. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "control/control.h"
#include "dataplane/dataplane.h"
#include "flowspec/text.h"
#include "manage/api_commands.h"
#include "manage/json_limit.h"
#include "manage/json_rules.h"
#include "manage/json_util.h"

static bool parse_filter(const json_t *args, struct rule_filter *filter, char *why)
{
    const char *family = request_string(args, "family"), *state = request_string(args, "state");
    const char *peer = request_string(args, "peer");
    enum rule_state parsed;

    *filter = (struct rule_filter){.family = IP_NONE, .state = -1, .limit = request_uint(args, "limit", UINT64_MAX)};
    if (family != NULL && strcmp(family, "ipv4") != 0 && strcmp(family, "ipv6") != 0) {
        snprintf(why, REQUEST_ERROR, "family is ipv4 or ipv6, not '%.64s'", family);
        return false;
    }
    if (family != NULL)
        filter->family = strcmp(family, "ipv4") == 0 ? IP_V4 : IP_V6;
    if (state != NULL && !rule_state_parse(state, &parsed)) {
        struct strbuf sb = sb_init(why, REQUEST_ERROR);
        sb_printf(&sb, "no state '%.64s': the states are", state);
        for (unsigned i = 0; i < RULE_STATE_COUNT; i++)
            sb_printf(&sb, "%s %s", i > 0 ? "," : "", rule_state_name(i));
        return false;
    }
    filter->state = state != NULL ? (int)parsed : -1;
    if (peer != NULL)
        snprintf(filter->peer, sizeof filter->peer, "%s", peer);
    return true;
}

static bool peer_exists(const struct control *control, const char *name)
{
    struct control_peer peer;

    for (size_t i = 0; i < control_peer_count(control); i++) {
        control_peer_get(control, i, &peer);
        if (strcmp(peer.name, name) == 0)
            return true;
    }
    return false;
}

void api_run_rules(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    const char *peer = request_string(args, "peer");
    struct rule_filter filter;

    if (!parse_filter(args, &filter, answer->error))
        return;
    /* a slip in a name must not look like "no rules" */
    if (peer != NULL && !peer_exists(state->control, peer)) {
        snprintf(answer->error, sizeof answer->error, "no peer '%.64s': `fgctl peers` lists them", peer);
        return;
    }
    filter.killed = dataplane_bypassed(state->dp);
    answer->walk = rule_walk_create(control_rules(state->control), &filter);
    if (answer->walk == NULL)
        snprintf(answer->error, sizeof answer->error, "memory is short");
}

/* The rule that `id` names, or NULL with the reason in the answer. */
static const struct rule *find_rule(const struct api_state *state, uint64_t id, struct api_answer *answer)
{
    const struct rule *rule = id <= UINT32_MAX ? rules_find(control_rules(state->control), (uint32_t)id) : NULL;

    if (rule == NULL)
        snprintf(answer->error, sizeof answer->error, "no rule %" PRIu64 ": `fgctl rules` lists them", id);
    return rule;
}

static void answer_rule(const struct api_state *state, uint64_t id, struct api_answer *answer)
{
    const struct rules *rules = control_rules(state->control);
    const struct rule *rule = find_rule(state, id, answer);

    if (rule == NULL)
        return;
    answer->result = json_rule(rule, rules_rank(rules, rule), state->dp);
    json_object_set_new(answer->result, "since", json_time(rule->since));
    json_object_set_new(answer->result, "in_force", json_boolean(rule->in_force && !dataplane_bypassed(state->dp)));
    const struct act_program *program = rule->in_force ? dataplane_program(state->dp, rule->id) : NULL;
    json_t *limit = json_limit(program, dataplane_policer_now_ns(state->dp), NULL, NULL);
    if (limit != NULL)
        json_object_set_new(answer->result, "limit", limit);
}

void api_run_rule_show(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    answer_rule(state, request_uint(args, "id", 0), answer);
}

void api_run_rule_add(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    uint32_t id;

    if (control_rule_add(state->control, request_string(args, "rule"), &id, answer->error, sizeof answer->error)) {
        answer->error[0] = '\0';
        answer_rule(state, id, answer);
    }
}

void api_run_rule_del(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    uint64_t id = request_uint(args, "id", 0);

    if (find_rule(state, id, answer) == NULL ||
        !control_rule_del(state->control, (uint32_t)id, answer->error, sizeof answer->error))
        return;
    answer->error[0] = '\0';
    answer->result = json_pack("{s:I, s:b}", "id", (json_int_t)id, "remains",
                               rules_find(control_rules(state->control), (uint32_t)id) != NULL);
}

/* Commands that change one rule by its id. */
static void steer_rule(struct api_state *state, const json_t *args, enum control_steer what, struct api_answer *answer)
{
    uint64_t id = request_uint(args, "id", 0);

    if (find_rule(state, id, answer) == NULL ||
        !control_rule_steer(state->control, (uint32_t)id, what, state->who, answer->error, sizeof answer->error))
        return;
    answer->error[0] = '\0';
    answer_rule(state, id, answer);
}

void api_run_rule_suspend(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    steer_rule(state, args, CONTROL_SUSPEND, answer);
}

void api_run_rule_resume(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    steer_rule(state, args, CONTROL_RESUME, answer);
}

void api_run_rule_approve(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    steer_rule(state, args, CONTROL_APPROVE, answer);
}

void api_run_rule_dry_run(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    steer_rule(state, args, CONTROL_DRY_RUN, answer);
}

void api_run_rule_promote(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    steer_rule(state, args, CONTROL_PROMOTE, answer);
}

static const char *pol_state_word(enum pol_state state)
{
    static const enum rule_state STATES[] = {
        [POL_ACTIVE] = RULE_ACTIVE,
        [POL_REJECTED] = RULE_REJECTED,
        [POL_HELD] = RULE_HELD,
        [POL_NEVER_MATCHES] = RULE_NEVER_MATCHES,
        [POL_NOT_IMPORTED] = RULE_NOT_IMPORTED,
    };

    return rule_state_name(STATES[state]);
}

static json_t *json_verdict(const struct pol_verdict *verdict)
{
    json_t *o = json_object();

    json_set_text(o, "state", pol_state_word(verdict->state));
    json_set_text(o, "reason", verdict->reason);
    return o;
}

static void append_step(void *ctx, const char *step, const struct pol_verdict *verdict)
{
    json_t *o = json_object();

    json_set_text(o, "step", step);
    json_object_update_new(o, json_verdict(verdict));
    json_array_append_new(ctx, o);
}

void api_run_rule_check(struct api_state *state, const json_t *args, struct api_answer *answer)
{
    const char *text = request_string(args, "rule");
    struct fs_text_error error;
    struct pol_verdict verdict;
    struct fs_actions actions;
    struct fs_rule *rule;
    json_t *steps = json_array();

    if (!control_rule_check(state->control, text, request_string(args, "peer"), append_step, steps, &verdict,
                            answer->error, sizeof answer->error)) {
        json_decref(steps);
        return;
    }
    answer->error[0] = '\0';
    answer->result = json_object();
    if (fs_text_parse(text, &rule, &actions, &error)) {
        json_object_set_new(answer->result, "family", json_string(ip_family_name(rule->family)));
        json_object_set_new(answer->result, "match", json_match(rule));
        json_object_set_new(answer->result, "actions", json_actions(&actions));
        fs_rule_free(rule);
    }
    json_object_set_new(answer->result, "steps", steps);
    json_object_update_new(answer->result, json_verdict(&verdict));
}
