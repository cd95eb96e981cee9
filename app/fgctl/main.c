/* SPDX-License-Identifier: BSD-3-Clause */
/* Options that every command has, and the table of commands. */
#include <stdlib.h>
#include <string.h>

#include "fgctl.h"

#define DEFAULT_SOCKET "/run/floodgate/api.sock"

/* `run` NULL: a command of a later version. */
static const struct command {
    const char *name;
    enum fgctl_status (*run)(struct fgctl *ctl, struct args *args);
    const char *usage;
    const char *summary; /* for the list */
    const char *help;
} COMMANDS[] = {
    {"status", cmd_status, "status", "version, uptime, sessions, rules by state, rates, drops", ""},
    {"rules", cmd_rules, "rules [--family ipv4|ipv6] [--state STATE] [--peer NAME] [--limit N]",
     "rules in evaluation order, with counters",
     "STATE is active, rejected, held, suspended, never-matches, stale, dry-run or not-imported. DROPPED counts "
     "packets.\n"
     "`fgctl rule show ID` says all about one rule, the reason of its state included.\n"},
    {"rule", cmd_rule,
     "rule show|del|suspend|resume|approve|dry-run|promote ID | rule add 'TEXT' | rule check [--peer NAME] 'TEXT'",
     "show one rule; originate one, withdraw it, try one; stop enforcing one",
     "  show ID      everything about one rule\n"
     "  add 'TEXT'   originate a rule here: fgctl rule add 'match destination 203.0.113.7/32 protocol udp then "
     "discard'\n"
     "  del ID       withdraw a rule that was added here\n"
     "  check 'TEXT' what every validation step says of a rule, without installing it\n"
     "  suspend ID   stop enforcing a rule, wherever it comes from\n"
     "  resume ID    enforce it again\n"
     "  approve ID   let a held rule take effect\n"
     "  dry-run ID   count what a rule matches, without enforcing it\n"
     "  promote ID   enforce a rule that is in dry-run\n"
     "The grammar of TEXT is in floodgate-rules(5).\n"},
    {"explain", cmd_explain, "explain [--in PORT] 'PACKET' | explain --pcap FILE [--nth N] [--in PORT]",
     "what would happen to this packet, and why",
     "PACKET is words of the rule grammar, or an Ethernet frame in hex:\n"
     "  fgctl explain --in wan 'source 192.0.2.1 destination 203.0.113.7 protocol udp source-port 123'\n"
     "Words: source destination protocol source-port destination-port packet-length tcp-flags icmp-type icmp-code\n"
     "dscp fragment flow-label; short: src dst proto sport dport length flags. What is left out is assumed, and said.\n"
     "Without --in the packet comes in by the first port that has Flowspec on. N counts from 1.\n"},
    {"peers", cmd_peers, "peers", "BGP sessions", ""},
    {"peer", cmd_peer, "peer NAME [up|down|refresh]",
     "one BGP session: show it, start or stop it, ask for its rules again", ""},
    {"routes", cmd_routes, "routes [PREFIX] [--limit N]",
     "where packets go, by prefix; unicast routes of the BGP peers: paths, the best one, why",
     "With PREFIX (or an address): the routes that cover it, and those within it. Without --limit, 1000 prefixes.\n"},
    {"neighbors", cmd_neighbors, "neighbors", "hosts on the networks of the ports that route: address, MAC, state",
     "STATE is static (configured), reachable, probed (asked again) or asked (no answer yet). AGE: since it was last "
     "confirmed,\nor first asked.\n"},
    {"ports", cmd_ports, "ports", "ports: link, packets, bytes, drops", ""},
    {"workers", cmd_workers, "workers", "worker threads: where they run, cycles per packet in each stage", ""},
    {"counters", cmd_counters, "counters", "totals, and drops by reason", ""},
    {"sampling", cmd_sampling, "sampling", "samples of packets: taken, lost, written to files, sent to the collector",
     ""},
    {"dataplane", cmd_dataplane, "dataplane start|stop", "polling on or off", ""},
    {"kill-switch", cmd_kill_switch, "kill-switch on|off [PEER]",
     "stop enforcing every rule at once, or those of one peer",
     "Forwarding and sessions go on. It holds until it is switched off, or until the router is started again.\n"},
    {"journal", cmd_journal, "journal [--rule ID] [--peer NAME] [--step STEP] [--limit N]",
     "what was decided about rules: when, by which step, why, by whom",
     "The latest entries, 100 unless told. STEP is a step of `fgctl rule check`, or operator, breaker, dry-run, "
     "lapsed,\n"
     "max-age, idle-age, kill-switch, max-changes.\n"},
    {"reload", cmd_reload, "reload", "apply the configuration file again without a restart", ""},
    {"capture", NULL, "capture [--port P] [--rule ID] [--count N] -w FILE", "", ""},
    {"top", NULL, "top", "", ""},
    {"metrics", NULL, "metrics", "", ""},
};
#define COMMAND_COUNT (sizeof COMMANDS / sizeof COMMANDS[0])

