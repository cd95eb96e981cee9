/* SPDX-License-Identifier: BSD-3-Clause */
#include "classifier/place.h"

#include <stddef.h>
#include <string.h>
#include <sys/random.h>

#include "classifier/family.h"
#include "classifier/ports.h"

#define SEGMENT_BUCKETS 32
#define ODD_SALT        0x9e3779b97f4a7c15u

/* A prefix as the tables know it. */
struct prefix {
    struct shape shape;
    uint64_t address[2];
};

static uint64_t shape_salt(const struct places *places, unsigned family, const struct fs_component *c)
{
    uint64_t number = (uint64_t)family << 16 | (uint64_t)c->offset << 8 | c->length;

    return hash_mix(places->seed ^ number, ODD_SALT) | 1; /* never 0 */
}

static void prefix_of(const struct places *places, const struct fs_rule *rule, const struct fs_component *c,
                      struct prefix *out)
{
    uint8_t mask[16];

    memset(mask, 0xff, sizeof mask);
    ip_bits_keep(mask, sizeof mask, c->offset, c->length);
    memcpy(out->shape.mask, mask, sizeof mask);
    memcpy(out->address, c->octets, sizeof out->address);
    out->shape.salt = shape_salt(places, rule->family, c);
    out->shape.offset = c->offset;
    out->shape.length = c->length;
    out->shape.users = 0;
}

/* RFC 8956 4: the lower offset, then the longer prefix. */
static bool shape_before(const struct shape *a, const struct shape *b)
{
    return a->offset != b->offset ? a->offset < b->offset : a->length > b->length;
}

static unsigned shape_place(const struct shapes *shapes, const struct shape *shape)
{
    unsigned at = 0;

    while (shapes != NULL && at < shapes->count && shape_before(shapes_at(shapes, at), shape))
        at++;
    return at;
}

static bool shape_is_at(const struct shapes *shapes, unsigned at, const struct shape *shape)
{
    return shapes != NULL && at < shapes->count && shapes_at(shapes, at)->salt == shape->salt;
}

static bool shapes_filtered(uint32_t count)
{
    return count >= SHAPES_FILTERED_MIN;
}

/* Which of the two sorts of lists. */
enum list { LIST_DESTINATIONS, LIST_SOURCES };

static size_t shapes_before(enum list list, uint32_t count)
{
    uint32_t known = count < SHAPES_FILTERED_MAX ? count : SHAPES_FILTERED_MAX;

    if (!shapes_filtered(count))
        return sizeof(struct shapes);
    if (list == LIST_DESTINATIONS)
        return sizeof(struct shapes_slots);
    return (known + SHAPES_OF_BLOCK - 1) / SHAPES_OF_BLOCK * sizeof(struct shapes_block);
}

static struct shapes *shapes_alloc(enum list list, struct mem *mem, uint32_t count)
{
    size_t before = shapes_before(list, count), size = before + count * sizeof(struct shape);
    struct shapes *shapes = shapes_filtered(count) ? mem_alloc_line(mem, size) : mem_alloc(mem, size);

    if (shapes == NULL)
        return NULL;
    memset(shapes, 0, size);
    shapes->count = (uint16_t)count;
    shapes->first = (uint16_t)before;
    return shapes;
}

/* Where the bits of ports are kept of a list of sources; NULL: nowhere. */
static uint16_t *shapes_ports(struct shapes *sources, unsigned at)
{
    if (!shapes_filtered(sources->count))
        return &sources->ports[at];
    return at < SHAPES_FILTERED_MAX ? &shapes_blocks(sources)[at / SHAPES_OF_BLOCK].ports[at % SHAPES_OF_BLOCK] : NULL;
}

static uint16_t shape_ports(const struct shapes *sources, unsigned at)
{
    const uint16_t *ports = shapes_ports((struct shapes *)(uintptr_t)sources, at);

    return ports != NULL ? __atomic_load_n(ports, __ATOMIC_RELAXED) : SHAPES_PORTS_ANY;
}

