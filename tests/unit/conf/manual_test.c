/* SPDX-License-Identifier: BSD-3-Clause */
/* floodgate.yaml(5) has an entry for each key of the schema, with the default that the schema has. */
#include "../cm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/schema.h"

static char *page;

static int read_page(void **state)
{
    FILE *file = fopen(MAN_PAGE, "r");
    size_t len = 0;

    (void)state;
    if (!file)
        return -1;
    bool read = getdelim(&page, &len, '\0', file) > 0;
    fclose(file);
    return read ? 0 : -1;
}

static int free_page(void **state)
{
    (void)state;
    free(page);
    return 0;
}

/* Where the section's keys are described: behind the heading that names the section. */
static const char *find_section(const char *name)
{
    char heading[80];

    snprintf(heading, sizeof heading, "\n.Ss %s\n", name);
    const char *at = strstr(page, heading);
    if (!at)
        print_error("floodgate.yaml.5 has no section %s\n", name);
    return at;
}

/* The entry of one key, up to the next entry, in `text`. */
static bool find_entry(const char *section, const char *name, char *text, size_t size)
{
    char item[80];

    snprintf(item, sizeof item, "\n.It Cm %s", name);
    const char *end = strstr(section + 1, "\n.Ss ");
    const char *at = strstr(section, item);
    if (!at || (end && at > end) || !strchr(" \n", at[strlen(item)])) {
        print_error("floodgate.yaml.5 says nothing of '%s'\n", name);
        return false;
    }
    const char *next = strstr(at + 1, "\n.It ");
    size_t len = next ? (size_t)(next - at) : strlen(at);
    snprintf(text, size, "%.*s", (int)(len < size ? len : size - 1), at);
    return true;
}

static unsigned judge_map(const char *section_name, const struct cfg_map *map)
{
    const char *section = find_section(section_name);
    unsigned wrong = section == NULL;

    for (size_t i = 0; section && i < map->key_count; i++) {
        const struct cfg_key *key = &map->keys[i];
        char text[4096];
        char claim[80];
        if (!find_entry(section, key->name, text, sizeof text)) {
            wrong++;
            continue;
        }
        snprintf(claim, sizeof claim, "default: %s", key->required ? "none, required" : key->fallback);
        if ((key->required || key->fallback) && !strstr(text, claim)) {
            print_error("floodgate.yaml.5: the entry of '%s' in %s must say '%s'\n", key->name, section_name, claim);
            wrong++;
        }
    }
    return wrong;
}

static void each_key_is_in_the_manual_with_its_default(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < cfg_root_map.key_count; i++) {
        const struct cfg_key *key = &cfg_root_map.keys[i];
        const struct cfg_map *map = key->map ? key->map : key->item ? key->item->map : NULL;
        if (map)
            wrong += judge_map(key->name, map);
        else
            wrong += find_section(key->name) == NULL;
        for (size_t k = 0; map && k < map->key_count; k++) {
            if (map->keys[k].item && map->keys[k].item->map) {
                char name[80];
                snprintf(name, sizeof name, "%s.%s", key->name, map->keys[k].name);
                wrong += judge_map(name, map->keys[k].item->map);
            }
        }
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_is_in_the_manual_with_its_default),
    };

    return cmocka_run_group_tests(tests, read_page, free_page);
}
