#include "compress/recipe_validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "compress/recipe_schema.h"

#define WORD_MAX 32

/* What the schema says of a path. */
typedef struct rule {
    const cyaml_schema_value_t *map;   /* the innermost around it */
    const cyaml_schema_value_t *value; /* NULL: the map has no such key */
    recipe_range range;
} rule;

typedef struct check {
    const char *file;
    const recipe_places *places;
    admmnn_error *err;
} check;

static const cyaml_schema_field_t *find_field(const cyaml_schema_value_t *map, const char *key,
                                              size_t length) {
    const cyaml_schema_field_t *field = map->mapping.fields;
    for (; field->key != NULL; field++)
        if (strncmp(field->key, key, length) == 0 && field->key[length] == 0)
            return field;
    return NULL;
}

/* The path's parents stand before it in the text, so they were checked. */
static rule rule_of(const char *path) {
    rule found = {.value = recipe_schema()};
    while (*path != 0 && found.value != NULL) {
        if (*path == '[') {
            found.value = found.value->sequence.entry;
            path = strchr(path, ']') + 1;
            continue;
        }
        path += *path == '.';
        size_t length = strcspn(path, ".[");
        found.map = found.value;
        const cyaml_schema_field_t *field = find_field(found.map, path, length);
        found.value = field == NULL ? NULL : &field->value;
        if (field != NULL)
            found.range = recipe_schema_range(field);
        path += length;
    }
    return found;
}

/* Levenshtein's distance of words shorter than WORD_MAX. */
static size_t distance(const char *a, const char *b) {
    size_t row[WORD_MAX];
    size_t width = strlen(b);
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != 0; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            best = best <= row[j] ? best : row[j] + 1;
            row[j] = best <= row[j - 1] ? best : row[j - 1] + 1;
        }
    }
    return row[width];
}

/* Keeps in *best the candidate nearest to word, when near enough to be meant. */
static void keep_nearest(const char *word, const char *candidate, size_t *least,
                         const char **best) {
    if (strlen(word) >= WORD_MAX || strlen(candidate) >= WORD_MAX)
        return;
    size_t d = distance(word, candidate);
    if (d <= 1 + strlen(word) / 4 && d < *least) {
        *least = d;
        *best = candidate;
    }
}

static admmnn_status fail_unknown(const check *c, const recipe_place *place,
                                  const cyaml_schema_value_t *map) {
    const char *dot = strrchr(place->path, '.');
    const char *word = dot == NULL ? place->path : dot + 1;
    const char *near = NULL;
    size_t least = WORD_MAX;
    base_words keys = {0};
    for (const cyaml_schema_field_t *f = map->mapping.fields; f->key != NULL; f++) {
        keep_nearest(word, f->key, &least, &near);
        base_words_add(&keys, f->key);
    }
    if (near != NULL)
        return base_fail(c->err, ADMMNN_INPUT, "%s:%u: %s: unknown key, '%s' perhaps; there are %s",
                         c->file, place->line, place->path, near, keys.text);
    return base_fail(c->err, ADMMNN_INPUT, "%s:%u: %s: unknown key; there are %s", c->file,
                     place->line, place->path, keys.text);
}

/* The value as the reader wrote it, why it is wrong, and what is allowed. */
static admmnn_status fail_value(const check *c, const recipe_place *place, const rule *r,
                                const char *why) {
    static const char *const kinds[] = {"", "a map", "a list"};
    char expected[320];
    recipe_schema_expected(r->value, r->range, expected, sizeof expected);
    if (place->kind != RECIPE_SCALAR)
        return base_fail(c->err, ADMMNN_INPUT, "%s:%u: %s: %s %s; it must be %s", c->file,
                         place->line, place->path, kinds[place->kind], why, expected);
    return base_fail(c->err, ADMMNN_INPUT, "%s:%u: %s: '%s' %s; it must be %s", c->file,
                     place->line, place->path, place->value, why, expected);
}

/* libcyaml would take "5x" for 5, "010" for 8 and "-1" for 2^64 - 1. */
static bool is_whole(const char *text) {
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && text[digits] == 0 && (text[0] != '0' || digits == 1);
}