static void shape_ports_set(struct shapes *sources, unsigned at, uint16_t bits)
{
    uint16_t *ports = shapes_ports(sources, at);

    if (ports != NULL && *ports != bits) /* a store in vain would take the line from every worker */
        __atomic_store_n(ports, bits, __ATOMIC_RELEASE);
}

/* Tells the filter of a list, if it has one, about one of its shapes. */
static void shapes_tell(enum list list, struct shapes *shapes, unsigned at)
{
    const struct shape *shape = shapes_at(shapes, at);

    if (!shapes_filtered(shapes->count) || at >= SHAPES_FILTERED_MAX)
        return;
    if (list == LIST_DESTINATIONS) {
        __atomic_store_n(&shapes_slots(shapes)->slots[at], shape->slot, __ATOMIC_RELEASE);
        __atomic_store_n(&shapes_slots(shapes)->fine_slots[at], shape->tag, __ATOMIC_RELEASE);
        return;
    }
    struct shapes_block *block = &shapes_blocks(shapes)[at / SHAPES_OF_BLOCK];
    uint8_t tag = shape->slot == FILTER_LAST_SLOT ? SHAPES_TAG_MANY : shape->tag; /* many shapes have the last slot */
    __atomic_store_n(&block->tags[at % SHAPES_OF_BLOCK], tag, __ATOMIC_RELEASE);
    __atomic_store_n(&block->slots[at % SHAPES_OF_BLOCK], shape->slot, __ATOMIC_RELEASE);
}

/* A copy of the list with one shape more (which is for the caller to set), or one less, at `at`. */
static struct shapes *shapes_copy(enum list list, const struct shapes *old, struct mem *mem, unsigned at, int by)
{
    uint32_t count = old != NULL ? old->count : 0;
    struct shapes *fresh = shapes_alloc(list, mem, count + (uint32_t)by);

    if (fresh == NULL)
        return NULL;
    for (unsigned i = 0, to = 0; i < count; i++) {
        if (i == at && by < 0)
            continue;
        to += i == at;
        *shapes_at(fresh, to) = *shapes_at(old, i);
        if (shapes_at(fresh, to)->users > 0) { /* the slot of one left over may be another's by now */
            shapes_tell(list, fresh, to);
            if (list == LIST_SOURCES)
                shape_ports_set(fresh, to, shape_ports(old, i));
        }
        to++;
    }
    return fresh;
}

/* One more prefix of that shape. */
static bool shape_take(enum list list, _Atomic(struct shapes *) *slot, struct mem *mem, const struct shape *shape)
{
    struct shapes *old = rcu_load(slot);
    unsigned at = shape_place(old, shape);

    if (shape_is_at(old, at, shape)) {
        struct shape *here = shapes_at(old, at);
        if (here->users == UINT32_MAX)
            return false;
        if (here->users++ == 0) { /* left over, see shape_drop: its slot may have gone to another */
            here->slot = shape->slot;
            if (list == LIST_SOURCES)
                shape_ports_set(old, at, 0);
        }
        here->tag = list == LIST_DESTINATIONS || here->users == 1 ? shape->tag : SHAPES_TAG_MANY;
        shapes_tell(list, old, at);
        return true;
    }
    if (old != NULL && old->count == UINT16_MAX)
        return false;
    struct shapes *fresh = shapes_copy(list, old, mem, at, 1);
    if (fresh == NULL)
        return false;
    *shapes_at(fresh, at) = *shape;
    shapes_at(fresh, at)->users = 1;
    shapes_tell(list, fresh, at);
    rcu_publish(slot, fresh);
    mem_retire(mem, old);
    return true;
}

