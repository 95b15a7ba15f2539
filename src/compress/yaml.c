#include "compress/yaml.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* Sections nest a few deep; the key path is kept for messages. */
#define PATH_MAX_TEXT 160

typedef struct reading {
    const char *path;
    yaml_document_t *document;
    admmnn_error *err;
} reading;

typedef struct place {
    const yaml_node_t *node;
    const char *key; /* dotted */
} place;

static admmnn_status fail(const reading *r, place at, const char *reason) {
    return base_fail(r->err, ADMMNN_INPUT, "%s:%zu: %s: %s", r->path,
                     at.node->start_mark.line + 1, at.key[0] != 0 ? at.key : "recipe", reason);
}

static const char *scalar_of(const yaml_node_t *node) {
    return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static void describe_range(const yaml_field *field, char *out, size_t size) {
    if (field->least == 0 && field->greatest == 0 && !field->above)
        snprintf(out, size, "a number");
    else if (field->greatest == 0 && field->least > field->greatest)
        snprintf(out, size, "a number %s %g", field->above ? "above" : "of at least", field->least);
    else if (field->greatest == 0)
        snprintf(out, size, "a number above %g", field->least);
    else
        snprintf(out, size, "a number %s %g %s %g", field->above ? "above" : "from", field->least,
                 field->above ? "and at most" : "to", field->greatest);
}

static bool in_range(const yaml_field *field, double value) {
    if (field->least == 0 && field->greatest == 0 && !field->above)
        return true;
    if (field->above ? value <= field->least : value < field->least)
        return false;
    return field->greatest == 0 || value <= field->greatest;
}

static admmnn_status read_number(const reading *r, place at, const yaml_field *field, bool whole,
                                 double *value) {
    char expected[96];
    char reason[256];
    describe_range(field, expected, sizeof expected);
    const char *text = scalar_of(at.node);
    char *end = NULL;
    *value = text == NULL ? 0 : strtod(text, &end);
    if (text == NULL || end == text || *end != 0 || !isfinite(*value)) {
        snprintf(reason, sizeof reason, "'%.40s' is not %s", text == NULL ? "a list or map" : text,
                 expected);
        return fail(r, at, reason);
    }
    if (whole && (*value != floor(*value) || *value < 0 || *value > 0x1p53)) {
        snprintf(reason, sizeof reason, "'%.40s' is not a whole number", text);
        return fail(r, at, reason);
    }
    if (!in_range(field, *value)) {
        snprintf(reason, sizeof reason, "%.40s is out of range; it must be %s", text, expected);
        return fail(r, at, reason);
    }
    return ADMMNN_OK;
}

static admmnn_status read_text(const reading *r, place at, const yaml_field *field, char *out) {
    const char *text = scalar_of(at.node);
    if (text == NULL)
        return fail(r, at, "a text was expected");
    if (strlen(text) >= field->size)
        return fail(r, at, "too long");
    memcpy(out, text, strlen(text) + 1);
    return ADMMNN_OK;
}

static admmnn_status read_bool(const reading *r, place at, bool *out) {
    const char *text = scalar_of(at.node);
    bool yes = text != NULL && strcmp(text, "true") == 0;
    if (!yes && (text == NULL || strcmp(text, "false") != 0))
        return fail(r, at, "true or false was expected");
    *out = yes;
    return ADMMNN_OK;
}

static admmnn_status read_enum(const reading *r, place at, const yaml_field *field, void *out) {
    const char *text = scalar_of(at.node);
    char reason[256];
    size_t used = (size_t)snprintf(reason, sizeof reason, "'%.40s' is not known; there are",
                                   text == NULL ? "a list or map" : text);
    for (int i = 0; field->names[i] != NULL; i++) {
        if (text != NULL && strcmp(text, field->names[i]) == 0) {
            unsigned value = (unsigned)i;
            memcpy(out, &value, sizeof value);
            return ADMMNN_OK;
        }
        if (used < sizeof reason)
            used += (size_t)snprintf(reason + used, sizeof reason - used, "%s %s",
                                     i == 0 ? "" : ",", field->names[i]);
    }
    return fail(r, at, reason);
}

static admmnn_status read_section(const reading *r, place at, const yaml_field *fields, void *base);

static admmnn_status read_list(const reading *r, place at, const yaml_field *field, void *base) {
    if (at.node->type != YAML_SEQUENCE_NODE)
        return fail(r, at, "a list was expected");
    const yaml_node_item_t *item = at.node->data.sequence.items.start;
    size_t count = (size_t)(at.node->data.sequence.items.top - item);
    if (count > field->most)
        return fail(r, at, "the list is too long");
    for (size_t i = 0; i < count; i++) {
        place entry = {yaml_document_get_node(r->document, item[i]), at.key};
        char *to = (char *)base + field->offset + i * field->size;
        if (field->type == YAML_NUMBERS) {
            double value;
            BASE_TRY(read_number(r, entry, field, false, &value));
            memcpy(to, &value, sizeof value);
        } else {
            BASE_TRY(read_section(r, entry, field->fields, to));
        }
    }
    memcpy((char *)base + field->count_offset, &count, sizeof count);
    return ADMMNN_OK;
}

static admmnn_status read_value(const reading *r, place at, const yaml_field *field, void *base) {
    void *to = (char *)base + field->offset;
    double number;
    switch (field->type) {
    case YAML_U32:
        BASE_TRY(read_number(r, at, field, true, &number));
        if (number > UINT32_MAX)
            return fail(r, at, "too large");
        *(uint32_t *)to = (uint32_t)number;
        return ADMMNN_OK;
    case YAML_U64:
        BASE_TRY(read_number(r, at, field, true, &number));
        *(uint64_t *)to = (uint64_t)number;
        return ADMMNN_OK;
    case YAML_FLOAT:
        BASE_TRY(read_number(r, at, field, false, &number));
        *(float *)to = (float)number;
        return ADMMNN_OK;
    case YAML_DOUBLE:
        return read_number(r, at, field, false, to);
    case YAML_BOOL:
        return read_bool(r, at, to);
    case YAML_TEXT:
        return read_text(r, at, field, to);
    case YAML_ENUM:
        return read_enum(r, at, field, to);
    case YAML_SECTION:
        return read_section(r, at, field->fields, to);
    case YAML_NUMBERS:
    case YAML_RECORDS:
        break;
    }
    return read_list(r, at, field, base);
}

static const yaml_field *find_field(const yaml_field *fields, const char *key) {
    for (; fields->key != NULL; fields++)
        if (strcmp(fields->key, key) == 0)
            return fields;
    return NULL;
}

static admmnn_status unknown_key(const reading *r, place at, const yaml_field *fields) {
    char reason[320];
    size_t used = (size_t)snprintf(reason, sizeof reason, "unknown key; there are");
    for (int i = 0; fields[i].key != NULL && used < sizeof reason; i++)
        used += (size_t)snprintf(reason + used, sizeof reason - used, "%s %s", i == 0 ? "" : ",",
                                 fields[i].key);
    return fail(r, at, reason);
}

static bool seen_before(const yaml_document_t *document, const yaml_node_pair_t *first,
                        const yaml_node_pair_t *pair, const char *key) {
    for (; first < pair; first++) {
        const char *other =
            scalar_of(yaml_document_get_node((yaml_document_t *)(uintptr_t)document, first->key));
        if (other != NULL && strcmp(other, key) == 0)
            return true;
    }
    return false;
}

static admmnn_status read_section(const reading *r, place at, const yaml_field *fields,
                                  void *base) {
    if (at.node->type != YAML_MAPPING_NODE)
        return fail(r, at, "a map of keys was expected");
    const yaml_node_pair_t *first = at.node->data.mapping.pairs.start;
    for (const yaml_node_pair_t *pair = first; pair < at.node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key_node = yaml_document_get_node(r->document, pair->key);
        const char *key = scalar_of(key_node);
        char dotted[PATH_MAX_TEXT];
        snprintf(dotted, sizeof dotted, "%s%s%.40s", at.key, at.key[0] != 0 ? "." : "",
                 key == NULL ? "?" : key);
        place key_place = {key_node, dotted};
        const yaml_field *field = key == NULL ? NULL : find_field(fields, key);
        if (field == NULL)
            return unknown_key(r, key_place, fields);
        if (seen_before(r->document, first, pair, key))
            return fail(r, key_place, "given twice");
        place value = {yaml_document_get_node(r->document, pair->value), dotted};
        BASE_TRY(read_value(r, value, field, base));
    }
    return ADMMNN_OK;
}

admmnn_status yaml_read(const char *path, const uint8_t *text, size_t count,
                        const yaml_field *fields, void *base, admmnn_error *err) {
    yaml_parser_t parser;
    yaml_document_t document;
    if (yaml_parser_initialize(&parser) == 0)
        return base_fail_memory(err, "the YAML reader");
    yaml_parser_set_input_string(&parser, text, count);
    if (yaml_parser_load(&parser, &document) == 0) {
        admmnn_status status =
            base_fail(err, ADMMNN_INPUT, "%s:%zu: not YAML: %s", path, parser.problem_mark.line + 1,
                      parser.problem == NULL ? "unreadable" : parser.problem);
        yaml_parser_delete(&parser);
        return status;
    }
    reading r = {.path = path, .document = &document, .err = err};
    yaml_node_t *root = yaml_document_get_root_node(&document);
    admmnn_status status =
        root == NULL ? base_fail(err, ADMMNN_INPUT, "%s:1: the file is empty", path)
                     : read_section(&r, (place){root, ""}, fields, base);
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    return status;
}
