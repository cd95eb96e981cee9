/* SPDX-License-Identifier: BSD-3-Clause */
#include "../cm.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/ordlist.h"

#define KEYS 2000

struct item {
    struct ord_node node; /* first: a node is its item */
    uint32_t key;
    uint32_t tag;
    struct ord_node *links[];
};

static int compare(const struct ord_node *node, const void *key)
{
    const struct item *item = (const struct item *)node;
    uint32_t other = *(const uint32_t *)key;

    return item->key < other ? -1 : item->key > other;
}

static struct item *item_new(uint8_t levels, uint32_t key, uint32_t tag)
{
    struct item *item = calloc(1, sizeof *item + levels * sizeof item->links[0]);

    assert_non_null(item);
    item->node.levels = levels;
    item->node.up = item->links;
    item->key = key;
    item->tag = tag;
    return item;
}

/* The list holds exactly the marked keys, ascending. */
static void check(const struct ord_list *list, const uint32_t *tags)
{
    const struct ord_node *node = ord_first(list);
    size_t count = 0;

    for (uint32_t key = 0; key < KEYS; key++) {
        if (tags[key] == 0)
            continue;
        assert_non_null(node);
        assert_int_equal(((const struct item *)node)->key, key);
        assert_int_equal(((const struct item *)node)->tag, tags[key]);
        node = ord_next(node);
        count++;
    }
    assert_null(node);
    assert_int_equal(list->count, count);
}

static void agrees_with_a_plain_array(void **state)
{
    struct ord_list list;
    uint32_t *tags = calloc(KEYS, sizeof *tags);

    (void)state;
    srandom(7);
    ord_init(&list, compare);
    for (uint32_t step = 1; step <= 20000; step++) {
        uint32_t key = (uint32_t)random() % KEYS;
        struct ord_node *found = ord_find_equal(&list, &key);
        assert_true((found != NULL) == (tags[key] != 0));
        if (found == NULL) {
            struct item *fresh = item_new(ord_draw_levels(&list), key, step);
            ord_insert(&list, &fresh->node, &key);
            tags[key] = step;
        } else if (step % 3 == 0) {
            struct item *fresh = item_new(found->levels, key, step);
            ord_replace(&list, found, &fresh->node, &key);
            free(found);
            tags[key] = step;
        } else {
            ord_remove(&list, found, &key);
            free(found);
            tags[key] = 0;
        }
        if (step % 1000 == 0)
            check(&list, tags);
    }
    while (ord_first(&list) != NULL) {
        struct ord_node *node = ord_first(&list);
        uint32_t key = ((struct item *)node)->key;
        ord_remove(&list, node, &key);
        free(node);
    }
    assert_int_equal(list.count, 0);
    free(tags);
}

static void finds_the_first_not_before_a_key(void **state)
{
    struct ord_list list;
    struct item *items[3];

    (void)state;
    ord_init(&list, compare);
    for (uint32_t i = 0; i < 3; i++) {
        items[i] = item_new(ord_draw_levels(&list), i * 10, i);
        ord_insert(&list, &items[i]->node, &items[i]->key);
    }
    assert_ptr_equal(ord_find(&list, &(uint32_t){5}), &items[1]->node);
    assert_ptr_equal(ord_find(&list, &(uint32_t){10}), &items[1]->node);
    assert_null(ord_find(&list, &(uint32_t){21}));
    assert_null(ord_find_equal(&list, &(uint32_t){5}));
    for (uint32_t i = 0; i < 3; i++)
        free(items[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_plain_array),
        cmocka_unit_test(finds_the_first_not_before_a_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