/* One prefix of that shape less. */
static void shape_drop(enum list list, _Atomic(struct shapes *) *slot, struct mem *mem, const struct shape *shape)
{
    struct shapes *old = rcu_load(slot), *fresh = NULL;
    unsigned at = shape_place(old, shape);

    if (--shapes_at(old, at)->users > 0)
        return;
    if (old->count > 1) {
        bool exempt = mem->exempt;
        mem->exempt = true; /* an addition may be undone */
        fresh = shapes_copy(list, old, mem, at, -1);
        mem->exempt = exempt;
        if (fresh == NULL) { /* a shape that nobody uses costs a probe, no more */
            shapes_at(old, at)->tag = 0;
            shapes_tell(list, old, at);
            if (list == LIST_SOURCES)
                shape_ports_set(old, at, 0);
            return;
        }
    }
    rcu_publish(slot, fresh);
    mem_retire(mem, old);
}

static void *item_find(const struct hash_table *table, const struct hash_item *item,
                       bool (*equal)(const struct hash_item *a, const struct hash_item *b))
{
    const struct hash_bucket *bucket = hash_bucket_of(table, item->hash);

    for (unsigned i = 0; i < HASH_BUCKET; i++) {
        uint64_t entry = hash_entry(bucket, i);
        if (hash_entry_fits(entry, item->hash) && equal(hash_entry_item(entry), item))
            return hash_entry_item(entry);
    }
    return NULL;
}

static bool destination_equal(const struct hash_item *a, const struct hash_item *b)
{
    const struct destination *x = (const struct destination *)a, *y = (const struct destination *)b;

    return x->item.hash == y->item.hash && memcmp(x->address, y->address, sizeof x->address) == 0;
}

static bool source_equal(const struct hash_item *a, const struct hash_item *b)
{
    const struct source *x = (const struct source *)a, *y = (const struct source *)b;

    return x->destination == y->destination && x->item.hash == y->item.hash &&
           memcmp(x->address, y->address, sizeof x->address) == 0;
}

/* As a key: with nothing in it. */
static void destination_set(struct destination *d, const struct places *places, const struct prefix *prefix)
{
    memset(d, 0, sizeof *d);
    memcpy(d->address, prefix->address, sizeof d->address);
    d->item.hash = place_hash(d->address, places->seed, prefix->shape.salt);
}

/* Makes the filter, and the sieve if there is one, know of the prefix; the slot is for filter_give. */
static uint8_t filter_take(struct filter *filter, struct sieve *sieve, struct prefix *prefix)
{
    struct shape *shape = &prefix->shape;

    shape->slot = (uint8_t)filter_slot_take(filter, shape->salt, shape->offset, shape->length, shape->mask);
    shape->tag = shape->slot == FILTER_LAST_SLOT ? 0 : filter_tag(&filter->shapes, shape->slot, prefix->address);
    int masks = filter_add(filter, shape->slot, shape->offset, shape->length, prefix->address[0]);
    if (sieve != NULL)
        sieve_add(sieve, shape->slot, shape->offset, shape->length, prefix->address[0], masks);
    return shape->slot;
}

static void filter_give(struct filter *filter, struct sieve *sieve, const struct prefix *prefix, unsigned slot)
{
    const struct shape *shape = &prefix->shape;
    int masks = filter_drop(filter, slot, shape->offset, shape->length, prefix->address[0]);

    if (sieve != NULL)
        sieve_drop(sieve, slot, shape->offset, shape->length, prefix->address[0], masks);
    filter_slot_drop(filter, slot);
}

/* A new destination, with nothing in it: no packet is the worse for it. `rule`: its first, if without a source. */
static struct destination *destination_add(struct places *places, struct mem *mem, struct place_family *family,
                                           struct prefix *prefix, const struct compiled *rule)
{
    struct destination *d = mem_alloc_line(mem, sizeof *d);

