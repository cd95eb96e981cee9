/* SPDX-License-Identifier: BSD-3-Clause */
/* What was decided before the restart: read from the journal, and written into it again before it would be lost there.
 */
#include <time.h>

#include "control/decisions.h"
#include "control/internal.h"
#include "control/journal.h"
#include "dataplane/dataplane.h"

#define REWRITE_LEAST_MS (60 * MONO_MS_PER_S)
#define MANY             1000 /* decisions: some hundred KiB of a file that has a MiB at the least */

static void on_entry(void *ctx, const struct journal_entry *entry)
{
    const struct control *control = ctx;
    double age_s = (double)time(NULL) - (double)entry->time_ms / 1000;

    decisions_replay(control->decisions, entry, age_s, control_now());
}

bool recover(struct control *control)
{
    control->decisions = decisions_create();
    if (control->decisions == NULL)
        return false;
    journal_replay(control->journal, on_entry, control);
    if (decisions_count(control->decisions) > 0)
        log_line(control->log, LOG_LEVEL_NOTICE, "%zu %s decided about before: that holds once they come again",
                 decisions_count(control->decisions),
                 decisions_count(control->decisions) == 1 ? "rule was" : "rules were");
    if (!decisions_killed(control->decisions))
        return true;
    dataplane_bypass(control->dp, true);
    log_line(control->log, LOG_LEVEL_WARNING,
             "the kill-switch was ON and still is: no rule is enforced; `fgctl kill-switch off` ends that");
    return true;
}

void recover_peer(struct peer *peer)
{
    if (peer->name == NULL || !decisions_take_killed(peer->control->decisions, peer->name))
        return;
    peer->source.killed = true;
    log_line(peer->control->log, LOG_LEVEL_WARNING,
             "the kill-switch of peer %s was ON and still is: none of its rules is enforced", peer->name);
}

void recover_watch(struct control *control)
{
    mono_ms_t now = control_now();

    decisions_age(control->decisions, now);
    control->decisions_due = journal_watch(control->journal) || control->decisions_due;
    /* so many of them that they fill a file must not fill one after the other */
    if (!control->decisions_due || (control->decisions_many && now - control->decisions_written_at < REWRITE_LEAST_MS))
        return;
    control->decisions_written_at = now;
    if (dataplane_bypassed(control->dp))
        decisions_record_killed(control->journal, "");
    for (size_t i = 0; i < control->peer_count; i++)
        if (control->peers[i]->source.killed)
            decisions_record_killed(control->journal, control->peers[i]->name);
    size_t count = rules_record_decisions(control->rules) + decisions_record(control->decisions, control->journal, now);
    control->decisions_many = count > MANY;
    control->decisions_due = !journal_settled(control->journal);
}
