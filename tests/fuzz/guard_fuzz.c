/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guard's window: frames of traffic and rules of peers, in any order, as they come from outside. The first octet of
 * a step says what it is: a frame of some VRF (parsed as a worker does), time that passes, or an NLRI that is measured.
 * What is said of a rule is what a walk over the window finds, and nothing is taken that was not seen.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "classifier/classifier.h"
#include "control/window.h"
#include "flowspec/nlri.h"
#include "frame.h"
#include "packet/parse.h"

#define VRFS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* What a walk over the window says. */
struct walk {
    const struct fs_rule *rule;
    const struct vrf_set *vrfs;
    struct pol_part packets;
    uint64_t bytes_seen, bytes_taken;
};

static void on_header(void *ctx, const struct pkt_key *key, uint16_t vrf)
{
    struct walk *walk = ctx;

    if (walk->vrfs == NULL ? vrf != 0 : !vrf_set_has(walk->vrfs, vrf))
        return;
    walk->packets.seen++;
    walk->bytes_seen += key->length;
    if (!cls_rule_matches(walk->rule, key))
        return;
    walk->packets.taken++;
    walk->bytes_taken += key->length;
}

static void check(const struct window *window, const struct fs_rule *rule, const struct vrf_set *vrfs)
{
    struct walk walk = {.rule = rule, .vrfs = vrfs};
    struct pol_blast blast;
    uint32_t destinations = 0, ports = 0;

    window_measure(window, rule, vrfs, 10, &blast);
    window_each(window, on_header, &walk);
    require(blast.packets.seen == walk.packets.seen && blast.packets.taken == walk.packets.taken);
    require(blast.bytes_seen == walk.bytes_seen && blast.bytes_taken == walk.bytes_taken);
    require(blast.protocol.taken <= blast.protocol.seen && blast.protocol.seen <= blast.packets.seen);
    require(blast.destination.taken <= blast.destination.seen && blast.destination.seen <= blast.packets.seen);
    require(blast.protocol.taken <= blast.packets.taken && blast.destination.taken <= blast.packets.taken);
    for (unsigned i = 0; i < POL_BLAST_TOP; i++) {
        destinations += blast.top_destinations[i].taken;
        ports += blast.top_ports[i].taken;
    }
    require(destinations <= blast.packets.taken && ports <= blast.packets.taken);
    require((destinations > 0) == (blast.packets.taken > 0));
}

/* `kind`: bits for the family, a route distinguisher, and the VRFs that the rule is for. */
static void measure(const struct window *window, uint8_t kind, const uint8_t *octets, size_t len)
{
    const struct fs_nlri_format format = {.family = kind & 1 ? IP_V6 : IP_V4, .vpn = (kind & 2) != 0};
    struct vrf_set *vrfs = calloc(1, sizeof *vrfs + VRFS * sizeof vrfs->numbers[0]);
    struct fs_rule *rule;

    for (uint16_t vrf = 0; vrfs != NULL && vrf < VRFS; vrf++)
        if (kind >> 2 & 1u << vrf)
            vrfs->numbers[vrfs->count++] = vrf;
    if (vrfs != NULL && fs_nlri_decode_value(octets, len, &format, &rule) == FS_OK) {
        check(window, rule, format.vpn ? vrfs : NULL);
        fs_rule_free(rule);
    }
    free(vrfs);
}

static void add_frame(struct window *window, uint16_t vrf, unsigned times, mono_ms_t now, const uint8_t *octets,
                      size_t len)
{
    struct pkt_key key = parse_octets(octets, len);

    if (key.malformed == PKT_SOUND && key.family != IP_NONE) /* the pipeline drops, the sampler leaves out the others */
        for (unsigned i = 0; i < times; i++)
            window_add(window, &key, vrf, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_reader in = br_init(data, size);
    struct window *window = window_create();
    mono_ms_t now = 1000;

    while (window != NULL && br_left(&in) >= 3) {
        uint8_t step = br_u8(&in), what = br_u8(&in);
        size_t len = br_u8(&in);
        len = len < br_left(&in) ? len : br_left(&in);
        const uint8_t *octets = br_bytes(&in, len);
        if (step % 4 < 2)
            add_frame(window, what % VRFS, 1 + (step >> 2) * (what >> 2), now, octets, len);
        else if (step % 4 == 2)
            window_drop_before(window, (now += what) - (step >> 2));
        else
            measure(window, what, octets, len);
        require(window_count(window) <= WINDOW_SIZE);
    }
    window_free(window);
    return 0;
}
