/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fgctl: the router's command line. Each command asks the API one question (client.h) and shows the answer: as it came
 * with -j, else as a table or a few sentences.
 */
#ifndef FGCTL_H
#define FGCTL_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "args.h"
#include "base/table.h"

enum fgctl_status {
    FGCTL_DONE = 0,
    FGCTL_REFUSED = 1,     /* by the router, or by us for wrong words */
    FGCTL_UNREACHABLE = 2, /* no router answers */
};

struct fgctl {
    const char *socket;
    bool json;
    struct table_form form; /* of stdout */
};

/* One line on stderr: "fgctl: ...". Returns FGCTL_REFUSED. */
__attribute__((format(printf, 1, 2))) enum fgctl_status fgctl_refuse(const char *fmt, ...);

/* Takes and returns: "rule" and "rules", by `count`. */
const char *plural(json_int_t count, const char *one, const char *many);

/* Members of a JSON object, with 0 and "" where there is none. */
json_int_t get_int(const json_t *object, const char *name);
double get_real(const json_t *object, const char *name);
const char *get_text(const json_t *object, const char *name);

/* Sum of an object's numbers: drops by reason. */
json_int_t sum_of(const json_t *object);

/* A rule's source in a word: "peer detector", "configuration", "operator". */
void source_text(const json_t *source, char *text, size_t size);

/* A rule's actions, separated by blanks. */
void actions_text(const json_t *actions, char *text, size_t size);

/* A list of "name  value" lines, the values wrapped on a terminal. Printed and freed by details_print. */
struct table *details_create(void);
__attribute__((format(printf, 3, 4))) void details_add(struct table *details, const char *name, const char *fmt, ...);
void details_print(const struct fgctl *ctl, struct table *details);

/* The colour of a rule's state. */
enum table_style state_style(const char *state);

enum fgctl_status cmd_status(struct fgctl *ctl, struct args *args);
enum fgctl_status cmd_rules(struct fgctl *ctl, struct args *args);
enum fgctl_status cmd_rule(struct fgctl *ctl, struct args *args);
enum fgctl_status cmd_explain(struct fgctl *ctl, struct args *args);
enum fgctl_status cmd_peers(struct fgctl *ctl, struct args *args);
enum fgctl_status cmd_peer(struct fgctl *ctl, struct args *args);
enum fgctl_status cmd_routes(struct fgctl *ctl, struct args *args);
enum fgctl_status cmd_neighbors(struct fgctl *ctl, struct args *args);
enum fgctl_status cmd_ports(struct fgctl *ctl, struct args *args);
enum fgctl_status cmd_workers(struct fgctl *ctl, struct args *args);
enum fgctl_status cmd_counters(struct fgctl *ctl, struct args *args);
enum fgctl_status cmd_sampling(struct fgctl *ctl, struct args *args);
enum fgctl_status cmd_dataplane(struct fgctl *ctl, struct args *args);
enum fgctl_status cmd_kill_switch(struct fgctl *ctl, struct args *args);
enum fgctl_status cmd_journal(struct fgctl *ctl, struct args *args);
enum fgctl_status cmd_reload(struct fgctl *ctl, struct args *args);

#endif
