/* The recipe's keys: their types for libcyaml, their ranges, their defaults. A
 * new key is one line of a table in recipe_schema.c, and its default in
 * recipe_default. */
#ifndef COMPRESS_RECIPE_SCHEMA_H
#define COMPRESS_RECIPE_SCHEMA_H

#include <cyaml/cyaml.h>

#include "compress/recipe.h"

/* What a number may be: least (itself only when not `above`) to most. Keys that
 * are no numbers have least > most. */
typedef struct recipe_range {
    double least, most;
    bool above;
} recipe_range;

/* One map's keys, ended by a NULL key, and the range of each. */
typedef struct recipe_map {
    const cyaml_schema_field_t *fields;
    const recipe_range *ranges;
} recipe_map;

/* The whole recipe, for cyaml_load_data. */
const cyaml_schema_value_t *recipe_schema(void);
/* The table behind a map of the schema. */
recipe_map recipe_schema_map(const cyaml_schema_value_t *map);
/* The value every key has when it is not given. */
void recipe_default(recipe *r);

#endif
