/* What runs left as JSON, read back: it may have been altered since. */
#ifndef COMPRESS_JSON_READ_H
#define COMPRESS_JSON_READ_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The text as a whole; NULL: no JSON, or something behind it, or control characters,
 * which JSON writes as escapes. text[count] is zero. The caller's, cJSON_Delete. */
cJSON *json_read(const char *text, size_t count);

/* Members of an object. False: absent, of another kind, or out of range. */
bool json_read_number(const cJSON *object, const char *key, double *value); /* finite, from 0 */
bool json_read_share(const cJSON *object, const char *key, double *value);  /* from 0 to 1 */
/* Whole, up to `most`, at most 2^53 - 1. */
bool json_read_count(const cJSON *object, const char *key, uint64_t most, uint64_t *value);
/* Into out[size]. Names are plain: a terminal gets them as they are. */
bool json_read_name(const cJSON *object, const char *key, char *out, size_t size);

#endif
