/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_IDLE_MAX_MS 86400000ul /* a day */

static const char USAGE[] =
    "usage: floodgate -c FILE [--check] [--exit-idle MS] [--stats FILE] [--log-level LEVEL] [-- EAL-ARGS...]\n";

static const char HELP[] =
    "A software router that enforces BGP Flowspec.\n"
    "\n"
    "  -c, --config FILE    the configuration, see floodgate.yaml(5)\n"
    "      --check          read the configuration, print every problem, exit 0 or 1; no port is touched\n"
    "      --exit-idle MS   leave once a packet was seen and then none for MS milliseconds (runs over pcap ports)\n"
    "      --stats FILE     write the totals as JSON at the end\n"
    "      --log-level L    error, warning, notice (default), info or debug; logs go to stderr\n"
    "      --version        print the version\n"
    "  -h, --help           print this\n"
    "  -- EAL-ARGS          passed to DPDK's EAL as they are\n"
    "\n"
    "Prints READY on stdout once ports poll and the API answers. Stops on SIGTERM or SIGINT, reloads on SIGHUP.\n"
    "Exit status: 0 clean, 1 configuration or usage, 2 could not start, 3 stopped by an internal error.\n";

enum { OPT_CHECK = 256, OPT_EXIT_IDLE, OPT_STATS, OPT_LOG_LEVEL, OPT_VERSION };

static const struct option LONG_OPTIONS[] = {
    {"config", required_argument, NULL, 'c'},
    {"check", no_argument, NULL, OPT_CHECK},
    {"exit-idle", required_argument, NULL, OPT_EXIT_IDLE},
    {"stats", required_argument, NULL, OPT_STATS},
    {"log-level", required_argument, NULL, OPT_LOG_LEVEL},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool parse_exit_idle(const char *text, uint32_t *out)
{
    char *end;

    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || value == 0 || value > EXIT_IDLE_MAX_MS) {
        fprintf(stderr, "floodgate: --exit-idle takes 1 to %lu milliseconds, not '%s'\n", EXIT_IDLE_MAX_MS, text);
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

enum options_outcome options_parse(int argc, char **argv, struct options *out)
{
    int c;

    *out = (struct options){.log_level = LOG_LEVEL_NOTICE};
    while ((c = getopt_long(argc, argv, "+c:h", LONG_OPTIONS, NULL)) != -1) {
        switch (c) {
        case 'c':
            out->config_file = optarg;
            break;
        case OPT_CHECK:
            out->check = true;
            break;
        case OPT_EXIT_IDLE:
            if (!parse_exit_idle(optarg, &out->exit_idle_ms))
                return OPTIONS_WRONG;
            break;
        case OPT_STATS:
            out->stats_file = optarg;
            break;
        case OPT_LOG_LEVEL:
            if (!log_level_parse(optarg, &out->log_level)) {
                fprintf(stderr, "floodgate: --log-level is error, warning, notice, info or debug, not '%s'\n", optarg);
                return OPTIONS_WRONG;
            }
            break;
        case OPT_VERSION:
            printf("floodgate %s\n", FLOODGATE_VERSION);
            return OPTIONS_DONE;
        case 'h':
            printf("%s\n%s", USAGE, HELP);
            return OPTIONS_DONE;
        default:
            fputs(USAGE, stderr);
            return OPTIONS_WRONG;
        }
    }
    /* what follows `--` is EAL's; a word before it is a slip */
    if (optind < argc && strcmp(argv[optind - 1], "--") != 0) {
        fprintf(stderr, "floodgate: unexpected argument '%s'\n%s", argv[optind], USAGE);
        return OPTIONS_WRONG;
    }
    if (out->config_file == NULL) {
        fprintf(stderr, "floodgate: no configuration given: use -c FILE\n%s", USAGE);
        return OPTIONS_WRONG;
    }
    out->eal_args = argv + optind;
    out->eal_arg_count = argc - optind;
    return OPTIONS_RUN;
}
