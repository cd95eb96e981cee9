/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration file (YAML) as a plain struct. Reading it has no side effects; every key is checked, and every
 * problem is reported with its file and line (not only the first). The file's keys are in floodgate.yaml(5).
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "flowspec/actions.h"
#include "flowspec/rule.h"

#define CFG_LCORES_MAX 128

struct cfg_router {
    uint32_t id; /* BGP identifier, host order */
    uint32_t asn;
};

enum cfg_hugepages { CFG_HUGEPAGES_AUTO, CFG_HUGEPAGES_OFF };
enum cfg_start { CFG_START_AUTO, CFG_START_MANUAL };

/* What a worker does when its ports deliver nothing. */
enum cfg_idle {
    CFG_IDLE_AUTO,  /* as poll for a worker with a physical NIC, else as sleep: a lab on pcap files burns no cores */
    CFG_IDLE_POLL,  /* poll on: lowest latency, the core is always busy */
    CFG_IDLE_SLEEP, /* sleep a little, whatever the ports are */
};

/* `exception-path`: interfaces of the kernel for ports of mode route. */
enum cfg_exception_path {
    CFG_EXCEPTION_AUTO, /* for all but capture files, where this process may make them */
    CFG_EXCEPTION_ON,   /* for all, or no start */
    CFG_EXCEPTION_OFF,
};

/* `punt-limits`: kinds of packets that workers hand to the control thread. */
enum cfg_punt {
    CFG_PUNT_ARP,
    CFG_PUNT_ND,
    CFG_PUNT_BGP,
    CFG_PUNT_BGP_OTHER,
    CFG_PUNT_ICMP,
    CFG_PUNT_TCP,
    CFG_PUNT_OTHER,
    CFG_PUNT_UNRESOLVED, /* wait for a neighbour */
    CFG_PUNT_ERRORS,     /* to be answered by an ICMP error; of each kind of errors */
    CFG_PUNT_COUNT,
};

struct cfg_dataplane {
    bool workers_auto;                /* all lcores but the control thread's */
    unsigned worker_count;            /* entries of `workers` when not auto; at least 1 */
    uint16_t workers[CFG_LCORES_MAX]; /* lcore ids, each once */
    enum cfg_hugepages hugepages;
    uint16_t control_lcore; /* `control`: the control thread's lcore, default 0; never one of the workers' */
    enum cfg_idle idle;
    uint32_t memory_mib;
    uint32_t rules_memory_mib; /* `rules-memory`: most of the rules in the data plane; 0: as memory_mib */
    enum cfg_start start;
    uint32_t max_rules; /* `max-rules`: rule ids at the same time; default 1000000 */
    uint32_t burst_ms;  /* `burst-ms`: how much of a rate limit may come at once; default 100 */
    char **eal;         /* extra EAL arguments */
    size_t eal_count;
    enum cfg_exception_path exception_path;
    uint32_t punt_packets_per_s[CFG_PUNT_COUNT]; /* of the whole router */
};

enum cfg_port_mode { CFG_PORT_WIRE, CFG_PORT_ROUTE };

struct cfg_port {
    char *name;
    char *device;   /* PCI address, or a vdev with its arguments; NULL for a sub-port */
    char *parent;   /* sub-port: the port whose frames with tag `vlan` it has */
    uint16_t vlan;  /* 1..4094; 0: not a sub-port */
    char *vrf;      /* NULL: the default one */
    bool urpf;      /* `urpf: loose` */
    uint8_t mac[6]; /* zero: the device's own */
    uint16_t mtu;   /* octets of an IP packet; default 1500 */
    enum cfg_port_mode mode;
    char *peer;                  /* CFG_PORT_WIRE: name of the other end, which names this one */
    bool flowspec;               /* default true */
    struct ip_prefix *addresses; /* CFG_PORT_ROUTE: at least one; host bits kept */
    size_t address_count;
    char *kernel_name; /* `kernel-name` of the interface that stands for it; NULL: made of `name` */
    unsigned line;
};

struct cfg_vrf {
    char *name;
    struct fs_route_target *rt_import;
    size_t rt_import_count;
    unsigned line;
};

