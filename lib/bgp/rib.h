/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flowspec RIB: Adj-RIB-In of every source, and the best path for each rule (Loc-RIB).
 *
 * A source is a peer, the configuration or the operator; it has a number that stays while it has paths here. The owner
 * hears of every change of a best path through one callback. Control thread only.
 */
#ifndef BGP_RIB_H
#define BGP_RIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/ages.h"
#include "bgp/update.h"

struct bgp_rib;

enum bgp_source_kind { BGP_SOURCE_PEER, BGP_SOURCE_CONFIG, BGP_SOURCE_API };

struct bgp_source {
    uint32_t number; /* unique */
    enum bgp_source_kind kind;
    bool ebgp;
    uint32_t router_id;
    struct ip_addr address;
    bool next_hops_judged; /* its unicast routes are left out while their next hops cannot be reached (bgp/reach.h) */
    bool blackholes;       /* but for those with the community BLACKHOLE, which lead nowhere on purpose (RFC 7999) */
};

/* Paths that one source may have of one rule or prefix (RFC 7911 leaves it to us): one UPDATE could bring hundreds. */
#define BGP_PATHS_MAX 64

/* One path: a rule as one source announced it. */
struct bgp_path {
    const struct bgp_source *source;
    struct bgp_attrs attrs;
    struct bgp_path *next; /* other paths of the same rule */
    uint32_t path_id;      /* ADD-PATH (RFC 7911): a source may have several paths; 0 without it */
    bool infeasible;       /* ops->infeasible said so: the path is chosen only where every other one is, too */
    uint8_t marks;         /* BGP_PATH_STALE, BGP_PATH_LONG_LIVED, as the owner was told; an announcement clears them */
    bool struck, beaten, decided; /* private: the decision process's notes */
};

/* One rule with all its paths; the best is the first. */
struct bgp_rib_entry {
    uint32_t family; /* enum bgp_family */
    struct fs_rule *rule;
    struct bgp_path *best;
    void *owner; /* the owner's, NULL at first; the RIB does not touch it */
};

struct bgp_rib_ops {
    /*
     * The best path is new or has changed (`withdrawn` false), or the last path is gone: the entry has left the RIB,
     * its `best` is NULL, and it is freed on return. The RIB must not be changed from here.
     */
    void (*changed)(void *ctx, struct bgp_rib_entry *entry, bool withdrawn);
    /* Whether a path must not be used (RFC 8955 6), asked when it comes and by bgp_rib_judge. NULL: none. */
    bool (*infeasible)(void *ctx, const struct bgp_rib_entry *entry, const struct bgp_path *path);
};

struct bgp_rib *bgp_rib_create(const struct bgp_rib_ops *ops, void *ctx);
void bgp_rib_free(struct bgp_rib *rib); /* does not call back */

/*
 * Announces: takes `rule`, copies `attrs`. Replaces the source's former path for the same rule. Equal attributes change
 * nothing and call nobody. 0, or -ENOMEM (then nothing changed; `rule` is freed).
 */
int bgp_rib_announce(struct bgp_rib *rib, const struct bgp_source *source, uint32_t family, struct fs_rule *rule,
                     const struct bgp_attrs *attrs);

/* The same of one path of several that the source may announce for a rule: -ENOSPC when it has BGP_PATHS_MAX others. */
int bgp_rib_announce_path(struct bgp_rib *rib, const struct bgp_source *source, uint32_t family, uint32_t path_id,
                          struct fs_rule *rule, const struct bgp_attrs *attrs);
bool bgp_rib_withdraw_path(struct bgp_rib *rib, const struct bgp_source *source, uint32_t family, uint32_t path_id,
                           const struct fs_rule *rule);

/* Withdraws; false when the source had no such path. `rule` stays the caller's. */
bool bgp_rib_withdraw(struct bgp_rib *rib, const struct bgp_source *source, uint32_t family,
                      const struct fs_rule *rule);

/*
 * Marks every path of a source in these families (bits), which takes no time, however many they are, and returns that
 * number. What follows from it is done by bgp_rib_source_walk: the owner hears of best paths that became stale, and of
 * other ones being the best; those with the community NO_LLGR (RFC 9494 4.2) are dropped where the rest is long-lived;
 * what is gone is dropped. A path that is announced before its turn has come bears no mark any more.
 */
size_t bgp_rib_source_mark(struct bgp_rib *rib, const struct bgp_source *source, uint32_t families,
                           enum bgp_path_mark mark);
/* Those that bear the mark still are gone: the walk drops them. */
void bgp_rib_source_end(struct bgp_rib *rib, const struct bgp_source *source, uint32_t families,
                        enum bgp_path_mark mark);
/*
 * Looks at paths of a source, at most `max` of them, where marks left something to do. Returns at how many; fewer than
 * `max`: nothing is left to do. `*dropped` is increased by those dropped.
 */
size_t bgp_rib_source_walk(struct bgp_rib *rib, const struct bgp_source *source, size_t max, size_t *dropped);

/* Drops every path of a source at once. Returns how many there were. */
size_t bgp_rib_source_down(struct bgp_rib *rib, const struct bgp_source *source);

/* Paths held from a source, in one family, without those that are gone. So is the next. */
size_t bgp_rib_source_count(const struct bgp_rib *rib, const struct bgp_source *source, uint32_t family);

/* Octets of the attributes of a source's paths, each path counted as if it shared them with none; and those paths. */
uint64_t bgp_rib_source_octets(const struct bgp_rib *rib, const struct bgp_source *source, size_t *paths);

/* Asks again which paths of the entry are infeasible; `changed` is called where another one is best now. */
void bgp_rib_judge(struct bgp_rib *rib, struct bgp_rib_entry *entry);

/* The entry of a rule, or NULL. */
struct bgp_rib_entry *bgp_rib_find(struct bgp_rib *rib, uint32_t family, const struct fs_rule *rule);

/* Entries in RFC order, IPv4 first: NULL starts, NULL ends. `entry` must still be there. */
struct bgp_rib_entry *bgp_rib_next(struct bgp_rib *rib, const struct bgp_rib_entry *entry);

size_t bgp_rib_count(const struct bgp_rib *rib);

#endif