bool recipe_read_number(const char *text, double *number) {
    char *end;
    if (text[0] == 0 || text[strspn(text, "0123456789+-.eE")] != 0)
        return false;
    *number = strtod(text, &end);
    return *end == 0;
}

static admmnn_status check_number(const check *c, const recipe_place *place, const rule *r) {
    bool whole = r->value->type == CYAML_UINT;
    double number;
    if (place->quoted)
        return fail_value(c, place, r, "is in quotes, a text");
    if (place->count >= sizeof place->value || !recipe_read_number(place->value, &number))
        return fail_value(c, place, r, "is not a number");
    if (whole && !is_whole(place->value))
        return fail_value(c, place, r, "is not a whole number");
    bool low = r->range.above ? number <= r->range.least : number < r->range.least;
    if (low || number > r->range.most)
        return fail_value(c, place, r, "is out of range");
    return ADMMNN_OK;
}

static admmnn_status check_word(const check *c, const recipe_place *place, const rule *r) {
    const char *near = NULL;
    size_t least = WORD_MAX;
    for (uint32_t i = 0; i < r->value->enumeration.count; i++) {
        const char *word = r->value->enumeration.strings[i].str;
        if (strcmp(place->value, word) == 0)
            return ADMMNN_OK;
        keep_nearest(place->value, word, &least, &near);
    }
    char why[64] = "is unknown";
    if (near != NULL)
        snprintf(why, sizeof why, "is unknown, '%s' perhaps", near);
    return fail_value(c, place, r, why);
}

static admmnn_status check_scalar(const check *c, const recipe_place *place, const rule *r) {
    if (r->value->type == CYAML_ENUM)
        return check_word(c, place, r);
    if (r->value->type != CYAML_STRING)
        return check_number(c, place, r);
    if (place->count < r->value->string.min)
        return fail_value(c, place, r, "is empty");
    if (place->count > r->value->string.max)
        return fail_value(c, place, r, "is too long");
    return ADMMNN_OK;
}

static admmnn_status check_map(const check *c, const char *path, uint32_t line,
                               const cyaml_schema_value_t *map) {
    for (const cyaml_schema_field_t *f = map->mapping.fields; f->key != NULL; f++) {
        char key[RECIPE_PATH_MAX];
        recipe_places_join(key, path, f->key);
        if ((f->value.flags & CYAML_FLAG_OPTIONAL) != 0 || recipe_places_find(c->places, key))
            continue;
        rule r = rule_of(key);
        char expected[320];
        recipe_schema_expected(r.value, r.range, expected, sizeof expected);
        return base_fail(c->err, ADMMNN_INPUT, "%s:%u: %s: missing; it must be %s", c->file, line,
                         key, expected);
    }
    return ADMMNN_OK;
}

static admmnn_status check_list(const check *c, const recipe_place *place, const rule *r) {
    if (place->count < r->value->sequence.min)
        return fail_value(c, place, r, "is empty");
    if (place->count > r->value->sequence.max)
        return fail_value(c, place, r, "is too long");
    return ADMMNN_OK;
}

static recipe_kind kind_of(const cyaml_schema_value_t *value) {
    if (value->type == CYAML_MAPPING)
        return RECIPE_MAP;
    return value->type == CYAML_SEQUENCE ? RECIPE_LIST : RECIPE_SCALAR;
}

static admmnn_status check_place(const check *c, const recipe_place *place) {
    rule r = rule_of(place->path);
    if (r.value == NULL)
        return fail_unknown(c, place, r.map);
    if (place->kind != kind_of(r.value))
        return fail_value(c, place, &r, "is the wrong type");
    switch (place->kind) {
    case RECIPE_MAP:
        return check_map(c, place->path, place->line, r.value);
    case RECIPE_LIST:
        return check_list(c, place, &r);
    default:
        return check_scalar(c, place, &r);
    }
}

admmnn_status recipe_validate(const char *file, const recipe_places *places, admmnn_error *err) {
    check c = {file, places, err};
    for (size_t i = 0; i < places->count; i++)
        BASE_TRY(check_place(&c, &places->places[i]));
    return check_map(&c, "", 1, recipe_schema());
}
