/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/decisions.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "base/strbuf.h"
#include "control/journal.h"
#include "control/rules.h"
#include "flowspec/text.h"

#define RULE_TEXT  1024   /* as in the journal; rules with more are not remembered */
#define KEPT_MOST  100000 /* rules */
#define PEERS_MOST 1024   /* with a kill-switch of their own */

/* The marks of one rule. Without any it is not kept. */
struct kept {
    char *key;      /* "SOURCE match ...": first */
    size_t source;  /* octets of SOURCE there */
    char *approved; /* the rule's whole text when it was approved; NULL: it was not */
    char *tripped;  /* by the circuit breaker, and why; NULL: it was not */
    bool suspended, dry_run, promoted;
    bool withdrawn; /* it went, else the router did */
    mono_ms_t until;
    TAILQ_ENTRY(kept) order; /* by time of going */
};

struct decisions {
    void *root;
    TAILQ_HEAD(, kept) list;
    size_t count;
    bool killed; /* the whole */
    char *killed_peers[PEERS_MOST];
    size_t killed_count;
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct kept *)a)->key, ((const struct kept *)b)->key);
}

struct decisions *decisions_create(void)
{
    struct decisions *decisions = calloc(1, sizeof *decisions);

    if (decisions != NULL)
        TAILQ_INIT(&decisions->list);
    return decisions;
}

static void kept_free(struct kept *kept)
{
    free(kept->key);
    free(kept->approved);
    free(kept->tripped);
    free(kept);
}

static void forget(struct decisions *decisions, struct kept *kept)
{
    tdelete(kept, &decisions->root, compare);
    TAILQ_REMOVE(&decisions->list, kept, order);
    decisions->count--;
    kept_free(kept);
}

void decisions_free(struct decisions *decisions)
{
    if (decisions == NULL)
        return;
    while (!TAILQ_EMPTY(&decisions->list))
        forget(decisions, TAILQ_FIRST(&decisions->list));
    for (size_t i = 0; i < decisions->killed_count; i++)
        free(decisions->killed_peers[i]);
    free(decisions);
}

/* The rule's text without its actions, behind its source. NULL: too long, or memory is short. */
static char *key_of(const char *source, const char *text)
{
    const char *then = strstr(text, " then ");
    int length = (int)(then != NULL ? (size_t)(then - text) : strlen(text));
    char *key;

    if (strlen(text) + 1 >= RULE_TEXT || asprintf(&key, "%s %.*s", source, length, text) < 0)
        return NULL;
    return key;
}

static struct kept *find(const struct decisions *decisions, char *key)
{
    struct kept probe = {.key = key};
    struct kept **found = key != NULL ? tfind(&probe, &decisions->root, compare) : NULL;

    return found != NULL ? *found : NULL;
}

/* Takes the key. NULL: no room, or memory is short. */
static struct kept *find_or_add(struct decisions *decisions, char *key)
{
    struct kept *kept = find(decisions, key);

    if (kept == NULL && key != NULL && decisions->count < KEPT_MOST) {
        kept = calloc(1, sizeof *kept);
        if (kept != NULL) {
            kept->key = key;
            if (tsearch(kept, &decisions->root, compare) != NULL) {
                TAILQ_INSERT_TAIL(&decisions->list, kept, order);
                decisions->count++;
                return kept;
            }
            free(kept);
            kept = NULL;
        }
    }
    free(key);
    return kept;
}

static void kept_until(struct decisions *decisions, struct kept *kept, mono_ms_t until)
{
    kept->until = until;
    TAILQ_REMOVE(&decisions->list, kept, order);
    TAILQ_INSERT_TAIL(&decisions->list, kept, order);
}

static void set_text(char **text, const char *to)
{
    free(*text);
    *text = to != NULL ? strdup(to) : NULL;
}

static bool has_marks(const struct kept *kept)
{
    return kept->approved != NULL || kept->tripped != NULL || kept->suspended || kept->dry_run || kept->promoted;
}

/* ---- from the journal ---- */

bool decisions_take_killed(struct decisions *decisions, const char *peer)
{
    for (size_t i = 0; i < decisions->killed_count; i++) {
        if (strcmp(decisions->killed_peers[i], peer) != 0)
            continue;
        free(decisions->killed_peers[i]);
        decisions->killed_peers[i] = decisions->killed_peers[--decisions->killed_count];
        return true;
    }
    return false;
}

