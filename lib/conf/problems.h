/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Problems of one file, kept until the end so that they come out in the order of their lines although the file is
 * judged in several passes. A file that is wrong all over does not flood the terminal: see CFG_PROBLEMS_MAX.
 */
#ifndef CONF_PROBLEMS_H
#define CONF_PROBLEMS_H

#include <stddef.h>

#include "conf/conf.h"

#define CFG_PROBLEMS_MAX 1000 /* further ones are counted, not kept */
#define CFG_PROBLEM_SIZE 512  /* octets of one text, terminator included; longer ones are cut */

struct cfg_problem {
    unsigned line;
    size_t order; /* as reported: keeps problems of one line in that order */
    char *text;
};

struct cfg_problems {
    struct cfg_problem *list;
    size_t count;
    size_t room;
    size_t reported; /* kept or not */
};

/* Adds one; control characters in it become '?' (it goes to a terminal). Memory that is short costs the text, never the
 * fact that there was a problem. */
__attribute__((format(printf, 3, 4))) void cfg_problem_add(struct cfg_problems *problems, unsigned line,
                                                           const char *fmt, ...);

/* Hands all of them to `report` in line order, and empties the list. */
void cfg_problems_flush(struct cfg_problems *problems, const char *file, cfg_problem_fn report, void *ctx);

#define CFG_QUOTE_SIZE 64

/*
 * A value as it may stand in a message: numbers bare, everything else in single quotes, cut where long. Writes into
 * `out` (CFG_QUOTE_SIZE octets) and returns it.
 */
const char *cfg_quote(const char *value, char *out);

#endif
