/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Unicast RIB: Adj-RIB-In of every peer and the best path of every prefix (Loc-RIB), for IPv4 and IPv6 unicast (SAFI 1)
 * and labelled VPN unicast (SAFI 128, a table for each route distinguisher).
 *
 * Made for full tables: a prefix is a 40-octet node of a trie (about two nodes for each prefix), a path 40 octets,
 * attributes are held once for all paths that share them. Best path by RFC 4271 9.1.2 (bgp/best_path.h); a path whose
 * next hop cannot be reached is kept and left out, where the owner says how to find out (bgp_unicast_reach_by). The
 * owner hears of changes through callbacks, synchronously. Control thread only.
 */
#ifndef BGP_UNICAST_RIB_H
#define BGP_UNICAST_RIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/attrs_pool.h"
#include "bgp/reach.h"
#include "bgp/rib.h"
#include "bgp/update.h"

struct bgp_unicast;

/* One path of a prefix, as a source announced it. Pointers are valid until the RIB changes. */
struct bgp_unicast_path {
    const struct bgp_source *source;
    const struct bgp_attrs *attrs; /* next_hop is set for every route, whatever attribute it came in */
    uint32_t path_id;              /* ADD-PATH (RFC 7911); 0 without it */
    bool stale;                    /* kept from before a graceful restart of the peer (RFC 4724) */
    const struct bgp_reach *reach; /* of its next hop; NULL: not judged, the path counts */
    bool unreachable;              /* its prefix was decided without it; of the best path: there is no route */
    bool long_lived;               /* and that for so long that any other path is preferred (RFC 9494) */
};

struct bgp_unicast_ops {
    /*
     * The best path of the route's prefix is new, is another one or has other attributes; `best` NULL: the last path is
     * gone, or no next hop of those that are left can be reached. The RIB must not be changed from here.
     */
    void (*changed)(void *ctx, const struct bgp_route *route, const struct bgp_unicast_path *best);
    /* A path that neither was nor is the best came, changed or went. May be NULL. */
    void (*other_changed)(void *ctx, const struct bgp_route *route);
};

struct bgp_unicast *bgp_unicast_create(const struct bgp_unicast_ops *ops, void *ctx);
void bgp_unicast_free(struct bgp_unicast *rib); /* does not call back */

/*
 * Attributes are looked up once for the many routes of an UPDATE: the set equal to `attrs`, to be given back when the
 * routes have been announced. NULL when memory is short.
 */
struct bgp_shared_attrs *bgp_unicast_intern(struct bgp_unicast *rib, const struct bgp_attrs *attrs);
/* The same set with a route's label, to be given back, too. It costs little, however large the set is. */
struct bgp_shared_attrs *bgp_unicast_label(struct bgp_unicast *rib, struct bgp_shared_attrs *shared, uint32_t label);
void bgp_unicast_release(struct bgp_unicast *rib, struct bgp_shared_attrs *shared);

/*
 * Announces; replaces the source's former path of the same prefix and path id. Equal attributes change nothing (but
 * that the path has no mark any more) and call nobody, unless a long-lived stale path comes to life. 0; -ENOMEM,
 * or -ENOSPC when the source has BGP_PATHS_MAX others of the prefix (then nothing changed).
 */
int bgp_unicast_announce(struct bgp_unicast *rib, const struct bgp_source *source, const struct bgp_route *route,
                         struct bgp_shared_attrs *attrs);
/* False when the source had no such path. */
bool bgp_unicast_withdraw(struct bgp_unicast *rib, const struct bgp_source *source, const struct bgp_route *route);

/*
 * Marks every path of a source in these families (bits), which takes no time, however many they are, and returns that
 * number. What follows from it is done by bgp_unicast_source_walk: of long-lived paths those with the community NO_LLGR
 * (RFC 9494 4.2) are dropped, for the rest another path may be the best, and the owner hears of each best path that is
 * long-lived now; what is gone is dropped. A path that is announced before its turn has come bears no mark any more.
 */
size_t bgp_unicast_source_mark(struct bgp_unicast *rib, const struct bgp_source *source, uint32_t families,
                               enum bgp_path_mark mark);
/* Those that bear the mark still are gone: the walk drops them. */
void bgp_unicast_source_end(struct bgp_unicast *rib, const struct bgp_source *source, uint32_t families,
                            enum bgp_path_mark mark);
/*
 * Looks at paths of a source, at most `max` of them, where marks left something to do. Returns at how many; fewer than
 * `max`: nothing is left to do. `*dropped` is increased by those dropped.
 */
size_t bgp_unicast_source_walk(struct bgp_unicast *rib, const struct bgp_source *source, size_t max, size_t *dropped);