bool decisions_killed(const struct decisions *decisions)
{
    return decisions->killed;
}

static void replay_kill_switch(struct decisions *decisions, const struct journal_entry *entry)
{
    bool on = strcmp(entry->state, "on") == 0;

    if (entry->peer[0] == '\0') {
        decisions->killed = on;
        return;
    }
    decisions_take_killed(decisions, entry->peer);
    if (!on || decisions->killed_count == PEERS_MOST)
        return;
    decisions->killed_peers[decisions->killed_count] = strdup(entry->peer);
    decisions->killed_count += decisions->killed_peers[decisions->killed_count] != NULL;
}

static void replay_rule(struct kept *kept, const struct journal_entry *entry)
{
    const char *event = entry->event;

    if (strcmp(event, "approve") == 0 || strcmp(event, "resume") == 0)
        set_text(&kept->approved, entry->text);
    if (strcmp(event, "resume") == 0) {
        kept->suspended = false;
        set_text(&kept->tripped, NULL);
    } else if (strcmp(event, "suspend") == 0) {
        kept->suspended = true;
    } else if (strcmp(event, "dry-run") == 0 || strcmp(event, "promote") == 0) {
        kept->promoted = strcmp(event, "promote") == 0;
        kept->dry_run = !kept->promoted;
    } else if (strcmp(event, "breaker") == 0) {
        bool told = strncmp(entry->reason, "breaker:", strlen("breaker:")) == 0;
        set_text(&kept->tripped,
                 told ? entry->reason : "breaker: it was suspended before; `rule resume` enforces it again");
        set_text(&kept->approved, NULL);
    }
}

void decisions_replay(struct decisions *decisions, const struct journal_entry *entry, double age_s, mono_ms_t now)
{
    static const char *const EVENTS[] = {"approve", "resume", "suspend", "dry-run", "promote", "breaker", "withdrawn"};
    bool concerns = false;

    if (strcmp(entry->event, "kill-switch") == 0) {
        replay_kill_switch(decisions, entry);
        return;
    }
    if (strcmp(entry->peer, "operator") == 0)
        return; /* a rule added by hand is gone after a restart, with all that was said of it */
    for (size_t i = 0; i < sizeof EVENTS / sizeof EVENTS[0]; i++)
        concerns = concerns || strcmp(entry->event, EVENTS[i]) == 0;
    if (!concerns)
        return;
    struct kept *kept = find_or_add(decisions, key_of(entry->peer, entry->text));
    if (kept == NULL)
        return;
    kept->source = strlen(entry->peer);
    replay_rule(kept, entry);
    /* a rule that was gone by the end has what is left of its hour */
    double left_s = DECISIONS_KEPT_S;
    kept->withdrawn = strcmp(entry->event, "withdrawn") == 0;
    if (kept->withdrawn)
        left_s = strcmp(entry->peer, "configuration") == 0 ? 0 : DECISIONS_KEPT_S - age_s;
    if (!has_marks(kept) || left_s <= 0)
        forget(decisions, kept);
    else
        kept_until(decisions, kept, now + (mono_ms_t)(left_s * MONO_MS_PER_S));
}

/* ---- rules that come and go ---- */

static void text_of(const struct rule *rule, char text[RULE_TEXT])
{
    struct strbuf out = sb_init(text, RULE_TEXT);

    fs_rule_format(rule->match, &rule->actions, &out);
}

bool decisions_keep(struct decisions *decisions, const struct rule *rule, const char *source, mono_ms_t now)
{
    uint32_t number = rule->source->rib.number;
    const struct kept marks = {.suspended = rule->suspended_by_operator,
                               .dry_run = rule->dry_run,
                               .promoted = rule->promoted_for == number,
                               .tripped = rule->tripped};
    char text[RULE_TEXT];

    if (!has_marks(&marks) && rule->approved_for != number)
        return false;
    if (rule->source_kind != BGP_SOURCE_PEER)
        return true; /* the operator took it away, and begins anew with another one */
    text_of(rule, text);
    struct kept *kept = find_or_add(decisions, key_of(source, text));
    if (kept == NULL)
        return false;
    kept->source = strlen(source);
    kept->withdrawn = true;
    kept->suspended = marks.suspended;
    kept->dry_run = marks.dry_run;
    kept->promoted = marks.promoted;
    set_text(&kept->tripped, rule->tripped);
    set_text(&kept->approved, rule->approved_for == number ? text : NULL);
    kept_until(decisions, kept, now + DECISIONS_KEPT_S * MONO_MS_PER_S);
    return true;
}

