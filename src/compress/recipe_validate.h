/* A recipe's text against the schema, before libcyaml loads it: libcyaml says
 * that something is wrong, this says where, what and what is allowed. */
#ifndef COMPRESS_RECIPE_VALIDATE_H
#define COMPRESS_RECIPE_VALIDATE_H

#include <stdbool.h>

#include "compress/recipe_places.h"

/* The first unknown or missing key, wrong type, value out of range or word that
 * is not in the list, in the text's order, is ADMMNN_INPUT:
 * "file:line: key: reason; what is allowed". */
admmnn_status recipe_validate(const char *file, const recipe_places *places, admmnn_error *err);

/* A number in decimal digits, with a sign, point or exponent perhaps, and nothing
 * else: not what strtod takes beside them, such as 0x4, nan or a blank before it. */
bool recipe_read_number(const char *text, double *number);

#endif