/* Drops every path of a source at once. Returns how many there were. */
size_t bgp_unicast_source_down(struct bgp_unicast *rib, const struct bgp_source *source);

/*
 * Next hops are judged from now on, of unicast routes (SAFI 1) whose source asks for it: before the first is announced.
 */
void bgp_unicast_reach_by(struct bgp_unicast *rib, const struct bgp_reach_ops *ops, void *ctx);
/* Something may have become reachable or not: each next hop is asked about again by bgp_unicast_reach_run. */
void bgp_unicast_reach_again(struct bgp_unicast *rib);
/* And those, too, that were left out because their way kept changing. */
void bgp_unicast_reach_forgive(struct bgp_unicast *rib);
/*
 * A slice of it: asks about at most `asked_max` next hops, decides at most `paths_max` paths anew that rest on one
 * whose answer is another. True: there is more to do.
 */
bool bgp_unicast_reach_run(struct bgp_unicast *rib, size_t asked_max, size_t paths_max);
size_t bgp_unicast_next_hops(const struct bgp_unicast *rib);
/* Paths of a source that are left out because their next hop cannot be reached. */
size_t bgp_unicast_source_unreachable(const struct bgp_unicast *rib, const struct bgp_source *source);

/* Paths held from a source in one family, without those that are gone. So is the next. */
size_t bgp_unicast_source_count(const struct bgp_unicast *rib, const struct bgp_source *source, uint32_t family);
/* Octets of the attributes of a source's paths, each path counted as if it shared them with none; and those paths. */
uint64_t bgp_unicast_source_octets(const struct bgp_unicast *rib, const struct bgp_source *source, size_t *paths);
/* Prefixes with a path, in one family. */
size_t bgp_unicast_count(const struct bgp_unicast *rib, uint32_t family);
/* Octets of prefixes and paths; attributes are not in it. */
size_t bgp_unicast_memory(const struct bgp_unicast *rib);
size_t bgp_unicast_attribute_sets(const struct bgp_unicast *rib);

/*
 * Where to look: a family, and of labelled VPN routes those that `imports` says true to (a VRF's route targets), of any
 * route distinguisher; NULL: all of them. Unicast families do not ask it.
 */
struct bgp_unicast_scope {
    uint32_t family; /* BGP_IPV4_UNICAST, BGP_IPV6_UNICAST, BGP_IPV4_VPN or BGP_IPV6_VPN */
    bool (*imports)(void *ctx, const struct bgp_attrs *attrs);
    void *ctx;
};

/*
 * The best path of the longest prefix that covers `prefix` or equals it (the best-match route of RFC 8955 6); `route`
 * is then the prefix. Prefixes without a path that counts are passed over. False: none covers it.
 */
bool bgp_unicast_match(const struct bgp_unicast *rib, const struct bgp_unicast_scope *scope,
                       const struct ip_prefix *prefix, struct bgp_route *route, struct bgp_unicast_path *best);

/*
 * Whether a route more specific than `prefix` has a best path received from another neighbouring AS than `as`
 * (bgp_as_path_first; 0: our own AS); `route` and `best` are then such a one.
 */
bool bgp_unicast_other_neighbour(const struct bgp_unicast *rib, const struct bgp_unicast_scope *scope,
                                 const struct ip_prefix *prefix, uint32_t as, struct bgp_route *route,
                                 struct bgp_unicast_path *best);

/* Whether `source` announces a route (its best or not) that covers `prefix` or equals it: `route` is the longest. */
bool bgp_unicast_source_covers(const struct bgp_unicast *rib, const struct bgp_source *source,
                               const struct ip_prefix *prefix, struct bgp_route *route);

/* Whether there is any path of exactly this prefix, one that counts or not. */
bool bgp_unicast_has(const struct bgp_unicast *rib, const struct bgp_route *route);

/* All paths of one prefix, the best first: calls `visit` for each until it returns false. Returns how many were. */
typedef bool (*bgp_unicast_path_fn)(void *ctx, const struct bgp_unicast_path *path, const char *why);
/* `why` says which step of the decision process the path lost by ("local-pref", ...); NULL for the best and where
 * `explain` is false. */
size_t bgp_unicast_paths(const struct bgp_unicast *rib, const struct bgp_route *route, bool explain,
                         bgp_unicast_path_fn visit, void *ctx);

/*
 * Walks prefixes in order of family, route distinguisher and address, a covering prefix first: the next after `after`
 * (NULL: the first), whether or not that one is still there, in the families given (bits); `best` is its best path.
 * So a walk may rest and go on.
 */
bool bgp_unicast_next(const struct bgp_unicast *rib, uint32_t families, const struct bgp_route *after,
                      struct bgp_route *route, struct bgp_unicast_path *best);

#endif
