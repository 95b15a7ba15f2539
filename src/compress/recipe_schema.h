/* The recipe's keys: their types for libcyaml, their ranges, their defaults. A
 * new key is one line of a table in recipe_schema.c, its default one line of
 * recipe_default, its meaning one row of docs/recipe.md (the tests ask for it). */
#ifndef COMPRESS_RECIPE_SCHEMA_H
#define COMPRESS_RECIPE_SCHEMA_H

#include <cyaml/cyaml.h>

#include "compress/recipe.h"

/* What a number may be: from least (itself only when not `above`) to most. For
 * a list of numbers, what each may be. Of no meaning for other keys. */
typedef struct recipe_range {
    double least, most;
    bool above;
} recipe_range;

/* The whole recipe, for cyaml_load_data. */
const cyaml_schema_value_t *recipe_schema(void);
recipe_range recipe_schema_range(const cyaml_schema_field_t *field);
/* "a whole number from 1 to 4096": what the value must be, into out[size]. */
void recipe_schema_expected(const cyaml_schema_value_t *value, recipe_range range, char *out,
                            size_t size);
/* The value every key has when it is not given. */
void recipe_default(recipe *r);

#endif
