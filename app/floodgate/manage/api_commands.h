/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The commands of the API: a table of names, arguments and handlers. docs/api.md describes each. Control thread.
 */
#ifndef FLOODGATE_API_COMMANDS_H
#define FLOODGATE_API_COMMANDS_H

#include <jansson.h>

#include "base/clock.h"
#include "manage/rates.h"
#include "manage/request.h"

struct control;
struct dataplane;
struct rule_walk;
struct sampling;

/* What handlers work on. */
struct api_state {
    struct control *control;
    struct dataplane *dp;
    struct sampling *sampling; /* may be NULL */
    const char *version;
    mono_ms_t started_ms;
    struct rates rates;
    const char *who; /* asks: "uid 1000", for the journal */
};

/* One of the three is set after a command ran. */
struct api_answer {
    json_t *result;
    struct rule_walk *walk;    /* the result is an array of the rules that this walk yields */
    char error[REQUEST_ERROR]; /* one line; "" when there is none */
};

/* Runs one command. `args` must be an object. */
void api_command_run(struct api_state *state, const char *command, const json_t *args, struct api_answer *answer);

mono_ms_t api_now_ms(void);

/* Handlers of api_rules.c. `args` are checked. */
void api_run_rules(struct api_state *state, const json_t *args, struct api_answer *answer);
void api_run_rule_show(struct api_state *state, const json_t *args, struct api_answer *answer);
void api_run_rule_add(struct api_state *state, const json_t *args, struct api_answer *answer);
void api_run_rule_del(struct api_state *state, const json_t *args, struct api_answer *answer);
void api_run_rule_suspend(struct api_state *state, const json_t *args, struct api_answer *answer);
void api_run_rule_resume(struct api_state *state, const json_t *args, struct api_answer *answer);
void api_run_rule_approve(struct api_state *state, const json_t *args, struct api_answer *answer);
void api_run_rule_dry_run(struct api_state *state, const json_t *args, struct api_answer *answer);
void api_run_rule_promote(struct api_state *state, const json_t *args, struct api_answer *answer);
void api_run_rule_check(struct api_state *state, const json_t *args, struct api_answer *answer);

/* api_neighbors.c */
void api_run_neighbors(struct api_state *state, const json_t *args, struct api_answer *answer);

/* api_routes.c */
void api_run_routes(struct api_state *state, const json_t *args, struct api_answer *answer);

/* Handlers of api_vetting.c. */
void api_run_kill_switch(struct api_state *state, const json_t *args, struct api_answer *answer);
void api_run_journal(struct api_state *state, const json_t *args, struct api_answer *answer);
json_t *api_vetting_json(const struct control *control);
json_t *api_journal_json(const struct control *control);

#endif
