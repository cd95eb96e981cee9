/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the guard says that a rule would take, against a count by brute force: each header of the window, one after the
 * other, by the matcher that is written from the RFCs' text (naive_match.h). Windows of every filling, also those whose
 * oldest headers have gone by number or by age, of one VRF and of several; rules for the default VRF and for some.
 * ITERATIONS: rules tried (default 10000) [SEED]
 */
#include "model.h"

#include <string.h>

#include "control/window.h"
#include "naive_match.h"
#include "random_key.h"

#define SHOWN_MOST      20000 /* headers of one window, gone ones included */
#define RULES_A_WINDOW  20
#define VRFS_MOST       4
#define DESTINATION_MAX 30.0 /* per cent: the limit that destinations are looked at for */

/* A header as it was put into the window. */
struct shown {
    struct pkt_key key;
    uint16_t vrf;
    mono_ms_t at;
};

static struct shown shown[SHOWN_MOST];
static size_t shown_count, shown_first; /* those from `shown_first` are in the window */
static unsigned long iteration;

/* Some traffic has most of its packets in common, so that protocols and destinations have large parts. */
static void draw_key(struct random *random, const struct pkt_key *common, unsigned sameness, struct pkt_key *out)
{
    random_key(random, out);
    if (random_below(random, 100) >= sameness || out->family != common->family)
        return;
    memcpy(out->dst, common->dst, sizeof out->dst);
    if (random_one_in(random, 2))
        out->dst_port = common->dst_port;
}

static void fill(struct random *random, struct window *window)
{
    size_t count = random_one_in(random, 4) ? random_below(random, SHOWN_MOST) : random_below(random, 600);
    unsigned vrfs = random_one_in(random, 2) ? 1 : 1 + random_below(random, VRFS_MOST),
             sameness = random_below(random, 100);
    mono_ms_t now = 1000;
    struct pkt_key common;

    random_key(random, &common);
    for (shown_count = 0; shown_count < count; shown_count++) {
        struct shown *one = &shown[shown_count];
        now += random_one_in(random, 10);
        draw_key(random, &common, sameness, &one->key);
        one->vrf = (uint16_t)random_below(random, vrfs);
        one->at = now;
        window_add(window, &one->key, one->vrf, now);
    }
    shown_first = count > WINDOW_SIZE ? count - WINDOW_SIZE : 0;
    if (random_one_in(random, 3)) {
        mono_ms_t since = 1000 + random_below(random, (unsigned)(now - 1000) + 2);
        window_drop_before(window, since);
        while (shown_first < shown_count && shown[shown_first].at < since)
            shown_first++;
    }
    model_expect(window_count(window) == shown_count - shown_first, iteration, "%zu headers, not %zu",
                 window_count(window), shown_count - shown_first);
}

static bool meant(const struct shown *one, const struct vrf_set *vrfs)
{
    return vrfs == NULL ? one->vrf == 0 : vrf_set_has(vrfs, one->vrf);
}

/* Seen and taken among what is meant and has the same `what` as `like` (NULL: all). */
typedef bool (*same_fn)(const struct pkt_key *a, const struct pkt_key *b);

static struct pol_part count_part(const bool *taken, const struct vrf_set *vrfs, same_fn same,
                                  const struct pkt_key *like)
{
    struct pol_part part = {0};

    for (size_t i = shown_first; i < shown_count; i++) {
        if (!meant(&shown[i], vrfs) || (same != NULL && !same(&shown[i].key, like)))
            continue;
        part.seen++;
        part.taken += taken[i];
    }
    return part;
}

static bool same_protocol(const struct pkt_key *a, const struct pkt_key *b)
{
    return a->protocol == b->protocol;
}

static bool same_destination(const struct pkt_key *a, const struct pkt_key *b)
{
    return a->family == b->family && memcmp(a->dst, b->dst, sizeof a->dst) == 0;
}

static bool same_port(const struct pkt_key *a, const struct pkt_key *b)
{
    return (a->has & b->has & PKT_HAS_PORTS) != 0 && a->protocol == b->protocol && a->dst_port == b->dst_port;
}

static double share(struct pol_part part)
{
    return part.seen > 0 ? 100.0 * part.taken / part.seen : 0;
}

/* The largest share of a part of its kind that has a twentieth of all, and the most that is taken of any one. */
static void largest(const bool *taken, const struct vrf_set *vrfs, uint32_t all, same_fn same, double *worst,
                    uint32_t *most)
{
    static bool done[SHOWN_MOST];

    *worst = 0;
    *most = 0;
    memset(done, 0, sizeof done);
    for (size_t i = shown_first; i < shown_count; i++) {
        if (!taken[i] || done[i] || !same(&shown[i].key, &shown[i].key))
            continue;
        for (size_t j = i; j < shown_count; j++)
            done[j] = done[j] || same(&shown[j].key, &shown[i].key);
        struct pol_part part = count_part(taken, vrfs, same, &shown[i].key);
        if (part.taken > *most)
            *most = part.taken;
        if (part.seen * WINDOW_PART_LEAST >= all && share(part) > *worst)
            *worst = share(part);
    }
}