bool decisions_apply(struct decisions *decisions, struct rule *rule, const char *source)
{
    uint32_t number = rule->source->rib.number;
    char text[RULE_TEXT];

    if (decisions->count == 0)
        return false;
    text_of(rule, text);
    char *key = key_of(source, text);
    struct kept *kept = find(decisions, key);
    free(key);
    if (kept == NULL)
        return false;
    rule->suspended_by_operator = kept->suspended;
    rule->dry_run = kept->dry_run;
    rule->promoted_for = kept->promoted ? number : 0;
    rule->approved_for = kept->approved != NULL && strcmp(kept->approved, text) == 0 ? number : 0;
    rule->tripped = kept->tripped;
    kept->tripped = NULL;
    forget(decisions, kept);
    return true;
}

void decisions_age(struct decisions *decisions, mono_ms_t now)
{
    struct kept *next;

    for (struct kept *kept = TAILQ_FIRST(&decisions->list); kept != NULL; kept = next) {
        next = TAILQ_NEXT(kept, order);
        if (kept->until <= now)
            forget(decisions, kept);
    }
}

/* One mark of the rule as the event that made it so, as rules_record_decisions does for those that are here. */
static void record(struct journal *journal, const struct kept *kept, const char *event, uint64_t time_ms)
{
    bool approval = strcmp(event, "approve") == 0, trip = strcmp(event, "breaker") == 0;
    char source[RULE_TEXT];

    snprintf(source, sizeof source, "%.*s", (int)kept->source, kept->key);
    journal_add(journal, &(struct journal_entry){.time_ms = time_ms,
                                                 .event = event,
                                                 .peer = source,
                                                 .state = "",
                                                 .step = "kept",
                                                 .by = "router",
                                                 .text = approval ? kept->approved : kept->key + kept->source + 1,
                                                 .reason = trip ? kept->tripped : ""});
}

/* When the rule went, on the wall clock. */
static uint64_t gone_ms(const struct kept *kept, mono_ms_t now)
{
    mono_ms_t left = kept->until > now ? kept->until - now : 0, whole = DECISIONS_KEPT_S * MONO_MS_PER_S;

    return (uint64_t)time(NULL) * MONO_MS_PER_S - (whole > left ? whole - left : 0);
}

static size_t record_kept(struct journal *journal, const struct kept *kept, mono_ms_t now)
{
    const struct {
        bool stands;
        const char *event;
    } marks[] = {{kept->approved != NULL, "approve"},
                 {kept->promoted, "promote"},
                 {kept->dry_run, "dry-run"},
                 {kept->tripped != NULL, "breaker"},
                 {kept->suspended, "suspend"}};
    size_t count = 0;

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (!marks[i].stands)
            continue;
        record(journal, kept, marks[i].event, 0);
        count++;
    }
    if (kept->withdrawn)
        record(journal, kept, "withdrawn", gone_ms(kept, now));
    return count + kept->withdrawn;
}

size_t decisions_record(const struct decisions *decisions, struct journal *journal, mono_ms_t now)
{
    const struct kept *kept;
    size_t count = 0;

    TAILQ_FOREACH(kept, &decisions->list, order)
    count += record_kept(journal, kept, now);
    for (size_t i = 0; i < decisions->killed_count; i++)
        decisions_record_killed(journal, decisions->killed_peers[i]);
    return count + decisions->killed_count;
}

void decisions_record_killed(struct journal *journal, const char *peer)
{
    journal_add(journal, &(struct journal_entry){
                             .event = "kill-switch", .peer = peer, .state = "on", .step = "kept", .by = "router"});
}

size_t decisions_count(const struct decisions *decisions)
{
    return decisions->count;
}
