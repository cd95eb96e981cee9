/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

#define DEFAULT_SOCKET "/run/floodgate/api.sock"
#define DEFAULT_OID    "1.3.6.1.4.1.8072.9999.9999.9469"

static const char HELP[] =
    "usage: floodgate-snmp [-s SOCKET] [--agentx ADDRESS] [--state FILE] [--oid OID] [--rules N]\n"
    "                      [--burst N] [--rate N]\n"
    "\n"
    "Puts a router's counters, tables and notifications under a running snmpd, as an AgentX subagent. Stays in the\n"
    "foreground and logs to stderr; attaches again when snmpd or the router was started anew.\n"
    "\n"
    "  -s, --socket SOCKET    the router's API socket (also FLOODGATE_SOCKET; default " DEFAULT_SOCKET ")\n"
    "      --agentx ADDRESS   where snmpd listens for subagents: a path, or tcp:HOST:PORT (default: as snmpd's own,\n"
    "                         /var/agentx/master)\n"
    "      --state FILE       remember here which events were sent, so that those that happen while this program does\n"
    "                         not run are sent when it does\n"
    "      --oid OID          the root of the MIB (default " DEFAULT_OID ")\n"
    "      --rules N          at most so many rows in the table of rules, 0 to 1000000 (default 10000)\n"
    "      --burst N          at most so many notifications of a kind at once, 1 to 10000 (default 50)\n"
    "      --rate N           and so many more each second, 1 to 10000 (default 5)\n"
    "  -h, --help             this\n"
    "      --version          print the version\n"
    "\n"
    "The MIB is FLOODGATE-MIB.txt; floodgate-snmp(8) says how to set up snmpd.\n";

enum { OPT_AGENTX = 256, OPT_STATE, OPT_OID, OPT_RULES, OPT_BURST, OPT_RATE, OPT_VERSION };

static const struct option LONG_OPTIONS[] = {
    {"socket", required_argument, NULL, 's'},      {"agentx", required_argument, NULL, OPT_AGENTX},
    {"state", required_argument, NULL, OPT_STATE}, {"oid", required_argument, NULL, OPT_OID},
    {"rules", required_argument, NULL, OPT_RULES}, {"burst", required_argument, NULL, OPT_BURST},
    {"rate", required_argument, NULL, OPT_RATE},   {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPT_VERSION},   {NULL, 0, NULL, 0},
};

static bool read_oid(const char *text, struct options *out)
{
    const char *at = text[0] == '.' ? text + 1 : text;

    for (out->root_len = 0; out->root_len < OPTIONS_OID_MOST; at++) {
        char *end;
        unsigned long long arc = at[0] >= '0' && at[0] <= '9' ? strtoull(at, &end, 10) : UINT64_MAX;
        if (arc > UINT32_MAX)
            break;
        out->root[out->root_len++] = (uint32_t)arc;
        at = end;
        if (*at == '\0' && out->root_len >= 3)
            return true;
        if (*at != '.')
            break;
    }
    say("--oid wants numbers with dots between them, 3 to %u, such as " DEFAULT_OID ", not '%s'", OPTIONS_OID_MOST,
        text);
    return false;
}

static bool read_number(const char *name, const char *text, uint32_t least, uint32_t most, uint32_t *out)
{
    char *end = NULL;
    unsigned long long value = text[0] >= '0' && text[0] <= '9' ? strtoull(text, &end, 10) : 0;

    if (end != NULL && *end == '\0' && value >= least && value <= most) {
        *out = (uint32_t)value;
        return true;
    }
    say("--%s wants a number from %u to %u, not '%s'", name, least, most, text);
    return false;
}

static enum options_said run_or_wrong(bool right)
{
    return right ? OPTIONS_RUN : OPTIONS_WRONG;
}

static enum options_said read_option(int option, const char *value, struct options *out)
{
    switch (option) {
    case 's':
        out->socket = value;
        return OPTIONS_RUN;
    case OPT_AGENTX:
        out->agentx = value;
        return OPTIONS_RUN;
    case OPT_STATE:
        out->state_file = value;
        return OPTIONS_RUN;
    case OPT_OID:
        return run_or_wrong(read_oid(value, out));
    case OPT_RULES:
        return run_or_wrong(read_number("rules", value, 0, 1000000, &out->rules_most));
    case OPT_BURST:
        return run_or_wrong(read_number("burst", value, 1, 10000, &out->burst));
    case OPT_RATE:
        return run_or_wrong(read_number("rate", value, 1, 10000, &out->per_s));
    case 'h':
        fputs(HELP, stdout);
        return OPTIONS_DONE;
    case OPT_VERSION:
        printf("floodgate-snmp %s\n", FLOODGATE_VERSION);
        return OPTIONS_DONE;
    default:
        return OPTIONS_WRONG;
    }
}

enum options_said options_read(int argc, char **argv, struct options *out)
{
    const char *socket = getenv("FLOODGATE_SOCKET");
    int option;

    *out = (struct options){.socket = socket != NULL && socket[0] != '\0' ? socket : DEFAULT_SOCKET,
                            .rules_most = 10000,
                            .burst = 50,
                            .per_s = 5};
    read_oid(DEFAULT_OID, out);
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":hs:", LONG_OPTIONS, NULL)) != -1) {
        if (option == '?' || option == ':') {
            say("%s %s; `floodgate-snmp --help` lists the options", argv[optind - 1],
                option == ':' ? "needs a value" : "is no option");
            return OPTIONS_WRONG;
        }
        enum options_said said = read_option(option, optarg, out);
        if (said != OPTIONS_RUN)
            return said;
    }
    if (optind < argc) {
        say("'%s' is no option; `floodgate-snmp --help` lists the options", argv[optind]);
        return OPTIONS_WRONG;
    }
    return OPTIONS_RUN;
}