    if (d == NULL)
        return NULL;
    destination_set(d, places, prefix);
    if (rule != NULL)
        d->id = brief_set(&d->brief, &rule->box) ? rule->id : 0;
    d->slot = filter_take(&family->destinations, &family->sieve, prefix);
    prefix->shape.tag = (uint8_t)fine_slot(&family->fine, prefix->shape.offset, prefix->shape.length);
    if (shape_take(LIST_DESTINATIONS, &family->shapes, mem, &prefix->shape)) {
        if (hash_insert(&places->destinations, mem, &d->item)) {
            family_count(family, 1);
            return d;
        }
        shape_drop(LIST_DESTINATIONS, &family->shapes, mem, &prefix->shape);
    }
    filter_give(&family->destinations, &family->sieve, prefix, d->slot);
    mem_free(mem, d);
    return NULL;
}

static struct source *source_add(struct places *places, struct mem *mem, struct filter *filter, struct destination *d,
                                 const struct source *key, struct prefix *prefix, const struct compiled *rule)
{
    struct source *source = mem_alloc_line(mem, sizeof *source);

    if (source == NULL)
        return NULL;
    memcpy(source, key, sizeof *source);
    source->id = brief_set(&source->brief, &rule->box) ? rule->id : 0;
    source->slot = filter_take(filter, NULL, prefix);
    if (shape_take(LIST_SOURCES, &d->sources, mem, &prefix->shape)) {
        if (hash_insert(&places->sources, mem, &source->item))
            return source;
        shape_drop(LIST_SOURCES, &d->sources, mem, &prefix->shape);
    }
    filter_give(filter, NULL, prefix, source->slot);
    mem_free(mem, source);
    return NULL;
}

/* Where a rule is or shall be. */
struct spot {
    struct place_family *family;
    struct prefix destination_prefix, source_prefix;
    bool has_destination, has_source;
    struct destination *destination; /* NULL: not there (yet) */
    struct source source_key;
    struct source *source; /* NULL: not there (yet), or the rule has none */
};

static void spot_find_source(struct places *places, struct spot *spot)
{
    struct source *key = &spot->source_key;

    memset(key, 0, sizeof *key);
    memcpy(key->address, spot->source_prefix.address, sizeof key->address);
    key->destination = spot->destination;
    key->item.hash = place_hash(key->address, spot->destination->item.hash, spot->source_prefix.shape.salt);
    spot->source = item_find(&places->sources, &key->item, source_equal);
}

static void spot_find(struct places *places, const struct fs_rule *rule, struct spot *spot)
{
    const struct fs_component *destination = fs_rule_component(rule, FS_DESTINATION);
    const struct fs_component *source = fs_rule_component(rule, FS_SOURCE);
    struct destination key;

    spot->family = &places->families[place_family_index(rule->family)];
    spot->has_destination = destination != NULL;
    spot->has_source = source != NULL;
    spot->destination = &spot->family->any;
    spot->source = NULL;
    if (source != NULL)
        prefix_of(places, rule, source, &spot->source_prefix);
    if (destination != NULL) {
        prefix_of(places, rule, destination, &spot->destination_prefix);
        destination_set(&key, places, &spot->destination_prefix);
        spot->destination = item_find(&places->destinations, &key.item, destination_equal);
    }
    if (source != NULL && spot->destination != NULL)
        spot_find_source(places, spot);
}

/* Creates what is missing of the spot. */
static bool spot_make(struct places *places, struct mem *mem, struct spot *spot, const struct compiled *rule)
{
    if (spot->destination == NULL) {
        spot->destination =
            destination_add(places, mem, spot->family, &spot->destination_prefix, spot->has_source ? NULL : rule);
        if (spot->destination == NULL)
            return false;
        if (spot->has_source)
            spot_find_source(places, spot);
    }
    if (spot->has_source && spot->source == NULL)
        spot->source = source_add(places, mem, &spot->family->sources, spot->destination, &spot->source_key,
                                  &spot->source_prefix, rule);
    return !spot->has_source || spot->source != NULL;
}