#define CFG_VIA_MAX 8

struct cfg_route {
    struct ip_prefix prefix;
    struct ip_addr via[CFG_VIA_MAX]; /* several: equal-cost multipath */
    unsigned via_count;              /* 0 when blackhole */
    bool blackhole;
    char *vrf;       /* NULL: the default one ("default" in the file is NULL here, too) */
    char *port;      /* that the link-local ones of `via` are on; NULL: there are none */
    uint32_t metric; /* `metric`: the interior cost of next hops reached by it; default 1 */
    unsigned line;
};

struct cfg_neighbor {
    char *port;
    struct ip_addr address;
    uint8_t mac[6];
    unsigned line;
};

struct cfg_listen {
    struct ip_addr address;
    uint16_t port; /* default 179 */
    unsigned line;
};

/* Bits of cfg_peer.families. */
enum cfg_family {
    CFG_IPV4_UNICAST = 1 << 0,
    CFG_IPV6_UNICAST = 1 << 1,
    CFG_IPV4_FLOWSPEC = 1 << 2,
    CFG_IPV6_FLOWSPEC = 1 << 3,
    CFG_IPV4_FLOWSPEC_VPN = 1 << 4,
    CFG_IPV6_FLOWSPEC_VPN = 1 << 5,
    CFG_IPV4_VPN = 1 << 6, /* labelled VPN unicast */
    CFG_IPV6_VPN = 1 << 7,
};
#define CFG_FAMILY_COUNT 8

enum cfg_validation { CFG_VALIDATION_RFC9117, CFG_VALIDATION_NONE };

/* `announce`: what the peer is told. By default its own AS is told rules, others nothing. */
enum cfg_announce { CFG_ANNOUNCE_DEFAULT, CFG_ANNOUNCE_NONE, CFG_ANNOUNCE_RULES, CFG_ANNOUNCE_ALL };

/* `add-path` (RFC 7911): bits of cfg_peer.add_path. */
enum cfg_add_path { CFG_ADD_PATH_RECEIVE = 1, CFG_ADD_PATH_SEND = 2 };

/* `next-hop` of routes that are told. By default ourselves for other ASes, unchanged for our own. */
enum cfg_next_hop { CFG_NEXT_HOP_DEFAULT, CFG_NEXT_HOP_SELF, CFG_NEXT_HOP_UNCHANGED };

/* A community of RFC 1997 (one part) or RFC 8092 (three). */
struct cfg_community {
    bool large;
    uint32_t parts[3];
};

/* `import` and `export`: what may pass. An empty list asks for nothing. */
struct cfg_filter {
    uint32_t families;          /* CFG_* bits; 0: all */
    struct ip_prefix *prefixes; /* a rule's destination, or a route's prefix, lies within one of these */
    size_t prefix_count;
    struct cfg_community *communities; /* one of these is there */
    size_t community_count;
    struct cfg_community *not_communities; /* none of these is there */
    size_t not_community_count;
};

bool cfg_filter_equal(const struct cfg_filter *a, const struct cfg_filter *b);

/* `next-hop-resolution`: auto judges routes that are installed, where a port routes; on judges all of them. */
enum cfg_resolution { CFG_RESOLUTION_AUTO, CFG_RESOLUTION_ON, CFG_RESOLUTION_OFF };

