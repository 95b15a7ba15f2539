/* Recipes from texts, and every key of the schema, for the recipe's tests. */
#ifndef TESTS_COMPRESS_RECIPES_H
#define TESTS_COMPRESS_RECIPES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "compress/recipe_places.h"
#include "compress/recipe_schema.h"

#define MINIMAL "model: lenet-5\nprune: {rounds: [2]}\n"

static inline recipe *parse_at(const char *path, const char *text) {
    recipe *r = NULL;
    admmnn_error err = {0};
    if (recipe_parse(path, (const uint8_t *)text, strlen(text), &r, &err) != ADMMNN_OK)
        fail_msg("recipe_parse: %s", err.message);
    return r;
}

static inline recipe *parse(const char *text) {
    return parse_at("r.yaml", text);
}

/* Calls visit with the path of every key of a map; list entries are "[0]". */
typedef void (*visit_key)(void *user, const char *path, const cyaml_schema_field_t *field);

static inline void walk_keys(const cyaml_schema_value_t *map, const char *above, visit_key visit,
                             void *user) {
    for (const cyaml_schema_field_t *f = map->mapping.fields; f->key != NULL; f++) {
        char path[RECIPE_PATH_MAX];
        recipe_places_join(path, above, f->key);
        visit(user, path, f);
        if (f->value.type == CYAML_MAPPING)
            walk_keys(&f->value, path, visit, user);
        if (f->value.type != CYAML_SEQUENCE || f->value.sequence.entry->type != CYAML_MAPPING)
            continue;
        memcpy(path + strlen(path), "[0]", 4);
        walk_keys(f->value.sequence.entry, path, visit, user);
    }
}

#endif