/* Takes away what is empty of the spot. */
static void spot_prune(struct places *places, struct mem *mem, struct spot *spot)
{
    struct destination *d = spot->destination;

    if (spot->source != NULL && group_load(&spot->source->rules) == 0) {
        hash_remove(&places->sources, mem, &spot->source->item);
        shape_drop(LIST_SOURCES, &d->sources, mem, &spot->source_prefix.shape);
        filter_give(&spot->family->sources, NULL, &spot->source_prefix, spot->source->slot);
        mem_retire(mem, spot->source);
    }
    if (d == NULL || !spot->has_destination || group_load(&d->any_source) != 0)
        return;
    const struct shapes *sources = rcu_load(&d->sources);
    for (unsigned i = 0; sources != NULL && i < sources->count; i++)
        if (shapes_at(sources, i)->users > 0)
            return;
    hash_remove(&places->destinations, mem, &d->item);
    shape_drop(LIST_DESTINATIONS, &spot->family->shapes, mem, &spot->destination_prefix.shape);
    family_count(spot->family, -1);
    filter_give(&spot->family->destinations, &spot->family->sieve, &spot->destination_prefix, d->slot);
    mem_retire(mem, rcu_load(&d->sources));
    mem_retire(mem, d);
}

static group_ref *spot_group(struct spot *spot)
{
    return spot->has_source ? &spot->source->rules : &spot->destination->any_source;
}

/* One rule more or less at a destination. */
static void spot_fine(struct spot *spot, const struct compiled *rule, bool more)
{
    const struct shape *shape = &spot->destination_prefix.shape;
    struct fine *fine = &spot->family->fine;

    if (!spot->has_destination)
        return;
    fine_count(fine, fine_slot(fine, shape->offset, shape->length), spot->destination_prefix.address[0],
               ports_pair_of(rule), more);
    family_choose(spot->family);
}

/* Before the rule is where the spot is: packets for it must get there. */
static void spot_ports_add(struct spot *spot, const struct compiled *rule)
{
    struct shapes *sources = rcu_load(&spot->destination->sources);
    unsigned at = shape_place(sources, &spot->source_prefix.shape);

    shape_ports_set(sources, at, shape_ports(sources, at) | ports_of(rule));
}

static void destination_ports_set(struct destination *d, uint16_t bits, uint16_t ranges)
{
    if (d->ports != bits)
        __atomic_store_n(&d->ports, bits, __ATOMIC_RELEASE);
    if (d->ranges != ranges)
        __atomic_store_n(&d->ranges, ranges, __ATOMIC_RELEASE);
}

/* When a rule has gone: what those that are left ask for, where that is known. */
static void destination_ports_narrow(struct destination *d)
{
    const struct shapes *sources = rcu_load(&d->sources);
    uintptr_t group = group_load(&d->any_source);
    uint16_t bits = 0, ranges = 0;

    if ((group & GROUP_KIND) != GROUP_ONE)
        return;
    if (group != 0) {
        bits = ports_of((const struct compiled *)group);
        ranges = ports_ranges_of((const struct compiled *)group);
    }
    for (unsigned i = 0; sources != NULL && i < sources->count; i++)
        bits |= shape_ports(sources, i);
    destination_ports_set(d, bits, sources == NULL ? ranges : d->ranges); /* lists of sources have none */
}

/* When a rule has gone: of one that is left alone with its shape, or none, it is known again what it asks for. */
static void spot_ports_drop(struct spot *spot)
{
    struct shapes *sources = rcu_load(&spot->destination->sources);
    unsigned at = shape_place(sources, &spot->source_prefix.shape);
    uintptr_t group = group_load(&spot->source->rules);

    if ((group & GROUP_KIND) == GROUP_ONE && shapes_at(sources, at)->users == 1)
        shape_ports_set(sources, at, group != 0 ? ports_of((const struct compiled *)group) : 0);
}

static _Atomic(bool) *spot_briefed(struct spot *spot)
{
    return spot->has_source ? &spot->source->briefed : &spot->destination->briefed;
}

/* Before the spot's rules change: what its brief says may not be all. */
static void spot_brief_hide(struct spot *spot)
{
    if (atomic_load_explicit(spot_briefed(spot), memory_order_relaxed))
        atomic_store_explicit(spot_briefed(spot), false, memory_order_release);
}