struct cfg_peer {
    char *name;
    struct ip_addr address; /* family IP_NONE with a range */
    struct ip_prefix range; /* `range`: each address in it may be a peer of its own; family IP_NONE: none */
    uint16_t max_peers;     /* `max-peers`: of the range at the same time, default 100 */
    uint16_t port;          /* where we connect to, default 179 */
    uint32_t asn;
    bool passive;
    uint32_t families; /* CFG_* bits; default both flowspec families */
    enum cfg_validation validation;
    char *policy; /* name in `policies`, or NULL */
    bool route_reflector_client;
    enum cfg_announce announce;
    enum cfg_next_hop next_hop;
    uint32_t add_path;   /* enum cfg_add_path; default none */
    bool install_routes; /* `install-routes`: its unicast routes go into forwarding; default true */
    bool blackhole;      /* whether BLACKHOLE (RFC 7999) on its routes is honoured */
    struct cfg_filter import_filter, export_filter;
    uint32_t max_prefix[CFG_FAMILY_COUNT]; /* rules or routes of a family, by number of its bit; 0: not given */
    uint8_t max_prefix_warning;            /* per cent of it */
    bool extended_message;                 /* `extended-message`: RFC 8654 is offered, default true */
    bool remove_med;                       /* `remove-med`: its MULTI_EXIT_DISC is left out of account */
    bool legacy_ipv6_offset;               /* `legacy-ipv6-offset` */
    uint16_t hold_time_s;                  /* `hold-time`: 0 or 3..65535, default 90 */
    uint16_t connect_retry_s;              /* `connect-retry`: default 5 */
    uint16_t restart_time_s;               /* `restart-time`: 0 to 4095, default 120; 0: no graceful restart */
    uint32_t long_lived_s;                 /* `long-lived-stale-time`: up to 16777215, default 0: none */
    uint16_t send_hold_s; /* `send-hold-time`: 0 (off) or above the hold time; default 480, or twice the hold time */
    bool ttl_security;    /* `ttl-security`: RFC 5082 */
    char *password;       /* RFC 2385; NULL: none */
    char *device;         /* interface or VRF; NULL: any */
    unsigned line;
};

struct cfg_rule {
    struct fs_rule *rule;
    struct fs_actions actions;
    char *text;
    uint8_t unless_longer_ipv4; /* `protect` only: `unless-longer-than`; 0: no exception */
    uint8_t unless_longer_ipv6;
    unsigned line;
};

/* What becomes of a rule that would take more than its share. */
enum cfg_on_breach {
    CFG_BREACH_DEFAULT, /* of a policy: as the guard says */
    CFG_BREACH_HOLD,
    CFG_BREACH_REJECT,
    CFG_BREACH_WARN,
    CFG_BREACH_IGNORE, /* of a policy: not measured */
};

struct cfg_policy {
    char *name;
    struct ip_prefix *destinations;
    size_t destination_count;
    uint8_t min_length_ipv4;
    uint8_t min_length_ipv6;
    bool from_routes;        /* `destinations: from-routes`: within prefixes that the peer announces */
    uint8_t min_source_ipv4; /* `min-source-length` */
    uint8_t min_source_ipv6;
    uint32_t required_components, forbidden_components; /* bit enum fs_type */
    char **actions;                                     /* names of actions allowed; none given: all */
    size_t action_count;
    float min_rate_bytes_per_s;               /* `min-rate`; 0: no limit */
    float min_rate_packets_per_s;             /* `min-packet-rate` */
    struct fs_route_target *redirect_targets; /* `redirect-targets`; none given: all */
    size_t redirect_target_count;
    struct ip_prefix *redirect_addresses; /* `redirect-addresses`; none given: all */
    size_t redirect_address_count;
    uint32_t max_rules;                 /* 0: no limit; so are the other limits */
    uint32_t max_rules_per_destination; /* `max-rules-per-destination` */
    uint32_t max_changes_per_s;         /* `max-changes` */
    uint32_t cost_budget;               /* `cost-budget` */
    uint32_t max_age_s, idle_age_s;     /* `max-age`, `idle-age` */
    bool dry_run;                       /* `dry-run` */
    enum cfg_on_breach on_breach;       /* of the guard, for this peer's rules */
    unsigned line;
};

struct cfg_guard {
    bool set;
    double max_drop_share;        /* per cent of packets seen */
    double max_byte_share;        /* `max-byte-share`; 0: as max_drop_share */
    double max_protocol_share;    /* `max-protocol-share`; 0: no limit */
    double max_destination_share; /* `max-destination-share`; 0: no limit */
    uint32_t window_s;
    enum cfg_on_breach on_breach;
    uint32_t sample;      /* `sample`: one packet in so many */
    uint32_t min_samples; /* `min-samples`: with fewer of them in the window there is no verdict */
    uint32_t hold_time_s; /* `hold-time`: a held rule that nobody approves is rejected after it */
    bool breaker;         /* `breaker` */
    unsigned line;
};

