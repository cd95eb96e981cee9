/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of floodgate(1). */
#ifndef FLOODGATE_OPTIONS_H
#define FLOODGATE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"

struct options {
    const char *config_file;
    bool check;
    uint32_t exit_idle_ms; /* 0: stay */
    const char *stats_file;
    enum log_level log_level;
    char **eal_args; /* after `--` */
    int eal_arg_count;
};

enum options_outcome {
    OPTIONS_RUN,
    OPTIONS_DONE,  /* --help, --version: nothing more to do */
    OPTIONS_WRONG, /* one line on stderr said why */
};

enum options_outcome options_parse(int argc, char **argv, struct options *out);

#endif