/* When they have changed: whether it is all, its rule being alone. */
static void spot_brief_show(struct spot *spot)
{
    const struct brief *brief = spot->has_source ? &spot->source->brief : &spot->destination->brief;
    uint32_t id = spot->has_source ? spot->source->id : spot->destination->id;
    uintptr_t group = group_load(spot_group(spot));

    if ((group & GROUP_KIND) == GROUP_ONE && group != 0 && compiled_is_brief((const struct compiled *)group, id, brief))
        atomic_store_explicit(spot_briefed(spot), true, memory_order_release);
}

bool places_insert(struct places *places, struct mem *mem, const struct compiled *rule)
{
    struct spot spot;

    spot_find(places, rule->rule, &spot);
    if (!spot_make(places, mem, &spot, rule)) {
        spot_prune(places, mem, &spot);
        return false;
    }
    if (spot.has_source)
        spot_ports_add(&spot, rule);
    destination_ports_set(spot.destination, spot.destination->ports | ports_of(rule),
                          spot.destination->ranges | ports_ranges_of(rule));
    spot_fine(&spot, rule, true);
    spot_brief_hide(&spot);
    bool done = group_insert(spot_group(&spot), mem, rule, 0);
    spot_brief_show(&spot);
    if (done)
        return true;
    spot_fine(&spot, rule, false);
    spot_prune(places, mem, &spot);
    return false;
}

bool places_remove(struct places *places, struct mem *mem, const struct compiled *rule)
{
    struct spot spot;

    spot_find(places, rule->rule, &spot);
    spot_brief_hide(&spot);
    bool gone = group_remove(spot_group(&spot), mem, rule);
    spot_brief_show(&spot);
    spot_fine(&spot, rule, false);
    if (spot.has_source)
        spot_ports_drop(&spot);
    destination_ports_narrow(spot.destination);
    spot_prune(places, mem, &spot);
    return gone;
}

bool places_init(struct places *places, struct mem *mem)
{
    memset(places, 0, sizeof *places);
    if (getrandom(&places->seed, sizeof places->seed, GRND_NONBLOCK) < 0)
        places->seed = (uintptr_t)places; /* early at boot: address space layout is random, too */
    for (unsigned i = 0; i < 2; i++)
        places->families[i].any.item.hash = hash_mix(places->seed ^ i, ODD_SALT);
    if (!hash_init(&places->destinations, mem, SEGMENT_BUCKETS, true))
        return false;
    if (hash_init(&places->sources, mem, SEGMENT_BUCKETS, false)) {
        if (family_init(&places->families[0], mem, 0)) {
            if (family_init(&places->families[1], mem, 1))
                return true;
            family_fini(&places->families[0], mem);
        }
        hash_fini(&places->sources, mem);
    }
    hash_fini(&places->destinations, mem);
    return false;
}

static void destination_fini(struct destination *d, struct mem *mem)
{
    group_give(group_load(&d->any_source), mem, mem_free);
    mem_free(mem, rcu_load(&d->sources));
}

static void destination_give(void *ctx, struct hash_item *item)
{
    struct destination *d = (struct destination *)item;

    destination_fini(d, ctx);
    mem_free(ctx, d);
}

static void source_give(void *ctx, struct hash_item *item)
{
    struct source *source = (struct source *)item;

    group_give(group_load(&source->rules), ctx, mem_free);
    mem_free(ctx, source);
}

void places_fini(struct places *places, struct mem *mem)
{
    hash_each(&places->sources, source_give, mem);
    hash_each(&places->destinations, destination_give, mem);
    hash_fini(&places->sources, mem);
    hash_fini(&places->destinations, mem);
    for (unsigned i = 0; i < 2; i++) {
        destination_fini(&places->families[i].any, mem);
        family_fini(&places->families[i], mem);
        mem_free(mem, rcu_load(&places->families[i].shapes));
    }
}
