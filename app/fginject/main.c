/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fginject: a BGP speaker that announces Flowspec rules from a file. A controller for labs, a load generator for
 * benchmarks. See fginject(1).
 */
#include <signal.h>
#include <stdio.h>

#include "options.h"
#include "rules.h"
#include "speaker.h"

int main(int argc, char **argv)
{
    struct options options;
    struct rule_file file;
    int status = options_read(&options, argc, argv);

    if (status >= 0)
        return status;
    signal(SIGPIPE, SIG_IGN);
    status = 1;
    if (rule_file_read(&file, options.file, options.local_as))
        status = speaker_run(&options, &file);
    rule_file_free(&file);
    return status;
}