struct cfg_journal {
    char *file;       /* NULL: kept in memory only */
    uint32_t max_mib; /* `max-size`: of the file, then it is rotated */
    uint32_t entries; /* kept for `fgctl journal` */
};

struct cfg_api {
    char *socket;  /* default /run/floodgate/api.sock */
    char *metrics; /* ADDRESS:PORT, or NULL */
};

struct cfg_sampled_port {
    char *port;
    uint32_t one_in; /* packets that it receives */
    unsigned line;
};

struct cfg_sampling {
    bool set;
    char *directory; /* of pcapng files, or NULL */
    uint32_t file_mib;
    uint32_t files;
    char *collector; /* ADDRESS:PORT of an sFlow collector, or NULL */
    uint32_t snap_length;
    uint32_t rules_one_in; /* of the packets of rules with `sample` */
    struct cfg_sampled_port *ports;
    size_t port_count;
};

/* Whether an address is a link-local one (RFC 4291 2.5.6), which means something on one port only. */
bool cfg_is_link_local(const struct ip_addr *address);

/* Everything the file says. Strings and arrays belong to the struct; cfg_free frees them. */
struct cfg {
    struct cfg_router router;
    struct cfg_dataplane dataplane;
    struct cfg_port *ports;
    size_t port_count;
    struct cfg_vrf *vrfs;
    size_t vrf_count;
    struct cfg_route *routes;
    size_t route_count;
    struct cfg_neighbor *neighbors;
    size_t neighbor_count;
    struct cfg_listen *listens;
    size_t listen_count;
    uint32_t restart_deferral_s; /* `restart-deferral`: RFC 4724 4.1; default 60 */
    enum cfg_resolution next_hop_resolution;
    uint32_t cluster_id; /* `cluster-id`, host order; 0: the router id (RFC 4456 7) */
    struct cfg_peer *peers;
    size_t peer_count;
    struct cfg_rule *rules;
    size_t rule_count;
    struct cfg_policy *policies;
    size_t policy_count;
    struct cfg_rule *protects; /* actions are not set */
    size_t protect_count;
    bool protect_bgp; /* `protect-bgp`: default true */
    bool sense;       /* `sense`: default true */
    struct cfg_guard guard;
    struct cfg_journal journal;
    struct cfg_api api;
    struct cfg_sampling sampling;
    unsigned protect_line, guard_line, sense_line; /* where these start, 0 when absent: for messages */
};

/* Takes one problem: `line` is 1-based, 0 when the file as a whole is meant. */
typedef void (*cfg_problem_fn)(void *ctx, const char *file, unsigned line, const char *text);

/*
 * Reads and checks a file. Returns the configuration, or NULL after at least one problem was reported through
 * `problem` (an unreadable file is one, too). All problems found are reported, in the order of their lines.
 */
struct cfg *cfg_load(const char *file, cfg_problem_fn problem, void *ctx);

/* The same from memory; `file` is the name used in problems. */
struct cfg *cfg_parse(const char *text, size_t len, const char *file, cfg_problem_fn problem, void *ctx);

void cfg_free(struct cfg *cfg);

/*
 * Tells of each protection that a sound configuration switches off, and of each peer that is told less than it seems:
 * nobody is to find that out from the damage.
 */
void cfg_warn(const struct cfg *cfg, const char *file, cfg_problem_fn warning, void *ctx);

/* By what name the kernel knows the port, which is at `index` of cfg->ports; its name must be set. */
#define CFG_INTERFACE_SIZE 16 /* netdevice(7): IFNAMSIZ */
void cfg_port_interface(const struct cfg_port *port, size_t index, char name[CFG_INTERFACE_SIZE]);

/* Whether the entry stands for many neighbours, those in its `range`. */
bool cfg_peer_is_range(const struct cfg_peer *peer);
/* The entry that an address belongs to: a peer of that very address, else the longest range; NULL: none. */
const struct cfg_peer *cfg_peer_of_address(const struct cfg *cfg, const struct ip_addr *address);

/* "ipv4-flowspec", ... of one CFG_* family bit. */
const char *cfg_family_name(uint32_t family);

#endif