static bool near(double a, double b)
{
    return a - b < 1e-9 && b - a < 1e-9;
}

static void check_octets(const bool *taken, const struct vrf_set *vrfs, const struct pol_blast *blast)
{
    uint64_t seen = 0, gone = 0;

    for (size_t i = shown_first; i < shown_count; i++) {
        if (!meant(&shown[i], vrfs))
            continue;
        seen += shown[i].key.length;
        gone += taken[i] ? shown[i].key.length : 0;
    }
    model_expect(blast->bytes_seen == seen && blast->bytes_taken == gone, iteration,
                 "octets: %llu of %llu, not %llu of %llu", (unsigned long long)blast->bytes_taken,
                 (unsigned long long)blast->bytes_seen, (unsigned long long)gone, (unsigned long long)seen);
}

static void check_parts(const bool *taken, const struct vrf_set *vrfs, const struct pol_blast *blast)
{
    uint32_t all = blast->packets.seen, most;
    double worst;

    largest(taken, vrfs, all, same_protocol, &worst, &most);
    model_expect(near(share(blast->protocol), worst), iteration, "a protocol: %f %%, not %f %%", share(blast->protocol),
                 worst);
    largest(taken, vrfs, all, same_destination, &worst, &most);
    model_expect(blast->top_destinations[0].taken == most, iteration, "most to one destination: %u, not %u",
                 blast->top_destinations[0].taken, most);
    /* below the limit nobody asks which is the largest */
    model_expect(worst > DESTINATION_MAX ? near(share(blast->destination), worst)
                                         : !(share(blast->destination) > DESTINATION_MAX),
                 iteration, "a destination: %f %%, not %f %%", share(blast->destination), worst);
    largest(taken, vrfs, all, same_port, &worst, &most);
    model_expect(blast->top_ports[0].taken == most, iteration, "most to one port: %u, not %u",
                 blast->top_ports[0].taken, most);
    for (unsigned i = 1; i < POL_BLAST_TOP; i++)
        model_expect(blast->top_ports[i].taken <= blast->top_ports[i - 1].taken &&
                         blast->top_destinations[i].taken <= blast->top_destinations[i - 1].taken,
                     iteration, "the largest are not in order");
}

/* Returns whether the rule takes anything. */
static bool check(const struct window *window, const struct fs_rule *rule, const struct vrf_set *vrfs)
{
    static bool taken[SHOWN_MOST];
    struct pol_blast blast;

    window_measure(window, rule, vrfs, DESTINATION_MAX, &blast);
    for (size_t i = shown_first; i < shown_count; i++)
        taken[i] = meant(&shown[i], vrfs) && naive_match(rule, &shown[i].key);
    struct pol_part all = count_part(taken, vrfs, NULL, NULL);
    model_expect(blast.packets.seen == all.seen && blast.packets.taken == all.taken, iteration,
                 "%u of %u, not %u of %u", blast.packets.taken, blast.packets.seen, all.taken, all.seen);
    check_octets(taken, vrfs, &blast);
    check_parts(taken, vrfs, &blast);
    return all.taken > 0;
}

/* NULL, or some VRFs. */
static struct vrf_set *draw_vrfs(struct random *random)
{
    struct vrf_set *vrfs =
        random_one_in(random, 2) ? calloc(1, sizeof *vrfs + VRFS_MOST * sizeof vrfs->numbers[0]) : NULL;

    for (uint16_t vrf = 1; vrfs != NULL && vrf < VRFS_MOST; vrf++)
        if (random_one_in(random, 2))
            vrfs->numbers[vrfs->count++] = vrf;
    return vrfs;
}

int main(int argc, char **argv)
{
    unsigned long iterations = model_iterations(argc, argv, 10000), hits = 0;
    struct random random = {.state = argc > 2 ? strtoull(argv[2], NULL, 0) : 6};
    const struct random_rule_conf conf = {.narrow = true, .components_max = 3};
    struct window *window = NULL;

    for (; iteration < iterations; iteration++) {
        if (iteration % RULES_A_WINDOW == 0) {
            window_free(window);
            window = window_create();
            model_expect(window != NULL, iteration, "no memory");
            fill(&random, window);
        }
        struct fs_rule *rule = random_rule(&random, &conf);
        struct vrf_set *vrfs = draw_vrfs(&random);
        hits += check(window, rule, vrfs);
        free(vrfs);
        fs_rule_free(rule);
    }
    window_free(window);
    model_expect(hits > iterations / 10, iteration, "only %lu rules took anything", hits);
    printf("%lu rules measured, %lu of them take something\n", iterations, hits);
    return 0;
}
