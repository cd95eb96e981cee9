/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ip.h"

static const char usage[] =
    "usage: fginject --connect ADDR:PORT --local-as N [OPTION...] FILE\n"
    "\n"
    "Announces the Flowspec rules in FILE (- is stdin; one rule a line) over BGP and says what was sent.\n"
    "\n"
    "  -c, --connect ADDR:PORT  the router ([ADDR]:PORT for IPv6; the port may be left out: 179)\n"
    "  -a, --local-as N         our AS number\n"
    "  -p, --peer-as N          the router's AS number (default: whatever it says)\n"
    "  -i, --router-id ID       our BGP identifier (default: --bind's IPv4 address, else made from the AS number)\n"
    "  -b, --bind ADDR          our address\n"
    "  -r, --rate N             rules per second (default: as fast as the router takes them)\n"
    "  -H, --hold               stay, so that the rules stay; until SIGINT or SIGTERM\n"
    "  -w, --withdraw           withdraw the rules once all are announced; with --hold, at the end\n"
    "  -t, --hold-time S        BGP hold time, 0 or 3 and above (default 90)\n"
    "  -W, --wait S             seconds to wait for the session to come up (default 10)\n"
    "      --legacy-ipv6-offset send IPv6 offsets as drafts before RFC 8956 had them\n"
    "      --no-extended-message offer no messages beyond 4096 octets (RFC 8654)\n"
    "  -v, --verbose            log what the session does on stderr\n"
    "  -h, --help               this\n"
    "  -V, --version            the version\n"
    "\n"
    "A rule lives as long as the session that announced it: without --hold the router drops all of them when\n"
    "fginject ends, right after it took them (fit for measuring). With --hold: SIGUSR1 withdraws every rule,\n"
    "SIGUSR2 announces them again.\n"
    "\n"
    "Exit status: 0 done; 1 bad rule, bad usage, session refused or lost; 2 no session within --wait seconds.\n";

static bool read_number(const char *name, const char *text, unsigned long max, uint32_t *out)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value > max) {
        fprintf(stderr, "fginject: %s: '%s' is not a number from 0 to %lu\n", name, text, max);
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

static void to_sockaddr(const struct ip_addr *addr, uint16_t port, struct sockaddr_storage *out, socklen_t *len)
{
    memset(out, 0, sizeof *out);
    if (addr->family == IP_V4) {
        struct sockaddr_in *sin = (struct sockaddr_in *)out;
        sin->sin_family = AF_INET;
        sin->sin_port = htons(port);
        memcpy(&sin->sin_addr, addr->octets, 4);
        *len = sizeof *sin;
    } else {
        struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)out;
        sin6->sin6_family = AF_INET6;
        sin6->sin6_port = htons(port);
        memcpy(&sin6->sin6_addr, addr->octets, 16);
        *len = sizeof *sin6;
    }
}

/* ADDR, ADDR:PORT, [ADDR] or [ADDR]:PORT; an IPv6 address with a port needs its brackets. */
static bool read_peer(const char *text, struct options *options)
{
    char address[64], port_text[16] = "179";
    struct ip_addr addr;
    uint32_t port;
    const char *colon = strrchr(text, ':');

    if (text[0] == '[') {
        if (sscanf(text, "[%63[^]]]:%15s", address, port_text) < 1)
            address[0] = '\0';
    } else if (colon != NULL && strchr(text, ':') == colon) {
        snprintf(address, sizeof address, "%.*s", (int)(colon - text), text);
        snprintf(port_text, sizeof port_text, "%s", colon + 1);
    } else {
        snprintf(address, sizeof address, "%s", text);
    }
    if (!ip_addr_parse(address, &addr)) {
        fprintf(stderr, "fginject: --connect: '%s' is not ADDR:PORT (192.0.2.1:179, [2001:db8::1]:179)\n", text);
        return false;
    }
    if (!read_number("--connect: port", port_text, UINT16_MAX, &port))
        return false;
    to_sockaddr(&addr, (uint16_t)port, &options->peer, &options->peer_len);
    snprintf(options->peer_text, sizeof options->peer_text, addr.family == IP_V6 ? "[%.45s]:%u" : "%.45s:%u", address,
             port);
    return true;
}

static bool read_address(const char *name, const char *text, struct ip_addr *out)
{
    if (ip_addr_parse(text, out))
        return true;
    fprintf(stderr, "fginject: %s: '%s' is not an IP address\n", name, text);
    return false;
}