static const char HELP_OPTIONS[] =
    "Options, before or after the command:\n"
    "  -s, --socket SOCKET  the router's API socket (also FLOODGATE_SOCKET; default " DEFAULT_SOCKET ")\n"
    "  -j, --json           the answer as JSON, for programs\n"
    "  -h, --help           this, or a command's own help\n"
    "      --version        print the version\n"
    "\n"
    "Exit status: 0 done, 1 refused (the reason on stderr), 2 the router cannot be reached.\n";

static void print_help(void)
{
    printf("usage: fgctl [-s SOCKET] [-j] COMMAND\n\nCommands:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (COMMANDS[i].run != NULL)
            printf("  %-11s %s\n", COMMANDS[i].name, COMMANDS[i].summary);
    printf("`fgctl COMMAND --help` says more.\n\n%s", HELP_OPTIONS);
}

static void print_command_help(const struct command *command)
{
    printf("usage: fgctl [-s SOCKET] [-j] %s\n", command->usage);
    if (command->run == NULL)
        printf("Not available in this version.\n");
    else
        printf("%s.\n%s%s", command->summary, command->help[0] ? "\n" : "", command->help);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(COMMANDS[i].name, name) == 0)
            return &COMMANDS[i];
    return NULL;
}

struct globals {
    struct fgctl ctl;
    bool help, version;
    char **rest; /* what is no option of ours */
    int rest_count;
};

/* False after a line on stderr. */
static bool parse_globals(int argc, char **argv, struct globals *g)
{
    bool options = true; /* until `--` */

    for (int i = 1; i < argc; i++) {
        char *word = argv[i];
        bool socket = strcmp(word, "-s") == 0 || strcmp(word, "--socket") == 0;
        if (!options || word[0] != '-') {
            g->rest[g->rest_count++] = word;
        } else if (socket && i + 1 == argc) {
            fgctl_refuse("%s needs the path of a socket", word);
            return false;
        } else if (socket) {
            g->ctl.socket = argv[++i];
        } else if (strncmp(word, "--socket=", 9) == 0) {
            g->ctl.socket = word + 9;
        } else if (strncmp(word, "-s", 2) == 0) {
            g->ctl.socket = word + 2;
        } else if (strcmp(word, "-j") == 0 || strcmp(word, "--json") == 0) {
            g->ctl.json = true;
        } else if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
            g->help = true;
        } else if (strcmp(word, "--version") == 0) {
            g->version = true;
        } else if (strcmp(word, "--") == 0) {
            options = false;
        } else if (strncmp(word, "--", 2) == 0) {
            g->rest[g->rest_count++] = word; /* the command's */
        } else if (g->rest_count > 0 && word[1] >= '0' && word[1] <= '9') {
            g->rest[g->rest_count++] = word; /* a number, which the command will not like */
        } else {
            fgctl_refuse("no option %s; `fgctl --help` lists them", word);
            return false;
        }
    }
    return true;
}

static enum fgctl_status run(struct globals *g)
{
    if (g->version) {
        printf("fgctl %s\n", FLOODGATE_VERSION);
        return FGCTL_DONE;
    }
    if (g->rest_count > 0 && strcmp(g->rest[0], "help") == 0) { /* `fgctl help COMMAND` */
        g->help = true;
        memmove(g->rest, g->rest + 1, (size_t)--g->rest_count * sizeof g->rest[0]);
    }
    if (g->rest_count == 0 && g->help) {
        print_help();
        return FGCTL_DONE;
    }
    if (g->rest_count == 0)
        return fgctl_refuse("no command given; `fgctl --help` lists them");

    const struct command *command = find_command(g->rest[0]);
    if (command == NULL)
        return fgctl_refuse("no command '%s'; `fgctl --help` lists them", g->rest[0]);
    if (g->help) {
        print_command_help(command);
        return FGCTL_DONE;
    }
    if (command->run == NULL)
        return fgctl_refuse("%s: not available in this version", command->name);

    struct args args = {.command = command->name, .word = g->rest + 1, .count = g->rest_count - 1};
    return command->run(&g->ctl, &args);
}

int main(int argc, char **argv)
{
    const char *socket = getenv("FLOODGATE_SOCKET");
    struct globals g = {
        .ctl = {.socket = socket != NULL && socket[0] != '\0' ? socket : DEFAULT_SOCKET, .form = table_form_of(stdout)},
        .rest = calloc((size_t)argc + 1, sizeof(char *))};
    enum fgctl_status status = FGCTL_REFUSED;

    if (g.rest != NULL && parse_globals(argc, argv, &g))
        status = run(&g);
    free(g.rest);
    if (fflush(stdout) != 0 && status == FGCTL_DONE)
        status = fgctl_refuse("cannot write to stdout");
    return status;
}
