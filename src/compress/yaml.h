/* YAML into structures by tables: each key has a type, a place, a range; what the
 * text does not mention keeps its value, so defaults are set first. */
#ifndef COMPRESS_YAML_H
#define COMPRESS_YAML_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef enum yaml_type {
    YAML_U32,
    YAML_U64,
    YAML_FLOAT,
    YAML_DOUBLE,
    YAML_BOOL,
    YAML_TEXT,    /* a char array of `size` bytes */
    YAML_ENUM,    /* an int-sized enum; names in order from 0 */
    YAML_SECTION, /* a structure: fields */
    YAML_NUMBERS, /* a double array of at most `most` entries; count at count_offset */
    YAML_RECORDS  /* an array of structures of `size` bytes, at most `most` */
} yaml_type;

typedef struct yaml_field {
    const char *key;
    yaml_type type;
    size_t offset;
    size_t size;
    double least, greatest; /* numbers; greatest 0 with least 0: no limit */
    int above;              /* the value must be above `least`, not at it */
    const char *const *names; /* YAML_ENUM, NULL-terminated */
    const struct yaml_field *fields; /* YAML_SECTION and YAML_RECORDS, key NULL ends */
    size_t most, count_offset;
} yaml_field;

/* Reads text (a mapping) into *base. Errors name path, line, key and reason. */
admmnn_status yaml_read(const char *path, const uint8_t *text, size_t count,
                        const yaml_field *fields, void *base, admmnn_error *err);

#endif