static uint32_t id_of(const struct ip_addr *addr)
{
    const uint8_t *o = addr->octets;

    return (uint32_t)o[0] << 24 | (uint32_t)o[1] << 16 | (uint32_t)o[2] << 8 | o[3];
}

static bool read_bind(const char *text, struct options *options)
{
    struct ip_addr addr;

    if (!read_address("--bind", text, &addr))
        return false;
    to_sockaddr(&addr, 0, &options->bind, &options->bind_len);
    if (addr.family == IP_V4 && options->router_id == 0)
        options->router_id = id_of(&addr);
    return true;
}

static bool read_router_id(const char *text, struct options *options)
{
    struct ip_addr addr;

    if (!read_address("--router-id", text, &addr))
        return false;
    options->router_id = addr.family == IP_V4 ? id_of(&addr) : 0;
    if (options->router_id != 0)
        return true;
    fprintf(stderr, "fginject: --router-id: '%s' is not an IPv4 address other than 0.0.0.0\n", text);
    return false;
}

static bool read_hold_time(const char *text, struct options *options)
{
    uint32_t value;

    if (!read_number("--hold-time", text, UINT16_MAX, &value))
        return false;
    options->hold_time_s = (uint16_t)value;
    if (value != 1 && value != 2)
        return true;
    fprintf(stderr, "fginject: --hold-time: 0, or 3 and above (RFC 4271 4.2)\n");
    return false;
}

static bool read_option(int option, struct options *options)
{
    switch (option) {
    case 'c':
        return read_peer(optarg, options);
    case 'a':
        return read_number("--local-as", optarg, UINT32_MAX, &options->local_as);
    case 'p':
        return read_number("--peer-as", optarg, UINT32_MAX, &options->peer_as);
    case 'i':
        return read_router_id(optarg, options);
    case 'b':
        return read_bind(optarg, options);
    case 'r':
        return read_number("--rate", optarg, 1000000000, &options->rate_per_s);
    case 'W':
        return read_number("--wait", optarg, 86400, &options->wait_s);
    case 't':
        return read_hold_time(optarg, options);
    case 'H':
        options->hold = true;
        return true;
    case 'w':
        options->withdraw = true;
        return true;
    case 'L':
        options->legacy_ipv6_offset = true;
        return true;
    case 'X':
        options->no_extended_message = true;
        return true;
    case 'v':
        options->verbose = true;
        return true;
    default:
        return false;
    }
}

/* What must be there, and what is filled in where it is not. */
static bool complete(struct options *options)
{
    if (options->peer_len == 0 || options->local_as == 0 || options->file == NULL) {
        fprintf(stderr, "fginject: %s is missing; see fginject --help\n",
                options->peer_len == 0   ? "--connect"
                : options->local_as == 0 ? "--local-as"
                                         : "FILE");
        return false;
    }
    if (options->bind_len != 0 && options->bind.ss_family != options->peer.ss_family) {
        fprintf(stderr, "fginject: --bind and --connect are not of one family\n");
        return false;
    }
    if (options->router_id == 0)
        options->router_id = 0x64400000u | (options->local_as & 0x3fffffu); /* in 100.64.0.0/10 */
    return true;
}

int options_read(struct options *options, int argc, char **argv)
{
    static const struct option table[] = {
        {"connect", required_argument, NULL, 'c'},
        {"local-as", required_argument, NULL, 'a'},
        {"peer-as", required_argument, NULL, 'p'},
        {"router-id", required_argument, NULL, 'i'},
        {"bind", required_argument, NULL, 'b'},
        {"rate", required_argument, NULL, 'r'},
        {"hold", no_argument, NULL, 'H'},
        {"withdraw", no_argument, NULL, 'w'},
        {"hold-time", required_argument, NULL, 't'},
        {"wait", required_argument, NULL, 'W'},
        {"legacy-ipv6-offset", no_argument, NULL, 'L'},
        {"no-extended-message", no_argument, NULL, 'X'},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    int option;

    *options = (struct options){.wait_s = 10, .hold_time_s = 90};
    while ((option = getopt_long(argc, argv, "c:a:p:i:b:r:Hwt:W:vhV", table, NULL)) != -1) {
        if (option == 'h' || option == 'V') {
            fputs(option == 'h' ? usage : "fginject " FGINJECT_VERSION "\n", stdout);
            return 0;
        }
        if (!read_option(option, options))
            return 1;
    }
    if (argc - optind > 1) {
        fprintf(stderr, "fginject: one FILE, not %d\n", argc - optind);
        return 1;
    }
    options->file = argv[optind];
    return complete(options) ? -1 : 1;
}
