/* Where the keys of a YAML text stand: every key and list entry by its path
 * ("prune.rounds[1]"), for messages and for telling what was given. */
#ifndef COMPRESS_RECIPE_PLACES_H
#define COMPRESS_RECIPE_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define RECIPE_PATH_MAX 128

typedef enum recipe_kind { RECIPE_SCALAR, RECIPE_MAP, RECIPE_LIST } recipe_kind;

typedef struct recipe_place {
    char path[RECIPE_PATH_MAX];
    char value[48]; /* of a scalar, shortened, printable; else empty */
    recipe_kind kind;
    bool quoted;    /* a scalar in quotes or as a block: a text by intent */
    uint32_t count; /* bytes of a scalar, entries of a list */
    uint32_t line;  /* from 1 */
} recipe_place;

typedef struct recipe_places {
    recipe_place *places; /* in the text's order; the list's */
    size_t count, capacity;
} recipe_places;

/* Walks the text (libyaml's events). Text that is no YAML, a key given twice, a tag,
 * an anchor, an alias, a zero byte, more than one document, a text that is no map, or
 * one nested deeper than any recipe is ADMMNN_INPUT with file and line. Characters of keys
 * that no recipe's key has stand in the paths as '?'. Free out in every case. */
admmnn_status recipe_places_read(const char *file, const uint8_t *text, size_t count,
                                 recipe_places *out, admmnn_error *err);
void recipe_places_free(recipe_places *places);
/* NULL when the path was not given. */
const recipe_place *recipe_places_find(const recipe_places *places, const char *path);
/* Its line; 1 when the path was not given. */
uint32_t recipe_places_line(const recipe_places *places, const char *path);

/* "above.key", or key alone where above is empty. */
void recipe_places_join(char out[RECIPE_PATH_MAX], const char *above, const char *key);

#endif
