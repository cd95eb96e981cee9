/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every model test shares: the iteration count from the command line, and an expectation that says, when it does
 * not hold, which iteration failed and how to run just that many again.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* The first argument, or the default. */
static inline unsigned long model_iterations(int argc, char **argv, unsigned long preset)
{
    return argc > 1 ? strtoul(argv[1], NULL, 0) : preset;
}

/* Ends the test with the reason unless `holds`. */
__attribute__((format(printf, 3, 4))) static inline void model_expect(int holds, unsigned long iteration,
                                                                      const char *fmt, ...)
{
    va_list args;

    if (holds)
        return;
    fprintf(stderr, "iteration %lu: ", iteration);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

#endif
