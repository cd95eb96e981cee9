/* SPDX-License-Identifier: BSD-3-Clause */
/* The words behind a command: options anywhere among them, then what is left by position. */
#ifndef FGCTL_ARGS_H
#define FGCTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>

struct args {
    const char *command; /* for messages */
    char **word;
    int count;
};

/*
 * Takes `--name VALUE` or `--name=VALUE` out. `*value` stays as it is when the option is not there. False after a line
 * on stderr: no value, or given twice.
 */
bool args_option(struct args *args, const char *name, const char **value);

/* As args_option, a whole number from `least` up. */
bool args_number(struct args *args, const char *name, unsigned long long least, unsigned long long *value);

/* Whether what is left are `least` to `most` words and no unknown option; else false after a line on stderr. */
bool args_left(const struct args *args, int least, int most, const char *usage);

/* The words from `first` on as one text, to be freed; NULL when memory is short. */
char *args_join(const struct args *args, int first);

/* Reads a whole number, all of `text`. */
bool number_parse(const char *text, unsigned long long *value);

#endif
