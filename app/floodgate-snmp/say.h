/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the program tells its operator: one line each, on stderr. A trouble that lasts is told once, and once more when
 * it is over. Any thread; a `struct trouble` belongs to one.
 */
#ifndef FLOODGATE_SNMP_SAY_H
#define FLOODGATE_SNMP_SAY_H

#define TROUBLE_TEXT 256

/* "floodgate-snmp: ..." */
__attribute__((format(printf, 1, 2))) void say(const char *fmt, ...);

struct trouble {
    char text[TROUBLE_TEXT]; /* what was told last; "" when all is well */
};

/* Tells it unless it was told last. */
__attribute__((format(printf, 2, 3))) void trouble_say(struct trouble *trouble, const char *fmt, ...);

/* All is well: the next trouble is told again, whatever it is. */
void trouble_over(struct trouble *trouble);

#endif
